//! The targets of a split.

use dashnas_formats::array::Array;

/// The values that the network is to predict, one row per sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// A class for each sample, from 0.
    Classes(Vec<u32>),
    /// Values: `[N, outputs]` for regression, `[N, labels]` of 0/1 for multi-label tasks,
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
