//! The arrays of a file: what each holds, and how it is read.

use crate::hdf5::error::{guard, refusal};
use crate::info::{ArrayInfo, Refusal};
use hdf5_pure::{AttrValue, DType, Dataset, Datatype, Group, Layout, Object};
use std::collections::HashMap;

/// Deepest group that is searched, and most arrays that are listed.
const MAX_DEPTH: usize = 8;
const MAX_ARRAYS: usize = 10_000;
/// Most cells of a cell array of texts.
const MAX_CELLS: u64 = 100_000;

/// How the elements of an array are stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Storage {
    /// Numbers that the library converts.
    Numbers,
    /// Floating-point numbers of 16 bits; `true` if they are big-endian.
    Half(bool),
    /// Names, of which each element is one by its value in little-endian order.
    Names(HashMap<Vec<u8>, String>),
    /// Truth values, bytes of 0 and 1.
    Bool,
    /// Text of the format itself.
    Text,
    /// A character matrix of MATLAB: the codes of the characters.
    Characters,
    /// A cell array of MATLAB: references to character matrices of one row.
    Cells,
    /// A column of classes of AnnData: a number for each sample, and the names.
    Categories,
    /// A sparse matrix of AnnData, by rows or by columns.
    Sparse { by_rows: bool },
    /// Something else, which the refusal of the array describes.
    Nothing,
}

/// Numbers that stand for others, by the conventions of netCDF: `value * scale + offset`, and values that are missing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packing {
    pub scale: f64,
    pub offset: f64,
    pub missing: Vec<f64>,
}

impl Packing {
    /// Applies it to numbers of which all digits are kept.
    pub fn unpack_digits(&self, values: &mut [f64]) {
        for v in values {
            *v = if self.missing.contains(v) { f64::NAN } else { *v * self.scale + self.offset };
        }
    }

    /// Applies it to numbers.
    pub fn unpack(&self, values: &mut [f32]) {
        let missing: Vec<f32> = self.missing.iter().map(|&v| v as f32).collect();
        for v in values {
            *v = match missing.contains(v) {
                true => f32::NAN,
                false => (f64::from(*v) * self.scale + self.offset) as f32,
            };
        }
    }

    /// Returns whether it changes other than missing values.
    pub fn scales(&self) -> bool {
        self.scale != 1.0 || self.offset != 0.0
    }
}

/// An array of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub info: ArrayInfo,
    /// The path of the data set.
    pub path: String,
    pub storage: Storage,
    pub packing: Option<Packing>,
}

impl Entry {
    /// An entry that cannot be read.
    pub fn refused(path: &str, dtype: &str, refusal: Refusal) -> Self {
        let info = ArrayInfo::refused(path, dtype, refusal.reason, refusal.hint);
        Self { info, path: path.into(), storage: Storage::Nothing, packing: None }
    }
}

/// Lists the arrays of a group and of the groups in it.
///
/// # Errors
/// The error of the library, if the group itself cannot be read.
pub(super) fn visit(group: &Group, matlab: bool) -> Result<Vec<Entry>, String> {
    let mut list = Vec::new();
    inside(group, "", &mut Vec::new(), matlab, &mut list)?;
    Ok(list)
}

fn inside(
    group: &Group,
    prefix: &str,
    above: &mut Vec<(Vec<String>, Vec<String>)>,
    matlab: bool,
    list: &mut Vec<Entry>,
) -> Result<(), String> {
    let names = guard(|| group.datasets())?;
    let groups = guard(|| group.groups())?;
    let members = (names, groups);
    // A group with the same members as one above it is that group again: hard links may lead back.
    if above.contains(&members) && !members.1.is_empty() {
        return Ok(());
    }
    for name in &members.0 {
        let path = format!("{prefix}{name}");
        list.push(match guard(|| group.dataset(name)) {
            Ok(data) => entry(&path, &data, matlab),
            Err(text) => Entry::refused(&path, "unreadable", refusal(&text)),
        });
        if list.len() > MAX_ARRAYS {
            return Err("it holds too many arrays".into());
        }
    }
    if above.len() >= MAX_DEPTH {
        return Ok(());
    }
    let inner = members.1.clone();
    above.push(members);
    for name in inner {
        // MATLAB stores the contents of cells in groups of its own.
        if matlab && name.starts_with('#') {
            continue;
        }
        let path = format!("{prefix}{name}");
        let found = guard(|| group.group(&name)).and_then(|inner| {
            if matlab && guard(|| inner.attrs()).is_ok_and(|attrs| attrs.contains_key("MATLAB_sparse")) {
                let reason = "it is sparse, which is not supported in files of level 7.3".into();
                let refusal = Refusal { reason, hint: format!("save {name} = full({name})") };
                list.push(Entry::refused(&path, "sparse", refusal));
                return Ok(());
            }
            inside(&inner, &format!("{path}/"), above, matlab, list)
        });
        if let Err(text) = found {
            list.push(Entry::refused(&path, "a group that cannot be read", refusal(&text)));
        }
    }
    above.pop();
    Ok(())
}

/// Describes a data set.
fn entry(path: &str, data: &Dataset, matlab: bool) -> Entry {
    let facts = guard(|| Ok((data.shape()?, data.dtype()?, data.datatype()?)));
    let (shape, dtype, datatype) = match facts {
        Ok(facts) => facts,
        Err(text) => return Entry::refused(path, "unreadable", refusal(&text)),
    };
    let mut shape: Vec<usize> = shape.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
    if matlab {
        shape.reverse();
    }
    let attrs = guard(|| data.attrs()).unwrap_or_default();
    let class = attrs.get("MATLAB_class").and_then(AttrValue::as_str).unwrap_or("");
    let (storage, refused) = match storage(data, &dtype, datatype, class) {
        Ok(storage) => (storage, None),
        Err(refusal) => (Storage::Nothing, Some(refusal)),
    };
    let layout = guard(|| data.layout());
    let refused = match layout {
        Ok(Layout::Virtual) => Some(refusal("virtual (VDS)")),
        Err(text) => Some(refusal(&text)),
        Ok(_) => refused,
    };
    let text = matches!(storage, Storage::Text | Storage::Characters | Storage::Cells | Storage::Names(_));
    let packing = packing(&attrs);
    let source = dtype.clone();
    let dtype = match storage {
        _ if text => "text".into(),
        Storage::Half(_) => "f16".into(),
        _ if packing.as_ref().is_some_and(Packing::scales) => format!("{dtype} with scale_factor and add_offset"),
        _ => dtype.to_string(),
    };
    let wide = matches!(source, DType::F64 | DType::I32 | DType::U32 | DType::I64 | DType::U64)
        || packing.as_ref().is_some_and(Packing::scales);
    let axis = attrs.get("CLASS").and_then(AttrValue::as_str) == Some("DIMENSION_SCALE");
    let info = ArrayInfo { name: path.into(), shape, dtype, text, wide, axis, refused, ..ArrayInfo::default() };
    Entry { info, path: path.into(), storage, packing }
}

/// Returns how the elements of this type are read; `class` is that of MATLAB.
fn storage(data: &Dataset, dtype: &DType, datatype: Datatype, class: &str) -> Result<Storage, Refusal> {
    let refused = |reason: &str, hint: &str| {
        Err(Refusal { reason: format!("it is {reason}, which is not supported"), hint: hint.into() })
    };
    match class {
        "char" => return Ok(Storage::Characters),
        "string" | "categorical" => {
            return refused(&format!("a MATLAB {class} array"), "save text as a cell array: y = cellstr(y)");
        }
        "table" | "datetime" | "function_handle" => {
            return refused(&format!("a MATLAB {class}"), "save arrays of numbers or text");
        }
        _ => {}
    }
    match (dtype, datatype) {
        (DType::String | DType::VariableLengthString, _) => Ok(Storage::Text),
        (DType::Enum(_), Datatype::Enumeration { base_type, members, size }) => {
            let truth = |name: &str| name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false");
            if size == 1 && members.iter().all(|m| truth(&m.name)) {
                return Ok(Storage::Bool);
            }
            let _ = base_type;
            Ok(Storage::Names(members.into_iter().map(|m| (m.value, m.name)).collect()))
        }
        (DType::Other(_), Datatype::FloatingPoint { size: 2, byte_order, .. }) => {
            Ok(Storage::Half(byte_order == hdf5_pure::DatatypeByteOrder::BigEndian))
        }
        (
            DType::F32
            | DType::F64
            | DType::I8
            | DType::I16
            | DType::I32
            | DType::I64
            | DType::U8
            | DType::U16
            | DType::U32
            | DType::U64,
            _,
        ) => Ok(Storage::Numbers),
        (DType::ObjectReference, _) if class == "cell" => cells(data),
        (DType::ObjectReference, _) if class == "struct" => {
            refused("a struct array of MATLAB", "save its fields as arrays: X = cat(1, s.X); y = [s.y]'")
        }
        (DType::Compound(fields), _)
            if fields.len() == 2 && fields.iter().all(|(name, _)| COMPLEX.contains(&&**name)) =>
        {
            refused("complex", "save the real and the imaginary part as two channels")
        }
        (DType::Compound(_), _) => {
            refused("a table of records (a compound type)", "save each of its fields as an array of its own")
        }
        (DType::ObjectReference, _) => refused("an array of references", "save the arrays that they lead to"),
        (DType::Array(..), _) => refused("an array of arrays", "save one array with more axes"),
        (_, Datatype::VariableLength { .. }) => {
            refused("an array of rows of unequal length", "pad them to one length, or write them as a .ts file")
        }
        (other, _) => refused(&format!("of the type {other}"), "convert it to integers or floats"),
    }
}

/// The names of the parts of complex numbers, as h5py, MATLAB and others write them.
const COMPLEX: [&str; 6] = ["r", "i", "real", "imag", "re", "im"];

/// Checks that a cell array holds texts, by its first cell.
fn cells(data: &Dataset) -> Result<Storage, Refusal> {
    let other = || Refusal {
        reason: "it is a cell array of other than texts, which is not supported".into(),
        hint: "save one array: X = cat(1, X{:}), or series of unequal length as a .ts file".into(),
    };
    let count = guard(|| data.shape()).map_or(u64::MAX, |shape| shape.iter().product());
    if count > MAX_CELLS {
        return Err(other());
    }
    let first = guard(|| data.dereference()).map_err(|_| other())?.into_iter().next();
    match first {
        Some(Object::Dataset(cell)) if is_characters(&cell) => Ok(Storage::Cells),
        _ => Err(other()),
    }
}

/// Returns whether a data set is a character matrix of MATLAB.
pub(super) fn is_characters(data: &Dataset) -> bool {
    guard(|| data.attrs()).is_ok_and(|attrs| attrs.get("MATLAB_class").and_then(AttrValue::as_str) == Some("char"))
}

/// Returns the packing of the numbers, if the attributes tell one.
fn packing(attrs: &HashMap<String, AttrValue>) -> Option<Packing> {
    let number = |name: &str| attrs.get(name).and_then(|v| v.as_f64().or_else(|| v.as_i64().map(|v| v as f64)));
    let missing: Vec<f64> = ["_FillValue", "missing_value"].into_iter().filter_map(number).collect();
    let (scale, offset) = (number("scale_factor").unwrap_or(1.0), number("add_offset").unwrap_or(0.0));
    let packing = Packing { scale, offset, missing };
    (packing.scales() || !packing.missing.is_empty()).then_some(packing)
}
