//! Single `.npy` arrays, and folders of them named as the arrays of an archive are.

use crate::data::arrays::{Container, Info};
use crate::data::npy::{Elem, Header, NpyError};
use crate::data::outside::{Outside, larger};
use crate::data::raw::afford;
use crate::data::spill::turned;
use crate::data::{Array, DataError, Place, ReadOptions};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Arrays in files of their own.
pub(crate) struct NpyFiles {
    path: PathBuf,
    files: BTreeMap<String, PathBuf>,
    list: Vec<Info>,
    options: ReadOptions,
}

impl NpyFiles {
    /// The arrays in a folder, or the one in a file with those that belong to it (`X.npy` with `y.npy`,
    /// `x_train.npy` with `y_train.npy` and the rest).
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = std::fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        paths.retain(|p| super::extension(p) == "npy");
        paths.sort();
        let stem = |p: &Path| p.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
        let strange = |p: &Path| {
            // The names around it count only if they are nothing but what an array's role needs.
            let words = crate::data::raw::words(&stem(p));
            let known =
                |w: &String| crate::data::raw::Role::of_word(w).is_some() || ["x", "y", "group"].contains(&w.as_str());
            !words.iter().all(known)
        };
        if path.is_file() {
            if strange(path) {
                paths = vec![path.into()];
            } else {
                paths.retain(|p| !strange(p));
            }
        }
        let mut found = Self { path: path.into(), files: BTreeMap::new(), list: Vec::new(), options: options.clone() };
        for file in paths {
            let header = found.header(&file)?.0;
            found.list.push(header.info(&stem(&file)));
            found.files.insert(stem(&file), file);
        }
        Ok(found)
    }

    /// Only the array in a file, whatever is beside it.
    pub fn lone(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let name = super::name_of(path);
        let mut found = Self { path: path.into(), files: BTreeMap::new(), list: Vec::new(), options: options.clone() };
        let header = found.header(path)?.0;
        found.list.push(header.info(&name));
        found.files.insert(name, path.into());
        Ok(found)
    }

    fn header(&self, path: &Path) -> Result<(Header, BufReader<File>), DataError> {
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        if size == 0 {
            return Err(DataError::file(path, "it is empty (0 bytes)"));
        }
        let mut reader = BufReader::new(file);
        let header = Header::read(&mut reader).map_err(|e| refuse(path, e))?;
        let needed = header.count().map(|n| header.len as u128 + n as u128 * header.elem.size() as u128);
        if needed.is_none_or(|n| n > u128::from(size)) {
            let reason =
                format!("its header calls for an array of {:?}, more than its {size} bytes hold", header.shape);
            return Err(DataError::file(path, reason).with_hint("it may be cut short: copy or save it again"));
        }
        Ok((header, reader))
    }

    fn of(&self, name: &str) -> Result<(PathBuf, Header, BufReader<File>), DataError> {
        let Some(path) = self.files.get(name) else {
            return Err(DataError::at(&self.path, Place::Entry(name.into()), "there is no such array"));
        };
        let (header, reader) = self.header(path)?;
        Ok((path.clone(), header, reader))
    }
}

fn refuse(path: &Path, error: NpyError) -> DataError {
    match error {
        NpyError::Bad(reason) => DataError::file(path, reason),
        NpyError::Dtype(dtype) => DataError::UnsupportedDtype { path: path.into(), array: "array".into(), dtype },
    }
}

impl Container for NpyFiles {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> &str {
        if self.list.len() == 1 { "NumPy array (.npy)" } else { "NumPy arrays (.npy)" }
    }

    fn list(&self) -> &[Info] {
        &self.list
    }

    fn numbers(&mut self, name: &str) -> Result<(Array, bool), DataError> {
        let (path, header, mut reader) = self.of(name)?;
        afford(&path, name, header.count().unwrap_or(0) as u128, &self.options)?;
        let data = header.read_f32(&mut reader).map_err(|e| refuse(&path, e))?;
        Ok((Array::new(header.shape, data), header.elem.is_integral()))
    }

    fn outside(&mut self, name: &str) -> Result<Option<Array>, DataError> {
        let (path, header, _) = self.of(name)?;
        let elements = header.count().unwrap_or(usize::MAX) as u128;
        if matches!(header.elem, Elem::Text(_)) || !larger(elements, self.options.in_memory) {
            return Ok(None);
        }
        let (start, shape) = (header.len as u64, header.shape.clone());
        if !header.fortran {
            return Outside::open(&path, start, header);
        }
        // The rows of a column-major array are all over the file.
        let flat = Header { fortran: false, shape: vec![1, elements as usize], ..header };
        match Outside::open(&path, start, flat)? {
            Some(stored) => turned(&stored, shape, &path, name, &self.options).map(Some),
            None => Ok(None),
        }
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        let (path, header, mut reader) = self.of(name)?;
        header.read_text(&mut reader).map_err(|e| refuse(&path, e))
    }
}
