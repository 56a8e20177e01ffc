//! The errors of networks, models and their files.

use crate::error::export::ExportError;
use crate::error::input::InputError;
use crate::error::output::OutputError;
use dashnas_core::files::FileError;
use dashnas_formats::error::DataError;
use std::path::PathBuf;

/// A failure to build, read, write, run or export a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The architecture does not fit the backbone.
    #[error("the architecture does not fit the backbone: {reason}")]
    Architecture {
        /// The mismatch, as a clause.
        reason: String,
    },
    /// The parts of a model do not fit together.
    #[error("the model is inconsistent: {reason}")]
    Inconsistent {
        /// The mismatch, as a clause.
        reason: String,
    },
    /// The run directory has no trained model.
    #[error("{} has no {file}: its model is not trained yet", path.display())]
    Untrained {
        /// The run directory.
        path: PathBuf,
        /// The name of the model file.
        file: &'static str,
    },
    /// The directory has neither a model nor a run.
    #[error("{} is not a run directory: it has no {file}", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
        /// The file that every run directory has.
        file: &'static str,
    },
    /// A file that is something else than a model.
    #[error("{} is not a model file: {reason}", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What it has or lacks, as a clause.
        reason: String,
    },
    /// The model cannot take the inputs.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The predictions cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The model cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The inputs cannot be read or transformed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be read, written or understood.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ModelError {
    /// Returns advice for the user, if there is some.
    pub fn hint(&self) -> Option<String> {
        match self {
            ModelError::Untrained { .. } => Some("train the network of this run first".into()),
            ModelError::NotARun { .. } => Some("give the directory of a run or a file `model.dashnas`".into()),
            ModelError::NotAModel { .. } => {
                Some("give the file `model.dashnas` of a run, or one that `save` wrote in Python".into())
            }
            ModelError::Input(e) => e.hint(),
            ModelError::Output(e) => e.hint(),
            ModelError::Export(e) => e.hint(),
            ModelError::Data(e) => e.hint(),
            ModelError::Architecture { .. } | ModelError::Inconsistent { .. } | ModelError::File(_) => None,
        }
    }
}
