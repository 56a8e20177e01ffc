//! Predictions in files.

use super::{OutputError, Prediction, parquet::parquet, table};
use crate::data::Array;
use crate::error::Error;
use crate::model::ModelCard;
use crate::run_dir::write_atomic;
use std::path::Path;

/// File formats of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// NumPy: the probabilities, values or fields as one array.
    Npy,
    /// A table with a header.
    Csv,
    /// The same table in Apache Parquet.
    Parquet,
}

impl OutputFormat {
    /// The format that a file's name asks for.
    ///
    /// # Errors
    /// [`OutputError::Extension`] if none.
    pub fn of(path: &Path) -> Result<Self, OutputError> {
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("csv") => Ok(Self::Csv),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(OutputError::Extension { path: path.into() }),
        }
    }
}

impl Prediction {
    /// Writes the predictions to a `.npy`, `.csv` or `.parquet` file, whole or not at all. See
    /// [`table::table`] for the columns.
    ///
    /// # Errors
    /// [`Error::Output`] for another extension or a field too large for a table, [`Error::Io`] if the file cannot
    /// be written.
    pub fn write(&self, card: &ModelCard, path: &Path) -> Result<(), Error> {
        let bytes = match OutputFormat::of(path)? {
            OutputFormat::Npy => npy(&self.values),
            OutputFormat::Csv => table::csv(&table::table(self, card)?).into_bytes(),
            OutputFormat::Parquet => parquet(&table::table(self, card)?),
        };
        write_atomic(path, &bytes).map_err(|e| Error::io("write", path, e))
    }
}

fn npy(array: &Array) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128 + 4 * array.data.len());
    let elements: Vec<u8> = array.data.iter().flat_map(|v| v.to_le_bytes()).collect();
    // A vector takes every byte, and four axes are few.
    crate::data::npy::write(&mut bytes, "<f4", &array.shape, &elements).expect("a small header in memory");
    bytes
}
