//! The operator as backend operations.

use crate::kernels::{Algorithm, SavedInput};
use crate::{ConvGeometry, mix::MixPlan};
use burn::backend::{Backend, backend_extension, tensor::FloatTensor};
use std::sync::Arc;

/// What a tap convolution computes and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapConvSpec {
    /// Shapes, stride, groups and taps.
    pub geometry: ConvGeometry,
    /// The kernel that computes it.
    pub algorithm: Algorithm,
}

/// The operator's operations. Shapes are checked by the caller, [`ops`](crate::ops).
#[backend_extension(Flex, Autodiff)]
pub trait AggConvOps: Backend {
    /// The convolution of `x: [batch, c_in, h, w]` with `w: [c_out, c_in / groups, taps]`:
    /// `[batch, c_out, ⌈h/s⌉, ⌈w/s⌉]`.
    fn tap_conv(x: FloatTensor<Self>, w: FloatTensor<Self>, spec: TapConvSpec) -> FloatTensor<Self>;

    /// [`tap_conv`](Self::tap_conv) plus `bias: [c_out]` for each output channel.
    fn tap_conv_bias(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: TapConvSpec,
    ) -> FloatTensor<Self>;

    /// The mixed kernel `[c_out, c_in / groups, taps]` of flat weights
    /// `w: [c_out, c_in / groups, T]` and coefficients `c: [|K|·|D|]`.
    fn agg_mix(w: FloatTensor<Self>, c: FloatTensor<Self>, plan: Arc<MixPlan>) -> FloatTensor<Self>;
}

/// Which inputs of a tap convolution need a gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedGradients {
    /// The input.
    pub x: bool,
    /// The weights.
    pub w: bool,
    /// The bias.
    pub bias: bool,
}

/// What there is of a convolution's input in its backward pass.
#[derive(Debug, Clone)]
pub enum BackwardInput<T> {
    /// Nothing: no gradient depends on it.
    Unneeded,
    /// The input itself.
    Tensor(T),
    /// What was computed of it in the forward pass.
    Saved(Arc<SavedInput>),
}

/// The gradients of a tap convolution: present where [`WantedGradients`] asked.
#[derive(Debug, Clone)]
pub struct TapConvGradients<T> {
    /// Gradient of the input.
    pub x: Option<T>,
    /// Gradient of the weights.
    pub w: Option<T>,
    /// Gradient of the bias.
    pub bias: Option<T>,
}

/// The backward passes of [`AggConvOps`], on a backend without autodiff.
///
/// An operand is `None` when no gradient that was asked for depends on it: it was not saved.
pub trait AggConvGrads: AggConvOps {
    /// [`AggConvOps::tap_conv`] or [`AggConvOps::tap_conv_bias`], and what can take the input's place in
    /// [`tap_conv_backward`](Self::tap_conv_backward), if there is such.
    fn tap_conv_saving(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        spec: TapConvSpec,
    ) -> (FloatTensor<Self>, Option<Arc<SavedInput>>);

    /// The gradients of [`AggConvOps::tap_conv_bias`]. Of `x` is given something if `wanted.w`, `w` if
    /// `wanted.x`; `dy` is the gradient of the output.
    fn tap_conv_backward(
        x: BackwardInput<FloatTensor<Self>>,
        w: Option<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
        spec: &TapConvSpec,
        wanted: WantedGradients,
    ) -> TapConvGradients<FloatTensor<Self>>;

    /// The gradients of [`AggConvOps::agg_mix`]: of `w` if `c` is given, of `c` if `w` is given;
    /// `dm` is the gradient of the mixed kernel.
    fn agg_mix_backward(
        w: Option<FloatTensor<Self>>,
        c: Option<FloatTensor<Self>>,
        dm: FloatTensor<Self>,
        plan: &MixPlan,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>);
}
