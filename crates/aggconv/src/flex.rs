//! Tensors of Burn's CPU backend, Flex, as slices and back.

use crate::kernels::scratch::Scratch;
use burn::backend::DispatchDevice;
use burn::tensor::{Bytes, DType, Device, Shape, Tensor};
use burn_flex::{FlexTensor, Layout};

/// Whether tensors of a device are Flex's.
pub(crate) fn is_flex(device: &Device) -> bool {
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Flex(_))
}

/// Whether this crate's kernels compute on a tensor: Flex's, of `f32`, and not empty.
pub(crate) fn is_native<const D: usize>(x: &Tensor<D>) -> bool {
    is_flex(&x.device()) && x.dtype() == DType::F32 && x.shape().num_elements() > 0
}

/// A tensor of `f32` whose elements lie in row-major order: itself, or a copy of a strided view.
/// The only owner of its elements if the tensor was.
pub(crate) struct Contiguous(pub(crate) FlexTensor);

impl Contiguous {
    pub(crate) fn new(tensor: FlexTensor) -> Self {
        // The argument is dropped here, so that it is no second owner.
        Self(tensor.to_contiguous())
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        self.0.as_slice().expect("made contiguous, and the `ops` let no type but f32 through")
    }

    /// The elements, to be written over, if their memory is nobody else's and holds nothing else.
    pub(crate) fn exclusive_mut(&mut self) -> Option<&mut [f32]> {
        let (whole, len) = (self.0.layout().start_offset() == 0, self.shape().num_elements());
        self.0.try_storage_mut::<f32>().filter(|elements| whole && elements.len() == len)
    }

    pub(crate) fn shape(&self) -> &Shape {
        self.0.layout().shape()
    }
}

/// A tensor of these elements.
pub(crate) fn tensor(data: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(Bytes::from_elems(data), Layout::contiguous(shape.into()), DType::F32)
}

/// A tensor of these elements whose memory is used again when it is dropped: for activations and
/// their gradients, of which every step makes the same. Unlike [`tensor`]'s, the elements can be
/// taken out of it only by copying them.
pub(crate) fn pooled(data: Scratch, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::new(data.into_bytes(), Layout::contiguous(shape.into()), DType::F32)
}
