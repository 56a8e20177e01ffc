//! Errors of predictions that cannot be written.

use std::path::PathBuf;

/// The reasons for which predictions cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// The file has an extension of no format.
    #[error("{} has an unsupported extension: predictions are written to .npy, .csv or .parquet files", path.display())]
    Extension {
        /// The file asked for.
        path: PathBuf,
    },
    /// A field has too many points for a table.
    #[error("a table of these predictions would have {columns} columns, more than {limit}")]
    TooWide {
        /// The number of values for each sample.
        columns: usize,
        /// The maximum number of columns.
        limit: usize,
    },
    /// A table cannot be written as Parquet.
    #[error("the table cannot be written as Parquet: {reason}")]
    Parquet {
        /// What the writer says.
        reason: String,
    },
}

impl OutputError {
    /// Returns advice for the user, if there is some.
    pub fn hint(&self) -> Option<String> {
        match self {
            OutputError::Extension { .. } | OutputError::Parquet { .. } => None,
            OutputError::TooWide { .. } => Some("write fields to an .npy file".into()),
        }
    }
}
