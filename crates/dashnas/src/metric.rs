//! Test metrics on plain slices, every one an error: lower is better.
//!
//! Scores are a flat, row-major array of shape `[samples, outputs, positions]`; a point task has one
//! position. Everything is summed in `f64`. The figures agree with scikit-learn's (`f1_score`,
//! `roc_auc_score`, `average_precision_score`, …) except where a quantity is undefined: scikit-learn
//! then warns and puts in 0 or NaN, while here such a class or label is left out of the mean.
//!
//! A target value of NaN is one that is not known (an ignored pixel, a residue missing from a structure):
//! every metric leaves it out.

mod contact;
pub(crate) mod rank;

use crate::task::{Metric, TaskKind};
use rank::{average_precision, roc_auc};

/// How the scores of a classifier are to be read. Regression metrics do not look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Logits: a label is predicted from 0 up; class scores pass through a softmax before they are
    /// ranked against one another across samples.
    Logits,
    /// Probabilities: a label is predicted from 0.5 up; class scores are ranked as they are.
    Probabilities,
}

/// A network's outputs on a split.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    scores: &'a [f32],
    samples: usize,
    outputs: usize,
    positions: usize,
    scale: Scale,
}

impl<'a> Predictions<'a> {
    /// Takes scores of shape `[samples, outputs, positions]`, row-major.
    ///
    /// # Errors
    /// [`MetricError::Shape`] if the length is not the product of the shape,
    /// [`MetricError::Empty`] if that is 0, and [`MetricError::NotFinite`] on NaN or infinity (the mark
    /// of a training run that diverged).
    pub fn new(scores: &'a [f32], shape: [usize; 3], scale: Scale) -> Result<Self, MetricError> {
        let [samples, outputs, positions] = shape;
        let expected = samples.checked_mul(outputs).and_then(|n| n.checked_mul(positions));
        if expected != Some(scores.len()) {
            return Err(MetricError::Shape { what: "predictions", length: scores.len(), shape });
        }
        if scores.is_empty() {
            return Err(MetricError::Empty);
        }
        match scores.iter().position(|s| !s.is_finite()) {
            Some(index) => Err(MetricError::NotFinite { what: "prediction", index, value: scores[index] }),
            None => Ok(Self { scores, samples, outputs, positions, scale }),
        }
    }

    /// `[samples, outputs, positions]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.samples, self.outputs, self.positions]
    }

    /// The score of one output at one place, where a place is `sample · positions + position`.
    fn at(&self, place: usize, output: usize) -> f64 {
        let (sample, position) = (place / self.positions, place % self.positions);
        f64::from(self.scores[(sample * self.outputs + output) * self.positions + position])
    }

    /// Number of places: samples times positions.
    fn places(&self) -> usize {
        self.samples * self.positions
    }

    /// The class with the highest score; the first of them on a tie.
    fn class(&self, place: usize) -> usize {
        let mut best = 0;
        for output in 1..self.outputs {
            if self.at(place, output) > self.at(place, best) {
                best = output;
            }
        }
        best
    }

    /// Whether the label is predicted.
    fn decides(&self, place: usize, output: usize) -> bool {
        let threshold = match self.scale {
            Scale::Logits => 0.0,
            Scale::Probabilities => 0.5,
        };
        self.at(place, output) >= threshold
    }

    /// Scores of one label at every place, in an order-preserving scale.
    fn label_column(&self, output: usize) -> Vec<f64> {
        (0..self.places()).map(|place| self.at(place, output)).collect()
    }

    /// Probabilities of each class at every place, `[outputs][places]`.
    fn class_columns(&self) -> Vec<Vec<f64>> {
        let mut columns: Vec<Vec<f64>> = (0..self.outputs).map(|output| self.label_column(output)).collect();
        if self.scale == Scale::Logits {
            for place in 0..self.places() {
                let highest = columns.iter().map(|c| c[place]).fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = columns.iter().map(|c| (c[place] - highest).exp()).sum();
                for column in &mut columns {
                    column[place] = (column[place] - highest).exp() / total;
                }
            }
        }
        columns
    }
}

/// What the predictions are held against.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// The class of every place, `[samples, positions]` (one position in a point task).
    Classes(&'a [u32]),
    /// Real values, or 0/1 labels and masks, of the predictions' own shape.
    Values(&'a [f32]),
}

impl Truth<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Truth::Classes(_) => "class labels",
            Truth::Values(_) => "values",
        }
    }
}

/// Why a metric could not be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// The flat array does not have the stated shape.
    #[error(
        "{what} have {length} numbers, but the shape {shape:?} [samples, outputs, positions] asks for another count"
    )]
    Shape {
        /// Which array.
        what: &'static str,
        /// Its length.
        length: usize,
        /// `[samples, outputs, positions]` of the predictions.
        shape: [usize; 3],
    },
    /// There is nothing to average over.
    #[error("there are no predictions to evaluate")]
    Empty,
    /// NaN or infinity.
    #[error("{what} {index} is {value}")]
    NotFinite {
        /// Prediction or target.
        what: &'static str,
        /// Index in the flat array.
        index: usize,
        /// The value found.
        value: f32,
    },
    /// The metric is not defined on this kind of target.
    #[error("{} cannot be computed from {truth}", metric.name())]
    Unsupported {
        /// The metric asked for.
        metric: Metric,
        /// The kind of target given.
        truth: &'static str,
    },
    /// A class that has no output.
    #[error("label {index} is class {label}, but there are {classes} outputs")]
    LabelOutOfRange {
        /// Index in the labels.
        index: usize,
        /// The class found.
        label: u32,
        /// Number of outputs.
        classes: usize,
    },
    /// A label or mask value other than 0 or 1.
    #[error("target {index} is {value}; labels and masks hold only 0 and 1")]
    NotBinary {
        /// Index in the flat array.
        index: usize,
        /// The value found.
        value: f32,
    },
    /// Every class, label or sample had to be left out.
    #[error("{} is undefined here: {reason}", metric.name())]
    Undefined {
        /// The metric asked for.
        metric: Metric,
        /// What is missing.
        reason: &'static str,
    },
}

impl MetricError {
    /// The metric that could not be computed, where it is the metric that is at fault.
    pub fn metric(&self) -> Option<Metric> {
        match self {
            MetricError::Unsupported { metric, .. } | MetricError::Undefined { metric, .. } => Some(*metric),
            _ => None,
        }
    }
}

impl Metric {
    /// Whether it judges tasks of this kind: classes, labels and masks, or real values.
    pub fn suits(self, task: TaskKind) -> bool {
        match self {
            Metric::ZeroOneError | Metric::OneMinusF1 | Metric::OneMinusAuroc | Metric::OneMinusMap => {
                task.has_probabilities()
            }
            Metric::RelativeL2 | Metric::Mae => !task.has_probabilities(),
            Metric::ContactMae => task == TaskKind::DenseRegression { channels: 1 },
        }
    }

    /// What the metric needs that data of this task on inputs of these sizes, `[1, L]` or `[H, W]`, do not
    /// have; `None` if nothing is missing.
    pub fn lacks(self, task: TaskKind, [height, width]: [usize; 2]) -> Option<&'static str> {
        match self {
            Metric::ContactMae => (!self.suits(task) || height != width).then_some("a field over a square grid"),
            Metric::RelativeL2 | Metric::Mae => (!self.suits(task)).then_some("real values as targets"),
            _ => (!self.suits(task)).then_some("classes, labels or masks as targets"),
        }
    }

    /// Every metric.
    pub const ALL: [Metric; 7] = [
        Metric::ZeroOneError,
        Metric::RelativeL2,
        Metric::Mae,
        Metric::ContactMae,
        Metric::OneMinusF1,
        Metric::OneMinusAuroc,
        Metric::OneMinusMap,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Metric::ZeroOneError => "zero-one-error",
            Metric::RelativeL2 => "relative-l2",
            Metric::Mae => "mae",
            Metric::ContactMae => "contact-mae",
            Metric::OneMinusF1 => "one-minus-f1",
            Metric::OneMinusAuroc => "one-minus-auroc",
            Metric::OneMinusMap => "one-minus-map",
        }
    }

    /// The name shown to people.
    pub fn title(self) -> &'static str {
        match self {
            Metric::ZeroOneError => "0-1 error",
            Metric::RelativeL2 => "relative L2",
            Metric::Mae => "MAE",
            Metric::ContactMae => "MAE at distance 8",
            Metric::OneMinusF1 => "1 - macro F1",
            Metric::OneMinusAuroc => "1 - AUROC",
            Metric::OneMinusMap => "1 - mAP",
        }
    }

    /// A value as people read it: shares of mistakes in percent, the rest as numbers.
    pub fn format(self, value: f64) -> String {
        match self {
            Metric::ZeroOneError => format!("{:.2} %", 100.0 * value),
            _ => format!("{value:.4}"),
        }
    }
}

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
            let wrong = labels.iter().enumerate().filter(|&(place, &label)| predictions.class(place) != label as usize);
            Ok(wrong.count() as f64 / labels.len() as f64)
        }
        (Metric::ZeroOneError, Truth::Values(values)) => {
            let columns = binary_columns(predictions, values)?;
            let wrong = (columns.iter().enumerate()).flat_map(|(output, truth)| {
                truth.iter().map(move |&(place, t)| predictions.decides(place, output) != t)
            });
            mean(metric, wrong.map(|w| f64::from(u8::from(w))))
        }
        (Metric::RelativeL2, Truth::Values(values)) => relative_l2(predictions, values),
        (Metric::Mae, Truth::Values(values)) => mean(metric, gaps(predictions.scores, values)),
        (Metric::ContactMae, Truth::Values(values)) => contact::mae(predictions, values),
        (Metric::RelativeL2 | Metric::Mae | Metric::ContactMae, Truth::Classes(_)) => {
            Err(MetricError::Unsupported { metric, truth: truth.kind() })
        }
        (Metric::OneMinusF1, Truth::Classes(labels)) => {
            let guesses: Vec<usize> = (0..labels.len()).map(|place| predictions.class(place)).collect();
            let scores = (0..predictions.outputs).map(|class| {
                f1((guesses.iter().zip(labels)).map(|(&guess, &label)| (guess == class, label as usize == class)))
            });
            one_minus_mean(metric, scores, "no class occurs")
        }
        (Metric::OneMinusF1, Truth::Values(values)) => {
            let columns = binary_columns(predictions, values)?;
            let scores = columns
                .iter()
                .enumerate()
                .map(|(output, truth)| f1(truth.iter().map(|&(place, t)| (predictions.decides(place, output), t))));
            one_minus_mean(metric, scores, "no label is ever true or predicted")
        }
        (Metric::OneMinusAuroc, _) => {
            let ranked = ranked_columns(predictions, truth)?;
            let scores = ranked.iter().map(|(scores, truth)| roc_auc(scores, truth));
            one_minus_mean(metric, scores, "no label is true at one place and false at another")
        }
        (Metric::OneMinusMap, _) => {
            let ranked = ranked_columns(predictions, truth)?;
            let scores = ranked.iter().map(|(scores, truth)| average_precision(scores, truth));
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

/// The scores of one label at every place where its truth is known, and that truth.
type Column = (Vec<f64>, Vec<bool>);

/// Every label, or every class against the rest.
fn ranked_columns(predictions: &Predictions<'_>, truth: Truth<'_>) -> Result<Vec<Column>, MetricError> {
    Ok(match truth {
        Truth::Classes(labels) => (predictions.class_columns().into_iter().enumerate())
            .map(|(class, scores)| (scores, labels.iter().map(|&label| label as usize == class).collect()))
            .collect(),
        Truth::Values(values) => (binary_columns(predictions, values)?.into_iter().enumerate())
            .map(|(output, truth)| truth.into_iter().map(|(place, t)| (predictions.at(place, output), t)).unzip())
            .collect(),
    })
}

/// `|ŷ − y|` wherever y is known.
fn gaps<'a>(scores: &'a [f32], values: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    let known = scores.iter().zip(values).filter(|(_, t)| !t.is_nan());
    known.map(|(&p, &t)| (f64::from(p) - f64::from(t)).abs())
}

/// The mean of some numbers; undefined if there are none.
fn mean(metric: Metric, values: impl Iterator<Item = f64>) -> Result<f64, MetricError> {
    let (total, count) = values.fold((0.0, 0usize), |(total, count), value| (total + value, count + 1));
    let reason = "no target is known";
    if count == 0 { Err(MetricError::Undefined { metric, reason }) } else { Ok(total / count as f64) }
}

fn relative_l2(predictions: &Predictions<'_>, values: &[f32]) -> Result<f64, MetricError> {
    let stride = predictions.outputs * predictions.positions;
    let (mut total, mut count) = (0.0, 0usize);
    for (guess, truth) in predictions.scores.chunks_exact(stride).zip(values.chunks_exact(stride)) {
        let norm: f64 = truth.iter().filter(|t| !t.is_nan()).map(|&t| f64::from(t).powi(2)).sum();
        if norm > 0.0 {
            let gap: f64 = gaps(guess, truth).map(|gap| gap.powi(2)).sum();
            total += (gap / norm).sqrt();
            count += 1;
        }
    }
    if count == 0 {
        return Err(MetricError::Undefined { metric: Metric::RelativeL2, reason: "every target is 0" });
    }
    Ok(total / count as f64)
}

/// F1 over pairs (predicted, true); `None` if the label occurs on neither side.
fn f1(pairs: impl Iterator<Item = (bool, bool)>) -> Option<f64> {
    let (mut hits, mut occurrences) = (0u64, 0u64);
    for (predicted, truth) in pairs {
        hits += u64::from(predicted && truth);
        occurrences += u64::from(predicted) + u64::from(truth);
    }
    (occurrences > 0).then(|| 2.0 * hits as f64 / occurrences as f64)
}

fn one_minus_mean(
    metric: Metric,
    scores: impl Iterator<Item = Option<f64>>,
    reason: &'static str,
) -> Result<f64, MetricError> {
    let (total, count) = scores.flatten().fold((0.0, 0usize), |(total, count), score| (total + score, count + 1));
    if count == 0 { Err(MetricError::Undefined { metric, reason }) } else { Ok(1.0 - total / count as f64) }
}
