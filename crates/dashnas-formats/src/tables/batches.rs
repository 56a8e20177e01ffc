//! Files of columns, which are read in record batches as often as needed.

use crate::error::{DataError, Location};
use arrow_array::RecordBatch;
use csv::StringRecord;
use std::fmt;
use std::path::PathBuf;

/// A part of a table that can be read on its own: some of its rows, some of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// The file, by its number among the parts of a table.
    pub file: usize,
    /// The block, row group or batch in the file.
    pub at: usize,
    /// The columns, by their positions in the table.
    pub columns: Vec<usize>,
}

/// Whether the values of a column can be numbers, by their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Numeric {
    /// They are no numbers.
    No,
    /// They are texts, which may be numbers.
    AsTexts,
    /// They are numbers, or missing.
    Yes,
}

/// Takes the batches of a segment one after another.
pub(crate) type Take<'a> = &'a mut dyn FnMut(&RecordBatch) -> Result<(), DataError>;

/// The cells of some columns in a row of texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cells<'a> {
    record: &'a StringRecord,
    columns: &'a [usize],
}

impl<'a> Cells<'a> {
    /// The fields of a record at these places, all of which it has.
    pub fn new(record: &'a StringRecord, columns: &'a [usize]) -> Self {
        Self { record, columns }
    }

    /// The texts of the columns, in the order of the segment.
    pub fn texts(self) -> impl Iterator<Item = &'a str> {
        self.columns.iter().map(move |&c| self.record.get(c).unwrap_or(""))
    }
}

/// Takes the rows of a segment one after another; returns whether it wants more.
pub(crate) type TakeRow<'a> = &'a mut dyn FnMut(Cells<'_>) -> bool;

/// Numbers of some rows of a column, NaN where one is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Floats<'a> {
    Single(&'a [f32]),
    Double(&'a [f64]),
}

/// Takes the numbers of a column, some rows at a time.
pub(crate) type TakeFloats<'a> = &'a mut dyn FnMut(Floats<'_>);

/// A table in one or several files.
pub(crate) trait Batches: fmt::Debug + Send + Sync {
    /// The names of the columns; their numbers from 1 if the file does not name them.
    fn names(&self) -> &[String];

    /// Whether the file names the columns.
    fn named(&self) -> bool {
        true
    }

    /// Whether the file says which columns are text; otherwise every cell is a text that may be a number.
    fn typed(&self) -> bool {
        true
    }

    /// Whether the values of a column can be numbers, where the file tells.
    fn numeric(&self, _column: usize) -> Option<Numeric> {
        None
    }

    /// The shape of the values of a column, if the file says that its lists are tensors. It is empty if the axes are not in
    /// the order of the values.
    fn tensor(&self, _column: usize) -> Option<Vec<usize>> {
        None
    }

    /// Whether the fields are separated by semicolons, as where the decimal sign is a comma.
    fn semicolons(&self) -> bool {
        false
    }

    /// A number of rows that the table does not exceed.
    fn max_rows(&self) -> usize;

    /// Divides these columns into segments, in the order of the rows. Where every segment must have all of the columns,
    /// `whole_rows` says so.
    fn segments(&self, columns: &[usize], whole_rows: bool) -> Vec<Segment>;

    /// Reads a segment batch by batch. The columns of a batch are those of the segment, in its order.
    ///
    /// # Errors
    /// [`DataError`] with the place of what cannot be read, or the error of `take`.
    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError>;

    /// Reads the numbers of one of the columns of a segment without batches. Returns `false` if it is read in batches only.
    ///
    /// # Errors
    /// [`DataError`] with the place of what cannot be read.
    fn read_floats(&self, _: &Segment, _column: usize, _: TakeFloats<'_>) -> Result<bool, DataError> {
        Ok(false)
    }

    /// The number of rows that a segment claims to have; 0 where the format does not say.
    fn rows_in(&self, _: &Segment) -> usize {
        0
    }

    /// A number of rows that a segment does not exceed, if [`Batches::read_rows`] reads it.
    fn rows_within(&self, _: &Segment) -> Option<usize> {
        None
    }

    /// Reads a segment row by row, without batches, where all cells are texts.
    ///
    /// # Errors
    /// As [`Batches::read`].
    fn read_rows(&self, _: &Segment, _: TakeRow<'_>) -> Result<(), DataError> {
        Ok(())
    }

    /// The file and the line of a row, where the format has lines; otherwise the number of the row from 1.
    fn line(&self, row: usize) -> (PathBuf, usize);

    /// The path of one of several files by its number, as segments give it; `None` if there is only one file.
    fn file(&self, _number: usize) -> Option<PathBuf> {
        None
    }

    /// Sentences about how the file is read, for people.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The error for a cell.
pub(crate) fn cell_error(source: &dyn Batches, row: usize, column: usize, reason: impl Into<String>) -> DataError {
    let (path, line) = source.line(row);
    let name = source.names().get(column).cloned().unwrap_or_else(|| (column + 1).to_string());
    let name = if name.is_empty() { (column + 1).to_string() } else { name };
    DataError::at(&path, Location::Cell(line, name), reason)
}
