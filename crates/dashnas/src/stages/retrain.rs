//! Retraining (§3.3, A.5.2): the discretized network, or the plain backbone, is trained on all training data, a given
//! validation split included; the model is the network after the last epoch.

use crate::error::Error;
use crate::problem::build::fresh_network;
use crate::problem::state::Problem;
use crate::train::fit::{Fit, RESTARTS};
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::train::retraining::{plan, samples};
use burn::tensor::Device;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use dashnas_nn::network::Network;

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
        draw: None,
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
