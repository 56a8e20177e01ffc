//! The result of a reader: arrays and labels as they are in the files, before the kind of task, the layout and the
//! splits are decided.

use crate::account::ColumnAccount;
use crate::array::Array;
use crate::centers::Centers;
use crate::options::ReadOptions;
use crate::places::{Place, Windows};
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use std::path::Path;

/// The labels of a split, before it is decided whether they are classes or values.
#[derive(Debug, Clone)]
pub enum Labels {
    /// Numbers of any shape whose first axis is the sample.
    Numbers(NumericTargets),
    /// One name per sample.
    Names(Vec<String>),
}

impl Labels {
    /// Number of samples.
    pub fn rows(&self) -> usize {
        match self {
            Labels::Numbers(raw) => raw.array.rows(),
            Labels::Names(names) => names.len(),
        }
    }

    /// These labels followed by others; `None` if they are of another kind or shape.
    pub fn followed_by(self, more: Self) -> Option<Self> {
        Some(match (self, more) {
            (Labels::Names(mut names), Labels::Names(more)) => {
                names.extend(more);
                Labels::Names(names)
            }
            (Labels::Numbers(mut numbers), Labels::Numbers(more))
                if numbers.array.shape.get(1..) == more.array.shape.get(1..) =>
            {
                numbers.array.data.extend_from_slice(&more.array.data);
                numbers.array.shape[0] += more.array.rows();
                numbers.integral &= more.integral;
                Labels::Numbers(numbers)
            }
            _ => return None,
        })
    }

    /// The labels of the samples at these indices.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Labels::Numbers(raw) => Labels::Numbers(NumericTargets {
                name: raw.name.clone(),
                array: raw.array.select(rows),
                integral: raw.integral,
            }),
            Labels::Names(names) => Labels::Names(rows.iter().map(|&i| names[i].clone()).collect()),
        }
    }
}

/// The samples of one split.
#[derive(Debug, Clone)]
pub struct UnassembledSplit {
    /// The split.
    pub role: Role,
    /// The inputs; the first axis is the sample.
    pub x: Array,
    /// The labels, if there are any.
    pub y: Option<Labels>,
    /// The group of each sample, if there are groups.
    pub groups: Option<Vec<String>>,
    /// The name of each sample, if the format has them: its file, or the header of its sequence.
    pub ids: Option<Vec<String>>,
    /// Weights, times and places of the samples.
    pub facts: SampleFacts,
}

/// Labels of time steps.
#[derive(Debug, Clone)]
pub struct StepLabels {
    /// The time steps with a label, as windows of one step each.
    pub steps: Vec<Place>,
    /// Their labels.
    pub labels: Labels,
}

/// The digits of numbers in files, of which `f32` keeps seven.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digits {
    /// Whether inputs may have more digits in the files, and the reader subtracts [`ReadOptions::centers`] from them before
    /// they become `f32`.
    pub inputs: bool,
    /// The same of targets.
    pub targets: bool,
    /// Whether the centers of the options were subtracted from the inputs.
    pub inputs_centered: bool,
    /// Whether they were subtracted from the targets.
    pub targets_centered: bool,
}

impl Digits {
    /// Those of a reader that subtracts from every input, or from every target.
    pub(crate) fn of_numbers(inputs: bool, targets: bool, centers: &Centers) -> Self {
        let (inputs_centered, targets_centered) =
            (inputs && !centers.inputs.is_empty(), targets && !centers.targets.is_empty());
        Self { inputs, targets, inputs_centered, targets_centered }
    }
}

/// The data read from a path.
#[derive(Debug, Clone)]
pub struct UnassembledData {
    /// The name of the format, for people.
    pub format: String,
    /// The files that were read.
    pub files: Vec<String>,
    /// The decisions that were made, for people.
    pub notes: Vec<String>,
    /// What is probably a mistake, and what to do about it, for people.
    pub warnings: Vec<String>,
    /// The columns of a table and their roles; empty for other data.
    pub columns: Vec<ColumnAccount>,
    /// The splits.
    pub parts: Vec<UnassembledSplit>,
    /// The names of the classes, if the files list them.
    pub classes: Option<Vec<String>>,
    /// Whether whole-numbered labels other than 0..K−1 are renumbered.
    pub renumber: bool,
    /// Whether channels come first by the format, so that the layout is not guessed from the shapes.
    pub channels_first: bool,
    /// Whether the inputs are an array as a program saved it, whose axes are guessed from the shape.
    pub arrays: bool,
    /// What the reader did about large values that vary little.
    pub digits: Digits,
    /// Whether the reader has seen that all values of the inputs are finite, so that they need not be checked again.
    pub finite: bool,
    /// The places of the windows that recordings were cut into, if they were.
    pub windows: Option<Windows>,
    /// The labels of the time steps of these recordings, where the options ask for them.
    pub step_labels: Option<StepLabels>,
    /// The settings with names of columns or arrays that the reader uses, as keys of `[data]`.
    pub named_by: &'static [&'static str],
    /// The options, with lengths, sizes and alphabets filled in.
    pub reading: ReadOptions,
}

impl UnassembledData {
    /// Data without splits.
    pub fn new(format: &str, options: &ReadOptions) -> Self {
        Self {
            format: format.into(),
            files: Vec::new(),
            notes: Vec::new(),
            warnings: Vec::new(),
            columns: Vec::new(),
            parts: Vec::new(),
            classes: None,
            renumber: true,
            channels_first: false,
            arrays: false,
            digits: Digits::default(),
            finite: false,
            windows: None,
            step_labels: None,
            named_by: &[],
            reading: options.clone(),
        }
    }

    /// Adds a note, unless it is there already.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Adds a warning, unless it is there already.
    pub fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Adds a file to those that were read.
    pub fn file(&mut self, path: &Path) {
        self.files.push(path.display().to_string());
    }
}

/// Numeric targets as they are in a file.
#[derive(Debug, Clone)]
pub struct NumericTargets {
    /// The name of the array, for messages.
    pub name: String,
    /// The values.
    pub array: Array,
    /// Whether the dtype was bool or an integer.
    pub integral: bool,
}

impl NumericTargets {
    /// Returns whether all values are 0 or 1, or, of fields, unknown.
    pub fn is_binary(&self) -> bool {
        self.array.data.iter().all(|&v| v == 0.0 || v == 1.0 || v.is_nan())
    }

    /// Returns whether every row has exactly one 1 and zeros otherwise.
    pub fn is_one_hot(&self) -> bool {
        let positives = |row: &[f32]| row.iter().filter(|&&v| v == 1.0).count();
        self.is_binary() && (0..self.array.rows()).all(|i| positives(self.array.row(i)) == 1)
    }
}
