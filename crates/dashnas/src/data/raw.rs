//! What readers hand over: arrays and labels as they stand in the files, before the kind of task,
//! the layout and the splits are decided.

use super::infer::RawTargets;
use super::{Array, DataError, ReadOptions};
use std::path::Path;

/// Which split some samples are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Role {
    /// Samples that nobody has split yet.
    All,
    Train,
    Val,
    Test,
}

impl Role {
    /// The word used for arrays of this split.
    pub fn name(self) -> &'static str {
        match self {
            Role::All => "all",
            Role::Train => "train",
            Role::Val => "val",
            Role::Test => "test",
        }
    }

    /// The split that a word in the name of a file, folder or array speaks of.
    pub fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "train" | "training" | "tr" => Some(Role::Train),
            "test" | "testing" | "te" => Some(Role::Test),
            "val" | "valid" | "validation" | "dev" => Some(Role::Val),
            _ => None,
        }
    }
}

/// Targets before they are classes or values.
#[derive(Debug, Clone)]
pub(crate) enum Labels {
    /// Numbers of any shape, the first axis being the sample.
    Numbers(RawTargets),
    /// One name a sample.
    Names(Vec<String>),
}

impl Labels {
    pub fn rows(&self) -> usize {
        match self {
            Labels::Numbers(raw) => raw.array.rows(),
            Labels::Names(names) => names.len(),
        }
    }

    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Labels::Numbers(raw) => Labels::Numbers(RawTargets {
                name: raw.name.clone(),
                array: raw.array.select(rows),
                integral: raw.integral,
            }),
            Labels::Names(names) => Labels::Names(rows.iter().map(|&i| names[i].clone()).collect()),
        }
    }
}

/// Samples of one split.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub role: Role,
    pub x: Array,
    pub y: Option<Labels>,
    /// The group of each sample.
    pub groups: Option<Vec<String>>,
    /// What each sample is called: its file, or the header of its sequence.
    pub ids: Option<Vec<String>>,
}

/// Everything found at a path.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    /// What it was understood to be.
    pub format: String,
    /// The files that were read.
    pub files: Vec<String>,
    /// What was decided on the way, for people.
    pub notes: Vec<String>,
    pub parts: Vec<Part>,
    /// Names of the classes, where the files list them.
    pub classes: Option<Vec<String>>,
    /// Whether whole-numbered labels that are not 0..K−1 are numbered anew.
    pub renumber: bool,
    /// Whether the format says that channels come first, so that shapes are no guide.
    pub channels_first: bool,
    /// The options with lengths, sizes and alphabets filled in.
    pub reading: ReadOptions,
}

impl Raw {
    pub fn new(format: &str, options: &ReadOptions) -> Self {
        Self {
            format: format.into(),
            files: Vec::new(),
            notes: Vec::new(),
            parts: Vec::new(),
            classes: None,
            renumber: true,
            channels_first: false,
            reading: options.clone(),
        }
    }

    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    pub fn file(&mut self, path: &Path) {
        self.files.push(path.display().to_string());
    }
}

/// Refuses arrays that would not fit: `elements` of float32 against the limit of the options.
pub(crate) fn afford(path: &Path, what: &str, elements: u128, options: &ReadOptions) -> Result<(), DataError> {
    afford_bytes(path, what, elements.saturating_mul(4), options.max_bytes)
}

/// Refuses what would take more bytes than the limit.
pub(crate) fn afford_bytes(path: &Path, what: &str, bytes: u128, limit: u64) -> Result<(), DataError> {
    if bytes <= u128::from(limit) {
        return Ok(());
    }
    Err(DataError::TooLarge { path: path.into(), array: what.into(), bytes, limit })
}

/// The words of a name: runs of letters and digits, with a change from small to capital letters
/// between two words too (`XTrain`).
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if !c.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase()) {
            words.push(String::new());
        }
        if c.is_alphanumeric() {
            // There is always a last word.
            words.iter_mut().last().into_iter().for_each(|w| w.push(c));
        }
        before = c;
    }
    let words: Vec<String> = words.into_iter().filter(|w| !w.is_empty()).collect();
    // `XTrain` and `Xtrain`: x by itself.
    words
        .into_iter()
        .flat_map(|w| match w.split_at_checked(1) {
            Some((first, rest)) if Role::of_word(rest).is_some() && rest.len() > 2 => vec![first.into(), rest.into()],
            _ => vec![w],
        })
        .map(|w: String| w.to_lowercase())
        .collect()
}
