//! The kind of content that a file has, by its first bytes.

use crate::error::DataError;
use std::path::Path;

/// Number of bytes that are enough for [`content_of`].
pub(crate) const PREFIX: usize = 16;

/// Returns the kind of content that some bytes are the start of, with its article, if it is a known one.
pub(crate) fn content_of(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 20] = [
        (b"PK\x03\x04", "a zip archive"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"MATLAB 5.0", "a MATLAB file"),
        (b"MATLAB 7.3", "a MATLAB 7.3 file"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"RIFF", "a WAV file"),
        (b"RF64", "a WAV file"),
        (b"GIF87a", "a GIF image"),
        (b"GIF89a", "a GIF image"),
        (b"II*\0", "a TIFF image"),
        (b"MM\0*", "a TIFF image"),
        (b"OggS", "an Ogg file"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x1f\x8b", "a gzip file"),
        (b"%PDF", "a PDF document"),
        (b"fLaC", "a FLAC file"),
        (b"\x80\x02", "a Python pickle"),
    ];
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("a WebP image");
    }
    known.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|&(_, content)| content)
}

/// The error for a file whose content differs from what its name says.
pub(crate) fn wrong_content(path: &Path, expected: &str, found: &str) -> DataError {
    DataError::file(path, format!("its name says that it is {expected}, but it is {found}"))
        .with_hint("give it the right extension")
}
