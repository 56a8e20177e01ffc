//! The model card: everything besides the weights that is needed to run a model on raw data.

use crate::architecture::Architecture;
use crate::graph::topology::Graph;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::Preset;
use dashnas_core::task::{Loss, Metric, TaskKind};
use dashnas_data::normalize::{InputNormalizer, TargetNormalizer};
use dashnas_data::transform::kind::Transform;
use dashnas_formats::centers::Centers;
use dashnas_formats::options::ReadOptions;
use serde::{Deserialize, Serialize};

/// Everything besides the weights that is needed to run a model on raw data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// The name of the data set that the model was trained on.
    pub data: String,
    /// The task.
    pub task: TaskKind,
    /// The loss of the training.
    pub loss: Loss,
    /// The metric of the evaluation.
    pub metric: Metric,
    /// The names of the classes or labels.
    pub classes: Option<Vec<String>>,
    /// The type of the labels that the names were made from, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelType>,
    /// The value of targets of fields that stands for unknown ones, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<f64>,
    /// `[channels, height, width]` of the inputs of the network; height 1 for series.
    pub input: [usize; 3],
    /// The kernels of the searched layers.
    pub architecture: Architecture,
    /// The graph of the network.
    pub graph: Graph,
    /// The options with which files of raw inputs are read.
    pub reading: ReadOptions,
    /// `[channels, L]` or `[channels, H, W]` of the training inputs as they were read.
    pub read_as: Vec<usize>,
    /// The transforms of raw inputs, in the order in which they are applied.
    pub transforms: Vec<Transform>,
    /// The normalization of the transformed inputs.
    pub inputs: InputNormalizer,
    /// The normalization of the targets, which is undone on outputs.
    pub targets: TargetNormalizer,
    /// A summary of the training.
    pub training: TrainingSummary,
}

/// The Python type of class labels: there, `1`, `"1"` and `True` are different labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelType {
    /// `False` and `True`.
    Bool,
    /// Whole numbers.
    Int,
    /// Other numbers.
    Float,
    /// Text.
    Str,
}

/// A summary of how a model was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingSummary {
    /// The version of dashnas.
    pub version: String,
    /// The preset.
    pub preset: Preset,
    /// The seed.
    pub seed: u64,
    /// The number of training samples.
    pub samples: usize,
    /// The training hyperparameters.
    pub hyperparameters: Hyperparameters,
    /// The validation metric of the hyperparameters, if they were tuned.
    pub validation: Option<f64>,
}

impl ModelCard {
    /// Returns whether the network can take inputs of other lengths or sizes than it was trained on. All layers can,
    /// but a pointwise normalization and a permutation of the positions are tied to a size.
    pub fn any_size(&self) -> bool {
        !self.inputs.is_pointwise() && !self.targets.is_pointwise() && !self.transforms.contains(&Transform::Permute)
    }

    /// What is subtracted in `f64` from the channels of raw inputs, and was from the targets, before they become `f32`.
    pub fn centers(&self) -> &Centers {
        &self.reading.centers
    }

    /// The card of the same model for inputs from which its centers are subtracted, and for outputs to which those of the
    /// targets are still to be added.
    pub fn of_centered(&self) -> Self {
        let reading = ReadOptions { centers: Centers::default(), ..self.reading.clone() };
        Self { reading, ..self.clone() }
    }

    /// Moves centers to where this version keeps them. Earlier ones kept them in the normalization.
    pub(crate) fn take_centers(&mut self) {
        if self.centers().is_empty() {
            let (inputs, targets) = (self.inputs.take_centers(), self.targets.take_centers());
            self.reading.centers = Centers { inputs, targets };
        }
    }

    /// Returns the shape `[channels, L]` or `[channels, H, W]` of the inputs of the network, after the transforms.
    pub fn network_shape(&self) -> Vec<usize> {
        match (self.graph.dims(), self.input) {
            (1, [c, _, l]) => vec![c, l],
            (_, [c, h, w]) => vec![c, h, w],
        }
    }
}
