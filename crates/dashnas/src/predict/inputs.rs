//! Inputs in files.

use crate::data::npy::{Header, NpyError};
use crate::data::npz::{self, LoadOptions};
use crate::data::{Array, DataError};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Reads inputs to predict from: a NumPy array, or the test inputs of a data set.
///
/// # Errors
/// A [`DataError`] that names the file.
pub fn read_inputs(path: &Path) -> Result<Array, DataError> {
    if path.extension().is_none_or(|e| e != "npy") {
        return Ok(npz::load(path, &LoadOptions::default())?.test.x);
    }
    let file = File::open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => DataError::Missing { path: path.into() },
        _ => DataError::Io { path: path.into(), source },
    })?;
    let size = file.metadata().map_or(0, |m| m.len());
    read_npy(&mut BufReader::new(file), size).map_err(|e| match e {
        NpyError::Bad(reason) => DataError::BadArray { path: path.into(), array: "inputs".into(), reason },
        NpyError::Dtype(dtype) => DataError::UnsupportedDtype { path: path.into(), array: "inputs".into(), dtype },
    })
}

/// An array in a file of `size` bytes, which bound the memory that its header can ask for.
fn read_npy(reader: &mut impl Read, size: u64) -> Result<Array, NpyError> {
    let header = Header::read(reader)?;
    let count = header.count().ok_or_else(|| NpyError::Bad(format!("its shape {:?} overflows", header.shape)))?;
    let needed = header.len as u128 + count as u128 * header.elem.size() as u128;
    if needed != u128::from(size) {
        return Err(NpyError::Bad(format!("its header calls for {needed} bytes, but it has {size}")));
    }
    let data = header.read_f32(reader)?;
    Ok(Array::new(header.shape, data))
}
