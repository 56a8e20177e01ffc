//! Normalization as functions of Burn tensors. They check the shapes, use the fused kernels where the device has them
//! (Flex, in `f32`), and compose Burn operations elsewhere.

use super::ext::NormOps;
use crate::flex;
use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor, activation, module};

/// The reasons why a batch cannot be normalized.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NormError {
    /// The input has no channel axis.
    #[error("an input of rank {0} has no channel axis: [batch, channels, …] is expected")]
    Rank(usize),
    /// A tensor does not have one value for each channel.
    #[error("{name} has {got} values, but the input {x:?} has {expected} channels")]
    Channels {
        /// The name of the tensor.
        name: &'static str,
        /// The number of its values.
        got: usize,
        /// The number of channels of the input.
        expected: usize,
        /// The shape of the input.
        x: Vec<usize>,
    },
}

/// The result of [`train`].
#[derive(Debug, Clone)]
pub struct Normalized<const D: usize> {
    /// The output, with the shape of the input.
    pub output: Tensor<D>,
    /// The mean of the batch, `[channels]`, detached.
    pub mean: Tensor<1>,
    /// The biased variance of the batch, `[channels]`, without ε, detached.
    pub variance: Tensor<1>,
}

/// Normalizes `x: [batch, channels, …]` with the statistics of the batch, scales by `gamma: [channels]`, shifts by
/// `beta: [channels]` and applies a ReLU if `relu`. The gradient accounts for the dependence of the statistics on x.
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

/// Normalizes `x: [batch, channels, …]` with the given `mean` and biased `variance`, scales, shifts and applies a ReLU
/// if `relu`. All tensors but x are `[channels]`.
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

pub(crate) fn check<const D: usize>(x: &Tensor<D>, parameters: &[(&'static str, &Tensor<1>)]) -> Result<(), NormError> {
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

/// Whether the fused kernels can compute on these tensors.
fn is_native<const D: usize>(x: &Tensor<D>, parameters: &[&Tensor<1>]) -> bool {
    flex::is_native(x) && parameters.iter().all(|parameter| parameter.dtype() == DType::F32)
}
