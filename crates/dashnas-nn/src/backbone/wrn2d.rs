//! Wide ResNet 16-w (Zagoruyko and Komodakis, 2016), the paper's 2-D backbone (appendix A.5.1).

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::node::NodeId;
use crate::graph::topology::Graph;

/// A 3×3 stem of 16 channels, then three groups of two pre-activation blocks with 16w, 32w and
/// 64w channels, then batch normalization and ReLU before the head. The second and third group
/// halve the grid (in their first block's second convolution, where the paper's table puts the
/// stride), unless the task is dense.
#[derive(Debug, Clone, Copy)]
pub struct Wrn2d;

const STEM: usize = 16;
const BLOCKS_PER_GROUP: usize = 2;

impl Backbone for Wrn2d {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let mut net = GraphBuilder::new(2);
        let input = net.input(shape.channels);
        let mut x = net.after(input).conv(STEM, 3, 1).end();
        for group in 0..3 {
            let channels = (STEM * shape.width) << group;
            for block in 0..BLOCKS_PER_GROUP {
                let stride = if group > 0 && block == 0 && !shape.dense { 2 } else { 1 };
                x = pre_activation_block(&mut net, x, channels, stride);
            }
        }
        let features = net.after(x).norm().relu().end();
        net.finish(features, shape.outputs, shape.dense)
    }
}

/// Adds a pre-activation block: two convolutions, each after a normalization and a ReLU, and a shortcut, which is a
/// projection where the size changes.
fn pre_activation_block(net: &mut GraphBuilder, input: NodeId, channels: usize, stride: usize) -> NodeId {
    let first = net.after(input).norm().relu().conv(channels, 3, 1).end();
    let body = net.after(first).dropout().norm().relu().conv(channels, 3, stride).end();
    let same = stride == 1 && net.channels(input) == channels;
    let shortcut = if same { input } else { net.after(input).pointwise(channels, stride).end() };
    net.sum(&[body, shortcut])
}
