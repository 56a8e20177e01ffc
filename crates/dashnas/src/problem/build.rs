//! Networks for a problem.

use crate::problem::backbone::{BackboneData, backbone_graph};
use crate::problem::state::Problem;
use burn::tensor::Device;
use dashnas_core::rng::Seed;
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::network::{Kernels, Network};

/// The network that is tuned and retrained, always with the same initial weights.
pub(crate) fn fresh_network(problem: &Problem, kernels: &[[usize; 2]], device: &Device) -> Network {
    network_of_width(problem, problem.config().backbone.width, kernels, device)
}

/// As [`fresh_network`], of another width.
pub(crate) fn network_of_width(problem: &Problem, width: usize, kernels: &[[usize; 2]], device: &Device) -> Network {
    let graph = graph(problem, width);
    let mut init = Seed(problem.config().seed).stream("retrain/init", &[]);
    let kernels = Kernels::Fixed(kernels.to_vec());
    Network::new(&graph, &kernels, &mut init, device)
}

/// The network of a contestant of a race: its initial weights are those of all networks of its round.
pub(crate) fn racing_network(problem: &Problem, kernels: &[[usize; 2]], round: usize, device: &Device) -> Network {
    let graph = graph(problem, problem.config().backbone.search_width);
    let mut init = Seed(problem.config().seed).stream("race/init", &[round as u64]);
    Network::new(&graph, &Kernels::Fixed(kernels.to_vec()), &mut init, device)
}

/// The graph of the backbone of a problem at a width.
pub(crate) fn graph(problem: &Problem, width: usize) -> Graph {
    let setup = &problem.setup;
    let data = BackboneData::new(setup.dims(), setup.train.input(), setup.task);
    backbone_graph(problem.config(), data, width)
}
