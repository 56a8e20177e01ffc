//! The shape of one convolution, which all algorithms share.

use crate::TapSet;
use std::sync::Arc;

/// A cross-correlation with zero "same" padding over an explicit set of taps:
///
/// `y[n, o, p] = bias[o] + Σ_c Σ_t w[o, c, t] · x[n, c, p·stride + offset(t)]`
///
/// where reads outside the input are 0. Layouts are row-major: `x` is `[batch, c_in, h, w]`, `w` is
/// `[c_out, c_in / groups, taps.len()]`, and `y` is `[batch, c_out, ⌈h/s⌉, ⌈w/s⌉]`. One-dimensional data has `h = 1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// The number of samples in the batch, N ≥ 1.
    pub batch: usize,
    /// The number of input channels.
    pub c_in: usize,
    /// The number of output channels.
    pub c_out: usize,
    /// The number of channel groups, which divides both `c_in` and `c_out`. A depthwise convolution has `c_in` groups.
    pub groups: usize,
    /// The height and width of the input. The height is 1 for one-dimensional data.
    pub input: [usize; 2],
    /// The stride on each axis: the output positions 0, s, 2s, … are kept.
    pub stride: [usize; 2],
    /// The offsets that the kernel reads. Taps that cannot reach the input are allowed: they contribute nothing, and
    /// their gradient is 0.
    pub taps: Arc<TapSet>,
}

impl ConvGeometry {
    /// The height and width of the output, `⌈n/s⌉`.
    pub fn output(&self) -> [usize; 2] {
        [self.input[0].div_ceil(self.stride[0]), self.input[1].div_ceil(self.stride[1])]
    }

    /// The number of input channels that one output channel reads.
    pub fn c_in_per_group(&self) -> usize {
        self.c_in / self.groups
    }

    /// The number of output channels of one group.
    pub fn c_out_per_group(&self) -> usize {
        self.c_out / self.groups
    }

    /// Whether each output channel reads a single input channel of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups == self.c_in && self.c_in == self.c_out
    }

    /// The number of elements of the input `x`.
    pub fn x_len(&self) -> usize {
        self.batch * self.c_in * self.input[0] * self.input[1]
    }

    /// The number of elements of the weights `w`.
    pub fn w_len(&self) -> usize {
        self.c_out * self.c_in_per_group() * self.taps.len()
    }

    /// The number of elements of the output `y`.
    pub fn y_len(&self) -> usize {
        let [h, w] = self.output();
        self.batch * self.c_out * h * w
    }

    /// Whether the fields are consistent. The kernels assert this once on entry.
    pub fn is_valid(&self) -> bool {
        self.batch > 0
            && self.c_in > 0
            && self.c_out > 0
            && self.groups > 0
            && self.c_in.is_multiple_of(self.groups)
            && self.c_out.is_multiple_of(self.groups)
            && self.input.iter().chain(&self.stride).all(|&v| v > 0)
            && !self.taps.is_empty()
    }
}
