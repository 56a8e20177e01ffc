//! A table whose columns have been read once.

use crate::error::DataError;
use crate::limits::check_bytes;
use crate::options::ReadOptions;
use crate::sample_facts::Places;
use crate::tables::arrow::text;
use crate::tables::batches::{Batches, Segment, cell_error};
use crate::tables::facts::Facts;
use crate::tables::row_major::RowMajor;
use crate::text::excerpt;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that a text takes besides its characters.
const STRING: u64 = size_of::<String>() as u64;

/// A column of a table.
#[derive(Debug)]
pub(crate) struct Column {
    /// The name, or the number from 1.
    pub name: String,
    /// The facts about its values.
    pub facts: Facts,
    /// The texts of a column of text, if they were kept.
    pub texts: Option<Vec<String>>,
}

/// Columns of equal length.
#[derive(Debug)]
pub(crate) struct Table {
    /// The file, for messages.
    pub path: PathBuf,
    /// Whether the file names the columns; otherwise their names are their numbers from 1.
    pub named: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// The numbers of all columns, NaN where one is missing, unless they are left in the file.
    pub rows: Option<RowMajor>,
    /// Sentences about how the file is read, for people.
    pub notes: Vec<String>,
    /// The decimal sign, if it was found.
    pub decimal: Option<String>,
    /// Whether numbers are left in the file.
    pub stored: bool,
    /// Number of rows of each of its files.
    pub file_rows: Vec<usize>,
    /// The file, to be read again.
    pub source: Arc<dyn Batches>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.facts.rows)
    }

    /// The numbers of a column, NaN where one is missing; `None` if they are not in memory.
    pub fn numbers(&self, c: usize) -> Option<impl Iterator<Item = f32>> {
        let column = self.columns.get(c)?;
        self.rows.as_ref().filter(|_| column.facts.is_numeric())?.column(c)
    }
}

impl Table {
    /// The files that the rows come from one after another, if there are several.
    pub fn files(&self) -> Vec<PathBuf> {
        let paths: Option<Vec<_>> = (0..self.file_rows.len()).map(|number| self.source.file(number)).collect();
        paths.filter(|_| self.file_rows.iter().sum::<usize>() == self.rows()).unwrap_or_default()
    }

    /// Where the rows are in the files.
    pub fn places(&self) -> Places {
        let files: Vec<String> = self.files().iter().map(|path| path.display().to_string()).collect();
        if files.is_empty() {
            return Places::of_files(vec![self.path.display().to_string()], &[self.rows()]);
        }
        Places::of_files(files, &self.file_rows)
    }
}

impl Column {
    /// Returns whether the column holds text.
    pub fn is_text(&self) -> bool {
        self.facts.lists.is_none() && self.facts.unreadable.is_none() && self.facts.texts > 0
    }
}

impl Table {
    /// Reads the texts of some columns, as they are in the file; a missing value is an empty text.
    ///
    /// # Errors
    /// [`DataError::TooLarge`] if they do not fit into memory, and the errors of reading.
    pub fn read_texts(&self, columns: &[usize], options: &ReadOptions) -> Result<Vec<Vec<String>>, DataError> {
        let source = self.source.as_ref();
        let used = AtomicU64::new(0);
        let kept = |c: &usize| self.columns.get(*c).and_then(|column| column.texts.as_ref());
        let missing: Vec<usize> = columns.iter().copied().filter(|c| kept(c).is_none()).collect();
        let read = |segment: &Segment| {
            let mut texts: Vec<Vec<String>> = segment.columns.iter().map(|_| Vec::new()).collect();
            source.read(segment, &mut |batch| {
                let mut bytes = 0;
                for (texts, array) in texts.iter_mut().zip(batch.columns()) {
                    for i in 0..array.len() {
                        let text = text(array.as_ref(), i);
                        let text = text.as_deref().map_or("", str::trim);
                        bytes += text.len() as u64 + STRING;
                        texts.push(text.to_owned());
                    }
                }
                let total = used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
                check_bytes(&self.path, "texts", total.into(), options.max_bytes)
            })?;
            Ok((segment.columns.clone(), texts))
        };
        let mut all: Vec<Vec<String>> = columns.iter().map(|c| kept(c).cloned().unwrap_or_default()).collect();
        if missing.is_empty() {
            return Ok(all);
        }
        let found: Vec<Result<_, DataError>> = source.segments(&missing, false).par_iter().map(read).collect();
        for segment in found {
            let (read, texts) = segment?;
            for (c, mut texts) in read.into_iter().zip(texts) {
                if let Some(i) = columns.iter().position(|&wanted| wanted == c) {
                    all[i].append(&mut texts);
                }
            }
        }
        Ok(all)
    }

    /// Returns whether a column holds text, also if the texts are numbers in a file that could say so.
    pub fn is_written(&self, c: usize) -> bool {
        let column = &self.columns[c];
        column.is_text() || (self.source.typed() && column.facts.written)
    }

    /// The name of a column in messages, in backticks, or its number.
    pub fn called(&self, c: usize) -> String {
        match self.columns.get(c) {
            Some(column) if self.named && !column.name.is_empty() => format!("`{}`", column.name),
            _ => (c + 1).to_string(),
        }
    }

    /// The error for a cell.
    pub fn cell_error(&self, row: usize, c: usize, reason: impl Into<String>) -> DataError {
        cell_error(self.source.as_ref(), row, c, reason)
    }

    /// The error for a column of text where numbers are needed: it names the first value that is not a number.
    pub fn not_a_number(&self, c: usize, texts: &[String]) -> DataError {
        let row = self.columns[c].facts.first_text.unwrap_or(0);
        let text = texts.get(row).map_or("", String::as_str);
        self.cell_error(row, c, format!("`{}` is not a number", excerpt(text)))
    }
}
