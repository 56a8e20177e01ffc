//! Files of predictions.

use crate::artifact::card::ModelCard;
use crate::error::ModelError;
use crate::error::OutputError;
use crate::predict::columns::csv;
use crate::predict::parquet::parquet;
use crate::predict::prediction::Prediction;
use crate::predict::table::table;
use dashnas_core::files::{FileError, write_atomic};
use std::path::Path;

/// File formats of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// NumPy: the probabilities, values or fields as one array.
    Npy,
    /// A table with a header, as comma-separated values.
    Csv,
    /// The same table in Apache Parquet.
    Parquet,
}

impl OutputFormat {
    /// Chooses the format by the extension of a file.
    ///
    /// # Errors
    /// [`OutputError::Extension`] if the extension is none of `npy`, `csv` and `parquet`.
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
    /// Writes the predictions to a `.npy`, `.csv` or `.parquet` file, atomically. See
    /// [`table`] for the columns.
    ///
    /// # Errors
    /// [`ModelError::Output`] for another extension, a field too large for a table, or a table that Parquet cannot hold, [`ModelError::File`] if the file
    /// cannot be written.
    pub fn write(&self, card: &ModelCard, path: &Path) -> Result<(), ModelError> {
        let bytes = match OutputFormat::of(path)? {
            OutputFormat::Npy => npy(self),
            OutputFormat::Csv => csv(&table(self, card)?).into_bytes(),
            OutputFormat::Parquet => parquet(&table(self, card)?)?,
        };
        Ok(write_atomic(path, &bytes).map_err(|e| FileError::io("write", path, e))?)
    }
}

fn npy(prediction: &Prediction) -> Vec<u8> {
    let array = &prediction.values;
    let mut bytes = Vec::with_capacity(128 + 4 * array.data.len());
    let (dtype, elements): (_, Vec<u8>) = match prediction.doubles() {
        Some(values) => ("<f8", values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        None => ("<f4", array.data.iter().flat_map(|v| v.to_le_bytes()).collect()),
    };
    // Writing to a vector does not fail.
    dashnas_formats::npy::write(&mut bytes, dtype, &array.shape, &elements).expect("a small header in memory");
    bytes
}
