//! Whole files in memory, as bytes or as text.

use crate::content::{content_of, wrong_content};
use crate::error::{DataError, Location};
use crate::naming::is_gzipped;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest text or compressed file that is read into memory.
const MAX_BYTES: u64 = 4 << 30;

/// Reads all bytes of a file of up to `limit` bytes; a `.gz` file is decompressed.
///
/// # Errors
/// [`DataError`] if the file cannot be read, is empty, or is larger.
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let meta = file.metadata().map_err(|e| DataError::io(path, e))?;
    if meta.is_dir() {
        return Err(DataError::file(path, "it is a folder, not a file"));
    }
    if meta.len() == 0 {
        return Err(DataError::empty_file(path));
    }
    let limit = limit.min(MAX_BYTES);
    let mut out = Vec::new();
    let mut reader: Box<dyn Read> = match is_gzipped(path) {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    reader.by_ref().take(limit + 1).read_to_end(&mut out).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            DataError::file(path, format!("it cannot be decompressed: {e}"))
                .with_hint("it may be cut short: get it again")
        }
        _ => DataError::io(path, e),
    })?;
    if out.len() as u64 > limit {
        return Err(DataError::TooLarge { path: path.into(), array: "file".into(), bytes: out.len() as u128, limit });
    }
    Ok(out)
}

/// Reads all of a file as text, in UTF-8 or Latin-1.
///
/// # Errors
/// As [`bytes()`], and if the file is not text.
pub fn text(path: &Path, limit: u64) -> Result<String, DataError> {
    let bytes = bytes(path, limit)?;
    if let Some(found) = content_of(&bytes) {
        return Err(wrong_content(path, "a text file", found));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(e) => {
            let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
            if before.contains(&0) || e.as_bytes().contains(&0) {
                return Err(DataError::file(path, "it is not a text file"));
            }
            // Latin-1, as in old archives: every byte is a character.
            let latin: String = e.as_bytes().iter().map(|&b| char::from(b)).collect();
            let control = latin.chars().filter(|c| c.is_control() && !c.is_whitespace()).count();
            if control > 0 {
                return Err(DataError::at(path, Location::Line(line), "it is not a text file"));
            }
            Ok(latin)
        }
    }
}
