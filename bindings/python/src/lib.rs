//! The native half of the Python package `dashnas`: training, trained models and the operator, on NumPy arrays.
//!
//! Everything long runs without the interpreter's lock. The estimators, and what is documented to users, are in
//! `python/dashnas`.

mod arrays;
mod errors;
mod fit;
mod json;
mod model;
mod operator;
mod watch;

use pyo3::prelude::*;

/// Sets how many threads everything computes on; results do not depend on it. Can be called once, before anything
/// was computed.
///
/// # Errors
/// `RuntimeError` if the threads are running already.
#[pyfunction]
fn set_threads(n: usize) -> PyResult<()> {
    if n == 0 {
        return Err(pyo3::exceptions::PyValueError::new_err("at least one thread is needed"));
    }
    rayon::ThreadPoolBuilder::new().num_threads(n).build_global().map_err(|_| {
        pyo3::exceptions::PyRuntimeError::new_err("the threads are running already: set their number first of all")
    })
}

#[pymodule]
fn _dashnas(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(operator::agg_conv, module)?)?;
    module.add_function(wrap_pyfunction!(operator::agg_conv_backward, module)?)?;
    module.add_function(wrap_pyfunction!(set_threads, module)?)
}
