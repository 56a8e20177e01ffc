//! The elements of tensors in the memory of the host.

use burn::tensor::{Tensor, TensorData};
use std::ops::{Deref, DerefMut};

/// Returns the elements of a tensor, row-major. They are moved, not copied, where they are in the memory of the host
/// and nothing else refers to them.
pub fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    // The conversion to f32 makes the element type the one asked for.
    tensor.into_data_as::<f32>().try_into_vec::<f32>().expect("the data was converted to f32")
}

/// The elements of a tensor, row-major, in the memory that the tensor library allocated for them and may reuse.
#[derive(Debug, Clone)]
pub(crate) struct Floats(TensorData);

impl Floats {
    /// Takes the elements without a copy, also where [`floats`] would copy them out of memory that is reused.
    pub(crate) fn of<const D: usize>(tensor: Tensor<D>) -> Self {
        Self(tensor.into_data_as::<f32>())
    }
}

impl Deref for Floats {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        self.0.as_slice().expect("f32 by construction, and on the host")
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.0.as_mut_slice().expect("f32 by construction, and on the host")
    }
}
