//! Retraining (§3.3, A.5.2): the discretized network, or the plain backbone, on all training
//! data, a given validation split included; the model is the one after the last epoch.

use crate::error::Error;
use crate::event::Stage;
use crate::journal::Journal;
use crate::network::Network;
use crate::outcome::Hyperparameters;
use crate::problem::Problem;
use crate::rng::Seed;
use crate::train::{Fit, FitPlan, RESTARTS};
use crate::tune::{Progress, fresh_network};
use burn::tensor::Device;

/// The training that a problem's configuration and the tuned hyperparameters stand for.
fn plan(problem: &Problem, hyperparameters: Hyperparameters) -> FitPlan {
    let c = &problem.config.retrain;
    hyperparameters.plan(problem, c.epochs, samples(problem), [c.min_steps, c.max_steps])
}

/// How many samples the network is retrained on.
pub(crate) fn samples(problem: &Problem) -> usize {
    problem.trained_on(Stage::Retrain, None).len()
}

/// Epochs and steps of retraining in a stage.
pub(crate) fn size(problem: &Problem, stage: Stage) -> (usize, u64) {
    let plan = plan(problem, Hyperparameters::untuned(&problem.config, problem.task));
    let n = samples(problem);
    match problem.budget.retrain_length(stage) {
        None => (plan.epochs, plan.steps(n)),
        Some(length) => ((length.steps() as usize).div_ceil(plan.steps_an_epoch(n)), length.steps()),
    }
}

/// Trains the network of the given kernels on all training data.
///
/// # Errors
/// Those of [`Fit::run`].
pub(crate) fn retrain(
    problem: &Problem,
    kernels: &[[usize; 2]],
    hyperparameters: Hyperparameters,
    progress: &Progress,
    device: &Device,
    journal: &mut Journal<'_>,
) -> Result<Network, Error> {
    let rows: Vec<usize> = (0..samples(problem)).collect();
    let loss = problem.loss(device);
    let fit = Fit {
        stage: progress.stage,
        trial: None,
        progress: [progress.done, progress.total],
        streams: "retrain",
        problem,
        indices: &rows,
        loss: &loss,
        plan: &plan(problem, hyperparameters),
        length: problem.budget.retrain_length(progress.stage),
        seed: Seed(problem.config.seed),
        restarts: RESTARTS,
        device,
        lane: None,
    };
    fit.run(fresh_network(problem, kernels, device), journal, &mut ())
}
