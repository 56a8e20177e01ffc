//! Opens a table by the extension of its file.

use crate::error::DataError;
use crate::found::UnassembledData;
use crate::naming::{extension, role_of};
use crate::options::ReadOptions;
use crate::role::Role;
use crate::tables::batches::Batches;
use crate::tables::csv::source::CsvFile;
use crate::tables::ipc::IpcFile;
use crate::tables::json_lines::JsonLines;
use crate::tables::load::load;
use crate::tables::parquet::ParquetFile;
use crate::tables::parts::Parts;
use crate::tables::read::{read, read_tables};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Extensions of Parquet files.
pub(crate) const PARQUET: &[&str] = &["parquet", "pq"];
/// Extensions of Arrow files and streams.
pub(crate) const ARROW: &[&str] = &["arrow", "feather", "ipc"];
/// Extensions of JSON lines.
pub(crate) const JSON_LINES: &[&str] = &["jsonl", "ndjson"];
/// Extensions of separated values.
pub(crate) const CSV: &[&str] = &["csv", "tsv", "txt"];

/// The name of the format of a table, for people.
fn format(path: &Path) -> &'static str {
    match extension(path).as_str() {
        e if PARQUET.contains(&e) => "Parquet table, one sample a row",
        e if ARROW.contains(&e) => "Arrow table, one sample a row",
        e if JSON_LINES.contains(&e) => "JSON lines, one sample a line",
        _ => "table of comma-separated values, one sample a row",
    }
}

/// Opens the table in a file.
///
/// # Errors
/// [`DataError`] if it cannot be read.
pub(crate) fn open(path: &Path, options: &ReadOptions) -> Result<Arc<dyn Batches>, DataError> {
    Ok(match extension(path).as_str() {
        e if PARQUET.contains(&e) => Arc::new(ParquetFile::open(path, options)?),
        e if ARROW.contains(&e) => Arc::new(IpcFile::open(path, options)?),
        e if JSON_LINES.contains(&e) => Arc::new(JsonLines::open(path, options)?),
        _ => Arc::new(CsvFile::open(path, options)?),
    })
}

/// Reads a table and the tables of other splits beside it.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read_file(path: &Path, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    read(path, format(path), options, labeled, &|path| open(path, options))
}

/// Reads files of the same columns as one table; `None` if their columns differ. Files whose names name splits belong to
/// these.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read_parts(
    folder: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    labeled: bool,
) -> Result<Option<UnassembledData>, DataError> {
    let mut splits: BTreeMap<Role, Vec<Arc<dyn Batches>>> = BTreeMap::new();
    let mut first: Option<Arc<dyn Batches>> = None;
    for file in files {
        let source = open(file, options)?;
        let one = first.get_or_insert_with(|| source.clone());
        // Test samples may come without labels.
        if Parts::join(vec![one.clone(), source.clone()]).is_none() && role_of(file) != Some(Role::Test) {
            return Ok(None);
        }
        splits.entry(role_of(file).unwrap_or(Role::All)).or_default().push(source);
    }
    if splits.len() > 1 && splits.contains_key(&Role::All) {
        // It is not clear where the files without a word for a split belong.
        return Ok(None);
    }
    let mut tables = Vec::new();
    for (role, sources) in splits {
        let Some(parts) = Parts::join(sources) else { return Ok(None) };
        tables.push((role, load(folder, Arc::new(parts), options)?));
    }
    if !labeled && tables.iter().any(|(role, _)| *role == Role::Test) {
        tables.retain(|(role, _)| *role == Role::Test);
    }
    let format = files.first().map_or("", |file| format(file));
    let mut raw = read_tables(tables, format, options, labeled)?;
    raw.files = files.iter().map(|file| file.display().to_string()).collect();
    Ok(Some(raw))
}
