//! Layer normalization and factors of channels as Burn modules.

use super::ops;
use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Layer normalization over the channels of each position.
///
/// ```
/// use aggconv::pointwise::LayerNorm;
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let x = Tensor::<4>::ones([2, 3, 5, 7], &device);
/// assert_eq!(LayerNorm::new(3, &device).forward(x).dims(), [2, 3, 5, 7]);
/// ```
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// γ, `[channels]`, initially 1.
    pub gamma: Param<Tensor<1>>,
    /// β, `[channels]`, initially 0.
    pub beta: Param<Tensor<1>>,
}

impl LayerNorm {
    /// ε, added to the variance under the root.
    pub const EPSILON: f64 = 1e-6;

    /// Creates a layer for `channels` channels.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self { gamma: Initializer::Ones.init([channels], device), beta: Initializer::Zeros.init([channels], device) }
    }

    /// Normalizes `x: [batch, channels, …]`.
    ///
    /// # Panics
    /// If the number of channels of x differs from that of the layer, as Burn's modules do.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let y = ops::layer_norm(x, self.gamma.val(), self.beta.val(), Self::EPSILON);
        y.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A learned factor for each channel (Touvron et al. 2021, "Going deeper with image transformers").
#[derive(Module, Debug)]
pub struct LayerScale {
    /// The factors, `[channels]`.
    pub factor: Param<Tensor<1>>,
}

impl LayerScale {
    /// Creates a layer whose factors are `initial`.
    pub fn new(channels: usize, initial: f64, device: &Device) -> Self {
        Self { factor: Initializer::Constant { value: initial }.init([channels], device) }
    }

    /// Multiplies each channel of `x: [batch, channels, …]` by its factor.
    ///
    /// # Panics
    /// If the number of channels of x differs from that of the layer.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        ops::scale(x, self.factor.val()).unwrap_or_else(|error| panic!("{error}"))
    }
}
