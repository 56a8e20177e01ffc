//! The operations as functions of Burn tensors. They check the shapes, use the multi-threaded kernels where the device has
//! them (Flex, in `f32`), and compose Burn operations elsewhere.

use super::ext::PointwiseOps;
use crate::flex::is_native;
use crate::norm::ops::{NormError, check};
use burn::backend::Dispatch;
use burn::tensor::{Tensor, activation};

/// The exact Gaussian error linear unit `x·Φ(x)`, where Φ is the distribution function of the normal distribution.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !is_native(&x) {
        return activation::gelu(x);
    }
    Tensor::from_dispatch(<Dispatch as PointwiseOps>::exact_gelu(x.into_dispatch()))
}

/// Normalizes the channels of each position of `x: [batch, channels, …]` to mean 0 and variance 1, scales them by
/// `gamma: [channels]` and shifts them by `beta: [channels]`.
///
/// # Errors
/// If the shapes do not fit together.
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f64,
) -> Result<Tensor<D>, NormError> {
    check(&x, &[("gamma", &gamma), ("beta", &beta)])?;
    if !is_native(&x) || !is_native(&gamma) || !is_native(&beta) {
        let mean = x.clone().mean_dim(1);
        let centered = x - mean;
        let variance = centered.clone().powi_scalar(2).mean_dim(1);
        let normalized = centered / (variance + epsilon).sqrt();
        return Ok(normalized * along_channels(gamma) + along_channels(beta));
    }
    let [gamma, beta] = [gamma, beta].map(Tensor::into_dispatch);
    let y = <Dispatch as PointwiseOps>::channel_layer_norm(x.into_dispatch(), gamma, beta, epsilon);
    Ok(Tensor::from_dispatch(y))
}

/// Multiplies each channel of `x: [batch, channels, …]` by its `factor: [channels]`.
///
/// # Errors
/// If the shapes do not fit together.
pub fn scale<const D: usize>(x: Tensor<D>, factor: Tensor<1>) -> Result<Tensor<D>, NormError> {
    check(&x, &[("factor", &factor)])?;
    if !is_native(&x) || !is_native(&factor) {
        return Ok(x * along_channels(factor));
    }
    Ok(Tensor::from_dispatch(<Dispatch as PointwiseOps>::channel_scale(x.into_dispatch(), factor.into_dispatch())))
}

/// Values of channels `[channels]` as `[1, channels, 1, …]`.
fn along_channels<const D: usize>(values: Tensor<1>) -> Tensor<D> {
    let mut shape = [1; D];
    shape[1] = values.dims()[0];
    values.reshape(shape)
}
