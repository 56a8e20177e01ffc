//! NumPy arrays and the library's own.
//!
//! Arrays coming in are copied once, since they are read without the interpreter's lock, while Python could change
//! them. Arrays going out are handed over, not copied.

use dashnas_formats::array::Array;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// A row-major copy.
pub fn to_rust(x: &PyReadonlyArrayDyn<'_, f32>) -> Array {
    let shape = x.shape().to_vec();
    let data = match x.as_slice() {
        Ok(data) => data.to_vec(),
        Err(_) => x.as_array().iter().copied().collect(),
    };
    Array::new(shape, data)
}

/// The array itself, now Python's.
pub fn to_python(py: Python<'_>, array: Array) -> PyResult<Bound<'_, PyArrayDyn<f32>>> {
    vector_to_python(py, array.data, array.shape)
}

/// Elements of the given shape, now Python's.
pub fn vector_to_python(py: Python<'_>, data: Vec<f32>, shape: Vec<usize>) -> PyResult<Bound<'_, PyArrayDyn<f32>>> {
    data.into_pyarray(py).reshape(shape)
}
