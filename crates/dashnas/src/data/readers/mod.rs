//! One module a file format. Each turns bytes into arrays or series and labels, with an error that
//! names the file and the place where the bytes are not what they should be.

pub(crate) mod arff;
pub(crate) mod columns;
pub(crate) mod csv;
pub(crate) mod delimited;
pub(crate) mod fasta;
pub(crate) mod folder;
pub(crate) mod hdf5;
pub(crate) mod idx;
pub(crate) mod images;
pub(crate) mod labels;
pub(crate) mod mat;
pub(crate) mod npy_files;
pub(crate) mod onehot;
pub(crate) mod pairs;
pub(crate) mod parquet;
mod parquet_delta;
mod parquet_types;
pub(crate) mod refused;
pub(crate) mod series;
pub(crate) mod sound;
pub(crate) mod table;
pub(crate) mod thrift;
pub(crate) mod ts;

use super::DataError;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The name of a data set: the file's or folder's, without extension and without the word that says
/// which split it is.
pub(crate) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("data");
    pairs::without_role(stem).unwrap_or_else(|| stem.to_owned())
}

/// The extension in small letters, without a `.gz` after it.
pub(crate) fn extension(path: &Path) -> String {
    let lower = |p: &Path| p.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
    match lower(path).as_str() {
        "gz" => path.file_stem().map(|s| lower(Path::new(s))).unwrap_or_default(),
        extension => extension.to_owned(),
    }
}

/// Largest text or compressed file that is taken into memory whole.
const LARGEST: u64 = 4 << 30;

/// All bytes of a file; a `.gz` is unpacked, up to `limit` bytes and deflate's best ratio.
pub(crate) fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, DataError> {
    let file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let meta = file.metadata().map_err(|e| DataError::io(path, e))?;
    if meta.is_dir() {
        return Err(DataError::file(path, "it is a folder, not a file"));
    }
    if meta.len() == 0 {
        return Err(
            DataError::file(path, "it is empty (0 bytes)").with_hint("the copy or download failed: get it again")
        );
    }
    let limit = limit.min(LARGEST);
    let mut out = Vec::new();
    let mut reader: Box<dyn Read> = match path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")) {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    reader.by_ref().take(limit + 1).read_to_end(&mut out).map_err(|e| match e.kind() {
        std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
            DataError::file(path, format!("it cannot be unpacked: {e}")).with_hint("it may be cut short: get it again")
        }
        _ => DataError::io(path, e),
    })?;
    if out.len() as u64 > limit {
        return Err(DataError::TooLarge { path: path.into(), array: "file".into(), bytes: out.len() as u128, limit });
    }
    Ok(out)
}

/// All of a file as text.
pub(crate) fn text(path: &Path, limit: u64) -> Result<String, DataError> {
    let bytes = bytes(path, limit)?;
    if let Some(kind) = refused::sniff(&bytes) {
        return Err(refused::mislabelled(path, "a text file", kind));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(e) => {
            let before = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
            if before.contains(&0) || e.as_bytes().contains(&0) {
                return Err(DataError::file(path, "it is not a text file"));
            }
            // Latin-1, as old archives are: every byte is a letter.
            let latin: String = e.as_bytes().iter().map(|&b| char::from(b)).collect();
            let control = latin.chars().filter(|c| c.is_control() && !c.is_whitespace()).count();
            if control > 0 {
                return Err(DataError::at(path, super::Place::Line(line), "it is not a text file"));
            }
            Ok(latin)
        }
    }
}
