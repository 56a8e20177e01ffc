//! The score of a trained model on new labeled data, and its comparison with the plain network and with guessing.

use crate::error::Error;
use crate::evaluation::details::Details;
pub use crate::evaluation::judge::{OnTest, SampleGroups};
use crate::record::paired::{Interval, Judgement};
use crate::record::trained_on::Seen;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use serde::Serialize;

/// The score of a model, and what the samples show in comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The metric, an error: lower is better.
    pub metric: f64,
    /// The metric of the plain network, if it is defined.
    pub plain: Option<f64>,
    /// The intervals, and whether the samples show a difference to the plain network and to guessing.
    pub judgement: Judgement,
    /// The scores of each class, label or output.
    pub details: Details,
}

/// Scores predictions for labeled samples. `scores` are those of [`Model::scores`](dashnas_nn::model::Model::scores), of the
/// same samples, `plain` those of the plain network, and `guess` is a [`guess`](crate::record::guess::guess) by the training targets.
///
/// # Errors
/// [`Error::Metric`] if the metric is not defined on these samples.
pub fn score(
    samples: &OnTest<'_>,
    scores: &Array,
    plain: Option<&Array>,
    guess: Option<&[f32]>,
) -> Result<Score, Error> {
    let shaped = |scores: &Array| by_position(samples.task, scores, samples.truth);
    let (scores, plain) = (shaped(scores), plain.map(shaped));
    let metric = samples.metric(&scores)?;
    let judgement = samples.judge(&scores, plain.as_ref(), guess);
    let plain = plain.and_then(|plain| samples.metric(&plain).ok());
    Ok(Score { metric, plain, judgement, details: Details::new(samples.task, samples.truth, &scores, samples.weights) })
}

/// Every metric that suits the task, in the order of [`Metric::ALL`], of predictions as for [`score`]; `None` for one that
/// is not defined on these samples.
pub fn metrics(task: TaskKind, scores: &Array, truth: &Targets, weights: Option<&[f32]>) -> Vec<(Metric, Option<f64>)> {
    let scores = by_position(task, scores, truth);
    let suitable = Metric::ALL.into_iter().filter(|metric| metric.suits(task));
    // Nothing is drawn.
    let value = |metric| OnTest { task, metric, truth, weights, groups: None, seed: 0 }.metric(&scores).ok();
    suitable.map(|metric| (metric, value(metric))).collect()
}

/// The scores as `[samples, outputs, positions]`.
fn by_position(task: TaskKind, scores: &Array, truth: &Targets) -> Array {
    let (rows, outputs) = (scores.rows(), task.outputs());
    let mut scores = Array::new(vec![rows, outputs, scores.row_len() / outputs.max(1)], scores.data.clone());
    if let Targets::Values(values) = truth {
        // Nothing is predicted after the end of a sample, and nothing is known there.
        let unknown = scores.data.iter_mut().zip(&values.data).filter(|(s, t)| s.is_nan() && t.is_nan());
        unknown.for_each(|(score, _)| *score = 0.0);
    }
    scores
}

/// What was scored on new data, as `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewDataScore {
    /// The path of the data.
    pub data: String,
    /// The number of samples, or of time steps.
    pub samples: usize,
    /// What of it has the name of something that the run was trained on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_training: Vec<Seen>,
    /// Whether time steps were scored, each by the mean of the predictions of the windows that cover it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_time: bool,
    /// Whether the samples have weights, by which they count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weighted: bool,
    /// The task.
    pub task: TaskKind,
    /// The metric. Lower is better.
    pub metric: Metric,
    /// The score of the model.
    pub value: f64,
    /// Its 95 % interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The score of the plain network of the run, if it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The intervals of both networks, and whether the samples show a difference between them and to guessing.
    pub judgement: Judgement,
    /// The names of the classes or labels, in the order of the details.
    pub classes: Option<Vec<String>>,
    /// The scores of each class, label or output.
    pub details: Details,
}
