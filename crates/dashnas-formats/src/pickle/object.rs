//! The objects that a pickle is made of, and the functions that it may name.

use std::ops::Range;

/// The index of an object among those of its pickle.
pub(super) type Id = usize;

/// An object. Text and bytes are ranges of the file's bytes.
#[derive(Debug)]
pub(super) enum Object {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Bytes, or text in UTF-8 (Python 2 made no difference).
    Bytes(Range<usize>),
    /// Bytes or text that the file spells in another way.
    Owned(Vec<u8>),
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    /// A NumPy dtype in its short spelling, as `<f8`.
    Dtype(String),
    /// A NumPy array: its elements are bytes or, in an array of objects, a list.
    Array {
        shape: Vec<usize>,
        dtype: Id,
        fortran: bool,
        data: Id,
    },
    /// An array whose contents are not known yet.
    Unbuilt,
}

/// A function or type that a pickle of data may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// `_reconstruct(ndarray, …)`, which makes an empty array; its state follows.
    Reconstruct,
    /// The array type, an argument of `_reconstruct`.
    NdArray,
    /// `dtype(code, align, copy)`.
    Dtype,
    /// `scalar(dtype, bytes)`.
    Scalar,
    /// `_frombuffer(bytes, dtype, shape, order)`, of protocol 5.
    FromBuffer,
    /// `_codecs.encode(text, "latin1")`: how Python 3 writes bytes in protocol 2.
    Encode,
}

impl Global {
    /// Returns the function or type of this name, if it is supported.
    pub fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => Global::Reconstruct,
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => Global::Scalar,
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => Global::FromBuffer,
            ("numpy", "ndarray") => Global::NdArray,
            ("numpy", "dtype") => Global::Dtype,
            ("_codecs", "encode") => Global::Encode,
            _ => return None,
        })
    }
}
