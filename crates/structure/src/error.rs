//! Errors of the measurement.

use std::fmt;
use std::path::PathBuf;

/// A reason why a workspace could not be measured.
#[derive(Debug)]
pub enum Error {
    /// A file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A `Cargo.toml` could not be parsed.
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// The cause.
        message: String,
    },
    /// A source file could not be parsed.
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line at which parsing stopped, from 1.
        line: usize,
        /// The cause.
        message: String,
    },
    /// The file of `mod name;` does not exist.
    MissingModule {
        /// The file with the declaration.
        path: PathBuf,
        /// The name of the module.
        name: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Read { path, source } => write!(f, "{}: {source}", path.display()),
            Error::Manifest { path, message } => write!(f, "{}: {message}", path.display()),
            Error::Syntax { path, line, message } => write!(f, "{}:{line}: {message}", path.display()),
            Error::MissingModule { path, name } => write!(f, "{}: no file for `mod {name};`", path.display()),
        }
    }
}

impl std::error::Error for Error {}

/// Reads a text file.
pub fn read(path: &std::path::Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}
