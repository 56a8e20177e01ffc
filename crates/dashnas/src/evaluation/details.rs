//! Scores of each class, label or output. Points with an unknown target (NaN) are left out.

use crate::evaluation::curve::Curve;
use crate::evaluation::example::probabilities;
use dashnas_core::metric::rank::{average_precision, roc_auc, weighted_average_precision, weighted_roc_auc};
use dashnas_core::task::TaskKind;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use serde::{Deserialize, Serialize};

/// The largest number of pairs of target and prediction that are kept for a scatter plot.
const PAIRS: usize = 600;
/// The largest number of classes or labels whose curves are kept.
const CURVES: usize = 12;

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
    /// The scores of predictions `[samples, outputs, positions]`, by the weights of the samples if there are any. Confused
    /// classes and positive targets are counted without weights.
    pub(super) fn new(task: TaskKind, truth: &Targets, predictions: &Array, weights: Option<&[f32]>) -> Self {
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
                let columns = points(values, predictions, outputs, weights);
                match task {
                    TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => {
                        Details::Labels { labels: columns.map(|points| LabelScore::new(&points)).collect() }
                    }
                    _ => {
                        let pairs = || values.data.iter().zip(&predictions.data).filter(|(t, _)| !t.is_nan());
                        let step = pairs().count().div_ceil(PAIRS).max(1);
                        Details::Values {
                            outputs: columns.map(|points| OutputScore::new(&points)).collect(),
                            pairs: pairs().step_by(step).map(|(&t, &p)| [t, p]).collect(),
                        }
                    }
                }
            }
        }
    }
}

/// The curves of each class by its probability, or of each label by its logit; none if there are many.
pub(super) fn curves(
    task: TaskKind,
    truth: &Targets,
    predictions: &Array,
    weights: Option<&[f32]>,
) -> Vec<Option<Curve>> {
    let outputs = task.outputs();
    if outputs > CURVES {
        return Vec::new();
    }
    match truth {
        Targets::Classes(labels) => {
            let probabilities: Vec<Vec<f64>> =
                (0..predictions.rows()).map(|i| probabilities(predictions.row(i))).collect();
            let weights: Option<Vec<f64>> = weights.map(|w| w.iter().map(|&w| f64::from(w)).collect());
            let of = |class: usize| {
                let scores: Vec<f64> = probabilities.iter().map(|p| p[class]).collect();
                let truth: Vec<bool> = labels.iter().map(|&label| label as usize == class).collect();
                Curve::new(&scores, &truth, weights.as_deref())
            };
            (0..outputs).map(of).collect()
        }
        Targets::Values(values) if matches!(task, TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. }) => {
            let points = points(values, predictions, outputs, weights);
            let curve = |points: Points| {
                let truth: Vec<bool> = points.truth.iter().map(|&t| t > 0.5).collect();
                Curve::new(&points.predicted, &truth, points.weights.as_deref())
            };
            points.map(curve).collect()
        }
        Targets::Values(_) => Vec::new(),
    }
}

/// The points of each output.
fn points<'a>(
    values: &'a Array,
    predictions: &'a Array,
    outputs: usize,
    weights: Option<&[f32]>,
) -> impl Iterator<Item = Points> + 'a {
    let positions = values.row_len() / outputs.max(1);
    let weights: Option<Vec<f64>> =
        weights.map(|w| w.iter().flat_map(|&w| std::iter::repeat_n(f64::from(w), positions)).collect());
    (0..outputs).map(move |o| {
        let values: Vec<f64> = column(values, outputs, o).collect();
        Points::known(column(predictions, outputs, o), &values, weights.as_deref())
    })
}

/// The values of one output of an array `[samples, outputs, …]`.
fn column(values: &Array, outputs: usize, output: usize) -> impl Iterator<Item = f64> {
    let positions = values.row_len() / outputs.max(1);
    (0..values.rows())
        .flat_map(move |row| &values.row(row)[output * positions..(output + 1) * positions])
        .map(|&v| f64::from(v))
}

/// The points of one output with a known target.
struct Points {
    predicted: Vec<f64>,
    truth: Vec<f64>,
    /// The weight of the sample of each point, if the samples have weights.
    weights: Option<Vec<f64>>,
}

impl Points {
    fn known(predicted: impl Iterator<Item = f64>, truth: &[f64], weights: Option<&[f64]>) -> Self {
        let known = |i: &usize| !truth[*i].is_nan();
        Self {
            predicted: predicted.zip(truth).filter(|(_, t)| !t.is_nan()).map(|(p, _)| p).collect(),
            truth: truth.iter().copied().filter(|t| !t.is_nan()).collect(),
            weights: weights.map(|w| (0..truth.len()).filter(known).map(|i| w[i]).collect()),
        }
    }

    fn weight(&self, i: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[i])
    }

    /// The sum of a number over all points by their weights.
    fn sum(&self, of: impl Fn(f64, f64) -> f64) -> f64 {
        let points = self.predicted.iter().zip(&self.truth).enumerate();
        points.map(|(i, (&p, &t))| self.weight(i) * of(p, t)).sum()
    }
}

impl LabelScore {
    fn new(points: &Points) -> Self {
        let logits = &points.predicted;
        let truth: Vec<bool> = points.truth.iter().map(|&t| t > 0.5).collect();
        let number = |yes: bool| f64::from(u8::from(yes));
        let said = points.sum(|p, _| number(p >= 0.0));
        let true_ones = points.sum(|_, t| number(t > 0.5));
        let hits = points.sum(|p, t| number(p >= 0.0 && t > 0.5));
        let share = |of: f64| (of > 0.0).then(|| hits / of);
        Self {
            positives: truth.iter().filter(|&&t| t).count() as u64,
            precision: share(said),
            recall: share(true_ones),
            f1: share(said + true_ones).map(|half| 2.0 * half),
            auroc: match &points.weights {
                None => roc_auc(logits, &truth),
                Some(weights) => weighted_roc_auc(logits, &truth, weights),
            },
            average_precision: match &points.weights {
                None => average_precision(logits, &truth),
                Some(weights) => weighted_average_precision(logits, &truth, weights),
            },
        }
    }
}

impl OutputScore {
    fn new(points: &Points) -> Self {
        if points.truth.is_empty() {
            return Self { mae: None, rmse: None, r2: None };
        }
        let n = points.sum(|_, _| 1.0);
        let mean = points.sum(|_, t| t) / n;
        let squares = points.sum(|p, t| (p - t).powi(2));
        let variance = points.sum(|_, t| (t - mean).powi(2));
        Self {
            mae: Some(points.sum(|p, t| (p - t).abs()) / n),
            rmse: Some((squares / n).sqrt()),
            r2: (variance > 0.0).then(|| 1.0 - squares / variance),
        }
    }
}
