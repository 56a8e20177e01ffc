//! What can be wrong with a data set, said with the file, the array and the value.

use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A data set that cannot be used. Every message names where the data came from (`origin`: a file
/// path, or the name of a set made in memory), the array and the offending value; [`DataError::hint`]
/// says what to do about it.
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
        /// What the system said.
        source: std::io::Error,
    },
    /// Rows that stay in their file and can no longer be read from it: it was cut, or its disk is gone.
    #[error("{}: row {row} can no longer be read: {source}", path.display())]
    Gone {
        /// The file.
        path: PathBuf,
        /// The row, from 0.
        row: usize,
        /// What the system said.
        source: std::io::Error,
    },
    /// Inputs that are larger than memory should hold, and for which there is no room on the disk either.
    #[error("{}: no file of {bytes} bytes can be made for inputs that are larger than memory should hold: {source}", folder.display())]
    Spill {
        /// Where it was to be.
        folder: PathBuf,
        /// Its size.
        bytes: u128,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that cannot be read as what it should be: where in it, and why.
    #[error("{}{place}: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The file was understood, but what it holds is no data set.
    #[error("{}: {format} without {missing}; it holds {}", path.display(), listed(contents))]
    Incomplete {
        /// The file or folder.
        path: PathBuf,
        /// What it is.
        format: String,
        /// What it holds, a line an array or file.
        contents: Vec<String>,
        /// What a data set would need besides.
        missing: String,
    },
    /// The file is not a zip archive of arrays.
    #[error("{}: not an .npz archive: {reason}", path.display())]
    NotNpz {
        /// The file.
        path: PathBuf,
        /// What the zip reader objected to.
        reason: String,
    },
    /// An entry of the archive is not a valid NumPy array, or is cut short.
    #[error("{}: array `{array}` is damaged: {reason}", path.display())]
    BadArray {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The array's element type is not one that is read.
    #[error("{}: array `{array}` has dtype {dtype}, which is not supported", path.display())]
    UnsupportedDtype {
        /// The file.
        path: PathBuf,
        /// The array.
        array: String,
        /// The dtype as the file spells it, for example `|O`.
        dtype: String,
    },
    /// The arrays would take more memory than allowed.
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
        /// The shape that it has.
        shape: Vec<usize>,
        /// The shape that is needed.
        expected: String,
    },
    /// A transform that does not go with the data.
    #[error("{origin}: the transform {transform} {reason}; the inputs are {shape:?}")]
    Transform {
        /// File or name of the set.
        origin: String,
        /// The transform.
        transform: &'static str,
        /// The shape of the training inputs.
        shape: Vec<usize>,
        /// What it needs.
        reason: String,
    },
    /// Inputs and targets differ in their number of samples.
    #[error("{origin}: `{x}` has {x_len} samples but `{y}` has {y_len}")]
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
        /// Where in the array.
        index: Vec<usize>,
        /// The value found.
        value: f32,
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
        /// The value found.
        value: f32,
    },
    /// Some labels between 0 and the largest never occur in the training targets.
    #[error(
        "{origin}: labels in `{array}` run up to {largest} but {} never occur(s); labels must be 0..K-1 without gaps",
        few(missing)
    )]
    LabelGap {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// The largest label.
        largest: u64,
        /// The first labels that never occur.
        missing: Vec<u64>,
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
    /// A validation or test sample has a class that the training targets lack.
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
    /// A multi-label target or a mask holds something other than 0 and 1.
    #[error("{origin}: {array}{index:?} is {value}; {kind} targets must be 0 or 1")]
    NotBinary {
        /// File or name of the set.
        origin: String,
        /// The array.
        array: String,
        /// Where in the array.
        index: Vec<usize>,
        /// The value found.
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
    /// Class names that do not number the classes.
    #[error("{origin}: {names} class names for {classes} classes")]
    ClassNames {
        /// File or name of the set.
        origin: String,
        /// Names given.
        names: usize,
        /// Classes (or labels) of the task.
        classes: usize,
    },
}

/// Where in a file something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Nowhere in particular.
    Whole,
    /// A line, from 1.
    Line(usize),
    /// A line, from 1, and a column by number from 1 or by name.
    Cell(usize, String),
    /// An array, entry or data set of this name.
    Entry(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => Ok(()),
            Place::Line(line) => write!(f, ":{line}"),
            Place::Cell(line, column) => write!(f, ":{line}: column {column}"),
            Place::Entry(name) => write!(f, ": `{name}`"),
        }
    }
}

impl DataError {
    /// A complaint about a whole file.
    pub(crate) fn file(path: &Path, reason: impl Into<String>) -> Self {
        Self::at(path, Place::Whole, reason)
    }

    /// A complaint about a place in a file.
    pub(crate) fn at(path: &Path, place: Place, reason: impl Into<String>) -> Self {
        DataError::File { path: path.into(), place, reason: reason.into(), hint: None }
    }

    /// The same with a hint.
    pub(crate) fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let DataError::File { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// The operating system's refusal.
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        match source.kind() {
            std::io::ErrorKind::NotFound => DataError::Missing { path: path.into() },
            _ => DataError::Io { path: path.into(), source },
        }
    }

    /// What the user can do, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            DataError::Missing { .. } => "check the path".into(),
            DataError::File { hint, .. } => return hint.clone(),
            DataError::Gone { .. } => {
                "it was changed while it was in use: put it back as it was; a run goes on from its \
                                       last checkpoint with `dashnas run --resume`"
                    .into()
            }
            DataError::Spill { .. } => {
                "free some space, or set TMPDIR to a folder on a larger disk; a .npy file of rows needs no copy".into()
            }
            DataError::NotNpz { .. } => {
                "it may be cut short: get it again, or make one with numpy.savez(file, x_train=…, y_train=…, x_test=…, \
                 y_test=…)"
                    .into()
            }
            DataError::Incomplete { missing, .. } => {
                // What else can be missing says itself what to do.
                if !missing.contains("array") {
                    return None;
                }
                "arrays are known by x_train, y_train, x_test, y_test and the like; --inputs and --targets name others"
                    .into()
            }
            DataError::BadArray { .. } => "the file may be cut short: copy or save it again".into(),
            DataError::UnsupportedDtype { dtype, .. } if dtype.contains('O') => {
                "object arrays hold pickled Python objects: convert with array.astype(numpy.float32)".into()
            }
            DataError::UnsupportedDtype { .. } => {
                "convert to a bool, integer or float dtype, for example array.astype(numpy.float32)".into()
            }
            DataError::TooLarge { .. } => {
                "use fewer samples or a larger machine; inputs in .npy, .npz, HDF5 or Parquet files and in folders of \
                 images or WAV files may be larger than memory"
                    .into()
            }
            DataError::Shape { .. } => {
                "inputs are N×C×L or N×C×H×W; give single-channel data a channel axis with x[:, None]".into()
            }
            DataError::Transform { .. } => "task.transforms lists what is done to the data after it is read".into(),
            DataError::Lengths { .. } => "the first axis of inputs and targets is the sample".into(),
            DataError::NonFinite { array, value, .. } if value.is_nan() && array.starts_with('x') => {
                "fill missing values with --fill-missing linear, zero or mean, or drop these samples".into()
            }
            DataError::NonFinite { .. } => "drop or impute these samples before saving".into(),
            DataError::BadLabel { .. } | DataError::LabelGap { .. } => {
                "renumber with y = numpy.unique(y, return_inverse=True)[1], or ask for a regression task".into()
            }
            DataError::SingleClass { .. } => "give samples of at least two classes, or ask for another task".into(),
            DataError::UnseenClass { .. } => {
                "move some samples of that class into training, or drop them from the other split".into()
            }
            DataError::NotBinary { .. } => "ask for a regression task, or threshold the targets".into(),
            DataError::KindMismatch { .. } => {
                "targets are [N] labels, [N, labels], [N, outputs], or a field over the inputs' own grid".into()
            }
            DataError::ClassNames { .. } => "give one name a class, in the order of the labels".into(),
            DataError::EmptySplit { .. } => "give at least one sample, or leave a validation split out".into(),
            DataError::Io { .. } => "check the file's permissions, and that it is a file and not a folder".into(),
        };
        Some(text)
    }
}

fn listed(names: &[String]) -> String {
    match names.len() {
        0 => "nothing".into(),
        n if n > 12 => format!("{}, … {} in all", names[..12].join(", "), n),
        _ => names.join(", "),
    }
}

fn few(labels: &[u64]) -> String {
    labels.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
