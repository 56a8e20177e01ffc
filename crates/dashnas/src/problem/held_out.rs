//! Held-out samples that a network is scored on.

use crate::problem::samples::Samples;
use dashnas_data::segments::average;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::collections::HashSet;

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
    /// The number by which a mean over the rows is multiplied so that it is the mean by their weights.
    pub(crate) fn weight_scale(&self) -> f64 {
        let total = |weights: &[f32]| self.rows.iter().map(|&i| f64::from(weights[i])).sum::<f64>();
        self.samples.weights().map_or(1.0, |weights| self.rows.len() as f64 / total(weights))
    }

    /// The same with at most some of the rows. They are evenly spread: samples of a kind may lie together.
    pub(crate) fn at_most(mut self, most: usize) -> Self {
        let n = self.rows.len();
        if n > most {
            self.rows = (0..most).map(|i| self.rows[i * n / most]).collect();
        }
        self
    }

    /// The targets and weights (if there are any) to score, as [`HeldOut::merge_segments`] gives them.
    pub fn truth_to_score(&self) -> (Targets, Option<Vec<f32>>) {
        let (_, truth, weights) = self.merge_segments(Array::new(vec![self.rows.len(), 0], Vec::new()));
        (truth, weights)
    }

    /// The row of each original sample that is scored: that of its first segment.
    fn first_rows(&self) -> Vec<usize> {
        let mut seen = HashSet::new();
        let first = |row: &usize| self.segments.is_none_or(|segments| seen.insert(segments[*row]));
        self.rows.iter().copied().filter(first).collect()
    }

    /// What is known of each original sample that is scored, from what is known of every row.
    pub(crate) fn first_of<T: Copy>(&self, of_rows: &[T]) -> Vec<T> {
        self.first_rows().into_iter().map(|row| of_rows[row]).collect()
    }

    /// The predictions, targets and weights (if there are any) to score. Predictions of segments are averaged over each
    /// original sample, which has the weight of its first segment.
    pub fn merge_segments(&self, predictions: Array) -> (Array, Targets, Option<Vec<f32>>) {
        let truth = self.truth.select(&self.rows);
        match self.segments {
            None => (predictions, truth, self.samples.given_weights(&self.rows)),
            Some(segments) => {
                let first = self.first_rows();
                let segments: Vec<u32> = self.rows.iter().map(|&row| segments[row]).collect();
                let (predictions, truth) = average(&segments, &predictions, &truth);
                (predictions, truth, self.samples.given_weights(&first))
            }
        }
    }
}
