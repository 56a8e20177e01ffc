//! The errors of the operator.

use crate::Candidate;
use burn::tensor::DType;

/// The reasons why a convolution cannot be computed or built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// The number of dimensions is not supported.
    #[error("{0} dimensions: only 1 and 2 are defined")]
    Dimensions(usize),
    /// A causal kernel has more than one dimension.
    #[error("causal kernels have one dimension")]
    Causal,
    /// One-dimensional data has more than one row.
    #[error("one-dimensional input must be [batch, channels, 1, length], got {0:?}")]
    NotOneDimensional([usize; 4]),
    /// A tensor has no elements.
    #[error("the input {0:?} has no elements")]
    EmptyInput([usize; 4]),
    /// A layer has no input channels or no output channels.
    #[error("{c_in} input and {c_out} output channels: there must be at least one of each")]
    NoChannels {
        /// The number of input channels.
        c_in: usize,
        /// The number of output channels.
        c_out: usize,
    },
    /// The groups do not divide the channels.
    #[error("{groups} groups do not divide {c_in} input and {c_out} output channels")]
    Groups {
        /// The number of input channels.
        c_in: usize,
        /// The number of output channels.
        c_out: usize,
        /// The number of channel groups.
        groups: usize,
    },
    /// A stride is zero.
    #[error("stride {0:?} is not defined: the smallest stride is 1")]
    Stride([usize; 2]),
    /// The number of channels of the input differs from that of the weights.
    #[error("the input {x:?} does not have {expected} channels, which the weights {w:?} in {groups} groups expect")]
    Channels {
        /// The shape of the input.
        x: [usize; 4],
        /// The shape of the weights.
        w: [usize; 3],
        /// The number of channel groups.
        groups: usize,
        /// The number of channels that the weights require.
        expected: usize,
    },
    /// The last axis of the weights does not fit the space or the taps.
    #[error("the weights {w:?} do not have {expected} taps on their last axis")]
    Taps {
        /// The shape of the weights.
        w: [usize; 3],
        /// The required length of the last axis.
        expected: usize,
    },
    /// The number of mixing coefficients differs from the number of candidates.
    #[error("{got} mixing coefficients for {expected} candidates")]
    Mixing {
        /// The number of coefficients.
        got: usize,
        /// The number of candidates of the space.
        expected: usize,
    },
    /// A layer does not have the kernel that it is to run with.
    #[error("the kernel {0} (size, dilation) is not a part of the layer")]
    Kernel(Candidate),
    /// The number of biases differs from the number of output channels.
    #[error("{got} biases for {expected} output channels")]
    Bias {
        /// The number of biases.
        got: usize,
        /// The number of output channels.
        expected: usize,
    },
    /// The native engine was requested on a device that has none.
    #[error("device {0} has no native convolution: use Engine::Auto or Engine::Composed")]
    NoNativeEngine(String),
    /// The native engine was requested for a data type that it does not support.
    #[error("the native convolution computes f32, not {0:?}: use Engine::Auto or Engine::Composed")]
    NativeDType(DType),
    /// The requested algorithm does not support the convolution.
    #[error("the {algorithm} algorithm cannot compute this convolution: {geometry}")]
    Algorithm {
        /// The name of the algorithm.
        algorithm: String,
        /// The geometry of the convolution.
        geometry: String,
    },
    /// An environment variable has an invalid value.
    #[error("{variable} is {value:?}: expected one of {expected}")]
    Environment {
        /// The name of the variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// The valid values.
        expected: String,
    },
}
