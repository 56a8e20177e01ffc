//! The arrays of a file: what each holds, and how it is read.

use crate::hdf5::error::{is_unsupported, or_build, refusal};
use crate::hdf5::source::{Attributes, Data, Kind, Member, Members, Source};
use crate::info::{ArrayInfo, Refusal};
use hdf5_pure::AttrValue;
use std::collections::BTreeMap;

/// Deepest group that is searched, and most arrays that are listed.
const MAX_DEPTH: usize = 8;
const MAX_ARRAYS: usize = 10_000;
/// Most cells of a cell array of texts.
const MAX_CELLS: u128 = 100_000;

/// How the elements of an array are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Storage {
    /// Numbers and truth values.
    Numbers,
    /// Names of an enumeration.
    Names,
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
    /// The bytes of other files that hold values.
    pub outside: u64,
    /// Whether the library could not open it.
    pub failed: bool,
    /// Whether it is refused for what another library may support.
    pub unsupported: bool,
    /// Whether the library of the HDF Group reads it.
    pub by_library: bool,
}

impl Entry {
    /// An entry.
    pub fn new(info: ArrayInfo, path: &str, storage: Storage) -> Self {
        Self {
            info,
            path: path.into(),
            storage,
            packing: None,
            outside: 0,
            failed: false,
            unsupported: false,
            by_library: false,
        }
    }

    /// An entry that cannot be read.
    pub fn refused(path: &str, dtype: &str, refusal: Refusal) -> Self {
        let info = ArrayInfo::refused(path, dtype, refusal.reason, refusal.hint);
        Self::new(info, path, Storage::Nothing)
    }

    /// An entry for which the library has an error.
    fn failed(path: &str, dtype: &str, text: &str) -> Self {
        Self { failed: true, unsupported: is_unsupported(text), ..Self::refused(path, dtype, refusal(text)) }
    }
}

/// Lists the arrays of a file.
///
/// # Errors
/// The error of the library, if the root group itself cannot be read.
pub(super) fn visit(file: &dyn Source, matlab: bool) -> Result<Vec<Entry>, String> {
    let mut walk =
        Walk { file, matlab, above: Vec::new(), list: Vec::new(), objects: BTreeMap::new(), links: Vec::new() };
    walk.inside("")?;
    let Walk { mut list, objects, links, .. } = walk;
    // A link to an array in the list is another name of that array.
    for (at, object) in links {
        list[at].info.link = objects.get(&object).cloned();
    }
    Ok(list)
}

/// A walk over the groups of a file.
struct Walk<'a> {
    file: &'a dyn Source,
    matlab: bool,
    /// The members of the groups above.
    above: Vec<Members>,
    list: Vec<Entry>,
    /// The path of each object that is no link.
    objects: BTreeMap<String, String>,
    /// The place in the list and the object of each link.
    links: Vec<(usize, String)>,
}

impl Walk<'_> {
    fn inside(&mut self, group: &str) -> Result<(), String> {
        let members = self.file.members(group)?;
        // A group with the same members as one above it is that group again: links may lead back.
        if self.above.contains(&members) && !members.groups.is_empty() {
            return Ok(());
        }
        let prefix = if group.is_empty() { String::new() } else { format!("{group}/") };
        for Member { name, object, link } in &members.data {
            let path = format!("{prefix}{name}");
            match object {
                Some(object) if *link => self.links.push((self.list.len(), object.clone())),
                Some(object) => {
                    self.objects.entry(object.clone()).or_insert_with(|| path.clone());
                }
                None => {}
            }
            self.list.push(match self.file.data(&path) {
                Ok(data) => entry(&path, &*data, self.matlab),
                Err(text) => Entry::failed(&path, "unreadable", &text),
            });
            if self.list.len() > MAX_ARRAYS {
                return Err("it holds too many arrays".into());
            }
        }
        for name in &members.broken {
            let refusal = Refusal {
                reason: "it is a link to an object that is not there".into(),
                hint: "save the array under this name, or bring back the file that it leads to".into(),
            };
            self.list.push(Entry::refused(&format!("{prefix}{name}"), "a link", refusal));
        }
        if self.above.len() >= MAX_DEPTH {
            return Ok(());
        }
        let inner = members.groups.clone();
        self.above.push(members);
        for name in inner {
            // MATLAB stores the contents of cells in groups of its own.
            if self.matlab && name.starts_with('#') {
                continue;
            }
            let path = format!("{prefix}{name}");
            if self.matlab && self.file.attrs(&path).is_ok_and(|attrs| attrs.contains_key("MATLAB_sparse")) {
                let reason = "it is sparse, which is not supported in files of level 7.3".into();
                let refusal = Refusal { reason, hint: format!("save {name} = full({name})") };
                self.list.push(Entry::refused(&path, "sparse", refusal));
            } else if let Err(text) = self.inside(&path) {
                self.list.push(Entry::failed(&path, "a group that cannot be read", &text));
            }
        }
        self.above.pop();
        Ok(())
    }
}

/// Describes a data set.
fn entry(path: &str, data: &dyn Data, matlab: bool) -> Entry {
    let (shape, (kind, type_name)) = match data.shape().and_then(|shape| Ok((shape, data.kind()?))) {
        Ok(facts) => facts,
        Err(text) => return Entry::failed(path, "unreadable", &text),
    };
    let mut shape: Vec<usize> = shape.iter().map(|&n| usize::try_from(n).unwrap_or(usize::MAX)).collect();
    if matlab {
        shape.reverse();
    }
    let attrs = data.attrs().unwrap_or_default();
    let (storage, mut refused) = match storage(data, &kind, &type_name, &attrs) {
        Ok(storage) => (storage, None),
        Err(refusal) => (Storage::Nothing, Some(refusal)),
    };
    let mut unsupported = kind == Kind::Other;
    let outside = data.outside().unwrap_or_else(|text| {
        (refused, unsupported) = (Some(refusal(&text)), is_unsupported(&text));
        0
    });
    let text = matches!(storage, Storage::Text | Storage::Characters | Storage::Cells | Storage::Names);
    let packing = packing(&attrs);
    let wide = kind.is_wide() || packing.as_ref().is_some_and(Packing::scales);
    let dtype = match kind {
        _ if text => "text".into(),
        Kind::Half => "f16".into(),
        _ if packing.as_ref().is_some_and(Packing::scales) => format!("{type_name} with scale_factor and add_offset"),
        _ => type_name,
    };
    let axis = attrs.get("CLASS").and_then(AttrValue::as_str) == Some("DIMENSION_SCALE");
    let info = ArrayInfo { name: path.into(), shape, dtype, text, wide, axis, refused, ..ArrayInfo::default() };
    Entry { packing, outside, unsupported, ..Entry::new(info, path, storage) }
}

/// Returns how the elements of this type are read.
fn storage(data: &dyn Data, kind: &Kind, type_name: &str, attrs: &Attributes) -> Result<Storage, Refusal> {
    let refused = |reason: &str, hint: &str| {
        Err(Refusal { reason: format!("it is {reason}, which is not supported"), hint: hint.into() })
    };
    let class = attrs.get("MATLAB_class").and_then(AttrValue::as_str).unwrap_or("");
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
    match kind {
        Kind::Text => Ok(Storage::Text),
        Kind::Names => Ok(Storage::Names),
        Kind::Integer { .. } | Kind::Float { .. } | Kind::Half | Kind::Bool => Ok(Storage::Numbers),
        Kind::References if class == "cell" => cells(data),
        Kind::References if class == "struct" => {
            refused("a struct array of MATLAB", "save its fields as arrays: X = cat(1, s.X); y = [s.y]'")
        }
        Kind::References => refused("an array of references", "save the arrays that they lead to"),
        Kind::Compound(fields) if fields.len() == 2 && fields.iter().all(|name| COMPLEX.contains(&&**name)) => {
            refused("complex", "save the real and the imaginary part as two channels")
        }
        Kind::Compound(_) => {
            refused("a table of records (a compound type)", "save each of its fields as an array of its own")
        }
        Kind::Arrays => refused("an array of arrays", "save one array with more axes"),
        Kind::Ragged => {
            refused("an array of rows of unequal length", "pad them to one length, or write them as a .ts file")
        }
        Kind::Other => refused(&format!("of the type {type_name}"), &or_build("convert it to integers or floats")),
    }
}

/// The names of the parts of complex numbers, as h5py, MATLAB and others write them.
const COMPLEX: [&str; 6] = ["r", "i", "real", "imag", "re", "im"];

/// Checks that a cell array holds texts, by its first cell.
fn cells(data: &dyn Data) -> Result<Storage, Refusal> {
    let other = || Refusal {
        reason: "it is a cell array of other than texts, which is not supported".into(),
        hint: "save one array: X = cat(1, X{:}), or series of unequal length as a .ts file".into(),
    };
    let count = data.shape().map_or(u128::MAX, |shape| shape.iter().map(|&n| u128::from(n)).product());
    if count > MAX_CELLS {
        return Err(other());
    }
    match data.cells(1).map_err(|_| other())?.first() {
        Some(Some(_)) => Ok(Storage::Cells),
        _ => Err(other()),
    }
}

/// Returns the packing of the numbers, if the attributes tell one.
fn packing(attrs: &Attributes) -> Option<Packing> {
    let number = |name: &str| attrs.get(name).and_then(|v| v.as_f64().or_else(|| v.as_i64().map(|v| v as f64)));
    let missing: Vec<f64> = ["_FillValue", "missing_value"].into_iter().filter_map(number).collect();
    let (scale, offset) = (number("scale_factor").unwrap_or(1.0), number("add_offset").unwrap_or(0.0));
    let packing = Packing { scale, offset, missing };
    (packing.scales() || !packing.missing.is_empty()).then_some(packing)
}
