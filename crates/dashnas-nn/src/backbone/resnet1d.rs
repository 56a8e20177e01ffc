//! The residual network of 34 layers for long recordings (Hannun et al. 2019; with groups of channels in Hong et al.
//! 2020, "HOLMES: health online model ensemble serving for deep learning models in intensive care units").

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::node::NodeId;
use crate::graph::topology::Graph;

/// The number of residual blocks.
const BLOCKS: usize = 16;
/// The number of blocks after which the channels double.
const PER_WIDTH: usize = 4;

/// A convolution and sixteen pre-activation blocks of two convolutions of groups of channels, with m, 2m, 4m and 8m
/// channels in four blocks each. Every second block halves the series by its first convolution, unless the task is
/// dense, and its shortcut takes the maximum of each two positions.
///
/// The groups are m/2, so that they have 2, 4, 8 and 16 channels; with the published m of 64 these are the published 32
/// groups. For an odd m there are m groups. Without a setting m is 16 here, because 64 channels are made for thousands of
/// recordings. The published kernels are 16: only odd kernels have a centered "same" padding, so the plain backbone has 15.
/// A 1×1 convolution brings a shortcut to more channels, where the publication appends zeros.
#[derive(Debug, Clone, Copy)]
pub struct ResNet1d;

impl Backbone for ResNet1d {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let m = shape.base.unwrap_or(16);
        let kernel = shape.plain_kernels.first().copied().unwrap_or(15);
        let groups = if m.is_multiple_of(2) { m / 2 } else { m };
        let mut net = GraphBuilder::new(1);
        let input = net.input(shape.channels);
        let mut x = net.after(input).conv(m, kernel, 1).norm().relu().end();
        for number in 0..BLOCKS {
            let channels = m << (number / PER_WIDTH);
            let stride = if number % 2 == 1 && !shape.dense { 2 } else { 1 };
            x = block(&mut net, x, Block { channels, kernel, stride, groups, first: number == 0 });
        }
        let features = net.after(x).norm().relu().end();
        net.finish(features, shape.outputs, shape.dense)
    }
}

/// The properties of a residual block.
struct Block {
    channels: usize,
    kernel: usize,
    stride: usize,
    groups: usize,
    /// Whether this is the first block, whose input is normalized already.
    first: bool,
}

/// Adds a residual block.
fn block(net: &mut GraphBuilder, input: NodeId, block: Block) -> NodeId {
    let Block { channels, kernel, stride, groups, first } = block;
    let mut body = net.after(input);
    if !first {
        body = body.norm().relu().dropout();
    }
    body = body.grouped_conv(channels, kernel, stride, groups).norm().relu().dropout();
    let body = body.grouped_conv(channels, kernel, 1, groups).end();
    let mut shortcut = net.after(input);
    if stride > 1 {
        shortcut = shortcut.max_pool(stride, stride);
    }
    let shortcut = shortcut.end();
    let same = net.channels(shortcut) == channels;
    let shortcut = if same { shortcut } else { net.after(shortcut).pointwise(channels, 1).end() };
    net.sum(&[body, shortcut])
}
