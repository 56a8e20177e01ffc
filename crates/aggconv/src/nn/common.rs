//! The settings and checks that all kinds of layers share.

use crate::{OperatorError, checks::check_channels};

/// Defines the settings that all kinds of layers share, as methods of a configuration.
macro_rules! common_setters {
    ($config:ident) => {
        impl $config {
            /// Sets the number of axes of the data: 1 or 2.
            pub fn with_dims(self, dims: usize) -> Self {
                Self { dims, ..self }
            }

            /// Sets the stride on each axis of the data.
            pub fn with_stride(self, stride: usize) -> Self {
                Self { stride, ..self }
            }

            /// Sets the number of channel groups. A depthwise convolution has as many groups as channels.
            pub fn with_groups(self, groups: usize) -> Self {
                Self { groups, ..self }
            }

            /// Sets whether a bias is added.
            pub fn with_bias(self, bias: bool) -> Self {
                Self { bias, ..self }
            }

            /// Sets the implementation that computes the layer.
            pub fn with_engine(self, engine: Engine) -> Self {
                Self { engine, ..self }
            }
        }
    };
}

pub(super) use common_setters;

/// Checks the settings of a layer.
pub(super) fn check_layer(
    dims: usize,
    [c_in, c_out]: [usize; 2],
    stride: usize,
    groups: usize,
    causal: bool,
) -> Result<(), OperatorError> {
    if dims != 1 && dims != 2 {
        return Err(OperatorError::Dimensions(dims));
    }
    if causal && dims != 1 {
        return Err(OperatorError::Causal);
    }
    check_channels(c_in, c_out, groups)?;
    if stride == 0 {
        return Err(OperatorError::Stride([stride, stride]));
    }
    Ok(())
}
