//! The parameters, statistics and gradients of a normalization on slices.

use super::NormShape;
use super::rows::ChannelAffine;

/// The learned parameters and the settings that, with the statistics, determine the output.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// γ, `[channels]`.
    pub gamma: &'a [f32],
    /// β, `[channels]`.
    pub beta: &'a [f32],
    /// ε, added to the variance under the root.
    pub epsilon: f64,
    /// Whether a ReLU follows. As in Burn, NaN stays NaN.
    pub relu: bool,
}

impl Affine<'_> {
    pub(super) fn of_channel(&self, channel: usize, mean: f32, variance: f32) -> ChannelAffine {
        // Computed from the statistics in `f32`, which the backward pass receives as well.
        let inverse_std = 1.0 / (f64::from(variance) + self.epsilon).sqrt();
        let scale = (f64::from(self.gamma[channel]) * inverse_std) as f32;
        ChannelAffine { mean, scale, beta: self.beta[channel], inverse_std }
    }

    pub(super) fn check(&self, shape: NormShape) {
        assert!(self.gamma.len() == shape.channels && self.beta.len() == shape.channels);
    }
}

/// The mean and the biased variance of each channel, both `[channels]`.
#[derive(Debug, Clone, Copy)]
pub struct Statistics<'a> {
    /// μ.
    pub mean: &'a [f32],
    /// σ², without ε.
    pub variance: &'a [f32],
}

impl Statistics<'_> {
    pub(super) fn check(&self, shape: NormShape) {
        assert!(self.mean.len() == shape.channels && self.variance.len() == shape.channels);
    }
}

/// The statistics of the batch that [`train`](super::train) writes, both `[channels]`; overwritten.
#[derive(Debug)]
pub struct StatisticsMut<'a> {
    /// μ.
    pub mean: &'a mut [f32],
    /// σ², biased (divided by M), without ε.
    pub variance: &'a mut [f32],
}

/// The gradients of the parameters that [`backward`](super::backward) writes, both `[channels]`; overwritten.
#[derive(Debug)]
pub struct AffineGradients<'a> {
    /// ∂γ.
    pub gamma: &'a mut [f32],
    /// ∂β.
    pub beta: &'a mut [f32],
}

/// The gradient of the output of [`train`](super::train), and the destination of the gradient of its input.
#[derive(Debug)]
pub enum InputGradient<'a> {
    /// Separate buffers with the length of the input.
    Separate {
        /// The gradient of the output.
        dy: &'a [f32],
        /// The gradient of the input; overwritten.
        dx: &'a mut [f32],
    },
    /// The gradient of the output, which the gradient of the input overwrites, so that no buffer is allocated.
    InPlace(&'a mut [f32]),
}
