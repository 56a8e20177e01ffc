//! HDF5 files, and MATLAB files of level 7.3, which are the same with reversed axes; netCDF 4 and AnnData are HDF5 as well.

mod ann_data;
mod error;
mod links;
mod list;

use crate::array::Array;
use crate::centers::{Shift, less, whole_less};
use crate::container::Container;
use crate::content::{content_of, wrong_content};
use crate::error::{DataError, Location};
use crate::hdf5::error::guard;
use crate::hdf5::links::{Links, WithoutLinks};
use crate::hdf5::list::{Entry, Storage};
use crate::info::{ArrayInfo, Refusal};
use crate::layout::row_major;
use crate::limits::{check_memory, stays_in_file};
use crate::npy::half_to_f32;
use crate::options::ReadOptions;
use crate::spill::{Rows, to_row_major};
use crate::subtract::Subtract;
use crate::text::rows_of_text;
use hdf5_pure::{DType, Dataset, File, Object, ReadSeekSource, VlenStringReadOptions};
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The arrays of an HDF5 file.
pub struct Hdf5 {
    path: PathBuf,
    file: File,
    list: Vec<ArrayInfo>,
    entries: Vec<Entry>,
    format: &'static str,
    matlab: bool,
    size: u64,
    options: ReadOptions,
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
        let opened = if links.in_tables() {
            let source = WithoutLinks::new(file, &links).map_err(io)?;
            guard(|| File::from_source(ReadSeekSource::new(source)?))
        } else {
            guard(|| File::open_streaming(path))
        };
        let file = opened.map_err(|text| error::of_file(path, &text))?;
        let root = file.root();
        let mut entries = list::visit(&root, matlab).map_err(|text| error::of_file(path, &text))?;
        entries.extend(linked(&links, &entries));
        let ann_data = ann_data::is_ann_data(path, &root);
        if ann_data {
            entries = ann_data::entries(path, &file, entries)?;
        }
        let format = match (matlab, ann_data) {
            (true, _) => "MATLAB file, level 7.3 (HDF5)",
            (_, true) => "AnnData file (.h5ad)",
            _ => "HDF5 file",
        };
        let list = entries.iter().map(|e| e.info.clone()).collect();
        Ok(Self { path: path.into(), file, list, entries, format, matlab, size, options: options.clone() })
    }

    /// The entry of an array that can be read.
    fn entry(&self, name: &str) -> Result<Entry, DataError> {
        let Some(entry) = self.entries.iter().find(|e| e.info.name == name).cloned() else {
            return Err(DataError::at(&self.path, Location::Entry(name.into()), "there is no such array"));
        };
        entry.info.readable(&self.path)?;
        Ok(entry)
    }

    /// Opens a data set that can be read.
    fn dataset(&self, name: &str) -> Result<(Dataset, Entry), DataError> {
        let entry = self.entry(name)?;
        let data = guard(|| self.file.dataset(&entry.path)).map_err(|text| self.refuse(name, &text))?;
        Ok((data, entry))
    }

    /// The limits of texts.
    fn limits(&self) -> VlenStringReadOptions {
        let bytes = usize::try_from(self.options.max_bytes).unwrap_or(usize::MAX);
        VlenStringReadOptions::default().with_max_payload_bytes(bytes)
    }

    fn refuse(&self, name: &str, text: &str) -> DataError {
        error::of_array(&self.path, name, text)
    }

    /// Returns the number of elements of an array, if the file can hold them.
    fn count(&self, info: &ArrayInfo) -> Result<u128, DataError> {
        let count = info.shape.iter().map(|&n| n as u128).try_fold(1u128, u128::checked_mul).unwrap_or(u128::MAX / 8);
        // Deflate expands one byte to at most 1032, so a larger shape is invalid.
        if count > u128::from(self.size) * 1032 * 8 {
            let reason = format!("its shape {:?} is too large for a file of {} bytes", info.shape, self.size);
            return Err(DataError::at(&self.path, Location::Entry(info.name.clone()), reason));
        }
        Ok(count)
    }

    /// Reads the `count` numbers of a range of rows, along the first axis in the file, less what belongs to their positions
    /// if something is to be subtracted; the first of them has the position that goes with it.
    fn relative(
        &self,
        data: &Dataset,
        entry: &Entry,
        rows: Range<u64>,
        count: u128,
        shift: Option<(&Shift, usize)>,
    ) -> Result<Vec<f32>, DataError> {
        let (Some((shift, first)), true) = (shift, entry.info.wide && entry.storage == Storage::Numbers) else {
            let mut values = self.values(data, entry, rows, count)?;
            if let Some((shift, first)) = shift {
                shift.apply(&mut values, first);
            }
            return Ok(values);
        };
        let (at, n) = (rows.start, rows.end - rows.start);
        macro_rules! relative {
            ($read:ident, $wide:ty, $less:ident) => {
                data.$read(at, n).map(|values| {
                    values.into_iter().zip(first..).map(|(v, at)| $less(<$wide>::from(v), shift.at(at))).collect()
                })
            };
        }
        let values: Result<Vec<f32>, String> = guard(|| match (&entry.packing, data.dtype()?) {
            (None, DType::I64) => relative!(read_i64_rows, i128, whole_less),
            (None, DType::U64) => relative!(read_u64_rows, i128, whole_less),
            (packing, _) => {
                let mut values = data.read_f64_rows(at, n)?;
                if let Some(packing) = packing {
                    packing.unpack_digits(&mut values);
                }
                Ok(values.into_iter().zip(first..).map(|(v, at)| less(v, shift.at(at))).collect())
            }
        });
        let values = values.map_err(|text| self.refuse(&entry.info.name, &text))?;
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
    fn values(&self, data: &Dataset, entry: &Entry, rows: Range<u64>, count: u128) -> Result<Vec<f32>, DataError> {
        let (at, n) = (rows.start, rows.end - rows.start);
        macro_rules! numbers {
            ($read:ident) => {
                data.$read(at, n).map(|v| v.iter().map(|&v| v as f32).collect())
            };
        }
        let values: Result<Vec<f32>, String> = guard(|| match (&entry.storage, data.dtype()?) {
            // h5py writes bool as an enumeration of one byte.
            (Storage::Bool, _) => Ok(data.read_raw_rows(at, n)?.iter().map(|&b| f32::from(b)).collect()),
            (Storage::Half(big), _) => {
                let raw = data.read_raw_rows(at, n)?;
                let half = |&b: &[u8; 2]| half_to_f32(if *big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) });
                Ok(raw.as_chunks::<2>().0.iter().map(half).collect())
            }
            (_, DType::F64) => numbers!(read_f64_rows),
            (_, DType::I64) => numbers!(read_i64_rows),
            (_, DType::U64) => numbers!(read_u64_rows),
            (_, DType::I32) => numbers!(read_i32_rows),
            (_, DType::U32) => numbers!(read_u32_rows),
            _ => data.read_f32_rows(at, n),
        });
        let mut values = values.map_err(|text| self.refuse(&entry.info.name, &text))?;
        self.check_count(entry, values.len(), count)?;
        if let Some(packing) = &entry.packing {
            packing.unpack(&mut values);
        }
        Ok(values)
    }

    /// Reads the names of an enumeration.
    fn names(&self, data: &Dataset, names: &HashMap<Vec<u8>, String>) -> Result<Vec<String>, String> {
        let raw = guard(|| data.read_raw())?;
        let size = names.keys().next().map_or(1, Vec::len).max(1);
        let name = |value: &[u8]| names.get(value).cloned().ok_or("a value is none of its names".to_owned());
        raw.chunks_exact(size).map(name).collect()
    }

    /// Reads the texts of the cells of MATLAB.
    fn cells(&self, data: &Dataset) -> Result<Vec<String>, String> {
        let text = |cell| match cell {
            Object::Dataset(cell) if list::is_characters(&cell) => {
                let codes = guard(|| cell.read_u16())?;
                let text = String::from_utf16_lossy(&codes);
                // An empty text is saved as two zeros, its sizes.
                Ok(text.trim_end_matches(['\0', ' ']).to_owned())
            }
            _ => Err("a cell holds something other than text".to_owned()),
        };
        guard(|| data.dereference())?.into_iter().map(text).collect()
    }
}

/// The entries that links stand for.
fn linked(links: &Links, entries: &[Entry]) -> Vec<Entry> {
    let soft = links.targets.iter().map(|(name, target)| {
        let target = links.resolve(name).unwrap_or(target);
        match entries.iter().find(|entry| entry.path == target) {
            Some(entry) => {
                let info = ArrayInfo { name: name.clone(), link: Some(entry.path.clone()), ..entry.info.clone() };
                Entry { info, ..entry.clone() }
            }
            None => {
                let reason = format!("it is a soft link to `/{target}`, where there is no array");
                Entry::refused(name, "a soft link", Refusal { reason, hint: "save the array under this name".into() })
            }
        }
    });
    let external = links.external.iter().map(|(name, file)| {
        let reason = format!("it is a link to another file, `{file}`, which is not supported");
        let hint = "save a copy in one file, in h5py: new['x'] = old['x'][...]".into();
        Entry::refused(name, "a link to another file", Refusal { reason, hint })
    });
    soft.chain(external).collect()
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

    fn numbers(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<(Array, bool), DataError> {
        let entry = self.entry(name)?;
        let shift = subtract.map(|subtract| subtract.by_position(&entry.info.shape, self.matlab));
        if let Storage::Sparse { by_rows } = entry.storage {
            let count = entry.info.shape.iter().map(|&n| n as u128).product();
            check_memory(&self.path, name, count, &self.options)?;
            let values = ann_data::full(&self.file, &entry.info.shape, by_rows, self.options.max_bytes / 8);
            let mut values = values.map_err(|text| self.refuse(name, &text))?;
            shift.iter().for_each(|shift| shift.apply(&mut values, 0));
            return Ok((Array::new(entry.info.shape, values), false));
        }
        let (data, entry) = self.dataset(name)?;
        let info = &entry.info;
        if info.text {
            return Err(DataError::at(&self.path, Location::Entry(name.into()), "it holds text, not numbers"));
        }
        let count = self.count(info)?;
        check_memory(&self.path, name, count, &self.options)?;
        let dtype = guard(|| data.dtype()).map_err(|text| self.refuse(name, &text))?;
        let floats = matches!(dtype, DType::F32 | DType::F64) || matches!(entry.storage, Storage::Half(_));
        let mut integral = !floats && !entry.packing.as_ref().is_some_and(|packing| packing.scales());
        let mut values = self.relative(&data, &entry, 0..u64::MAX, count, shift.as_ref().map(|shift| (shift, 0)))?;
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
        let (data, entry) = self.dataset(name)?;
        check_memory(&self.path, name, self.count(&entry.info)?, &self.options)?;
        let of_floats = |values: Vec<f64>| {
            let whole = |v: f64| (v.fract() == 0.0 && v.abs() < 2f64.powi(100)).then_some(v as i128);
            values.into_iter().map(whole).collect::<Option<Vec<i128>>>()
        };
        let whole = guard(|| match data.dtype()? {
            DType::U64 => Ok(Some(data.read_u64()?.into_iter().map(i128::from).collect())),
            DType::F32 | DType::F64 => Ok(of_floats(data.read_f64()?)),
            _ => Ok(Some(data.read_i64()?.into_iter().map(i128::from).collect())),
        });
        whole.map_err(|text| self.refuse(name, &text))
    }

    fn file_backed(&mut self, name: &str, subtract: Option<&Subtract>) -> Result<Option<Array>, DataError> {
        if matches!(self.entry(name)?.storage, Storage::Sparse { .. }) {
            return Ok(None);
        }
        let (data, entry) = self.dataset(name)?;
        let info = &entry.info;
        let count = self.count(info)?;
        if info.text || info.shape.len() < 2 || !stays_in_file(count, self.options.in_memory) {
            return Ok(None);
        }
        let chunks = guard(|| data.chunk_shape()).map_err(|text| self.refuse(name, &text))?;
        // MATLAB's axes are reversed in the file, and the samples last there.
        let stored: Vec<usize> =
            if self.matlab { info.shape.iter().rev().copied().collect() } else { info.shape.clone() };
        let (rows, width) = (stored[0], stored[1..].iter().product::<usize>());
        let chunk = chunks.and_then(|c| usize::try_from(*c.first()?).ok()).unwrap_or(1).max(1);
        // Whole chunks, so that none is decompressed twice.
        let block = (BLOCK / width.max(1) / chunk).max(1).saturating_mul(chunk);
        let shift = subtract.map(|subtract| subtract.by_position(&info.shape, self.matlab));
        let mut out = Rows::new(&self.path, name, stored, &self.options)?;
        let mut first = 0;
        while first < rows {
            let n = block.min(rows - first);
            let range = first as u64..(first + n) as u64;
            let shift = shift.as_ref().map(|shift| (shift, first * width));
            out.push(&self.relative(&data, &entry, range, n as u128 * width as u128, shift)?)?;
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
        if entry.storage == Storage::Categories {
            check_memory(&self.path, name, self.count(&entry.info)?.saturating_mul(8), &self.options)?;
            let names = ann_data::categories(&self.file, &entry.path, self.limits());
            return names.map_err(|text| self.refuse(name, &text));
        }
        let (data, entry) = self.dataset(name)?;
        let info = &entry.info;
        let count = self.count(info)?;
        // A text takes as much memory as a few numbers.
        check_memory(&self.path, name, count.saturating_mul(8), &self.options)?;
        if entry.storage == Storage::Text && info.shape.len() == 2 && info.shape[1] > 1 {
            // netCDF keeps text as rows of single characters.
            let single = guard(|| Ok((data.dtype()?, data.element_size()?)));
            if single.is_ok_and(|(dtype, size)| dtype == DType::String && size == 1) {
                let raw = guard(|| data.read_raw()).map_err(|text| self.refuse(name, &text))?;
                let row = |row: &[u8]| String::from_utf8_lossy(row).trim_end_matches(['\0', ' ']).to_owned();
                return Ok(raw.chunks_exact(info.shape[1]).map(row).collect());
            }
        }
        if entry.storage != Storage::Characters && info.shape.iter().filter(|&&n| n != 1).count() > 1 {
            let reason =
                format!("it holds text in the shape {:?}, where one text for each sample is needed", info.shape);
            return Err(
                DataError::at(&self.path, Location::Entry(name.into()), reason).with_hint("save an array of one axis")
            );
        }
        let texts = match &entry.storage {
            Storage::Names(names) => self.names(&data, names),
            Storage::Cells => self.cells(&data),
            Storage::Characters => {
                return Ok(rows_of_text(&info.shape, &self.values(&data, &entry, 0..u64::MAX, count)?));
            }
            _ => guard(|| match data.dtype()? {
                DType::VariableLengthString => data.read_vlen_strings(self.limits()),
                _ => data.read_string(),
            }),
        };
        texts.map_err(|text| self.refuse(name, &text))
    }
}
