//! A pickle in memory and the objects in it.

use crate::array::Array;
use crate::npy;
use crate::npy::NpyHeader;
use crate::pickle::error::PickleError;
use crate::pickle::machine::{self, Cause, Failure};
use crate::pickle::object::{Id, Object};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Most bytes of one pickle, unpacked.
pub const MAX_BYTES: u64 = 16 << 30;

/// A pickle whose objects have been built.
#[derive(Debug)]
pub struct Pickle {
    path: PathBuf,
    bytes: Vec<u8>,
    objects: Vec<Object>,
    root: Id,
}

impl Pickle {
    /// Reads a `.pkl` file, gzipped or not.
    ///
    /// # Errors
    /// [`PickleError`] if the file cannot be read or is not a pickle of data.
    pub fn read(path: &Path) -> Result<Self, PickleError> {
        let io = |source| PickleError::Io { path: path.into(), source };
        let mut file = BufReader::new(File::open(path).map_err(io)?);
        let start = io::BufRead::fill_buf(&mut file).map_err(io)?;
        let packed = start.starts_with(&[0x1f, 0x8b]);
        let mut bytes = Vec::new();
        let mut reader: Box<dyn Read> =
            if packed { Box::new(flate2::bufread::MultiGzDecoder::new(file)) } else { Box::new(file) };
        reader.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(io)?;
        Self::parse(path, bytes)
    }

    /// Reads a `.npy` file of Python objects, such as a dictionary that was given to `numpy.save`.
    ///
    /// # Errors
    /// [`PickleError`] if the file cannot be read, or if it holds numbers.
    pub fn read_npy(path: &Path) -> Result<Self, PickleError> {
        let bytes = std::fs::read(path).map_err(|source| PickleError::Io { path: path.into(), source })?;
        Self::parse_npy(path, bytes)
    }

    /// Reads the bytes of such a file; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Pickle::read_npy`].
    pub fn parse_npy(path: &Path, mut bytes: Vec<u8>) -> Result<Self, PickleError> {
        let body = npy_body(&bytes).map_err(|reason| PickleError::Bad { path: path.into(), at: 0, reason })?;
        bytes.drain(..body);
        Self::parse(path, bytes)
    }

    /// Reads a pickle from memory; `path` names it in errors.
    ///
    /// # Errors
    /// [`PickleError`] if the file cannot be read or is not a pickle of data.
    pub fn parse(path: &Path, bytes: Vec<u8>) -> Result<Self, PickleError> {
        if bytes.len() as u64 > MAX_BYTES {
            let reason = format!("it is larger than {MAX_BYTES} bytes");
            return Err(PickleError::Bad { path: path.into(), at: 0, reason });
        }
        match machine::run(&bytes) {
            Ok((objects, root)) => Ok(Self { path: path.into(), bytes, objects, root }),
            Err(Failure { at, cause: Cause::Bad(reason) }) => Err(PickleError::Bad { path: path.into(), at, reason }),
            Err(Failure { at, cause: Cause::Refused(name) }) => {
                Err(PickleError::Refused { path: path.into(), at, name })
            }
        }
    }

    /// The object that was pickled.
    pub fn root(&self) -> Item<'_> {
        Item::new(self, self.root)
    }
}

/// Returns the byte at which the pickle in a `.npy` file of objects begins.
fn npy_body(bytes: &[u8]) -> Result<usize, String> {
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("it does not begin as a NumPy array".into());
    }
    let (size, before) = match bytes.get(6..12) {
        Some([1, _, a, b, ..]) => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        Some([2 | 3, _, a, b, c, d]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        _ => return Err("it is cut short or of an unknown version".into()),
    };
    let header = bytes.get(before..before + size).ok_or("its header is cut short")?;
    if !String::from_utf8_lossy(header).contains("|O") {
        return Err("it is an array of numbers, where one of objects was expected".into());
    }
    Ok(before + size)
}

/// A reference to an object of a pickle.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pickle: &'a Pickle,
    id: Id,
}

impl<'a> Item<'a> {
    fn new(pickle: &'a Pickle, id: Id) -> Self {
        Self { pickle, id }
    }

    fn object(&self) -> &'a Object {
        &self.pickle.objects[self.id]
    }

    fn at(&self, id: Id) -> Self {
        Self { id, ..*self }
    }

    fn not(&self, wanted: &str) -> PickleError {
        PickleError::Other {
            path: self.pickle.path.clone(),
            wanted: format!("{} stands where {wanted} should", self.kind()),
        }
    }

    /// Returns the kind of the object in words, for messages.
    pub fn kind(&self) -> String {
        match self.object() {
            Object::None => "None".into(),
            Object::Bool(_) => "a truth value".into(),
            Object::Int(_) | Object::Float(_) => "a number".into(),
            Object::Bytes(_) | Object::Owned(_) => "text".into(),
            Object::List(items) | Object::Tuple(items) => format!("a list of {}", items.len()),
            Object::Dict(entries) => {
                let keys: Vec<_> = entries.iter().take(8).filter_map(|&(k, _)| self.at(k).text().ok()).collect();
                format!("a dictionary with the keys {}", keys.join(", "))
            }
            Object::Array { shape, .. } => format!("an array of shape {shape:?}"),
            Object::Global(_) | Object::Dtype(_) | Object::Unbuilt => "a type".into(),
        }
    }

    /// The bytes of text or bytes.
    fn raw(&self) -> Option<&'a [u8]> {
        match self.object() {
            Object::Bytes(range) => Some(&self.pickle.bytes[range.clone()]),
            Object::Owned(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text.
    ///
    /// # Errors
    /// [`PickleError::Other`] if it is none.
    pub fn text(&self) -> Result<String, PickleError> {
        self.raw().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).ok_or_else(|| self.not("text"))
    }

    /// The entry of a dictionary.
    ///
    /// # Errors
    /// [`PickleError::Other`] if it is no dictionary or lacks the key.
    pub fn get(&self, key: &str) -> Result<Item<'a>, PickleError> {
        let Object::Dict(entries) = self.object() else { return Err(self.not("a dictionary")) };
        // The last entry of a key is the one that Python would keep.
        let found = entries.iter().rev().find(|&&(k, _)| self.at(k).raw() == Some(key.as_bytes()));
        found.map(|&(_, v)| self.at(v)).ok_or_else(|| PickleError::Other {
            path: self.pickle.path.clone(),
            wanted: format!("`{key}` is missing from {}", self.kind()),
        })
    }

    /// The items of a list, tuple or array of objects.
    ///
    /// # Errors
    /// [`PickleError::Other`] if it is none of these.
    pub fn items(&self) -> Result<Vec<Item<'a>>, PickleError> {
        match self.object() {
            Object::List(items) | Object::Tuple(items) => Ok(items.iter().map(|&id| self.at(id)).collect()),
            Object::Array { data, .. } => match &self.pickle.objects[*data] {
                Object::List(items) => Ok(items.iter().map(|&id| self.at(id)).collect()),
                _ => Err(self.not("a list")),
            },
            _ => Err(self.not("a list")),
        }
    }

    /// The shape and the items of an array of objects, in row-major order; `None` if it is something else.
    pub fn objects(&self) -> Option<(Vec<usize>, Vec<Item<'a>>)> {
        let Object::Array { shape, .. } = self.object() else { return None };
        let items = self.items().ok()?;
        let count = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size));
        (count == Some(items.len())).then(|| (shape.clone(), items))
    }

    /// Returns whether it is `None`.
    pub fn is_none(&self) -> bool {
        matches!(self.object(), Object::None)
    }

    /// The whole number or truth value; `None` if it is something else.
    pub fn whole(&self) -> Option<i64> {
        match self.object() {
            Object::Int(value) => Some(*value),
            Object::Bool(value) => Some((*value).into()),
            _ => None,
        }
    }

    /// Returns the only item of a zero-dimensional array of objects, which `numpy.save` makes of a dictionary; any
    /// other object is returned as it is.
    pub fn unwrapped(&self) -> Item<'a> {
        match (self.object(), self.items()) {
            (Object::Array { shape, .. }, Ok(items)) if shape.is_empty() && items.len() == 1 => items[0],
            _ => *self,
        }
    }

    /// The number.
    ///
    /// # Errors
    /// [`PickleError::Other`] if it is none.
    pub fn number(&self) -> Result<f64, PickleError> {
        match self.object() {
            Object::Int(v) => Ok(*v as f64),
            Object::Float(v) => Ok(*v),
            Object::Bool(v) => Ok(f64::from(u8::from(*v))),
            _ => Err(self.not("a number")),
        }
    }

    /// The numbers of a NumPy array, or of a list of numbers, as `f32`.
    ///
    /// # Errors
    /// [`PickleError::Other`] if it is neither, or its bytes do not fit its shape.
    pub fn array(&self) -> Result<Array, PickleError> {
        let Object::Array { shape, dtype, fortran, data } = self.object() else {
            let numbers =
                self.items()?.iter().map(|item| item.number().map(|v| v as f32)).collect::<Result<Vec<_>, _>>()?;
            return Ok(Array::new(vec![numbers.len()], numbers));
        };
        let Some(raw) = self.at(*data).raw() else {
            let numbers =
                self.items()?.iter().map(|item| item.number().map(|v| v as f32)).collect::<Result<Vec<_>, _>>()?;
            if Some(numbers.len()) != shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s)) {
                return Err(self.not("as many items as its shape says"));
            }
            return Ok(Array::new(shape.clone(), numbers));
        };
        let Object::Dtype(descr) = &self.pickle.objects[*dtype] else { return Err(self.not("a typed array")) };
        let bad = |reason: String| PickleError::Other { path: self.pickle.path.clone(), wanted: reason };
        let (elem, big_endian) =
            npy::element(descr).map_err(|_| bad(format!("an array has the dtype {descr}, which is not supported")))?;
        let header = NpyHeader { elem, big_endian, fortran: *fortran, shape: shape.clone(), len: 0 };
        let count = header.count().filter(|n| n.checked_mul(elem.size()) == Some(raw.len()));
        if count.is_none() || elem.is_text() {
            return Err(bad(format!("an array of shape {shape:?} and dtype {descr} has {} bytes", raw.len())));
        }
        let data = header.read_f32(&mut &*raw).map_err(|e| bad(format!("an array cannot be read: {e:?}")))?;
        Ok(Array::new(header.shape, data))
    }
}
