//! Data sets in NumPy's `.npz` archives.
//!
//! An archive holds `x_train`, `y_train`, `x_test`, `y_test`, and may hold `x_val` with `y_val` and `classes`, an array
//! of names. Inputs are N×C×L or N×C×H×W of any bool, integer or float dtype, in either byte order and either memory
//! order; they become row-major `f32` with the same values. The kind of task follows from the targets; other arrays are
//! ignored.
//!
//! Sizes are checked before memory is allocated: against the limit in [`ReadOptions`], against the size of the file,
//! and against the best ratio of deflate.

use crate::array::Array;
use crate::container;
use crate::container::Container;
use crate::error::{DataError, Location};
use crate::file_rows;
use crate::found::UnassembledData;
use crate::info::ArrayInfo;
use crate::limits::stays_in_file;
use crate::npy::{BLOCK, NpyError, NpyHeader};
use crate::npy_objects::{Objects, may_be_read};
use crate::options::ReadOptions;
use crate::ragged::Ragged;
use crate::spill::{Rows, to_row_major};
use crate::subtract::Subtract;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// Opens the file of an archive.
///
/// # Errors
/// [`DataError`] if it cannot be opened or is a folder.
pub fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::io(path, source))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(DataError::NotNpz { path: path.into(), reason: "it is a folder".into() });
    }
    Ok(BufReader::new(file))
}

/// Reads the data set in the archive at `path`.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_file(path: &Path, options: &ReadOptions, labeled: bool) -> Result<UnassembledData, DataError> {
    read(&mut Archive::open(open(path)?, path, options)?, options, labeled)
}

/// Reads the data set in an archive. Arrays with the names above are used as described there; the use of others
/// follows from their names and shapes.
///
/// # Errors
/// [`DataError`] with the file and the array.
pub fn read<R: Read + Seek>(
    archive: &mut Archive<'_, R>,
    options: &ReadOptions,
    labeled: bool,
) -> Result<UnassembledData, DataError> {
    let mut raw = container::read(archive, options, labeled)?;
    raw.channels_first = archive.channels_first();
    Ok(raw)
}

/// An open archive with its memory check.
pub struct Archive<'a, R> {
    zip: ZipArchive<R>,
    path: &'a Path,
    list: Vec<ArrayInfo>,
    /// The arrays of objects that are texts, numbers or series.
    objects: HashMap<String, Objects>,
    /// Bytes that the arrays read so far take.
    used: u128,
    options: ReadOptions,
}

/// The dtype of arrays of objects.
const OBJECTS: &str = "|O";

/// Deflate makes at most 1032 bytes out of one.
const DEFLATE_MAX_RATIO: u128 = 1032;

impl<'a, R: Read + Seek> Archive<'a, R> {
    /// Lists the arrays of an archive; `path` names it in errors.
    ///
    /// # Errors
    /// [`DataError::NotNpz`] if it is not a zip archive.
    pub fn open(reader: R, path: &'a Path, options: &ReadOptions) -> Result<Self, DataError> {
        let zip =
            ZipArchive::new(reader).map_err(|e| DataError::NotNpz { path: path.into(), reason: e.to_string() })?;
        let mut archive =
            Self { zip, path, list: Vec::new(), objects: HashMap::new(), used: 0, options: options.clone() };
        let entries = archive.zip.file_names().filter_map(Result::ok);
        let mut names: Vec<String> = entries.filter_map(|n| n.strip_suffix(".npy").map(str::to_owned)).collect();
        names.sort();
        for name in names {
            // An array that is damaged or of another dtype matters only if it is asked for.
            let mut found = archive.entry(&name, |header, _, _| Ok(header.info(&name)));
            if let Err(DataError::UnsupportedDtype { dtype, .. }) = &found
                && dtype == OBJECTS
                && let Some(objects) = archive.read_objects(&name)
            {
                found = Ok(objects.info(&name));
                archive.objects.insert(name.clone(), objects);
            }
            archive.list.push(found.unwrap_or_else(|error| ArrayInfo {
                name: name.clone(),
                dtype: match error {
                    DataError::UnsupportedDtype { dtype, .. } => format!("of dtype {dtype}, which is not supported"),
                    _ => "unreadable".into(),
                },
                ..ArrayInfo::default()
            }));
        }
        Ok(archive)
    }

    /// Reads an array of objects, if they are texts, numbers or series.
    fn read_objects(&mut self, name: &str) -> Option<Objects> {
        let mut entry = self.zip.by_name(&format!("{name}.npy")).ok()?;
        let (size, packed) = (entry.size(), u128::from(entry.compressed_size()));
        if !may_be_read(size, &self.options) || u128::from(size) > packed.saturating_mul(DEFLATE_MAX_RATIO) + 1024 {
            return None;
        }
        let mut bytes = Vec::new();
        // The checksum is compared when the end is reached.
        entry.read_to_end(&mut bytes).ok().and_then(|_| Objects::read(self.path, bytes))
    }

    /// Opens an entry, reads its header and checks its size, and passes them to `then`.
    fn entry<T>(
        &mut self,
        name: &str,
        then: impl FnOnce(NpyHeader, &mut dyn Read, &mut ArrayCheck<'_>) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let Some(index) = self.zip.index_for_name(&format!("{name}.npy")) else {
            return Err(DataError::at(self.path, Location::Entry(name.into()), "there is no such array"));
        };
        let mut check =
            ArrayCheck { path: self.path, array: name, used: &mut self.used, limit: self.options.max_bytes };
        let mut entry = self.zip.by_index(index).map_err(|e| check.bad(e.to_string()))?;
        let (size, packed) = (u128::from(entry.size()), u128::from(entry.compressed_size()));
        if size > packed.saturating_mul(DEFLATE_MAX_RATIO) + 1024 {
            return Err(check.bad(format!("{packed} compressed bytes cannot hold the {size} that it claims")));
        }
        let header = NpyHeader::read(&mut entry).map_err(|e| check.refuse(e))?;
        let count = header.count().ok_or_else(|| check.bad(format!("its shape {:?} overflows", header.shape)))?;
        let needed = header.len as u128 + count as u128 * header.elem.size() as u128;
        if needed != size {
            return Err(check.bad(format!("its header calls for {needed} bytes, but it has {size}")));
        }
        then(header, &mut entry, &mut check)
    }
}

impl<R: Read + Seek> Container for Archive<'_, R> {
    fn path(&self) -> &Path {
        self.path
    }

    fn format(&self) -> &str {
        "NumPy archive (.npz)"
    }

    fn list(&self) -> &[ArrayInfo] {
        &self.list
    }

    fn numbers(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<(Array, bool), DataError> {
        if let Some(objects) = self.objects.get(name)
            && let Some(numbers) = objects.numbers(self.path, name, subtract)?
        {
            return Ok(numbers);
        }
        self.entry(name, |header, mut reader, check| {
            check.take(header.count().unwrap_or(0))?;
            let shift = subtract.map(|subtract| subtract.by_position(&header.shape, header.fortran));
            let data = header.read_less(&mut reader, shift.as_ref()).map_err(|e| check.refuse(e))?;
            // The checksum is compared when the end is reached.
            io::copy(&mut reader, &mut io::sink()).map_err(|e| check.bad(e.to_string()))?;
            Ok((Array::new(header.shape, data), header.elem.is_integral()))
        })
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
        let (options, path) = (self.options.clone(), self.path);
        let header = self.entry(name, |header, _, _| Ok(header))?;
        let elements = header.count().unwrap_or(usize::MAX) as u128;
        if header.elem.is_text() || !stays_in_file(elements, options.in_memory) {
            return Ok(None);
        }
        let shift = subtract.map(|subtract| subtract.by_position(&header.shape, header.fortran));
        let Some(index) = self.zip.index_for_name(&format!("{name}.npy")) else { return Ok(None) };
        let stored = match self.zip.by_index(index) {
            Ok(entry) if entry.compression() == CompressionMethod::Stored && path.is_file() => entry.data_start(),
            _ => None,
        };
        if let Some(start) = stored
            && let Some(array) = file_rows::open(path, start + header.len as u64, header, shift.clone())?
        {
            return Ok(Some(array));
        }
        // Deflated arrays cannot be read from the middle.
        self.entry(name, |header, mut reader, check| {
            let shape = if header.fortran { vec![1, elements as usize] } else { header.shape.clone() };
            let mut rows = Rows::new(path, name, shape, &options)?;
            let (mut left, mut bytes, mut block) = (elements as usize, Vec::new(), Vec::new());
            while left > 0 {
                let n = left.min(BLOCK);
                let shift = shift.as_ref().map(|shift| (shift, elements as usize - left));
                header.read_block(&mut reader, n, &mut bytes, &mut block, shift).map_err(|e| check.refuse(e))?;
                rows.push(&block)?;
                block.clear();
                left -= n;
            }
            io::copy(&mut reader, &mut io::sink()).map_err(|e| check.bad(e.to_string()))?;
            let array = rows.array()?;
            match header.fortran {
                true => to_row_major(&array, header.shape, path, name, &options).map(Some),
                false => Ok(Some(array)),
            }
        })
    }

    fn channels_first(&self) -> bool {
        self.list.iter().any(|info| info.name == "x_train")
    }

    fn numbered_labels(&self) -> bool {
        true
    }

    fn whole(&mut self, name: &str) -> Result<Option<Vec<i128>>, DataError> {
        if let Some(objects) = self.objects.get(name) {
            return Ok(objects.whole());
        }
        self.entry(name, |header, mut reader, check| {
            // Each takes as much memory as four f32.
            check.take(header.count().unwrap_or(0).saturating_mul(4))?;
            header.read_whole(&mut reader).map_err(|e| check.refuse(e))
        })
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        if let Some(texts) = self.objects.get(name).and_then(Objects::texts) {
            return Ok(texts);
        }
        self.entry(name, |header, mut reader, check| {
            check.take(header.text_memory())?;
            header.read_text(&mut reader).map_err(|e| check.refuse(e))
        })
    }
}

/// The memory that an array may still take, and the errors that name it.
struct ArrayCheck<'a> {
    path: &'a Path,
    array: &'a str,
    used: &'a mut u128,
    limit: u64,
}

impl ArrayCheck<'_> {
    fn take(&mut self, elements: usize) -> Result<(), DataError> {
        *self.used += elements as u128 * 4;
        if *self.used <= u128::from(self.limit) {
            return Ok(());
        }
        let (bytes, limit) = (*self.used, self.limit);
        Err(DataError::TooLarge { path: self.path.into(), array: self.array.into(), bytes, limit })
    }

    fn bad(&self, reason: String) -> DataError {
        DataError::BadArray { path: self.path.into(), array: self.array.into(), reason }
    }

    fn refuse(&self, error: NpyError) -> DataError {
        match error {
            NpyError::Bad(reason) => self.bad(reason),
            NpyError::Dtype(dtype) => {
                DataError::UnsupportedDtype { path: self.path.into(), array: self.array.into(), dtype }
            }
            NpyError::Shape(reason) => DataError::at(self.path, Location::Entry(self.array.into()), reason)
                .with_hint("save an array of one axis, for example array.ravel() or array[:, 0]"),
        }
    }
}

/// Reads the arrays of these names from an archive, in this order.
///
/// # Errors
/// [`DataError`] with the file and the array.
pub fn arrays(path: &Path, names: &[&str]) -> Result<Vec<Array>, DataError> {
    let mut archive = Archive::open(open(path)?, path, &ReadOptions::default())?;
    names.iter().map(|name| archive.numbers(name, None).map(|(array, _)| array)).collect()
}
