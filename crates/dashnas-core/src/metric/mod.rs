//! Test metrics on plain slices, every one an error: lower is better.
//!
//! Scores are a flat, row-major array of shape `[samples, outputs, positions]`; a point task has one
//! position. Everything is summed in `f64`. The figures agree with scikit-learn's (`f1_score`,
//! `roc_auc_score`, `average_precision_score`, …) except where a quantity is undefined: scikit-learn
//! then warns and puts in 0 or NaN, while here such a class or label is left out of the mean.
//!
//! With weights of the samples ([`Predictions::weighted`]), a sample of weight 2 counts like two samples.
//!
//! A target value of NaN is unknown (an ignored pixel, a residue missing from a structure): every metric
//! leaves it out.

mod contact;
pub mod predictions;
pub mod rank;

pub use crate::metric::predictions::{MetricError, Predictions, Scale, Truth};

use crate::metric::rank::{average_precision, roc_auc, weighted_average_precision, weighted_roc_auc};
use crate::task::Metric;

/// Computes a metric.
///
/// | metric | class labels | values |
/// |---|---|---|
/// | `zero-one-error` | fraction of places whose highest score is not the true class | fraction of 0/1 decisions that are wrong (Hamming loss) |
/// | `relative-l2` | – | mean over samples of `‖ŷ − y‖₂ / ‖y‖₂` over the sample's whole field; samples with `y = 0` left out |
/// | `mae` | – | mean of `abs(ŷ − y)` over everything |
/// | `contact-mae` | – | mean over samples of the mean `abs(ŷ − y)` over the pairs (i, j) of a square map with `y ≤ 8` and `j − i ≥ 24`, ŷ averaged over (i, j) and (j, i); samples without such a pair left out |
/// | `one-minus-f1` | 1 − mean F1 over the classes that occur in truth or prediction | the same over labels |
/// | `one-minus-auroc` | 1 − mean area under the ROC curve, one class against the rest; ties count half; classes that never or always occur left out | the same over labels, all places of a mask pooled |
/// | `one-minus-map` | 1 − mean average precision `Σ (Rₙ − Rₙ₋₁) Pₙ`, one class against the rest; tied scores are one threshold; classes that never occur left out | the same over labels |
///
/// # Errors
/// See [`MetricError`]: wrong lengths, labels out of range, non-finite targets, a metric that the kind of
/// target does not have, or one that is undefined because everything had to be left out.
pub fn evaluate(metric: Metric, predictions: &Predictions<'_>, truth: Truth<'_>) -> Result<f64, MetricError> {
    check(predictions, truth)?;
    match (metric, truth) {
        (Metric::ZeroOneError, Truth::Classes(labels)) => {
            let wrong = labels.iter().enumerate().map(|(place, &label)| {
                (f64::from(u8::from(predictions.class(place) != label as usize)), predictions.weight_at(place))
            });
            mean(metric, wrong)
        }
        (Metric::ZeroOneError, Truth::Values(values)) => {
            let columns = binary_columns(predictions, values)?;
            let wrong = (columns.iter().enumerate()).flat_map(|(output, truth)| {
                truth.iter().map(move |&(place, t)| {
                    (f64::from(u8::from(predictions.decides(place, output) != t)), predictions.weight_at(place))
                })
            });
            mean(metric, wrong)
        }
        (Metric::RelativeL2, Truth::Values(values)) => relative_l2(predictions, values),
        (Metric::Mae, Truth::Values(values)) => {
            let width = predictions.outputs * predictions.positions;
            let scores = predictions.scores.chunks_exact(width).zip(values.chunks_exact(width)).enumerate();
            mean(
                metric,
                scores.flat_map(|(sample, (guess, truth))| {
                    gaps(guess, truth).map(move |gap| (gap, predictions.weight(sample)))
                }),
            )
        }
        (Metric::ContactMae, Truth::Values(values)) => contact::mae(predictions, values),
        (Metric::RelativeL2 | Metric::Mae | Metric::ContactMae, Truth::Classes(_)) => {
            Err(MetricError::Unsupported { metric, truth: truth.kind() })
        }
        (Metric::OneMinusF1, Truth::Classes(labels)) => {
            let guesses: Vec<usize> = (0..labels.len()).map(|place| predictions.class(place)).collect();
            let scores = (0..predictions.outputs).map(|class| {
                f1((guesses.iter().zip(labels).enumerate()).map(|(place, (&guess, &label))| {
                    (guess == class, label as usize == class, predictions.weight_at(place))
                }))
            });
            one_minus_mean(metric, scores, "no class occurs")
        }
        (Metric::OneMinusF1, Truth::Values(values)) => {
            let columns = binary_columns(predictions, values)?;
            let scores = columns.iter().enumerate().map(|(output, truth)| {
                f1(truth
                    .iter()
                    .map(|&(place, t)| (predictions.decides(place, output), t, predictions.weight_at(place))))
            });
            one_minus_mean(metric, scores, "no label is ever true or predicted")
        }
        (Metric::OneMinusAuroc, _) => {
            let ranked = ranked_columns(predictions, truth)?;
            let scores = ranked.iter().map(|Column { scores, truth, weights }| match weights {
                None => roc_auc(scores, truth),
                Some(weights) => weighted_roc_auc(scores, truth, weights),
            });
            one_minus_mean(metric, scores, "no label is true at one place and false at another")
        }
        (Metric::OneMinusMap, _) => {
            let ranked = ranked_columns(predictions, truth)?;
            let scores = ranked.iter().map(|Column { scores, truth, weights }| match weights {
                None => average_precision(scores, truth),
                Some(weights) => weighted_average_precision(scores, truth, weights),
            });
            one_minus_mean(metric, scores, "no label is ever true")
        }
    }
}

/// Whether a metric is defined on targets of shape `[samples, outputs, positions]`, whatever is predicted.
///
/// # Errors
/// As [`evaluate`], of predictions that no label is true.
pub fn defined(metric: Metric, shape: [usize; 3], truth: Truth<'_>) -> Result<(), MetricError> {
    let scores = vec![-1.0; shape.iter().product()];
    evaluate(metric, &Predictions::new(&scores, shape, Scale::Logits)?, truth).map(|_| ())
}

/// Lengths, class range and finite targets.
fn check(predictions: &Predictions<'_>, truth: Truth<'_>) -> Result<(), MetricError> {
    let shape = predictions.shape();
    match truth {
        Truth::Classes(labels) => {
            if labels.len() != predictions.places() {
                return Err(MetricError::Shape { what: "class labels", length: labels.len(), shape });
            }
            match labels.iter().position(|&label| label as usize >= predictions.outputs) {
                Some(index) => {
                    Err(MetricError::LabelOutOfRange { index, label: labels[index], classes: predictions.outputs })
                }
                None => Ok(()),
            }
        }
        Truth::Values(values) => {
            if values.len() != predictions.scores.len() {
                return Err(MetricError::Shape { what: "targets", length: values.len(), shape });
            }
            match values.iter().position(|v| v.is_infinite()) {
                Some(index) => Err(MetricError::NotFinite { what: "target", index, value: values[index] }),
                None => Ok(()),
            }
        }
    }
}

/// The known 0/1 targets of each label, `[outputs]`, with their places.
fn binary_columns(predictions: &Predictions<'_>, values: &[f32]) -> Result<Vec<Vec<(usize, bool)>>, MetricError> {
    if let Some(index) = values.iter().position(|&v| v != 0.0 && v != 1.0 && !v.is_nan()) {
        return Err(MetricError::NotBinary { index, value: values[index] });
    }
    let [samples, outputs, positions] = predictions.shape();
    Ok((0..outputs)
        .map(|output| {
            (0..samples)
                .flat_map(|sample| {
                    let start = (sample * outputs + output) * positions;
                    let known = values[start..start + positions].iter().enumerate().filter(|(_, v)| !v.is_nan());
                    known.map(move |(position, &v)| (sample * positions + position, v == 1.0))
                })
                .collect()
        })
        .collect())
}

/// The places of one label whose truth is known.
struct Column {
    /// The score at each.
    scores: Vec<f64>,
    /// Whether the label is true there.
    truth: Vec<bool>,
    /// The weight of the sample there, if the samples have weights.
    weights: Option<Vec<f64>>,
}

/// Every label, or every class against the rest.
fn ranked_columns(predictions: &Predictions<'_>, truth: Truth<'_>) -> Result<Vec<Column>, MetricError> {
    let weighed = predictions.has_weights();
    Ok(match truth {
        Truth::Classes(labels) => (predictions.class_columns().into_iter().enumerate())
            .map(|(class, scores)| Column {
                scores,
                truth: labels.iter().map(|&label| label as usize == class).collect(),
                weights: weighed.then(|| (0..labels.len()).map(|place| predictions.weight_at(place)).collect()),
            })
            .collect(),
        Truth::Values(values) => (binary_columns(predictions, values)?.into_iter().enumerate())
            .map(|(output, places)| Column {
                scores: places.iter().map(|&(place, _)| predictions.at(place, output)).collect(),
                truth: places.iter().map(|&(_, t)| t).collect(),
                weights: weighed.then(|| places.iter().map(|&(place, _)| predictions.weight_at(place)).collect()),
            })
            .collect(),
    })
}

/// `|ŷ − y|` wherever y is known.
fn gaps<'a>(scores: &'a [f32], values: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    let known = scores.iter().zip(values).filter(|(_, t)| !t.is_nan());
    known.map(|(&p, &t)| (f64::from(p) - f64::from(t)).abs())
}

/// The mean of some numbers by their weights; undefined if there are none.
fn mean(metric: Metric, values: impl Iterator<Item = (f64, f64)>) -> Result<f64, MetricError> {
    // Weights of 1 make the same sums as a count.
    let (total, count) =
        values.fold((0.0, 0.0), |(total, count), (value, weight)| (total + weight * value, count + weight));
    let reason = "no target is known";
    if count == 0.0 { Err(MetricError::Undefined { metric, reason }) } else { Ok(total / count) }
}

fn relative_l2(predictions: &Predictions<'_>, values: &[f32]) -> Result<f64, MetricError> {
    let stride = predictions.outputs * predictions.positions;
    let (mut total, mut count) = (0.0, 0.0);
    let samples = predictions.scores.chunks_exact(stride).zip(values.chunks_exact(stride));
    for (sample, (guess, truth)) in samples.enumerate() {
        let norm: f64 = truth.iter().filter(|t| !t.is_nan()).map(|&t| f64::from(t).powi(2)).sum();
        if norm > 0.0 {
            let gap: f64 = gaps(guess, truth).map(|gap| gap.powi(2)).sum();
            let weight = predictions.weight(sample);
            total += weight * (gap / norm).sqrt();
            count += weight;
        }
    }
    if count == 0.0 {
        return Err(MetricError::Undefined { metric: Metric::RelativeL2, reason: "every target is 0" });
    }
    Ok(total / count)
}

/// F1 over triples (predicted, true, weight); `None` if the label occurs on neither side.
fn f1(triples: impl Iterator<Item = (bool, bool, f64)>) -> Option<f64> {
    let (mut hits, mut occurrences) = (0.0, 0.0);
    for (predicted, truth, weight) in triples {
        hits += weight * f64::from(u8::from(predicted && truth));
        occurrences += weight * f64::from(u8::from(predicted) + u8::from(truth));
    }
    (occurrences > 0.0).then(|| 2.0 * hits / occurrences)
}

fn one_minus_mean(
    metric: Metric,
    scores: impl Iterator<Item = Option<f64>>,
    reason: &'static str,
) -> Result<f64, MetricError> {
    let (total, count) = scores.flatten().fold((0.0, 0usize), |(total, count), score| (total + score, count + 1));
    if count == 0 { Err(MetricError::Undefined { metric, reason }) } else { Ok(1.0 - total / count as f64) }
}
