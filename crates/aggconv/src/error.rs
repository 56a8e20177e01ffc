//! What can be wrong with a call of the operator.

use burn::tensor::DType;

/// Why a convolution cannot be computed or built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OperatorError {
    /// Only one and two dimensions are defined.
    #[error("{0} dimensions: only 1 and 2 are defined")]
    Dimensions(usize),
    /// One-dimensional data with rows.
    #[error("one-dimensional input must be [batch, channels, 1, length], got {0:?}")]
    NotOneDimensional([usize; 4]),
    /// A tensor without elements.
    #[error("the input {0:?} has no elements")]
    EmptyInput([usize; 4]),
    /// A layer without channels on one side.
    #[error("{c_in} input and {c_out} output channels: there must be at least one of each")]
    NoChannels {
        /// Input channels.
        c_in: usize,
        /// Output channels.
        c_out: usize,
    },
    /// Groups must divide the channels.
    #[error("{groups} groups do not divide {c_in} input and {c_out} output channels")]
    Groups {
        /// Input channels.
        c_in: usize,
        /// Output channels.
        c_out: usize,
        /// Channel groups.
        groups: usize,
    },
    /// A stride of zero.
    #[error("stride {0:?} is not defined: the smallest stride is 1")]
    Stride([usize; 2]),
    /// The input's channels are not those of the weights.
    #[error("the input {x:?} does not have {expected} channels, which the weights {w:?} in {groups} groups expect")]
    Channels {
        /// Shape of the input.
        x: [usize; 4],
        /// Shape of the weights.
        w: [usize; 3],
        /// Channel groups.
        groups: usize,
        /// Channels the weights expect.
        expected: usize,
    },
    /// The last axis of the weights does not fit the space or the taps.
    #[error("the weights {w:?} do not have {expected} taps on their last axis")]
    Taps {
        /// Shape of the weights.
        w: [usize; 3],
        /// Length of the last axis that would fit.
        expected: usize,
    },
    /// The mixing coefficients are not one a candidate.
    #[error("{got} mixing coefficients for {expected} candidates")]
    Mixing {
        /// Coefficients given.
        got: usize,
        /// Candidates of the space.
        expected: usize,
    },
    /// The bias is not one an output channel.
    #[error("{got} biases for {expected} output channels")]
    Bias {
        /// Biases given.
        got: usize,
        /// Output channels.
        expected: usize,
    },
    /// The native engine was asked for on a device that has none.
    #[error("device {0} has no native convolution: use Engine::Auto or Engine::Composed")]
    NoNativeEngine(String),
    /// The native engine was asked for in a type that it does not compute.
    #[error("the native convolution computes f32, not {0:?}: use Engine::Auto or Engine::Composed")]
    NativeDType(DType),
    /// The kernel asked for cannot compute this shape.
    #[error("the {algorithm} algorithm cannot compute this convolution: {geometry}")]
    Algorithm {
        /// Name of the algorithm.
        algorithm: String,
        /// The shape.
        geometry: String,
    },
    /// An environment variable that forces a choice names none.
    #[error("{variable} is {value:?}: expected one of {expected}")]
    Environment {
        /// Name of the variable.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What it could be here.
        expected: String,
    },
}
