//! The stages of a run.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A stage of the pipeline, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Reading or generating the data set.
    Data,
    /// Training the supernet.
    Search,
    /// Choosing the training hyperparameters by trials.
    Tune,
    /// Training the discretized network.
    Retrain,
    /// Training the plain backbone.
    Baseline,
    /// Evaluating the trained networks on the test split.
    Evaluate,
}

impl Stage {
    /// Every stage, in the order they run.
    pub const ALL: [Stage; 6] =
        [Stage::Data, Stage::Search, Stage::Tune, Stage::Retrain, Stage::Baseline, Stage::Evaluate];

    /// The name used in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Data => "data",
            Stage::Search => "search",
            Stage::Tune => "tune",
            Stage::Retrain => "retrain",
            Stage::Baseline => "baseline",
            Stage::Evaluate => "evaluate",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
