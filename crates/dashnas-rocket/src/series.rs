//! The inputs, series in row-major order, and the outputs of a transform, a matrix of features.

use crate::error::Error;
use std::ops::Range;

/// Values must be smaller than this, so that no convolution or sum of its values overflows.
const LIMIT: f32 = 1e30;

/// Series of equal lengths: a view of values in the order samples, channels, steps, all of which are finite and below
/// `1e30` in magnitude.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    values: &'a [f32],
    samples: usize,
    channels: usize,
    length: usize,
}

impl<'a> Series<'a> {
    /// Returns a view of values in the order samples, channels, steps.
    ///
    /// # Errors
    ///
    /// An axis is zero, the values do not fill the shape, or a value is not finite or too large.
    pub fn new(values: &'a [f32], [samples, channels, length]: [usize; 3]) -> Result<Self, Error> {
        let shape = || vec![samples, channels, length];
        if samples == 0 || channels == 0 || length == 0 {
            return Err(Error::Empty { shape: shape() });
        }
        let size = samples.checked_mul(channels).and_then(|rows| rows.checked_mul(length));
        if size != Some(values.len()) {
            return Err(Error::Shape { values: values.len(), shape: shape() });
        }
        if let Some(at) = values.iter().position(|value| value.is_nan() || value.abs() >= LIMIT) {
            return Err(Error::Value {
                sample: at / (channels * length),
                channel: at / length % channels,
                step: at % length,
                value: values[at],
            });
        }
        Ok(Self { values, samples, channels, length })
    }

    /// Returns the number of samples.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Returns the number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Returns the number of steps.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Returns the values of a sample: channels × steps.
    ///
    /// # Panics
    ///
    /// The sample is not below [`samples`](Self::samples).
    pub fn sample(&self, sample: usize) -> &'a [f32] {
        let size = self.channels * self.length;
        &self.values[sample * size..(sample + 1) * size]
    }

    /// Returns some of the samples.
    ///
    /// # Panics
    ///
    /// The range is empty or exceeds the samples.
    pub fn range(&self, samples: Range<usize>) -> Self {
        assert!(!samples.is_empty());
        let size = self.channels * self.length;
        Self { values: &self.values[samples.start * size..samples.end * size], samples: samples.len(), ..*self }
    }
}

/// A matrix of features: one row for each sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
}

impl Features {
    /// Returns a matrix with the given row-major values.
    ///
    /// # Errors
    ///
    /// An axis is zero, the values do not fill the shape, or a value is not finite.
    pub fn new(values: Vec<f32>, [rows, columns]: [usize; 2]) -> Result<Self, Error> {
        if rows == 0 || columns == 0 {
            return Err(Error::Empty { shape: vec![rows, columns] });
        }
        if rows.checked_mul(columns) != Some(values.len()) {
            return Err(Error::Shape { values: values.len(), shape: vec![rows, columns] });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(Error::FeatureNotFinite { sample: at / columns, column: at % columns }),
            None => Ok(Self { values, rows, columns }),
        }
    }

    /// Returns the number of rows, which is the number of samples.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Returns the number of columns, which is the number of features.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Returns all values in row-major order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the features of a sample.
    ///
    /// # Panics
    ///
    /// The row is not below [`rows`](Self::rows).
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}
