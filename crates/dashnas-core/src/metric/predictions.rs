//! The arguments of a metric, predictions and true targets, and the reasons why one cannot be computed.

use crate::task::Metric;
use crate::text::plural;

/// The scale of a classifier's scores. Metrics of regression ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Logits: a label is predicted if its score is at least 0; class scores pass through a softmax before they are
    /// ranked across samples.
    Logits,
    /// Probabilities: a label is predicted if its score is at least 0.5; class scores are ranked unchanged.
    Probabilities,
}

/// The outputs of a network on a split.
#[derive(Debug, Clone, Copy)]
pub struct Predictions<'a> {
    pub(super) scores: &'a [f32],
    samples: usize,
    pub(super) outputs: usize,
    pub(super) positions: usize,
    scale: Scale,
    weights: Option<&'a [f32]>,
}

impl<'a> Predictions<'a> {
    /// Checks and wraps scores of shape `[samples, outputs, positions]`, row-major.
    ///
    /// # Errors
    /// [`MetricError::Shape`] if the length is not the product of the shape,
    /// [`MetricError::Empty`] if that is 0, and [`MetricError::NotFinite`] on NaN or infinity, which are the sign of a
    /// training that diverged.
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
            None => Ok(Self { scores, samples, outputs, positions, scale, weights: None }),
        }
    }

    /// The same predictions with the weight of each sample, if there are weights. A sample of weight 2 counts in every
    /// metric like two samples of weight 1.
    ///
    /// # Errors
    /// [`MetricError::Shape`] unless there is one weight for each sample, and [`MetricError::Weight`] if one is not
    /// finite or negative.
    pub fn weighted(self, weights: Option<&'a [f32]>) -> Result<Self, MetricError> {
        let Some(given) = weights else { return Ok(Self { weights, ..self }) };
        if given.len() != self.samples {
            return Err(MetricError::Shape { what: "weights", length: given.len(), shape: self.shape() });
        }
        match given.iter().position(|w| !w.is_finite() || *w < 0.0) {
            Some(index) => Err(MetricError::Weight { index, value: given[index] }),
            None => Ok(Self { weights, ..self }),
        }
    }

    /// The weight of one sample; 1 without weights.
    pub(super) fn weight(&self, sample: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[sample]))
    }

    /// Whether the samples have weights.
    pub(super) fn has_weights(&self) -> bool {
        self.weights.is_some()
    }

    /// The weight of the sample of one place.
    pub(super) fn weight_at(&self, place: usize) -> f64 {
        self.weight(place / self.positions)
    }

    /// `[samples, outputs, positions]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.samples, self.outputs, self.positions]
    }

    /// The score of one output at one place, where a place is `sample · positions + position`.
    pub(super) fn at(&self, place: usize, output: usize) -> f64 {
        let (sample, position) = (place / self.positions, place % self.positions);
        f64::from(self.scores[(sample * self.outputs + output) * self.positions + position])
    }

    /// Number of places: samples times positions.
    pub(super) fn places(&self) -> usize {
        self.samples * self.positions
    }

    /// The class with the highest score; the first of them on a tie.
    pub(super) fn class(&self, place: usize) -> usize {
        let mut best = 0;
        for output in 1..self.outputs {
            if self.at(place, output) > self.at(place, best) {
                best = output;
            }
        }
        best
    }

    /// Whether the label is predicted.
    pub(super) fn decides(&self, place: usize, output: usize) -> bool {
        let threshold = match self.scale {
            Scale::Logits => 0.0,
            Scale::Probabilities => 0.5,
        };
        self.at(place, output) >= threshold
    }

    /// Scores of one label at every place, in an order-preserving scale.
    pub(super) fn label_column(&self, output: usize) -> Vec<f64> {
        (0..self.places()).map(|place| self.at(place, output)).collect()
    }

    /// Probabilities of each class at every place, `[outputs][places]`.
    pub(super) fn class_columns(&self) -> Vec<Vec<f64>> {
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

/// The true targets.
#[derive(Debug, Clone, Copy)]
pub enum Truth<'a> {
    /// The class at every place, `[samples, positions]`; one position per sample unless the task is dense.
    Classes(&'a [u32]),
    /// Real values, or 0/1 labels and masks, of the same shape as the predictions.
    Values(&'a [f32]),
}

impl Truth<'_> {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Truth::Classes(_) => "class labels",
            Truth::Values(_) => "values",
        }
    }
}

/// A metric that cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// The length of an array does not fit the shape of the predictions.
    #[error(
        "there are {length} {what}, which do not fit the shape {shape:?} [samples, outputs, positions] of the predictions"
    )]
    Shape {
        /// The contents of the array.
        what: &'static str,
        /// Its length.
        length: usize,
        /// `[samples, outputs, positions]` of the predictions.
        shape: [usize; 3],
    },
    /// There are no predictions.
    #[error("there are no predictions to evaluate")]
    Empty,
    /// A prediction or target is NaN or infinite.
    #[error("{what} {index} is {value}")]
    NotFinite {
        /// Prediction or target.
        what: &'static str,
        /// Index in the flat array.
        index: usize,
        /// The value found.
        value: f32,
    },
    /// The weight of a sample is not finite, or negative.
    #[error("the weight of sample {index} is {value}, but weights must be finite and not negative")]
    Weight {
        /// Index of the sample.
        index: usize,
        /// The value found.
        value: f32,
    },
    /// The metric is not defined for this kind of target.
    #[error("{} cannot be computed from {truth}", metric.name())]
    Unsupported {
        /// The metric asked for.
        metric: Metric,
        /// The kind of target given.
        truth: &'static str,
    },
    /// A label has no output.
    #[error("label {index} is class {label}, but the predictions have {}", plural(*classes, "output"))]
    LabelOutOfRange {
        /// Index in the labels.
        index: usize,
        /// The class found.
        label: u32,
        /// Number of outputs.
        classes: usize,
    },
    /// A label or mask value is neither 0 nor 1.
    #[error("target {index} is {value}, but labels and masks must be 0 or 1")]
    NotBinary {
        /// Index in the flat array.
        index: usize,
        /// The value found.
        value: f32,
    },
    /// Every class, label or sample was left out.
    #[error("{} is undefined here: {reason}", metric.name())]
    Undefined {
        /// The metric asked for.
        metric: Metric,
        /// The cause.
        reason: &'static str,
    },
}

impl MetricError {
    /// The metric that cannot be computed, if another metric could be.
    pub fn metric(&self) -> Option<Metric> {
        match self {
            MetricError::Unsupported { metric, .. } | MetricError::Undefined { metric, .. } => Some(*metric),
            _ => None,
        }
    }
}
