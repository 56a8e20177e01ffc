//! The native half of the Python package `dashnas`: training, trained models and the operator, on NumPy arrays.
//!
//! Long computations run without the interpreter's lock. The estimators, and the documentation for users, are in
//! `python/dashnas`.

mod arrays;
mod command;
mod dataset;
mod errors;
mod evaluate;
mod fit;
mod json;
mod model;
mod operator;
mod progress;
mod threads;

use pyo3::prelude::*;

#[pymodule]
fn _dashnas(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<model::Model>()?;
    module.add_function(wrap_pyfunction!(command::command, module)?)?;
    module.add_function(wrap_pyfunction!(dataset::load_dataset, module)?)?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate::of_run, module)?)?;
    module.add_function(wrap_pyfunction!(operator::agg_conv, module)?)?;
    module.add_function(wrap_pyfunction!(operator::agg_conv_backward, module)?)?;
    module.add_function(wrap_pyfunction!(threads::threads, module)?)?;
    module.add_function(wrap_pyfunction!(threads::set_threads, module)?)
}
