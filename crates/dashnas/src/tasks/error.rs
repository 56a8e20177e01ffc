//! What can be wrong with a task's files.

use crate::data::DataError;
use crate::pickle::PickleError;
use std::path::PathBuf;

/// A failure to read a built-in task.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The folder of the task's files is not there.
    #[error("the files of {task} are looked for in {}, which is not a folder", path.display())]
    NoFolder {
        /// The task.
        task: &'static str,
        /// The folder.
        path: PathBuf,
    },
    /// One of the files is not there.
    #[error("{task} needs {file}, which is not in {}", path.display())]
    NoFile {
        /// The task.
        task: &'static str,
        /// The file, relative to the folder.
        file: String,
        /// The folder.
        path: PathBuf,
    },
    /// A file holds something else than the task publishes.
    #[error("{}: {reason}", path.display())]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// What it should hold, and what it does.
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
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            TaskError::NoFolder { task, .. } => {
                Some(format!("give --data-dir DIR, or get them with `dashnas fetch {task}`"))
            }
            TaskError::NoFile { task, .. } => {
                Some(format!("`dashnas tasks {task}` lists its files; `dashnas fetch {task}` gets what can be got"))
            }
            TaskError::Unexpected { .. } => Some("it may be another version of the data, or cut short".into()),
            TaskError::Pickle(PickleError::Refused { .. }) => {
                Some("only numbers, text, lists, dictionaries and NumPy arrays are read; nothing is executed".into())
            }
            TaskError::Pickle(_) => Some("it may be cut short: copy or download it again".into()),
            TaskError::Data(e) => e.hint(),
        }
    }
}
