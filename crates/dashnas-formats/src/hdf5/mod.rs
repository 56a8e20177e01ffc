//! HDF5 files, and MATLAB files of level 7.3, which are the same with reversed axes; netCDF 4 and AnnData are HDF5 as well.

mod ann_data;
mod error;
mod libraries;
#[cfg(feature = "hdf5")]
mod library;
mod links;
mod list;
mod pure;
mod source;
#[cfg(feature = "hdf5")]
mod virtual_parts;

use crate::array::Array;
use crate::centers::{Shift, less, whole_less};
use crate::container::Container;
use crate::content::{content_of, wrong_content};
use crate::error::{DataError, Location};
use crate::hdf5::libraries::Libraries;
use crate::hdf5::list::{Entry, Storage};
use crate::hdf5::source::{Data, Kind, Source};
use crate::info::ArrayInfo;
use crate::layout::row_major;
use crate::limits::{check_memory, stays_in_file};
use crate::options::ReadOptions;
use crate::spill::{Rows, to_row_major};
use crate::subtract::Subtract;
use crate::text::rows_of_text;
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The arrays of an HDF5 file.
pub struct Hdf5 {
    path: PathBuf,
    libraries: Libraries,
    list: Vec<ArrayInfo>,
    entries: Vec<Entry>,
    format: &'static str,
    matlab: bool,
    size: u64,
    options: ReadOptions,
    /// The arrays that the library of the HDF Group has read.
    by_library: BTreeSet<String>,
}

/// Numbers that are read at once of an array that does not fit into memory.
const BLOCK: usize = 1 << 22;

impl Hdf5 {
    /// Opens a file and lists its arrays.
    ///
    /// # Errors
    /// [`DataError`] if it is not an HDF5 file.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let io = |e| DataError::io(path, e);
        let mut file = std::fs::File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        if size == 0 {
            return Err(DataError::empty_file(path));
        }
        let mut start = Vec::new();
        Read::by_ref(&mut file).take(520).read_to_end(&mut start).map_err(io)?;
        let matlab = start.starts_with(b"MATLAB 7.3");
        if start.starts_with(b"CDF") {
            return Err(DataError::file(path, "it is a netCDF 3 file, which is not supported")
                .with_hint("convert it to netCDF 4: nccopy -k nc4 old.nc new.nc"));
        }
        if let (false, Some(found)) = (start.starts_with(b"\x89HDF") || matlab, content_of(&start)) {
            return Err(wrong_content(path, "an HDF5 file", found));
        }
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let links = links::find(&mut file);
        let opened = Libraries::open(path, file, &links, matlab);
        let (libraries, mut entries) = opened.map_err(|text| error::of_file(path, &text))?;
        entries.extend(links.to_arrays(&entries));
        Self::new(path, libraries, entries, matlab, size, options)
    }

    /// Opens the same file by the library of the HDF Group, which follows links that [`Hdf5::open`] passes over.
    /// Returns `None` if the program was built without the library, or if it does not read the file.
    pub(crate) fn by_library(self) -> Option<Self> {
        let (libraries, entries) = Libraries::open_by_library(&self.path, self.matlab)?;
        Self::new(&self.path, libraries, entries, self.matlab, self.size, &self.options).ok()
    }

    /// The container of these arrays.
    fn new(
        path: &Path,
        mut libraries: Libraries,
        mut entries: Vec<Entry>,
        matlab: bool,
        size: u64,
        options: &ReadOptions,
    ) -> Result<Self, DataError> {
        let mut ann_data = false;
        if let Some(file) = libraries.first() {
            ann_data = ann_data::is_ann_data(path, file);
            if ann_data {
                entries = ann_data::entries(path, file, entries)?;
            }
        }
        let format = match (matlab, ann_data) {
            (true, _) => "MATLAB file, level 7.3 (HDF5)",
            (_, true) => "AnnData file (.h5ad)",
            _ => "HDF5 file",
        };
        let list = entries.iter().map(|e| e.info.clone()).collect();
        Ok(Self {
            path: path.into(),
            libraries,
            list,
            entries,
            format,
            matlab,
            size,
            options: options.clone(),
            by_library: BTreeSet::new(),
        })
    }

    /// The entry of an array that can be read.
    fn entry(&self, name: &str) -> Result<Entry, DataError> {
        let Some(entry) = self.entries.iter().find(|e| e.info.name == name).cloned() else {
            return Err(DataError::at(&self.path, Location::Entry(name.into()), "there is no such array"));
        };
        entry.info.readable(&self.path)?;
        Ok(entry)
    }

    /// Reads something of an array.
    fn read<T>(&mut self, entry: &Entry, read: impl Fn(&dyn Data) -> Result<T, String>) -> Result<T, DataError> {
        self.read_file(entry, |file| {
            let data = file.data(&entry.path)?;
            data.outside()?;
            read(&*data)
        })
    }

    /// Reads something of the file for an array.
    fn read_file<T>(&mut self, entry: &Entry, read: impl Fn(&dyn Source) -> Result<T, String>) -> Result<T, DataError> {
        let name = &entry.info.name;
        let Some(entry) = self.entries.iter_mut().find(|e| e.info.name == *name) else {
            return Err(DataError::at(&self.path, Location::Entry(name.clone()), "there is no such array"));
        };
        let value = self.libraries.read(entry, read).map_err(|text| error::of_array(&self.path, name, &text))?;
        if entry.by_library {
            self.by_library.insert(name.clone());
        }
        Ok(value)
    }

    /// The most bytes of texts.
    fn text_limit(&self) -> usize {
        usize::try_from(self.options.max_bytes).unwrap_or(usize::MAX)
    }

    /// Returns the number of elements of an array, if the file can hold them.
    fn count(&self, entry: &Entry) -> Result<u128, DataError> {
        let info = &entry.info;
        let count = info.shape.iter().map(|&n| n as u128).try_fold(1u128, u128::checked_mul).unwrap_or(u128::MAX / 8);
        let size = self.size.saturating_add(entry.outside);
        // Deflate expands one byte to at most 1032, so a larger shape is invalid.
        if count > u128::from(size) * 1032 * 8 {
            let reason = format!("its shape {:?} is too large for a file of {size} bytes", info.shape);
            return Err(DataError::at(&self.path, Location::Entry(info.name.clone()), reason));
        }
        Ok(count)
    }

    /// Reads the `count` numbers of a range of rows, along the first axis in the file, less what belongs to their positions
    /// if something is to be subtracted; the first of them has the position that goes with it.
    fn relative(
        &mut self,
        entry: &Entry,
        rows: Range<u64>,
        count: u128,
        shift: Option<(&Shift, usize)>,
    ) -> Result<Vec<f32>, DataError> {
        let (Some((shift, first)), true) = (shift, entry.info.wide && entry.storage == Storage::Numbers) else {
            let mut values = self.values(entry, rows, count)?;
            if let Some((shift, first)) = shift {
                shift.apply(&mut values, first);
            }
            return Ok(values);
        };
        macro_rules! relative {
            ($values:expr, $wide:ty, $less:ident) => {
                $values.into_iter().zip(first..).map(|(v, at)| $less(<$wide>::from(v), shift.at(at))).collect()
            };
        }
        let values: Vec<f32> = self.read(entry, |data| {
            let (kind, rows) = (data.kind()?.0, rows.clone());
            Ok(match (&entry.packing, &kind) {
                (None, Kind::Integer { bytes: 5.., signed: true }) => {
                    relative!(data.i64_rows(rows)?, i128, whole_less)
                }
                (None, Kind::Integer { bytes: 5.., signed: false }) => {
                    relative!(data.u64_rows(rows)?, i128, whole_less)
                }
                (packing, _) => {
                    let mut values = data.f64_rows(&kind, rows)?;
                    if let Some(packing) = packing {
                        packing.unpack_digits(&mut values);
                    }
                    relative!(values, f64, less)
                }
            })
        })?;
        self.check_count(entry, values.len(), count)?;
        Ok(values)
    }

    /// Refuses another number of values than the shape of an array has.
    fn check_count(&self, entry: &Entry, found: usize, count: u128) -> Result<(), DataError> {
        if found as u128 == count {
            return Ok(());
        }
        let reason = format!("it has {found} values, not the {count} of its shape {:?}", entry.info.shape);
        Err(DataError::at(&self.path, Location::Entry(entry.info.name.clone()), reason))
    }

    /// Reads the `count` numbers of a range of rows, along the first axis in the file.
    fn values(&mut self, entry: &Entry, rows: Range<u64>, count: u128) -> Result<Vec<f32>, DataError> {
        let mut values = self.read(entry, |data| data.numbers(&data.kind()?.0, rows.clone()))?;
        self.check_count(entry, values.len(), count)?;
        if let Some(packing) = &entry.packing {
            packing.unpack(&mut values);
        }
        Ok(values)
    }

    /// Reads the texts of the cells of MATLAB.
    fn cells(&mut self, entry: &Entry) -> Result<Vec<String>, DataError> {
        let text = |codes: Option<Vec<u16>>| match codes {
            // An empty text is saved as two zeros, its sizes.
            Some(codes) => Ok(String::from_utf16_lossy(&codes).trim_end_matches(['\0', ' ']).to_owned()),
            None => Err("a cell holds something other than text".to_owned()),
        };
        self.read(entry, |data| data.cells(usize::MAX)?.into_iter().map(text).collect())
    }
}

impl Container for Hdf5 {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> &str {
        self.format
    }

    fn list(&self) -> &[ArrayInfo] {
        &self.list
    }

    fn samples_may_be_last(&self) -> bool {
        self.matlab
    }

    fn notes(&self) -> Vec<String> {
        let names = self.by_library.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
        let (names, are, their) = match &names[..] {
            [] => return Vec::new(),
            [one] => (one.clone(), "is", "its"),
            _ => (names.join(", "), "are", "their"),
        };
        let library = libraries::library_name();
        vec![format!("{names} {are} read by {library}, because {their} form is not supported otherwise")]
    }

    fn numbers(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<(Array, bool), DataError> {
        let entry = self.entry(name)?;
        let shift = subtract.map(|subtract| subtract.by_position(&entry.info.shape, self.matlab));
        let info = &entry.info;
        if let Storage::Sparse { by_rows } = entry.storage {
            let count = info.shape.iter().map(|&n| n as u128).product();
            check_memory(&self.path, name, count, &self.options)?;
            let most = self.options.max_bytes / 8;
            let mut values = self.read_file(&entry, |file| ann_data::full(file, &info.shape, by_rows, most))?;
            shift.iter().for_each(|shift| shift.apply(&mut values, 0));
            return Ok((Array::new(info.shape.clone(), values), false));
        }
        if info.text {
            return Err(DataError::at(&self.path, Location::Entry(name.into()), "it holds text, not numbers"));
        }
        let count = self.count(&entry)?;
        check_memory(&self.path, name, count, &self.options)?;
        let (kind, _) = self.read(&entry, |data| data.kind())?;
        let floats = matches!(kind, Kind::Float { .. } | Kind::Half);
        let mut integral = !floats && !entry.packing.as_ref().is_some_and(|packing| packing.scales());
        let mut values = self.relative(&entry, 0..u64::MAX, count, shift.as_ref().map(|shift| (shift, 0)))?;
        if self.matlab {
            values = row_major(&info.shape, &values);
            integral |= values.iter().all(|v| v.fract() == 0.0);
        }
        Ok((Array::new(info.shape.clone(), values), integral))
    }

    fn whole(&mut self, name: &str) -> Result<Option<Vec<i128>>, DataError> {
        let entry = self.entry(name)?;
        if entry.storage != Storage::Numbers || entry.packing.is_some() {
            return Ok(None);
        }
        check_memory(&self.path, name, self.count(&entry)?, &self.options)?;
        let of_floats = |values: Vec<f64>| {
            let whole = |v: f64| (v.fract() == 0.0 && v.abs() < 2f64.powi(100)).then_some(v as i128);
            values.into_iter().map(whole).collect::<Option<Vec<i128>>>()
        };
        self.read(&entry, |data| {
            Ok(match data.kind()?.0 {
                Kind::Integer { bytes: 8, signed: false } => Some(data.u64s()?.into_iter().map(i128::from).collect()),
                Kind::Integer { .. } => Some(data.i64s()?.into_iter().map(i128::from).collect()),
                Kind::Float { .. } => of_floats(data.f64s()?),
                _ => None,
            })
        })
    }

    fn file_backed(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<Option<Array>, DataError> {
        let entry = self.entry(name)?;
        let info = &entry.info;
        if matches!(entry.storage, Storage::Sparse { .. }) {
            return Ok(None);
        }
        let count = self.count(&entry)?;
        if info.text || info.shape.len() < 2 || !stays_in_file(count, self.options.in_memory) {
            return Ok(None);
        }
        let chunk = self.read(&entry, |data| data.chunk_rows())?;
        // MATLAB's axes are reversed in the file, and the samples last there.
        let stored: Vec<usize> =
            if self.matlab { info.shape.iter().rev().copied().collect() } else { info.shape.clone() };
        let (rows, width) = (stored[0], stored[1..].iter().product::<usize>());
        let chunk = chunk.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(1).max(1);
        // Whole chunks, so that none is decompressed twice.
        let block = (BLOCK / width.max(1) / chunk).max(1).saturating_mul(chunk);
        let shift = subtract.map(|subtract| subtract.by_position(&info.shape, self.matlab));
        let mut out = Rows::new(&self.path, name, stored, &self.options)?;
        let mut first = 0;
        while first < rows {
            let n = block.min(rows - first);
            let range = first as u64..(first + n) as u64;
            let shift = shift.as_ref().map(|shift| (shift, first * width));
            out.push(&self.relative(&entry, range, n as u128 * width as u128, shift)?)?;
            first += n;
        }
        let out = out.array()?;
        match self.matlab {
            true => to_row_major(&out, info.shape.clone(), &self.path, name, &self.options).map(Some),
            false => Ok(Some(out)),
        }
    }

    fn text(&mut self, name: &str) -> Result<Vec<String>, DataError> {
        let entry = self.entry(name)?;
        let (info, most) = (&entry.info, self.text_limit());
        let count = self.count(&entry)?;
        // A text takes as much memory as a few numbers.
        check_memory(&self.path, name, count.saturating_mul(8), &self.options)?;
        if entry.storage == Storage::Categories {
            return self.read_file(&entry, |file| ann_data::categories(file, &entry.path, most));
        }
        if entry.storage == Storage::Text && info.shape.len() == 2 && info.shape[1] > 1 {
            // netCDF keeps text as rows of single characters.
            if let Some(bytes) = self.read(&entry, |data| data.characters())? {
                let row = |row: &[u8]| String::from_utf8_lossy(row).trim_end_matches(['\0', ' ']).to_owned();
                return Ok(bytes.chunks_exact(info.shape[1]).map(row).collect());
            }
        }
        if entry.storage != Storage::Characters && info.shape.iter().filter(|&&n| n != 1).count() > 1 {
            let reason =
                format!("it holds text in the shape {:?}, where one text for each sample is needed", info.shape);
            return Err(
                DataError::at(&self.path, Location::Entry(name.into()), reason).with_hint("save an array of one axis")
            );
        }
        match &entry.storage {
            Storage::Names => self.read(&entry, |data| data.names()),
            Storage::Cells => self.cells(&entry),
            Storage::Characters => Ok(rows_of_text(&info.shape, &self.values(&entry, 0..u64::MAX, count)?)),
            _ => self.read(&entry, |data| data.texts(most)),
        }
    }
}
