//! The sizes that determine the cost of a convolution.

use super::fft;
use super::layout::{LaneAxis, channels, layout, size};
use super::matrix::ProductShape;
use crate::ConvGeometry;
use crate::kernels::simd::padded;

/// The sizes that determine the cost of a convolution.
pub(crate) struct FourierSizes {
    /// The number of rows and columns of a transform.
    pub transform: [usize; 2],
    /// The relative cost of a point of a column and of a row transform.
    pub passes: [f64; 2],
    /// The number of channel groups that are processed separately. The following sizes are those of one group.
    pub calls: usize,
    /// Planes of the input, padding included.
    pub input: usize,
    /// Planes of the output, padding included.
    pub output: usize,
    /// Complex multiply-adds at each frequency.
    pub products: usize,
    /// Entries of a kernel matrix.
    pub kernel: usize,
    /// Taps that can touch the input.
    pub taps: usize,
}

/// The sizes for a geometry that has at least one reachable tap.
pub(crate) fn sizes(g: &ConvGeometry) -> FourierSizes {
    let taps = g.taps.reachable(g.input);
    let transform = size(g, taps.radius());
    let (calls, ci, co) = channels(g);
    let (input, output, kernel) = match layout(g) {
        LaneAxis::Channels if g.is_depthwise() => (g.batch * padded(ci), g.batch * padded(co), padded(co)),
        LaneAxis::Channels => (g.batch * padded(ci), g.batch * padded(co), ci * padded(co)),
        LaneAxis::Samples if g.is_depthwise() => (padded(g.batch) * ci, padded(g.batch) * co, padded(co)),
        LaneAxis::Samples => (padded(g.batch) * ci, padded(g.batch) * co, padded(ci * co)),
    };
    let products = if g.is_depthwise() { output } else { output * ci };
    let passes = transform.map(fft::cost_per_point);
    FourierSizes { transform, passes, calls, input, output, products, kernel, taps: taps.len() }
}

/// The number of real operations for each complex multiply-add over the channels.
pub(crate) fn operations(g: &ConvGeometry) -> u64 {
    let (_, ci, co) = channels(g);
    let shape = ProductShape { m: g.batch, k: ci, n: padded(co), real: false };
    if layout(g) == LaneAxis::Channels && !g.is_depthwise() { shape.operations() } else { 8 }
}
