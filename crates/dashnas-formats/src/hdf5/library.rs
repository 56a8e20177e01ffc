//! HDF5 by the library of the HDF Group, which reads what `hdf5-pure` does not support. Its bindings take one lock for
//! every call, because the library is not made for several threads, and keep its own messages from being printed.

use crate::hdf5::source::{Attributes, Data, Kind, Member, Members, Source, are_characters, is_truth_value};
use crate::hdf5::virtual_parts;
use hdf5_metno::dataset::Layout;
use hdf5_metno::datatype::ByteOrder;
use hdf5_metno::types::{
    EnumMember, EnumType, FixedAscii, FixedUnicode, FloatSize, IntSize, Reference, TypeDescriptor, VarLenAscii,
    VarLenUnicode,
};
use hdf5_metno::{
    Attribute, Container, Dataset, Datatype, Error, File, Group, H5Type, Hyperslab, IndexType, IterationOrder,
    LinkType, Location, LocationType, ObjectReference1, ReferencedObject, Selection, SliceOrIndex,
};
use hdf5_pure::AttrValue;
use ndarray::IxDyn;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsStr;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Bytes of texts that are read at once.
const TEXTS: usize = 1 << 22;
/// Deepest virtual data set whose parts are virtual as well.
const MAX_DEPTH: usize = 8;
/// Most elements of an attribute that is read.
const MAX_ATTRIBUTE: usize = 1 << 16;

/// A file that the library has opened.
pub(super) struct Library {
    file: File,
    /// The bytes of the files with parts of virtual data sets, once it is known that there are all.
    parts: Rc<OnceCell<Result<u64, String>>>,
}

/// A data set that the library has opened.
struct Open {
    data: Dataset,
    parts: Rc<OnceCell<Result<u64, String>>>,
}

/// Calls the library, and turns its errors and panics of its bindings into texts.
fn guard<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|e| checked(&e.to_string())),
        Err(_) => Err("it is damaged".into()),
    }
}

/// A name or a message as the bindings give it: they do not check that it is UTF-8.
fn checked(text: &str) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

impl Library {
    /// Opens the file at a path.
    ///
    /// # Errors
    /// The error of the library.
    pub fn open(path: &Path) -> Result<Self, String> {
        Ok(Self { file: guard(|| File::open(path))?, parts: Rc::default() })
    }

    fn group(&self, path: &str) -> Result<Group, String> {
        guard(|| self.file.group(if path.is_empty() { "/" } else { path }))
    }
}

impl Source for Library {
    fn members(&self, group: &str) -> Result<Members, String> {
        let group = self.group(group)?;
        let mut members = Members::default();
        for (name, link) in guard(|| group.links(IndexType::Name, IterationOrder::Increasing))? {
            match guard(|| group.loc_info_by_name(&name)) {
                Ok(info) if info.loc_type == LocationType::Dataset => {
                    let object = Some(format!("{} {:?}", info.fileno, info.token));
                    members.data.push(Member { name, object, link: link.link_type != LinkType::Hard });
                }
                Ok(info) if info.loc_type == LocationType::Group => members.groups.push(name),
                Ok(_) => {}
                Err(_) => members.broken.push(name),
            }
        }
        Ok(members)
    }

    fn attrs(&self, group: &str) -> Result<Attributes, String> {
        attributes(&*self.group(group)?)
    }

    fn data(&self, path: &str) -> Result<Box<dyn Data>, String> {
        Ok(Box::new(Open { data: guard(|| self.file.dataset(path))?, parts: Rc::clone(&self.parts) }))
    }
}

/// Reads the attributes that hold numbers or texts.
fn attributes(of: &Location) -> Result<Attributes, String> {
    let mut attributes = HashMap::new();
    for name in guard(|| of.attr_names())? {
        let value = guard(|| of.attr(&name)).and_then(|attribute| value_of(&attribute));
        if let Ok(Some(value)) = value {
            attributes.insert(name, value);
        }
    }
    Ok(attributes)
}

/// Reads an attribute; `None` if it holds neither numbers nor texts, or too many.
fn value_of(attribute: &Attribute) -> Result<Option<AttrValue>, String> {
    if attribute.size() > MAX_ATTRIBUTE {
        return Ok(None);
    }
    let dtype = guard(|| attribute.dtype())?;
    Ok(Some(match described(&dtype) {
        Ok(TypeDescriptor::Unsigned(IntSize::U8)) => AttrValue::U64Array(guard(|| attribute.read_raw())?),
        Ok(TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_)) => {
            AttrValue::I64Array(guard(|| attribute.read_raw())?)
        }
        Ok(TypeDescriptor::Float(_)) => AttrValue::F64Array(guard(|| attribute.read_raw())?),
        Ok(_) => match texts(attribute, None, usize::MAX)? {
            Some(texts) => AttrValue::StringArray(texts),
            None => return Ok(None),
        },
        Err(_) => return Ok(None),
    }))
}

/// Describes a type of elements.
fn described(dtype: &Datatype) -> Result<TypeDescriptor, String> {
    guard(|| dtype.to_descriptor())
}

/// Reads a range of rows of a data set, which has axes.
fn rows<T: H5Type>(data: &Container, rows: Range<usize>) -> Result<Vec<T>, String> {
    let mut axes = vec![SliceOrIndex::from(rows)];
    axes.resize(data.ndim(), SliceOrIndex::from(..));
    let selection = Selection::from(Hyperslab::from(axes));
    let array = guard(|| data.as_reader().read_slice::<T, _, IxDyn>(selection))?;
    Ok(array.into_raw_vec_and_offset().0)
}

/// Reads the texts of an attribute, or of a data set with so many rows, of at most `most` bytes together; `None` if it
/// holds something else. The library converts texts of a fixed length only to those of another fixed length.
fn texts(of: &Container, count: Option<usize>, most: usize) -> Result<Option<Vec<String>>, String> {
    macro_rules! fixed {
        ($text:ident, $size:expr) => {
            match $size {
                ..=16 => blocks::<$text<16>>(of, count, most),
                ..=256 => blocks::<$text<256>>(of, count, most),
                ..=4096 => blocks::<$text<4096>>(of, count, most),
                ..=65536 => blocks::<$text<65536>>(of, count, most),
                size => Err(format!("it holds texts of {size} bytes, where 65536 are the most")),
            }
        };
    }
    let dtype = guard(|| of.dtype())?;
    match described(&dtype)? {
        TypeDescriptor::VarLenAscii => blocks::<VarLenAscii>(of, count, most).map(Some),
        TypeDescriptor::VarLenUnicode => blocks::<VarLenUnicode>(of, count, most).map(Some),
        TypeDescriptor::FixedAscii(size) => fixed!(FixedAscii, size).map(Some),
        TypeDescriptor::FixedUnicode(size) => fixed!(FixedUnicode, size).map(Some),
        _ => Ok(None),
    }
}

/// Reads the texts of an attribute, or those of a data set in blocks of rows.
fn blocks<T: H5Type + AsRef<[u8]>>(of: &Container, count: Option<usize>, most: usize) -> Result<Vec<String>, String> {
    let (mut texts, mut bytes) = (Vec::new(), 0usize);
    let mut keep = |values: Vec<T>| {
        for value in &values {
            bytes = bytes.saturating_add(value.as_ref().len());
            texts.push(String::from_utf8_lossy(value.as_ref()).into_owned());
        }
        if bytes > most { Err(format!("its texts take more than {most} bytes")) } else { Ok(()) }
    };
    let Some(count) = count else {
        keep(guard(|| of.read_raw())?)?;
        return Ok(texts);
    };
    let step = (TEXTS / size_of::<T>()).clamp(1, 1 << 12);
    for first in (0..count).step_by(step) {
        keep(rows(of, first..count.min(first + step))?)?;
    }
    Ok(texts)
}

/// The value of a member of an enumeration, which the library gives as it is in the file.
fn value_in(of: &EnumType, member: &EnumMember, big: bool) -> i64 {
    let size = of.size as usize;
    let mut bytes = member.value.to_ne_bytes();
    if big {
        bytes[..size].reverse();
    }
    let unused = 64 - 8 * size as u32;
    let value = u64::from_le_bytes(bytes) << unused;
    if of.signed { (value as i64) >> unused } else { (value >> unused) as i64 }
}

impl Open {
    /// Reads a range of rows, or the only element of a data set without axes.
    fn rows<T: H5Type>(&self, range: Range<u64>) -> Result<Vec<T>, String> {
        let shape = Data::shape(self)?;
        let end = shape.first().map_or(0, |&n| range.end.min(n));
        let range = range.start.min(end) as usize..end as usize;
        if shape.is_empty() { guard(|| self.data.read_raw()) } else { rows(&self.data, range) }
    }
}

impl Data for Open {
    fn shape(&self) -> Result<Vec<u64>, String> {
        Ok(guard(|| self.data.space())?.shape().into_iter().map(|n| n as u64).collect())
    }

    fn kind(&self) -> Result<(Kind, String), String> {
        let dtype = guard(|| self.data.dtype())?;
        let bytes = dtype.size();
        let described = match described(&dtype) {
            Ok(described) => described,
            // Numbers of unusual sizes and layouts, which the library converts.
            Err(text) if text.contains("float") => {
                return Ok((Kind::Float { bytes }, format!("float of {} bits", bytes * 8)));
            }
            Err(text) if text.contains("integer") => {
                return Ok((Kind::Integer { bytes, signed: true }, format!("integer of {} bits", bytes * 8)));
            }
            Err(text) if text.contains("array") => return Ok((Kind::Arrays, text)),
            Err(text) => return Ok((Kind::Other, text)),
        };
        let (kind, name) = match &described {
            TypeDescriptor::Integer(_) => (Kind::Integer { bytes, signed: true }, format!("i{}", bytes * 8)),
            TypeDescriptor::Unsigned(_) => (Kind::Integer { bytes, signed: false }, format!("u{}", bytes * 8)),
            TypeDescriptor::Float(FloatSize::U4 | FloatSize::U8) => (Kind::Float { bytes }, format!("f{}", bytes * 8)),
            TypeDescriptor::Boolean => (Kind::Bool, "enum[FALSE, TRUE]".into()),
            TypeDescriptor::Enum(EnumType { size: IntSize::U1, members, .. })
                if members.iter().all(|m| is_truth_value(&m.name)) =>
            {
                (Kind::Bool, "enum[FALSE, TRUE]".into())
            }
            TypeDescriptor::Enum(_) => (Kind::Names, "enum".into()),
            TypeDescriptor::Compound(of) => {
                let fields: Vec<String> = of.fields.iter().map(|field| checked(&field.name)).collect();
                let name = format!("compound{{{}}}", fields.join(", "));
                (Kind::Compound(fields), name)
            }
            TypeDescriptor::FixedArray(..) => (Kind::Arrays, described.to_string()),
            TypeDescriptor::FixedAscii(_)
            | TypeDescriptor::FixedUnicode(_)
            | TypeDescriptor::VarLenAscii
            | TypeDescriptor::VarLenUnicode => (Kind::Text, "text".into()),
            TypeDescriptor::VarLenArray(_) => (Kind::Ragged, described.to_string()),
            TypeDescriptor::Reference(Reference::Object) => (Kind::References, described.to_string()),
            TypeDescriptor::Reference(_) => (Kind::Other, described.to_string()),
        };
        Ok((kind, name))
    }

    fn attrs(&self) -> Result<Attributes, String> {
        attributes(&self.data)
    }

    fn outside(&self) -> Result<u64, String> {
        match self.data.layout() {
            Layout::Virtual => self.parts.get_or_init(|| parts_of(Path::new(&self.data.filename()), 0)).clone(),
            _ => external(&self.data),
        }
    }

    fn chunk_rows(&self) -> Result<Option<u64>, String> {
        Ok(self.data.chunk().and_then(|chunk| chunk.first().map(|&n| n as u64)))
    }

    fn numbers(&self, kind: &Kind, range: Range<u64>) -> Result<Vec<f32>, String> {
        macro_rules! rounded {
            ($number:ty) => {
                self.rows::<$number>(range).map(|values| values.into_iter().map(|v| v as f32).collect())
            };
        }
        match kind {
            Kind::Bool => rounded!(u8),
            // The library rounds large numbers in ways of its own.
            Kind::Integer { bytes: 8, signed: false } => rounded!(u64),
            Kind::Integer { bytes, .. } if *bytes > 2 => rounded!(i64),
            Kind::Float { bytes } if *bytes > 4 => rounded!(f64),
            _ => self.rows(range),
        }
    }

    fn f64_rows(&self, kind: &Kind, range: Range<u64>) -> Result<Vec<f64>, String> {
        match kind {
            Kind::Bool => Ok(self.rows::<u8>(range)?.into_iter().map(f64::from).collect()),
            // The library rounds large numbers in ways of its own.
            Kind::Integer { bytes: 5.., signed: false } => {
                Ok(self.rows::<u64>(range)?.into_iter().map(|v| v as f64).collect())
            }
            Kind::Integer { bytes: 5.., .. } => Ok(self.rows::<i64>(range)?.into_iter().map(|v| v as f64).collect()),
            _ => self.rows(range),
        }
    }

    fn i64_rows(&self, range: Range<u64>) -> Result<Vec<i64>, String> {
        self.rows(range)
    }

    fn u64_rows(&self, range: Range<u64>) -> Result<Vec<u64>, String> {
        self.rows(range)
    }

    fn i64s(&self) -> Result<Vec<i64>, String> {
        guard(|| self.data.read_raw())
    }

    fn u64s(&self) -> Result<Vec<u64>, String> {
        guard(|| self.data.read_raw())
    }

    fn f64s(&self) -> Result<Vec<f64>, String> {
        guard(|| self.data.read_raw())
    }

    fn names(&self) -> Result<Vec<String>, String> {
        let dtype = guard(|| self.data.dtype())?;
        let TypeDescriptor::Enum(of) = described(&dtype)? else { return Err("it is not an enumeration".into()) };
        let big = dtype.byte_order() == ByteOrder::BigEndian;
        let names: HashMap<i64, String> =
            of.members.iter().map(|m| (value_in(&of, m, big), checked(&m.name))).collect();
        let name = |value: &i64| names.get(value).cloned();
        self.i64s()?.iter().map(|value| name(value).ok_or("a value is none of its names".to_owned())).collect()
    }

    fn texts(&self, most: usize) -> Result<Vec<String>, String> {
        let count = Data::shape(self)?.first().map(|&n| n as usize);
        texts(&self.data, count, most)?.ok_or("it does not hold texts".to_owned())
    }

    fn characters(&self) -> Result<Option<Vec<u8>>, String> {
        fn bytes<T: AsRef<[u8]>>(texts: Vec<T>) -> Vec<u8> {
            texts.iter().map(|text| text.as_ref().first().copied().unwrap_or(0)).collect()
        }
        let dtype = guard(|| self.data.dtype())?;
        match described(&dtype)? {
            TypeDescriptor::FixedAscii(1) => guard(|| self.data.read_raw::<FixedAscii<1>>()).map(bytes).map(Some),
            TypeDescriptor::FixedUnicode(1) => guard(|| self.data.read_raw::<FixedUnicode<1>>()).map(bytes).map(Some),
            _ => Ok(None),
        }
    }

    fn cells(&self, count: usize) -> Result<Vec<Option<Vec<u16>>>, String> {
        let cells: Vec<ObjectReference1> = guard(|| self.data.read_raw())?;
        let codes = |cell: &ObjectReference1| match guard(|| self.data.dereference(cell))? {
            ReferencedObject::Dataset(cell) if are_characters(&attributes(&cell)?) => {
                guard(|| cell.read_raw()).map(Some)
            }
            _ => Ok(None),
        };
        cells.iter().take(count).map(codes).collect()
    }
}

/// Returns the bytes of the other files that values of a data set are in (external storage). Fails if the library would
/// not find them, or if they are too short: it fills up with zeros.
fn external(data: &Dataset) -> Result<u64, String> {
    let files = guard(|| data.dcpl())?.external();
    if files.is_empty() {
        return Ok(0);
    }
    let folder = folder(Path::new(&data.filename()));
    let mut found = 0u64;
    for file in &files {
        let name = checked(&file.name);
        let place = match std::env::var_os("HDF5_EXTFILE_PREFIX") {
            Some(prefix) => prefixed(&prefix, &folder).join(&name),
            None => PathBuf::from(&name),
        };
        let Ok(facts) = std::fs::metadata(place) else {
            return Err(format!("a part of it is in the file `{name}`, which is not found"));
        };
        // The bindings give 0 for a part without an end.
        let most = if file.size == 0 { u64::MAX } else { file.size as u64 };
        found = found.saturating_add(facts.len().saturating_sub(file.offset as u64).min(most));
    }
    let count = guard(|| data.space())?.shape().into_iter().map(|n| n as u128).fold(1u128, u128::saturating_mul);
    let wanted = count.saturating_mul(guard(|| data.dtype())?.size() as u128);
    if u128::from(found) < wanted {
        let names = files.iter().map(|file| format!("`{}`", checked(&file.name))).collect::<Vec<_>>().join(", ");
        return Err(format!("a part of it is missing: it takes {wanted} bytes, of which {names} has {found}"));
    }
    Ok(found)
}

/// The folder of a file.
fn folder(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}

/// The folder that a prefix in an environment variable names, in which `${ORIGIN}` is the folder of the file.
fn prefixed(prefix: &OsStr, folder: &Path) -> PathBuf {
    prefix.to_string_lossy().replace("${ORIGIN}", &folder.to_string_lossy()).into()
}

/// Returns the bytes of the files with parts of the virtual data sets of a file. Fails if a part is not found: the library
/// takes fill values for it.
fn parts_of(path: &Path, depth: usize) -> Result<u64, String> {
    let parts = virtual_parts::of_file(path).map_err(|e| e.to_string())?;
    if parts.is_empty() {
        return Err("a part of it is missing: the file does not name the parts of its virtual data sets".into());
    }
    let mut files = BTreeMap::new();
    for (name, data) in BTreeSet::from_iter(parts) {
        // Numbered parts end where a number is missing, and their sizes are not known.
        if name.contains("%b") || data.contains("%b") {
            files.insert(folder(path), u64::MAX);
            continue;
        }
        let missing = || format!("a part of it is the data set `{data}` in the file `{name}`, which is not found");
        let places = if name == "." { vec![path.to_owned()] } else { places(&name, &folder(path)) };
        let place = places.into_iter().find(|place| place.is_file()).ok_or_else(missing)?;
        let part = guard(|| File::open(&place)?.dataset(&data)).map_err(|_| missing())?;
        let size = match part.layout() {
            Layout::Virtual if name == "." => 0,
            Layout::Virtual if depth >= MAX_DEPTH => return Err(missing()),
            Layout::Virtual => parts_of(&place, depth + 1)?,
            _ => external(&part)?,
        };
        let size = size.saturating_add(std::fs::metadata(&place).map_or(0, |facts| facts.len()));
        files.insert(place, size);
    }
    Ok(files.into_values().fold(0, u64::saturating_add))
}

/// The places where the library looks for the file of a part of a virtual data set.
fn places(name: &str, folder: &Path) -> Vec<PathBuf> {
    let name = Path::new(name);
    let mut places = Vec::new();
    if name.is_absolute() {
        places.push(name.to_owned());
    }
    let name = if name.is_absolute() { Path::new(name.file_name().unwrap_or_default()) } else { name };
    if let Some(prefixes) = std::env::var_os("HDF5_VDS_PREFIX") {
        places.extend(std::env::split_paths(&prefixes).map(|p| prefixed(p.as_os_str(), folder).join(name)));
    }
    places.extend([folder.join(name), name.to_owned()]);
    places
}
