//! The traits of backends with native kernels for the operator.

use crate::kernels::{Algorithm, SavedInput};
use crate::{ConvGeometry, mix::MixPlan};
use burn::backend::{Backend, backend_extension, tensor::FloatTensor};
use std::sync::Arc;

/// The shape and the algorithm of a tap convolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapConvSpec {
    /// Shapes, stride, groups and taps.
    pub geometry: ConvGeometry,
    /// The algorithm that computes it.
    pub algorithm: Algorithm,
}

/// The operations of the operator. The caller, [`ops`](crate::ops), checks the shapes.
#[backend_extension(Flex, Autodiff)]
pub trait AggConvOps: Backend {
    /// Computes the convolution of `x: [batch, c_in, h, w]` with `w: [c_out, c_in / groups, taps]`:
    /// `[batch, c_out, ⌈h/s⌉, ⌈w/s⌉]`.
    fn tap_conv(x: FloatTensor<Self>, w: FloatTensor<Self>, spec: TapConvSpec) -> FloatTensor<Self>;

    /// Computes [`tap_conv`](Self::tap_conv) plus `bias: [c_out]`.
    fn tap_conv_bias(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        spec: TapConvSpec,
    ) -> FloatTensor<Self>;

    /// Computes the mixed kernel `[c_out, c_in / groups, taps]` from flat weights `w: [c_out, c_in / groups, T]` and
    /// coefficients `c: [|K|·|D|]`.
    fn agg_mix(w: FloatTensor<Self>, c: FloatTensor<Self>, plan: Arc<MixPlan>) -> FloatTensor<Self>;
}

/// The inputs of a tap convolution whose gradients are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedGradients {
    /// The input.
    pub x: bool,
    /// The weights.
    pub w: bool,
    /// The bias.
    pub bias: bool,
}

/// The representation of a convolution's input in its backward pass.
#[derive(Debug, Clone)]
pub enum BackwardInput<T> {
    /// No gradient depends on the input.
    Unneeded,
    /// The input itself.
    Tensor(T),
    /// Values that the forward pass derived from the input.
    Saved(Arc<SavedInput>),
}

/// The gradients of a tap convolution. Those that [`WantedGradients`] requests are present.
#[derive(Debug, Clone)]
pub struct TapConvGradients<T> {
    /// The gradient of the input.
    pub x: Option<T>,
    /// The gradient of the weights.
    pub w: Option<T>,
    /// The gradient of the bias.
    pub bias: Option<T>,
}

/// The backward passes of [`AggConvOps`], on a backend without autodiff.
///
/// An operand is `None` if no requested gradient depends on it, because it was not saved then.
pub trait AggConvGrads: AggConvOps {
    /// Computes [`AggConvOps::tap_conv`] or [`AggConvOps::tap_conv_bias`], and returns what can replace the input in
    /// [`tap_conv_backward`](Self::tap_conv_backward), if the backend has such a representation.
    fn tap_conv_saving(
        x: FloatTensor<Self>,
        w: FloatTensor<Self>,
        bias: Option<FloatTensor<Self>>,
        spec: TapConvSpec,
    ) -> (FloatTensor<Self>, Option<Arc<SavedInput>>);

    /// Computes the gradients of [`AggConvOps::tap_conv_bias`] from `dy`, the gradient of the output. `x` is given if
    /// `wanted.w`, and `w` if `wanted.x`.
    fn tap_conv_backward(
        x: BackwardInput<FloatTensor<Self>>,
        w: Option<FloatTensor<Self>>,
        dy: FloatTensor<Self>,
        spec: &TapConvSpec,
        wanted: WantedGradients,
    ) -> TapConvGradients<FloatTensor<Self>>;

    /// Computes the gradients of [`AggConvOps::agg_mix`] from `dm`, the gradient of the mixed kernel: that of `w` if
    /// `c` is given, and that of `c` if `w` is given.
    fn agg_mix_backward(
        w: Option<FloatTensor<Self>>,
        c: Option<FloatTensor<Self>>,
        dm: FloatTensor<Self>,
        plan: &MixPlan,
    ) -> (Option<FloatTensor<Self>>, Option<FloatTensor<Self>>);
}
