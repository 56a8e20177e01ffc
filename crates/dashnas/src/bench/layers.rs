//! What each convolution of a network is: its shape, the algorithm chosen, its arithmetic.

use super::cases::Case;
use crate::backbone::{Op, Plan, Residual};
use crate::network::{ConvLayer, Network};
use aggconv::kernels::{self, Algorithm};
use aggconv::{ConvGeometry, MixPlan, TapSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One convolution of a network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// `[c_in, c_out]`.
    pub channels: [usize; 2],
    /// `[height, width]` of its input.
    pub input: [usize; 2],
    /// Channel groups.
    pub groups: usize,
    /// Stride.
    pub stride: usize,
    /// Taps of its kernel that can reach the input.
    pub taps: usize,
    /// The algorithm that its shape selects. (The paper's methods, when asked for, use their own.)
    pub algorithm: Algorithm,
    /// Billions of floating-point operations in a training step: forward and both gradients.
    pub gflop: f64,
}

/// Every convolution of a network in the order of the forward pass.
pub(super) fn layers(plan: &Plan, case: &Case, network: &Network) -> Vec<LayerReport> {
    let mut convs = network.convs().iter();
    let mut out = Vec::new();
    let mut input = case.input;
    for stage in &plan.stages {
        let before = input;
        for op in &stage.body {
            let (Op::Conv { c_in, c_out, stride, .. } | Op::Pointwise { c_in, c_out, stride }) = *op else { continue };
            let (taps, groups) = match (op, convs.len()) {
                (Op::Conv { .. }, 1..) => match convs.next() {
                    Some(ConvLayer::Mixed(conv)) => {
                        (MixPlan::new(&conv.space, plan.dims, input).taps().clone(), conv.groups)
                    }
                    Some(ConvLayer::Fixed(conv)) => {
                        (Arc::new(TapSet::lattice(conv.candidate.k, conv.candidate.d, plan.dims)), conv.groups)
                    }
                    None => continue,
                },
                _ => (Arc::new(TapSet::lattice(1, 1, plan.dims)), 1),
            };
            out.push(layer(plan.dims, case.batch, [c_in, c_out], input, groups, stride, taps));
            input = strided(plan.dims, input, stride);
        }
        if let Residual::Project { ops } = &stage.residual {
            for op in ops {
                if let Op::Pointwise { c_in, c_out, stride } = *op {
                    let taps = Arc::new(TapSet::lattice(1, 1, plan.dims));
                    out.push(layer(plan.dims, case.batch, [c_in, c_out], before, 1, stride, taps));
                }
            }
        }
    }
    // The input of the network needs no gradient: its first layer does two thirds of the work.
    if let Some(first) = out.first_mut() {
        first.gflop *= 2.0 / 3.0;
    }
    out
}

fn strided(dims: usize, [h, w]: [usize; 2], stride: usize) -> [usize; 2] {
    [if dims == 1 { h } else { h.div_ceil(stride) }, w.div_ceil(stride)]
}

fn layer(
    dims: usize,
    batch: usize,
    channels: [usize; 2],
    input: [usize; 2],
    groups: usize,
    stride: usize,
    taps: Arc<TapSet>,
) -> LayerReport {
    let geometry = ConvGeometry {
        batch,
        c_in: channels[0],
        c_out: channels[1],
        groups,
        input,
        stride: if dims == 1 { [1, stride] } else { [stride, stride] },
        taps,
    };
    let algorithm = kernels::select(&geometry);
    LayerReport {
        channels,
        input,
        groups,
        stride,
        taps: geometry.taps.reachable(input).len(),
        algorithm,
        gflop: 3.0 * kernels::arithmetic(algorithm, &geometry) / 1e9,
    }
}
