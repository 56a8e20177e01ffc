//! The native half of the Python package `dashnas`: training, trained models and the operator, on NumPy arrays.
//!
//! Long computations run without the interpreter's lock. The estimators, and the documentation for users, are in
//! `python/dashnas`.

mod arrays;
mod dataset;
mod errors;
mod fit;
mod json;
mod model;
mod operator;
mod progress;

use pyo3::prelude::*;

/// Sets the number of threads for all computations; results do not depend on it. It can be called once, before the first
/// computation.
///
/// # Errors
/// `RuntimeError` if the threads are running already.
#[pyfunction]
fn set_threads(n: usize) -> PyResult<()> {
    if n == 0 {
        return Err(pyo3::exceptions::PyValueError::new_err("at least one thread is needed"));
    }
    rayon::ThreadPoolBuilder::new().num_threads(n).build_global().map_err(|_| {
        pyo3::exceptions::PyRuntimeError::new_err(
            "the threads are running already: set their number before the first computation",
        )
    })
}

#[pymodule]
fn _dashnas(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(dataset::load_dataset, module)?)?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(operator::agg_conv, module)?)?;
    module.add_function(wrap_pyfunction!(operator::agg_conv_backward, module)?)?;
    module.add_function(wrap_pyfunction!(set_threads, module)?)
}
