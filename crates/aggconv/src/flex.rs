//! Conversions between slices and the tensors of Flex, Burn's CPU backend.

use crate::kernels::scratch::Scratch;
use burn::backend::DispatchDevice;
use burn::tensor::{Bytes, DType, Device, Shape, Tensor};
use burn_flex::{FlexTensor, Layout};

/// Whether the tensors of a device belong to Flex.
pub(crate) fn is_flex(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

/// Whether this crate's kernels can compute on a tensor: it belongs to Flex, has the type `f32`, and is not empty.
pub(crate) fn is_native<const D: usize>(x: &Tensor<D>) -> bool {
    is_flex(&x.device()) && x.dtype() == DType::F32 && x.shape().num_elements() > 0
}

/// A tensor of `f32` in row-major order: the tensor itself, or a copy of a strided view. It is the only owner of its
/// elements if the original tensor was.
pub(crate) struct Contiguous(pub(crate) FlexTensor);

impl Contiguous {
    pub(crate) fn new(tensor: FlexTensor) -> Self {
        // The argument is dropped here, so that it is not a second owner.
        Self(tensor.to_contiguous())
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        self.0.as_slice().expect("the tensor is contiguous, and `ops` passes only f32")
    }

    /// The elements for writing, if nothing else owns their memory and it holds nothing else.
    pub(crate) fn exclusive_mut(&mut self) -> Option<&mut [f32]> {
        let (whole, len) = (self.0.layout().start_offset() == 0, self.shape().num_elements());
        self.0.try_storage_mut::<f32>().filter(|elements| whole && elements.len() == len)
    }

    pub(crate) fn shape(&self) -> &Shape {
        self.0.layout().shape()
    }
}

/// Creates a tensor with these elements.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(data), Layout::contiguous(shape.into()), DType::F32)
}

/// Creates a tensor whose memory is reused when it is dropped: for activations and their gradients, of which every step
/// creates the same. Unlike those of [`tensor`], its elements can be moved out only by copying them.
pub(crate) fn pooled(data: Scratch, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(data.into_bytes(), Layout::contiguous(shape.into()), DType::F32)
}
