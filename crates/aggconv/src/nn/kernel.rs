//! One `Conv_{k,d}` as a module: the result of discretizing an AggConv.

use super::common::check_layer;
use crate::checks::check_input;
use crate::ops::{TapConvOptions, tap_conv};
use crate::{Candidate, Engine, KernelSpace, OperatorError, SpaceError, TapSet};
use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};
use std::sync::Arc;

/// The configuration of a [`KernelConv`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelConvConfig {
    channels: [usize; 2],
    kernel: usize,
    dilation: usize,
    dims: usize,
    stride: usize,
    groups: usize,
    bias: bool,
    engine: Engine,
    causal: bool,
    patches: bool,
}

/// The reasons why a [`KernelConv`] cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelConvError {
    /// The kernel size or the dilation is invalid.
    #[error(transparent)]
    Kernel(#[from] SpaceError),
    /// Another setting is invalid.
    #[error(transparent)]
    Layer(#[from] OperatorError),
}

super::common::common_setters!(KernelConvConfig);

impl KernelConvConfig {
    /// A two-dimensional convolution from `channels[0]` to `channels[1]` channels with an odd kernel size, dilation 1,
    /// stride 1, one group and a bias.
    pub fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self {
            channels,
            kernel,
            dilation: 1,
            dims: 2,
            stride: 1,
            groups: 1,
            bias: true,
            engine: Engine::Auto,
            causal: false,
            patches: false,
        }
    }

    /// Sets the distance between neighboring taps.
    pub fn with_dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    /// Sets whether the kernel sees only the output position and those before it, in one dimension.
    pub fn with_causal(self, causal: bool) -> Self {
        Self { causal, ..self }
    }

    /// Sets whether the kernel, whose size may be even, sees the positions from p·stride on for output position p. With a
    /// stride of the size of the kernel these are patches of the input, the last of which may extend beyond it. The
    /// dilation is 1 then.
    pub fn with_patches(self, patches: bool) -> Self {
        Self { patches, ..self }
    }

    /// Builds the layer. Initially, the weights and the bias are U(−1/√fan_in, 1/√fan_in), as in PyTorch.
    ///
    /// # Errors
    /// [`KernelConvError`] with the first invalid value.
    pub fn try_init(&self, device: &Device) -> Result<KernelConv, KernelConvError> {
        check_layer(self.dims, self.channels, self.stride, self.groups, self.causal)?;
        let (candidate, taps) = self.taps()?;
        let [c_in, c_out] = self.channels;
        let fan_in = c_in / self.groups * taps.len();
        let bound = 1.0 / (fan_in as f64).sqrt();
        let uniform = Distribution::Uniform(-bound, bound);
        Ok(KernelConv {
            weight: Param::from_tensor(Tensor::random([c_out, c_in / self.groups, taps.len()], uniform, device)),
            bias: self.bias.then(|| Param::from_tensor(Tensor::random([c_out], uniform, device))),
            candidate,
            dims: self.dims,
            stride: self.stride,
            groups: self.groups,
            engine: self.engine,
            taps: Arc::new(taps),
        })
    }

    /// The kernel and its taps.
    fn taps(&self) -> Result<(Candidate, TapSet), SpaceError> {
        if self.patches {
            let candidate = Candidate { k: self.kernel, d: 1 };
            let fits = self.kernel > 0 && i32::try_from(self.kernel).is_ok();
            let error = SpaceError::TooWide { k: self.kernel, d: 1 };
            return if fits { Ok((candidate, TapSet::patch(self.kernel, self.dims))) } else { Err(error) };
        }
        let space = KernelSpace::new([self.kernel], [self.dilation])?;
        let space = if self.causal { space.causal()? } else { space };
        let candidate = space.candidates()[0];
        Ok((candidate, space.taps(candidate, self.dims)))
    }

    /// Calls [`KernelConvConfig::try_init`] for a configuration that is known to be valid.
    ///
    /// # Panics
    /// If the configuration is invalid, with the message of the error.
    pub fn init(&self, device: &Device) -> KernelConv {
        self.try_init(device).unwrap_or_else(|e| panic!("KernelConv: {e}"))
    }
}

/// `Conv_{k,d}` on `[N, C, H, W]` with "same" padding.
///
/// ```
/// use aggconv::nn::KernelConvConfig;
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let conv = KernelConvConfig::new([3, 8], 5).with_dilation(7).init(&device);
/// let x = Tensor::<4>::zeros([1, 3, 20, 15], &device);
/// assert_eq!(conv.forward(x).dims(), [1, 8, 20, 15]);
/// ```
#[derive(Module, Debug)]
pub struct KernelConv {
    /// The weights, `[c_out, c_in / groups, k^dims]`, with the taps in row-major order.
    pub weight: Param<Tensor<3>>,
    /// The bias, `[c_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The kernel size and dilation.
    #[module(skip)]
    pub candidate: Candidate,
    /// The number of axes of the data, 1 or 2.
    #[module(skip)]
    pub dims: usize,
    /// The stride on each axis of the data.
    #[module(skip)]
    pub stride: usize,
    /// The number of channel groups.
    #[module(skip)]
    pub groups: usize,
    /// The implementation that computes the layer.
    #[module(skip)]
    pub engine: Engine,
    #[module(skip)]
    taps: Arc<TapSet>,
}

impl KernelConv {
    /// Runs the layer.
    ///
    /// # Shapes
    /// `[N, c_in, H, W]` to `[N, c_out, ⌈H/s⌉, ⌈W/s⌉]`. In one dimension, H is 1 and stays 1.
    ///
    /// # Errors
    /// [`OperatorError`] if the input does not fit the layer.
    pub fn try_forward(&self, x: Tensor<4>) -> Result<Tensor<4>, OperatorError> {
        check_input(x.dims(), self.dims)?;
        let options = TapConvOptions::of_layer(self.taps.clone(), self.dims, self.stride, self.groups, self.engine);
        tap_conv(x, self.weight.val(), self.bias.as_ref().map(Param::val), &options)
    }

    /// Calls [`KernelConv::try_forward`] for an input that is known to fit.
    ///
    /// # Panics
    /// If it does not fit, with the message of the error.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.try_forward(x).unwrap_or_else(|e| panic!("KernelConv: {e}"))
    }
}
