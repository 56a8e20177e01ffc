//! The rows of separated values.

use crate::error::{DataError, Location};
use crate::tables::csv::dialect::Dialect;
use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord};
use std::path::Path;

/// A row: its line, from 1, and its fields.
pub type Row = (usize, Vec<String>);

fn reader(text: &str, dialect: Dialect) -> Reader<&[u8]> {
    ReaderBuilder::new()
        .delimiter(dialect.separator)
        .quote(dialect.quote.unwrap_or(b'"'))
        .quoting(dialect.quote.is_some())
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(text.as_bytes())
}

/// As [`each`], with the fields as texts; `row` returns whether it wants more rows.
pub(crate) fn each_text<E>(
    text: &str,
    dialect: Dialect,
    mut row: impl FnMut(usize, &StringRecord) -> Result<bool, E>,
) -> Result<(), E> {
    let mut reader = reader(text, dialect);
    let mut record = StringRecord::new();
    // Reading from memory cannot fail, and parts of a text that are divided at ASCII characters are texts.
    while let Ok(true) = reader.read_record(&mut record) {
        if !is_blank(record.as_byte_record()) {
            let at = record.position().map_or(0, |p| p.byte() as usize);
            if !row(at, &record)? {
                break;
            }
        }
    }
    Ok(())
}

/// Goes through the rows of a text that are not blank, that is, that have a field that is not empty: calls `row` with the
/// position of the row in the text and its fields.
pub(crate) fn each<E>(
    text: &str,
    dialect: Dialect,
    mut row: impl FnMut(usize, &ByteRecord) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = reader(text, dialect);
    let mut record = ByteRecord::new();
    // Reading from memory cannot fail, and rows may differ in their number of fields.
    while let Ok(true) = reader.read_byte_record(&mut record) {
        if !is_blank(&record) {
            let at = record.position().map_or(0, |p| p.byte() as usize);
            row(at, &record)?;
        }
    }
    Ok(())
}

/// Returns whether a row has nothing but empty fields.
fn is_blank(record: &ByteRecord) -> bool {
    // Most rows are told by their first field.
    record.iter().all(|field| field.trim_ascii().is_empty())
}

/// The line of a position in a text, from 1.
pub(crate) fn line_at(text: &str, at: usize) -> usize {
    // The position of a row may be that of the line ends before it.
    let skipped = text.as_bytes()[at.min(text.len())..].iter().take_while(|b| matches!(b, b'\n' | b'\r')).count();
    let before = &text.as_bytes()[..(at + skipped).min(text.len())];
    let lines = before.iter().filter(|&&b| b == b'\n').count();
    // A file with the line ends of old Macs has no others.
    if lines == 0 { before.iter().filter(|&&b| b == b'\r').count() + 1 } else { lines + 1 }
}

/// Returns where a quoted field begins that does not end, if there is one.
pub(crate) fn open_quote(text: &str, dialect: Dialect) -> Option<usize> {
    let quote = dialect.quote?;
    let bytes = text.as_bytes();
    memchr::memchr(quote, bytes)?;
    let mut open = None;
    let mut start = true;
    let mut i = 0;
    while i < bytes.len() {
        let b = bytes[i];
        match open {
            Some(_) if b == quote && bytes.get(i + 1) == Some(&quote) => i += 1,
            Some(_) if b == quote => open = None,
            Some(_) => {}
            None if b == quote && start => open = Some(i),
            None => {}
        }
        start = open.is_none() && (b == dialect.separator || b == b'\n' || b == b'\r');
        i += 1;
    }
    open
}

/// Removes the spaces between a separator and the quote that begins a field; `None` if there are none.
pub(crate) fn without_spaces_before_quotes(text: &str, dialect: Dialect) -> Option<String> {
    let quote = dialect.quote?;
    let bytes = text.as_bytes();
    let is_spaced = |i: usize| {
        let before = bytes[..i].trim_ascii_end().len();
        bytes[..i].ends_with(b" ") && (before == 0 || bytes[before - 1] == dialect.separator)
    };
    if !memchr::memchr_iter(quote, bytes).any(is_spaced) {
        return None;
    }
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let (mut quoted, mut start) = (false, 0);
    for &b in bytes {
        if quoted {
            quoted = b != quote;
        } else if b == quote && out[start..].trim_ascii().is_empty() {
            out.truncate(start);
            quoted = true;
        } else if b == quote && out.last() == Some(&quote) {
            // The second of two quotes that stand for one.
            quoted = true;
        }
        out.push(b);
        if !quoted && (b == dialect.separator || b == b'\n' || b == b'\r') {
            start = out.len();
        }
    }
    String::from_utf8(out).ok()
}

/// Reads all rows, for small files.
///
/// # Errors
/// [`DataError::File`] if a quoted field does not end.
pub fn all(path: &Path, text: &str) -> Result<Vec<Row>, DataError> {
    let dialect = Dialect::of(text);
    let tight = without_spaces_before_quotes(text, dialect);
    let text = tight.as_deref().unwrap_or(text);
    let dialect = Dialect::of(text);
    let body = &text[dialect.start..];
    if let Some(at) = open_quote(body, dialect) {
        return Err(unended(path, text, dialect.start + at, dialect));
    }
    let mut found = Vec::new();
    each(body, dialect, |at, record| {
        let fields = record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
        found.push((line_at(text, dialect.start + at), fields));
        Ok::<(), DataError>(())
    })?;
    Ok(found)
}

/// The fields of the first row of a text, if there is one.
pub(crate) fn first(text: &str) -> Vec<String> {
    let dialect = Dialect::of(text);
    let tight = without_spaces_before_quotes(text, dialect);
    let text = tight.as_deref().unwrap_or(text);
    let dialect = Dialect::of(text);
    let mut first = Vec::new();
    // The first row ends the reading.
    let _ = each(&text[dialect.start..], dialect, |_, record| {
        first = record.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
        Err(())
    });
    first
}

/// The error for a quoted field that does not end.
pub(crate) fn unended(path: &Path, text: &str, at: usize, dialect: Dialect) -> DataError {
    let begin = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let column = text.as_bytes()[begin..at].iter().filter(|&&b| b == dialect.separator).count() + 1;
    DataError::at(path, Location::Cell(line_at(text, at), column.to_string()), "a quoted field does not end")
}
