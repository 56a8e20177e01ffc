//! A temporal convolutional network (Bai et al. 2018, "An empirical evaluation of generic convolutional and recurrent
//! networks for sequence modeling"): causal convolutions whose dilation doubles from block to block.

use crate::backbone::spec::{Backbone, NetworkSpec};
use crate::graph::build::GraphBuilder;
use crate::graph::topology::Graph;

/// The number of residual blocks, and the exponent of the largest dilation and one more.
const BLOCKS: u32 = 8;

/// Eight residual blocks of two causal convolutions, dilated 2^i in block i of the plain network, with ReLU after the
/// sum. The last position is the feature of the sample. 25 channels and kernels of size 7, as published for sequences of
/// pixels.
///
/// Batch normalization stands for the weight normalization of the publication, with dropout before it as in the other
/// networks here.
#[derive(Debug, Clone, Copy)]
pub struct Tcn;

impl Backbone for Tcn {
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph {
        let channels = shape.base.unwrap_or(25);
        let kernel = shape.plain_kernels.first().copied().unwrap_or(7);
        let mut net = GraphBuilder::new(1);
        let mut x = net.input(shape.channels);
        for block in 0..BLOCKS {
            let mut body = net.after(x);
            for _ in 0..2 {
                body = body.causal_conv(channels, kernel, 1 << block).dropout().norm().relu();
            }
            let body = body.end();
            let same = net.channels(x) == channels;
            let shortcut = if same { x } else { net.after(x).pointwise(channels, 1).end() };
            let sum = net.sum(&[body, shortcut]);
            x = net.after(sum).relu().end();
        }
        net.finish_at_the_last(x, shape.outputs, shape.dense)
    }
}
