//! Training from arrays.

use crate::arrays;
use crate::errors::{Class, from_pipeline, raise};
use crate::model::Model;
use crate::progress::PythonObserver;
use dashnas::config::Config;
use dashnas::config::layers::Override;
use dashnas::run::pipeline::Run;
use dashnas_core::names::{Preset, TaskName};
use dashnas_data::dataset::Dataset;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_report::StatusWriter;
use numpy::{PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use std::path::{Path, PathBuf};

/// The name of the data in errors and reports.
const NAME: &str = "the data";

/// The settings of a training.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Request {
    /// The kind of task, as in files.
    task: String,
    /// The names of the classes or labels, if there are any.
    classes: Option<Vec<String>>,
    preset: String,
    /// `(key, TOML value)` pairs over the preset.
    settings: Vec<(String, String)>,
    /// The run directory to keep; without one, nothing is left behind.
    run_dir: Option<PathBuf>,
}

/// Searches, tunes and trains; `y` holds classes from 0 or values, `validation` inputs and targets for tuning, and
/// `weights` a positive number for each sample.
///
/// # Errors
/// The exceptions of `dashnas.errors`, whatever `progress` raises, and `KeyboardInterrupt`.
#[pyfunction]
#[pyo3(signature = (x, y, request, validation=None, progress=None, weights=None))]
pub fn fit<'py>(
    py: Python<'py>,
    x: PyReadonlyArrayDyn<'py, f32>,
    y: PyReadonlyArrayDyn<'py, f32>,
    request: Request,
    validation: Option<(PyReadonlyArrayDyn<'py, f32>, PyReadonlyArrayDyn<'py, f32>)>,
    progress: Option<Py<PyAny>>,
    weights: Option<PyReadonlyArrayDyn<'py, f32>>,
) -> PyResult<Model> {
    let config = config(py, &request)?;
    let task = TaskName::ALL
        .into_iter()
        .find(|t| t.name() == request.task)
        .ok_or_else(|| raise(py, Class::Config, &format!("there is no kind of task {}", request.task), None))?;
    let outputs = match (&request.classes, y.shape().get(1)) {
        (Some(names), _) => names.len(),
        (None, Some(&columns)) => columns,
        (None, None) => 1,
    };
    let split = |x: &PyReadonlyArrayDyn<'_, f32>, y: &PyReadonlyArrayDyn<'_, f32>| {
        let (x, y) = (arrays::to_rust(x), arrays::to_rust(y));
        let y = match task {
            // Classes were numbered in Python.
            TaskName::Classification => Targets::Classes(y.data.iter().map(|&label| label as u32).collect()),
            _ => Targets::Values(y),
        };
        Split { x, y }
    };
    let (train, validation) = (split(&x, &y), validation.map(|(x, y)| split(&x, &y)));
    // There is no test split here, and none is read.
    let test = train.select(&[0]);
    let data = Dataset::new(NAME, task.with_outputs(outputs), train, validation, test);
    let data = data.and_then(|data| match request.classes {
        Some(names) => data.with_classes(names),
        None => Ok(data),
    });
    let weights = weights.map(|weights| arrays::to_rust(&weights).data);
    let data = data.map(|mut data| {
        data.facts.train.weights = weights;
        data
    });
    let data = data.and_then(|data| match config.task.train_samples {
        0 => Ok(data),
        samples => data.with_train_samples(samples),
    });
    let data = data.map_err(|e| from_pipeline(py, e))?;

    let scratch = tempfile::tempdir()?;
    let dir = request.run_dir.unwrap_or_else(|| scratch.path().join("run"));
    let (trained, raised) = py.detach(move || {
        let mut python = PythonObserver::new(progress);
        let trained = train_in(&dir, &config, &data, &mut python);
        (trained, python.into_raised())
    });
    match (trained, raised) {
        (_, Some(raised)) => Err(raised),
        (trained, None) => trained.map(Model::new).map_err(|e| from_pipeline(py, e)),
    }
}

/// The stages up to the trained model, in a run directory.
fn train_in(
    dir: &Path,
    config: &Config,
    data: &Dataset,
    python: &mut PythonObserver,
) -> Result<dashnas_nn::model::Model, dashnas::Error> {
    let mut status = StatusWriter::default();
    let mut observers = (python, &mut status);
    let mut run = Run::start_untested(config, NAME, data, dir, &mut observers)?;
    run.trained()?;
    Ok(dashnas_nn::model::Model::load(dir)?)
}

/// The preset with the settings over it.
fn config(py: Python<'_>, request: &Request) -> PyResult<Config> {
    let preset = Preset::ALL.into_iter().find(|p| p.name() == request.preset).ok_or_else(|| {
        let names = Preset::ALL.map(Preset::name).join(", ");
        raise(py, Class::Config, &format!("there is no preset {:?}", request.preset), Some(format!("one of {names}")))
    })?;
    let mut overrides = Vec::with_capacity(request.settings.len());
    for (key, value) in &request.settings {
        let set = Override::parse(&format!("{key}={value}"), "config").map_err(|e| from_pipeline(py, e))?;
        overrides.push(set);
    }
    // Without a test split there is nothing to compare on, so no time is planned for the plain network.
    overrides.push(Override::new("baseline.enabled", false, "fit"));
    Config::load(Some(preset), None, &overrides).map_err(|e| from_pipeline(py, e))
}
