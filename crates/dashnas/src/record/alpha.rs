//! The mixing probabilities that the search writes after every epoch.

use serde::{Deserialize, Serialize};

/// The mixing probabilities of every layer after an epoch; one line of `alpha.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlphaRecord {
    /// The epoch, from 0.
    pub epoch: usize,
    /// softmax(α) of each layer, candidates k-major.
    pub layers: Vec<Vec<f64>>,
}
