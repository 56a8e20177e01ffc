//! NumPy arrays and the library's own.
//!
//! Arrays coming in are copied once, since they are read without the interpreter's lock, while Python could change
//! them. Arrays going out are handed over, not copied.

use dashnas_formats::array::Array;
use numpy::{IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// Any array, list or frame of numbers as an array of `f32`, as NumPy converts it.
///
/// # Errors
/// NumPy's, if it is none.
pub fn any_as_f32<'py>(x: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    if let Ok(found) = x.extract() {
        return Ok(found);
    }
    let numpy = x.py().import("numpy")?;
    Ok(numpy.call_method1("asarray", (x, numpy.getattr("float32")?))?.extract()?)
}

/// A row-major copy.
pub fn to_rust(x: &PyReadonlyArrayDyn<'_, f32>) -> Array {
    let shape = x.shape().to_vec();
    // A column-major array has a slice, too.
    let data = match x.as_slice() {
        Ok(data) if x.is_c_contiguous() => data.to_vec(),
        _ => x.as_array().iter().copied().collect(),
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
