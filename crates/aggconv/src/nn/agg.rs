//! `AggConv_{K,D}` as a module (Eqs. 1 to 4).

use super::common::check_layer;
use crate::ops::{AggConvOptions, agg_conv_planned};
use crate::{Engine, Formulation, KernelSpace, MixPlan, OperatorError};
use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor, activation};
use std::sync::{Arc, Mutex, PoisonError};

/// How an [`AggConv`] is built.
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
    /// A two-dimensional AggConv from `channels[0]` to `channels[1]` channels over a space, with
    /// stride 1, one group and a bias, computed the fastest way.
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

    /// How the mixture is computed.
    pub fn with_formulation(self, formulation: Formulation) -> Self {
        Self { formulation, ..self }
    }

    /// Checks that such a layer can be.
    ///
    /// # Errors
    /// [`OperatorError`] with the first value that cannot.
    pub fn validate(&self) -> Result<(), OperatorError> {
        check_layer(self.dims, self.channels, self.stride, self.groups)
    }

    /// Builds the layer: weights at N(0, 0.01²), α at 1e-3·N(0, 1), bias 0.
    ///
    /// # Errors
    /// Those of [`AggConvConfig::validate`].
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

    /// [`AggConvConfig::try_init`] for configurations known to be valid.
    ///
    /// # Panics
    /// With the error's message if it is not.
    pub fn init(&self, device: &Device) -> AggConv {
        self.try_init(device).unwrap_or_else(|e| panic!("AggConv: {e}"))
    }
}

/// The input size last planned for, and its plan.
type CachedPlan = Option<([usize; 2], Arc<MixPlan>)>;

/// `AggConv_{K,D}(x) = Σ c_{k,d}·Conv(w_{k,d})(x) + b` on `[N, C, H, W]`, where
/// `c = softmax((log_softmax(α) + g)/τ)` and g is Gumbel noise in training.
#[derive(Module, Debug)]
pub struct AggConv {
    /// The weights of every candidate, `[c_out, c_in / groups, Σ k^dims]`: blocks in k-major
    /// order, each row-major.
    pub weight: Param<Tensor<3>>,
    /// The architecture parameters α, `[|K|·|D|]`.
    pub alpha: Param<Tensor<1>>,
    /// `[c_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// The kernel sizes and dilations.
    #[module(skip)]
    pub space: Arc<KernelSpace>,
    /// Axes of the data, 1 or 2.
    #[module(skip)]
    pub dims: usize,
    /// Stride on each axis of the data.
    #[module(skip)]
    pub stride: usize,
    /// Channel groups.
    #[module(skip)]
    pub groups: usize,
    /// How the mixture is computed.
    #[module(skip)]
    pub formulation: Formulation,
    /// What computes it.
    #[module(skip)]
    pub engine: Engine,
    /// The plan of the input size seen last: layers see the same size step after step.
    #[module(skip)]
    plan: Arc<Mutex<CachedPlan>>,
}

impl AggConv {
    /// Runs the layer: with Gumbel noise drawn anew from the device's generator on a device that
    /// records gradients, without on one that does not (τ = 1).
    ///
    /// # Shapes
    /// `[N, c_in, H, W]` to `[N, c_out, ⌈H/s⌉, ⌈W/s⌉]`; in one dimension H is 1 and stays 1.
    ///
    /// # Panics
    /// If the input does not fit the layer, as Burn's modules do.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let noise = x.device().is_autodiff().then(|| self.gumbel(&x.device()));
        let mixing = self.mixing(noise, 1.0);
        self.forward_mixed(x, mixing)
    }

    /// Standard Gumbel draws, one a candidate.
    fn gumbel(&self, device: &Device) -> Tensor<1> {
        let u = Tensor::random([self.space.len()], Distribution::Uniform(1e-7, 1.0 - 1e-7), device);
        u.log().neg().log().neg()
    }

    /// The mixing coefficients `softmax((log_softmax(α) + noise)/τ)`, `[|K|·|D|]`.
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
    /// As [`AggConv::forward`].
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

    /// [`AggConv::try_forward_mixed`] for inputs known to fit.
    ///
    /// # Panics
    /// With the error's message if they do not.
    pub fn forward_mixed(&self, x: Tensor<4>, mixing: Tensor<1>) -> Tensor<4> {
        self.try_forward_mixed(x, mixing).unwrap_or_else(|e| panic!("AggConv: {e}"))
    }

    fn plan(&self, input: [usize; 2]) -> Arc<MixPlan> {
        // A plan is replaced whole: one left by a thread that panicked is still a plan.
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
