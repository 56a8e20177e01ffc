//! The result of a run, as `metrics.json` keeps it.

use crate::record::choice::KernelChoice;
use crate::record::paired::Judgement;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::{BackboneName, Preset};
use dashnas_core::stage::Stage;
use dashnas_core::task::{Loss, Metric, TaskKind};
use dashnas_nn::artifact::ModelCard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Version of the program.
    pub version: String,
    /// Name of the data set.
    pub dataset: String,
    /// The task.
    pub task: TaskKind,
    /// The training loss.
    pub loss: Loss,
    /// The metric of `test`, `baseline_test` and `validation`. Lower is better.
    pub metric: Metric,
    /// The metric of the searched network on the test split after its last epoch; `None` before the evaluation.
    pub test: Option<f64>,
    /// The metric of the plain backbone on the test split, if it was trained.
    pub baseline_test: Option<f64>,
    /// The metric of the best tuning trial on the validation split, if there was a tuning.
    pub validation: Option<f64>,
    /// The topology of the network.
    pub backbone: BackboneName,
    /// `[kernel size, dilation]` of every searched layer, in the order of the network.
    pub architecture: Vec<[usize; 2]>,
    /// Whether the kernels were given by the configuration, and not searched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kernels_given: bool,
    /// The hyperparameters of retraining.
    pub hyperparameters: Hyperparameters,
    /// Number of trainable parameters of the searched network.
    pub params: u64,
    /// Number of trainable parameters of the plain backbone, if it was trained.
    pub baseline_params: Option<u64>,
    /// The preset.
    pub preset: Preset,
    /// The seed.
    pub seed: u64,
    /// Samples in the training and test splits.
    pub samples: [usize; 2],
    /// How the kernels were chosen; `None` in the files of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<KernelChoice>,
    /// Whether the test set shows a difference to the plain network and to guessing; `None` as above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// Whether the test samples have weights, by which they count in the metric.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weighted: bool,
    /// Wall-clock seconds of each stage, over all the processes that worked on it.
    pub seconds: BTreeMap<Stage, f64>,
    /// The changes that limits on time or memory made to the run, why a tuning ended early, and what the result suggests to
    /// do, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The values that were decided where the configuration has `"auto"`, or where a limit changed a value, by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub resolved: BTreeMap<String, toml::Value>,
    /// The run directory.
    pub run_dir: PathBuf,
}

impl Outcome {
    /// The outcome of a trained model before it is evaluated on any samples. `choice` says how its kernels were chosen, if
    /// that is known.
    pub fn untested(card: &ModelCard, params: u64, choice: Option<KernelChoice>) -> Self {
        Self {
            version: card.training.version.clone(),
            dataset: card.data.clone(),
            task: card.task,
            loss: card.loss,
            metric: card.metric,
            test: None,
            baseline_test: None,
            validation: card.training.validation,
            backbone: card.architecture.backbone,
            architecture: card.architecture.kernels.clone(),
            kernels_given: choice == Some(KernelChoice::Given),
            hyperparameters: card.training.hyperparameters,
            params,
            baseline_params: None,
            preset: card.training.preset,
            seed: card.training.seed,
            samples: [card.training.samples, 0],
            choice,
            judgement: None,
            weighted: false,
            seconds: BTreeMap::new(),
            notes: Vec::new(),
            resolved: BTreeMap::new(),
            run_dir: PathBuf::new(),
        }
    }

    /// The relative improvement of the searched network over the plain backbone, `(b − t) / b` for their test metrics t
    /// and b; negative if the searched network is worse. `None` if one of them is missing or b is 0.
    pub fn improvement(&self) -> Option<f64> {
        match (self.test, self.baseline_test) {
            (Some(test), Some(baseline)) if baseline > 0.0 => Some((baseline - test) / baseline),
            _ => None,
        }
    }

    /// Whether there was no search, so that the kernels are those of the plain network.
    pub fn not_searched(&self) -> bool {
        self.choice == Some(KernelChoice::NotSearched)
    }

    /// The receptive field of a searched layer on each axis, `(k − 1)·d + 1` positions.
    pub fn receptive_field([kernel_size, dilation]: [usize; 2]) -> usize {
        kernel_size.saturating_sub(1).saturating_mul(dilation).saturating_add(1)
    }
}
