//! The errors of a bench of the search.

use crate::error::Error;
use dashnas_core::files::FileError;
use std::path::{Path, PathBuf};

/// An error of a bench of the search.
#[derive(Debug, thiserror::Error)]
pub enum SearchBenchError {
    /// The folder has results of another configuration.
    #[error("`{key}` is {given}, but the results in {} were made with {before}", path.display())]
    Changed {
        /// The key of the configuration.
        key: String,
        /// Its value now.
        given: String,
        /// Its value in the folder.
        before: String,
        /// The folder.
        path: PathBuf,
    },
    /// A setting that would make the networks incomparable.
    #[error("`{key}` is set, but a bench of the search compares {compares}")]
    Unsuitable {
        /// The key of the configuration.
        key: &'static str,
        /// What the bench compares.
        compares: &'static str,
    },
    /// The document with all results, or the result of a network, cannot be understood.
    #[error("{} is damaged or of another version: {reason}", path.display())]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// What must be deleted so that the bench computes the result again, if that is needed: a file, or a directory of
        /// a run.
        delete: Option<PathBuf>,
        /// The cause.
        reason: String,
    },
    /// An error of one of its runs.
    #[error(transparent)]
    Run(#[from] Error),
}

impl SearchBenchError {
    /// An error of reading a file of results; `delete` is what must be deleted so that they are computed again.
    pub(crate) fn of_results(error: Error, delete: Option<&Path>) -> Self {
        match error {
            Error::File(FileError::Corrupt { path, reason }) => {
                SearchBenchError::Damaged { path, delete: delete.map(Path::to_owned), reason }
            }
            error => error.into(),
        }
    }

    /// Advice on how to solve the problem, if there is any. Settings are named by their configuration keys.
    pub fn hint(&self) -> Option<String> {
        match self {
            SearchBenchError::Changed { .. } => {
                Some("restore the setting, or choose another folder for the other configuration".into())
            }
            SearchBenchError::Unsuitable { key, .. } => Some(format!("do not set `{key}`")),
            SearchBenchError::Damaged { delete: Some(path), .. } => Some(format!(
                "delete {} and run the same command again: only this result is computed again",
                path.display()
            )),
            SearchBenchError::Damaged { delete: None, .. } => {
                Some("run the bench again: it writes the file anew from the results of its networks".into())
            }
            SearchBenchError::Run(error) => error.hint(),
        }
    }
}
