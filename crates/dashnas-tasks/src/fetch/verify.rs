//! Checks of size and checksum.

use crate::fetch::error::FetchError;
use crate::fetch::published::{Checksum, PublishedFile};
use dashnas_core::digest::hex;
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Checks that a file has the published size and checksum, as far as they are known.
pub(super) fn check(source: &PublishedFile, path: &Path) -> Result<(), FetchError> {
    let found = std::fs::metadata(path).map_err(|e| FetchError::io(path, e))?.len();
    if let Some(expected) = source.bytes.filter(|&expected| expected != found) {
        return Err(FetchError::Size { path: path.into(), found, expected });
    }
    let (expected, found) = match source.checksum {
        Checksum::Unknown => return Ok(()),
        Checksum::Md5(expected) => (expected, digest::<Md5>(path)?),
        Checksum::Sha256(expected) => (expected, digest::<Sha256>(path)?),
    };
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(FetchError::Checksum { path: path.into(), found, expected: expected.into() })
}

fn digest<D: Digest>(path: &Path) -> Result<String, FetchError> {
    let mut file = File::open(path).map_err(|e| FetchError::io(path, e))?;
    let mut hash = D::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).map_err(|e| FetchError::io(path, e))? {
            0 => break,
            n => hash.update(&buffer[..n]),
        }
    }
    Ok(hex(hash.finalize()))
}
