//! A table in memory, or with its columns of numbers left in their file.

use crate::error::{DataError, Location};
use crate::series::values;
use crate::text::excerpt;
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Names of columns that number the samples.
const IDS: [&str; 5] = ["", "id", "index", "unnamed: 0", "row"];

/// The values of a column; a missing number is NaN.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers, one a row.
    Numbers(Vec<f32>),
    /// Texts, one a row.
    Text(Vec<String>),
    /// Numbers that are left in the file.
    Stored(Digest),
}

/// The facts about a column of numbers that are needed when the numbers are not in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    len: usize,
    /// Number of distinct values, counted up to a limit that no label reaches.
    distinct: usize,
    all_whole: bool,
    consecutive: bool,
}

impl Digest {
    /// Collects the facts about these numbers.
    pub(crate) fn of(v: &[f32]) -> Self {
        Self { len: v.len(), distinct: count_distinct(v), all_whole: all_whole(v), consecutive: are_consecutive(v) }
    }
}

/// Counts distinct values, up to more than a label may have.
fn count_distinct(v: &[f32]) -> usize {
    let enough = 1000.max(v.len() / 100);
    let mut seen = HashSet::new();
    for value in v {
        seen.insert(value.to_bits());
        if seen.len() > enough {
            break;
        }
    }
    seen.len()
}

/// Returns whether all values are whole numbers.
fn all_whole(v: &[f32]) -> bool {
    v.iter().all(|v| v.fract() == 0.0)
}

/// Returns whether each value is one more than the value before it.
fn are_consecutive(v: &[f32]) -> bool {
    v.windows(2).all(|w| w[1] == w[0] + 1.0)
}

impl Values {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Numbers(v) => v.len(),
            Values::Text(v) => v.len(),
            Values::Stored(digest) => digest.len,
        }
    }

    /// Returns whether the column holds text.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Values::Text(_))
    }

    /// The values as texts. Columns whose texts are needed are in memory; a stored column has none.
    pub(crate) fn texts(&self) -> Vec<String> {
        match self {
            Values::Numbers(v) => v.iter().map(f32::to_string).collect(),
            Values::Text(v) => v.clone(),
            Values::Stored(_) => Vec::new(),
        }
    }

    /// Counts the distinct values; of numbers, only up to more than a label may have.
    pub(crate) fn count_distinct(&self) -> usize {
        match self {
            Values::Numbers(v) => count_distinct(v),
            Values::Text(v) => v.iter().collect::<HashSet<_>>().len(),
            Values::Stored(digest) => digest.distinct,
        }
    }

    /// Returns whether all values are whole numbers.
    pub(crate) fn all_whole(&self) -> bool {
        match self {
            Values::Numbers(v) => all_whole(v),
            Values::Text(_) => false,
            Values::Stored(digest) => digest.all_whole,
        }
    }

    /// Returns whether each value is one more than the value before it.
    pub(crate) fn are_consecutive(&self) -> bool {
        match self {
            Values::Numbers(v) => are_consecutive(v),
            Values::Text(_) => false,
            Values::Stored(digest) => digest.consecutive,
        }
    }
}

/// Columns that are left in a file, whose rows come in groups that can be read one at a time.
pub trait StoredColumns: fmt::Debug + Send + Sync {
    /// Number of row groups.
    fn groups(&self) -> usize;

    /// Reads the values of column `c` in a range of row groups.
    ///
    /// # Errors
    /// [`DataError`] if the file no longer has these values.
    fn column(&self, c: usize, groups: Range<usize>) -> Result<Values, DataError>;
}

/// Columns of equal length.
#[derive(Debug, Clone)]
pub struct Table {
    /// The file, for messages.
    pub path: PathBuf,
    /// Name and values of each column.
    pub columns: Vec<(String, Values)>,
    /// Whether the file names the columns; otherwise their names are their numbers from 1.
    pub named: bool,
    /// The line of each row, from 1; empty if the format has no lines.
    pub(crate) lines: Vec<u32>,
    /// The file that the values of [`Values::Stored`] are in.
    pub(crate) stored: Option<Arc<dyn StoredColumns>>,
}

impl Table {
    /// Reads a stored column into memory.
    ///
    /// # Errors
    /// As [`StoredColumns::column`].
    pub(crate) fn load(&mut self, c: usize) -> Result<(), DataError> {
        if let (Values::Stored(_), Some(file)) = (&self.columns[c].1, &self.stored) {
            self.columns[c].1 = file.column(c, 0..file.groups())?;
        }
        Ok(())
    }

    /// Number of row groups; a table in memory is one group.
    pub(crate) fn groups(&self) -> usize {
        self.stored.as_ref().map_or(1, |file| file.groups())
    }

    /// The values of column `c` in one row group.
    ///
    /// # Errors
    /// As [`StoredColumns::column`].
    pub(crate) fn group(&self, c: usize, group: usize) -> Result<Cow<'_, Values>, DataError> {
        match &self.stored {
            None => Ok(Cow::Borrowed(&self.columns[c].1)),
            Some(file) => file.column(c, group..group + 1).map(Cow::Owned),
        }
    }

    /// The line of a row in the file, or its number from 1 where the format has no lines.
    pub(crate) fn line(&self, row: usize) -> usize {
        self.lines.get(row).map_or(row + 1, |&line| line as usize)
    }

    /// The error for a column of text where numbers are needed: it names the first value that is not a number.
    pub(crate) fn not_a_number(&self, c: usize) -> DataError {
        let (name, values) = &self.columns[c];
        let texts = values.texts();
        let row = texts.iter().position(|s| values::number(s).is_none()).unwrap_or(0);
        let location = Location::Cell(self.line(row), name.clone());
        DataError::at(&self.path, location, format!("`{}` is not a number", excerpt(&texts[row])))
    }
}

/// The roles of the columns of a table; columns are given by their position from 0.
#[derive(Debug)]
pub(crate) struct ColumnRoles {
    /// The column of labels, if there is one.
    pub label: Option<usize>,
    /// The column of groups, if there is one.
    pub group: Option<usize>,
    /// The columns of inputs, in order.
    pub inputs: Vec<usize>,
    /// Whether the inputs are letters of sequences.
    pub sequences: bool,
    /// The decisions that were made, for people.
    pub notes: Vec<String>,
}

/// Returns whether a column of this name numbers the samples.
pub(crate) fn names_ids(name: &str) -> bool {
    IDS.contains(&name.to_ascii_lowercase().as_str())
}
