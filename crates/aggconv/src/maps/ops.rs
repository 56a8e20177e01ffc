//! Sums and means as functions of Burn tensors. They check the shapes, use the multi-threaded kernels where the device
//! has them (Flex, in `f32`), and compose Burn operations elsewhere.

use super::ext::MapOps;
use crate::flex::is_native;
use burn::backend::Dispatch;
use burn::tensor::Tensor;

/// The reasons why activations cannot be added or averaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MapError {
    /// The terms of a sum differ in shape. They are not broadcast.
    #[error("{x:?} and {y:?} cannot be added: the shapes must agree")]
    Shapes {
        /// The shape of the first term.
        x: Vec<usize>,
        /// The shape of the second term.
        y: Vec<usize>,
    },
    /// The input has no channel axis.
    #[error("an input of rank {0} has no channel axis: [batch, channels, …] is expected")]
    Rank(usize),
    /// The input has no positions to average.
    #[error("an input {0:?} has no position whose mean could be taken")]
    NoPosition(Vec<usize>),
}

/// Adds two tensors of the same shape. The sum reuses the memory of a term that is not needed otherwise.
///
/// # Errors
/// If the shapes differ.
pub fn add<const D: usize>(x: Tensor<D>, y: Tensor<D>) -> Result<Tensor<D>, MapError> {
    if x.dims() != y.dims() {
        return Err(MapError::Shapes { x: x.dims().to_vec(), y: y.dims().to_vec() });
    }
    if !is_native(&x) || !is_native(&y) {
        return Ok(x + y);
    }
    Ok(Tensor::from_dispatch(<Dispatch as MapOps>::map_add(x.into_dispatch(), y.into_dispatch())))
}

/// The mean of `x: [batch, channels, …]` over all positions: `[batch, channels]`.
///
/// # Errors
/// If there is no channel axis or no position.
pub fn mean_positions<const D: usize>(x: Tensor<D>) -> Result<Tensor<2>, MapError> {
    if D < 2 {
        return Err(MapError::Rank(D));
    }
    let dims = x.dims();
    let positions = dims[2..].iter().product::<usize>();
    if positions == 0 {
        return Err(MapError::NoPosition(dims.to_vec()));
    }
    if !is_native(&x) {
        let [n, c] = [dims[0], dims[1]];
        return Ok(x.reshape([n, c, positions]).mean_dim(2).reshape([n, c]));
    }
    Ok(Tensor::from_dispatch(<Dispatch as MapOps>::map_mean(x.into_dispatch())))
}
