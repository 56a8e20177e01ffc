//! Times evaluation in the course of a run.

use crate::problem::state::Problem;
use burn::tensor::{Device, Tensor};
use dashnas_nn::network::{Network, Pass};
use std::time::Instant;

/// The seconds of evaluating a network on the first `samples` training samples, of which `cut` may leave a part. The
/// network does not change.
pub(crate) fn time_eval_batch(
    problem: &Problem,
    network: &Network,
    samples: usize,
    cut: impl Fn(Tensor<4>) -> Tensor<4>,
    device: &Device,
) -> f64 {
    let train = &problem.setup.train;
    let rows: Vec<usize> = (0..samples.min(train.len())).collect();
    let started = Instant::now();
    // If the data can no longer be read, the run ends with that error at its next step.
    if let Ok(x) = train.inputs(&rows, &device.clone().inner()) {
        drop(network.forward(cut(x), &mut Pass::evaluation(1.0)).into_data());
    }
    started.elapsed().as_secs_f64()
}
