//! Decoded rows, one after another: in memory, or where memory should not hold them in a file of their own, from
//! which they are read as those of an array that stays in its file are.
//!
//! The file has no name as soon as it is open, so that it is gone when the process is, however it ends.

use super::npy::{Elem, Header};
use super::outside::{Outside, larger};
use super::raw::afford;
use super::{Array, DataError, ReadOptions};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Elements that are collected before they are written, and that are in memory while an array is turned.
const BLOCK: usize = 1 << 22;

/// Rows of an array that come one after another.
pub(crate) struct Rows {
    shape: Vec<usize>,
    /// What is not written yet; all of it if there is no file.
    data: Vec<f32>,
    file: Option<Spill>,
}

/// The file.
struct Spill {
    file: File,
    /// What it was called.
    path: PathBuf,
    /// Bytes of the whole array.
    size: u128,
    written: u128,
}

impl Rows {
    /// For an array of this shape, which `path` holds as `what`.
    ///
    /// # Errors
    /// [`DataError::TooLarge`] if it neither fits into memory nor may be put into a file, and
    /// [`DataError::Spill`] if there is no room for the file.
    pub fn new(path: &Path, what: &str, shape: Vec<usize>, options: &ReadOptions) -> Result<Self, DataError> {
        let elements = shape.iter().fold(1u128, |n, &d| n.saturating_mul(d as u128));
        if larger(elements, options.in_memory) {
            let file = Some(Spill::new(elements.saturating_mul(4))?);
            return Ok(Self { shape, data: Vec::new(), file });
        }
        afford(path, what, elements, options)?;
        let mut data = Vec::new();
        // `afford` has let it pass, but the machine may have less.
        data.try_reserve_exact(elements as usize).map_err(|_| DataError::TooLarge {
            path: path.into(),
            array: what.into(),
            bytes: elements * 4,
            limit: options.max_bytes,
        })?;
        Ok(Self { shape, data, file: None })
    }

    /// The next elements.
    pub fn push(&mut self, values: &[f32]) -> Result<(), DataError> {
        self.data.extend_from_slice(values);
        match &mut self.file {
            Some(file) if self.data.len() >= BLOCK => file.write(&mut self.data),
            _ => Ok(()),
        }
    }

    /// The array.
    ///
    /// # Panics
    /// If there were more elements or fewer than its shape has.
    pub fn array(mut self) -> Result<Array, DataError> {
        let Some(mut file) = self.file else { return Ok(Array::new(self.shape, self.data)) };
        file.write(&mut self.data)?;
        assert_eq!(file.written, file.size, "as many elements as the shape {:?} has", self.shape);
        let header = Header { elem: Elem::F32, big_endian: false, fortran: false, shape: self.shape, len: 0 };
        Ok(Outside::spilled(&file.path, file.file, header))
    }
}

/// Where such files are: `TMPDIR` if it is set; else `/var/tmp`, as `/tmp` may be memory itself.
pub(crate) fn folder() -> PathBuf {
    let large = PathBuf::from("/var/tmp");
    if cfg!(unix) && std::env::var_os("TMPDIR").is_none() && large.is_dir() { large } else { std::env::temp_dir() }
}

impl Spill {
    fn new(size: u128) -> Result<Self, DataError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let folder = folder();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".dashnas-{}-{number}.f32", std::process::id()));
        let refuse = |source| DataError::Spill { folder: folder.clone(), bytes: size, source };
        if let Some(free) = room(&folder).filter(|&free| u128::from(free) < size) {
            let source = io::Error::new(io::ErrorKind::StorageFull, format!("only {free} bytes are free"));
            return Err(refuse(source));
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).map_err(refuse)?;
        std::fs::remove_file(&path).map_err(refuse)?;
        Ok(Self { file, path, size, written: 0 })
    }

    fn write(&mut self, data: &mut Vec<f32>) -> Result<(), DataError> {
        let bytes = super::npz::le_bytes(data);
        self.written += bytes.len() as u128;
        data.clear();
        self.file.write_all(&bytes).map_err(|source| DataError::Spill {
            folder: self.path.parent().unwrap_or(Path::new(".")).into(),
            bytes: self.size,
            source,
        })
    }
}

/// Bytes that are free on the disk of a folder, if the system tells.
#[cfg(unix)]
fn room(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// As above.
#[cfg(not(unix))]
fn room(_: &Path) -> Option<u64> {
    None
}

/// The rows of an array whose elements are stored column-major (the first axis, the sample, running fastest):
/// `stored` has them in this order, as rows of whatever shape.
pub(crate) fn turned(
    stored: &Array,
    shape: Vec<usize>,
    path: &Path,
    what: &str,
    options: &ReadOptions,
) -> Result<Array, DataError> {
    let (n, width) = (shape.first().copied().unwrap_or(0), shape.iter().skip(1).product::<usize>());
    // Where each element of a row goes that is the next in the column-major order of its axes.
    let places = places(&shape[1..]);
    let mut rows = Rows::new(path, what, shape, options)?;
    let block = (BLOCK / width.max(1)).max(1);
    let mut first = 0;
    while first < n {
        let count = block.min(n - first);
        let mut part = vec![0.0; count * width];
        for (column, &place) in places.iter().enumerate() {
            for (i, v) in stored.elements(column * n + first, count)?.into_iter().enumerate() {
                part[i * width + place] = v;
            }
        }
        rows.push(&part)?;
        first += count;
    }
    rows.array()
}

/// The row-major place of each element of axes that are gone through with the first running fastest.
fn places(axes: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; axes.len()];
    for axis in (1..axes.len()).rev() {
        strides[axis - 1] = strides[axis] * axes[axis];
    }
    let count = axes.iter().product::<usize>();
    let place = |i: usize| {
        let (mut left, mut place) = (i, 0);
        for (&n, &stride) in axes.iter().zip(&strides) {
            place += left % n * stride;
            left /= n;
        }
        place
    };
    (0..count).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::npy::row_major;

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
            assert_eq!(array.is_outside(), in_memory == 0);
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
            let turned = turned(&stored, shape.clone(), "x".as_ref(), "x", &options(0)).unwrap();
            let rows: Vec<f32> = (0..shape[0]).flat_map(|i| turned.fetch(i).unwrap().into_owned()).collect();
            assert_eq!(rows, row_major(&shape, &values), "{shape:?}");
        }
    }

    #[test]
    fn what_no_disk_can_hold_is_refused_before_it_is_written() {
        let error = Rows::new("x".as_ref(), "x", vec![1 << 40, 1 << 20], &options(0)).err().expect("there is no room");
        assert!(matches!(error, DataError::Spill { bytes, .. } if bytes == 1 << 62), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("TMPDIR")));
    }
}
