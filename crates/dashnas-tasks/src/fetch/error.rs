//! Failures of downloads.

use std::io;
use std::path::{Path, PathBuf};

/// A failure to download, check or unpack a published file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server cannot be reached, or the connection broke too often.
    #[error("{url}: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// The cause.
        reason: String,
    },
    /// The server refuses the file.
    #[error("{url}: the server answered with the HTTP status {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The file has another size than the published one.
    #[error("{} has {found} bytes, but the published file has {expected}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
        /// The published size in bytes.
        expected: u64,
    },
    /// The file has another checksum than the published one.
    #[error("{} has the checksum {found}, but the published file has {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Its checksum.
        found: String,
        /// The published checksum.
        expected: String,
    },
    /// The archive cannot be unpacked.
    #[error("cannot unpack {}: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The file system reported an error.
    #[error("cannot read or write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl FetchError {
    /// Advice on the error, if there is any that does not depend on how the download was started.
    pub fn hint(&self) -> Option<String> {
        match self {
            FetchError::Archive { .. } => Some("unpack the archive yourself if you trust it".into()),
            FetchError::Io { .. } => Some("check the permissions of the folder and the free space on its disk".into()),
            _ => None,
        }
    }

    /// A failure of the file system.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        FetchError::Io { path: path.into(), source }
    }
}
