//! A summary of one array in a container.

use crate::error::{DataError, Location};
use std::path::Path;

/// The name, the shape and the type of an array in a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArrayInfo {
    /// The name, with those of the groups that the array is in.
    pub name: String,
    /// The size of each axis, slowest first.
    pub shape: Vec<usize>,
    /// The element type as the format calls it.
    pub dtype: String,
    /// Whether the array holds text.
    pub text: bool,
    /// Whether its numbers may have more digits than `f32`.
    pub wide: bool,
    /// Whether the array holds the coordinates of an axis of others, as a dimension scale of netCDF does.
    pub axis: bool,
    /// Whether this is the only array of classes in a file that does not name its labels.
    pub only_classes: bool,
    /// The name of the array that this name is a link to, if it is one.
    pub link: Option<String>,
    /// The reason why the array cannot be read, if it cannot.
    pub refused: Option<Refusal>,
}

/// The reason why an array cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The cause, as a sentence about the array.
    pub reason: String,
    /// A remedy.
    pub hint: String,
}

impl ArrayInfo {
    /// An array that cannot be read; `dtype` is what it holds.
    pub(crate) fn refused(name: &str, dtype: &str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        let refusal = Refusal { reason: reason.into(), hint: hint.into() };
        Self { name: name.into(), dtype: dtype.into(), refused: Some(refusal), ..Self::default() }
    }

    /// Describes the array, as in `name 150×1×150 <f4`.
    pub(crate) fn describe(&self) -> String {
        // What is said instead of a type is a phrase, and nothing is known of the shape.
        if self.shape.is_empty() && (self.refused.is_some() || self.dtype.starts_with("of ")) {
            return format!("{} {}", self.name, self.dtype);
        }
        let shape = self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        format!("{} {} {}", self.name, if shape.is_empty() { "scalar" } else { &shape }, self.dtype)
    }

    /// Describes the array, and the way to save it if it cannot be read.
    pub(crate) fn describe_with_hint(&self) -> String {
        match &self.refused {
            Some(refusal) => format!("{} ({})", self.describe(), refusal.hint),
            None => self.describe(),
        }
    }

    /// Refuses the array if it cannot be read.
    ///
    /// # Errors
    /// [`DataError::File`] with the name of the array.
    pub(crate) fn readable(&self, path: &Path) -> Result<(), DataError> {
        match &self.refused {
            None => Ok(()),
            Some(refusal) => {
                let error = DataError::at(path, Location::Entry(self.name.clone()), refusal.reason.clone());
                Err(error.with_hint(refusal.hint.clone()))
            }
        }
    }
}
