//! The shape of one convolution, shared by every way of computing it.

use crate::TapSet;
use std::sync::Arc;

/// A cross-correlation with zero "same" padding over an explicit set of taps:
///
/// `y[n, o, p] = bias[o] + Σ_c Σ_t w[o, c, t] · x[n, c, p·stride + offset(t)]`
///
/// where reads outside the input are 0. Layouts are row-major: `x` is
/// `[batch, c_in, h, w]`, `w` is `[c_out, c_in / groups, taps.len()]`, `y` is
/// `[batch, c_out, ⌈h/s⌉, ⌈w/s⌉]`. One-dimensional data has `h = 1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConvGeometry {
    /// Samples in the batch, N ≥ 1.
    pub batch: usize,
    /// Input channels.
    pub c_in: usize,
    /// Output channels.
    pub c_out: usize,
    /// Channel groups; divides both `c_in` and `c_out`. `c_in` groups is a depthwise convolution.
    pub groups: usize,
    /// Input height and width; height is 1 for one-dimensional data.
    pub input: [usize; 2],
    /// Stride on each axis: output positions 0, s, 2s, … are kept.
    pub stride: [usize; 2],
    /// Where the kernel looks. Taps that cannot reach the input are allowed: they contribute
    /// nothing and their gradient is 0.
    pub taps: Arc<TapSet>,
}

impl ConvGeometry {
    /// Output height and width, `⌈n/s⌉`.
    pub fn output(&self) -> [usize; 2] {
        [self.input[0].div_ceil(self.stride[0]), self.input[1].div_ceil(self.stride[1])]
    }

    /// Input channels seen by one output channel.
    pub fn c_in_per_group(&self) -> usize {
        self.c_in / self.groups
    }

    /// Output channels of one group.
    pub fn c_out_per_group(&self) -> usize {
        self.c_out / self.groups
    }

    /// Whether each output channel reads one input channel of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups == self.c_in && self.c_in == self.c_out
    }

    /// Elements of the input `x`.
    pub fn x_len(&self) -> usize {
        self.batch * self.c_in * self.input[0] * self.input[1]
    }

    /// Elements of the weights `w`.
    pub fn w_len(&self) -> usize {
        self.c_out * self.c_in_per_group() * self.taps.len()
    }

    /// Elements of the output `y`.
    pub fn y_len(&self) -> usize {
        let [h, w] = self.output();
        self.batch * self.c_out * h * w
    }

    /// Whether the fields fit together; kernels assert this once on entry.
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
