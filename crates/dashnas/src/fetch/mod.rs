//! Getting the files of a task over HTTP: with progress, going on where a broken download stopped, checked
//! by size and checksum, unpacked without writing outside the folder. Nothing here runs unless it is asked
//! for; the rest of the library never opens a connection. Proxies are not used.

mod download;
mod http;
mod tls;
mod unpack;
mod verify;

pub use download::{Client, RETRIES};

use std::io;
use std::path::{Path, PathBuf};

/// A published file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Where it is, `http://` or `https://`.
    pub url: &'static str,
    /// Its name in the task's folder.
    pub file: &'static str,
    /// Its size, where that is known.
    pub bytes: Option<u64>,
    /// Its checksum, where that is known.
    pub hash: Hash,
    /// What is done with it.
    pub unpack: Unpack,
}

/// A published checksum, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// None was published.
    Unknown,
    /// MD5: guards against damage, not against malice.
    Md5(&'static str),
    /// SHA-256.
    Sha256(&'static str),
}

/// What is done with a file after it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpack {
    /// Nothing.
    No,
    /// It is a tar archive.
    Tar,
    /// It is a gzipped tar archive.
    TarGz,
    /// It is a zip archive.
    Zip,
}

/// How far a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all, if the server says.
    pub total: Option<u64>,
}

/// Watches a download.
pub trait Watch {
    /// Called now and then.
    fn progress(&mut self, file: &str, progress: Progress);
    /// Something worth saying, such as a connection that broke and is tried again.
    fn note(&mut self, text: &str);
    /// Whether to stop; what is there is kept.
    fn cancelled(&self) -> bool;
}

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server could not be reached, or the connection broke too often.
    #[error("{url}: {reason}")]
    Connection {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server does not give the file.
    #[error("{url}: the server answered {status}")]
    Status {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The file is of another size.
    #[error("{}: it has {found} bytes, not {expected}", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// What it should be.
        expected: u64,
    },
    /// The file has another checksum.
    #[error("{}: its checksum is {found}, not {expected}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// Its checksum.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// The archive cannot be unpacked.
    #[error("{}: {reason}", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl FetchError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            FetchError::Connection { .. } => Some(
                "run the same command again to go on where it stopped; is there a connection to the network?".into(),
            ),
            FetchError::Status { .. } => Some(
                "the file may have moved: say with --from where else it is, or put it in the folder by hand".into(),
            ),
            FetchError::Size { .. } | FetchError::Checksum { .. } => {
                Some("it was put aside as .bad; run the command again to get it anew".into())
            }
            FetchError::Archive { .. } => Some("unpack it by hand if you trust it".into()),
            FetchError::Io { .. } => Some("check the folder's permissions and the space on its disk".into()),
            FetchError::Interrupted => Some("run the same command again to go on where it stopped".into()),
        }
    }

    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        FetchError::Io { path: path.into(), source }
    }
}

/// What was done for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was there already.
    Present,
    /// It was downloaded.
    Downloaded,
}

/// Gets one file into a folder (which is made), checks and unpacks it.
///
/// An interrupted download stays as `FILE.part` and is gone on with. A file that was unpacked leaves
/// `FILE.unpacked` behind, so that it is not unpacked again.
///
/// # Errors
/// [`FetchError`].
pub fn fetch(client: &Client, source: &Source, folder: &Path, watch: &mut dyn Watch) -> Result<Done, FetchError> {
    std::fs::create_dir_all(folder).map_err(|e| FetchError::io(folder, e))?;
    let target = folder.join(source.file);
    let done = if target.exists() {
        verify::check(source, &target)?;
        Done::Present
    } else {
        let part = folder.join(format!("{}.part", source.file));
        watch.note(&format!("{} from {}", source.file, client.address(source)));
        client.download(source, &part, watch)?;
        if let Err(error) = verify::check(source, &part) {
            // Out of the way, so that the next attempt starts over; to be looked at if it keeps happening.
            std::fs::rename(&part, folder.join(format!("{}.bad", source.file)))
                .map_err(|e| FetchError::io(&part, e))?;
            return Err(error);
        }
        std::fs::rename(&part, &target).map_err(|e| FetchError::io(&target, e))?;
        Done::Downloaded
    };
    if source.unpack != Unpack::No {
        let marker = folder.join(format!("{}.unpacked", source.file));
        if done == Done::Downloaded || !marker.exists() {
            watch.note(&format!("unpacking {}", source.file));
            unpack::unpack(source.unpack, &target, folder, watch)?;
            std::fs::write(&marker, "").map_err(|e| FetchError::io(&marker, e))?;
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests;
