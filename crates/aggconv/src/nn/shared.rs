//! Convolutions of several sizes and dilations that share their weights: one layer of a supernet that is trained by
//! single paths (Guo et al., "Single path one-shot neural architecture search with uniform sampling", ECCV 2020).

use super::common::check_layer;
use crate::checks::check_input;
use crate::ops::{TapConvOptions, tap_conv};
use crate::{Candidate, Engine, KernelSpace, OperatorError};
use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};
use std::sync::Arc;

/// The configuration of a [`SharedConv`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedConvConfig {
    channels: [usize; 2],
    space: Arc<KernelSpace>,
    dims: usize,
    stride: usize,
    groups: usize,
    bias: bool,
    engine: Engine,
}

super::common::common_setters!(SharedConvConfig);

impl SharedConvConfig {
    /// A two-dimensional convolution from `channels[0]` to `channels[1]` channels with the kernels of a space, stride 1,
    /// one group and a bias.
    pub fn new(channels: [usize; 2], space: impl Into<Arc<KernelSpace>>) -> Self {
        let space = space.into();
        Self { channels, space, dims: 2, stride: 1, groups: 1, bias: true, engine: Engine::Auto }
    }

    /// Builds the layer. Initially, the weights and the bias are U(−1/√n, 1/√n), where n is the fan-in of the largest
    /// kernel.
    ///
    /// # Errors
    /// [`OperatorError`] with the first invalid value.
    pub fn try_init(&self, device: &Device) -> Result<SharedConv, OperatorError> {
        check_layer(self.dims, self.channels, self.stride, self.groups, self.space.is_causal())?;
        let [c_in, c_out] = self.channels;
        let largest = self.space.largest_kernel_size();
        let taps = largest.pow(self.dims as u32);
        let bound = 1.0 / ((c_in / self.groups * taps) as f64).sqrt();
        let uniform = Distribution::Uniform(-bound, bound);
        let shape = [self.space.dilations().len(), c_out, c_in / self.groups, taps];
        Ok(SharedConv {
            weight: Param::from_tensor(Tensor::random(shape, uniform, device)),
            bias: self.bias.then(|| Param::from_tensor(Tensor::random([c_out], uniform, device))),
            largest,
            space: self.space.clone(),
            dims: self.dims,
            stride: self.stride,
            groups: self.groups,
            engine: self.engine,
        })
    }

    /// Calls [`SharedConvConfig::try_init`] for a configuration that is known to be valid.
    ///
    /// # Panics
    /// If the configuration is invalid, with the message of the error.
    pub fn init(&self, device: &Device) -> SharedConv {
        self.try_init(device).unwrap_or_else(|e| panic!("SharedConv: {e}"))
    }
}

/// `Conv_{k,d}` for every k up to the largest of a space and every d of it, with "same" padding. All sizes of one
/// dilation share the weights of the largest: `Conv_{k,d}` has its k^dims taps in the center, multiplied by
/// √(k_max^dims / k^dims), so that the outputs of all sizes have the same variance while the weights are independent.
/// Dilations share nothing.
///
/// ```
/// use aggconv::{Candidate, KernelSpace, nn::SharedConvConfig};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let conv = SharedConvConfig::new([3, 8], KernelSpace::for_2d()).init(&device);
/// let x = Tensor::<4>::zeros([1, 3, 20, 15], &device);
/// assert_eq!(conv.forward(x, Candidate::new(5, 3)?).dims(), [1, 8, 20, 15]);
/// # Ok::<(), aggconv::SpaceError>(())
/// ```
#[derive(Module, Debug)]
pub struct SharedConv {
    /// The weights, `[|D|, c_out, c_in / groups, k_max^dims]`, with the taps in row-major order.
    pub weight: Param<Tensor<4>>,
    /// The bias, `[c_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The largest kernel size k_max.
    #[module(skip)]
    pub largest: usize,
    /// The kernel sizes and dilations.
    #[module(skip)]
    pub space: Arc<KernelSpace>,
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
}

impl SharedConv {
    /// Returns the weights of one kernel, `[c_out, c_in / groups, k^dims]`; `None` if the layer does not have it.
    pub fn weight_of(&self, candidate: Candidate) -> Option<Tensor<3>> {
        if !self.space.shares(candidate) {
            return None;
        }
        let dilation = self.space.dilations().iter().position(|&d| d == candidate.d)?;
        let (k, largest) = (candidate.k, self.largest);
        let [_, c_out, c_in, taps] = self.weight.val().dims();
        let weight = self.weight.val().slice([dilation..dilation + 1, 0..c_out, 0..c_in, 0..taps]);
        let axis = (largest - k) / 2..(largest - k) / 2 + k;
        let rows = if self.dims == 2 { axis.clone() } else { 0..1 };
        let height = if self.dims == 2 { largest } else { 1 };
        let all = weight.reshape([c_out, c_in, height, largest]);
        let own = all.slice([0..c_out, 0..c_in, rows, axis]).reshape([c_out, c_in, k.pow(self.dims as u32)]);
        Some(own.mul_scalar((largest as f64 / k as f64).powi(self.dims as i32).sqrt()))
    }

    /// Runs the layer with one kernel.
    ///
    /// # Shapes
    /// `[N, c_in, H, W]` to `[N, c_out, ⌈H/s⌉, ⌈W/s⌉]`. In one dimension, H is 1 and stays 1.
    ///
    /// # Errors
    /// [`OperatorError`] if the input does not fit the layer, or if the layer does not have the kernel.
    pub fn try_forward(&self, x: Tensor<4>, candidate: Candidate) -> Result<Tensor<4>, OperatorError> {
        check_input(x.dims(), self.dims)?;
        let weight = self.weight_of(candidate).ok_or(OperatorError::Kernel(candidate))?;
        let taps = Arc::new(self.space.taps(candidate, self.dims));
        let options = TapConvOptions::of_layer(taps, self.dims, self.stride, self.groups, self.engine);
        tap_conv(x, weight, self.bias.as_ref().map(Param::val), &options)
    }

    /// Calls [`SharedConv::try_forward`] for an input and a kernel that are known to fit.
    ///
    /// # Panics
    /// If they do not fit, with the message of the error.
    pub fn forward(&self, x: Tensor<4>, candidate: Candidate) -> Tensor<4> {
        self.try_forward(x, candidate).unwrap_or_else(|e| panic!("SharedConv: {e}"))
    }
}
