//! Recordings of physiological signals: WFDB records (PhysioNet) and EDF and BDF files.

pub(crate) mod annotations;
mod edf;
pub(crate) mod edf_annotations;
mod edf_header;
mod recording;
mod tal;
mod wfdb;
mod wfdb_samples;

use crate::error::DataError;
use crate::naming::extension;
use crate::options::ReadOptions;
pub(crate) use crate::records::recording::{Recording, align};
use std::path::Path;

/// Returns whether a file is a recording, or the header of one, by its extension.
pub(crate) fn is_record(path: &Path) -> bool {
    matches!(extension(path).as_str(), "hea" | "edf" | "bdf")
}

/// Returns whether a file belongs to a recording: to the signals or the annotations of a record.
pub(crate) fn belongs_to_record(path: &Path) -> bool {
    matches!(extension(path).as_str(), "dat" | "atr" | "qrs" | "mat") || is_record(path)
}

/// Returns the files that are parts of multi-segment records: their headers are no records of their own.
///
/// # Errors
/// [`DataError`] with the header that cannot be read.
pub(crate) fn segments(path: &Path) -> Result<Vec<std::path::PathBuf>, DataError> {
    if extension(path) == "hea" { wfdb::segments(path) } else { Ok(Vec::new()) }
}

/// Returns the label in the header of a recording.
///
/// # Errors
/// [`DataError`] with the header that cannot be read.
pub(crate) fn label(path: &Path) -> Result<Option<String>, DataError> {
    if extension(path) == "hea" { wfdb::label(path) } else { Ok(None) }
}

/// Reads a recording.
///
/// # Errors
/// [`DataError`] with the file and the line.
pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Recording, DataError> {
    if extension(path) == "hea" { wfdb::read(path, options) } else { edf::read(path, options) }
}
