//! Rows of an array that stay in their file and are read when they are wanted: for inputs that are larger than
//! memory should hold.
//!
//! A view can be a choice of the rows, in any order, with the channels moved to the front and normalized; nothing
//! of this is done before a row is read, and then with the arithmetic that is used in memory, to the same bits.

use super::npy::{Header, decode_row};
use super::{Array, DataError, InputNormalizer};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Elements of an array in a file, row after row.
#[derive(Debug)]
struct Source {
    path: PathBuf,
    file: Mutex<File>,
    /// Where the first element is.
    start: u64,
    header: Header,
}

/// Some rows of an array in a file.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    source: Arc<Source>,
    /// Which rows of the file these are; all of them if none.
    rows: Option<Arc<Vec<usize>>>,
    /// Axes of a row in the file whose last one is the channel.
    channels_last: Option<Vec<usize>>,
    normalizer: Option<Arc<InputNormalizer>>,
}

impl PartialEq for Outside {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
            && self.rows == other.rows
            && self.channels_last == other.channels_last
            && self.normalizer == other.normalizer
    }
}

impl Outside {
    /// The array of a `.npy` header whose elements begin at `start` of a file. None if its rows do not lie one
    /// after another, or are no numbers.
    ///
    /// # Errors
    /// If the file cannot be opened or is too short.
    pub fn open(path: &Path, start: u64, header: Header) -> Result<Option<Array>, DataError> {
        let shape = header.shape.clone();
        let Some(count) = header.count().filter(|_| header.is_row_major() && shape.len() >= 2) else {
            return Ok(None);
        };
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        if u128::from(size) < u128::from(start) + count as u128 * header.elem.size() as u128 {
            return Err(DataError::file(path, format!("it ends before the last element of an array of {shape:?}")));
        }
        let source = Source { path: path.into(), file: Mutex::new(file), start, header };
        let outside = Self { source: Arc::new(source), rows: None, channels_last: None, normalizer: None };
        Ok(Some(Array::outside(shape, outside)))
    }

    /// The rows at these places of this view.
    pub fn select(&self, indices: &[usize]) -> Self {
        let rows = indices.iter().map(|&i| self.rows.as_ref().map_or(i, |rows| rows[i])).collect();
        Self { rows: Some(Arc::new(rows)), ..self.clone() }
    }

    /// The same rows with the last of their axes moved to the front.
    pub fn channels_first(&mut self, axes: Vec<usize>) {
        self.channels_last = Some(axes);
    }

    /// The same rows, normalized.
    pub fn normalize(&mut self, normalizer: &InputNormalizer) {
        self.normalizer = Some(Arc::new(normalizer.clone()));
    }

    /// Reads a row, which has the axes `shape`.
    ///
    /// # Panics
    /// If the file, which was long enough when it was opened, no longer gives the row.
    pub fn read(&self, i: usize, shape: &[usize]) -> Vec<f32> {
        let row = self.rows.as_ref().map_or(i, |rows| rows[i]);
        let values = self.source.read(row).unwrap_or_else(|e| {
            panic!("{}: row {row} can no longer be read: {e}", self.source.path.display());
        });
        let values = match &self.channels_last {
            None => values,
            Some(axes) => super::assemble::plane_by_plane(&values, axes.last().copied().unwrap_or(1)),
        };
        match &self.normalizer {
            None => values,
            Some(normalizer) => {
                let mut row = Array::new([&[1], shape].concat(), values);
                normalizer.apply(&mut row);
                row.data
            }
        }
    }
}

impl Source {
    fn read(&self, row: usize) -> std::io::Result<Vec<f32>> {
        let width = self.header.shape.iter().skip(1).product::<usize>();
        let size = width * self.header.elem.size();
        let mut bytes = vec![0; size];
        {
            // Nothing is left half done by a reader that panicked: every one seeks first.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.start + row as u64 * size as u64))?;
            file.read_exact(&mut bytes)?;
        }
        Ok(decode_row(&self.header, &mut bytes))
    }
}

/// Bytes of inputs (as float32) from which on they stay in their file, where nothing else is said: a quarter of the
/// memory that is free now.
pub(crate) fn threshold() -> u64 {
    let free = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
    });
    free.map_or(4 << 30, |kib| kib * 1024 / 4)
}

/// Whether an array is larger (as float32) than what may be in memory.
pub(crate) fn larger(header: &Header, in_memory: Option<u64>) -> bool {
    let bytes = header.count().map_or(u128::MAX, |n| 4 * n as u128);
    bytes > u128::from(in_memory.unwrap_or_else(threshold))
}
