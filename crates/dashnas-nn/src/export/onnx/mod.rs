//! A model as an ONNX file: standard operators only, any batch size, and any length or size where the network takes it.
//! A network for samples with lengths of their own takes the lengths as a second input.

mod graph;
mod inputs;
mod mask;
mod model;
mod options;
mod proto;
mod writer;

pub use crate::export::onnx::model::{onnx, output_name};
pub use crate::export::onnx::options::{DEFAULT_OPSET, OPSETS, OnnxOptions};
