//! Training from arrays.

use crate::arrays;
use crate::errors::{Class, from_pipeline, raise};
use crate::evaluate;
use crate::model::Model;
use crate::progress::observed;
use crate::threads::compute;
use dashnas::config::Config;
use dashnas::config::layers::Override;
use dashnas::record::data::ARRAYS;
use dashnas::record::event::Observer;
use dashnas::record::guess::guess;
use dashnas::run::load::Loaded;
use dashnas::run::pipeline::Run;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::{Preset, TaskName};
use dashnas_data::dataset::Dataset;
use dashnas_data::open::assemble;
use dashnas_formats::array::Array;
use dashnas_formats::centers::Centers;
use dashnas_formats::error::DataError;
use dashnas_formats::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use dashnas_formats::role::Role;
use dashnas_formats::sample_facts::SampleFacts;
use dashnas_nn::model::count_parameters;
use dashnas_report::{StatusWriter, page};
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::{Path, PathBuf};

/// The name of the data in errors and reports.
const NAME: &str = "the data";

type ArrayIn<'py> = PyReadonlyArrayDyn<'py, f32>;

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
    /// The number of threads; without one, the usual number.
    threads: Option<usize>,
}

/// The training samples: a class from 0 or values for each, and what else is known of them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Samples<'py> {
    x: ArrayIn<'py>,
    y: ArrayIn<'py>,
    /// A positive number for each sample.
    weights: Option<Vec<f32>>,
    /// The group of each sample.
    groups: Option<Vec<String>>,
    /// What was subtracted from each channel of the inputs; empty if nothing was.
    input_centers: Vec<f64>,
    /// What was subtracted from each output.
    target_centers: Vec<f64>,
}

/// Searches, tunes and trains; `validation` are inputs and targets for tuning. Returns the model and a dict: `parameters`,
/// the `report` as HTML, what came of the `search` and its `choice`, the `plain` network if that was trained, the `guess` by
/// the targets, and the `notes` and `warnings` about the data.
///
/// # Errors
/// The exceptions of `dashnas.errors`, whatever `progress` raises, and `KeyboardInterrupt`.
#[pyfunction]
#[pyo3(signature = (samples, request, validation=None, progress=None))]
pub fn fit<'py>(
    py: Python<'py>,
    samples: Samples<'py>,
    request: Request,
    validation: Option<(ArrayIn<'py>, ArrayIn<'py>)>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Model, Bound<'py, PyDict>)> {
    let config = config(py, &request)?;
    let task = TaskName::ALL
        .into_iter()
        .find(|t| t.name() == request.task)
        .ok_or_else(|| raise(py, Class::Config, &format!("there is no kind of task {}", request.task), None))?;
    let data = unassembled(&samples, validation, task, &config);
    let centers = Centers { inputs: samples.input_centers, targets: samples.target_centers };
    let classes = request.classes;
    let data = compute(py, request.threads, || dataset(data, centers, classes, &config))?;
    let data = data.map_err(|e| from_pipeline(py, e))?;

    let facts = PyDict::new(py);
    facts.set_item("notes", data.origin.notes.clone())?;
    facts.set_item("warnings", data.origin.warnings.clone())?;
    let scratch = tempfile::tempdir()?;
    let (kept, dir) = match request.run_dir {
        Some(dir) => (true, dir),
        None => (false, scratch.path().join("run")),
    };
    let trained =
        observed(py, request.threads, progress.as_ref(), |python| train_in(&dir, kept, &config, &data, python))?;
    let Trained { model, plain, report, run } = trained.map_err(|e| from_pipeline(py, e))?;
    let (search, choice) = evaluate::choice(py, &run)?;
    facts.set_item("parameters", count_parameters(model.network()))?;
    facts.set_item("report", report)?;
    facts.set_item("search", search)?;
    facts.set_item("choice", choice)?;
    facts.set_item("plain", plain.map(|plain| Py::new(py, Model::new(plain))).transpose()?)?;
    facts.set_item("guess", guess(model.card().task, &data.train.y))?;
    Ok((Model::new(model), facts))
}

/// The arrays as a reader of files would have found them.
fn unassembled(
    samples: &Samples<'_>,
    validation: Option<(ArrayIn<'_>, ArrayIn<'_>)>,
    task: TaskName,
    config: &Config,
) -> UnassembledData {
    let mut options = config.read_options();
    options.task = Some(task);
    let mut data = UnassembledData::new("", &options);
    // The layout is decided in Python, and classes are numbered there.
    (data.channels_first, data.renumber, data.arrays) = (true, false, true);
    let part = |role: Role, x: Array, y: Array| {
        let integral = !matches!(task, TaskName::Regression | TaskName::DenseRegression);
        let y = Labels::Numbers(NumericTargets { name: format!("y_{}", role.name()), array: y, integral });
        UnassembledSplit { role, x, y: Some(y), groups: None, ids: None, facts: SampleFacts::default() }
    };
    let (x, y) = (arrays::to_rust(&samples.x), arrays::to_rust(&samples.y));
    // There is no test split here, and none is read.
    let first = |array: &Array| array.select(&[0]);
    let mut test = (x.rows() > 0 && y.rows() > 0).then(|| part(Role::Test, first(&x), first(&y)));
    let mut train = part(Role::Train, x, y);
    train.groups.clone_from(&samples.groups);
    train.facts.weights.clone_from(&samples.weights);
    if let Some(test) = &mut test {
        test.groups = samples.groups.as_ref().map(|groups| groups.iter().take(1).cloned().collect());
        test.facts.weights = samples.weights.as_ref().map(|_| vec![1.0]);
    }
    data.parts.push(train);
    data.parts.extend(validation.map(|(x, y)| part(Role::Val, arrays::to_rust(&x), arrays::to_rust(&y))));
    data.parts.extend(test);
    data
}

/// The data set, checked.
fn dataset(
    data: UnassembledData,
    centers: Centers,
    classes: Option<Vec<String>>,
    config: &Config,
) -> Result<Dataset, DataError> {
    let data = assemble(NAME, data)?;
    let mut data = match classes {
        Some(names) => data.with_classes(names)?,
        None => data,
    };
    data.reading.centers = centers;
    match config.task.train_samples {
        0 => Ok(data),
        samples => data.with_train_samples(samples),
    }
}

/// What a training leaves.
struct Trained {
    model: dashnas_nn::model::Model,
    plain: Option<dashnas_nn::model::Model>,
    report: String,
    run: Loaded,
}

/// The stages up to the trained model and the plain network, if that is asked for, in a run directory, which gets its report if it is kept.
fn train_in(
    dir: &Path,
    kept: bool,
    config: &Config,
    data: &Dataset,
    python: &mut dyn Observer,
) -> Result<Trained, dashnas::Error> {
    let mut status = StatusWriter::default();
    let mut observers = (&mut *python, &mut status);
    let mut run = Run::start_untested(config, ARRAYS, data, dir, &mut observers)?;
    run.trained()?;
    let plain = run.plain()?.is_some();
    drop(run);
    let model = dashnas_nn::model::Model::load(dir)?;
    let dir = RunDir::open(dir)?;
    let plain = plain.then(|| dashnas_nn::model::Model::load(dir.file(names::BASELINE))).transpose()?;
    let report = page::report(&dir)?;
    if kept {
        page::write_into(&dir)?;
    }
    Ok(Trained { model, plain, report, run: Loaded::read(&dir)? })
}

/// The preset with the settings over it.
fn config(py: Python<'_>, request: &Request) -> PyResult<Config> {
    let preset = Preset::ALL.into_iter().find(|p| p.name() == request.preset).ok_or_else(|| {
        let names = Preset::ALL.map(Preset::name).join(", ");
        raise(py, Class::Config, &format!("there is no preset {:?}", request.preset), Some(format!("one of {names}")))
    })?;
    // No time is planned for the plain network, unless `evaluate` is to compare with it.
    let mut overrides = vec![Override::new("baseline.enabled", false, "fit")];
    for (key, value) in &request.settings {
        let set = Override::parse(&format!("{key}={value}"), "config").map_err(|e| from_pipeline(py, e))?;
        overrides.push(set);
    }
    Config::load(Some(preset), None, &overrides).map_err(|e| from_pipeline(py, e))
}
