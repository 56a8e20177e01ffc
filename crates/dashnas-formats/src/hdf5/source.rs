//! What the reader asks of a library for HDF5. [`pure`](super::pure) answers in Rust, and `library` with that of the HDF
//! Group. Paths are relative to the root group, whose own path is empty.

use hdf5_pure::AttrValue;
use std::collections::HashMap;
use std::ops::Range;

/// The attributes of a group or a data set.
pub(super) type Attributes = HashMap<String, AttrValue>;

/// The members of a group.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Members {
    pub data: Vec<Member>,
    pub groups: Vec<String>,
    /// The links that lead nowhere.
    pub broken: Vec<String>,
}

/// A data set in a group.
#[derive(Debug, PartialEq)]
pub(super) struct Member {
    pub name: String,
    /// The object that the name leads to, if the library tells it: two names of one object have the same text.
    pub object: Option<String>,
    /// Whether the name is a link.
    pub link: bool,
}

/// The type of the elements of a data set.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Integer {
        bytes: usize,
        signed: bool,
    },
    Float {
        bytes: usize,
    },
    /// Floating-point numbers of 16 bits.
    Half,
    /// An enumeration of one byte whose names are those of truth values, which is how h5py writes them.
    Bool,
    /// Any other enumeration.
    Names,
    Text,
    /// References to objects.
    References,
    /// Records with fields of these names.
    Compound(Vec<String>),
    /// Arrays of one size.
    Arrays,
    /// Rows of unequal length.
    Ragged,
    /// Something else.
    Other,
}

impl Kind {
    /// Returns whether its numbers can have more digits than `f32`.
    pub fn is_wide(&self) -> bool {
        matches!(self, Self::Float { bytes: 5.. } | Self::Integer { bytes: 4.., .. })
    }
}

/// A file that a library has opened.
pub(super) trait Source {
    /// Returns the members of a group.
    fn members(&self, group: &str) -> Result<Members, String>;
    /// Returns the attributes of a group that can be read.
    fn attrs(&self, group: &str) -> Result<Attributes, String>;
    /// Opens a data set.
    fn data(&self, path: &str) -> Result<Box<dyn Data>, String>;
}

/// A data set that a library has opened. An error is a text, which [`error::refusal`](super::error::refusal) explains.
pub(super) trait Data {
    fn shape(&self) -> Result<Vec<u64>, String>;
    /// Returns the type of the elements, and its name for people.
    fn kind(&self) -> Result<(Kind, String), String>;
    /// Returns the attributes that can be read.
    fn attrs(&self) -> Result<Attributes, String>;
    /// Returns the bytes of other files that hold values. Fails if values are where the library does not read them.
    fn outside(&self) -> Result<u64, String>;
    /// Returns the number of rows in a chunk, if there are chunks.
    fn chunk_rows(&self) -> Result<Option<u64>, String>;
    /// Returns the numbers of a range of rows, along the first axis in the file; `kind` is that of the data set.
    fn numbers(&self, kind: &Kind, rows: Range<u64>) -> Result<Vec<f32>, String>;
    /// Returns the numbers of a range of rows as [`Data::numbers`] does, with the digits that `f64` has.
    fn f64_rows(&self, kind: &Kind, rows: Range<u64>) -> Result<Vec<f64>, String>;
    /// Returns the integers of a range of rows, which are signed.
    fn i64_rows(&self, rows: Range<u64>) -> Result<Vec<i64>, String>;
    /// Returns the integers of a range of rows, which are not signed.
    fn u64_rows(&self, rows: Range<u64>) -> Result<Vec<u64>, String>;
    fn i64s(&self) -> Result<Vec<i64>, String>;
    fn u64s(&self) -> Result<Vec<u64>, String>;
    fn f64s(&self) -> Result<Vec<f64>, String>;
    /// Returns the names of an enumeration.
    fn names(&self) -> Result<Vec<String>, String>;
    /// Returns texts of at most so many bytes together.
    fn texts(&self, most: usize) -> Result<Vec<String>, String>;
    /// Returns the bytes of texts of one byte each; `None` if texts are longer.
    fn characters(&self) -> Result<Option<Vec<u8>>, String>;
    /// Returns the codes of the characters in each of the first `count` cells of a cell array of MATLAB; `None` for a
    /// cell that holds something else.
    fn cells(&self, count: usize) -> Result<Vec<Option<Vec<u16>>>, String>;
}

/// Returns whether the attributes are those of a character matrix of MATLAB.
pub(super) fn are_characters(attrs: &Attributes) -> bool {
    attrs.get("MATLAB_class").and_then(AttrValue::as_str) == Some("char")
}

/// Returns whether a name of an enumeration is that of a truth value.
pub(super) fn is_truth_value(name: &str) -> bool {
    name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false")
}
