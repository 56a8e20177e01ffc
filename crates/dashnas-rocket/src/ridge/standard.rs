//! Means and standard deviations of features.

use crate::series::Features;
use ndarray::Array2;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The number of columns whose moments a thread computes at a time.
const BLOCK: usize = 256;

/// The means and standard deviations of features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standard {
    means: Vec<f64>,
    /// The standard deviations, 1 for constant features.
    deviations: Vec<f64>,
    /// Whether all features are constant.
    #[serde(skip)]
    constant: bool,
}

impl Standard {
    /// Computes the mean and the standard deviation of each column.
    pub fn fit(features: &Features) -> Self {
        let (rows, columns) = (features.rows() as f64, features.columns());
        let starts: Vec<usize> = (0..columns).step_by(BLOCK).collect();
        let blocks: Vec<(Vec<f64>, Vec<f64>)> = starts
            .par_iter()
            .map(|&start| {
                let block = start..(start + BLOCK).min(columns);
                let values = || (0..features.rows()).map(|row| &features.row(row)[block.clone()]);
                let mut means = vec![0.0; block.len()];
                for row in values() {
                    means.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value));
                }
                means.iter_mut().for_each(|mean| *mean /= rows);
                let mut variances = vec![0.0; block.len()];
                let mut varies = vec![false; block.len()];
                let first = &features.row(0)[block.clone()];
                for row in values() {
                    for (at, &value) in row.iter().enumerate() {
                        variances[at] += (f64::from(value) - means[at]).powi(2);
                        varies[at] |= value != first[at];
                    }
                }
                // The mean of equal values may differ from them by a rounding error.
                for (at, varies) in varies.iter().enumerate() {
                    if !varies {
                        (means[at], variances[at]) = (f64::from(first[at]), 0.0);
                    }
                }
                (means, variances)
            })
            .collect();
        let variances: Vec<f64> = blocks.iter().flat_map(|(_, variances)| variances).copied().collect();
        let deviation = |&variance: &f64| if variance > 0.0 { (variance / rows).sqrt() } else { 1.0 };
        Self {
            means: blocks.iter().flat_map(|(means, _)| means).copied().collect(),
            deviations: variances.iter().map(deviation).collect(),
            constant: variances.iter().all(|&variance| variance == 0.0),
        }
    }

    /// Returns the number of features.
    pub fn columns(&self) -> usize {
        self.means.len()
    }

    /// Returns whether all features that this was fitted to are constant.
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// Returns whether there is a finite mean and a positive deviation for each feature.
    pub fn is_finite(&self) -> bool {
        self.means.len() == self.deviations.len()
            && self.means.iter().all(|mean| mean.is_finite())
            && self.deviations.iter().all(|&deviation| deviation.is_finite() && deviation > 0.0)
    }

    /// Returns the means divided by the deviations.
    pub fn scaled_means(&self) -> impl Iterator<Item = f64> {
        self.means.iter().zip(&self.deviations).map(|(mean, deviation)| mean / deviation)
    }

    /// Returns some standardized features of some samples: samples × features.
    pub fn block(&self, features: &Features, samples: Range<usize>, columns: Range<usize>) -> Array2<f64> {
        let (means, deviations) = (&self.means[columns.clone()], &self.deviations[columns.clone()]);
        let mut block = Array2::zeros((samples.len(), columns.len()));
        for (sample, mut out) in samples.zip(block.rows_mut()) {
            let row = &features.row(sample)[columns.clone()];
            for (((out, &value), mean), deviation) in out.iter_mut().zip(row).zip(means).zip(deviations) {
                *out = (f64::from(value) - mean) / deviation;
            }
        }
        block
    }
}
