//! HDF5 files, and MATLAB files of level 7.3, which are the same with reversed axes.

use crate::array::Array;
use crate::container::Container;
use crate::content::{content_of, wrong_content};
use crate::error::{DataError, Location};
use crate::info::ArrayInfo;
use crate::layout::row_major;
use crate::limits::check_memory;
use crate::limits::stays_in_file;
use crate::options::ReadOptions;
use crate::spill::{Rows, to_row_major};
use hdf5_pure::{DType, Dataset, File, Group};
use std::io::Read;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The arrays of an HDF5 file.
pub struct Hdf5 {
    path: PathBuf,
    file: File,
    list: Vec<ArrayInfo>,
    matlab: bool,
    size: u64,
    options: ReadOptions,
}

/// Deepest group that is searched, and most arrays that are listed.
const MAX_DEPTH: usize = 8;
const MAX_ARRAYS: usize = 10_000;
/// Numbers that are read at once of an array that does not fit into memory.
const BLOCK: usize = 1 << 22;

impl Hdf5 {
    /// Opens a file and lists its arrays.
    ///
    /// # Errors
    /// [`DataError`] if it is not an HDF5 file.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let mut start = Vec::new();
        let file = std::fs::File::open(path).map_err(|e| DataError::io(path, e))?;
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        if size == 0 {
            return Err(DataError::empty_file(path));
        }
        file.take(520).read_to_end(&mut start).map_err(|e| DataError::io(path, e))?;
        let matlab = start.starts_with(b"MATLAB 7.3");
        if let (false, Some(found)) = (start.starts_with(b"\x89HDF") || matlab, content_of(&start)) {
            return Err(wrong_content(path, "an HDF5 file", found));
        }
        let file = guard(path, || File::open_streaming(path).map_err(|e| e.to_string()))?;
        let mut found = Self { path: path.into(), file, list: Vec::new(), matlab, size, options: options.clone() };
        let root = found.file.root();
        let mut list = Vec::new();
        guard(path, || visit(&root, "", 0, matlab, &mut list))?;
        found.list = list;
        Ok(found)
    }

    fn dataset(&self, name: &str) -> Result<(Dataset, ArrayInfo), DataError> {
        let Some(info) = self.list.iter().find(|i| i.name == name).cloned() else {
            return Err(DataError::at(&self.path, Location::Entry(name.into()), "there is no such array"));
        };
        let data = guard(&self.path, || self.file.dataset(name).map_err(|e| e.to_string()))?;
        Ok((data, info))
    }
}

impl Hdf5 {
    /// Returns the number of elements of an array, if the file can hold them.
    fn count(&self, info: &ArrayInfo) -> Result<u128, DataError> {
        let count = info.shape.iter().map(|&n| n as u128).try_fold(1u128, u128::checked_mul).unwrap_or(u128::MAX / 8);
        // Deflate expands one byte to at most 1032, so a larger shape is invalid.
        if count > u128::from(self.size) * 1032 * 8 {
            let reason = format!("its shape {:?} is too large for a file of {} bytes", info.shape, self.size);
            return Err(DataError::at(&self.path, Location::Entry(info.name.clone()), reason));
        }
        Ok(count)
    }

    /// Reads the `count` numbers of a range of rows, along the first axis in the file.
    fn values(
        &self,
        data: &Dataset,
        dtype: &DType,
        info: &ArrayInfo,
        rows: Range<u64>,
        count: u128,
    ) -> Result<Vec<f32>, DataError> {
        let (at, n) = (rows.start, rows.end - rows.start);
        macro_rules! numbers {
            ($read:ident) => {
                data.$read(at, n).map(|v| v.iter().map(|&v| v as f32).collect()).map_err(|e| e.to_string())
            };
        }
        let values: Vec<f32> = guard(&self.path, || match dtype {
            // h5py writes bool as an enumeration of one byte.
            DType::Enum(_) => {
                let raw = data.read_raw_rows(at, n).map_err(|e| e.to_string())?;
                match raw.len() as u128 == count {
                    true => Ok(raw.iter().map(|&b| f32::from(b)).collect()),
                    false => Err(format!("{dtype} is not supported")),
                }
            }
            DType::F64 => numbers!(read_f64_rows),
            DType::I64 => numbers!(read_i64_rows),
            DType::U64 => numbers!(read_u64_rows),
            DType::I32 => numbers!(read_i32_rows),
            DType::U32 => numbers!(read_u32_rows),
            DType::F32 | DType::I8 | DType::U8 | DType::I16 | DType::U16 => {
                data.read_f32_rows(at, n).map_err(|e| e.to_string())
            }
            other => Err(format!("values of type {other} are not supported")),
        })?;
        if values.len() as u128 != count {
            let reason = format!("it has {} values, not the {count} of its shape {:?}", values.len(), info.shape);
            return Err(DataError::at(&self.path, Location::Entry(info.name.clone()), reason));
        }
        Ok(values)
    }
}

/// Calls the library on a file that may be damaged, and turns its errors and panics into errors of the file.
fn guard<T>(path: &Path, read: impl FnOnce() -> Result<T, String>) -> Result<T, DataError> {
    let result = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("it is damaged".into()));
    result.map_err(|reason| {
        DataError::file(path, format!("it cannot be read as HDF5: {reason}")).with_hint(
            "it may be cut short, use a filter other than gzip, shuffle or LZF, or be written with libver='latest'",
        )
    })
}

/// Lists the arrays of a group and of the groups in it.
fn visit(group: &Group, prefix: &str, depth: usize, matlab: bool, list: &mut Vec<ArrayInfo>) -> Result<(), String> {
    for name in group.datasets().map_err(|e| e.to_string())? {
        let data = group.dataset(&name).map_err(|e| e.to_string())?;
        let (shape, dtype) = (data.shape().map_err(|e| e.to_string())?, data.dtype().map_err(|e| e.to_string())?);
        let mut shape: Vec<usize> = shape.iter().map(|&n| n as usize).collect();
        if matlab {
            shape.reverse();
        }
        let text = matches!(dtype, DType::String | DType::VariableLengthString);
        list.push(ArrayInfo { name: format!("{prefix}{name}"), shape, dtype: dtype.to_string(), text });
        if list.len() > MAX_ARRAYS {
            return Err("it holds too many arrays".into());
        }
    }
    if depth < MAX_DEPTH {
        for name in group.groups().map_err(|e| e.to_string())? {
            // MATLAB stores the contents of cells in groups of its own.
            if matlab && name.starts_with('#') {
                continue;
            }
            let inner = group.group(&name).map_err(|e| e.to_string())?;
            visit(&inner, &format!("{prefix}{name}/"), depth + 1, matlab, list)?;
        }
    }
    Ok(())
}

impl Container for Hdf5 {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> &str {
        if self.matlab { "MATLAB file, level 7.3 (HDF5)" } else { "HDF5 file" }
    }

    fn list(&self) -> &[ArrayInfo] {
        &self.list
    }

    fn numbers(&mut self, name: &str) -> Result<(Array, bool), DataError> {
        let (data, info) = self.dataset(name)?;
        let count = self.count(&info)?;
        check_memory(&self.path, name, count, &self.options)?;
        let dtype = guard(&self.path, || data.dtype().map_err(|e| e.to_string()))?;
        let mut integral = !matches!(dtype, DType::F32 | DType::F64);
        let mut values = self.values(&data, &dtype, &info, 0..u64::MAX, count)?;
        if self.matlab {
            values = row_major(&info.shape, &values);
            integral |= values.iter().all(|v| v.fract() == 0.0);
        }
        Ok((Array::new(info.shape, values), integral))
    }

    fn file_backed(&mut self, name: &str) -> Result<Option<Array>, DataError> {
        let (data, info) = self.dataset(name)?;
        let count = self.count(&info)?;
        if info.text || info.shape.len() < 2 || !stays_in_file(count, self.options.in_memory) {
            return Ok(None);
        }
        let dtype = guard(&self.path, || data.dtype().map_err(|e| e.to_string()))?;
        let chunks = guard(&self.path, || data.chunk_shape().map_err(|e| e.to_string()))?;
        // MATLAB's axes are reversed in the file, and the samples last there.
        let stored: Vec<usize> =
            if self.matlab { info.shape.iter().rev().copied().collect() } else { info.shape.clone() };
        let (rows, width) = (stored[0], stored[1..].iter().product::<usize>());
        let chunk = chunks.and_then(|c| usize::try_from(*c.first()?).ok()).unwrap_or(1).max(1);
        // Whole chunks, so that none is decompressed twice.
        let block = (BLOCK / width.max(1) / chunk).max(1).saturating_mul(chunk);
        let mut out = Rows::new(&self.path, name, stored, &self.options)?;
        let mut first = 0;
        while first < rows {
            let n = block.min(rows - first);
            let range = first as u64..(first + n) as u64;
            out.push(&self.values(&data, &dtype, &info, range, n as u128 * width as u128)?)?;
            first += n;
        }
        let out = out.array()?;
        match self.matlab {
            true => to_row_major(&out, info.shape, &self.path, name, &self.options).map(Some),
            false => Ok(Some(out)),
        }
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        let (data, _) = self.dataset(name)?;
        guard(&self.path, || data.read_string().map_err(|e| e.to_string()))
    }
}
