//! Rows of arrays in `.npy` layout that are read from their file on demand, for inputs that are larger than the options
//! allow in memory.

use crate::array::Array;
use crate::centers::Shift;
use crate::error::DataError;
use crate::npy::{NpyHeader, decode_row};
use crate::row_source::{RowSource, View};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The elements of an array in a file.
#[derive(Debug)]
struct FileRows {
    path: PathBuf,
    file: Mutex<File>,
    /// Byte offset of the first element.
    start: u64,
    header: NpyHeader,
    /// What is subtracted from the elements as they are read.
    shift: Option<Shift>,
    temporary: bool,
}

impl RowSource for FileRows {
    fn path(&self) -> &Path {
        &self.path
    }

    fn is_temporary(&self) -> bool {
        self.temporary
    }

    fn row_len(&self) -> usize {
        self.header.shape.iter().skip(1).product()
    }

    fn read(&self, first: usize, count: usize) -> std::io::Result<Vec<f32>> {
        let size = self.header.elem.size();
        let mut bytes = vec![0; count * size];
        {
            // A poisoned lock is harmless, because every reader seeks first.
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(self.start + first as u64 * size as u64))?;
            file.read_exact(&mut bytes)?;
        }
        Ok(decode_row(&self.header, &mut bytes, self.shift.as_ref().map(|shift| (shift, first))))
    }
}

/// Opens the array with this header whose elements begin at byte `start` of a file. Returns `None` if its rows are not
/// contiguous, or if it does not hold numbers. The shift, if there is one, is subtracted from the elements as they are read.
///
/// # Errors
/// [`DataError`] if the file cannot be opened or is too short.
pub(crate) fn open(
    path: &Path,
    start: u64,
    header: NpyHeader,
    shift: Option<Shift>,
) -> Result<Option<Array>, DataError> {
    let shape = header.shape.clone();
    let Some(count) = header.count().filter(|_| header.is_row_major() && shape.len() >= 2) else {
        return Ok(None);
    };
    let file = File::open(path).map_err(|e| DataError::io(path, e))?;
    let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
    if u128::from(size) < u128::from(start) + count as u128 * header.elem.size() as u128 {
        return Err(DataError::file(path, format!("it ends before the last element of an array of {shape:?}")));
    }
    Ok(Some(array(FileRows { path: path.into(), file: Mutex::new(file), start, header, shift, temporary: false })))
}

/// Returns the array that a temporary file of this program consists of.
pub(crate) fn temporary(path: &Path, file: File, header: NpyHeader) -> Array {
    array(FileRows { path: path.into(), file: Mutex::new(file), start: 0, header, shift: None, temporary: true })
}

fn array(rows: FileRows) -> Array {
    Array::file_backed(rows.header.shape.clone(), View::new(Arc::new(rows)))
}
