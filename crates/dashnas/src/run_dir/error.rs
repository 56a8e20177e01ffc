//! The errors of a run directory.

use dashnas_core::files::FileError;
use std::io;
use std::path::{Path, PathBuf};

/// A run directory cannot be created, opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum RunDirError {
    /// Something already exists where the run directory should be created.
    #[error("{} already exists and is not empty", path.display())]
    Exists {
        /// The path.
        path: PathBuf,
        /// Whether it is the directory of a run.
        run: bool,
    },
    /// The directory does not contain a run.
    #[error("{} is not a run directory: it {}", path.display(), if *folds { "holds the folds of a cross-validation" } else { "has no config.toml" })]
    NotARun {
        /// The path.
        path: PathBuf,
        /// Whether it is the folder of a cross-validation, which has a run directory for each fold.
        folds: bool,
    },
    /// Another process uses the run directory.
    #[error("{} is in use by {}", path.display(), process.map_or("another process".into(), |p| format!("process {p}")))]
    Locked {
        /// The run directory.
        path: PathBuf,
        /// The ID of the process, if it could be read.
        process: Option<u32>,
    },
    /// None of the checkpoints of the run can be used.
    #[error("no checkpoint can be used: {flaws}")]
    Checkpoints {
        /// The defect of each checkpoint.
        flaws: String,
    },
    /// A checkpoint has the format of another version of the program.
    #[error("{} has format {found}, this program reads format {reads}", path.display())]
    CheckpointVersion {
        /// The path of the checkpoint.
        path: PathBuf,
        /// The format of the checkpoint.
        found: u32,
        /// The format that this program reads.
        reads: u32,
    },
    /// A file cannot be read, written or understood.
    #[error(transparent)]
    File(#[from] FileError),
}

impl RunDirError {
    /// Advice on how to solve the problem, if there is any.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Exists { .. } => Some("choose another directory".into()),
            Self::NotARun { path, folds: true } => {
                Some(format!("give the run directory of one fold, such as {}", path.join("fold-1").display()))
            }
            Self::NotARun { .. } => Some(
                "give a directory that a run was started in; a run that stopped before it wrote its configuration \
                      must be started again"
                    .into(),
            ),
            Self::Locked { .. } => Some("wait until the process has ended, or choose another directory".into()),
            Self::Checkpoints { .. } => Some(
                "start a new run, or run the unfinished stages one by one; the result of a finished search is kept"
                    .into(),
            ),
            Self::CheckpointVersion { .. } => {
                Some("continue with the version of dashnas that wrote it, or start a new run".into())
            }
            Self::File(_) => None,
        }
    }

    /// An error of the file system.
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        FileError::io(action, path, source).into()
    }

    /// A file with invalid contents.
    pub(crate) fn corrupt(path: &Path, reason: impl Into<String>) -> Self {
        FileError::corrupt(path, reason).into()
    }
}
