//! Downloads of the files of a task over HTTP: with progress, continued after interruptions, checked by size and
//! checksum, and unpacked without writing outside the folder. The library opens no connection unless [`fetch`] is
//! called. A proxy is used if the environment
//! names one (`ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, but not for the hosts in `NO_PROXY`).

pub mod download;
pub mod error;
mod http;
pub mod observer;
pub mod published;
mod tls;
mod unpack;
mod verify;

pub use crate::fetch::download::{Client, RETRIES};
pub use crate::fetch::error::FetchError;
pub use crate::fetch::observer::{DownloadProgress, FetchObserver};
pub use crate::fetch::published::{Checksum, PublishedFile, Unpack};

use std::path::Path;

/// The way in which a file came to be in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchOutcome {
    /// It was present already.
    Present,
    /// It was downloaded.
    Downloaded,
}

/// Downloads a file into a folder, which is created if necessary, checks it, and unpacks it.
///
/// A file that is present is only checked. An interrupted download stays in the folder as `FILE.part` and is continued
/// by the next call. The empty file `FILE.unpacked` records that a file was unpacked, so that it is not unpacked again.
///
/// # Errors
/// A [`FetchError`]; a file whose size or checksum is wrong is renamed to `FILE.bad`.
pub fn fetch(
    client: &Client,
    source: &PublishedFile,
    folder: &Path,
    observer: &mut dyn FetchObserver,
) -> Result<FetchOutcome, FetchError> {
    std::fs::create_dir_all(folder).map_err(|e| FetchError::io(folder, e))?;
    let target = folder.join(source.file);
    let done = if target.exists() {
        verify::check(source, &target)?;
        FetchOutcome::Present
    } else {
        let part = folder.join(format!("{}.part", source.file));
        observer.note(&format!("downloading {} from {}", source.file, client.address(source)));
        client.download(source, &part, observer)?;
        if let Err(error) = verify::check(source, &part) {
            // Out of the way, so that the next attempt starts over; to be looked at if it keeps happening.
            std::fs::rename(&part, folder.join(format!("{}.bad", source.file)))
                .map_err(|e| FetchError::io(&part, e))?;
            return Err(error);
        }
        std::fs::rename(&part, &target).map_err(|e| FetchError::io(&target, e))?;
        FetchOutcome::Downloaded
    };
    if source.unpack != Unpack::No {
        let marker = folder.join(format!("{}.unpacked", source.file));
        if done == FetchOutcome::Downloaded || !marker.exists() {
            observer.note(&format!("unpacking {}", source.file));
            unpack::unpack(source.unpack, &target, folder, observer)?;
            std::fs::write(&marker, "").map_err(|e| FetchError::io(&marker, e))?;
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests;
