//! What can be wrong with data, labels and saved models.

use crate::kind::Kind;
use dashnas_core::text::plural;
use thiserror::Error;

/// Data, labels or a saved model that cannot be used. Samples, channels, steps and classes are counted from 0.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of values is not the product of the shape.
    #[error("{values} values do not fill the shape {shape:?}")]
    Shape {
        /// The number of values.
        values: usize,
        /// The shape: samples, channels and steps, or rows and columns.
        shape: Vec<usize>,
    },
    /// An axis of the shape is zero.
    #[error("the shape {shape:?} is empty")]
    Empty {
        /// The shape: samples, channels and steps, or rows and columns.
        shape: Vec<usize>,
    },
    /// A value of a series is infinite, NaN, or so large that convolutions may overflow.
    #[error(
        "sample {sample}, channel {channel}, step {step}: the value {value} is not a number with a magnitude below 1e30"
    )]
    Value {
        /// The sample.
        sample: usize,
        /// The channel.
        channel: usize,
        /// The step.
        step: usize,
        /// The value.
        value: f32,
    },
    /// The series are shorter than the kernels.
    #[error("the series have {}, but {kind} needs at least {}", plural(*length, "step"), kind.min_length())]
    TooShort {
        /// The transform.
        kind: Kind,
        /// The number of steps.
        length: usize,
    },
    /// The number of kernels is zero.
    #[error("{kind} needs at least 1 kernel")]
    NoKernels {
        /// The transform.
        kind: Kind,
    },
    /// The series have another shape than those that the transform was fitted to.
    #[error(
        "the series have {} of {}, but the transform was fitted to {} of {}",
        plural(*channels, "channel"), plural(*length, "step"),
        plural(*fitted_channels, "channel"), plural(*fitted_length, "step")
    )]
    OtherSeries {
        /// The channels of the series.
        channels: usize,
        /// The steps of the series.
        length: usize,
        /// The channels that the transform was fitted to.
        fitted_channels: usize,
        /// The steps that the transform was fitted to.
        fitted_length: usize,
    },
    /// The features are not those that the regression was fitted to.
    #[error("there are {}, but the regression was fitted to {fitted}", plural(*columns, "feature"))]
    OtherFeatures {
        /// The number of features.
        columns: usize,
        /// The number of features that the regression was fitted to.
        fitted: usize,
    },
    /// A feature is infinite or NaN.
    #[error("sample {sample}, feature {column}: the value is not finite")]
    FeatureNotFinite {
        /// The sample.
        sample: usize,
        /// The feature.
        column: usize,
    },
    /// There are too few samples for leave-one-out errors.
    #[error("there is {}, but leave-one-out errors need at least 2", plural(*samples, "training sample"))]
    TooFewSamples {
        /// The number of samples.
        samples: usize,
    },
    /// There are not as many labels or targets as samples.
    #[error("there are {} for {}", plural(*targets, "label"), plural(*samples, "sample"))]
    Targets {
        /// The number of labels, or of rows of targets.
        targets: usize,
        /// The number of samples.
        samples: usize,
    },
    /// A target is infinite or NaN.
    #[error("sample {sample}, target {output}: the value is not finite")]
    TargetNotFinite {
        /// The sample.
        sample: usize,
        /// The target.
        output: usize,
    },
    /// A label is not a class.
    #[error("sample {sample}: the label {label} is not below the number of classes, which is {classes}")]
    Label {
        /// The sample.
        sample: usize,
        /// The label.
        label: usize,
        /// The number of classes.
        classes: usize,
    },
    /// All training samples have the same class.
    #[error("all training samples have the class {class}, so there is nothing to tell apart")]
    OneClass {
        /// The class.
        class: usize,
    },
    /// No feature differs between the training samples.
    #[error("no feature differs between the {samples} training samples")]
    Constant {
        /// The number of samples.
        samples: usize,
    },
    /// No strength of the regularization gives finite errors.
    #[error("the ridge regression cannot be solved: no regularization gives finite leave-one-out errors")]
    Unsolvable,
    /// A model of classes was asked for numbers, or the reverse.
    #[error("the model predicts {found}, not {wanted}")]
    OtherTask {
        /// What the model predicts.
        found: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A saved transform or regression contradicts itself.
    #[error("the saved model is damaged: {reason}")]
    Damaged {
        /// The contradiction.
        reason: String,
    },
}

impl Error {
    /// Returns what can be done about it, where something can.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::TooShort { .. } => "pad the series, or use windows with more steps",
            Self::Value { value, .. } if value.is_nan() => "fill in missing values first",
            Self::Value { .. } => "divide the series by their standard deviation first",
            Self::OtherSeries { .. } => "bring the series to the shape of the training data first",
            _ => return None,
        })
    }
}
