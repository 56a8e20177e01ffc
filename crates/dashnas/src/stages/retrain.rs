//! Retraining (§3.3, A.5.2): the discretized network, or the plain backbone, is trained on all training data, a given
//! validation split included; the model is the network after the last epoch.

use crate::error::Error;
use crate::problem::build::fresh_network;
use crate::problem::state::Problem;
use crate::train::fit::{Fit, RESTARTS};
use crate::train::plan::{FitPlan, fit_plan};
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use burn::tensor::Device;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use dashnas_core::stage::Stage;
use dashnas_nn::network::Network;

/// The training with the tuned hyperparameters, from the configuration of a problem.
fn plan(problem: &Problem, hyperparameters: Hyperparameters) -> FitPlan {
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

/// Trains the network with the given kernels on all training data.
///
/// # Errors
/// Those of [`Fit::run`].
pub(crate) fn retrain(
    problem: &Problem,
    kernels: &[[usize; 2]],
    hyperparameters: Hyperparameters,
    progress: StageProgress,
    device: &Device,
    recorder: &mut dyn Recorder,
) -> Result<Network, Error> {
    let rows: Vec<usize> = (0..samples(problem)).collect();
    let loss = problem.setup.loss(device);
    let fit = Fit {
        progress,
        trial: None,
        streams: "retrain",
        problem,
        indices: &rows,
        loss: &loss,
        plan: &plan(problem, hyperparameters),
        length: problem.budget.retrain_length(progress.stage),
        seed: Seed(problem.config().seed),
        restarts: RESTARTS,
        device,
        slot: None,
    };
    fit.run(fresh_network(problem, kernels, device), recorder, &mut ())
}
