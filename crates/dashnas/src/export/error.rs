//! What can go wrong in an export.

use super::onnx::OPSETS;
use super::verify::TOLERANCE;

/// Why a model cannot be written in another format.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A version of the operators that is not known here.
    #[error("ONNX opset {opset} is not among those that are known here, {} to {}", OPSETS.start(), OPSETS.end())]
    UnknownOpset {
        /// The version asked for.
        opset: i64,
    },
    /// A version of the operators in which one of them lacks what the network needs.
    #[error("ONNX opset {opset} cannot hold this network: {operator} needs opset {needs}, for {why}")]
    Opset {
        /// The version asked for.
        opset: i64,
        /// The operator.
        operator: &'static str,
        /// The version that it needs.
        needs: i64,
        /// What for.
        why: &'static str,
    },
    /// A transform of the inputs that another program cannot do.
    #[error("the transform {transform} of the inputs cannot be part of the exported model")]
    Transform {
        /// Its name.
        transform: &'static str,
    },
    /// More weights than one file of the format can hold.
    #[error("the weights take {bytes} bytes, more than the 2 GiB that an ONNX file holds")]
    TooLarge {
        /// What they take.
        bytes: usize,
    },
    /// A weight that the model lacks, or of the wrong size.
    #[error("the model has no weights {name} of shape {shape:?}")]
    Weights {
        /// Which.
        name: String,
        /// The shape that it should have.
        shape: Vec<usize>,
    },
    /// The file that was written cannot be run.
    #[error("the ONNX file cannot be run again: {reason}")]
    NotRunnable {
        /// Why.
        reason: String,
    },
    /// The file that was written computes something else.
    #[error(
        "the ONNX file differs from the model by {difference:.3e} of the outputs' scale, more than {TOLERANCE:e}; \
         it was not written"
    )]
    Disagrees {
        /// The largest difference over the largest output.
        difference: f64,
    },
}

impl ExportError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ExportError::UnknownOpset { .. } => Some("leave out --opset for the default".into()),
            ExportError::Opset { needs, .. } => Some(format!("use --opset {needs} or a later one")),
            ExportError::Transform { .. } => {
                Some("use --raw, and give the exported model inputs that were transformed and normalized before".into())
            }
            ExportError::TooLarge { .. } => Some("use --format safetensors".into()),
            _ => None,
        }
    }
}
