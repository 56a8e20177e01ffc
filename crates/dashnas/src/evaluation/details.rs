//! Scores of each class, label or output. Points with an unknown target (NaN) are left out.

use dashnas_core::metric::rank::{average_precision, roc_auc};
use dashnas_core::task::TaskKind;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use serde::{Deserialize, Serialize};

/// The largest number of pairs of target and prediction that are kept for a scatter plot.
const PAIRS: usize = 600;

/// The scores of each class, label or output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Details {
    /// The task has classes.
    Classes {
        /// The number of samples by true class (row) and predicted class (column).
        confusion: Vec<Vec<u64>>,
    },
    /// The task has labels or masks.
    Labels {
        /// The scores of each label or mask channel.
        labels: Vec<LabelScore>,
    },
    /// The task has numbers or fields.
    Values {
        /// The scores of each number or field channel.
        outputs: Vec<OutputScore>,
        /// `[target, prediction]` at up to 600 points, evenly spread over all.
        pairs: Vec<[f32; 2]>,
    },
}

/// The scores of one label over all samples and positions with a known target. An undefined score is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelScore {
    /// The number of positive targets.
    pub positives: u64,
    /// The fraction of positive predictions that are right.
    pub precision: Option<f64>,
    /// The fraction of positive targets that are found.
    pub recall: Option<f64>,
    /// Harmonic mean of the two.
    pub f1: Option<f64>,
    /// Area under the ROC curve.
    pub auroc: Option<f64>,
    /// Average precision.
    pub average_precision: Option<f64>,
}

/// The errors of one output over all samples and positions with a known target, in the units of the data. They are
/// `None` if no target is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputScore {
    /// Mean absolute error.
    pub mae: Option<f64>,
    /// Root of the mean squared error.
    pub rmse: Option<f64>,
    /// The coefficient of determination R²; `None` if the target is constant.
    pub r2: Option<f64>,
}

impl Details {
    /// The scores of predictions `[samples, outputs, positions]`.
    pub(super) fn new(task: TaskKind, truth: &Targets, predictions: &Array) -> Self {
        let outputs = task.outputs();
        match truth {
            Targets::Classes(labels) => {
                let mut confusion = vec![vec![0; outputs]; outputs];
                for (row, &label) in labels.iter().enumerate() {
                    confusion[label as usize][dashnas_core::math::argmax(predictions.row(row))] += 1;
                }
                Details::Classes { confusion }
            }
            Targets::Values(values) => {
                let columns = (0..outputs).map(|o| known(column(predictions, outputs, o), column(values, outputs, o)));
                match task {
                    TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => {
                        Details::Labels { labels: columns.map(|(p, t)| LabelScore::new(&p, &t)).collect() }
                    }
                    _ => {
                        let pairs = || values.data.iter().zip(&predictions.data).filter(|(t, _)| !t.is_nan());
                        let step = pairs().count().div_ceil(PAIRS).max(1);
                        Details::Values {
                            outputs: columns.map(|(p, t)| OutputScore::new(&p, &t)).collect(),
                            pairs: pairs().step_by(step).map(|(&t, &p)| [t, p]).collect(),
                        }
                    }
                }
            }
        }
    }
}

/// The values of one output of an array `[samples, outputs, …]`.
fn column(values: &Array, outputs: usize, output: usize) -> impl Iterator<Item = f64> {
    let positions = values.row_len() / outputs.max(1);
    (0..values.rows())
        .flat_map(move |row| &values.row(row)[output * positions..(output + 1) * positions])
        .map(|&v| f64::from(v))
}

/// The predictions and targets of the points with a known target.
fn known(predicted: impl Iterator<Item = f64>, truth: impl Iterator<Item = f64>) -> (Vec<f64>, Vec<f64>) {
    predicted.zip(truth).filter(|(_, t)| !t.is_nan()).unzip()
}

impl LabelScore {
    fn new(logits: &[f64], truth: &[f64]) -> Self {
        let truth: Vec<bool> = truth.iter().map(|&t| t > 0.5).collect();
        let positives = truth.iter().filter(|&&t| t).count() as u64;
        let said = logits.iter().filter(|&&p| p >= 0.0).count() as u64;
        let hits = logits.iter().zip(&truth).filter(|&(&p, &t)| p >= 0.0 && t).count() as u64;
        let share = |of: u64| (of > 0).then(|| hits as f64 / of as f64);
        Self {
            positives,
            precision: share(said),
            recall: share(positives),
            f1: share(said + positives).map(|half| 2.0 * half),
            auroc: roc_auc(logits, &truth),
            average_precision: average_precision(logits, &truth),
        }
    }
}

impl OutputScore {
    fn new(predicted: &[f64], truth: &[f64]) -> Self {
        if truth.is_empty() {
            return Self { mae: None, rmse: None, r2: None };
        }
        let n = truth.len() as f64;
        let mean = truth.iter().sum::<f64>() / n;
        let squares: f64 = predicted.iter().zip(truth).map(|(p, t)| (p - t).powi(2)).sum();
        let variance: f64 = truth.iter().map(|t| (t - mean).powi(2)).sum();
        Self {
            mae: Some(predicted.iter().zip(truth).map(|(p, t)| (p - t).abs()).sum::<f64>() / n),
            rmse: Some((squares / n).sqrt()),
            r2: (variance > 0.0).then(|| 1.0 - squares / variance),
        }
    }
}
