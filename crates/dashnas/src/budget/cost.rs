//! The costs that a plan is made from.

use serde::{Deserialize, Serialize};

/// The costs of the kinds of work on this machine, in seconds. An implementation measures a cost when it is first asked
/// for.
pub trait CostModel {
    /// Seconds of a search step on a batch.
    fn search_step(&mut self, batch: usize) -> f64;

    /// Seconds of a training step of a network of some width on a batch.
    fn train_step(&mut self, width: usize, batch: usize) -> f64;

    /// The cost of evaluating a network of some width: with the searched kernels, or with those of the plain backbone.
    fn evaluation(&mut self, width: usize, plain: bool) -> EvaluationCost;

    /// Seconds of evaluating the searched network on one sample.
    fn evaluate_sample(&mut self, width: usize) -> f64 {
        self.evaluation(width, false).sample
    }

    /// The cost of a tuning step when trials run concurrently, as a fraction of the cost of a step that has the machine
    /// to itself.
    fn concurrent_share(&mut self, _width: usize, _batch: usize) -> f64 {
        1.0
    }
}

/// The cost of evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationCost {
    /// Seconds for each sample.
    pub sample: f64,
    /// The batch size that was timed, or that the cost of a sample was extrapolated from.
    pub batch: usize,
    /// Seconds of that batch.
    pub seconds: f64,
}
