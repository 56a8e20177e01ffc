//! The residual network for time series (Wang et al. 2017; Fawaz et al. 2020), the paper's 1-D
//! backbone, there called 1D WRN (appendix A.5.1).

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::node::NodeId;
use crate::graph::topology::Graph;

/// Three residual blocks of three convolutions, each followed by dropout, batch normalization
/// and ReLU, with m, 2m and 2m channels, `m = min(4^(outputs//10 + 1), 64)` unless set. The width
/// factor applies to the 2-D network only: the paper uses one width for this one.
///
/// The paper's kernels are 8, 5 and 3; only odd kernels have a centered "same" padding, so the
/// plain backbone here uses 7, 5 and 3 by default.
#[derive(Debug, Clone, Copy)]
pub struct Wrn1d;

impl Backbone for Wrn1d {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let m = shape.base.unwrap_or_else(|| base_channels(shape.outputs));
        let mut net = GraphBuilder::new(1);
        let mut x = net.input(shape.channels);
        for channels in [m, 2 * m, 2 * m] {
            x = block(&mut net, x, channels, shape.plain_kernels);
        }
        net.finish(x, shape.outputs, shape.dense)
    }
}

/// Adds a residual block: one convolution for each kernel size, and a shortcut, which is a projection where the number
/// of channels changes.
fn block(net: &mut GraphBuilder, input: NodeId, channels: usize, kernels: &[usize]) -> NodeId {
    let mut body = net.after(input);
    for &kernel in kernels {
        body = body.conv(channels, kernel, 1).dropout().norm().relu();
    }
    let body = body.end();
    let same = net.channels(input) == channels;
    let shortcut = if same { input } else { net.after(input).pointwise(channels, 1).norm().end() };
    net.sum(&[body, shortcut])
}

/// `min(4^(outputs//10 + 1), 64)`: fewer channels for tasks with few classes.
fn base_channels(outputs: usize) -> usize {
    match outputs / 10 {
        0 => 4,
        1 => 16,
        _ => 64,
    }
}
