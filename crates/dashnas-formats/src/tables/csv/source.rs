//! A file of separated values as record batches of texts.

use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::tables::batches::{Batches, Cells, Segment, Take, TakeRow};
use crate::tables::csv::dialect::{Dialect, line_ends};
use crate::tables::csv::encoding::{self, Decoded, contains_byte};
use crate::tables::csv::header::{First, first};
use crate::tables::csv::rows::{each, each_text, line_at, open_quote, unended, without_spaces_before_quotes};
use crate::text::first_duplicate;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema};
use csv::ByteRecord;
use rayon::prelude::*;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Least and most bytes of text that one thread reads at a time.
const BLOCKS: (usize, usize) = (1 << 20, 8 << 20);
/// Rows of a batch.
const ROWS: usize = 512;
/// Rows by which the header is found.
const SAMPLE: usize = 200;

/// A file of separated values.
pub(crate) struct CsvFile {
    path: PathBuf,
    text: String,
    dialect: Dialect,
    /// Where the rows begin, after the header.
    start: usize,
    names: Vec<String>,
    header: First,
    /// Whether every row but the header ends with a separator.
    trailing: bool,
    /// Whether the rows begin with names that the header does not name.
    row_names: bool,
    blocks: Vec<Range<usize>>,
    /// The number of line ends in each block.
    line_ends: Vec<usize>,
    encoding: Option<&'static str>,
}

impl fmt::Debug for CsvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvFile").field("path", &self.path).field("names", &self.names).finish_non_exhaustive()
    }
}

impl CsvFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DataError`] if it is not text, or if its header cannot be used.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        Self::new(path, encoding::text(path, options.whole_file())?, options.header)
    }

    /// Looks at the first rows of a text; `path` names it in errors.
    ///
    /// # Errors
    /// As [`CsvFile::open`].
    pub fn new(path: &Path, decoded: Decoded, header: Option<bool>) -> Result<Self, DataError> {
        let Decoded { mut text, encoding } = decoded;
        let mut dialect = Dialect::of(&text);
        // Most files have no quotes, which several threads find out sooner than one.
        if has_quotes(&text, dialect) {
            if let Some(tight) = without_spaces_before_quotes(&text, dialect) {
                text = tight;
                dialect = Dialect::of(&text);
            }
            if let Some(at) = open_quote(&text[dialect.start..], dialect) {
                return Err(unended(path, &text, dialect.start + at, dialect));
            }
        }
        let body = &text[dialect.start..];
        let mut sample: Vec<Vec<String>> = Vec::new();
        let mut second = body.len();
        // The end of the sample ends the reading.
        let _ = each(body, dialect, |at, record| {
            if sample.len() == 1 {
                second = at;
            }
            sample.push(record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect());
            if sample.len() < SAMPLE { Ok(()) } else { Err(()) }
        });
        let Some(row) = sample.first() else { return Err(DataError::file(path, "it holds no rows")) };
        let header = match header {
            Some(true) => First::Names,
            Some(false) => First::Row,
            None => first(&sample),
        };
        let mut names = match header {
            First::Row => (1..=row.len()).map(|i| i.to_string()).collect(),
            _ => row.clone(),
        };
        let (mut trailing, mut row_names) = (false, false);
        if header != First::Row {
            if sample.len() == 1 {
                return Err(DataError::file(path, "it holds a header but no rows"));
            }
            let longer = sample[1..].iter().all(|row| row.len() == names.len() + 1);
            if longer && sample[1..].iter().all(|row| row.last().is_some_and(String::is_empty)) {
                trailing = true;
            } else if longer {
                names.insert(0, String::new());
                row_names = true;
            }
            check_names(path, line_at(&text, dialect.start), &names)?;
        }
        let start = if header == First::Row { dialect.start } else { dialect.start + second };
        let blocks = blocks(&text, start, dialect);
        let line_ends = blocks.par_iter().map(|block| line_ends(&text[block.clone()])).collect();
        let path = path.into();
        Ok(Self { path, text, dialect, start, names, header, trailing, row_names, blocks, line_ends, encoding })
    }

    /// Checks the number of fields of a row.
    fn check(&self, at: usize, record: &ByteRecord) -> Result<(), DataError> {
        let width = self.names.len();
        if record.len() == width || (self.trailing && record.len() == width + 1 && record[width].is_empty()) {
            return Ok(());
        }
        let line = line_at(&self.text, at);
        let n = record.len();
        let reason = format!("this row has {n} {}, the first has {width}", if n == 1 { "field" } else { "fields" });
        Err(DataError::at(&self.path, Location::Line(line), reason).with_hint(
            "every row needs the same fields; quote fields that hold the separator, and remove lines that are no rows",
        ))
    }
}

/// Refuses a header that names two columns alike.
fn check_names(path: &Path, line: usize, names: &[String]) -> Result<(), DataError> {
    let Some((i, j)) = first_duplicate(names) else { return Ok(()) };
    let reason = format!("columns {} and {} are both named `{}`", i + 1, j + 1, names[j]);
    let hint = match names[j].parse::<f64>() {
        Ok(_) => "if the first row is data and not a header, set `data.header = false`",
        Err(_) => "give every column its own name",
    };
    Err(DataError::at(path, Location::Line(line), reason).with_hint(hint))
}

/// Returns whether a text has a character that may be a quote.
fn has_quotes(text: &str, dialect: Dialect) -> bool {
    dialect.quote.is_some_and(|quote| contains_byte(text.as_bytes(), quote))
}

/// Divides the rows of a text into blocks. Where fields may be quoted, and so hold line ends, there is one block.
fn blocks(text: &str, start: usize, dialect: Dialect) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let quoted = has_quotes(&text[start..], dialect);
    let mut blocks = Vec::new();
    let mut at = start;
    let size = (bytes.len() / 64).clamp(BLOCKS.0, BLOCKS.1);
    while at < bytes.len() {
        let wanted = at.saturating_add(size);
        let end = match bytes.get(wanted..).filter(|_| !quoted) {
            Some(rest) => memchr::memchr(b'\n', rest).map_or(bytes.len(), |i| wanted + i + 1),
            None => bytes.len(),
        };
        blocks.push(at..end);
        at = end;
    }
    blocks
}

/// Returns whether the text ends with a line of separators alone, as spreadsheets write below a table.
fn has_empty_rows(text: &str, separator: u8) -> bool {
    let last = text.trim_end_matches(['\n', '\r']).lines().next_back().unwrap_or("");
    !last.is_empty() && last.bytes().all(|b| b == separator || b == b' ')
}

/// The texts of a column of a batch in the making.
#[derive(Default)]
struct Texts {
    ends: Vec<i32>,
    bytes: Vec<u8>,
}

impl Texts {
    fn array(&mut self) -> Option<ArrayRef> {
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let bytes = std::mem::take(&mut self.bytes);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        StringArray::try_new(offsets, Buffer::from_vec(bytes), None).ok().map(|array| Arc::new(array) as ArrayRef)
    }
}

impl Batches for CsvFile {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn named(&self) -> bool {
        self.header != First::Row
    }

    fn typed(&self) -> bool {
        false
    }

    fn max_rows(&self) -> usize {
        // Blocks end after line ends, which may be of two characters.
        self.line_ends.iter().sum::<usize>() + 1
    }

    fn semicolons(&self) -> bool {
        self.dialect.separator == b';'
    }

    fn segments(&self, columns: &[usize], _: bool) -> Vec<Segment> {
        (0..self.blocks.len()).map(|at| Segment { file: 0, at, columns: columns.to_vec() }).collect()
    }

    fn read(&self, segment: &Segment, take: Take<'_>) -> Result<(), DataError> {
        let Some(block) = self.blocks.get(segment.at) else { return Ok(()) };
        let columns = &segment.columns;
        let fields: Vec<Field> = columns.iter().map(|&c| Field::new(&self.names[c], DataType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let mut texts: Vec<Texts> = columns.iter().map(|_| Texts { ends: vec![0], bytes: Vec::new() }).collect();
        let mut rows = 0;
        let mut give = |texts: &mut Vec<Texts>, rows: &mut usize| {
            let arrays: Option<Vec<ArrayRef>> = texts.iter_mut().map(Texts::array).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(*rows));
            let batch =
                arrays.and_then(|arrays| RecordBatch::try_new_with_options(schema.clone(), arrays, &options).ok());
            *rows = 0;
            // Fields of valid text that are divided at ASCII characters are valid.
            batch.map_or_else(|| Err(DataError::file(&self.path, "it is not a text file")), |batch| take(&batch))
        };
        each(&self.text[block.clone()], self.dialect, |at, record| {
            self.check(block.start + at, record)?;
            for (texts, &c) in texts.iter_mut().zip(columns) {
                texts.bytes.extend_from_slice(&record[c]);
                let Ok(end) = i32::try_from(texts.bytes.len()) else {
                    return Err(DataError::file(&self.path, "its fields are too long"));
                };
                texts.ends.push(end);
            }
            rows += 1;
            if rows == ROWS { give(&mut texts, &mut rows) } else { Ok(()) }
        })?;
        if rows > 0 { give(&mut texts, &mut rows) } else { Ok(()) }
    }

    fn rows_within(&self, segment: &Segment) -> Option<usize> {
        let text = &self.text[self.blocks.get(segment.at)?.clone()];
        Some(self.line_ends.get(segment.at)? + usize::from(!text.ends_with('\n')))
    }

    fn read_rows(&self, segment: &Segment, take: TakeRow<'_>) -> Result<(), DataError> {
        let Some(block) = self.blocks.get(segment.at) else { return Ok(()) };
        each_text(&self.text[block.clone()], self.dialect, |at, record| {
            self.check(block.start + at, record.as_byte_record())?;
            Ok(take(Cells::new(record, &segment.columns)))
        })
    }

    fn line(&self, row: usize) -> (PathBuf, usize) {
        let mut left = row;
        let mut found = self.text.len();
        let _ = each(&self.text[self.start..], self.dialect, |at, _| {
            if left == 0 {
                found = self.start + at;
                return Err(());
            }
            left -= 1;
            Ok(())
        });
        (self.path.clone(), line_at(&self.text, found))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        notes.extend(self.encoding.map(|encoding| format!("the text is in {encoding}")));
        if self.dialect.comments > 0 {
            notes.push("the lines that begin with # before the rows are skipped".into());
        }
        if self.row_names {
            notes.push("the header does not name the first column, which names the rows".into());
        }
        if has_empty_rows(&self.text[self.start..], self.dialect.separator) {
            notes.push("rows of separators without any value are left out".into());
        }
        if self.header == First::Numbers {
            notes.push(
                "the first row, which counts up in equal steps, is the header (`data.header = false` makes it a sample)"
                    .into(),
            );
        }
        notes
    }
}
