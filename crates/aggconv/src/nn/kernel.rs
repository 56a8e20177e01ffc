//! One `Conv_{k,d}` as a module: what the search's discretization leaves of an AggConv.

use super::common::check_layer;
use crate::checks::{axes, check_input};
use crate::ops::{TapConvOptions, tap_conv};
use crate::{Candidate, Engine, OperatorError, SpaceError, TapSet};
use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};
use std::sync::Arc;

/// How a [`KernelConv`] is built.
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
}

/// Why a [`KernelConv`] cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelConvError {
    /// The kernel size or the dilation.
    #[error(transparent)]
    Kernel(#[from] SpaceError),
    /// Anything else.
    #[error(transparent)]
    Layer(#[from] OperatorError),
}

super::common::common_setters!(KernelConvConfig);

impl KernelConvConfig {
    /// A two-dimensional convolution from `channels[0]` to `channels[1]` channels with an odd
    /// kernel size, dilation 1, stride 1, one group and a bias.
    pub fn new(channels: [usize; 2], kernel: usize) -> Self {
        Self { channels, kernel, dilation: 1, dims: 2, stride: 1, groups: 1, bias: true, engine: Engine::Auto }
    }

    /// Distance between neighbouring taps.
    pub fn with_dilation(self, dilation: usize) -> Self {
        Self { dilation, ..self }
    }

    /// Builds the layer: weights and bias at U(−1/√fan_in, 1/√fan_in), as PyTorch does.
    ///
    /// # Errors
    /// [`KernelConvError`] with the first value that cannot be.
    pub fn try_init(&self, device: &Device) -> Result<KernelConv, KernelConvError> {
        check_layer(self.dims, self.channels, self.stride, self.groups)?;
        let candidate = Candidate::new(self.kernel, self.dilation)?;
        let [c_in, c_out] = self.channels;
        let taps = TapSet::lattice(candidate.k, candidate.d, self.dims);
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

    /// [`KernelConvConfig::try_init`] for configurations known to be valid.
    ///
    /// # Panics
    /// With the error's message if it is not.
    pub fn init(&self, device: &Device) -> KernelConv {
        self.try_init(device).unwrap_or_else(|e| panic!("KernelConv: {e}"))
    }
}

/// `Conv_{k,d}` on `[N, C, H, W]`, "same"-padded.
#[derive(Module, Debug)]
pub struct KernelConv {
    /// `[c_out, c_in / groups, k^dims]`, taps row-major.
    pub weight: Param<Tensor<3>>,
    /// `[c_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// Kernel size and dilation.
    #[module(skip)]
    pub candidate: Candidate,
    /// Axes of the data, 1 or 2.
    #[module(skip)]
    pub dims: usize,
    /// Stride on each axis of the data.
    #[module(skip)]
    pub stride: usize,
    /// Channel groups.
    #[module(skip)]
    pub groups: usize,
    /// What computes it.
    #[module(skip)]
    pub engine: Engine,
    #[module(skip)]
    taps: Arc<TapSet>,
}

impl KernelConv {
    /// Runs the layer.
    ///
    /// # Shapes
    /// `[N, c_in, H, W]` to `[N, c_out, ⌈H/s⌉, ⌈W/s⌉]`; in one dimension H is 1 and stays 1.
    ///
    /// # Errors
    /// [`OperatorError`] if the input does not fit the layer.
    pub fn try_forward(&self, x: Tensor<4>) -> Result<Tensor<4>, OperatorError> {
        check_input(x.dims(), self.dims)?;
        let mut options = TapConvOptions::new(self.taps.clone());
        options.stride = axes(self.dims, self.stride);
        options.groups = self.groups;
        options.engine = self.engine;
        tap_conv(x, self.weight.val(), self.bias.as_ref().map(Param::val), &options)
    }

    /// [`KernelConv::try_forward`] for inputs known to fit.
    ///
    /// # Panics
    /// With the error's message if they do not.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.try_forward(x).unwrap_or_else(|e| panic!("KernelConv: {e}"))
    }
}
