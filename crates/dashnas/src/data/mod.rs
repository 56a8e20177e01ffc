//! Data sets: what they hold, how they are read, checked, split and normalised.
//!
//! A [`Dataset`] is inputs and targets as `f32`, in row-major order, with the kind of task they pose; inputs that
//! memory should not hold are in a file. [`open`] reads one from files, [`crate::darcy`] computes one.
//! Nothing here depends on the tensor engine.

mod array;
pub(crate) mod arrays;
mod assemble;
mod check;
mod error;
mod fill;
mod infer;
pub mod inspect;
mod memory;
pub mod normalize;
pub(crate) mod npy;
pub mod npz;
mod open;
mod options;
mod outside;
pub(crate) mod pieces;
mod raw;
pub(crate) mod readers;
pub(crate) mod spill;
mod split;

pub use array::{Array, Targets};
pub use assemble::Inputs;
pub use error::{DataError, Place};
pub use inspect::{Summary, Understanding};
pub use normalize::{InputNormalizer, Normalization, Scheme, TargetNormalizer};
pub use open::{open, open_inputs};
pub use options::{Columns, Fill, Layout, Lengths, ReadOptions};
pub use pieces::Pieces;
pub(crate) use split::draw;
pub use split::{Split, split_validation};

use crate::task::TaskKind;
use crate::transform::Transform;
use serde::{Deserialize, Serialize};

/// A data set with everything known about it.
///
/// The fields are public for reading; build one with [`Dataset::new`], which checks it, so that
/// what trains on it need not.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// A short name, used in reports.
    pub name: String,
    /// What is to be learnt.
    pub task: TaskKind,
    /// Samples to learn from.
    pub train: Split,
    /// Samples set aside by the maker of the data for choosing hyperparameters, if any.
    pub val: Option<Split>,
    /// Samples read once, at the end.
    pub test: Split,
    /// Names of the classes or labels, in order.
    pub classes: Option<Vec<String>>,
    /// How inputs and targets are normalised unless told otherwise.
    pub normalization: Normalization,
    /// The group of each training sample, where there are groups that no split may divide.
    pub groups: Option<Vec<u32>>,
    /// Which validation and test samples are pieces of one whole that is scored as one.
    pub pieces: Pieces,
    /// The files it was read from, if any.
    pub origin: Origin,
    /// The options that read more of the same the same way.
    pub reading: ReadOptions,
    /// `[channels, L]` or `[channels, H, W]` of the training inputs as they were read.
    pub read_as: Vec<usize>,
    /// What was done to them since, in order.
    pub transforms: Vec<Transform>,
}

/// Where a data set came from and how it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What the files are, for people; empty for a set made in memory.
    pub format: String,
    /// The files.
    pub files: Vec<String>,
    /// What was decided in reading them.
    pub notes: Vec<String>,
    /// How the test split was drawn; none if it was given.
    #[serde(default)]
    pub drawn: Option<Drawn>,
}

/// How a test split was drawn where none was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// Samples that it was drawn from.
    pub of: usize,
    /// Samples that were drawn.
    pub samples: usize,
    /// Whether each class gave its share.
    pub stratified: bool,
    /// Whether groups were kept whole.
    pub grouped: bool,
    /// What decided.
    pub seed: u64,
}

impl Drawn {
    /// What was heeded, in words that go on after others.
    pub(crate) fn manner(&self) -> String {
        let stratified = if self.stratified { ", stratified by class" } else { "" };
        let grouped = if self.grouped { ", in whole groups" } else { "" };
        format!("{stratified}{grouped}")
    }
}

impl Dataset {
    /// Puts a data set together and checks it whole: ranks, lengths, finiteness, labels, and that
    /// all splits have the same shape. Normalisation is set to the default of its kind,
    /// [`Normalization::default_for`].
    ///
    /// # Errors
    /// The first thing found wrong, as a [`DataError`] that names `name`.
    pub fn new(
        name: impl Into<String>,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
    ) -> Result<Self, DataError> {
        let name = name.into();
        Self::with_origin(&name.clone(), name, task, train, val, test)
    }

    /// [`Dataset::new`] for data that came from elsewhere than its name says: errors name `origin`.
    pub(crate) fn with_origin(
        origin: &str,
        name: String,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
    ) -> Result<Self, DataError> {
        Self::checked(origin, name, task, train, val, test, check::Leave::default())
    }

    fn checked(
        origin: &str,
        name: String,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
        leave: check::Leave,
    ) -> Result<Self, DataError> {
        let channels = train.x.shape.get(1).copied().unwrap_or(0);
        let normalization = Normalization::default_for(task, channels);
        let mut set = Self {
            name,
            task,
            train,
            val,
            test,
            classes: None,
            normalization,
            groups: None,
            pieces: Pieces::default(),
            origin: Origin::default(),
            reading: ReadOptions::default(),
            read_as: Vec::new(),
            transforms: Vec::new(),
        };
        check::dataset(origin, &set, leave)?;
        set.read_as = set.train.x.shape[1..].to_vec();
        Ok(set)
    }

    /// [`Dataset::new`] for value targets some of which are not known: NaN stands for those, and losses and
    /// metrics leave them out. In dense tasks the validation and test samples may also be of other sizes
    /// than the training samples.
    ///
    /// # Errors
    /// As [`Dataset::new`], and if no target at all is known in a split.
    pub fn with_unknown(
        name: impl Into<String>,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
    ) -> Result<Self, DataError> {
        let name = name.into();
        Self::checked(&name.clone(), name, task, train, val, test, check::Leave::UNKNOWN)
    }

    /// Checks the set again after its targets have lost some values.
    pub(crate) fn check_unknown(&self) -> Result<(), DataError> {
        check::dataset(&self.name, self, check::Leave::UNKNOWN)
    }

    /// The same set with names for its classes or labels.
    ///
    /// # Errors
    /// [`DataError::ClassNames`] unless there is one name a class (or label).
    pub fn with_classes(mut self, names: Vec<String>) -> Result<Self, DataError> {
        let classes = match self.task {
            TaskKind::Classification { classes } => classes,
            TaskKind::MultiLabel { labels } => labels,
            _ => 0,
        };
        if names.len() != classes {
            return Err(DataError::ClassNames { origin: self.name, names: names.len(), classes });
        }
        self.classes = Some(names);
        Ok(self)
    }

    /// Spatial dimensions: 1 for N×C×L inputs, 2 for N×C×H×W.
    pub fn dims(&self) -> usize {
        self.train.x.shape.len() - 2
    }

    /// Input channels C.
    pub fn channels(&self) -> usize {
        self.train.x.shape[1]
    }

    /// `[1, L]` or `[H, W]`.
    pub fn spatial(&self) -> [usize; 2] {
        match self.train.x.shape[2..] {
            [l] => [1, l],
            [h, w] => [h, w],
            // `new` refuses other ranks.
            _ => unreachable!("inputs have one or two spatial dimensions"),
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::fuzz_cases;
