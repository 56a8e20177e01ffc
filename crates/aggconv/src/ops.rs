//! The operator as functions of Burn tensors. They check the shapes and choose the engine by the device.

use crate::checks::{axes, check_input, check_operands};
use crate::composed::{self, Route};
use crate::ext::{AggConvOps, TapConvSpec};
use crate::flex::is_flex;
use crate::kernels::{self, Algorithm};
use crate::mix::{self, MixPlan};
use crate::{ConvGeometry, Formulation, KernelSpace, OperatorError, TapSet};
use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The implementation that computes the operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// This crate's kernels where the device has them (Flex, in `f32`), Burn operations elsewhere.
    #[default]
    Auto,
    /// This crate's kernels; an error where the device has none.
    Native,
    /// A composition of Burn operations.
    Composed,
}

impl Engine {
    /// Whether the native kernels compute on these tensors.
    fn is_native(self, device: &Device, dtypes: &[DType]) -> Result<bool, OperatorError> {
        let has_kernels = is_flex(device);
        let other = dtypes.iter().copied().find(|&dtype| dtype != DType::F32);
        match self {
            Engine::Composed => Ok(false),
            Engine::Auto => Ok(has_kernels && other.is_none()),
            Engine::Native if !has_kernels => Err(OperatorError::NoNativeEngine(format!("{device:?}"))),
            Engine::Native => other.map_or(Ok(true), |dtype| Err(OperatorError::NativeDType(dtype))),
        }
    }
}

/// The selection of the algorithm of a tap convolution.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// The fastest algorithm for the shape.
    #[default]
    Fastest,
    /// The algorithm that a formulation uses.
    Formulation(Formulation),
    /// A given algorithm. The composed engine ignores it and chooses for itself.
    Kernel(Algorithm),
}

/// The settings of a convolution with an explicit set of taps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapConvOptions {
    /// The offsets that the kernel reads.
    pub taps: Arc<TapSet>,
    /// The stride on each axis.
    pub stride: [usize; 2],
    /// The number of channel groups.
    pub groups: usize,
    /// The selection of the algorithm.
    pub choice: Choice,
    /// The implementation that computes it.
    pub engine: Engine,
}

impl TapConvOptions {
    /// A convolution with these taps, stride 1 and one group, computed by the fastest algorithm.
    pub fn new(taps: Arc<TapSet>) -> Self {
        Self { taps, stride: [1, 1], groups: 1, choice: Choice::Fastest, engine: Engine::Auto }
    }

    /// The convolution of a layer on data of `dims` axes, with the same stride on each axis.
    pub(crate) fn of_layer(taps: Arc<TapSet>, dims: usize, stride: usize, groups: usize, engine: Engine) -> Self {
        Self { stride: axes(dims, stride), groups, engine, ..Self::new(taps) }
    }

    fn geometry(&self, x: [usize; 4], w: [usize; 3]) -> Result<ConvGeometry, OperatorError> {
        let ([batch, c_in, height, width], [c_out, _, taps]) = (x, w);
        let groups = self.groups;
        check_operands(x, w, groups)?;
        if self.stride.contains(&0) {
            return Err(OperatorError::Stride(self.stride));
        }
        if taps != self.taps.len() || taps == 0 {
            return Err(OperatorError::Taps { w, expected: self.taps.len().max(1) });
        }
        let taps = self.taps.clone();
        Ok(ConvGeometry { batch, c_in, c_out, groups, input: [height, width], stride: self.stride, taps })
    }
}

/// Checks that there is one bias for each output channel, if any.
fn check_bias(bias: Option<&Tensor<1>>, c_out: usize) -> Result<(), OperatorError> {
    match bias.map(|b| b.dims()) {
        Some([got]) if got != c_out => Err(OperatorError::Bias { got, expected: c_out }),
        _ => Ok(()),
    }
}

/// Computes the convolution of `x: [batch, c_in, h, w]` with `w: [c_out, c_in / groups, taps]` plus `bias: [c_out]`,
/// with "same" padding: `[batch, c_out, ⌈h/s⌉, ⌈w/s⌉]`. See [`ConvGeometry`].
///
/// # Errors
/// If the shapes do not fit together or if the engine cannot compute on the tensors.
pub fn tap_conv(
    x: Tensor<4>,
    w: Tensor<3>,
    bias: Option<Tensor<1>>,
    options: &TapConvOptions,
) -> Result<Tensor<4>, OperatorError> {
    let geometry = options.geometry(x.dims(), w.dims())?;
    check_bias(bias.as_ref(), geometry.c_out)?;
    let bias_dtype = bias.as_ref().map_or(w.dtype(), |b| b.dtype());
    if !options.engine.is_native(&x.device(), &[x.dtype(), w.dtype(), bias_dtype])? {
        let route = match options.choice {
            Choice::Fastest | Choice::Kernel(_) | Choice::Formulation(Formulation::Auto) => Route::Auto,
            Choice::Formulation(Formulation::Fourier | Formulation::FourierKronecker) => Route::Fourier,
            Choice::Formulation(_) => Route::Direct,
        };
        return Ok(composed::tap_conv(x, w, bias, &options.taps, options.stride, options.groups, route));
    }
    let algorithm = match options.choice {
        Choice::Fastest => kernels::select(&geometry),
        Choice::Formulation(formulation) => formulation.algorithm(&geometry),
        Choice::Kernel(algorithm) => algorithm,
    };
    if !algorithm.supports(&geometry) {
        let geometry = format!("{geometry:?}");
        return Err(OperatorError::Algorithm { algorithm: format!("{algorithm:?}"), geometry });
    }
    let spec = TapConvSpec { geometry, algorithm };
    let (x, w) = (x.into_dispatch(), w.into_dispatch());
    let y = match bias {
        Some(bias) => <Dispatch as AggConvOps>::tap_conv_bias(x, w, bias.into_dispatch(), spec),
        None => <Dispatch as AggConvOps>::tap_conv(x, w, spec),
    };
    Ok(Tensor::from_dispatch(y))
}

/// Computes the mixed kernel `[c_out, c_in / groups, U]` on the taps of the plan from flat weights
/// `w: [c_out, c_in / groups, T]` and coefficients `c: [|K|·|D|]`.
///
/// # Errors
/// If the shapes do not fit the plan or if the engine cannot compute on the tensors.
pub fn agg_mix(w: Tensor<3>, c: Tensor<1>, plan: &Arc<MixPlan>, engine: Engine) -> Result<Tensor<3>, OperatorError> {
    check_mix(&w, &c, plan.weights(), plan.candidates())?;
    if !engine.is_native(&w.device(), &[w.dtype(), c.dtype()])? {
        return Ok(composed::agg_mix(w, c, plan));
    }
    let m = <Dispatch as AggConvOps>::agg_mix(w.into_dispatch(), c.into_dispatch(), plan.clone());
    Ok(Tensor::from_dispatch(m))
}

fn check_mix(w: &Tensor<3>, c: &Tensor<1>, weights: usize, candidates: usize) -> Result<(), OperatorError> {
    let (w, [got]) = (w.dims(), c.dims());
    if w[2] != weights {
        return Err(OperatorError::Taps { w, expected: weights });
    }
    if got != candidates {
        return Err(OperatorError::Mixing { got, expected: candidates });
    }
    Ok(())
}

/// The settings of an AggConv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggConvOptions {
    /// The kernel sizes and dilations that are mixed.
    pub space: Arc<KernelSpace>,
    /// 1, for inputs `[batch, channels, 1, length]`, or 2.
    pub dims: usize,
    /// The stride, which is the same on each axis of the data.
    pub stride: usize,
    /// The number of channel groups.
    pub groups: usize,
    /// The formulation that computes it.
    pub formulation: Formulation,
    /// The implementation that computes it.
    pub engine: Engine,
}

impl AggConvOptions {
    /// An AggConv in `dims` dimensions with stride 1 and one group, computed by the fastest formulation.
    pub fn new(space: impl Into<Arc<KernelSpace>>, dims: usize) -> Self {
        Self { space: space.into(), dims, stride: 1, groups: 1, formulation: Formulation::Auto, engine: Engine::Auto }
    }

    fn tap_conv(&self, taps: Arc<TapSet>) -> TapConvOptions {
        TapConvOptions {
            taps,
            stride: axes(self.dims, self.stride),
            groups: self.groups,
            choice: Choice::Formulation(self.formulation),
            engine: self.engine,
        }
    }
}

/// Computes `Σ_{k,d} c_{k,d} · Conv_{k,d}(x) + bias` (Eq. 2–4).
///
/// `x` is `[batch, c_in, h, w]` (h = 1 in one dimension), `w` holds the flat weights `[c_out, c_in / groups, T]` of
/// [`mix`], `c` the mixing coefficients `[|K|·|D|]` in k-major order, and `bias` is `[c_out]`. The output is
/// `[batch, c_out, ⌈h/s⌉, ⌈w/s⌉]`.
///
/// # Errors
/// If the shapes do not fit together or if the engine cannot compute on the tensors.
pub fn agg_conv(
    x: Tensor<4>,
    w: Tensor<3>,
    c: Tensor<1>,
    bias: Option<Tensor<1>>,
    options: &AggConvOptions,
) -> Result<Tensor<4>, OperatorError> {
    check_input(x.dims(), options.dims)?;
    let [_, _, height, width] = x.dims();
    let plan = || Arc::new(MixPlan::new(&options.space, options.dims, [height, width]));
    agg_conv_planned(x, w, c, bias, options, plan)
}

/// Computes [`agg_conv`] with a plan for the input's size that the caller may have cached. `plan` is called only if the
/// formulation needs it.
pub(crate) fn agg_conv_planned(
    x: Tensor<4>,
    w: Tensor<3>,
    c: Tensor<1>,
    bias: Option<Tensor<1>>,
    options: &AggConvOptions,
    plan: impl FnOnce() -> Arc<MixPlan>,
) -> Result<Tensor<4>, OperatorError> {
    let (space, dims) = (&options.space, options.dims);
    if space.is_causal() && dims != 1 {
        return Err(OperatorError::Causal);
    }
    check_input(x.dims(), dims)?;
    check_operands(x.dims(), w.dims(), options.groups)?;
    check_mix(&w, &c, space.weights_per_channel_pair(dims), space.len())?;
    check_bias(bias.as_ref(), w.dims()[0])?;
    match (options.formulation, options.formulation.dilation()) {
        (Formulation::MixedResults, _) => mixed_results(x, w, c, bias, options),
        (_, Some(dilation)) => {
            let kernel = mix::dense_kernel(w, c, space, dims, dilation);
            tap_conv(x, kernel, bias, &options.tap_conv(Arc::new(mix::dense_taps(space, dims))))
        }
        (_, None) => {
            let plan = plan();
            let kernel = agg_mix(w, c, &plan, options.engine)?;
            tap_conv(x, kernel, bias, &options.tap_conv(plan.taps().clone()))
        }
    }
}

/// Eq. 2: every convolution, weighted and added.
fn mixed_results(
    x: Tensor<4>,
    w: Tensor<3>,
    c: Tensor<1>,
    bias: Option<Tensor<1>>,
    options: &AggConvOptions,
) -> Result<Tensor<4>, OperatorError> {
    let c_out = w.dims()[0];
    let mut sum: Option<Tensor<4>> = None;
    let mut start = 0;
    for (i, candidate) in options.space.candidates().iter().enumerate() {
        let taps = Arc::new(options.space.taps(*candidate, options.dims));
        let kernel = w.clone().narrow(2, start, taps.len());
        start += taps.len();
        let y = tap_conv(x.clone(), kernel, None, &options.tap_conv(taps))?;
        let y = y * c.clone().narrow(0, i, 1).reshape([1, 1, 1, 1]);
        sum = Some(match sum {
            Some(sum) => sum + y,
            None => y,
        });
    }
    // The sum would be missing only if the space were empty, which is impossible.
    let y = sum.expect("a kernel space is never empty");
    Ok(match bias {
        Some(bias) => y + bias.reshape([1, c_out, 1, 1]),
        None => y,
    })
}
