//! Rows of an array that stay in a file and are read on demand, for inputs that are larger than the options allow in
//! memory.
//!
//! A [`View`] is a selection of the rows of a [`RowSource`], in any order, together with the steps that each row goes
//! through after it is read: moving the channels to the front, filling missing values, normalization. Nothing of this
//! happens before a row is read, and then with the same arithmetic as in memory, so results are bit-identical.

use crate::error::DataError;
use crate::layout::channels_first;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The elements of an array that is not in memory, in row-major order.
pub trait RowSource: fmt::Debug + Send + Sync {
    /// The path of the file, for messages.
    fn path(&self) -> &Path;

    /// Whether the file is a temporary one that this program wrote.
    fn is_temporary(&self) -> bool;

    /// The number of elements of one row.
    fn row_len(&self) -> usize;

    /// Reads `count` elements from the element `first` on, in the order of the file.
    ///
    /// # Errors
    /// Any error of reading the file, which may have changed.
    fn read(&self, first: usize, count: usize) -> std::io::Result<Vec<f32>>;
}

/// A step that changes a row after it is read.
pub trait RowStep: fmt::Debug + Send + Sync {
    /// Changes the elements of a row of shape `[C, …]`.
    fn apply(&self, row: &mut Vec<f32>, shape: &[usize]);
}

/// Moves the last of a row's axes to the front.
#[derive(Debug)]
struct ChannelsFirst {
    /// Channels, the length of the last axis.
    channels: usize,
}

impl RowStep for ChannelsFirst {
    fn apply(&self, row: &mut Vec<f32>, _: &[usize]) {
        *row = channels_first(row, self.channels);
    }
}

/// A selection of the rows of a source, and the steps that each row goes through after it is read.
#[derive(Debug, Clone)]
pub struct View {
    source: Arc<dyn RowSource>,
    /// The rows of the source that this view shows; `None` means all of them.
    rows: Option<Arc<Vec<usize>>>,
    /// The steps, in the order in which they are applied.
    steps: Vec<Arc<dyn RowStep>>,
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        let same_step = |(a, b): (&Arc<dyn RowStep>, &Arc<dyn RowStep>)| Arc::ptr_eq(a, b);
        Arc::ptr_eq(&self.source, &other.source)
            && self.rows == other.rows
            && self.steps.len() == other.steps.len()
            && self.steps.iter().zip(&other.steps).all(same_step)
    }
}

impl View {
    /// Selects all rows of a source, without steps.
    pub fn new(source: Arc<dyn RowSource>) -> Self {
        Self { source, rows: None, steps: Vec::new() }
    }

    /// Returns whether the rows are in a temporary file.
    pub fn is_temporary(&self) -> bool {
        self.source.is_temporary()
    }

    /// Selects the rows at these indices of this view.
    pub fn select(&self, indices: &[usize]) -> Self {
        let rows = indices.iter().map(|&i| self.rows.as_ref().map_or(i, |rows| rows[i])).collect();
        Self { rows: Some(Arc::new(rows)), ..self.clone() }
    }

    /// Adds a step that each row goes through after it is read.
    pub fn then(&mut self, step: Arc<dyn RowStep>) {
        self.steps.push(step);
    }

    /// Moves the last axis of each row, of length `channels`, to the front.
    pub fn channels_first(&mut self, channels: usize) {
        self.then(Arc::new(ChannelsFirst { channels }));
    }

    /// Reads elements of the source in its order, without the steps.
    ///
    /// # Errors
    /// As [`View::read`].
    pub fn elements(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        self.source.read(first, count).map_err(|source| self.gone(first, source))
    }

    /// Reads row `i`, which has the axes `shape` after all steps.
    ///
    /// # Errors
    /// [`DataError::Gone`] if the file, which was long enough when it was opened, no longer has the row.
    pub fn read(&self, i: usize, shape: &[usize]) -> Result<Vec<f32>, DataError> {
        let row = self.rows.as_ref().map_or(i, |rows| rows[i]);
        let width = self.source.row_len();
        let mut values = self.source.read(row * width, width).map_err(|source| self.gone(row, source))?;
        for step in &self.steps {
            step.apply(&mut values, shape);
        }
        Ok(values)
    }

    /// The error for a row that can no longer be read.
    fn gone(&self, row: usize, source: std::io::Error) -> DataError {
        DataError::Gone { path: self.source.path().into(), row, source }
    }
}
