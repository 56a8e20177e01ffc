//! The latency of a network for one sample on this machine, as a sum over a table of its layers.

use aggconv::Candidate;
use aggconv::nn::KernelConvConfig;
use burn::tensor::{Device, Tensor};
use dashnas_nn::graph::node::{Convolution, Operation};
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::network::{Network, Pass};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Seconds of a forward pass of a single sample, in parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies {
    /// `[layer][candidate]`: seconds of the searched layers.
    pub layers: Vec<Vec<f64>>,
    /// Seconds of everything else.
    pub rest: f64,
}

impl Latencies {
    /// Measures every candidate in every searched layer, each distinct case once. `network` is any network of the graph;
    /// its time beyond that of its searched layers is the rest.
    ///
    /// # Shapes
    /// `input` is `[channels, height, width]`.
    pub fn measure(graph: &Graph, input: [usize; 3], candidates: &[Candidate], network: &Network) -> Self {
        let device = Device::flex();
        let trace = graph.trace([input[1], input[2]]);
        let searched = trace.iter().filter_map(|t| match t.operation {
            Operation::Conv(conv) if conv.searched => Some((conv, t.input)),
            _ => None,
        });
        let convs: Vec<(&Convolution, [usize; 2])> = searched.collect();
        let mut known = HashMap::new();
        let mut of = |conv: &Convolution, grid: [usize; 2], candidate: Candidate| {
            let Convolution { channels: [c_in, c_out], stride, groups, .. } = *conv;
            let case = (c_in, c_out, groups, stride, grid, candidate.k, candidate.d);
            *known.entry(case).or_insert_with(|| {
                let conv = KernelConvConfig::new([c_in, c_out], candidate.k)
                    .with_dims(graph.dims())
                    .with_dilation(candidate.d)
                    .with_stride(stride)
                    .with_groups(groups)
                    .init(&device);
                let x = Tensor::<4>::ones([1, c_in, grid[0], grid[1]], &device);
                median_seconds(|| drop(conv.forward(x.clone()).into_data()))
            })
        };
        let layers =
            convs.iter().map(|&(conv, grid)| candidates.iter().map(|&c| of(conv, grid, c)).collect()).collect();
        let own: f64 = convs
            .iter()
            .zip(network.convs())
            .map(|(&(shape, grid), layer)| match layer {
                dashnas_nn::network::ConvLayer::Fixed(conv) => of(shape, grid, conv.candidate),
                dashnas_nn::network::ConvLayer::Mixed(_) | dashnas_nn::network::ConvLayer::Shared(_) => 0.0,
            })
            .sum();
        let rest = (seconds(network, input) - own).max(0.0);
        Self { layers, rest }
    }
}

/// Seconds of a forward pass of a single sample through a network in evaluation.
pub fn seconds(network: &Network, [c, h, w]: [usize; 3]) -> f64 {
    let x = Tensor::<4>::ones([1, c, h, w], &Device::flex());
    median_seconds(|| drop(network.forward(x.clone(), &mut Pass::evaluation(1.0)).into_data()))
}

/// The median time of several runs, enough to take a few milliseconds, after two for warming up.
fn median_seconds(mut run: impl FnMut()) -> f64 {
    (0..2).for_each(|_| run());
    let (started, mut times) = (Instant::now(), Vec::new());
    while times.len() < 7 || (started.elapsed() < Duration::from_millis(4) && times.len() < 101) {
        let before = Instant::now();
        run();
        times.push(before.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
