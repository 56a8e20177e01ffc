//! Parameters, statistics and gradients of a normalization on slices.

use super::NormShape;
use super::rows::ChannelAffine;

/// The learned parameters, and what else decides the output besides the statistics.
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
    pub(super) fn line(&self, channel: usize, mean: f32, variance: f32) -> ChannelAffine {
        // From the f32 statistics, which is what the backward pass is given too.
        let inverse_std = 1.0 / (f64::from(variance) + self.epsilon).sqrt();
        let scale = (f64::from(self.gamma[channel]) * inverse_std) as f32;
        ChannelAffine { mean, scale, beta: self.beta[channel], inverse_std }
    }

    pub(super) fn check(&self, shape: NormShape) {
        assert!(self.gamma.len() == shape.channels && self.beta.len() == shape.channels);
    }
}

/// The mean and the biased variance of each channel, `[channels]` both.
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

/// Where [`train`] writes the batch's statistics, `[channels]` both; overwritten.
#[derive(Debug)]
pub struct StatisticsMut<'a> {
    /// μ.
    pub mean: &'a mut [f32],
    /// σ², biased (divided by M), without ε.
    pub variance: &'a mut [f32],
}

/// Where [`backward`] writes the gradients of the parameters, `[channels]` both; overwritten.
#[derive(Debug)]
pub struct AffineGradients<'a> {
    /// ∂γ.
    pub gamma: &'a mut [f32],
    /// ∂β.
    pub beta: &'a mut [f32],
}

/// The gradient of the output of [`train`], and where the gradient of its input goes.
#[derive(Debug)]
pub enum InputGradient<'a> {
    /// Separate buffers of the input's length.
    Separate {
        /// Gradient of the output.
        dy: &'a [f32],
        /// Gradient of the input; overwritten.
        dx: &'a mut [f32],
    },
    /// The gradient of the output, overwritten by that of the input: no buffer to allocate.
    InPlace(&'a mut [f32]),
}
