//! Rows of an array that stay in their file and are read when they are wanted: for inputs that are larger than
//! memory should hold.
//!
//! A view can be a choice of the rows, in any order, with the channels moved to the front, missing values filled and
//! all normalized; nothing of this is done before a row is read, and then with the arithmetic that is used in memory,
//! to the same bits.

use super::npy::{Header, decode_row};
use super::{Array, DataError, Fill, InputNormalizer, memory};
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
    /// Whether the file is one of ours, made of another.
    spilled: bool,
}

/// Some rows of an array in a file.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    source: Arc<Source>,
    /// Which rows of the file these are; all of them if none.
    rows: Option<Arc<Vec<usize>>>,
    /// Axes of a row in the file whose last one is the channel.
    channels_last: Option<Vec<usize>>,
    /// How missing values are filled.
    fill: Option<Fill>,
    normalizer: Option<Arc<InputNormalizer>>,
}

impl PartialEq for Outside {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
            && self.rows == other.rows
            && self.channels_last == other.channels_last
            && self.fill == other.fill
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
        Ok(Some(Self::array(Source { path: path.into(), file: Mutex::new(file), start, header, spilled: false })))
    }

    /// All of a file of ours that holds nothing else.
    pub fn spilled(path: &Path, file: File, header: Header) -> Array {
        Self::array(Source { path: path.into(), file: Mutex::new(file), start: 0, header, spilled: true })
    }

    fn array(source: Source) -> Array {
        let shape = source.header.shape.clone();
        let source = Arc::new(source);
        Array::outside(shape, Self { source, rows: None, channels_last: None, fill: None, normalizer: None })
    }

    /// Whether the file is one of ours.
    pub fn is_spilled(&self) -> bool {
        self.source.spilled
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

    /// The same rows with their missing values filled.
    pub fn fill(&mut self, fill: Fill) {
        self.fill = Some(fill);
    }

    /// The same rows, normalized.
    pub fn normalize(&mut self, normalizer: &InputNormalizer) {
        self.normalizer = Some(Arc::new(normalizer.clone()));
    }

    /// Elements of the file, in its own order.
    ///
    /// # Errors
    /// As [`Outside::read`].
    pub fn elements(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        let gone = |source| DataError::Gone { path: self.source.path.clone(), row: first, source };
        self.source.read(first, count).map_err(gone)
    }

    /// Reads a row, which has the axes `shape`.
    ///
    /// # Errors
    /// [`DataError::Gone`] if the file, which was long enough when it was opened, no longer gives the row.
    pub fn read(&self, i: usize, shape: &[usize]) -> Result<Vec<f32>, DataError> {
        let row = self.rows.as_ref().map_or(i, |rows| rows[i]);
        let width = self.source.header.shape.iter().skip(1).product::<usize>();
        let gone = |source| DataError::Gone { path: self.source.path.clone(), row, source };
        let values = self.source.read(row * width, width).map_err(gone)?;
        let values = match &self.channels_last {
            None => values,
            Some(axes) => super::assemble::plane_by_plane(&values, axes.last().copied().unwrap_or(1)),
        };
        if self.fill.is_none() && self.normalizer.is_none() {
            return Ok(values);
        }
        let mut row = Array::new([&[1], shape].concat(), values);
        if let Some(fill) = self.fill {
            super::fill::fill(&mut row, fill);
        }
        if let Some(normalizer) = &self.normalizer {
            normalizer.apply(&mut row);
        }
        Ok(row.data)
    }
}

impl Source {
    fn read(&self, first: usize, count: usize) -> std::io::Result<Vec<f32>> {
        let size = self.header.elem.size();
        let mut bytes = vec![0; count * size];
        {
            // Nothing is left half done by a reader that panicked: every one seeks first.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.start + first as u64 * size as u64))?;
            file.read_exact(&mut bytes)?;
        }
        Ok(decode_row(&self.header, &mut bytes))
    }
}

/// Bytes of inputs (as float32) from which on they stay in their file, where nothing else is said: a quarter of the
/// memory that is free now.
pub(crate) fn threshold() -> u64 {
    memory::free().map_or(4 << 30, |bytes| bytes / 4)
}

/// Whether so many elements are more (as float32) than what may be in memory.
pub(crate) fn larger(elements: u128, in_memory: Option<u64>) -> bool {
    elements.saturating_mul(4) > u128::from(in_memory.unwrap_or_else(threshold))
}
