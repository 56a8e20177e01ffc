//! Scores of trained models on labeled arrays, and what a run says of its own.

use crate::arrays;
use crate::errors::{Class, from_pipeline, raise};
use crate::json;
use crate::model::{Caller, Model, warn_of_unlike};
use crate::threads::compute;
use dashnas::evaluation::new_data::{self, OnTest, SampleGroups, Score};
use dashnas::record::choice::{KernelChoice, SearchResult};
use dashnas::record::outcome::Outcome;
use dashnas::record::paired::{Interval, Paired};
use dashnas::run::load::Loaded;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::groups::{GroupKind, Groups};
use dashnas_data::targets::Targets;
use dashnas_data::transform::kind::Transform;
use dashnas_nn::model::count_parameters;
use dashnas_report::wording;
use numpy::PyReadonlyArrayDyn;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

type ArrayIn<'py> = PyReadonlyArrayDyn<'py, f32>;

/// Labeled samples: inputs as for `predict_centered`, and a class from 0 or values for each.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Labeled<'py> {
    x: ArrayIn<'py>,
    y: ArrayIn<'py>,
    weights: Option<Vec<f32>>,
    /// The group of each sample.
    groups: Option<Vec<String>>,
}

/// How they are scored.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Scoring<'py> {
    /// The metric; without one, that of the model.
    metric: Option<String>,
    /// The plain network to compare with.
    plain: Option<PyRef<'py, Model>>,
    /// What is guessed for every sample.
    guess: Option<Vec<f32>>,
    /// How the kernels were chosen, as `KernelChoice` has it.
    chosen_by: Option<String>,
    threads: Option<usize>,
}

impl Scoring<'_> {
    /// The choice of the kernels, as far as sentences need it.
    fn choice(&self) -> Option<KernelChoice> {
        match self.chosen_by.as_deref() {
            Some("given") => Some(KernelChoice::Given),
            Some("not-searched") => Some(KernelChoice::NotSearched),
            _ => None,
        }
    }
}

/// Scores a model, and compares it with the plain network and with guessing, as far as there are those. Returns a dict.
///
/// # Errors
/// `dashnas.errors.ConfigError` for a metric that does not suit the task, and `DataError` for one that is not defined on
/// the samples.
#[pyfunction]
pub fn evaluate<'py>(
    py: Python<'py>,
    model: PyRef<'py, Model>,
    samples: Labeled<'py>,
    scoring: Scoring<'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let card = model.of_centered().card();
    let task = card.task;
    let metric = match &scoring.metric {
        Some(name) => metric(py, name, task)?,
        None => card.metric,
    };
    let moves = |t: &Transform| matches!(t, Transform::Flatten | Transform::Permute);
    if task.is_dense() && card.transforms.iter().any(moves) {
        let message = "the model moves the positions of its inputs, and targets in arrays are not moved with them";
        let hint = "score it on files: `dashnas evaluate RUN --on DATA`";
        return Err(raise(py, Class::Data, &message, Some(hint.to_owned())));
    }
    let (x, y) = (model.inputs(py, &samples.x)?, arrays::to_rust(&samples.y));
    let truth = match task {
        TaskKind::Classification { .. } => Targets::Classes(y.data.iter().map(|&class| class as u32).collect()),
        _ => Targets::Values(y),
    };
    let weights = samples.weights.as_deref();
    let groups = samples.groups.as_deref().map(|names| Groups::new(GroupKind::Groups, [None, None, Some(names)]));
    let numbers = groups.and_then(|groups| groups.test);
    let plain = scoring.plain.as_ref().map(|plain| plain.of_centered());
    let network = model.of_centered();
    let found = compute(py, scoring.threads, || -> Result<Found, dashnas::Error> {
        let differences = network.card().unlike_training(&x)?;
        let scores = network.scores(&x)?;
        let of_plain = plain.map(|plain| plain.scores(&x)).transpose()?;
        let groups = numbers.as_deref().map(|numbers| SampleGroups { are: GroupKind::Groups, numbers });
        let samples = OnTest { task, metric, truth: &truth, weights, groups, seed: card.training.seed };
        // A guess for other outputs is none.
        let guess = scoring.guess.as_deref().filter(|guess| guess.len() == task.outputs());
        Ok(Found {
            differences,
            score: new_data::score(&samples, &scores, of_plain.as_ref(), guess)?,
            metrics: new_data::metrics(task, &scores, &truth, weights),
            plain: of_plain.as_ref().map(|scores| new_data::metrics(task, scores, &truth, weights)),
        })
    })?;
    let found = found.map_err(|e| from_pipeline(py, e))?;
    warn_of_unlike(py, &found.differences, Caller::Evaluation)?;
    // Numbers far from 0 are scored without their offset, to which this metric is relative.
    let meaningless = |metric: Metric| metric == Metric::RelativeL2 && model.target_centers().is_some();
    let metrics = |values: &[(Metric, Option<f64>)]| -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (metric, value) in values {
            dict.set_item(metric.name(), value.filter(|_| !meaningless(*metric)))?;
        }
        Ok(dict)
    };
    let value = |metrics: &[(Metric, Option<f64>)]| metrics.iter().find(|(m, _)| *m == metric).and_then(|(_, v)| *v);
    if meaningless(metric) {
        let message = "relative-l2 is not defined here: the targets have a large offset, to which it would be relative";
        return Err(raise(py, Class::Data, &message, Some("use mae".to_owned())));
    }
    let baseline = found.plain.as_deref().and_then(value);
    let outcome = Outcome {
        test: Some(found.score.metric),
        baseline_test: baseline,
        baseline_params: plain.map(|plain| count_parameters(plain.network())),
        judgement: Some(found.score.judgement),
        weighted: weights.is_some(),
        samples: [card.training.samples, truth.rows()],
        metric,
        ..Outcome::untested(card, count_parameters(network.network()), scoring.choice())
    };
    let dict = PyDict::new(py);
    dict.set_item("metric", metric.name())?;
    dict.set_item("value", found.score.metric)?;
    dict.set_item("metrics", metrics(&found.metrics)?)?;
    dict.set_item("samples", truth.rows())?;
    dict.set_item("weighted", weights.is_some())?;
    dict.set_item("details", json::to_python(py, &found.score.details)?)?;
    dict.set_item("plain", found.plain.as_deref().map(metrics).transpose()?)?;
    dict.set_item("judgement", judgement(py, &outcome)?)?;
    dict.set_item("text", text(&outcome))?;
    Ok(dict)
}

/// What was computed.
struct Found {
    /// In what the inputs differ from the training data.
    differences: Vec<String>,
    score: Score,
    metrics: Vec<(Metric, Option<f64>)>,
    plain: Option<Vec<(Metric, Option<f64>)>>,
}

/// A metric by its name, if it suits the task.
fn metric(py: Python<'_>, name: &str, task: TaskKind) -> PyResult<Metric> {
    let found = Metric::ALL.into_iter().find(|metric| metric.name() == name.replace('_', "-"));
    found.filter(|metric| metric.suits(task)).ok_or_else(|| {
        let suitable: Vec<&str> = Metric::ALL.into_iter().filter(|m| m.suits(task)).map(Metric::name).collect();
        let message = match found {
            Some(_) => format!("the metric {name} does not suit {task}"),
            None => format!("there is no metric {name:?}"),
        };
        raise(py, Class::Config, &message, Some(format!("one of {}", suitable.join(", "))))
    })
}

/// The comparisons of an outcome, as a dict.
fn judgement<'py>(py: Python<'py>, outcome: &Outcome) -> PyResult<Bound<'py, PyDict>> {
    let test = |paired: &Paired| -> PyResult<Bound<'py, PyAny>> {
        let dict = json::to_python(py, paired)?;
        dict.set_item("difference", paired.shows_difference())?;
        Ok(dict)
    };
    let interval = |of: &Interval| json::to_python(py, of);
    let found = outcome.judgement;
    let dict = PyDict::new(py);
    dict.set_item("interval", found.and_then(|j| j.interval).as_ref().map(interval).transpose()?)?;
    dict.set_item("no_interval", found.and_then(|j| wording::no_interval(&j)))?;
    dict.set_item("plain_interval", found.and_then(|j| j.plain_interval).as_ref().map(interval).transpose()?)?;
    dict.set_item("plain", found.and_then(|j| j.plain).as_ref().map(test).transpose()?)?;
    dict.set_item("guessing", found.and_then(|j| j.guessing))?;
    dict.set_item("against_guessing", found.and_then(|j| j.against_guessing).as_ref().map(test).transpose()?)?;
    dict.set_item("verdict", wording::verdict(outcome))?;
    dict.set_item("no_better_than_guessing", wording::no_better_than_guessing(outcome))?;
    Ok(dict)
}

/// The result in words, one sentence on a line.
fn text(outcome: &Outcome) -> String {
    let named = |name: &str, error: Option<f64>, of: Option<Interval>| {
        let of = of.map_or_else(String::new, |of| format!("; {}", wording::interval(outcome.metric, of)));
        error.map(|error| format!("{name}: {} {}{of}", outcome.metric.title(), wording::in_full(outcome, error)))
    };
    let plain = format!("plain {}", outcome.backbone.name());
    let guessing = format!("guessing ({})", wording::guess(outcome.task));
    let judged = outcome.judgement.unwrap_or_default();
    let lines = [
        named(wording::network_name(outcome), outcome.test, judged.interval),
        named(&plain, outcome.baseline_test, judged.plain_interval),
        named(&guessing, judged.guessing, None),
        wording::verdict(outcome),
        wording::no_better_than_guessing(outcome),
        wording::no_interval(&judged).map(|reason| wording::capital(&reason) + "."),
        wording::by_group(&judged),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// What came of the search of a run, and how sure that is, as a word and a dict.
pub fn choice<'py>(py: Python<'py>, run: &Loaded) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
    let word = match run.search_result() {
        Some(SearchResult::Searched) => "searched",
        Some(SearchResult::Undecided) => "undecided",
        Some(SearchResult::Plain) => "plain",
        Some(SearchResult::Given) => "given",
        Some(SearchResult::NotSearched) | None => "not searched",
    };
    let choice = run.choice();
    let dict = json::to_python(py, &choice)?;
    if let Some(choice) = &choice {
        dict.set_item("undecided_layers", choice.undecided_layers())?;
        dict.set_item("conclusion", wording::undecided(choice))?;
    }
    if let Some(race) = &run.race {
        dict.set_item("better_than_plain", race.better_than_plain)?;
        dict.set_item("better_than_random", race.better_than_random)?;
        dict.set_item("conclusion", &race.conclusion)?;
    }
    Ok((word, dict))
}

/// What a run directory says beside its model, as a dict: its `search`, `choice`, `judgement`, `plain` network, the value of
/// `unknown` targets and the `guess` by its training targets.
///
/// # Errors
/// The exceptions of `dashnas.errors` for damaged files.
#[pyfunction]
pub fn of_run(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let read = compute(py, None, || -> Result<_, dashnas::Error> {
        let dir = RunDir::open(&path)?;
        let plain = dir.has(names::BASELINE).then(|| dashnas_nn::model::Model::load(dir.file(names::BASELINE)));
        Ok((Loaded::read(&dir)?, plain.transpose()?))
    })?;
    let (run, plain) = read.map_err(|e| from_pipeline(py, e))?;
    let (search, choice) = choice(py, &run)?;
    let dict = PyDict::new(py);
    dict.set_item("search", search)?;
    dict.set_item("choice", choice)?;
    dict.set_item("judgement", run.outcome.as_ref().map(|outcome| judgement(py, outcome)).transpose()?)?;
    dict.set_item("plain", plain.map(|plain| Py::new(py, Model::new(plain))).transpose()?)?;
    dict.set_item("unknown", run.config.task.unknown)?;
    dict.set_item("guess", run.data.guess)?;
    Ok(dict)
}
