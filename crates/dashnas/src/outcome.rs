//! The result of a run: what `--json` prints and the run directory keeps.

use crate::config::{BackboneName, Preset};
use crate::event::Stage;
use crate::task::{Loss, Metric, TaskKind};
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
    /// What `test` is. Lower is better.
    pub metric: Metric,
    /// The searched network's metric on the test split after its last epoch; none before `evaluate`.
    pub test: Option<f64>,
    /// The plain backbone's metric on the test split, if it was trained.
    pub baseline_test: Option<f64>,
    /// Metric on the validation split of the tuner's best trial, if there was tuning.
    pub validation: Option<f64>,
    /// The network's topology.
    pub backbone: BackboneName,
    /// `[kernel size, dilation]` of every searched layer, in the order of the network.
    pub architecture: Vec<[usize; 2]>,
    /// The training hyperparameters it was retrained with.
    pub hyperparameters: Hyperparameters,
    /// Trainable numbers of the searched network.
    pub params: u64,
    /// Trainable numbers of the plain backbone, if it was trained.
    pub baseline_params: Option<u64>,
    /// The preset.
    pub preset: Preset,
    /// The seed.
    pub seed: u64,
    /// Samples in the training and test splits.
    pub samples: [usize; 2],
    /// Wall-clock seconds of each stage, over all the processes that worked on it.
    pub seconds: BTreeMap<Stage, f64>,
    /// What limits on time or memory changed about the run, and why fewer tuning trials were run than could have
    /// been, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The run directory.
    pub run_dir: PathBuf,
}

/// What a network is trained with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// Learning rate at the start.
    pub lr: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Momentum.
    pub momentum: f64,
    /// Dropout rate.
    pub dropout: f64,
}

impl Outcome {
    /// How much lower the searched network's test metric is than the plain backbone's, as a share of the
    /// latter; negative if it is higher. None without both, or if the backbone's is 0.
    pub fn improvement(&self) -> Option<f64> {
        match (self.test, self.baseline_test) {
            (Some(test), Some(baseline)) if baseline > 0.0 => Some((baseline - test) / baseline),
            _ => None,
        }
    }

    /// Points on an axis that a searched layer reaches over, `(k − 1)·d + 1`.
    pub fn receptive_field([kernel_size, dilation]: [usize; 2]) -> usize {
        kernel_size.saturating_sub(1).saturating_mul(dilation).saturating_add(1)
    }
}
