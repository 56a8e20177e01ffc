//! Backbones: fixed topologies whose convolutions the search replaces (§3.1).
//!
//! A backbone says *where* convolutions are; the search says *which* they are. It is described
//! as data, a [`Plan`], that [`crate::network`] builds and runs, so that adding one is a file
//! here, a name in [`BackboneName`] and a line in its `resolve`.

mod trace;
mod wrn1d;
mod wrn2d;

pub use trace::Traced;
pub use wrn1d::Wrn1d;
pub use wrn2d::Wrn2d;

use crate::config::BackboneName;
use serde::{Deserialize, Serialize};

/// One operation on a path of the network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "op")]
pub enum Op {
    /// A convolution that the search replaces.
    Conv {
        /// Input channels.
        c_in: usize,
        /// Output channels.
        c_out: usize,
        /// Stride on every axis of the data.
        stride: usize,
        /// Kernel size in the plain backbone; odd.
        kernel: usize,
    },
    /// A 1×1 convolution, which is never searched.
    Pointwise {
        /// Input channels.
        c_in: usize,
        /// Output channels.
        c_out: usize,
        /// Stride on every axis of the data.
        stride: usize,
    },
    /// Batch normalization.
    Norm {
        /// Channels.
        channels: usize,
    },
    /// Rectified linear unit.
    Relu,
    /// Dropout at the rate that training sets.
    Dropout,
}

/// What is added to the result of a stage's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Residual {
    /// Nothing.
    None,
    /// The stage's input.
    Identity,
    /// The stage's input through these operations.
    Project {
        /// The operations of the shortcut.
        ops: Vec<Op>,
    },
}

/// A path of operations with an optional residual connection around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// The operations, in order.
    pub body: Vec<Op>,
    /// What is added to their result.
    pub residual: Residual,
}

/// A whole topology up to the head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Axes of the data, 1 or 2.
    pub dims: usize,
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// Channels that the last stage gives to the head.
    pub features: usize,
}

impl Plan {
    /// The searched convolutions in the order of the forward pass.
    pub fn searched(&self) -> Vec<&Op> {
        self.stages.iter().flat_map(|s| &s.body).filter(|op| matches!(op, Op::Conv { .. })).collect()
    }

    /// The plain backbone's architecture: its own kernel sizes, no dilation.
    pub fn plain(&self) -> Vec<[usize; 2]> {
        self.searched()
            .into_iter()
            .map(|op| match op {
                Op::Conv { kernel, .. } => [*kernel, 1],
                _ => unreachable!("`searched` keeps convolutions only"),
            })
            .collect()
    }
}

/// What a backbone needs to know of the task to lay out its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape<'a> {
    /// Channels of the input.
    pub channels: usize,
    /// Outputs of the head (classes, labels, field channels).
    pub outputs: usize,
    /// Whether the network predicts at every position: then nothing is strided.
    pub dense: bool,
    /// Multiplier of the channel counts (2-D).
    pub width: usize,
    /// Channels of the first block (1-D); `None`: the paper's rule.
    pub base: Option<usize>,
    /// Odd kernel sizes of the plain backbone where it has several (1-D), in a block's order.
    pub plain_kernels: &'a [usize],
}

/// A topology that the search can work on.
pub trait Backbone {
    /// Lays the network out.
    fn plan(&self, shape: Shape<'_>) -> Plan;
}

impl BackboneName {
    /// The backbone of this name.
    pub fn resolve(self) -> &'static dyn Backbone {
        match self {
            BackboneName::Wrn2d => &Wrn2d,
            BackboneName::Wrn1d => &Wrn1d,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape<'static> =
        Shape { channels: 3, outputs: 10, dense: false, width: 4, base: None, plain_kernels: &[7, 5, 3] };

    /// Channels in and out of every operation must chain, along the body and the shortcut.
    fn check_chain(ops: &[Op], mut c: usize) -> (usize, usize) {
        let mut stride_product = 1;
        for op in ops {
            match *op {
                Op::Conv { c_in, c_out, stride, .. } | Op::Pointwise { c_in, c_out, stride } => {
                    assert_eq!(c_in, c);
                    stride_product *= stride;
                    c = c_out;
                }
                Op::Norm { channels } => assert_eq!(channels, c),
                Op::Relu | Op::Dropout => {}
            }
        }
        (c, stride_product)
    }

    #[test]
    fn every_plan_chains_its_channels_and_strides() {
        for name in BackboneName::ALL {
            for dense in [false, true] {
                for width in [1, 4] {
                    for outputs in [1, 12, 100] {
                        let plan = name.resolve().plan(Shape { outputs, dense, width, ..SHAPE });
                        let (mut c, mut total_stride) = (3, 1);
                        for stage in &plan.stages {
                            let body = check_chain(&stage.body, c);
                            match &stage.residual {
                                Residual::None => {}
                                Residual::Identity => assert_eq!(body, (c, 1)),
                                Residual::Project { ops } => assert_eq!(check_chain(ops, c), body),
                            }
                            c = body.0;
                            total_stride *= body.1;
                        }
                        assert_eq!(c, plan.features);
                        if dense {
                            assert_eq!(total_stride, 1, "a dense head needs the input's own grid");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn wrn_16_has_thirteen_searched_layers_and_the_series_network_nine() {
        let two = Wrn2d.plan(SHAPE);
        assert_eq!(two.plain(), vec![[3, 1]; 13]);
        assert_eq!(two.features, 256);
        let one = Wrn1d.plan(Shape { outputs: 24, ..SHAPE });
        assert_eq!(one.plain(), [[7, 1], [5, 1], [3, 1]].repeat(3));
        assert_eq!(one.features, 128);
        assert_eq!(Wrn1d.plan(Shape { outputs: 4, ..SHAPE }).features, 8, "min(4^(4//10 + 1), 64) = 4, doubled");
    }
}
