//! Models in the formats of other programs: ONNX, and PyTorch by way of safetensors.
//!
//! Everything here works on an [`Artefact`](crate::artefact::Artefact), a model as data: exporting needs no
//! tensor engine. [`layers`] says which layers a network has and what their weights are called, [`fold`] merges
//! batch normalization into the convolutions before it, [`onnx`] and [`torch`] write the formats, and [`mod@verify`]
//! runs a written ONNX file again and compares.

mod error;
pub mod fold;
pub mod layers;
pub mod onnx;
pub mod torch;
pub mod verify;

pub use error::ExportError;
pub use fold::fold_batch_norm;
pub use onnx::OnnxOptions;
pub use verify::{Agreement, TOLERANCE, other_size, verify};
