//! What a network does on the test split, beyond the one number: which classes it confuses, how it does on each
//! label or output, and the samples it gets most wrong, with their inputs.
//!
//! The test split is read once, so all of it is worked out at that moment and kept in `evaluation.json`; a
//! [report](crate::report) draws it from there.

mod details;
mod example;

pub use details::{Details, LabelScore, OutputScore};
pub use example::{Answer, Example, Picture, Place};

use crate::data::Dataset;
use crate::error::Error;
use crate::network::Network;
use crate::problem::{HeldOut, Problem};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

/// The look at the test split; `evaluation.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Names of the classes or labels, if the data has them.
    pub classes: Option<Vec<String>>,
    /// The searched network.
    pub searched: Assessment,
    /// The plain backbone, if it was trained.
    pub baseline: Option<Assessment>,
}

/// How one network did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The task's metric, an error.
    pub metric: f64,
    /// What the metric is made of.
    pub details: Details,
    /// The worst samples, from the very worst on; of fields and masks also a middling and the best one.
    pub examples: Vec<Example>,
}

/// Reads the test split with both networks.
///
/// # Errors
/// [`Error::Metric`] if the metric is not defined on it.
pub fn evaluate(
    problem: &Problem,
    data: &Dataset,
    searched: &Network,
    baseline: Option<&Network>,
    device: &Device,
) -> Result<Evaluation, Error> {
    let samples = problem.test_samples(data);
    let held = HeldOut {
        samples: &samples,
        truth: &data.test.y,
        rows: (0..samples.len()).collect(),
        pieces: data.pieces.test.as_deref(),
    };
    let assess = |network: &Network| -> Result<Assessment, Error> {
        let predictions = problem.predict(network, held.samples, &held.rows, device)?;
        let examples = example::choose(problem.task, &data.test, &predictions)?;
        let (predictions, truth) = held.wholes(predictions);
        let metric = problem.metric_of_predictions(&predictions, &truth)?;
        Ok(Assessment { metric, details: Details::new(problem.task, &truth, &predictions), examples })
    };
    Ok(Evaluation {
        searched: assess(searched)?,
        baseline: baseline.map(assess).transpose()?,
        classes: data.classes.clone(),
    })
}

#[cfg(test)]
mod tests;
