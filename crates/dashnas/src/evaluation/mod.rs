//! The results of a network on the test split beyond its metric: confused classes, the scores of each label or output,
//! and the samples with the largest errors, with their inputs.
//!
//! The test split is read once. All results are computed then and kept in `evaluation.json`, from which a report draws
//! them. A trained model is scored on other labeled data by [`new_data`].

pub mod curve;
pub mod details;
pub mod example;
mod judge;
pub mod new_data;
pub mod statistics;

pub use crate::evaluation::curve::Curve;
pub use crate::evaluation::details::{Details, LabelScore, OutputScore};
pub use crate::evaluation::example::{Answer, ErrorRank, Example, Picture};

use crate::error::Error;
use crate::evaluation::judge::{OnTest, SampleGroups};
use crate::problem::{HeldOut, Problem};
use crate::record::guess::guess;
use crate::record::paired::Judgement;
use burn::tensor::Device;
use dashnas_data::dataset::Dataset;
use dashnas_formats::array::Array;
use dashnas_nn::network::Network;
use serde::{Deserialize, Serialize};

/// The results on the test split, as `evaluation.json` keeps them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The names of the classes or labels, if the data has them.
    pub classes: Option<Vec<String>>,
    /// The results of the searched network.
    pub searched: Assessment,
    /// The results of the plain backbone, if it was trained.
    pub baseline: Option<Assessment>,
    /// Whether the test set shows a difference between the networks, and to guessing.
    #[serde(default)]
    pub judgement: Option<Judgement>,
}

/// The results of one network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The metric of the task, an error: lower is better.
    pub metric: f64,
    /// The scores of each class, label or output.
    pub details: Details,
    /// The curves of each class or label, if there are few; `None` for one that all samples have or none has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Option<Curve>>,
    /// The samples with the largest errors, largest first; for fields and masks also the median and the best sample.
    pub examples: Vec<Example>,
}

/// Evaluates both networks on the test split.
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
    let samples = problem.setup.test_samples(data);
    let held = HeldOut {
        samples: &samples,
        truth: &data.test.y,
        rows: (0..samples.len()).collect(),
        segments: data.segments.test.as_deref(),
    };
    let setup = &problem.setup;
    let (truth, weights) = held.truth_to_score();
    let weights = weights.as_deref();
    let assess = |network: &Network| -> Result<(Assessment, Array), Error> {
        let predictions = problem.predict(network, held.samples, &held.rows, device)?;
        let places = data.facts.test.places.as_ref();
        let examples = example::choose(setup.task, &data.test, &predictions, places)?;
        let (predictions, ..) = held.merge_segments(predictions);
        let metric = setup.metric_of_predictions(&predictions, &truth, weights)?;
        let details = Details::new(setup.task, &truth, &predictions, weights);
        let curves = details::curves(setup.task, &truth, &predictions, weights);
        Ok((Assessment { metric, details, curves, examples }, predictions))
    };
    let (searched, predictions) = assess(searched)?;
    let (baseline, plain) = baseline.map(assess).transpose()?.unzip();
    let (task, metric, seed) = (setup.task, setup.metric, setup.config.seed);
    let numbers = data.groups.as_ref().and_then(|groups| Some((groups.are, held.first_of(groups.test.as_deref()?))));
    let groups = numbers.as_ref().map(|(are, numbers)| SampleGroups { are: *are, numbers });
    let on_test = OnTest { task, metric, truth: &truth, weights, groups, seed };
    let judgement = on_test.judge(&predictions, plain.as_ref(), Some(&guess(task, setup.train_targets())));
    Ok(Evaluation { searched, baseline, classes: data.classes.clone(), judgement: Some(judgement) })
}

#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod tests;
