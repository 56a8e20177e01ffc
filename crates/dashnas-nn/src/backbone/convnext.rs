//! ConvNeXt (Liu et al. 2022, "A ConvNet for the 2020s"): depthwise convolutions with large kernels between layer
//! normalizations and linear maps of the channels.

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::node::NodeId;
use crate::graph::topology::Graph;

/// The published kernel size of the depthwise convolutions.
const KERNEL: usize = 7;

/// Four stages of blocks, with m, 2m, 4m and 8m channels. The searched layers are the depthwise convolutions.
///
/// The stem divides an image into patches, 4×4 as published for images of 224×224; of smaller images the patches are 2×2
/// or single points, so that the last stage has a grid of at least 4×4 points, and so they are in dense tasks. A layer
/// normalization and patches of 2×2 are between the stages.
///
/// A dense task needs a prediction at every point: on the way back, each position is repeated, brought to the channels of
/// the stage above by a 1×1 convolution and added to its value, and a block follows. That is not a part of the publication.
/// Dropout at the end of each branch stands for stochastic depth.
#[derive(Debug, Clone, Copy)]
pub struct ConvNext {
    /// The channels of the first stage, m.
    channels: usize,
    /// The number of blocks of each stage.
    depths: [usize; 4],
}

impl ConvNext {
    /// The smallest published size in the library timm, there called `convnext_atto`.
    pub const ATTO: ConvNext = ConvNext { channels: 40, depths: [2, 2, 6, 2] };
    /// ConvNeXt-T of the publication.
    pub const TINY: ConvNext = ConvNext { channels: 96, depths: [3, 3, 9, 3] };
}

impl Backbone for ConvNext {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let m = shape.base.unwrap_or(self.channels);
        let mut net = GraphBuilder::new(2);
        let input = net.input(shape.channels);
        let stem = net.after(input);
        let stem = match patch(shape) {
            1 => stem.pointwise(m, 1),
            size => stem.patches(m, size),
        };
        let mut x = stem.layer_norm().end();
        let mut stages = Vec::new();
        for (stage, depth) in self.depths.into_iter().enumerate() {
            if stage > 0 {
                x = net.after(x).layer_norm().patches(m << stage, 2).end();
            }
            for _ in 0..depth {
                x = block(&mut net, x);
            }
            stages.push(x);
        }
        if shape.dense {
            stages.pop();
            for (stage, value) in stages.into_iter().enumerate().rev() {
                let finer = net.resize(x, value);
                let finer = net.after(finer).pointwise(m << stage, 1).end();
                let sum = net.sum(&[finer, value]);
                x = block(&mut net, sum);
            }
        }
        net.finish_normalized(x, shape.outputs, shape.dense)
    }
}

/// The size of the patches of the stem.
fn patch(shape: NetworkSpec<'_>) -> usize {
    match shape.extent {
        _ if shape.dense => 1,
        128.. => 4,
        64.. => 2,
        _ => 1,
    }
}

/// Adds a block: a depthwise convolution, a layer normalization, and a linear map to four times the channels and one
/// back, with a Gaussian error linear unit between them; the result, multiplied by a factor for each channel, is added to
/// the input.
fn block(net: &mut GraphBuilder, input: NodeId) -> NodeId {
    let c = net.channels(input);
    let wide = net.after(input).grouped_conv(c, KERNEL, 1, c).layer_norm().pointwise(c.saturating_mul(4), 1).gelu();
    let body = wide.pointwise(c, 1).layer_scale().dropout().end();
    net.sum(&[body, input])
}
