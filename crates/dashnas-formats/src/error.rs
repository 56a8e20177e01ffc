//! The errors of reading and checking data sets.

use dashnas_core::text::{plural, plural_of};
use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A data set that cannot be used. Every message names the origin of the data (the path of a file, or the name of a set
/// made in memory), the array and the value; [`DataError::hint`] suggests a remedy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// There is no file at this path.
    #[error("{}: no such file", path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// The operating system refused to read or write the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Rows that stay in their file can no longer be read, because the file was shortened or its disk was removed.
    #[error("{}: row {row} can no longer be read: {source}", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: usize,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Inputs are larger than memory, and a temporary file for them cannot be written.
    #[error("{}: cannot write a temporary file of {bytes} bytes for inputs larger than memory: {source}", folder.display())]
    TemporaryFile {
        /// The folder of the temporary file.
        folder: PathBuf,
        /// The size of the file.
        bytes: u128,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file or folder whose content cannot be used.
    #[error("{}{location}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The location in the file.
        location: Location,
        /// The cause.
        reason: String,
        /// A remedy.
        hint: Option<String>,
    },
    /// The file can be read, but lacks something that a data set needs.
    #[error("{}: {format} without {missing}; it holds {}", path.display(), listed(contents))]
    Incomplete {
        /// The file or folder.
        path: PathBuf,
        /// The format.
        format: String,
        /// The arrays or files that it holds.
        contents: Vec<String>,
        /// The missing part.
        missing: String,
    },
    /// The file is not a zip archive of arrays.
    #[error("{}: not an .npz archive: {reason}", path.display())]
    NotNpz {
        /// The file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// An entry of the archive is not a valid NumPy array, or is cut short.
    #[error("{}: array `{array}` is damaged: {reason}", path.display())]
    BadArray {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// The cause.
        reason: String,
    },
    /// The element type of an array is not supported.
    #[error("{}: array `{array}` has dtype {dtype}, which is not supported", path.display())]
    UnsupportedDtype {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// The dtype as the file spells it, for example `|O`.
        dtype: String,
    },
    /// The arrays would take more memory than is allowed.
    #[error("{}: array `{array}` needs {bytes} bytes of memory, more than the limit of {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// Bytes that it (with the arrays before it) would take as float32.
        bytes: u128,
        /// The limit in force.
        limit: u64,
    },
    /// The array has the wrong number of dimensions, or a dimension of size 0.
    #[error("{origin}: array `{array}` has shape {shape:?}; expected {expected}")]
    Shape {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The shape of the array.
        shape: Vec<usize>,
        /// The shape that is needed.
        expected: String,
    },
    /// A transform that does not suit the data.
    #[error("{origin}: the transform {transform} {reason}; the inputs are {shape:?}")]
    Transform {
        /// File or name of the set.
        origin: String,
        /// The transform.
        transform: &'static str,
        /// The shape of the training inputs.
        shape: Vec<usize>,
        /// The cause, as the rest of the sentence.
        reason: String,
    },
    /// Inputs and targets differ in their number of samples.
    #[error("{origin}: `{x}` has {} but `{y}` has {y_len}", plural(*x_len, "sample"))]
    Lengths {
        /// File or name of the set.
        origin: String,
        /// Name of the inputs.
        x: String,
        /// Samples in the inputs.
        x_len: usize,
        /// Name of the targets.
        y: String,
        /// Samples in the targets.
        y_len: usize,
    },
    /// A split holds no sample.
    #[error("{origin}: `{array}` is empty")]
    EmptySplit {
        /// File or name of the set.
        origin: String,
        /// The inputs of the empty split.
        array: String,
    },
    /// NaN or infinity (or a float64 beyond the range of float32).
    #[error("{origin}: {array}{index:?} is {value}; values must be finite float32 numbers")]
    NonFinite {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The index of the value in the array.
        index: Vec<usize>,
        /// The value.
        value: f32,
        /// Whether it is a target.
        target: bool,
    },
    /// A class label that is negative or not a whole number.
    #[error("{origin}: {array}[{row}] is {value}; class labels must be whole numbers from 0")]
    BadLabel {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The sample.
        row: usize,
        /// The value.
        value: f32,
    },
    /// Some labels between 0 and the largest never occur in the training targets.
    #[error(
        "{origin}: labels in `{array}` go up to {largest}, but {} never {}; labels must be 0..K-1 without gaps",
        joined(missing),
        if missing.len() == 1 { "occurs" } else { "occur" }
    )]
    LabelGap {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The largest label.
        largest: u128,
        /// The first labels that never occur.
        missing: Vec<u64>,
    },
    /// Of the training samples that are to be used, none is of a class.
    #[error("{origin}: none of the first {samples} training samples is of class {class}")]
    ClassLeftOut {
        /// File or name of the set.
        origin: String,
        /// The number of training samples that are to be used.
        samples: usize,
        /// The name or the number of the class.
        class: String,
        /// The smallest number of training samples with every class.
        needed: usize,
    },
    /// All training samples are of one class: there is nothing to learn.
    #[error("{origin}: every label in `{array}` is {label}; classification needs at least 2 classes")]
    SingleClass {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The one label.
        label: u64,
    },
    /// A validation or test sample has a class that does not occur in the training targets.
    #[error("{origin}: {array}[{row}] is class {label}, but the training targets only have classes 0..={largest}")]
    UnseenClass {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The sample.
        row: usize,
        /// Its class.
        label: u64,
        /// The largest class in training.
        largest: u64,
    },
    /// A multi-label target or a mask holds a value other than 0 and 1.
    #[error("{origin}: {array}{index:?} is {value}; {kind} targets must be 0 or 1")]
    NotBinary {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The index of the value in the array.
        index: Vec<usize>,
        /// The value.
        value: f32,
        /// The kind of task.
        kind: &'static str,
    },
    /// The targets cannot be read as the kind of task asked for (or as any).
    #[error("{origin}: `{array}` of shape {shape:?} cannot be the targets of a {kind} task with inputs of shape {x:?}")]
    KindMismatch {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Shape of the inputs.
        x: Vec<usize>,
        /// The kind of task.
        kind: &'static str,
    },
    /// The number of class names differs from the number of classes.
    #[error("{origin}: {} for {}", plural(*names, "class name"), plural_of(*classes, "class", "classes"))]
    ClassNames {
        /// File or name of the set.
        origin: String,
        /// Number of names.
        names: usize,
        /// Number of classes (or labels) of the task.
        classes: usize,
    },
}

/// A location in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// The file as a whole.
    File,
    /// A line, from 1.
    Line(usize),
    /// A line, from 1, and a column by number from 1 or by name.
    Cell(usize, String),
    /// An array, entry or data set of this name.
    Entry(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::File => Ok(()),
            Location::Line(line) => write!(f, ":{line}"),
            Location::Cell(line, column) => write!(f, ":{line}: column {column}"),
            Location::Entry(name) => write!(f, ": `{name}`"),
        }
    }
}

impl DataError {
    /// The error for a file as a whole.
    pub fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::at(path, Location::File, reason)
    }

    /// The error for a location in a file.
    pub(crate) fn at(path: &Path, location: Location, reason: impl Into<String>) -> Self {
        DataError::File { path: path.into(), location, reason: reason.into(), hint: None }
    }

    /// The error for an empty file.
    pub(crate) fn empty_file(path: &Path) -> Self {
        Self::file(path, "it is empty (0 bytes)").with_hint("the copy or download failed: get it again")
    }

    /// The same error with a hint.
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let DataError::File { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// The error for a file that the operating system cannot open or read.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::NotFound => DataError::Missing { path: path.into() },
            _ => DataError::Io { path: path.into(), source },
        }
    }

    /// A remedy, if one is known. Settings are named by their keys in the configuration.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            DataError::Missing { .. } => "check the path".into(),
            DataError::File { hint, .. } => return hint.clone(),
            DataError::Gone { .. } => {
                "the file was changed while it was in use: restore it, then resume the run".into()
            }
            DataError::TemporaryFile { .. } => {
                "free some space, or set TMPDIR to a folder on a larger disk; a row-major .npy file needs no copy".into()
            }
            DataError::NotNpz { .. } => {
                "it may be cut short: get it again, or write one with numpy.savez(file, x_train=…, y_train=…, x_test=…, \
                 y_test=…)"
                    .into()
            }
            DataError::Incomplete { missing, .. } => {
                // The descriptions of other missing parts say what to do.
                if !missing.contains("array") {
                    return None;
                }
                "arrays are recognized by names such as x_train, y_train, x_test and y_test; name others with `data.inputs` \
                 and `data.targets`"
                    .into()
            }
            DataError::BadArray { .. } => "the file may be cut short: copy or save it again".into(),
            DataError::UnsupportedDtype { dtype, .. } => hint_for_dtype(dtype).into(),
            DataError::TooLarge { .. } => {
                "use fewer samples, a larger machine or a higher `budget.memory-limit`; inputs in .npy, .npz, HDF5 or Parquet files and in folders of \
                 images or sound may be larger than memory"
                    .into()
            }
            DataError::Shape { shape, .. } if shape.len() == 5 => {
                "join two axes, x.reshape(n, c*d, h, w), or take slices, x[:, :, k]".into()
            }
            DataError::Shape { .. } => {
                "inputs are N×C×L or N×C×H×W; give single-channel data a channel axis with x[:, None]".into()
            }
            DataError::Transform { .. } => "`task.transforms` lists the transforms applied after the data is read".into(),
            DataError::Lengths { .. } => {
                "the first axis of inputs and targets is the sample; numpy.moveaxis(x, -1, 0) brings the last one there"
                    .into()
            }
            DataError::NonFinite { value, target: false, .. } if value.is_nan() => {
                "fill missing values with `data.fill-missing` (linear, zero or mean), or drop these samples; if samples are \
                 filled up with NaN after their ends, set `data.lengths` to mask"
                    .into()
            }
            DataError::NonFinite { .. } => "drop or impute these samples before saving".into(),
            DataError::BadLabel { .. } | DataError::LabelGap { .. } => {
                "renumber with y = numpy.unique(y, return_inverse=True)[1], or set `task.kind` to regression".into()
            }
            DataError::ClassLeftOut { needed, .. } => {
                format!("set `task.train-samples` to {needed} or more, or shuffle the samples of the data set")
            }
            DataError::SingleClass { .. } => "give samples of at least two classes, or set `task.kind` to another task".into(),
            DataError::UnseenClass { .. } => {
                "move some samples of that class into training, or drop them from the other split".into()
            }
            DataError::NotBinary { .. } => "set `task.kind` to regression, or threshold the targets".into(),
            DataError::KindMismatch { .. } => {
                "targets are [N] labels, [N, labels], [N, outputs], or a field over the inputs' own grid".into()
            }
            DataError::ClassNames { .. } => "give one name per class, in the order of the labels".into(),
            DataError::EmptySplit { .. } => "give at least one sample, or leave out the validation split".into(),
            DataError::Io { .. } => "check the permissions of the file, and that it is not a folder".into(),
        };
        Some(text)
    }
}

/// The way to convert a NumPy dtype that is not supported.
fn hint_for_dtype(dtype: &str) -> &'static str {
    let kind = dtype.trim_start_matches(['<', '>', '|', '=']);
    if kind.contains('O') {
        "object arrays are read if they hold texts, numbers, or arrays of numbers of unequal length (one axis, or channels × \
         time), up to 256 MiB: convert numbers with array.astype(numpy.float32) and text with array.astype(str), and save \
         longer series as lists in a Parquet table"
    } else if dtype == "record" {
        "give each field an array of its own: numpy.savez(file, x=array['field'], …)"
    } else if kind.starts_with('M') || kind.starts_with('m') {
        "convert dates and durations to numbers with array.astype('int64')"
    } else if kind.starts_with('c') {
        "save the real and the imaginary part as two channels: numpy.stack([array.real, array.imag], 1)"
    } else if dtype == "text" {
        "text can be labels or groups, but not inputs or targets: encode it as numbers"
    } else {
        "convert numbers with array.astype(numpy.float32), labels with array.astype(str)"
    }
}

/// Lists the first names.
fn listed(names: &[String]) -> String {
    match names.len() {
        0 => "nothing".into(),
        n if n > 12 => format!("{}, … ({n} in total)", names[..12].join(", ")),
        _ => names.join(", "),
    }
}

/// Joins labels with commas.
fn joined(labels: &[u64]) -> String {
    labels.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
