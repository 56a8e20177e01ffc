//! The errors of a run directory.

use dashnas_core::files::FileError;
use std::io;
use std::path::{Path, PathBuf};

/// A folder of several run directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A cross-validation, with a run directory for each fold.
    Folds,
    /// A comparison of methods, with a run directory for each method and seed.
    Comparison,
}

impl Holds {
    /// What a folder is, by the files in it; `None` if it is no folder of several run directories. `names` are those of the
    /// files of a cross-validation and of a comparison.
    pub(crate) fn of(folder: &Path, names: [&str; 2]) -> Option<Self> {
        let kinds = names.into_iter().zip([Holds::Folds, Holds::Comparison]);
        kinds.into_iter().find(|(name, _)| folder.join(name).is_file()).map(|(_, kind)| kind)
    }

    fn words(self) -> &'static str {
        match self {
            Holds::Folds => "holds the folds of a cross-validation",
            Holds::Comparison => "holds the runs of a comparison of methods",
        }
    }
}

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
    #[error("{} is not a run directory: it {}", path.display(), holds.map_or("has no config.toml", Holds::words))]
    NotARun {
        /// The path.
        path: PathBuf,
        /// The run directories that it holds, if it is a folder of several.
        holds: Option<Holds>,
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
            Self::NotARun { path, holds: Some(Holds::Folds) } => {
                Some(format!("give the run directory of one fold, such as {}", path.join("fold-1").display()))
            }
            Self::NotARun { holds: Some(Holds::Comparison), .. } => Some(
                "give one of the run directories in it, each of which is named after its method and its seed".into(),
            ),
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
