//! The convolutions of a network: shapes, algorithms and numbers of operations.

use crate::bench::cases::Case;
use aggconv::kernels::{self, Algorithm};
use aggconv::{ConvGeometry, TapSet};
use dashnas_nn::graph::node::{Convolution, Operation};
use dashnas_nn::network::{ConvLayer, Network};
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
    /// The number of convolutions that compute it: one, or by Eq. 2 one for each candidate.
    pub convolutions: usize,
    /// The number of taps of their kernels that can reach the input.
    pub taps: usize,
    /// The algorithm of the formulation or, if it leaves the choice open, the one selected by the shape.
    pub algorithm: Algorithm,
    /// Billions of floating-point operations in a training step: forward and both gradients.
    pub gflop: f64,
}

/// Every convolution of a network in the order of the forward pass.
pub(super) fn layers(case: &Case, network: &Network) -> Vec<LayerReport> {
    let graph = network.graph();
    let dims = graph.dims();
    let lattice = |k, d, causal| if causal { TapSet::causal(k, d) } else { TapSet::lattice(k, d, dims) };
    let mut out = Vec::new();
    for node in graph.trace(case.input) {
        let &Operation::Conv(conv) = node.operation else { continue };
        let Convolution { channels: [c_in, c_out], kernel, stride, searched, dilation, causal, groups, patches } = conv;
        let geometry = |groups, taps| {
            let stride = if dims == 1 { [1, stride] } else { [stride, stride] };
            ConvGeometry { batch: case.batch, c_in, c_out, groups, input: node.input, stride, taps: Arc::new(taps) }
        };
        let conv = if searched { network.convs().get(graph.index(node.id)) } else { None };
        out.push(match conv {
            Some(ConvLayer::Mixed(conv)) => {
                let g = geometry(conv.groups, lattice(1, 1, false));
                layer(&conv.formulation.convolutions(&conv.space, dims, &g), |g| conv.formulation.algorithm(g))
            }
            Some(ConvLayer::Fixed(conv)) => {
                let taps = lattice(conv.candidate.k, conv.candidate.d, causal);
                layer(&[geometry(conv.groups, taps)], kernels::select)
            }
            None | Some(ConvLayer::Shared(_)) => {
                let taps = if patches { TapSet::patch(kernel, dims) } else { lattice(kernel, dilation, causal) };
                layer(&[geometry(groups, taps)], kernels::select)
            }
        });
    }
    // The input of the network needs no gradient, so that its first layer has two thirds of the operations.
    if let Some(first) = out.first_mut() {
        first.gflop *= 2.0 / 3.0;
    }
    out
}

/// The report on a layer that is computed by one or more convolutions.
fn layer(convolutions: &[ConvGeometry], choose: impl Fn(&ConvGeometry) -> Algorithm) -> LayerReport {
    let first = &convolutions[0];
    let gflop = |g: &ConvGeometry| 3.0 * kernels::arithmetic(choose(g), g) / 1e9;
    LayerReport {
        channels: [first.c_in, first.c_out],
        input: first.input,
        groups: first.groups,
        stride: first.stride[1],
        convolutions: convolutions.len(),
        taps: convolutions.iter().map(|g| g.taps.reachable(g.input).len()).sum(),
        algorithm: choose(first),
        gflop: convolutions.iter().map(gflop).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::cases::Case;
    use crate::bench::{Mode, StepBench};

    fn layers(mode: Mode, depthwise: bool) -> Vec<LayerReport> {
        let mut case = Case::named("ecg").expect("a case");
        case.batch = 2;
        case.input = [1, 40];
        StepBench { case, mode, formulation: None, depthwise, width: 1, steps: 1 }.run().expect("valid").layers
    }

    /// The formulations that the paper compares are timed as they are, and not replaced by faster ones.
    #[test]
    fn a_layer_is_reported_by_its_own_formulation() {
        let mixed = |mode| layers(mode, false).into_iter().filter(|l| l.taps > 1).collect::<Vec<_>>();
        let (auto, weights, results) = (mixed(Mode::Dash), mixed(Mode::MixedWeights), mixed(Mode::MixedResults));
        assert!(auto.len() == 9 && weights.len() == 9 && results.len() == 9);
        for i in 0..9 {
            // 5 kernel sizes with 4 dilations; the dense kernel has a tap at every position within reach.
            assert_eq!((auto[i].convolutions, weights[i].convolutions, results[i].convolutions), (1, 1, 20));
            assert_eq!((weights[i].algorithm, results[i].algorithm), (Algorithm::Direct, Algorithm::Direct));
            assert_eq!(weights[i].taps, 79);
            assert!(auto[i].taps < 79 && results[i].taps > 79, "{auto:?} {results:?}");
            assert!(auto[i].gflop < results[i].gflop && auto[i].gflop > 0.0);
        }
    }

    #[test]
    fn depthwise_and_discretized_layers_are_reported() {
        let groups: Vec<usize> = layers(Mode::Dash, true).iter().map(|l| l.groups).collect();
        assert!(groups.contains(&4) && groups.contains(&8), "{groups:?}");
        let taps: Vec<usize> = layers(Mode::Retrain, false).iter().map(|l| l.taps).filter(|&t| t > 1).collect();
        // [11, 3], [19, 7], … of the pattern, without the taps that 40 positions cannot reach.
        assert_eq!(taps[..2], [11, 11], "{taps:?}");
    }
}
