//! The score of a trained model on new labeled data.

use crate::error::Error;
use crate::evaluation::details::Details;
use dashnas_core::metric::{self, Predictions, Scale, Truth};
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::artifact::ModelCard;
use serde::Serialize;

/// The score of a model, with the metric of its run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// The metric, an error: lower is better.
    pub metric: f64,
    /// The scores of each class, label or output.
    pub details: Details,
}

/// Scores predictions for labeled samples by the metric that the model was evaluated with. `scores` are those of
/// [`Model::scores`](dashnas_nn::model::Model::scores), of the same samples as `truth`.
///
/// # Errors
/// [`Error::Metric`] if the metric is not defined on these samples.
pub fn score(card: &ModelCard, scores: &Array, truth: &Targets, weights: Option<&[f32]>) -> Result<Score, Error> {
    let (rows, outputs) = (scores.rows(), card.task.outputs());
    let shape = [rows, outputs, scores.row_len() / outputs.max(1)];
    let mut scores = Array::new(shape.to_vec(), scores.data.clone());
    if let Targets::Values(values) = truth {
        // Nothing is predicted after the end of a sample, and nothing is known there.
        let unknown = scores.data.iter_mut().zip(&values.data).filter(|(s, t)| s.is_nan() && t.is_nan());
        unknown.for_each(|(score, _)| *score = 0.0);
    }
    let predictions = Predictions::new(&scores.data, shape, Scale::Logits)?.weighted(weights)?;
    let value = match truth {
        Targets::Classes(labels) => metric::evaluate(card.metric, &predictions, Truth::Classes(labels)),
        Targets::Values(values) => metric::evaluate(card.metric, &predictions, Truth::Values(&values.data)),
    };
    Ok(Score { metric: value?, details: Details::new(card.task, truth, &scores, weights) })
}

/// What was scored on new data, as `--json` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewDataScore {
    /// The path of the data.
    pub data: String,
    /// The number of samples.
    pub samples: usize,
    /// Whether the samples have weights, by which they count.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub weighted: bool,
    /// The task.
    pub task: TaskKind,
    /// The metric. Lower is better.
    pub metric: Metric,
    /// The score of the model.
    pub value: f64,
    /// The score of the plain network of the run, if it was trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The names of the classes or labels, in the order of the details.
    pub classes: Option<Vec<String>>,
    /// The scores of each class, label or output.
    pub details: Details,
}
