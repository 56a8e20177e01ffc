//! Data sets in NumPy's `.npz` archives.
//!
//! An archive holds `x_train`, `y_train`, `x_test`, `y_test`, and may hold `x_val` with `y_val` and
//! `classes`, an array of names. Inputs are N×C×L or N×C×H×W of any bool, integer or float dtype,
//! in either byte order and either memory order; they become row-major `f32`, their values as they
//! stand. The kind of task follows from the targets as [`crate::data`] explains; other arrays are
//! ignored.
//!
//! Sizes are checked before memory is taken: against the limit of [`LoadOptions`], against the
//! bytes that are in the file, and against what deflate can do at best.

use super::arrays::{self, Container, Info};
use super::npy::{self, BLOCK, Header, NpyError};
use super::outside::{Outside, larger};
use super::raw::Raw;
use super::readers::name_of;
use super::spill::{Rows, turned};
use super::{Array, DataError, Dataset, Place, ReadOptions, Targets, assemble};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

/// How to read a data set.
pub type LoadOptions = ReadOptions;

/// Reads and checks the data set in the archive at `path`; its name is the file's without the
/// extension.
///
/// # Errors
/// A [`DataError`] that names the file, the array and the value.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    load_from(open(path)?, path, options)
}

/// The archive's bytes.
pub(crate) fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = File::open(path).map_err(|source| DataError::io(path, source))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(DataError::NotNpz { path: path.into(), reason: "it is a folder".into() });
    }
    Ok(BufReader::new(file))
}

/// [`load`] from any seekable bytes; `path` names them in errors and gives the set its name.
///
/// # Errors
/// As [`load`].
pub fn load_from(reader: impl Read + Seek, path: &Path, options: &LoadOptions) -> Result<Dataset, DataError> {
    let mut archive = Archive::open(reader, path, options)?;
    let raw = read(&mut archive, options, true)?;
    assemble::dataset(&path.display().to_string(), &name_of(path), raw)
}

/// What an archive holds. Arrays named as above are what they are said to be there; others are understood by
/// their names and shapes.
pub(crate) fn read<R: Read + Seek>(
    archive: &mut Archive<'_, R>,
    options: &LoadOptions,
    labelled: bool,
) -> Result<Raw, DataError> {
    let mut raw = arrays::read(archive, options, labelled)?;
    raw.renumber = false;
    raw.channels_first = archive.list.iter().any(|info| info.name == "x_train");
    Ok(raw)
}

/// An open archive with its memory budget.
pub(crate) struct Archive<'a, R> {
    zip: ZipArchive<R>,
    path: &'a Path,
    list: Vec<Info>,
    used: u128,
    options: ReadOptions,
}

/// Deflate makes at most 1032 bytes out of one.
const DEFLATE_MAX_RATIO: u128 = 1032;

impl<'a, R: Read + Seek> Archive<'a, R> {
    pub fn open(reader: R, path: &'a Path, options: &ReadOptions) -> Result<Self, DataError> {
        let zip =
            ZipArchive::new(reader).map_err(|e| DataError::NotNpz { path: path.into(), reason: e.to_string() })?;
        let mut archive = Self { zip, path, list: Vec::new(), used: 0, options: options.clone() };
        let entries = archive.zip.file_names().filter_map(Result::ok);
        let mut names: Vec<String> = entries.filter_map(|n| n.strip_suffix(".npy").map(str::to_owned)).collect();
        names.sort();
        for name in names {
            // An array that is damaged or of another dtype matters only if it is asked for.
            let found = archive.entry(&name, |header, _, _| Ok(header.info(&name)));
            archive.list.push(found.unwrap_or_else(|_| Info {
                name: name.clone(),
                shape: Vec::new(),
                dtype: "unreadable".into(),
                text: false,
            }));
        }
        Ok(archive)
    }

    /// Opens an entry and reads its header; gives both to `then`, with the entry's size in bytes.
    fn entry<T>(
        &mut self,
        name: &str,
        then: impl FnOnce(Header, &mut dyn Read, &mut Budget<'_>) -> Result<T, DataError>,
    ) -> Result<T, DataError> {
        let Some(index) = self.zip.index_for_name(&format!("{name}.npy")) else {
            return Err(DataError::at(self.path, Place::Entry(name.into()), "there is no such array"));
        };
        let mut budget = Budget { path: self.path, array: name, used: &mut self.used, limit: self.options.max_bytes };
        let mut entry = self.zip.by_index(index).map_err(|e| budget.bad(e.to_string()))?;
        let (size, packed) = (u128::from(entry.size()), u128::from(entry.compressed_size()));
        if size > packed.saturating_mul(DEFLATE_MAX_RATIO) + 1024 {
            return Err(budget.bad(format!("{packed} packed bytes cannot hold the {size} that it claims")));
        }
        let header = Header::read(&mut entry).map_err(|e| budget.refuse(e))?;
        let count = header.count().ok_or_else(|| budget.bad(format!("its shape {:?} overflows", header.shape)))?;
        let needed = header.len as u128 + count as u128 * header.elem.size() as u128;
        if needed != size {
            return Err(budget.bad(format!("its header calls for {needed} bytes, but it has {size}")));
        }
        then(header, &mut entry, &mut budget)
    }
}

impl<R: Read + Seek> Container for Archive<'_, R> {
    fn path(&self) -> &Path {
        self.path
    }

    fn format(&self) -> &str {
        "NumPy archive (.npz)"
    }

    fn list(&self) -> &[Info] {
        &self.list
    }

    fn numbers(&mut self, name: &str) -> Result<(Array, bool), DataError> {
        self.entry(name, |header, mut reader, budget| {
            budget.take(header.count().unwrap_or(0))?;
            let data = header.read_f32(&mut reader).map_err(|e| budget.refuse(e))?;
            // The checksum is compared when the end is reached.
            io::copy(&mut reader, &mut io::sink()).map_err(|e| budget.bad(e.to_string()))?;
            Ok((Array::new(header.shape, data), header.elem.is_integral()))
        })
    }

    fn outside(&mut self, name: &str) -> Result<Option<Array>, DataError> {
        let (options, path) = (self.options.clone(), self.path);
        let header = self.entry(name, |header, _, _| Ok(header))?;
        let elements = header.count().unwrap_or(usize::MAX) as u128;
        if matches!(header.elem, npy::Elem::Text(_)) || !larger(elements, options.in_memory) {
            return Ok(None);
        }
        let Some(index) = self.zip.index_for_name(&format!("{name}.npy")) else { return Ok(None) };
        let stored = match self.zip.by_index(index) {
            Ok(entry) if entry.compression() == CompressionMethod::Stored && path.is_file() => entry.data_start(),
            _ => None,
        };
        if let Some(start) = stored
            && let Some(array) = Outside::open(path, start + header.len as u64, header)?
        {
            return Ok(Some(array));
        }
        // Deflated arrays cannot be read from the middle.
        self.entry(name, |header, mut reader, budget| {
            let shape = if header.fortran { vec![1, elements as usize] } else { header.shape.clone() };
            let mut rows = Rows::new(path, name, shape, &options)?;
            let (mut left, mut bytes, mut block) = (elements as usize, Vec::new(), Vec::new());
            while left > 0 {
                let n = left.min(BLOCK);
                header.read_block(&mut reader, n, &mut bytes, &mut block).map_err(|e| budget.refuse(e))?;
                rows.push(&block)?;
                block.clear();
                left -= n;
            }
            io::copy(&mut reader, &mut io::sink()).map_err(|e| budget.bad(e.to_string()))?;
            let array = rows.array()?;
            match header.fortran {
                true => turned(&array, header.shape, path, name, &options).map(Some),
                false => Ok(Some(array)),
            }
        })
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        self.entry(name, |header, mut reader, budget| header.read_text(&mut reader).map_err(|e| budget.refuse(e)))
    }
}

/// What an array may still take, and how to complain about it.
struct Budget<'a> {
    path: &'a Path,
    array: &'a str,
    used: &'a mut u128,
    limit: u64,
}

impl Budget<'_> {
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
        }
    }
}

/// Writes a data set as an archive that [`load`] reads back the same: classes as int32, everything
/// else as float32 (masks and multi-labels as uint8).
///
/// The file is written in place; a caller who needs all or nothing writes elsewhere and renames.
///
/// # Errors
/// [`DataError::Io`].
pub fn save(set: &Dataset, path: &Path) -> Result<(), DataError> {
    let write = || -> io::Result<()> {
        let file = File::create(path)?;
        let mut zip = ZipWriter::new(io::BufWriter::new(file));
        let mut splits = vec![("train", &set.train), ("test", &set.test)];
        splits.extend(set.val.as_ref().map(|v| ("val", v)));
        for (part, split) in splits {
            let mut x = split.x.clone();
            x.load().map_err(io::Error::other)?;
            put(&mut zip, &format!("x_{part}"), "<f4", &x.shape, &le_bytes(&x.data))?;
            let name = format!("y_{part}");
            match &split.y {
                Targets::Classes(labels) => {
                    let bytes: Vec<u8> = labels.iter().flat_map(|&l| (l as i32).to_le_bytes()).collect();
                    put(&mut zip, &name, "<i4", &[labels.len()], &bytes)?;
                }
                Targets::Values(v) if mask(set) => {
                    let bytes: Vec<u8> = v.data.iter().map(|&b| b as u8).collect();
                    put(&mut zip, &name, "|u1", &v.shape, &bytes)?;
                }
                Targets::Values(v) => put(&mut zip, &name, "<f4", &v.shape, &le_bytes(&v.data))?,
            }
        }
        if let Some(names) = &set.classes {
            let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0).max(1);
            let mut bytes = Vec::new();
            for name in names {
                let padded = name.chars().map(|c| c as u32).chain(std::iter::repeat(0)).take(width);
                bytes.extend(padded.flat_map(u32::to_le_bytes));
            }
            put(&mut zip, "classes", &format!("<U{width}"), &[names.len()], &bytes)?;
        }
        zip.finish()?.into_inner().map_err(|e| e.into_error())?.sync_all()
    };
    write().map_err(|source| DataError::Io { path: PathBuf::from(path), source })
}

fn mask(set: &Dataset) -> bool {
    use crate::task::TaskKind;
    matches!(set.task, TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. })
}

pub(crate) fn le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Adds one array to an archive.
pub(crate) fn put<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    name: &str,
    descr: &str,
    shape: &[usize],
    bytes: &[u8],
) -> io::Result<()> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(bytes.len() as u64 >= u64::from(u32::MAX) / 2);
    zip.start_file(format!("{name}.npy"), options)?;
    npy::write(zip, descr, shape, bytes)
}

/// The arrays of these names in an archive, in this order.
///
/// # Errors
/// As [`load`].
pub(crate) fn arrays(path: &Path, names: &[&str]) -> Result<Vec<Array>, DataError> {
    let file = File::open(path).map_err(|source| DataError::Io { path: path.into(), source })?;
    let mut archive = Archive::open(BufReader::new(file), path, &LoadOptions::default())?;
    names.iter().map(|name| archive.numbers(name).map(|(array, _)| array)).collect()
}
