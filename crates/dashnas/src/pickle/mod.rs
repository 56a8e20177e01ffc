//! Reads the Python pickles that data sets are published in: numbers, text, lists, dictionaries and NumPy
//! arrays, of protocols 0 to 5. Nothing is executed: a pickle that names any other class or function is
//! refused with that name.
//!
//! Memory is bounded by the file: its bytes are kept once, arrays point into them, and there are at most
//! [`MAX_OBJECTS`] objects.

mod globals;
mod machine;
mod object;
#[cfg(test)]
pub(crate) mod write;

pub use object::Item;

use object::{Id, Object};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Most objects that a pickle may make.
pub const MAX_OBJECTS: usize = 1 << 24;
/// Most bytes of one pickle, unpacked.
pub const MAX_BYTES: u64 = 16 << 30;

/// Why a pickle was not read.
#[derive(Debug, thiserror::Error)]
pub enum PickleError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are not a pickle of data.
    #[error("{}: at byte {at}: {reason}", path.display())]
    Bad {
        /// The file.
        path: PathBuf,
        /// The byte, from 0, of the pickle inside.
        at: usize,
        /// What is wrong.
        reason: String,
    },
    /// It would call or build something other than data.
    #[error("{}: at byte {at}: the pickle wants `{name}`, which is not plain data", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The byte, from 0, of the pickle inside.
        at: usize,
        /// `module.name`.
        name: String,
    },
    /// The pickle is sound but holds something else than was looked for.
    #[error("{}: {wanted}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What was looked for and not found.
        wanted: String,
    },
}

/// What was in a pickle.
#[derive(Debug)]
pub struct Pickle {
    path: PathBuf,
    bytes: Vec<u8>,
    objects: Vec<Object>,
    root: Id,
}

impl Pickle {
    /// Reads a `.pkl` file, gzipped or not.
    ///
    /// # Errors
    /// [`PickleError`].
    pub fn read(path: &Path) -> Result<Self, PickleError> {
        let io = |source| PickleError::Io { path: path.into(), source };
        let mut file = BufReader::new(File::open(path).map_err(io)?);
        let start = io::BufRead::fill_buf(&mut file).map_err(io)?;
        let packed = start.starts_with(&[0x1f, 0x8b]);
        let mut bytes = Vec::new();
        let mut reader: Box<dyn Read> =
            if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
        reader.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        Self::parse(path, bytes)
    }

    /// Reads a `.npy` file of Python objects, such as a dictionary that was given to `numpy.save`.
    ///
    /// # Errors
    /// [`PickleError`], also if the file holds numbers.
    pub fn read_npy(path: &Path) -> Result<Self, PickleError> {
        let bytes = std::fs::read(path).map_err(|source| PickleError::Io { path: path.into(), source })?;
        let body = npy_body(&bytes).map_err(|reason| PickleError::Bad { path: path.into(), at: 0, reason })?;
        Self::parse(path, bytes[body..].to_vec())
    }

    /// Reads a pickle from memory; `path` is what errors call it.
    ///
    /// # Errors
    /// [`PickleError`].
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, PickleError> {
        if bytes.len() as u64 > MAX_BYTES {
            let reason = format!("it is larger than {MAX_BYTES} bytes");
            return Err(PickleError::Bad { path: path.into(), at: 0, reason });
        }
        match machine::run(&bytes) {
            Ok((objects, root)) => Ok(Self { path: path.into(), bytes, objects, root }),
            Err(machine::Stop { at, why: machine::Why::Bad(reason) }) => {
                Err(PickleError::Bad { path: path.into(), at, reason })
            }
            Err(machine::Stop { at, why: machine::Why::Refused(name) }) => {
                Err(PickleError::Refused { path: path.into(), at, name })
            }
        }
    }

    /// The object that was pickled.
    pub fn root(&self) -> Item<'_> {
        Item::new(self, self.root)
    }
}

/// Where the pickle begins in a `.npy` file of objects.
fn npy_body(bytes: &[u8]) -> Result<usize, String> {
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("it does not begin as a NumPy array".into());
    }
    let (size, before) = match bytes.get(6..12) {
        Some([1, _, a, b, ..]) => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        Some([2 | 3, _, a, b, c, d]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        _ => return Err("it is cut short or of an unknown version".into()),
    };
    let header = bytes.get(before..before + size).ok_or("its header is cut short")?;
    if !String::from_utf8_lossy(header).contains("|O") {
        return Err("it is an array of numbers, where one of objects was expected".into());
    }
    Ok(before + size)
}

#[cfg(test)]
mod tests;
