//! Single `.npy` arrays, and folders of them named as the arrays of an archive are.

use crate::array::Array;
use crate::container::Container;
use crate::error::{DataError, Location};
use crate::file_rows;
use crate::info::ArrayInfo;
use crate::limits::check_memory;
use crate::limits::stays_in_file;
use crate::naming::{data_set_name, extension, words_of};
use crate::npy::{NpyError, NpyHeader};
use crate::npy_objects::{Objects, may_be_read};
use crate::options::ReadOptions;
use crate::ragged::Ragged;
use crate::role::Role;
use crate::spill::to_row_major;
use crate::subtract::Subtract;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Arrays in `.npy` files.
pub struct NpyFiles {
    path: PathBuf,
    files: BTreeMap<String, PathBuf>,
    list: Vec<ArrayInfo>,
    /// The arrays of objects that are texts, numbers or series.
    objects: HashMap<String, Objects>,
    options: ReadOptions,
}

impl NpyFiles {
    fn empty(path: &Path, options: &ReadOptions) -> Self {
        let (files, objects) = (BTreeMap::new(), HashMap::new());
        Self { path: path.into(), files, list: Vec::new(), objects, options: options.clone() }
    }

    /// Reads an array of objects, if they are texts, numbers or series.
    fn read_objects(&self, path: &Path) -> Option<Objects> {
        let size = path.metadata().ok()?.len();
        let bytes = may_be_read(size, &self.options).then(|| std::fs::read(path).ok())??;
        Objects::read(path, bytes)
    }

    /// Opens the arrays in a folder, or the one in a file with those that belong to it (`X.npy` with `y.npy`,
    /// `x_train.npy` with `y_train.npy` and the rest).
    ///
    /// # Errors
    /// [`DataError`] with the first file that cannot be read.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = std::fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        paths.retain(|p| extension(p) == "npy");
        paths.sort();
        let stem = |p: &Path| p.file_stem().and_then(|s| s.to_str()).unwrap_or("").to_owned();
        let has_other_words = |p: &Path| {
            // Files beside it belong to it only if their names hold no other words than the role of an array.
            let words = words_of(&stem(p));
            let known = |w: &String| Role::of_word(w).is_some() || ["x", "y", "group"].contains(&w.as_str());
            !words.iter().all(known)
        };
        if path.is_file() {
            if has_other_words(path) {
                paths = vec![path.into()];
            } else {
                // `X.npy` goes with `y.npy`, and `X_train.npy` with `y_train.npy` and the other splits.
                let divided = |p: &Path| words_of(&stem(p)).iter().any(|w| Role::of_word(w).is_some());
                paths.retain(|p| !has_other_words(p) && divided(p) == divided(path));
            }
        }
        let mut found = Self::empty(path, options);
        let several = paths.len() > 1;
        for file in paths {
            let name = stem(&file);
            match found.add(name.clone(), file.clone()) {
                // An array of another dtype matters only if it is asked for.
                Err(DataError::UnsupportedDtype { dtype, .. }) if several => {
                    let dtype = format!("of dtype {dtype}, which is not supported");
                    found.list.push(ArrayInfo { name: name.clone(), dtype, ..ArrayInfo::default() });
                    found.files.insert(name, file);
                }
                added => added?,
            }
        }
        Ok(found)
    }

    /// Opens the array in a file, without others beside it.
    ///
    /// # Errors
    /// As [`NpyFiles::open`].
    pub fn open_alone(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let name = data_set_name(path);
        let mut found = Self::empty(path, options);
        found.add(name, path.into())?;
        Ok(found)
    }

    /// Adds the array in a file under a name.
    fn add(&mut self, name: String, file: PathBuf) -> Result<(), DataError> {
        let info = match self.header(&file) {
            Ok((header, _)) => header.info(&name),
            Err(error) => {
                let objects = matches!(&error, DataError::UnsupportedDtype { dtype, .. } if dtype == "|O");
                let objects = objects.then(|| self.read_objects(&file)).flatten().ok_or(error)?;
                let info = objects.info(&name);
                self.objects.insert(name.clone(), objects);
                info
            }
        };
        self.list.push(info);
        self.files.insert(name, file);
        Ok(())
    }

    fn header(&self, path: &Path) -> Result<(NpyHeader, BufReader<File>), DataError> {
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        let size = file.metadata().map_err(|e| DataError::io(path, e))?.len();
        if size == 0 {
            return Err(DataError::empty_file(path));
        }
        let mut reader = BufReader::new(file);
        let header = NpyHeader::read(&mut reader).map_err(|e| refuse(path, e))?;
        let needed = header.count().map(|n| header.len as u128 + n as u128 * header.elem.size() as u128);
        if needed.is_none_or(|n| n > u128::from(size)) {
            let reason =
                format!("its header calls for an array of {:?}, more than its {size} bytes hold", header.shape);
            return Err(DataError::file(path, reason).with_hint("it may be cut short: copy or save it again"));
        }
        Ok((header, reader))
    }

    fn of(&self, name: &str) -> Result<(PathBuf, NpyHeader, BufReader<File>), DataError> {
        let Some(path) = self.files.get(name) else {
            return Err(DataError::at(&self.path, Location::Entry(name.into()), "there is no such array"));
        };
        let (header, reader) = self.header(path)?;
        Ok((path.clone(), header, reader))
    }
}

fn refuse(path: &Path, error: NpyError) -> DataError {
    match error {
        NpyError::Bad(reason) => DataError::file(path, reason),
        NpyError::Dtype(dtype) => DataError::UnsupportedDtype { path: path.into(), array: "array".into(), dtype },
        NpyError::Shape(reason) => DataError::file(path, reason)
            .with_hint("save an array of one axis, for example array.ravel() or array[:, 0]"),
    }
}

impl Container for NpyFiles {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> &str {
        if self.list.len() == 1 { "NumPy array (.npy)" } else { "NumPy arrays (.npy)" }
    }

    fn list(&self) -> &[ArrayInfo] {
        &self.list
    }

    fn numbers(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<(Array, bool), DataError> {
        if let Some(objects) = self.objects.get(name)
            && let Some(numbers) = objects.numbers(&self.path, name, subtract)?
        {
            return Ok(numbers);
        }
        let (path, header, mut reader) = self.of(name)?;
        check_memory(&path, name, header.count().unwrap_or(0) as u128, &self.options)?;
        let shift = subtract.map(|subtract| subtract.by_position(&header.shape, header.fortran));
        let data = header.read_less(&mut reader, shift.as_ref()).map_err(|e| refuse(&path, e))?;
        Ok((Array::new(header.shape, data), header.elem.is_integral()))
    }

    fn ragged(&self, name: &str) -> Option<Ragged> {
        self.objects.get(name)?.ragged()
    }

    fn holds_objects(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    fn file_backed(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<Option<Array>, DataError> {
        if self.objects.contains_key(name) {
            return Ok(None);
        }
        let (path, header, _) = self.of(name)?;
        let elements = header.count().unwrap_or(usize::MAX) as u128;
        if header.elem.is_text() || !stays_in_file(elements, self.options.in_memory) {
            return Ok(None);
        }
        let (start, shape) = (header.len as u64, header.shape.clone());
        let shift = subtract.map(|subtract| subtract.by_position(&shape, header.fortran));
        if !header.fortran {
            return file_rows::open(&path, start, header, shift);
        }
        // The elements of one row of a column-major array are spread over the file.
        let flat = NpyHeader { fortran: false, shape: vec![1, elements as usize], ..header };
        match file_rows::open(&path, start, flat, shift)? {
            Some(stored) => to_row_major(&stored, shape, &path, name, &self.options).map(Some),
            None => Ok(None),
        }
    }

    fn whole(&mut self, name: &str) -> Result<Option<Vec<i128>>, DataError> {
        if let Some(objects) = self.objects.get(name) {
            return Ok(objects.whole());
        }
        let (path, header, mut reader) = self.of(name)?;
        // Each takes as much memory as four f32.
        let elements = (header.count().unwrap_or(0) as u128).saturating_mul(4);
        check_memory(&path, name, elements, &self.options)?;
        header.read_whole(&mut reader).map_err(|e| refuse(&path, e))
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        if let Some(texts) = self.objects.get(name).and_then(Objects::texts) {
            return Ok(texts);
        }
        let (path, header, mut reader) = self.of(name)?;
        check_memory(&path, name, header.text_memory() as u128, &self.options)?;
        header.read_text(&mut reader).map_err(|e| refuse(&path, e))
    }
}
