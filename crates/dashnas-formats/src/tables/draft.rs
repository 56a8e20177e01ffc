//! The roles of the columns of a table, and roles in the making.

use crate::account::{ColumnAccount, ColumnRole};
use crate::error::DataError;
use crate::options::ReadOptions;
use crate::tables::table::Table;
use std::collections::HashMap;

/// Fewest columns of one letter each that are a sequence.
pub(crate) const LETTERS: usize = 8;

/// What the columns of inputs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Numbers, one in each column.
    Numbers,
    /// Letters of sequences.
    Sequences,
    /// Lists of numbers, each a channel.
    Lists,
}

/// The roles of the columns of a table; columns are given by their position from 0.
#[derive(Debug)]
pub(crate) struct ColumnRoles {
    /// The columns of labels, if there are any.
    pub labels: Vec<usize>,
    /// The columns of groups; of several, rows of one group have equal values in all of them.
    pub groups: Vec<usize>,
    /// The columns that tell the recordings of a group apart, as for `groups`.
    pub recordings: Vec<usize>,
    /// The column of splits, if there is one.
    pub split: Option<usize>,
    /// The columns that may be the times of time steps, the first one first.
    pub times: Vec<usize>,
    /// The column of weights, if there is one.
    pub weight: Option<usize>,
    /// The column of times, if there is one, or the one that the options name.
    pub time: Option<usize>,
    /// The columns of inputs, in order.
    pub inputs: Vec<usize>,
    /// What the inputs hold.
    pub content: Content,
    /// The account of all columns.
    pub accounts: Vec<ColumnAccount>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// Roles in the making.
pub(crate) struct Draft<'a> {
    /// The table.
    pub table: &'a Table,
    /// The options.
    pub options: &'a ReadOptions,
    /// The role and reason of each column that has one.
    pub given: Vec<Option<(ColumnRole, String)>>,
    /// The texts of the columns that have been read.
    pub texts: HashMap<usize, Vec<String>>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

impl<'a> Draft<'a> {
    /// Gives a column a role, unless it has one.
    pub fn give(&mut self, c: usize, role: ColumnRole, reason: impl Into<String>) {
        self.given[c].get_or_insert_with(|| (role, reason.into()));
    }

    /// Returns whether a column has no role yet.
    pub fn is_free(&self, c: usize) -> bool {
        self.given[c].is_none()
    }

    /// The columns without a role.
    pub fn free(&self) -> Vec<usize> {
        (0..self.given.len()).filter(|&c| self.is_free(c)).collect()
    }

    /// The first column with a role.
    pub fn first(&self, role: ColumnRole) -> Option<usize> {
        self.with(role).first().copied()
    }

    /// The columns with a role.
    pub fn with(&self, role: ColumnRole) -> Vec<usize> {
        (0..self.given.len()).filter(|&c| self.given[c].as_ref().is_some_and(|given| given.0 == role)).collect()
    }

    /// The name of a column in messages.
    pub fn name(&self, c: usize) -> String {
        self.table.called(c)
    }

    /// Adds a warning.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    /// Adds a warning, unless what it says is expected.
    pub fn warn_unless(&mut self, expected: bool, text: impl Into<String>) {
        if !expected {
            self.warn(text);
        }
    }

    /// Reads the texts of columns, unless they have been read.
    ///
    /// # Errors
    /// Those of [`Table::read_texts`].
    pub fn read(&mut self, columns: &[usize]) -> Result<(), DataError> {
        let missing: Vec<usize> = columns.iter().copied().filter(|c| !self.texts.contains_key(c)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let found = self.table.read_texts(&missing, self.options)?;
        self.texts.extend(missing.into_iter().zip(found));
        Ok(())
    }

    /// The texts of a column that has been read.
    pub fn of(&self, c: usize) -> &[String] {
        self.texts.get(&c).map_or(&[], Vec::as_slice)
    }
}

/// The first of some names.
pub(crate) fn listed(names: &[String]) -> String {
    /// Most names that a message lists.
    const MAX: usize = 8;
    let more = if names.len() > MAX { format!(" and {} more", names.len() - MAX) } else { String::new() };
    names.iter().take(MAX).cloned().collect::<Vec<_>>().join(", ") + &more
}

/// Returns whether two columns divide the rows into the same classes.
pub(crate) fn same_classes(a: &[String], b: &[String]) -> bool {
    determines(a, b) && determines(b, a)
}

/// Returns whether equal values of the one column come with equal values of the other.
pub(crate) fn determines(a: &[String], b: &[String]) -> bool {
    let mut of: HashMap<&str, &str> = HashMap::new();
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| *of.entry(a).or_insert(b) == b.as_str())
}

/// Returns whether numbers rise in pieces of several rows each, like the times of several recordings.
pub(crate) fn rises_in_pieces(texts: &[String]) -> bool {
    let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
    let falls = numbers.map_or(usize::MAX, |numbers| numbers.windows(2).filter(|pair| pair[1] <= pair[0]).count());
    falls > 0 && falls.saturating_mul(4) < texts.len()
}
