//! Errors of inputs that a model cannot take.

use dashnas_core::text::plural;

/// The reasons for which a model cannot predict from some inputs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputError {
    /// The number of axes is wrong.
    #[error("the inputs have shape {shape:?}; this model takes {}", batch(expected))]
    Rank {
        /// The shape found.
        shape: Vec<usize>,
        /// `[channels, …]` of the training inputs.
        expected: Vec<usize>,
    },
    /// The number of channels is wrong.
    #[error("the inputs have {} (shape {shape:?}); this model takes {expected}", plural(*found, "channel"))]
    Channels {
        /// The number of channels found.
        found: usize,
        /// The number of channels of the training inputs.
        expected: usize,
        /// The whole shape found.
        shape: Vec<usize>,
    },
    /// There are no samples, or no positions.
    #[error("the inputs are empty: their shape is {shape:?}")]
    Empty {
        /// The shape found.
        shape: Vec<usize>,
    },
    /// The model cannot take inputs of this length or size.
    #[error("the inputs have {} {found:?}; this model takes only {expected:?}", if expected.len() == 1 { "length" } else { "size" })]
    Size {
        /// The length, or height and width, found.
        found: Vec<usize>,
        /// The length, or height and width, of the training inputs.
        expected: Vec<usize>,
    },
    /// A value is NaN or infinite.
    #[error("the inputs are {value} at index {index:?}; they must be finite")]
    NotFinite {
        /// The index of the value on each axis.
        index: Vec<usize>,
        /// The value.
        value: f32,
    },
}

impl InputError {
    /// Returns advice for the user, if there is some.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            InputError::Rank { .. } => "the first axis is that of the samples, the second that of the channels",
            InputError::Channels { found, shape, expected } if shape.last() == Some(expected) && found != expected => {
                "the channels must be the second axis, but the last one seems to be theirs: swap the two"
            }
            InputError::Channels { .. } => "give the channels that the model was trained on, in the same order",
            InputError::Size { .. } => {
                "the model normalizes every position separately: resample the inputs to the training size"
            }
            InputError::NotFinite { .. } => "fill in the missing values, or leave out their samples",
            InputError::Empty { .. } => return None,
        };
        Some(text.into())
    }
}

/// The shape `[N, channels, …]` of a batch, as text.
fn batch(sample: &[usize]) -> String {
    let axes: Vec<String> = sample.iter().map(usize::to_string).collect();
    format!("[N, {}]", axes.join(", "))
}
