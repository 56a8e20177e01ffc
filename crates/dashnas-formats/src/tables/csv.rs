//! Comma-separated values (RFC 4180; also with `;` and tabs).

use crate::error::{DataError, Location};
use crate::series::values::number;
use crate::tables::table::{Table, Values};
use crate::text::first_duplicate;
use std::ops::Range;
use std::path::Path;

/// A row: its line, from 1, and its fields.
pub type Row = (usize, Vec<String>);

/// Where the text of a field is.
enum Field {
    /// A range of bytes of the file.
    Plain(Range<usize>),
    /// The index of a field that was in quotes and is unescaped.
    Quoted(usize),
}

/// Calls `row` with the line and the fields of every row that is not blank.
pub(crate) fn rows(
    path: &Path,
    text: &str,
    mut row: impl FnMut(usize, &[&str]) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let separator = separator(text);
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1);
    let mut quoted: Vec<String> = Vec::new();
    while at < bytes.len() {
        let begin = line;
        let mut spans: Vec<Field> = Vec::new();
        quoted.clear();
        loop {
            let mut start = at;
            while bytes.get(start).is_some_and(|&b| b == b' ') {
                start += 1;
            }
            if bytes.get(start) == Some(&b'"') {
                let mut value = String::new();
                let mut from = start + 1;
                loop {
                    let Some(end) = text[from..].find('"').map(|i| from + i) else {
                        let reason = "a quoted field does not end";
                        return Err(DataError::at(path, Location::Cell(begin, (spans.len() + 1).to_string()), reason));
                    };
                    value.push_str(&text[from..end]);
                    from = end + 1;
                    if bytes.get(from) != Some(&b'"') {
                        break;
                    }
                    value.push('"');
                    from += 1;
                }
                line += value.matches('\n').count();
                at = from;
                while bytes.get(at).is_some_and(|&b| b != separator && b != b'\n') {
                    at += 1;
                }
                spans.push(Field::Quoted(quoted.len()));
                quoted.push(value);
            } else {
                while bytes.get(at).is_some_and(|&b| b != separator && b != b'\n') {
                    at += 1;
                }
                spans.push(Field::Plain(start.min(at)..at));
            }
            if bytes.get(at) != Some(&separator) {
                break;
            }
            at += 1;
        }
        at += 1;
        line += 1;
        let fields: Vec<&str> = spans
            .iter()
            .map(|span| match span {
                Field::Plain(range) => text[range.clone()].trim(),
                Field::Quoted(i) => quoted[*i].trim(),
            })
            .collect();
        if fields.len() > 1 || !fields[0].is_empty() {
            row(begin, &fields)?;
        }
    }
    Ok(())
}

/// Reads all rows, for small files.
///
/// # Errors
/// [`DataError::File`] if a quoted field does not end.
pub fn all(path: &Path, text: &str) -> Result<Vec<Row>, DataError> {
    let mut found = Vec::new();
    rows(path, text, |line, fields| {
        found.push((line, fields.iter().map(|f| (*f).to_owned()).collect()));
        Ok(())
    })?;
    Ok(found)
}

/// Chooses the separator that occurs most often in the first line.
fn separator(text: &str) -> u8 {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let count = |&b: &u8| first.bytes().filter(|&c| c == b).count();
    [b',', b'\t', b';'].into_iter().rev().max_by_key(count).filter(|b| count(b) > 0).unwrap_or(b',')
}

/// Names of columns of labels, sequences and the like; a first row with one of them is a header.
const HEADER_WORDS: [&str; 14] = [
    "label", "labels", "class", "target", "y", "category", "sequence", "seq", "id", "name", "file", "filename",
    "group", "split",
];

/// Reads the text of a file as a table. Whether the first row is a header is guessed unless `header` says it.
///
/// # Errors
/// [`DataError::File`] if rows differ in their number of fields, or two columns have one name.
pub fn table(path: &Path, text: &str, header: Option<bool>) -> Result<Table, DataError> {
    let mut first: Option<Row> = None;
    let mut second: Option<Row> = None;
    // The first pass finds the width and which columns are numbers.
    let mut numeric: Vec<bool> = Vec::new();
    let mut count = 0usize;
    rows(path, text, |line, fields| {
        let owned = || (line, fields.iter().map(|f| (*f).to_owned()).collect());
        count += 1;
        match count {
            1 => {
                first = Some(owned());
                numeric = vec![true; fields.len()];
                return Ok(());
            }
            2 => second = Some(owned()),
            _ => {}
        }
        if fields.len() != numeric.len() {
            let reason = format!("this row has {} fields, the first has {}", fields.len(), numeric.len());
            return Err(DataError::at(path, Location::Line(line), reason)
                .with_hint("every row needs the same fields; quote fields that hold a comma"));
        }
        for (numeric, field) in numeric.iter_mut().zip(fields) {
            *numeric = *numeric && number(field).is_some();
        }
        Ok(())
    })?;
    let Some((_, first)) = first else { return Err(DataError::file(path, "it holds no rows")) };
    let header = header.unwrap_or_else(|| {
        let word = |f: &String| HEADER_WORDS.contains(&f.to_ascii_lowercase().as_str());
        let over_numbers = second
            .as_ref()
            .is_some_and(|_| first.iter().zip(&numeric).any(|(f, &numeric)| numeric && number(f).is_none()));
        over_numbers || first.iter().any(word)
    });
    if !header {
        for (numeric, field) in numeric.iter_mut().zip(&first) {
            *numeric = *numeric && number(field).is_some();
        }
    } else if let Some((i, j)) = first_duplicate(&first) {
        let reason = format!("columns {} and {} are both named `{}`", i + 1, j + 1, first[j]);
        let hint = match number(&first[j]) {
            Some(_) => "if the first row is data and not a header, set `data.header = false`",
            None => "give every column its own name",
        };
        return Err(DataError::at(path, Location::Line(1), reason).with_hint(hint));
    }
    let names = (0..first.len()).map(|i| if header { first[i].clone() } else { format!("{}", i + 1) });
    let empty = |&numeric: &bool| if numeric { Values::Numbers(Vec::new()) } else { Values::Text(Vec::new()) };
    let columns = names.zip(numeric.iter().map(empty)).collect();
    let mut table = Table { path: path.into(), columns, named: header, lines: Vec::new(), stored: None };
    let mut skip = header;
    rows(path, text, |line, fields| {
        if std::mem::take(&mut skip) {
            return Ok(());
        }
        table.lines.push(line as u32);
        for ((_, values), field) in table.columns.iter_mut().zip(fields) {
            match values {
                // The first pass has seen that every field is a number.
                Values::Numbers(v) => v.push(number(field).unwrap_or(f32::NAN)),
                Values::Text(v) => v.push((*field).to_owned()),
                // A table of text is in memory as a whole.
                Values::Stored(_) => {}
            }
        }
        Ok(())
    })?;
    if table.lines.is_empty() {
        return Err(DataError::file(path, "it holds a header but no rows"));
    }
    Ok(table)
}
