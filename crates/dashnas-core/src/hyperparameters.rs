//! The hyperparameters of training, which tuning chooses.

use serde::{Deserialize, Serialize};

/// The hyperparameters that a network is trained with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Hyperparameters {
    /// Learning rate at the start of the schedule.
    pub lr: f64,
    /// Weight decay (L2 penalty).
    pub weight_decay: f64,
    /// Momentum of stochastic gradient descent.
    pub momentum: f64,
    /// Probability with which dropout sets an activation to 0.
    pub dropout: f64,
}
