//! What is known of architectures from other data sets: a portfolio to begin a race with, and how much trials tell.
//! `benches/portfolio.py` makes `portfolio.json` from runs on many data sets.

use crate::race::features::SEGMENTS;
use crate::race::surrogate::Spread;
use serde::Deserialize;

/// An architecture of the portfolio.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct PortfolioEntry {
    /// One kernel `[k, d]` for each segment of layers.
    pub kernels: [[usize; 2]; SEGMENTS],
    /// Its mean quality over data sets, in units of the spread of random architectures, whose mean is 0; lower is
    /// better.
    pub quality: f64,
}

/// The knowledge of one kind of task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Knowledge {
    /// The architectures, the best first.
    pub portfolio: Vec<PortfolioEntry>,
    /// The mean quality of the plain network.
    pub plain: f64,
    /// How much qualities vary between data sets.
    pub spread: Spread,
    /// The variance of a trial of a tenth of the steps of retraining about the final quality, with many held-out samples.
    pub noise: f64,
    /// What few held-out samples add to it: this, divided by their number. Where a data set is small, networks overfit
    /// its training samples, and the loss on a few others ranks them by how confident they are.
    #[serde(default)]
    pub noise_of_few: f64,
}

impl Knowledge {
    /// The variance of a trial of a tenth of the steps of retraining with a number of held-out samples.
    pub fn noise_with(&self, held_out: usize) -> f64 {
        self.noise + self.noise_of_few / held_out.max(1) as f64
    }
}

/// The file of the repository: the knowledge by kind of task.
#[derive(Debug, Deserialize)]
struct Portfolio {
    /// Series with one answer for each.
    series: Knowledge,
    /// Images with one answer for each.
    images: Knowledge,
    /// Tasks with an answer at every position.
    dense: Knowledge,
}

/// The file is a part of the program.
const FILE: &str = include_str!("portfolio.json");

/// Returns what is known of networks on data of `dims` axes, with an answer for each sample or (`dense`) at every
/// position.
pub(crate) fn knowledge(dims: usize, dense: bool) -> Knowledge {
    let known = serde_json::from_str(FILE).map(|file: Portfolio| match (dense, dims) {
        (true, _) => file.dense,
        (false, 1) => file.series,
        (false, _) => file.images,
    });
    // A test reads the file: nothing is known only if it was damaged before the program was built.
    known.unwrap_or(Knowledge {
        portfolio: Vec::new(),
        plain: 0.0,
        spread: Spread { deviation: 0.2, residual: 0.6 },
        noise: 3.0,
        noise_of_few: 0.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        let file: Portfolio = serde_json::from_str(FILE).expect("the file is JSON of this form");
        for Knowledge { portfolio, plain, spread, noise, noise_of_few } in [file.series, file.images, file.dense] {
            assert!(
                plain.is_finite()
                    && noise > 0.0
                    && noise_of_few >= 0.0
                    && spread.deviation > 0.0
                    && spread.residual > 0.0
            );
            assert!(portfolio.len() >= 4);
            assert!(portfolio.iter().flat_map(|entry| entry.kernels).all(|[k, d]| k % 2 == 1 && d >= 1));
            assert!(portfolio.is_sorted_by_key(|entry| entry.quality), "the best is first");
        }
    }
}
