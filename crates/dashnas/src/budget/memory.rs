//! Estimates the memory of a training step before it is tried.
//!
//! Automatic differentiation keeps the input of every convolution and normalization until the backward pass. These
//! inputs grow with the batch and take most of the memory. The rest are the gradients of the layer that is being
//! computed and the working memory of the kernels. The factors are those of this engine on a CPU, rounded up from
//! measured peaks; the tests compare the estimate with what is kept.

use aggconv::KernelSpace;
use dashnas_core::text::mebibytes;
use dashnas_nn::graph::node::{Convolution, NodeId, Operation};
use dashnas_nn::graph::topology::Graph;
use dashnas_nn::graph::trace::TracedNode;

/// Bytes of a training step or an evaluation: `fixed + samples · per_sample`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes for any batch.
    pub fixed: u64,
    /// Bytes for each sample of a (micro-)batch.
    pub per_sample: u64,
}

impl Footprint {
    /// Bytes of a batch of `samples` samples.
    pub fn bytes(&self, samples: usize) -> u64 {
        self.fixed.saturating_add(self.per_sample.saturating_mul(samples as u64))
    }

    /// The largest number of samples that fits into `bytes` bytes.
    pub fn samples(&self, bytes: u64) -> usize {
        let free = bytes.saturating_sub(self.fixed) / self.per_sample.max(1);
        usize::try_from(free).unwrap_or(usize::MAX)
    }
}

/// Copies of the parameters during a step: weights, gradients (on the tape and as arrays), momentum, and the new
/// weights.
const PARAMETER_COPIES: u64 = 5;
/// Gradients and activations around the layer that is being computed, in units of its input and output.
const AROUND: u64 = 2;
/// The number of planes that the kernels transform together.
const LANES: usize = 16;
/// The largest working memory that the kernels keep between calls.
const POOL: u64 = 128 << 20;

/// A network whose training is estimated.
#[derive(Debug, Clone, Copy)]
pub struct Trained<'a> {
    /// The graph of the network.
    pub graph: &'a Graph,
    /// `[channels, height, width]` of a sample.
    pub input: [usize; 3],
    /// Whether it is trained with dropout.
    pub dropout: bool,
}

impl Trained<'_> {
    /// A training step of a network with fixed kernels of at most the given size.
    pub fn retraining(&self, largest_kernel: usize) -> Footprint {
        self.training(self.graph.searched_params(largest_kernel))
    }

    /// A training step of the supernet over a space, in the formulation that takes the least memory: one convolution
    /// with the mixed kernel.
    pub fn searching(&self, space: &KernelSpace, depthwise: bool) -> Footprint {
        let weights = space.weights_per_channel_pair(self.graph.dims());
        let channel_pairs = |conv: &Convolution| match conv.channels {
            [c_in, c_out] if depthwise && c_in == c_out => c_out as u64,
            _ => conv.channel_pairs(),
        };
        let pairs: u64 = self.graph.searched().into_iter().map(channel_pairs).sum();
        // The mixed kernel has at most as many taps as the weights of the candidates.
        self.training(2 * pairs * weights as u64)
    }

    /// The bytes that Eq. 2 adds to [`Trained::searching`] for each sample: the results of the candidates.
    pub fn mixed_results(&self, space: &KernelSpace) -> u64 {
        let kept = |t: &TracedNode<'_>| match t.operation {
            Operation::Conv(conv) if conv.searched => t.elements(),
            _ => 0,
        };
        space.len() as u64 * self.trace().iter().map(kept).sum::<u64>() * 4
    }

    /// An evaluation, which keeps nothing for a backward pass.
    pub fn evaluating(&self, params: u64) -> Footprint {
        let (around, scratch) = self.largest_layer();
        let [_, h, w] = self.input;
        // The input of a block is held for its shortcut; where several paths meet, the values of all of them are held.
        let held = (2 * around).max(self.graph.peak([h, w]));
        let per_sample = 4 * (held + self.head() + self.sample()) + scratch;
        Footprint { fixed: 4 * params + POOL.min(scratch), per_sample }
    }

    fn training(&self, convs: u64) -> Footprint {
        let params = convs + self.graph.fixed_params();
        let (around, scratch) = self.largest_layer();
        let per_sample = 4 * (self.kept() + AROUND * around + 2 * self.head() + self.sample()) + scratch;
        Footprint { fixed: PARAMETER_COPIES * 4 * params, per_sample }
    }

    fn sample(&self) -> u64 {
        self.input.iter().product::<usize>() as u64
    }

    fn trace(&self) -> Vec<TracedNode<'_>> {
        let [_, h, w] = self.input;
        self.graph.trace([h, w])
    }

    /// The numbers of a sample that are kept for the backward pass.
    fn kept(&self) -> u64 {
        let trace = self.trace();
        // Whether the value of each node is counted: several layers with the same input keep it once.
        let mut counted = vec![false; trace.len()];
        let mut kept = |t: &TracedNode<'_>| {
            let mut once =
                |id: NodeId| if std::mem::replace(&mut counted[id.0], true) { 0 } else { trace[id.0].elements() };
            let one_row = self.input[1] == 1;
            match t.operation {
                // Of one row, the transform may be kept instead of the input, which another layer may then keep, too.
                Operation::Conv(conv) if one_row && !conv.is_pointwise() => lines(conv.channels[0], t.input),
                Operation::Conv(_) | Operation::Norm { .. } if one_row => trace[t.inputs[0].0].elements(),
                Operation::Conv(_)
                | Operation::Norm { .. }
                | Operation::LayerNorm { .. }
                | Operation::LayerScale { .. }
                | Operation::Gelu => once(t.inputs[0]),
                // A rectifier that is not fused needs the sign of its input.
                Operation::Relu if self.graph.fused_relu(t.inputs[0]).is_none() => once(t.id),
                // The input, and the place of each maximum in 8 bytes.
                Operation::MaxPool(_) => once(t.inputs[0]) + 2 * t.elements(),
                Operation::Dropout if self.dropout => t.elements(),
                _ => 0,
            }
        };
        trace.iter().map(&mut kept).sum()
    }

    /// The numbers of a sample that the head holds.
    fn head(&self) -> u64 {
        let [_, h, w] = self.input;
        let positions = if self.graph.is_dense() { h * w } else { 1 };
        let [features, outputs] = self.graph.head();
        ((features + 2 * outputs) * positions) as u64
    }

    /// The numbers of input and output of the largest layer, and the bytes of working memory of its kernels, for one
    /// sample.
    fn largest_layer(&self) -> (u64, u64) {
        let trace = self.trace();
        let of = |t: &TracedNode<'_>| {
            let inputs: u64 = t.inputs.iter().map(|input| trace[input.0].elements()).sum();
            match t.operation {
                Operation::Conv(conv) if conv.is_pointwise() => (inputs + t.elements(), 0),
                Operation::Conv(conv) => {
                    let [c_in, c_out] = conv.channels;
                    (inputs + t.elements(), 4 * (lines(c_in, t.input) + lines(c_out, t.output)))
                }
                // A sum is written over one of its terms.
                Operation::Sum => (inputs, 0),
                // A padded copy of its input, and the places of the maxima.
                Operation::MaxPool(_) => (2 * inputs + 3 * t.elements(), 0),
                // The repeated values, before they are cut to the grid.
                Operation::Resize => (trace[t.inputs[0].0].elements() + 2 * t.elements(), 0),
                Operation::Concat | Operation::LayerNorm { .. } | Operation::LayerScale { .. } | Operation::Gelu => {
                    (inputs + t.elements(), 0)
                }
                _ => (0, 0),
            }
        };
        trace.iter().map(of).fold((0, 0), |a, b| (a.0.max(b.0), a.1.max(b.1)))
    }
}

/// The numbers of the half spectra of all rows. Transforms are up to twice as long as rows, and channels are padded to
/// whole vectors.
fn lines(channels: usize, [h, w]: [usize; 2]) -> u64 {
    floats(channels.next_multiple_of(LANES), [h, 2 * w + 2])
}

fn floats(channels: usize, [h, w]: [usize; 2]) -> u64 {
    (channels * h * w) as u64
}

/// The smallest micro-batch. Batch normalization needs several values for each channel: a sample of a dense task has
/// them, of a point task it takes two samples.
pub fn least_micro_batch(dense: bool) -> usize {
    if dense { 1 } else { 2 }
}

/// The memory limit is too small for every formulation and micro-batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a memory limit of {} is too small; at least {} are needed", mebibytes(*limit), mebibytes(*least))]
pub struct MemoryError {
    /// The limit in bytes.
    pub limit: u64,
    /// The smallest limit that works, in bytes.
    pub least: u64,
}

/// The micro-batch for a batch within a limit: the batch itself if it fits, else the largest of equal parts that do.
/// `baseline` are the bytes of the data and the process.
///
/// # Errors
/// [`MemoryError`] with the smallest limit that suffices.
pub fn micro_batch(
    footprint: Footprint,
    batch: usize,
    least: usize,
    baseline: u64,
    limit: u64,
) -> Result<usize, MemoryError> {
    let fit = footprint.samples(limit.saturating_sub(baseline));
    let least = least.min(batch);
    if fit < least {
        return Err(MemoryError { limit, least: baseline.saturating_add(footprint.bytes(least)) });
    }
    let parts = batch.div_ceil(fit);
    // Equal parts, since a last part of one or two samples would have poor statistics for normalization.
    Ok(batch.div_ceil(parts).max(least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example_network::SPEC;
    use dashnas_core::memory::{available, resident};
    use dashnas_core::names::BackboneName;
    use dashnas_nn::backbone::spec::NetworkSpec;
    use dashnas_nn::graph::build::GraphBuilder;

    fn graph(name: BackboneName, width: usize, dense: bool) -> Graph {
        let shape = NetworkSpec { outputs: 1, dense, width, base: Some(16), ..SPEC };
        dashnas_nn::backbone::by_name(name).graph(shape)
    }

    fn trained(graph: &Graph, input: [usize; 3]) -> Trained<'_> {
        Trained { graph, input, dropout: false }
    }

    #[test]
    fn kept_values_are_counted_layer_by_layer() {
        let series = graph(BackboneName::Wrn1d, 1, false);
        // The inputs of three norms and of the shortcut with its norm. The third shortcut is the identity.
        let values = (16 * 3 + 1 + 16) + (32 * 3 + 16 + 32) + 32 * 3;
        // The transforms of the inputs of three convolutions, of whole vectors of channels: 101 complex numbers a row.
        let transforms = 16 * 3 + (16 + 32 * 2) + 32 * 3;
        let kept = trained(&series, [1, 1, 100]).kept();
        assert_eq!(kept, 100 * values + 202 * transforms);
        // On grids, the inputs themselves. The stem has one input; each stage has two blocks of two convolutions, with
        // a norm before each.
        let grid = graph(BackboneName::Wrn2d, 1, true);
        let block = |c_in: u64, c: u64| c_in * 2 + c * 2;
        let blocks = block(16, 16) * 2 + block(16, 32) + block(32, 32) + block(32, 64) + block(64, 64);
        assert_eq!(trained(&grid, [1, 2, 50]).kept(), 100 * (1 + blocks + 64));
        let dropout = Trained { dropout: true, ..trained(&series, [1, 1, 100]) };
        assert_eq!(dropout.kept() - kept, 100 * 3 * (16 + 32 + 32));
    }

    #[test]
    fn wider_networks_and_other_formulations_take_more_memory() {
        let (narrow, wide) = (graph(BackboneName::Wrn2d, 1, true), graph(BackboneName::Wrn2d, 4, true));
        let small = trained(&narrow, [1, 29, 29]).retraining(9);
        let large = trained(&wide, [1, 29, 29]).retraining(9);
        assert!(large.fixed > 10 * small.fixed && large.per_sample > 3 * small.per_sample);
        let space = KernelSpace::new([3, 5, 7, 9], [1, 3, 7, 15]).expect("valid");
        let net = trained(&narrow, [1, 29, 29]);
        assert!(net.mixed_results(&space) > net.searching(&space, true).per_sample);
        assert!(net.searching(&space, true).fixed < net.searching(&space, false).fixed);
        assert!(net.evaluating(1000).per_sample < net.retraining(9).per_sample);
    }

    /// Two convolutions of one value, concatenated and added to it.
    #[test]
    fn a_value_is_kept_once_and_joined_paths_are_held_together() {
        let mut net = GraphBuilder::new(2);
        let input = net.input(2);
        let stem = net.after(input).conv(8, 3, 1).end();
        let [a, b] = [3, 5].map(|kernel| net.after(stem).conv(4, kernel, 1).end());
        let both = net.concat(&[a, b]);
        let rectified = net.after(both).relu().end();
        let sum = net.sum(&[rectified, stem, stem]);
        let graph = net.finish(sum, 1, false);
        let net = trained(&graph, [2, 5, 7]);
        assert_eq!(net.kept(), 35 * (2 + 8 + 8), "the input, the stem and the input of the rectifier");
        assert_eq!(net.largest_layer().0, 35 * 24, "the sum of three");
        assert_eq!(graph.peak([5, 7]), 35 * (8 + 4 + 4 + 8));
    }

    #[test]
    fn micro_batches_are_equal_parts_that_fit() {
        let f = Footprint { fixed: 1000, per_sample: 10 };
        let fit = |limit| micro_batch(f, 64, 2, 500, limit);
        assert_eq!(fit(10_000).expect("fits"), 64);
        assert_eq!(fit(1500 + 640).expect("fits"), 64);
        assert_eq!(fit(1500 + 639).expect("fits"), 32, "two parts rather than 63 and 1");
        assert_eq!(fit(1500 + 310).expect("fits"), 22, "31 fit: three parts of 22, 22 and 20");
        assert_eq!(fit(1520).expect("fits"), 2);
        let Err(MemoryError { least, .. }) = fit(1519) else { panic!("two samples do not fit") };
        assert_eq!(least, 1520);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_the_resident_memory() {
        let [now, peak] = resident().expect("/proc is there");
        assert!(now > 1 << 20 && peak >= now / 2);
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }
}
