//! Held-out samples that a network is scored on.

use crate::problem::samples::Samples;
use dashnas_data::segments::average;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;

/// Held-out samples with their original targets.
pub struct HeldOut<'a> {
    /// The normalized samples.
    pub samples: &'a Samples,
    /// The targets in the units of the data.
    pub truth: &'a Targets,
    /// The rows to score.
    pub rows: Vec<usize>,
    /// The number of the original sample that each sample is a segment of, where long samples were divided.
    pub segments: Option<&'a [u32]>,
}

impl HeldOut<'_> {
    /// The same with at most some of the rows. They are evenly spread: samples of a kind may lie together.
    pub(crate) fn at_most(mut self, most: usize) -> Self {
        let n = self.rows.len();
        if n > most {
            self.rows = (0..most).map(|i| self.rows[i * n / most]).collect();
        }
        self
    }

    /// The predictions and targets to score. Predictions of segments are averaged over each original sample.
    pub fn merge_segments(&self, predictions: Array) -> (Array, Targets) {
        let truth = self.truth.select(&self.rows);
        match self.segments {
            None => (predictions, truth),
            Some(segments) => {
                let segments: Vec<u32> = self.rows.iter().map(|&row| segments[row]).collect();
                average(&segments, &predictions, &truth)
            }
        }
    }
}
