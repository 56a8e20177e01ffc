//! What both kinds of layers have in common.

use crate::{OperatorError, checks::check_channels};

/// The settings that both kinds of layers have, as methods of a configuration.
macro_rules! common_setters {
    ($config:ident) => {
        impl $config {
            /// Axes of the data: 1 or 2.
            pub fn with_dims(self, dims: usize) -> Self {
                Self { dims, ..self }
            }

            /// Stride on each axis of the data.
            pub fn with_stride(self, stride: usize) -> Self {
                Self { stride, ..self }
            }

            /// Channel groups; as many as channels is a depthwise convolution.
            pub fn with_groups(self, groups: usize) -> Self {
                Self { groups, ..self }
            }

            /// Whether a bias is added.
            pub fn with_bias(self, bias: bool) -> Self {
                Self { bias, ..self }
            }

            /// What computes it.
            pub fn with_engine(self, engine: Engine) -> Self {
                Self { engine, ..self }
            }
        }
    };
}

pub(super) use common_setters;

/// What both kinds of layers need to hold to be built.
pub(super) fn check_layer(
    dims: usize,
    [c_in, c_out]: [usize; 2],
    stride: usize,
    groups: usize,
) -> Result<(), OperatorError> {
    if dims != 1 && dims != 2 {
        return Err(OperatorError::Dimensions(dims));
    }
    check_channels(c_in, c_out, groups)?;
    if stride == 0 {
        return Err(OperatorError::Stride([stride, stride]));
    }
    Ok(())
}
