//! InceptionTime (Ismail Fawaz et al. 2020, "InceptionTime: Finding AlexNet for time series classification"): parallel
//! convolutions of different lengths. Here one network; the paper's classifier is the mean of five.

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::node::NodeId;
use crate::graph::topology::Graph;

/// The number of modules.
const DEPTH: usize = 6;
/// The number of modules that a shortcut leads around.
const PER_SHORTCUT: usize = 3;

/// Six inception modules with a shortcut around each three of them.
///
/// A module brings its input to m channels by a 1×1 convolution, unless it has only one, and applies the searched
/// convolutions side by side, each with m outputs; another branch is a maximum over three positions with a 1×1
/// convolution. Batch normalization and ReLU follow their concatenation. m is 32 in the publication. The convolutions
/// have biases here, which the normalization cancels.
#[derive(Debug, Clone, Copy)]
pub struct InceptionTime;

impl Backbone for InceptionTime {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let m = shape.base.unwrap_or(32);
        let mut net = GraphBuilder::new(1);
        let mut x = net.input(shape.channels);
        let mut before = x;
        for depth in 1..=DEPTH {
            x = module(&mut net, x, m, shape.plain_kernels);
            if depth % PER_SHORTCUT == 0 {
                let channels = net.channels(x);
                let shortcut = net.after(before).pointwise(channels, 1).norm().end();
                let sum = net.sum(&[x, shortcut]);
                x = net.after(sum).relu().end();
                before = x;
            }
        }
        net.finish(x, shape.outputs, shape.dense)
    }
}

/// Adds an inception module.
fn module(net: &mut GraphBuilder, input: NodeId, m: usize, kernels: &[usize]) -> NodeId {
    let narrow = if net.channels(input) > 1 { net.after(input).pointwise(m, 1).end() } else { input };
    let mut branches: Vec<NodeId> = kernels.iter().map(|&kernel| net.after(narrow).conv(m, kernel, 1).end()).collect();
    branches.push(net.after(input).max_pool(3, 1).pointwise(m, 1).end());
    let all = net.concat(&branches);
    net.after(all).dropout().norm().relu().end()
}
