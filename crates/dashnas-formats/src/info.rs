//! A summary of one array in a container.

/// The name, the shape and the type of an array in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayInfo {
    /// The name, with those of the groups that the array is in.
    pub name: String,
    /// The size of each axis, slowest first.
    pub shape: Vec<usize>,
    /// The element type as the format calls it.
    pub dtype: String,
    /// Whether the array holds text.
    pub text: bool,
}

impl ArrayInfo {
    /// Describes the array, as in `name 150×1×150 <f4`.
    pub(crate) fn describe(&self) -> String {
        let shape = self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        format!("{} {} {}", self.name, if shape.is_empty() { "scalar" } else { &shape }, self.dtype)
    }
}
