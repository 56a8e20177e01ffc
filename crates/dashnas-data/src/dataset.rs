//! Data sets in memory.
//!
//! A [`Dataset`] consists of inputs and targets as `f32`, in row-major order, with the kind of task that they pose.
//! Inputs that are too large for memory stay in a file. [`open`](crate::open::open) reads a data set from files.

use crate::check::{self, Tolerance};
use crate::groups::Groups;
use crate::normalize::Normalization;
use crate::segments::Segments;
use crate::split::Split;
use crate::statistics::InputSpans;
use crate::targets::Targets;
use crate::transform::kind::Transform;
use dashnas_core::task::TaskKind;
use dashnas_formats::account::ColumnAccount;
use dashnas_formats::error::DataError;
use dashnas_formats::options::{Lengths, ReadOptions};
use dashnas_formats::sample_facts::SampleFacts;
use serde::{Deserialize, Serialize};

/// A data set: its splits, its task, and what is known of its origin.
///
/// The fields are public for reading. Build one with [`Dataset::new`], which checks it, so that code that trains on it
/// need not.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// A short name, used in reports.
    pub name: String,
    /// The kind of task, with its size.
    pub task: TaskKind,
    /// Samples to train on.
    pub train: Split,
    /// Samples for choosing hyperparameters, if the data set came with such a split.
    pub val: Option<Split>,
    /// Samples for the final evaluation, read once.
    pub test: Split,
    /// Names of the classes or labels, in order.
    pub classes: Option<Vec<String>>,
    /// The default normalization of inputs and targets.
    pub normalization: Normalization,
    /// The groups of the samples, where there are groups that no split may divide.
    pub groups: Option<Groups>,
    /// The recordings that validation and test samples are segments of, where recordings are scored and not samples.
    pub segments: Segments,
    /// Weights, times and places of the samples.
    pub facts: SplitFacts,
    /// The files that it was read from, if any.
    pub origin: Origin,
    /// The options with which further files are read in the same way, with what was subtracted from inputs and targets.
    pub reading: ReadOptions,
    /// `[channels, L]` or `[channels, H, W]` of the training inputs as they were read.
    pub read_as: Vec<usize>,
    /// Transforms that were applied after reading, in order.
    pub transforms: Vec<Transform>,
    /// The spans of the channels of the inputs, where they are known.
    pub(crate) spans: InputSpans,
}

/// Weights, times and places of the samples of each split. No weight is 0: such samples are left out of the data set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SplitFacts {
    /// The training samples.
    pub train: SampleFacts,
    /// The validation samples.
    pub val: SampleFacts,
    /// The test samples.
    pub test: SampleFacts,
}

/// The files of a data set, and the decisions that reading them took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the format, for people; empty for a set made in memory.
    pub format: String,
    /// Paths of the files.
    pub files: Vec<String>,
    /// The decisions, one sentence each.
    pub notes: Vec<String>,
    /// What is probably a mistake, and what to do about it, one sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The columns of a table with their roles; empty for other data.
    #[serde(default)]
    pub columns: Vec<ColumnAccount>,
    /// The draw of the test split; `None` if the data set came with one.
    #[serde(default)]
    pub drawn: Option<DrawnSplit>,
}

/// The draw of a test split from the samples of a data set that came without one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawnSplit {
    /// Number of samples that it was drawn from.
    pub of: usize,
    /// Number of samples that were drawn.
    pub samples: usize,
    /// Whether the draw was stratified by class.
    pub stratified: bool,
    /// Whether groups were kept whole.
    pub grouped: bool,
    /// Seed of the draw.
    pub seed: u64,
    /// Whether the samples are the last ones in time, so that the seed does not matter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_time: bool,
    /// The fold of a cross-validation that it is, from 1, and the number of folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<[u32; 2]>,
}

impl DrawnSplit {
    /// The way in which the test split was chosen, as a part of a sentence.
    pub fn way(&self) -> String {
        match (self.fold, self.by_time) {
            (Some([fold, of]), _) => format!("fold {fold} of {of}, drawn with seed {}{}", self.seed, self.manner()),
            (None, true) => format!("the last in time{}", self.manner()),
            (None, false) => format!("drawn with seed {}{}", self.seed, self.manner()),
        }
    }

    /// The constraints of the draw, as a continuation of a sentence.
    pub(crate) fn manner(&self) -> String {
        let stratified = if self.stratified { ", stratified by class" } else { "" };
        let grouped = if self.grouped { ", in whole groups" } else { "" };
        format!("{stratified}{grouped}")
    }
}

impl Dataset {
    /// Builds a data set and checks it: ranks, lengths, finiteness, labels, and that all splits have the same shape.
    /// The normalization is the default of the kind of task,
    /// [`Normalization::default_for`].
    ///
    /// # Errors
    /// A [`DataError`] that names `name` and the first defect found.
    pub fn new(
        name: impl Into<String>,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
    ) -> Result<Self, DataError> {
        let name = name.into();
        Self::checked(&name.clone(), name, task, train, val, test, Tolerance::default())
    }

    /// Does the same as [`Dataset::new`] with a tolerance, but errors name `origin`, such as the path of the files.
    pub(crate) fn checked(
        origin: &str,
        name: String,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
        tolerance: Tolerance,
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
            segments: Segments::default(),
            facts: SplitFacts::default(),
            origin: Origin::default(),
            reading: ReadOptions::default(),
            read_as: Vec::new(),
            transforms: Vec::new(),
            spans: InputSpans::default(),
        };
        set.check(origin, tolerance)?;
        set.read_as = set.train.x.shape[1..].to_vec();
        Ok(set)
    }

    /// Does the same as [`Dataset::new`] for targets some of which are unknown: they are NaN, and losses and metrics
    /// leave them out. In dense tasks the validation and test samples may also have other sizes than the training
    /// samples.
    ///
    /// # Errors
    /// Those of [`Dataset::new`], and a [`DataError::NonFinite`] if no target of a split is known.
    pub fn with_unknown(
        name: impl Into<String>,
        task: TaskKind,
        train: Split,
        val: Option<Split>,
        test: Split,
    ) -> Result<Self, DataError> {
        let name = name.into();
        Self::checked(&name.clone(), name, task, train, val, test, Tolerance::UNKNOWN)
    }

    /// Checks the whole set; errors name `origin`.
    pub(crate) fn check(&self, origin: &str, mut tolerance: Tolerance) -> Result<(), DataError> {
        tolerance.ends |= self.reading.lengths == Lengths::Mask;
        check::splits(origin, self.task, &self.splits(), tolerance)
    }

    /// The same data set with only the first `samples` training samples, or with all if there are not more.
    ///
    /// # Errors
    /// [`DataError::ClassLeftOut`] if a class has no sample among them, and [`DataError::NonFinite`] if no target is
    /// known there.
    pub fn with_train_samples(mut self, samples: usize) -> Result<Self, DataError> {
        let all = self.train.len();
        if samples >= all {
            return Ok(self);
        }
        if let (Targets::Classes(labels), TaskKind::Classification { classes }) = (&self.train.y, self.task) {
            // The place of the first sample of each class. Every class has one in the whole set.
            let first = |class: usize| labels.iter().position(|&label| label as usize == class).unwrap_or(0);
            let places: Vec<usize> = (0..classes).map(first).collect();
            if let Some(class) = places.iter().position(|&place| place >= samples) {
                let names = self.classes.as_ref();
                return Err(DataError::ClassLeftOut {
                    origin: self.name,
                    samples,
                    class: names.map_or_else(|| class.to_string(), |names| names[class].clone()),
                    needed: places.into_iter().max().map_or(0, |place| place + 1),
                });
            }
        }
        let rows: Vec<usize> = (0..samples).collect();
        self.train = self.train.select(&rows);
        self.spans.train = <_>::default();
        self.facts.train = self.facts.train.select(&rows);
        check::some_known(&self.name, &self.train.y)?;
        self.groups = self.groups.map(|groups| groups.with_train(samples));
        self.origin.notes.push(format!("only the first {samples} of {all} training samples are used"));
        Ok(self)
    }

    /// The training, validation (if any) and test splits with their names.
    pub(crate) fn splits(&self) -> Vec<(&'static str, &Split)> {
        let mut splits = vec![("train", &self.train)];
        splits.extend(self.val.as_ref().map(|val| ("val", val)));
        splits.push(("test", &self.test));
        splits
    }

    /// The same data set with names for its classes or labels.
    ///
    /// # Errors
    /// [`DataError::ClassNames`] unless there is one name for each class or label.
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
