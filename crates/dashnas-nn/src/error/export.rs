//! Errors of exports.

use std::ops::RangeInclusive;

/// The reasons for which a model cannot be written in another format.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The version of the operators is not supported.
    #[error("ONNX opset {opset} is not supported: the supported versions are {} to {}", supported.start(), supported.end())]
    UnknownOpset {
        /// The version asked for.
        opset: i64,
        /// The versions that are supported.
        supported: RangeInclusive<i64>,
    },
    /// The version of the operators lacks one that the network needs.
    #[error("ONNX opset {opset} cannot express this network: {operator} needs opset {needs} (for {why})")]
    Opset {
        /// The version asked for.
        opset: i64,
        /// The name of the operator.
        operator: &'static str,
        /// The first version that has it.
        needs: i64,
        /// The purpose of the operator in the network.
        why: &'static str,
    },
    /// A transform of the inputs cannot be expressed in the format.
    #[error("the transform {transform} of the inputs cannot be part of the exported model")]
    Transform {
        /// The name of the transform.
        transform: &'static str,
    },
    /// The weights are larger than a file of the format can be.
    #[error("the weights take {bytes} bytes, more than the 2 GiB that an ONNX file can hold")]
    TooLarge {
        /// The size of the weights.
        bytes: usize,
    },
    /// The model lacks a weight, or it has another shape.
    #[error("the model has no weights {name} of shape {shape:?}")]
    Weights {
        /// The name of the weight.
        name: String,
        /// The shape that the network needs.
        shape: Vec<usize>,
    },
    /// The exported file cannot be run.
    #[error("the exported ONNX file cannot be run: {reason}")]
    NotRunnable {
        /// The message of the engine.
        reason: String,
    },
    /// The exported file computes something else than the model.
    #[error(
        "the ONNX file differs from the model by {difference:.3e} of the scale of the outputs, more than {tolerance:e}; \
         the file was not written"
    )]
    Disagrees {
        /// The largest difference over the largest output.
        difference: f64,
        /// The largest difference that is allowed.
        tolerance: f64,
    },
}

impl ExportError {
    /// Returns advice for the user, if there is some.
    pub fn hint(&self) -> Option<String> {
        match self {
            ExportError::UnknownOpset { .. } => Some("use the default opset".into()),
            ExportError::Opset { needs, .. } => Some(format!("use opset {needs} or a later version")),
            ExportError::Transform { .. } => {
                Some("export the raw network, and transform and normalize its inputs beforehand".into())
            }
            ExportError::TooLarge { .. } => Some("export for PyTorch instead".into()),
            _ => None,
        }
    }
}
