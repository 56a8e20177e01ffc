//! Kinds of tasks, the losses that networks are trained with, and the metrics that they are judged by.

use crate::text::{plural, plural_of};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of target a data set has, with its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum TaskKind {
    /// One class out of several for each sample.
    Classification {
        /// Number of classes, at least 2.
        classes: usize,
    },
    /// Any subset of several labels for each sample.
    MultiLabel {
        /// Number of labels.
        labels: usize,
    },
    /// A vector of real numbers for each sample.
    Regression {
        /// Numbers predicted for each sample.
        outputs: usize,
    },
    /// A real field over the input's own grid.
    DenseRegression {
        /// Channels of the field.
        channels: usize,
    },
    /// A 0/1 mask over the input's own grid.
    DenseBinary {
        /// Channels of the mask.
        channels: usize,
    },
}

impl TaskKind {
    /// Channels of the network's output: classes, labels, numbers or field channels.
    pub fn outputs(self) -> usize {
        match self {
            TaskKind::Classification { classes: n }
            | TaskKind::MultiLabel { labels: n }
            | TaskKind::Regression { outputs: n }
            | TaskKind::DenseRegression { channels: n }
            | TaskKind::DenseBinary { channels: n } => n,
        }
    }

    /// Whether the network predicts at every position of its input (a dense head).
    pub fn is_dense(self) -> bool {
        matches!(self, TaskKind::DenseRegression { .. } | TaskKind::DenseBinary { .. })
    }

    /// Whether predictions are probabilities (of classes, labels or masks) and not values.
    pub fn has_probabilities(self) -> bool {
        !matches!(self, TaskKind::Regression { .. } | TaskKind::DenseRegression { .. })
    }

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            TaskKind::Classification { .. } => "classification",
            TaskKind::MultiLabel { .. } => "multi-label",
            TaskKind::Regression { .. } => "regression",
            TaskKind::DenseRegression { .. } => "dense-regression",
            TaskKind::DenseBinary { .. } => "dense-binary",
        }
    }

    /// The loss a task of this kind is trained with unless told otherwise.
    pub fn default_loss(self) -> Loss {
        match self {
            TaskKind::Classification { .. } => Loss::CrossEntropy,
            TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => Loss::BceWithLogits,
            TaskKind::Regression { .. } => Loss::Mse,
            TaskKind::DenseRegression { .. } => Loss::RelativeL2,
        }
    }

    /// The metric a task of this kind is judged by unless told otherwise.
    pub fn default_metric(self) -> Metric {
        match self {
            TaskKind::Classification { .. } => Metric::ZeroOneError,
            TaskKind::MultiLabel { .. } => Metric::OneMinusMap,
            TaskKind::Regression { .. } => Metric::Mae,
            TaskKind::DenseRegression { .. } => Metric::RelativeL2,
            TaskKind::DenseBinary { .. } => Metric::OneMinusAuroc,
        }
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TaskKind::Classification { classes } => {
                write!(f, "classification into {}", plural_of(*classes, "class", "classes"))
            }
            TaskKind::MultiLabel { labels } => {
                write!(f, "multi-label classification with {}", plural(*labels, "label"))
            }
            TaskKind::Regression { outputs } => write!(f, "regression of {} per sample", plural(*outputs, "value")),
            TaskKind::DenseRegression { channels } => write!(f, "dense regression of {}", plural(*channels, "field")),
            TaskKind::DenseBinary { channels } => write!(f, "dense binary prediction of {}", plural(*channels, "mask")),
        }
    }
}

/// Training losses (appendix A.5.2, last row of the tables).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Softmax cross entropy.
    CrossEntropy,
    /// Focal loss, `−(1 − p)^γ log p` of the true class (Lin et al. 2017).
    Focal,
    /// Binary cross entropy with logits, with a weight on the positive examples.
    BceWithLogits,
    /// Mean squared error.
    Mse,
    /// `‖ŷ − y‖₂ / ‖y‖₂` over each sample's whole field, on decoded values.
    RelativeL2,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Loss; 5] = [Loss::CrossEntropy, Loss::Focal, Loss::BceWithLogits, Loss::Mse, Loss::RelativeL2];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Loss::CrossEntropy => "cross-entropy",
            Loss::Focal => "focal",
            Loss::BceWithLogits => "bce-with-logits",
            Loss::Mse => "mse",
            Loss::RelativeL2 => "relative-l2",
        }
    }
}

/// Test metrics, each an error: lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The fraction of samples whose class is wrong.
    ZeroOneError,
    /// The mean over samples of `‖ŷ − y‖₂ / ‖y‖₂`.
    RelativeL2,
    /// The mean absolute error.
    Mae,
    /// The mean absolute error of distances between residues in contact: true distance at most 8 Å,
    /// at least 24 apart in the sequence (MAE₈ of the PSICOV task).
    ContactMae,
    /// 1 − macro-averaged F1.
    OneMinusF1,
    /// 1 − area under the ROC curve, macro-averaged over labels (or classes, one against the rest).
    OneMinusAuroc,
    /// 1 − mean average precision over labels.
    OneMinusMap,
}

impl Metric {
    /// Whether the metric is defined for tasks of this kind: classes, labels and masks, or real values.
    pub fn suits(self, task: TaskKind) -> bool {
        match self {
            Metric::ZeroOneError | Metric::OneMinusF1 | Metric::OneMinusAuroc | Metric::OneMinusMap => {
                task.has_probabilities()
            }
            Metric::RelativeL2 | Metric::Mae => !task.has_probabilities(),
            Metric::ContactMae => task == TaskKind::DenseRegression { channels: 1 },
        }
    }

    /// The requirement of the metric that data of this task, with inputs of spatial size `[1, L]` or `[H, W]`, do not
    /// meet; `None` if they meet all.
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
            Metric::ZeroOneError => "error rate",
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
