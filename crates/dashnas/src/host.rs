//! Tensors' numbers on the host.

use burn::tensor::Tensor;

/// The elements of a tensor, row-major. Moves them where the engine holds them on the host and
/// no one else does.
pub(crate) fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    // The conversion to f32 makes the element type the one asked for.
    tensor.into_data_as::<f32>().try_into_vec::<f32>().expect("the data was converted to f32")
}
