//! A table of the labels of the files beside it.

use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::role::Role;
use crate::tables::{csv, names};
use crate::text::first_duplicate;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The label of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelEntry {
    /// The file.
    pub path: PathBuf,
    /// Its label.
    pub label: String,
    /// Its split, if the table has a column of splits.
    pub role: Option<Role>,
    /// Its group, if the table has a column of groups.
    pub group: Option<String>,
}

/// Names of columns of files.
const FILES: [&str; 12] =
    ["file", "filename", "file_name", "fname", "path", "name", "image", "clip", "id", "recording", "record", "audio"];
/// What is wrong with a file of labels without one of its columns.
const NO_COLUMNS: &str = "a file of labels needs a column of file names and a column of labels";
/// Names of columns of labels.
const LABELS: [&str; 8] = ["label", "labels", "class", "category", "target", "y", "class_id", "tag"];

/// Finds the file of labels among the files of a folder: by its name, or as the only table.
pub(crate) fn find(files: &[PathBuf]) -> Option<&PathBuf> {
    let tables: Vec<&PathBuf> =
        files.iter().filter(|p| matches!(crate::naming::extension(p).as_str(), "csv" | "tsv" | "txt")).collect();
    let stem = |p: &Path| p.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_ascii_lowercase();
    let named =
        |p: &&&PathBuf| ["label", "reference", "meta", "ground_truth", "target"].iter().any(|w| stem(p).contains(w));
    let csvs: Vec<&&PathBuf> = tables.iter().filter(|p| crate::naming::extension(p) != "txt").collect();
    tables.iter().find(named).copied().or(match csvs[..] {
        [one] => Some(*one),
        _ => None,
    })
}

/// Files by the names that a table may give them: with or without the extension, and with as many of their folders as
/// the table gives. Upper and lower case are the same.
struct Names<'a>(HashMap<String, Vec<&'a PathBuf>>);

/// Splits a path into the names of its folders and file, in lower case.
fn components(path: &str) -> Vec<String> {
    path.split(['/', '\\']).filter(|name| !matches!(*name, "" | ".")).map(str::to_lowercase).collect()
}

impl<'a> Names<'a> {
    fn of(files: &'a [PathBuf]) -> Self {
        let mut names: HashMap<String, Vec<&PathBuf>> = HashMap::new();
        for file in files {
            let name = |n: Option<&std::ffi::OsStr>| n.and_then(|n| n.to_str()).unwrap_or("").to_lowercase();
            let (full, stem) = (name(file.file_name()), name(file.file_stem()));
            if stem != full {
                names.entry(stem).or_default().push(file);
            }
            names.entry(full).or_default().push(file);
        }
        Self(names)
    }

    /// Returns the files that a name in the table could mean.
    fn find(&self, value: &str) -> Vec<&'a PathBuf> {
        let wanted = components(value);
        let found = wanted.last().and_then(|name| self.0.get(name)).map_or(&[][..], Vec::as_slice);
        if found.len() < 2 {
            return found.to_vec();
        }
        // The folders tell which it is, and a name with its extension goes before one without.
        let inside = |file: &&&PathBuf| {
            let folders = file.parent().and_then(Path::to_str).map(components).unwrap_or_default();
            folders.ends_with(&wanted[..wanted.len() - 1])
        };
        let inside: Vec<&PathBuf> = found.iter().filter(inside).copied().collect();
        let has_full_name = |file: &&PathBuf| {
            let name = file.file_name().and_then(|n| n.to_str()).unwrap_or("").to_lowercase();
            wanted.last() == Some(&name)
        };
        let exact: Vec<&PathBuf> = inside.iter().copied().filter(has_full_name).collect();
        if exact.is_empty() { inside } else { exact }
    }
}

/// Returns whether a table is one of files: whether most of its rows name one of them.
///
/// # Errors
/// [`DataError`] if the table cannot be read.
pub(crate) fn names_files(path: &Path, files: &[PathBuf], options: &ReadOptions) -> Result<bool, DataError> {
    let names = Names::of(files);
    let rows = csv::all(path, &crate::bytes::text(path, options.max_bytes)?)?;
    // A number, such as that of a class, may be the name of a file without its extension.
    let is_name = |cell: &String| match names.find(cell).len() {
        0 => false,
        1 => true,
        _ => cell.contains(['.', '/', '\\']),
    };
    let named = rows.iter().filter(|(_, row)| row.len() > 1 && row.iter().any(is_name)).count();
    Ok(named * 2 > rows.len())
}

/// Reads the file of labels; `files` are those that it may name.
///
/// # Errors
/// [`DataError::File`] with the line of a row that names a file that is not there, or one that is named twice.
pub fn read(path: &Path, files: &[PathBuf], options: &ReadOptions) -> Result<Vec<LabelEntry>, DataError> {
    let rows = csv::all(path, &csv::encoding::text(path, options.max_bytes)?.text)?;
    let Some((_, first)) = rows.first() else { return Err(DataError::file(path, "it holds no rows")) };
    let width = first.len();
    let names = Names::of(files);
    let header = options.header.unwrap_or_else(|| {
        let known = |f: &String| {
            let f = f.to_ascii_lowercase();
            FILES.contains(&f.as_str()) || LABELS.contains(&f.as_str())
        };
        first.iter().any(known) && !first.iter().any(|f| !names.find(f).is_empty())
    });
    if let (true, Some((i, j))) = (header, first_duplicate(first)) {
        let reason = format!("columns {} and {} are both named `{}`", i + 1, j + 1, first[j]);
        return Err(DataError::at(path, Location::Line(1), reason));
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
    let all = |known: fn(&str) -> bool| -> Vec<usize> {
        (0..width).filter(|&c| header && c != file_column && known(&first[c])).collect()
    };
    // Folds are numbers.
    let split_column = all(|name| names::names_splits(name) && !name.eq_ignore_ascii_case("fold")).first().copied();
    let group_column = wanted(&options.group, "group")?.or(all(names::names_groups).first().copied());
    let is_label = |name: &str| names::names_labels(name) || LABELS.contains(&name.to_ascii_lowercase().as_str());
    let asked = wanted(&options.targets, "label")?;
    let mut by_name = all(is_label);
    let told = asked.is_some() || by_name.len() == 1;
    if by_name.is_empty() {
        by_name =
            (0..width).filter(|&c| c != file_column && ![split_column, group_column].contains(&Some(c))).collect();
    }
    let label_column = label_column(path, header.then_some(first), asked, &by_name)?;
    if label_column == file_column {
        return Err(DataError::file(path, NO_COLUMNS));
    }
    let mut seen = HashMap::new();
    let mut entries = Vec::new();
    for (line, row) in rows.iter().skip(usize::from(header)) {
        let cell = |c: usize| row.get(c).map(String::as_str).unwrap_or("");
        if row.len() != width {
            let reason = format!("this row has {} fields, the first has {width}", row.len());
            return Err(DataError::at(path, Location::Line(*line), reason));
        }
        let file = match names.find(cell(file_column))[..] {
            [file] => file,
            [] => {
                let reason = format!("it names `{}`, but there is no such file beside it", cell(file_column));
                let hint = "remove the row, or get the file";
                return Err(DataError::at(path, Location::Line(*line), reason).with_hint(hint));
            }
            [one, other, ..] => {
                let (name, one, other) = (cell(file_column), one.display(), other.display());
                let reason = format!("it names `{name}`, which matches both {one} and {other}");
                let hint = "name files with their folders and their extensions, such as folder/file.png";
                return Err(DataError::at(path, Location::Line(*line), reason).with_hint(hint));
            }
        };
        if let Some(before) = seen.insert(file, line) {
            let reason = format!("it names `{}` again (line {before})", cell(file_column));
            return Err(DataError::at(path, Location::Line(*line), reason));
        }
        if cell(label_column).is_empty() {
            return Err(DataError::at(
                path,
                Location::Cell(*line, (label_column + 1).to_string()),
                "the label is missing",
            ));
        }
        let role = split_column.map(|c| split_of(path, (*line, c), &first[c], cell(c))).transpose()?;
        entries.push(LabelEntry {
            path: file.clone(),
            label: cell(label_column).to_owned(),
            role,
            group: group_column.map(|c| cell(c).to_owned()),
        });
    }
    if entries.is_empty() {
        return Err(DataError::file(path, "it holds no rows but the header"));
    }
    if !told {
        check_folders(path, &entries)?;
    }
    Ok(entries)
}

/// The column of labels: the one that was asked for, or the only one that can be it.
fn label_column(
    path: &Path,
    names: Option<&Vec<String>>,
    asked: Option<usize>,
    possible: &[usize],
) -> Result<usize, DataError> {
    match (asked, possible) {
        (Some(column), _) | (None, &[column]) => Ok(column),
        (None, []) => Err(DataError::file(path, NO_COLUMNS)),
        (None, several) => {
            let name = |&c: &usize| names.map_or_else(|| (c + 1).to_string(), |names| format!("`{}`", names[c]));
            let columns: Vec<String> = several.iter().map(name).collect();
            let reason = format!("it is not clear which column holds the labels: {}", columns.join(", "));
            Err(DataError::file(path, reason)
                .with_hint("name the column in `data.targets`, or give its position, from 0 (-1: the last)"))
        }
    }
}

/// The split of a row. A row with another word would be in no split.
fn split_of(path: &Path, (line, column): (usize, usize), name: &str, word: &str) -> Result<Role, DataError> {
    Role::of_word(word).ok_or_else(|| {
        let place = Location::Cell(line, (column + 1).to_string());
        DataError::at(path, place, format!("`{word}` in column `{name}` names no split"))
            .with_hint("name splits train, val and test, or rename the column if it holds no splits")
    })
}

/// Refuses labels from a column that is not named as labels, if the files lie in folders that are more likely their
/// classes.
fn check_folders(path: &Path, entries: &[LabelEntry]) -> Result<(), DataError> {
    let folder = |entry: &LabelEntry| Some(entry.path.parent()?.file_name()?.to_str()?.to_owned());
    let folders: BTreeSet<String> = entries.iter().filter_map(folder).collect();
    if folders.len() < 2 || folders.iter().any(|name| Role::of_word(name).is_some()) {
        return Ok(());
    }
    let named: Vec<String> = folders.iter().take(3).map(|name| format!("`{name}`")).collect();
    let reason =
        format!("it may hold the labels, but the files lie in folders that may be their classes: {}", named.join(", "));
    Err(DataError::file(path, reason).with_hint(
        "name the column of labels in `data.targets`, or move this file away if the folders are the classes",
    ))
}
