//! `AggConv_{K,D}` as a module (Eq. 1–4).

use super::common::check_layer;
use crate::ops::{AggConvOptions, agg_conv_planned};
use crate::{Engine, Formulation, KernelSpace, MixPlan, OperatorError};
use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor, activation};
use std::sync::{Arc, Mutex, PoisonError};

/// The configuration of an [`AggConv`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggConvConfig {
    channels: [usize; 2],
    space: Arc<KernelSpace>,
    dims: usize,
    stride: usize,
    groups: usize,
    bias: bool,
    formulation: Formulation,
    engine: Engine,
}

super::common::common_setters!(AggConvConfig);

impl AggConvConfig {
    /// A two-dimensional AggConv from `channels[0]` to `channels[1]` channels over a space, with stride 1, one group
    /// and a bias, computed by the fastest formulation.
    pub fn new(channels: [usize; 2], space: impl Into<Arc<KernelSpace>>) -> Self {
        Self {
            channels,
            space: space.into(),
            dims: 2,
            stride: 1,
            groups: 1,
            bias: true,
            formulation: Formulation::Auto,
            engine: Engine::Auto,
        }
    }

    /// Sets the formulation that computes the mixture.
    pub fn with_formulation(self, formulation: Formulation) -> Self {
        Self { formulation, ..self }
    }

    /// Checks that such a layer can be built.
    ///
    /// # Errors
    /// [`OperatorError`] with the first invalid value.
    pub fn validate(&self) -> Result<(), OperatorError> {
        check_layer(self.dims, self.channels, self.stride, self.groups, self.space.is_causal())
    }

    /// Builds the layer. Initially, the weights are N(0, 0.01²), α is 1e-3·N(0, 1), and the bias is 0.
    ///
    /// # Errors
    /// The errors of [`AggConvConfig::validate`].
    pub fn try_init(&self, device: &Device) -> Result<AggConv, OperatorError> {
        self.validate()?;
        let [c_in, c_out] = self.channels;
        let weights = self.space.weights_per_channel_pair(self.dims);
        let normal = |std| Distribution::Normal(0.0, std);
        Ok(AggConv {
            weight: Param::from_tensor(Tensor::random([c_out, c_in / self.groups, weights], normal(0.01), device)),
            alpha: Param::from_tensor(Tensor::random([self.space.len()], normal(1e-3), device)),
            bias: self.bias.then(|| Param::from_tensor(Tensor::zeros([c_out], device))),
            space: self.space.clone(),
            dims: self.dims,
            stride: self.stride,
            groups: self.groups,
            formulation: self.formulation,
            engine: self.engine,
            plan: Arc::default(),
        })
    }

    /// Calls [`AggConvConfig::try_init`] for a configuration that is known to be valid.
    ///
    /// # Panics
    /// If the configuration is invalid, with the message of the error.
    pub fn init(&self, device: &Device) -> AggConv {
        self.try_init(device).unwrap_or_else(|e| panic!("AggConv: {e}"))
    }
}

/// The input size of the last plan, and the plan.
type CachedPlan = Option<([usize; 2], Arc<MixPlan>)>;

/// `AggConv_{K,D}(x) = Σ c_{k,d}·Conv(w_{k,d})(x) + b` on `[N, C, H, W]`, where `c = softmax((log_softmax(α) + g)/τ)`
/// and g is Gumbel noise in training.
///
/// ```
/// use aggconv::{KernelSpace, nn::AggConvConfig};
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let conv = AggConvConfig::new([3, 8], KernelSpace::for_2d()).with_stride(2).init(&device);
/// let x = Tensor::<4>::zeros([1, 3, 20, 15], &device);
/// assert_eq!(conv.forward(x).dims(), [1, 8, 10, 8]);
/// ```
#[derive(Module, Debug)]
pub struct AggConv {
    /// The weights of all candidates, `[c_out, c_in / groups, Σ k^dims]`: blocks in k-major order, each in row-major
    /// order.
    pub weight: Param<Tensor<3>>,
    /// The architecture parameters α, `[|K|·|D|]`.
    pub alpha: Param<Tensor<1>>,
    /// The bias, `[c_out]`.
    pub bias: Option<Param<Tensor<1>>>,
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
    /// The formulation that computes the mixture.
    #[module(skip)]
    pub formulation: Formulation,
    /// The implementation that computes the mixture.
    #[module(skip)]
    pub engine: Engine,
    /// The plan for the last input size: a layer usually receives the same size in every step.
    #[module(skip)]
    plan: Arc<Mutex<CachedPlan>>,
}

impl AggConv {
    /// Runs the layer. On a device that records gradients, it draws new Gumbel noise from the device's generator; on
    /// other devices it uses none. τ is 1.
    ///
    /// # Shapes
    /// `[N, c_in, H, W]` to `[N, c_out, ⌈H/s⌉, ⌈W/s⌉]`. In one dimension, H is 1 and stays 1.
    ///
    /// # Panics
    /// If the input does not fit the layer, as Burn's modules do.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let noise = x.device().is_autodiff().then(|| self.gumbel(&x.device()));
        let mixing = self.mixing(noise, 1.0);
        self.forward_mixed(x, mixing)
    }

    /// Draws standard Gumbel noise, one value for each candidate.
    fn gumbel(&self, device: &Device) -> Tensor<1> {
        let u = Tensor::random([self.space.len()], Distribution::Uniform(1e-7, 1.0 - 1e-7), device);
        u.log().neg().log().neg()
    }

    /// The mixing coefficients `softmax((log_softmax(α) + noise)/τ)`, `[|K|·|D|]`, where τ is the temperature.
    pub fn mixing(&self, noise: Option<Tensor<1>>, temperature: f64) -> Tensor<1> {
        let log_p = activation::log_softmax(self.alpha.val(), 0);
        let logits = match noise {
            Some(noise) => log_p + noise,
            None => log_p,
        };
        activation::softmax(logits.div_scalar(temperature), 0)
    }

    /// Runs the layer with the given mixing coefficients, `[|K|·|D|]`.
    ///
    /// # Shapes
    /// Those of [`AggConv::forward`].
    ///
    /// # Errors
    /// [`OperatorError`] if the input or the coefficients do not fit the layer.
    pub fn try_forward_mixed(&self, x: Tensor<4>, mixing: Tensor<1>) -> Result<Tensor<4>, OperatorError> {
        let mut options = AggConvOptions::new(self.space.clone(), self.dims);
        options.stride = self.stride;
        options.groups = self.groups;
        options.formulation = self.formulation;
        options.engine = self.engine;
        let [_, _, h, w] = x.dims();
        let bias = self.bias.as_ref().map(Param::val);
        agg_conv_planned(x, self.weight.val(), mixing, bias, &options, || self.plan([h, w]))
    }

    /// Calls [`AggConv::try_forward_mixed`] for an input that is known to fit.
    ///
    /// # Panics
    /// If it does not fit, with the message of the error.
    pub fn forward_mixed(&self, x: Tensor<4>, mixing: Tensor<1>) -> Tensor<4> {
        self.try_forward_mixed(x, mixing).unwrap_or_else(|e| panic!("AggConv: {e}"))
    }

    fn plan(&self, input: [usize; 2]) -> Arc<MixPlan> {
        // A plan is replaced as a whole, so it is valid even if a thread panicked while holding the lock.
        let mut cached = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some((size, plan)) if *size == input => plan.clone(),
            _ => {
                let plan = Arc::new(MixPlan::new(&self.space, self.dims, input));
                *cached = Some((input, plan.clone()));
                plan
            }
        }
    }
}
