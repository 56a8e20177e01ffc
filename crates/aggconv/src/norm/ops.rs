//! Normalization as functions of Burn tensors: shapes checked, fused where the device has the
//! kernels (Flex, in `f32`), composed of Burn operations elsewhere.

use super::ext::NormOps;
use crate::flex;
use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor, activation, module};

/// Why a batch cannot be normalized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NormError {
    /// There is no channel axis.
    #[error("an input of rank {0} has no channel axis: [batch, channels, …] is expected")]
    Rank(usize),
    /// A tensor that must have one value a channel has not.
    #[error("{name} has {got} values, but the input {x:?} has {expected} channels")]
    Channels {
        /// Which tensor.
        name: &'static str,
        /// Its length.
        got: usize,
        /// Channels of the input.
        expected: usize,
        /// Shape of the input.
        x: Vec<usize>,
    },
}

/// The result of [`train`].
#[derive(Debug, Clone)]
pub struct Normalized<const D: usize> {
    /// The output, of the input's shape.
    pub output: Tensor<D>,
    /// The batch's mean, `[channels]`, detached.
    pub mean: Tensor<1>,
    /// The batch's biased variance, `[channels]`, without ε, detached.
    pub variance: Tensor<1>,
}

/// Normalizes `x: [batch, channels, …]` with the statistics of the batch, scales by
/// `gamma: [channels]`, shifts by `beta: [channels]` and, if `relu`, rectifies. The gradient
/// accounts for the statistics' dependence on x.
///
/// # Errors
/// If the shapes do not fit together.
pub fn train<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
    relu: bool,
) -> Result<Normalized<D>, NormError> {
    check(&x, &[("gamma", &gamma), ("beta", &beta)])?;
    if !is_native(&x, &[&gamma, &beta]) {
        let result = module::batch_norm_train(x, gamma, beta, epsilon);
        let output = if relu { activation::relu(result.output) } else { result.output };
        return Ok(Normalized { output, mean: result.mean, variance: result.variance });
    }
    let (x, gamma, beta) = (x.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch());
    let (output, mean, variance) = <Dispatch as NormOps>::norm_act_train(x, gamma, beta, epsilon, relu);
    Ok(Normalized {
        output: Tensor::from_dispatch(output),
        mean: Tensor::from_dispatch(mean),
        variance: Tensor::from_dispatch(variance),
    })
}

/// Normalizes `x: [batch, channels, …]` with the given `mean` and biased `variance`, scales,
/// shifts and, if `relu`, rectifies; all but x are `[channels]`.
///
/// # Errors
/// If the shapes do not fit together.
pub fn evaluate<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    mean: Tensor<1>,
    variance: Tensor<1>,
    epsilon: f64,
    relu: bool,
) -> Result<Tensor<D>, NormError> {
    check(&x, &[("gamma", &gamma), ("beta", &beta), ("mean", &mean), ("variance", &variance)])?;
    if !is_native(&x, &[&gamma, &beta, &mean, &variance]) {
        let y = module::batch_norm(x, gamma, beta, mean, variance, epsilon);
        return Ok(if relu { activation::relu(y) } else { y });
    }
    let [gamma, beta, mean, variance] = [gamma, beta, mean, variance].map(Tensor::into_dispatch);
    let y = <Dispatch as NormOps>::norm_act(x.into_dispatch(), gamma, beta, mean, variance, epsilon, relu);
    Ok(Tensor::from_dispatch(y))
}

fn check<const D: usize>(x: &Tensor<D>, parameters: &[(&'static str, &Tensor<1>)]) -> Result<(), NormError> {
    if D < 2 {
        return Err(NormError::Rank(D));
    }
    let dims = x.dims();
    for &(name, tensor) in parameters {
        let [got] = tensor.dims();
        if got != dims[1] {
            return Err(NormError::Channels { name, got, expected: dims[1], x: dims.to_vec() });
        }
    }
    Ok(())
}

/// Whether the fused kernels compute on these tensors.
fn is_native<const D: usize>(x: &Tensor<D>, parameters: &[&Tensor<1>]) -> bool {
    flex::is_native(x) && parameters.iter().all(|parameter| parameter.dtype() == DType::F32)
}
