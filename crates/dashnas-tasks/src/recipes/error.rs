//! Errors of the files of a task.

use dashnas_formats::error::DataError;
use dashnas_formats::pickle::PickleError;
use std::path::PathBuf;

/// A failure to read the files of a task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The folder of the files does not exist.
    #[error("cannot read the files of {task}: {} is not a folder", path.display())]
    NoFolder {
        /// The task.
        task: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// A file does not exist.
    #[error("cannot read the files of {task}: {file} is not in {}", path.display())]
    NoFile {
        /// The task.
        task: &'static str,
        /// The file, relative to the folder.
        file: String,
        /// The folder.
        path: PathBuf,
    },
    /// A file differs from the published one.
    #[error("{}: {reason}", path.display())]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
    /// A pickle cannot be read.
    #[error(transparent)]
    Pickle(#[from] PickleError),
    /// The data is not usable.
    #[error(transparent)]
    Data(#[from] DataError),
}

impl TaskError {
    /// Advice on the error, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            TaskError::NoFolder { task, .. } => {
                Some(format!("put the files of {task} there, or set `task.data-dir`"))
            }
            TaskError::NoFile { task, .. } => {
                Some(format!("all files of {task} must be in the folder, as they were published"))
            }
            TaskError::Unexpected { .. } => Some("the file may be truncated, or of another version of the data".into()),
            TaskError::Pickle(PickleError::Refused { .. }) => {
                Some("pickles may hold numbers, text, lists, dictionaries and NumPy arrays only, since nothing in them is executed".into())
            }
            TaskError::Pickle(_) => Some("the file may be truncated: copy or download it again".into()),
            TaskError::Data(e) => e.hint(),
        }
    }
}
