//! What a pickle is made of, and how it is looked at.

use super::{Pickle, PickleError};
use crate::data::Array;
use crate::data::npy::{self, Header};
use std::ops::Range;

/// Place of an object in its pickle.
pub(super) type Id = usize;

/// One object. Text and bytes point into the file.
#[derive(Debug)]
pub(super) enum Object {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Bytes, or text in UTF-8 (Python 2 made no difference).
    Bytes(Range<usize>),
    /// Bytes or text that were spelt otherwise in the file.
    Owned(Vec<u8>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(super::globals::Global),
    /// A NumPy dtype in its short spelling, as `<f8`.
    Dtype(String),
    /// A NumPy array: its elements are bytes or, in an array of objects, a list.
    Array {
        shape: Vec<usize>,
        dtype: Id,
        fortran: bool,
        data: Id,
    },
    /// An array before its contents are known.
    Unbuilt,
}

/// An object of a pickle, to look at.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pickle: &'a Pickle,
    id: Id,
}

impl<'a> Item<'a> {
    pub(super) fn new(pickle: &'a Pickle, id: Id) -> Self {
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

    /// What it is, in words.
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

    /// The one item of a zero-dimensional array of objects (what `numpy.save` makes of a dictionary);
    /// anything else is itself.
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
        let header = Header { elem, big_endian, fortran: *fortran, shape: shape.clone(), len: 0 };
        let count = header.count().filter(|n| n.checked_mul(elem.size()) == Some(raw.len()));
        if count.is_none() || matches!(elem, npy::Elem::Text(_)) {
            return Err(bad(format!("an array of shape {shape:?} and dtype {descr} has {} bytes", raw.len())));
        }
        let data = header.read_f32(&mut &*raw).map_err(|e| bad(format!("an array cannot be read: {e:?}")))?;
        Ok(Array::new(header.shape, data))
    }
}
