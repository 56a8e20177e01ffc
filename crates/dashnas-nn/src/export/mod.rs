//! Models in the formats of other programs: ONNX, and PyTorch (with weights as safetensors).
//!
//! Exports work on an [`Artifact`](crate::artifact::file::Artifact), a model as data, and need no tensor library.
//! [`fold`] merges batch normalization into the convolutions before it, [`onnx`] and [`torch`] write the formats, and
//! [`mod@verify`] runs an exported ONNX file and compares its outputs with those of the model.
//!
//! To add a format, walk over [`layers`](crate::layers::layers) as [`torch`] does.

pub mod fold;
pub mod onnx;
pub mod torch;
pub mod verify;

pub use crate::export::fold::fold_batch_norm;
pub use crate::export::onnx::OnnxOptions;
pub use crate::export::verify::{Agreement, TOLERANCE, other_size, verify};
