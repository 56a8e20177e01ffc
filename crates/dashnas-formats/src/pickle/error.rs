//! The errors of reading pickles.

use std::io;
use std::path::PathBuf;

/// A pickle that cannot be read, or that does not hold the expected data.
#[derive(Debug, thiserror::Error)]
pub enum PickleError {
    /// The operating system could not read the file.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The bytes are not a pickle of data.
    #[error("{}: at byte {at}: {reason}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// The byte, from 0, of the pickle inside.
        at: usize,
        /// The cause.
        reason: String,
    },
    /// The pickle would call or build something other than data.
    #[error("{}: at byte {at}: the pickle wants `{name}`, which is not plain data", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The byte, from 0, of the pickle inside.
        at: usize,
        /// `module.name`.
        name: String,
    },
    /// The pickle is valid, but does not hold the expected data.
    #[error("{}: {wanted}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The difference from the expected data.
        wanted: String,
    },
}
