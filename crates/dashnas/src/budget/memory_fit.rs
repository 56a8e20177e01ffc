//! The decisions that make a run fit into its memory limit.

use aggconv::Formulation;
use serde::{Deserialize, Serialize};

/// The way in which a run fits into its memory limit. Checkpoints keep it, so that a resumed run computes in the same
/// way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MemoryFit {
    /// The formulation of the search, if it had to be replaced.
    pub(crate) formulation: Option<Formulation>,
    /// Samples in a micro-batch of the search; `None`: the whole batch.
    #[serde(rename = "search")]
    pub(crate) search_micro_batch: Option<usize>,
    /// Samples in a micro-batch of the other trainings; `None`: the whole batch.
    #[serde(rename = "train")]
    pub(crate) train_micro_batch: Option<usize>,
    /// Samples that an evaluation takes at once.
    #[serde(rename = "evaluation")]
    pub(crate) evaluation_batch: usize,
    /// Bytes for a training beside the data and the process.
    #[serde(rename = "room", default)]
    pub(crate) headroom: u64,
    /// The changes, as messages.
    pub notes: Vec<String>,
}
