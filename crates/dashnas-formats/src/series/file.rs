//! The contents of one file of series, whatever its format.

use crate::account::ColumnAccount;
use crate::series::values::Series;
use dashnas_core::names::TaskName;

/// The series of one file and their labels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeriesFile {
    /// The format, for people.
    pub format: &'static str,
    /// The series, in the order of the file.
    pub series: Vec<Series>,
    /// The label of each series; empty if the file has no labels.
    pub labels: Vec<String>,
    /// The kind of task, if the file tells whether the labels are classes or numbers.
    pub task: Option<TaskName>,
    /// The names of the classes, if the file lists them.
    pub classes: Option<Vec<String>>,
    /// The names of the targets, if a series has several; its label is then their values, separated by spaces.
    pub several: Option<Vec<String>>,
    /// The decisions that were made, for people.
    pub notes: Vec<String>,
    /// What is probably a mistake, and what to do about it, for people.
    pub warnings: Vec<String>,
    /// The use of every column, if the file names columns.
    pub account: Vec<ColumnAccount>,
}

impl SeriesFile {
    /// A file without series.
    pub fn new(format: &'static str) -> Self {
        Self {
            format,
            series: Vec::new(),
            labels: Vec::new(),
            task: None,
            classes: None,
            several: None,
            notes: Vec::new(),
            warnings: Vec::new(),
            account: Vec::new(),
        }
    }
}
