//! A file of labels beside the files that it is about.

use super::csv;
use crate::data::raw::Role;
use crate::data::{DataError, Place, ReadOptions};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What the labels file says of one file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub path: PathBuf,
    pub label: String,
    pub role: Option<Role>,
    pub group: Option<String>,
}

const FILES: [&str; 12] =
    ["file", "filename", "file_name", "fname", "path", "name", "image", "clip", "id", "recording", "record", "audio"];
const LABELS: [&str; 8] = ["label", "labels", "class", "category", "target", "y", "class_id", "tag"];

/// The file of labels in a folder, if one looks like it: named so, or the only table there.
pub(crate) fn find(files: &[PathBuf]) -> Option<&PathBuf> {
    let tables: Vec<&PathBuf> =
        files.iter().filter(|p| matches!(super::extension(p).as_str(), "csv" | "tsv" | "txt")).collect();
    let stem = |p: &Path| p.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_ascii_lowercase();
    let named =
        |p: &&&PathBuf| ["label", "reference", "meta", "ground_truth", "target"].iter().any(|w| stem(p).contains(w));
    let csvs: Vec<&&PathBuf> = tables.iter().filter(|p| super::extension(p) != "txt").collect();
    tables.iter().find(named).copied().or(match csvs[..] {
        [one] => Some(*one),
        _ => None,
    })
}

/// Reads the file of labels; `files` are those that it may be about.
///
/// # Errors
/// A row that names a file that is not there, or one that was named before, with its line.
pub(crate) fn read(path: &Path, files: &[PathBuf], options: &ReadOptions) -> Result<Vec<Entry>, DataError> {
    let rows = csv::all(path, &super::text(path, options.max_bytes)?)?;
    let Some((_, first)) = rows.first() else { return Err(DataError::file(path, "it holds no rows")) };
    let width = first.len();
    let mut by_name: HashMap<String, &PathBuf> = HashMap::new();
    for file in files {
        let name = file.file_name().and_then(|n| n.to_str()).unwrap_or("");
        by_name.insert(name.to_ascii_lowercase(), file);
        if let Some(stem) = file.file_stem().and_then(|n| n.to_str()) {
            by_name.insert(stem.to_ascii_lowercase(), file);
        }
    }
    let find = |value: &str| {
        let name = value.rsplit(['/', '\\']).next().unwrap_or(value).to_ascii_lowercase();
        by_name.get(&name).copied()
    };
    let header = options.header.unwrap_or_else(|| {
        let known = |f: &String| {
            let f = f.to_ascii_lowercase();
            FILES.contains(&f.as_str()) || LABELS.contains(&f.as_str())
        };
        first.iter().any(known) && !first.iter().any(|f| find(f).is_some())
    });
    if let (true, Some((i, j))) = (header, csv::duplicate(first)) {
        let reason = format!("columns {} and {} are both named `{}`", i + 1, j + 1, first[j]);
        return Err(DataError::at(path, Place::Line(1), reason));
    }
    let named = |known: &[&str]| first.iter().position(|f| header && known.contains(&f.to_ascii_lowercase().as_str()));
    let wanted = |option: &Option<String>, what: &str| -> Result<Option<usize>, DataError> {
        let Some(wanted) = option else { return Ok(None) };
        let position = wanted.parse::<i64>().ok().filter(|i| (-(width as i64)..width as i64).contains(i));
        let found = first.iter().position(|f| header && f == wanted);
        match found.or(position.map(|i| i.rem_euclid(width as i64) as usize)) {
            Some(i) => Ok(Some(i)),
            None => Err(DataError::file(path, format!("there is no {what} column `{wanted}`"))),
        }
    };
    let file_column = named(&FILES).unwrap_or(0);
    let label_column = wanted(&options.targets, "label")?
        .or(named(&LABELS))
        .unwrap_or(if width > 1 && file_column == width - 1 { 0 } else { width - 1 });
    let group_column = wanted(&options.group, "group")?;
    let split_column = named(&["split", "set", "subset", "partition"]);
    if width < 2 || label_column == file_column {
        return Err(DataError::file(path, "a file of labels needs a column of file names and a column of labels"));
    }
    let mut seen = HashMap::new();
    let mut entries = Vec::new();
    for (line, row) in rows.iter().skip(usize::from(header)) {
        let cell = |c: usize| row.get(c).map(String::as_str).unwrap_or("");
        if row.len() != width {
            let reason = format!("this row has {} fields, the first has {width}", row.len());
            return Err(DataError::at(path, Place::Line(*line), reason));
        }
        let Some(file) = find(cell(file_column)) else {
            let reason = format!("it names `{}`, but there is no such file beside it", cell(file_column));
            return Err(DataError::at(path, Place::Line(*line), reason).with_hint("remove the row, or get the file"));
        };
        if let Some(before) = seen.insert(file, line) {
            let reason = format!("it names `{}` again (line {before})", cell(file_column));
            return Err(DataError::at(path, Place::Line(*line), reason));
        }
        if cell(label_column).is_empty() {
            return Err(DataError::at(
                path,
                Place::Cell(*line, (label_column + 1).to_string()),
                "the label is missing",
            ));
        }
        entries.push(Entry {
            path: file.clone(),
            label: cell(label_column).to_owned(),
            role: split_column.and_then(|c| Role::of_word(cell(c))),
            group: group_column.map(|c| cell(c).to_owned()),
        });
    }
    if entries.is_empty() {
        return Err(DataError::file(path, "it holds no rows but the header"));
    }
    Ok(entries)
}
