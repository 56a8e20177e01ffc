//! U-Net (Ronneberger et al. 2015, "U-Net: Convolutional networks for biomedical image segmentation").

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::node::NodeId;
use crate::graph::topology::Graph;

/// The channels of the first level for each unit of width.
const CHANNELS: usize = 8;
/// The number of levels below the first.
const DEPTH: u32 = 3;

/// Two searched convolutions at each level of the way down, with maxima over 2×2 positions between the levels and twice
/// the channels at each; on the way up the values are repeated on the finer grid, halved in channels by a 1×1
/// convolution, and joined with those of the way down.
///
/// Unlike in the publication, borders are padded, batch normalization follows each convolution, and repeating with a 1×1
/// convolution stands for a transposed convolution of size 2: all three as is usual since. A level fewer, because many
/// grids have 32 points or fewer on an axis. A network with one output for a sample takes the mean over the grid of the
/// last level of the way up.
#[derive(Debug, Clone, Copy)]
pub struct UNet;

impl Backbone for UNet {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let m = shape.base_2d();
        let mut net = GraphBuilder::new(2);
        let mut x = net.input(shape.channels);
        let mut down = Vec::new();
        for level in 0..DEPTH {
            let value = two(&mut net, x, m << level);
            down.push(value);
            x = net.after(value).max_pool(2, 2).end();
        }
        x = two(&mut net, x, m << DEPTH);
        for (level, skip) in down.into_iter().enumerate().rev() {
            let finer = net.resize(x, skip);
            let finer = net.after(finer).pointwise(m << level, 1).end();
            let joined = net.concat(&[skip, finer]);
            x = two(&mut net, joined, m << level);
        }
        net.finish(x, shape.outputs, shape.dense)
    }
}

impl NetworkSpec<'_> {
    /// The channels of the first level.
    fn base_2d(&self) -> usize {
        CHANNELS.saturating_mul(self.width).min(1 << 20)
    }
}

/// Adds two searched convolutions, each with dropout, batch normalization and ReLU.
fn two(net: &mut GraphBuilder, input: NodeId, channels: usize) -> NodeId {
    let once = net.after(input).conv(channels, 3, 1).dropout().norm().relu().end();
    net.after(once).conv(channels, 3, 1).dropout().norm().relu().end()
}
