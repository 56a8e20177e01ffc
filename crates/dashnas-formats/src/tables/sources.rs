//! Opens a table by the extension of its file.

use crate::error::DataError;
use crate::naming::extension;
use crate::options::ReadOptions;
use crate::tables::batches::Batches;
use crate::tables::csv::source::CsvFile;
use crate::tables::ipc::IpcFile;
use crate::tables::json_lines::JsonLines;
use crate::tables::parquet::ParquetFile;
use std::path::Path;
use std::sync::Arc;

/// Extensions of Parquet files.
pub(crate) const PARQUET: &[&str] = &["parquet", "pq"];
/// Extensions of Arrow files and streams.
pub(crate) const ARROW: &[&str] = &["arrow", "feather", "ipc"];
/// Extensions of JSON lines.
pub(crate) const JSON_LINES: &[&str] = &["jsonl", "ndjson"];
/// Extensions of separated values.
pub(crate) const CSV: &[&str] = &["csv", "tsv", "txt"];

/// Returns whether a file is a table, by its extension.
pub(crate) fn is_table(path: &Path) -> bool {
    [PARQUET, ARROW, JSON_LINES, CSV].iter().any(|known| known.contains(&extension(path).as_str()))
}

/// The name of the format of a table, for people.
pub(crate) fn format(path: &Path) -> &'static str {
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
