//! Whole files in memory, as bytes or as text.

use crate::content::{content_of, wrong_content};
use crate::error::{DataError, Location};
use crate::naming::is_gzipped;
use dashnas_core::text::mebibytes;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Largest text or compressed file that is read into memory.
const MAX_BYTES: u64 = 4 << 30;

/// Reads all bytes of a file of up to `limit` bytes; a `.gz` file is decompressed.
///
/// # Errors
/// [`DataError`] if the file cannot be read, is empty, or is larger.
pub fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let mut file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let meta = file.metadata().map_err(|e| DataError::io(path, e))?;
    if meta.is_dir() {
        return Err(DataError::file(path, "it is a folder, not a file"));
    }
    if meta.len() == 0 {
        return Err(DataError::empty_file(path));
    }
    let limit = limit.min(MAX_BYTES);
    let packed = is_gzipped(path);
    if !packed && meta.len() > limit {
        let bytes = meta.len().into();
        return Err(DataError::TooLarge { path: path.into(), array: "file".into(), bytes, limit });
    }
    let mut out = if packed || !meta.is_file() { Vec::new() } else { side_by_side(&file, meta.len()) };
    let expected = meta.len().saturating_add(1).saturating_sub(out.len() as u64);
    if !out.is_empty() {
        file.seek(SeekFrom::Start(out.len() as u64)).map_err(|e| DataError::io(path, e))?;
    }
    let reader: Box<dyn Read> = match packed {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    // A file without a size, such as a pipe, is read like a compressed one.
    let complete = up_to(reader, &mut out, expected, limit).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            DataError::file(path, format!("it cannot be decompressed: {e}"))
                .with_hint("it may be cut short: get it again")
        }
        _ => DataError::io(path, e),
    })?;
    complete.then_some(out).ok_or_else(|| {
        let reason = format!("it holds more than {} when it is decompressed", mebibytes(limit));
        DataError::file(path, reason).with_hint(
            "inputs in .npy, .npz, HDF5 or Parquet files may be larger than memory; otherwise use fewer samples, a larger \
             machine or a higher `budget.memory-limit`",
        )
    })
}

/// Reads a large file of a known size with several threads; nothing of a small one, or if that fails.
#[cfg(unix)]
fn side_by_side(file: &File, len: u64) -> Vec<u8> {
    use rayon::prelude::*;
    use std::os::unix::fs::FileExt;
    /// Least bytes that are worth it.
    const LARGE: usize = 32 << 20;
    /// Bytes that one thread reads at a time.
    const PART: usize = 4 << 20;
    let Some(len) = usize::try_from(len).ok().filter(|&len| len >= LARGE) else { return Vec::new() };
    // This tells whether there is memory; a vector of zeros then takes it page by page, as it is written to.
    if Vec::<u8>::new().try_reserve_exact(len).is_err() {
        return Vec::new();
    }
    let mut out = vec![0; len];
    let read = |(i, part): (usize, &mut [u8])| file.read_exact_at(part, (i * PART) as u64);
    match out.par_chunks_mut(PART).enumerate().try_for_each(read) {
        Ok(()) => out,
        Err(_) => Vec::new(),
    }
}

/// Reads all in order.
#[cfg(not(unix))]
fn side_by_side(_: &File, _: u64) -> Vec<u8> {
    Vec::new()
}

/// Adds all bytes to those that have been read, and returns whether they are all: not if there are more than the limit.
/// `expected` is a first guess of the number of those that are added. Memory grows with what has been read.
fn up_to(mut reader: impl Read, out: &mut Vec<u8>, expected: u64, limit: u64) -> io::Result<bool> {
    /// Least bytes by which the memory grows.
    const STEP: u64 = 1 << 20;
    let mut more = expected;
    loop {
        let read = out.len() as u64;
        // One byte more than the limit tells that there are more.
        let more_now = more.max(STEP).min((limit + 1).saturating_sub(read));
        out.try_reserve_exact(more_now as usize).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let n = reader.by_ref().take(more_now).read_to_end(out)? as u64;
        if out.len() as u64 > limit {
            return Ok(false);
        }
        if n < more_now {
            return Ok(true);
        }
        more = out.len() as u64 / 4;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn files_are_read_up_to_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let (plain, packed) = (folder.path().join("a.csv"), folder.path().join("a.csv.gz"));
        let mut encoder = GzEncoder::new(File::create(&packed).expect("a file"), Compression::fast());
        let content = vec![b'1'; 5 << 20];
        encoder.write_all(&content).expect("written");
        encoder.finish().expect("written");
        std::fs::write(&plain, &content).expect("written");
        for path in [&plain, &packed] {
            for limit in [5 << 20, u64::MAX] {
                assert_eq!(bytes(path, limit).expect("it fits").len(), content.len());
            }
            for limit in [0, 1000, (5 << 20) - 1] {
                let error = bytes(path, limit).expect_err("it does not fit");
                assert!(error.hint().is_some_and(|hint| hint.contains("budget.memory-limit")), "{error}");
            }
        }
    }

    #[test]
    fn memory_grows_with_what_is_read() {
        for n in [0usize, 1, 1 << 20, (1 << 20) + 1, 3_000_000] {
            let content = vec![7; n];
            for expected in [0, 1, n as u64, n as u64 + 1, 1 << 22] {
                let mut read = Vec::new();
                assert!(up_to(&content[..], &mut read, expected, 1 << 30).expect("memory"));
                assert!(read == content && read.capacity() < n * 5 / 4 + (5 << 20), "{n} {expected}");
            }
            let all = up_to(&content[..], &mut Vec::new(), 0, (n as u64).saturating_sub(1)).expect("memory");
            assert_eq!(all, n == 0);
        }
    }

    #[test]
    fn large_files_are_read_with_several_threads() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.bin");
        let content: Vec<u8> = (0..(33 << 20) + 5).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::fs::write(&path, &content).expect("written");
        let file = File::open(&path).expect("a file");
        let len = content.len() as u64;
        assert_eq!(side_by_side(&file, len).is_empty(), cfg!(not(unix)));
        // A file that has become shorter is read in order, one that has become longer to its end.
        assert!(side_by_side(&file, len + 1).is_empty());
        assert!(bytes(&path, u64::MAX).expect("it fits") == content);
        assert!(bytes(&path, len - 1).is_err());
        let mut part = content[..content.len() - 7].to_vec();
        assert!(up_to(&content[part.len()..], &mut part, 0, len).expect("memory") && part == content);
    }
}
