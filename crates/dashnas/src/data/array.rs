//! Dense arrays and targets.

use super::outside::Outside;
use super::{DataError, Fill, InputNormalizer};
use std::borrow::Cow;

/// A dense row-major array of `f32`.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Size of each axis, slowest first.
    pub shape: Vec<usize>,
    /// The elements, as many as the product of `shape`; none if they stay in a file.
    pub data: Vec<f32>,
    /// The file they stay in.
    outside: Option<Outside>,
}

impl Array {
    /// An array of the given shape.
    ///
    /// # Panics
    /// If `data` does not hold as many elements as `shape` says.
    pub fn new(shape: Vec<usize>, data: Vec<f32>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?} does not fit the data");
        Self { shape, data, outside: None }
    }

    /// An array whose rows stay in a file.
    pub(crate) fn outside(shape: Vec<usize>, outside: Outside) -> Self {
        Self { shape, data: Vec::new(), outside: Some(outside) }
    }

    /// Whether the rows stay in a file, to be had by [`Array::fetch`] only.
    pub fn is_outside(&self) -> bool {
        self.outside.is_some()
    }

    /// Whether the rows are in a file that was made for them.
    pub(crate) fn is_spilled(&self) -> bool {
        self.outside.as_ref().is_some_and(Outside::is_spilled)
    }

    /// Row `i`, from memory or its file.
    ///
    /// # Errors
    /// [`DataError::Gone`] if its file has changed since it was opened and no longer gives the row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn fetch(&self, i: usize) -> Result<Cow<'_, [f32]>, DataError> {
        match &self.outside {
            None => Ok(Cow::Borrowed(self.row(i))),
            Some(outside) => {
                assert!(i < self.rows(), "row {i} of {}", self.rows());
                Ok(Cow::Owned(outside.read(i, &self.shape[1..])?))
            }
        }
    }

    /// So many elements from the `first` on, as they are stored in memory or in the file.
    pub(crate) fn elements(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        match &self.outside {
            None => Ok(self.data[first..first + count].to_vec()),
            Some(outside) => outside.elements(first, count),
        }
    }

    /// The same array, all of it in memory.
    ///
    /// # Errors
    /// As [`Array::fetch`].
    pub fn in_memory(mut self) -> Result<Self, DataError> {
        self.load()?;
        Ok(self)
    }

    /// Takes the array into memory.
    ///
    /// # Errors
    /// As [`Array::fetch`].
    pub(crate) fn load(&mut self) -> Result<(), DataError> {
        if self.is_outside() {
            let mut data = Vec::with_capacity(self.rows() * self.row_len());
            for i in 0..self.rows() {
                data.extend_from_slice(&self.fetch(i)?);
            }
            *self = Self::new(self.shape.clone(), data);
        }
        Ok(())
    }

    /// For rows in a file: moves their last axis to the front, and says whether they are in a file.
    pub(crate) fn channels_first_outside(&mut self) -> bool {
        let Some(outside) = &mut self.outside else { return false };
        outside.channels_first(self.shape[1..].to_vec());
        let c = self.shape.pop().unwrap_or(1);
        self.shape.insert(1, c);
        true
    }

    /// For rows in a file: fills their missing values as they are read, and says whether they are in a file.
    pub(crate) fn fill_outside(&mut self, fill: Fill) -> bool {
        self.outside.as_mut().map(|outside| outside.fill(fill)).is_some()
    }

    /// For rows in a file: normalizes them as they are read, and says whether they are in a file.
    pub(crate) fn normalize_outside(&mut self, normalizer: &InputNormalizer) -> bool {
        self.outside.as_mut().map(|outside| outside.normalize(normalizer)).is_some()
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
        if let Some(outside) = &self.outside {
            return Self::outside(shape, outside.select(indices));
        }
        let mut data = Vec::with_capacity(indices.len() * self.row_len());
        for &i in indices {
            data.extend_from_slice(self.row(i));
        }
        Self { shape, data, outside: None }
    }

    /// The multi-dimensional index of the element at `flat`.
    pub(crate) fn unravel(&self, mut flat: usize) -> Vec<usize> {
        let mut index = vec![0; self.shape.len()];
        for (slot, &n) in index.iter_mut().zip(&self.shape).rev() {
            *slot = flat % n.max(1);
            flat /= n.max(1);
        }
        index
    }
}

/// What the network is to predict, one row a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class for each sample, from 0.
    Classes(Vec<u32>),
    /// Numbers: `[N, outputs]` for regression, `[N, labels]` of 0/1 for multi-label tasks,
    /// `[N, C, L]` or `[N, C, H, W]` for dense ones (0/1 where they are masks).
    Values(Array),
}

impl Targets {
    /// Number of samples.
    pub fn rows(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.rows(),
        }
    }

    /// The shape: `[N]` for classes, the array's own otherwise.
    pub fn shape(&self) -> Vec<usize> {
        match self {
            Targets::Classes(labels) => vec![labels.len()],
            Targets::Values(values) => values.shape.clone(),
        }
    }

    /// The targets of the samples at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select(&self, indices: &[usize]) -> Self {
        match self {
            Targets::Classes(labels) => Targets::Classes(indices.iter().map(|&i| labels[i]).collect()),
            Targets::Values(values) => Targets::Values(values.select(indices)),
        }
    }

    /// The class labels, if these are classes.
    pub fn classes(&self) -> Option<&[u32]> {
        match self {
            Targets::Classes(labels) => Some(labels),
            Targets::Values(_) => None,
        }
    }

    /// The values, if these are values.
    pub fn values(&self) -> Option<&Array> {
        match self {
            Targets::Classes(_) => None,
            Targets::Values(values) => Some(values),
        }
    }
}
