//! The size of retraining (A.5.2), which follows from the configuration and the limits. Nothing here trains a network.

use crate::problem::state::Problem;
use crate::train::plan::{FitPlan, fit_plan};
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::stage::Stage;

/// The training with the tuned hyperparameters, from the configuration of a problem.
pub(crate) fn plan(problem: &Problem, hyperparameters: Hyperparameters) -> FitPlan {
    let c = &problem.config().retrain;
    fit_plan(hyperparameters, problem, c.epochs, samples(problem), [c.min_steps, c.max_steps])
}

/// The number of samples that the network is retrained on.
pub(crate) fn samples(problem: &Problem) -> usize {
    problem.setup.trained_on(Stage::Retrain, None).len()
}

/// Epochs and steps of retraining in a stage.
pub(crate) fn size(problem: &Problem, stage: Stage) -> (usize, u64) {
    let plan = plan(problem, problem.config().untuned(problem.setup.task));
    let n = samples(problem);
    match problem.budget.retrain_length(stage) {
        None => (plan.epochs, plan.steps(n)),
        Some(length) => ((length.steps() as usize).div_ceil(plan.steps_per_epoch(n)), length.steps()),
    }
}
