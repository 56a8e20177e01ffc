//! Collects decoded rows one after another: in memory, or in a temporary file if they are larger than the options allow
//! in memory. The rows of the file are then read on demand.
//!
//! The file is removed from its folder as soon as it is open, so that its space is freed when the process ends, however
//! it ends.

use crate::array::Array;
use crate::error::DataError;
use crate::file_rows;
use crate::layout::row_major_positions;
use crate::limits::{check_memory, stays_in_file};
use crate::npy::{Elem, NpyHeader};
use crate::options::ReadOptions;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Elements that are collected before they are written, and that are in memory while an array is transposed.
const BLOCK: usize = 1 << 22;

/// Collects the rows of an array that come one after another.
pub struct Rows {
    shape: Vec<usize>,
    /// The elements that are not written yet; all elements if there is no file.
    data: Vec<f32>,
    file: Option<TemporaryFile>,
}

/// The temporary file of an array.
struct TemporaryFile {
    file: File,
    /// The path that the file had, for messages.
    path: PathBuf,
    /// Bytes of the array.
    size: u128,
    /// Bytes that are written.
    written: u128,
}

impl Rows {
    /// Prepares for an array of this shape; `path` and `what` name it in errors.
    ///
    /// # Errors
    /// [`DataError::TooLarge`] if the array does not fit into memory and need not be in a file, and
    /// [`DataError::TemporaryFile`] if there is no space for the file.
    pub fn new(path: &Path, what: &str, shape: Vec<usize>, options: &ReadOptions) -> Result<Self, DataError> {
        let elements = shape.iter().fold(1u128, |n, &d| n.saturating_mul(d as u128));
        if stays_in_file(elements, options.in_memory) {
            let file = Some(TemporaryFile::new(elements.saturating_mul(4))?);
            return Ok(Self { shape, data: Vec::new(), file });
        }
        check_memory(path, what, elements, options)?;
        let mut data = Vec::new();
        // The array is within the limit, but the machine may have less memory.
        data.try_reserve_exact(elements as usize).map_err(|_| DataError::TooLarge {
            path: path.into(),
            array: what.into(),
            bytes: elements * 4,
            limit: options.max_bytes,
        })?;
        Ok(Self { shape, data, file: None })
    }

    /// Number of elements that were appended.
    pub(crate) fn len(&self) -> u128 {
        self.data.len() as u128 + self.file.as_ref().map_or(0, |file| file.written / 4)
    }

    /// Appends elements in row-major order.
    ///
    /// # Errors
    /// [`DataError::TemporaryFile`] if they cannot be written.
    pub fn push(&mut self, values: &[f32]) -> Result<(), DataError> {
        self.data.extend_from_slice(values);
        match &mut self.file {
            Some(file) if self.data.len() >= BLOCK => file.write(&mut self.data),
            _ => Ok(()),
        }
    }

    /// Returns the array.
    ///
    /// # Errors
    /// [`DataError::TemporaryFile`] if the last elements cannot be written.
    ///
    /// # Panics
    /// If the number of elements differs from that of the shape.
    pub fn array(mut self) -> Result<Array, DataError> {
        let Some(mut file) = self.file else { return Ok(Array::new(self.shape, self.data)) };
        file.write(&mut self.data)?;
        assert_eq!(file.written, file.size, "as many elements as the shape {:?} has", self.shape);
        let header = NpyHeader { elem: Elem::F32, big_endian: false, fortran: false, shape: self.shape, len: 0 };
        Ok(file_rows::temporary(&file.path, file.file, header))
    }
}

/// Returns the folder of temporary files: `TMPDIR` if it is set, otherwise `/var/tmp`, because `/tmp` may be in memory.
pub fn temporary_folder() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if cfg!(unix) && std::env::var_os("TMPDIR").is_none() && large.is_dir() { large } else { std::env::temp_dir() }
}

impl TemporaryFile {
    fn new(size: u128) -> Result<Self, DataError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = temporary_folder();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".dashnas-{}-{number}.f32", std::process::id()));
        let refuse = |source| DataError::TemporaryFile { folder: folder.clone(), bytes: size, source };
        if let Some(free) = free_space(&folder).filter(|&free| u128::from(free) < size) {
            let source = io::Error::new(io::ErrorKind::StorageFull, format!("only {free} bytes are free"));
            return Err(refuse(source));
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(refuse)?;
        std::fs::remove_file(&path).map_err(refuse)?;
        Ok(Self { file, path, size, written: 0 })
    }

    fn write(&mut self, data: &mut Vec<f32>) -> Result<(), DataError> {
        let bytes = crate::npy::le_bytes(data);
        self.written += bytes.len() as u128;
        data.clear();
        self.file.write_all(&bytes).map_err(|source| DataError::TemporaryFile {
            folder: self.path.parent().unwrap_or(Path::new(".")).into(),
            bytes: self.size,
            source,
        })
    }
}

/// Returns the bytes that are free on the disk of a folder, if the system tells.
#[cfg(unix)]
fn free_space(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Other systems do not tell.
#[cfg(not(unix))]
fn free_space(_: &Path) -> Option<u64> {
    None
}

/// Rearranges an array whose elements are stored in column-major order (the first axis, the sample, running fastest)
/// into row-major order. `stored` has the elements in their stored order, in any shape.
///
/// # Errors
/// As [`Rows::new`] and [`Rows::push`], and if `stored` can no longer be read.
pub(crate) fn to_row_major(
    stored: &Array,
    shape: Vec<usize>,
    path: &Path,
    what: &str,
    options: &ReadOptions,
) -> Result<Array, DataError> {
    let (n, width) = (shape.first().copied().unwrap_or(0), shape.iter().skip(1).product::<usize>());
    // Positions in a row of its elements in column-major order.
    let positions = row_major_positions(&shape[1..]);
    let mut rows = Rows::new(path, what, shape, options)?;
    let block = (BLOCK / width.max(1)).max(1);
    let mut first = 0;
    while first < n {
        let count = block.min(n - first);
        let mut part = vec![0.0; count * width];
        for (column, &position) in positions.iter().enumerate() {
            for (i, v) in stored.elements(column * n + first, count)?.into_iter().enumerate() {
                part[i * width + position] = v;
            }
        }
        rows.push(&part)?;
        first += count;
    }
    rows.array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::row_major;

    fn options(in_memory: u64) -> ReadOptions {
        ReadOptions { in_memory: Some(in_memory), ..Default::default() }
    }

    #[test]
    fn rows_come_back_as_they_went_in() {
        let values: Vec<f32> = (0..60).map(|v| v as f32 * 0.1).collect();
        for in_memory in [0, u64::MAX] {
            let mut rows = Rows::new("x".as_ref(), "x", vec![5, 3, 4], &options(in_memory)).unwrap();
            values.chunks(7).for_each(|part| rows.push(part).unwrap());
            let array = rows.array().unwrap();
            assert_eq!(array.is_file_backed(), in_memory == 0);
            let back: Vec<f32> = (0..5).flat_map(|i| array.fetch(i).unwrap().into_owned()).collect();
            assert_eq!(back, values);
        }
    }

    #[test]
    fn columns_become_rows() {
        let values: Vec<f32> = (0..120).map(|v| v as f32).collect();
        for shape in [vec![5, 2, 3, 4], vec![120, 1], vec![6, 20], vec![1, 120]] {
            let mut rows = Rows::new("x".as_ref(), "x", vec![1, 120], &options(0)).unwrap();
            rows.push(&values).unwrap();
            let stored = rows.array().unwrap();
            let rearranged = to_row_major(&stored, shape.clone(), "x".as_ref(), "x", &options(0)).unwrap();
            let rows: Vec<f32> = (0..shape[0]).flat_map(|i| rearranged.fetch(i).unwrap().into_owned()).collect();
            assert_eq!(rows, row_major(&shape, &values), "{shape:?}");
        }
    }

    #[test]
    fn a_file_larger_than_the_disk_is_refused_before_it_is_written() {
        let error = Rows::new("x".as_ref(), "x", vec![1 << 40, 1 << 20], &options(0)).err().expect("there is no room");
        assert!(matches!(error, DataError::TemporaryFile { bytes, .. } if bytes == 1 << 62), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("TMPDIR")));
    }
}
