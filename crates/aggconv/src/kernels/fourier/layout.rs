//! How planes are assigned to vector lanes, and the sizes of transforms.

use super::fft;
use crate::ConvGeometry;
use crate::kernels::simd::padded;

/// Which axis of the planes lies in the vector lanes, 16 planes at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LaneAxis {
    /// Neighboring channels of a sample.
    Channels,
    /// Neighboring samples of a channel: for few channels.
    Samples,
}

/// The transform size for a geometry whose reachable taps have this radius.
pub(super) fn size(g: &ConvGeometry, radius: [usize; 2]) -> [usize; 2] {
    let length = |axis: usize| fft::good_length(g.input[axis] + radius[axis], 3.0);
    [length(0), length(1)]
}

/// The channel groups of a convolution: (number of groups, input channels, output channels). All groups of a depthwise
/// convolution are processed as one.
pub(super) fn channels(g: &ConvGeometry) -> (usize, usize, usize) {
    if g.is_depthwise() { (1, g.c_in, g.c_out) } else { (g.groups, g.c_in_per_group(), g.c_out_per_group()) }
}

/// Chooses the layout with less padding, which costs as much as data.
pub(super) fn layout(g: &ConvGeometry) -> LaneAxis {
    let (_, ci, co) = channels(g);
    let channels = g.batch * (padded(ci) + padded(co));
    let samples = padded(g.batch) * (ci + co);
    if channels <= samples { LaneAxis::Channels } else { LaneAxis::Samples }
}

/// The number of floats that stay in the caches from one step of the convolution to the next (4 MiB).
pub const NON_TEMPORAL_FLOATS: usize = if cfg!(test) { 1 << 12 } else { 1 << 20 }; // small, so that tests cover both cases
