//! Arrays of samples: dense in row-major order, or with their rows in a file.

use crate::error::DataError;
use crate::layout;
use crate::row_source::{RowStep, View};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// Elements that one thread copies at a time.
const PARALLEL: usize = 1 << 16;

/// An array of `f32` in row-major order, in memory or with its rows in a file.
///
/// # Examples
/// ```
/// use dashnas_formats::Array;
///
/// let array = Array::new(vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
/// assert_eq!(array.row(1), [4.0, 5.0, 6.0]);
/// assert_eq!(array.select(&[1]).shape, [1, 3]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// The size of each axis, slowest first.
    pub shape: Vec<usize>,
    /// The elements, as many as the product of `shape`; empty if they stay in a file.
    pub data: Vec<f32>,
    /// The rows in a file, if the elements stay there.
    view: Option<View>,
}

impl Array {
    /// An array of the given shape.
    ///
    /// # Panics
    /// If `data` does not hold as many elements as `shape` says.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?} does not fit the data");
        Self { shape, data, view: None }
    }

    /// An array whose rows stay in a file.
    pub fn file_backed(shape: Vec<usize>, view: View) -> Self {
        Self { shape, data: Vec::new(), view: Some(view) }
    }

    /// Returns whether the rows stay in a file, where only [`Array::fetch`] reads them.
    pub fn is_file_backed(&self) -> bool {
        self.view.is_some()
    }

    /// Returns whether the rows are in a temporary file.
    pub fn is_temporary(&self) -> bool {
        self.view.as_ref().is_some_and(View::is_temporary)
    }

    /// Row `i`, from memory or its file.
    ///
    /// # Errors
    /// [`DataError::Gone`] if its file has changed since it was opened and no longer gives the row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn fetch(&self, i: usize) -> Result<Cow<'_, [f32]>, DataError> {
        match &self.view {
            None => Ok(Cow::Borrowed(self.row(i))),
            Some(view) => {
                assert!(i < self.rows(), "row {i} of {}", self.rows());
                Ok(Cow::Owned(view.read(i, &self.shape[1..])?))
            }
        }
    }

    /// Returns `count` elements from the element `first` on, in the order in which they are stored.
    pub(crate) fn elements(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        match &self.view {
            None => Ok(self.data[first..first + count].to_vec()),
            Some(view) => view.elements(first, count),
        }
    }

    /// Returns the same array in memory.
    ///
    /// # Errors
    /// As [`Array::fetch`].
    pub fn in_memory(mut self) -> Result<Self, DataError> {
        self.load()?;
        Ok(self)
    }

    /// Reads the array into memory.
    ///
    /// # Errors
    /// As [`Array::fetch`].
    pub fn load(&mut self) -> Result<(), DataError> {
        if self.is_file_backed() {
            let mut data = Vec::with_capacity(self.rows() * self.row_len());
            for i in 0..self.rows() {
                data.extend_from_slice(&self.fetch(i)?);
            }
            *self = Self::new(self.shape.clone(), data);
        }
        Ok(())
    }

    /// Moves the last axis, the channels, to the second place; the rows of a file are rearranged as they are read.
    pub fn move_channels_first(&mut self) {
        let channels = self.shape.last().copied().unwrap_or(1);
        match &mut self.view {
            Some(view) => view.channels_first(channels),
            None => {
                let mut data = Vec::with_capacity(self.data.len());
                for i in 0..self.rows() {
                    data.extend(layout::channels_first(self.row(i), channels));
                }
                self.data = data;
            }
        }
        self.shape.pop();
        self.shape.insert(1, channels);
    }

    /// For rows in a file: adds a step that each row goes through as it is read. Returns whether the rows are in a
    /// file.
    pub fn apply_on_read(&mut self, step: impl RowStep + 'static) -> bool {
        self.view.as_mut().map(|view| view.then(Arc::new(step))).is_some()
    }

    /// Size of the first axis (samples); 0 for an array without axes.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Elements of one row: the product of all axes but the first.
    pub fn row_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Row `i` of an array in memory, `row_len()` elements.
    ///
    /// # Panics
    /// If there is no such row, or if it stays in a file.
    pub fn row(&self, i: usize) -> &[f32] {
        let n = self.row_len();
        &self.data[i * n..(i + 1) * n]
    }

    /// The rows at `indices`, in that order; an index may come more than once.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select(&self, indices: &[usize]) -> Self {
        let mut shape = self.shape.clone();
        if let Some(n) = shape.first_mut() {
            *n = indices.len();
        }
        if let Some(view) = &self.view {
            return Self::file_backed(shape, view.select(indices));
        }
        let width = self.row_len();
        let mut data = vec![0.0; indices.len() * width];
        if let Some(rows) = PARALLEL.checked_div(width).map(|rows| rows.max(1)) {
            data.par_chunks_mut(rows * width).zip(indices.par_chunks(rows)).for_each(|(out, indices)| {
                out.chunks_mut(width).zip(indices).for_each(|(out, &i)| out.copy_from_slice(self.row(i)));
            });
        }
        Self { shape, data, view: None }
    }

    /// Divides the rows into two arrays: those at the indices `first`, and those at the indices `second`, as
    /// [`Array::select`] gives them. Where the first ones ascend, they stay in the memory of this array, so that no more is
    /// needed than the second ones take.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn divide(mut self, first: &[usize], second: &[usize]) -> (Self, Self) {
        let width = self.row_len();
        let ascend = |rows: &[usize]| rows.is_sorted_by(|a, b| a < b) && rows.last().is_none_or(|&i| i < self.rows());
        if self.is_file_backed() || width == 0 || !ascend(first) {
            return (self.select(first), self.select(second));
        }
        let others = self.select(second);
        let mut to = 0;
        // Rows that follow one another are moved together. None is written to before it has been moved.
        for run in first.chunk_by(|a, b| a + 1 == *b) {
            let from = run[0] * width;
            let len = run.len() * width;
            if from != to {
                self.data.copy_within(from..from + len, to);
            }
            to += len;
        }
        self.data.truncate(to);
        self.data.shrink_to_fit();
        if let Some(n) = self.shape.first_mut() {
            *n = first.len();
        }
        (self, others)
    }

    /// The multi-dimensional index of the element at `flat`.
    pub fn unravel(&self, mut flat: usize) -> Vec<usize> {
        let mut index = vec![0; self.shape.len()];
        for (slot, &n) in index.iter_mut().zip(&self.shape).rev() {
            *slot = flat % n.max(1);
            flat /= n.max(1);
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_divided_as_they_are_selected() {
        let array = || Array::new(vec![6, 1, 2], (0..12).map(|v| v as f32).collect());
        let cases: [(&[usize], &[usize]); 7] = [
            (&[0, 2, 3, 5], &[1, 4]),
            (&[1, 4], &[0, 2, 3, 5]),
            (&[3, 4, 5], &[5, 0, 0]),
            (&[0, 1, 2, 3, 4, 5], &[]),
            (&[], &[2]),
            // These do not ascend.
            (&[4, 1], &[0]),
            (&[2, 2], &[3]),
        ];
        for (first, second) in cases {
            let expected = (array().select(first), array().select(second));
            assert_eq!(array().divide(first, second), expected, "{first:?} {second:?}");
        }
        let empty = Array::new(vec![3, 0], Vec::new());
        assert_eq!(empty.clone().divide(&[1, 2], &[0]), (empty.select(&[1, 2]), empty.select(&[0])));
    }
}
