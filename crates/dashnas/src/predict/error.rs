//! Inputs that a model cannot take.

use std::path::PathBuf;

/// Why a model cannot predict from some inputs.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InputError {
    /// The wrong number of axes.
    #[error("the inputs have shape {shape:?}; this model takes {}", batch(expected))]
    Rank {
        /// The shape found.
        shape: Vec<usize>,
        /// `[channels, …]` of the training inputs.
        expected: Vec<usize>,
    },
    /// The wrong number of channels.
    #[error("the inputs have {found} channel(s), in shape {shape:?}; this model takes {expected}")]
    Channels {
        /// Channels found.
        found: usize,
        /// Channels of the training inputs.
        expected: usize,
        /// The whole shape found.
        shape: Vec<usize>,
    },
    /// No samples or no positions.
    #[error("the inputs have shape {shape:?}: there is nothing to predict from")]
    Empty {
        /// The shape found.
        shape: Vec<usize>,
    },
    /// A length or size that this model cannot take.
    #[error("the inputs have {} {found:?}; this model takes only {expected:?}", if expected.len() == 1 { "length" } else { "size" })]
    Size {
        /// Length, or height and width, found.
        found: Vec<usize>,
        /// The ones of the training inputs.
        expected: Vec<usize>,
    },
    /// NaN or infinity.
    #[error("the inputs are {value} at {index:?}; they must be finite")]
    NotFinite {
        /// Where.
        index: Vec<usize>,
        /// What is there.
        value: f32,
    },
}

impl InputError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            InputError::Rank { .. } => "the first axis is the sample, the second the channel",
            InputError::Channels { found, shape, expected } if shape.last() == Some(expected) && found != expected => {
                "the channel is the second axis: the last one looks like it, so swap them"
            }
            InputError::Channels { .. } => "give the channels that it was trained on, in the same order",
            InputError::Size { .. } => {
                "it normalizes every position by itself, so resample the inputs to the training size"
            }
            InputError::NotFinite { .. } => "fill in or leave out what is missing",
            InputError::Empty { .. } => return None,
        };
        Some(text.into())
    }
}

/// `[N, channels, …]` in words.
fn batch(sample: &[usize]) -> String {
    let axes: Vec<String> = sample.iter().map(usize::to_string).collect();
    format!("[N, {}]", axes.join(", "))
}

/// Why predictions cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// No format of this name.
    #[error("{}: predictions are written to .npy, .csv or .parquet files", path.display())]
    Extension {
        /// The file asked for.
        path: PathBuf,
    },
    /// A field with too many points for a table.
    #[error("a table of these predictions would have {columns} columns, more than {limit}")]
    TooWide {
        /// Values for each sample.
        columns: usize,
        /// The most that are written.
        limit: usize,
    },
}

impl OutputError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            OutputError::Extension { .. } => None,
            OutputError::TooWide { .. } => Some("write fields to an .npy file".into()),
        }
    }
}
