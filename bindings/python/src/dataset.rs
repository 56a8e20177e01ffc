//! Data sets by name or path, as arrays.

use crate::arrays::to_python;
use crate::errors::from_pipeline;
use crate::progress::observed;
use dashnas::Error;
use dashnas::config::Config;
use dashnas::config::layers::Override;
use dashnas::run::source;
use dashnas_core::names::Preset;
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_tasks::recipes;
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Reads a data set: a task of the paper or the built-in `darcy-flow` by its name, anything else by its path. `settings`
/// are `(key, TOML value)` pairs. Returns a dict of `x_train`, `y_train`, `x_test`, `y_test`, of `x_validation` and
/// `y_validation` (`None` without such a split), of `classes`, their names, and of `weights_train` and so on, the weights of
/// the samples (`None` without any).
///
/// # Errors
/// The exceptions of `dashnas.errors`, and `KeyboardInterrupt`.
#[pyfunction]
#[pyo3(signature = (source, settings))]
pub fn load_dataset<'py>(
    py: Python<'py>,
    source: &str,
    settings: Vec<(String, String)>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = config(source, &settings).map_err(|e| from_pipeline(py, e))?;
    let data = observed(py, None, None, |python| source::load(source, &config, python).and_then(in_memory))?;
    let data = data.map_err(|e| from_pipeline(py, e))?;
    let arrays = PyDict::new(py);
    for (name, facts) in [("train", data.facts.train), ("validation", data.facts.val), ("test", data.facts.test)] {
        arrays.set_item(format!("weights_{name}"), facts.weights.map(|weights| weights.into_pyarray(py)))?;
    }
    add(&arrays, "train", Some(data.train))?;
    add(&arrays, "validation", data.val)?;
    add(&arrays, "test", Some(data.test))?;
    arrays.set_item("classes", data.classes)?;
    Ok(arrays)
}

/// The settings over those of the task, if the source is one.
fn config(source: &str, settings: &[(String, String)]) -> Result<Config, Error> {
    let preset = Preset::Standard;
    let recipe = match recipes::find(source) {
        Some(recipe) => Override::of_recipe(recipe, preset)?,
        None => vec![],
    };
    let mut overrides = Vec::with_capacity(settings.len());
    for (key, value) in settings {
        overrides.push(Override::parse(&format!("{key}={value}"), "config")?);
    }
    Ok(Config::load_over(Some(preset), &recipe, None, &overrides)?)
}

/// The same data set without arrays that are still in files.
fn in_memory(mut data: Dataset) -> Result<Dataset, Error> {
    for split in [Some(&mut data.train), data.val.as_mut(), Some(&mut data.test)].into_iter().flatten() {
        split.x.load()?;
    }
    Ok(data)
}

/// Adds the inputs and targets of a split, which are Python's from now on.
fn add(arrays: &Bound<'_, PyDict>, name: &str, split: Option<Split>) -> PyResult<()> {
    let py = arrays.py();
    let (x, y) = (format!("x_{name}"), format!("y_{name}"));
    let Some(split) = split else {
        arrays.set_item(x, py.None())?;
        return arrays.set_item(y, py.None());
    };
    arrays.set_item(x, to_python(py, split.x)?)?;
    match split.y {
        Targets::Classes(classes) => {
            let classes: Vec<i64> = classes.into_iter().map(i64::from).collect();
            arrays.set_item(y, classes.into_pyarray(py))
        }
        Targets::Values(values) => arrays.set_item(y, to_python(py, values)?),
    }
}
