//! A comparison of methods on one data set as texts, for its page and for the command.

use crate::chart::{Axis, Series};
use crate::comparison::{dots, seconds_axis};
use crate::curves::Figure;
use crate::wording;
use dashnas_core::names::Preset;
use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, mebibytes, plural, thousands};
use dashnas_methods::comparison::method_result::{MethodResult, RunResult};
use dashnas_methods::comparison::results::Results;
use dashnas_tasks::paper_results::PaperResult;
use dashnas_tasks::source::DARCY_FLOW;
use serde::Serialize;

/// The texts of a comparison.
#[derive(Debug, Clone, Serialize)]
pub struct MethodsView {
    /// The errors, as in Table 2 of the paper, and the times, as in its Table 3.
    pub tables: Vec<MethodsTable>,
    /// What can be said of the result, which methods are left out, and which runs failed.
    pub sentences: Vec<String>,
}

/// A table with a row for each method.
#[derive(Debug, Clone, Serialize)]
pub struct MethodsTable {
    /// A title.
    pub title: &'static str,
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows.
    pub rows: Vec<MethodsRow>,
    /// What the figures are.
    pub note: String,
}

/// A row of a table.
#[derive(Debug, Clone, Serialize)]
pub struct MethodsRow {
    /// The name of the method in full; may be empty.
    pub title: String,
    /// The text of each column, the name of the method first.
    pub cells: Vec<String>,
}

impl MethodsView {
    /// The texts of some results.
    pub fn new(results: &Results) -> Self {
        let sentences = [conclusion(results), notes(results), unfinished(results).into_iter().collect()].concat();
        Self { tables: tables(results), sentences }
    }
}

/// The tables; those of the results only if there are any.
fn tables(results: &Results) -> Vec<MethodsTable> {
    let own = if results.methods.is_empty() { vec![] } else { vec![errors(results), times(results)] };
    own.into_iter().chain(published(results)).collect()
}

/// What can be said of the result, one sentence or more each; empty if no run has finished.
fn conclusion(results: &Results) -> Vec<String> {
    results.verdict.iter().cloned().chain(of_test_split(results)).collect()
}

/// How much the test split says of the best method, in a sentence: the spread over the seeds does not tell.
fn of_test_split(results: &Results) -> Option<String> {
    let best = results.methods.first()?;
    let run = results.runs.iter().find(|run| run.method == best.method && run.test.is_some())?;
    let judgement = run.judgement?;
    match judgement.interval {
        Some(found) => {
            let found = wording::interval(results.metric, found);
            Some(format!("Other test samples may give other errors: {} has the {found}.", run.run))
        }
        None => {
            let reason = wording::no_interval(&judgement)?;
            Some(format!("How far other test samples may give other errors is not known: there is {reason}."))
        }
    }
}

/// In how many runs of a method a stage was skipped: `search in 2 of 3, tune in 1 of 3`; may be empty.
fn skipped(method: &MethodResult) -> String {
    let runs = method.errors.len();
    let of: Vec<String> =
        method.skipped.iter().map(|(stage, n)| format!("{} in {n} of {runs}", stage.name())).collect();
    of.join(", ")
}

/// The methods whose stages were skipped, those that are left out, and the runs that failed, one sentence each.
fn notes(results: &Results) -> Vec<String> {
    let short: Vec<&str> =
        results.methods.iter().filter(|m| !m.skipped.is_empty()).map(|m| m.method.as_str()).collect();
    let skipped = (!short.is_empty()).then(|| {
        let limit = match results.time_limit {
            Some(_) => "; a longer --time-limit leaves room for them",
            None => "",
        };
        format!(
            "Stages were skipped in runs of {}: these errors are not those of the whole methods, and a network that was not \
             searched is the plain one{limit}. The notes of each run say why.",
            short.join(", ")
        )
    });
    let left_out = results.left_out.iter().map(|left| format!("{} is left out: {}.", left.method, left.reason));
    skipped
        .into_iter()
        .chain(left_out)
        .chain(results.failed().map(|(run, error)| format!("{} failed: {error}.", run.run)))
        .collect()
}

/// How many runs have ended, if that is not all of them.
fn unfinished(results: &Results) -> Option<String> {
    let [ended, of] = results.ended;
    (ended < of).then(|| format!("{ended} of {} have ended.", plural(of, "run")))
}

/// The texts of the page of a comparison.
#[derive(Debug, Serialize)]
pub(crate) struct MethodsPage {
    dataset: String,
    task: String,
    metric: &'static str,
    verdict: String,
    unfinished: Option<String>,
    facts: Vec<(&'static str, String)>,
    notes: Vec<String>,
    tables: Vec<MethodsTable>,
    figure: Option<Figure>,
    runs: Vec<Run>,
}

/// A run in the list of the page.
#[derive(Debug, Serialize)]
struct Run {
    run: String,
    /// Its report, relative to the page.
    link: Option<String>,
    seed: u64,
    test: String,
    time: String,
    /// Why it failed; may be empty.
    words: String,
}

impl MethodsPage {
    pub(crate) fn new(results: &Results) -> Self {
        let limit = results.time_limit.map_or_else(|| "none".to_owned(), duration);
        let seeds: Vec<String> = results.seeds.iter().map(u64::to_string).collect();
        let [train, test] = results.samples;
        Self {
            dataset: results.dataset.clone(),
            task: results.task.to_string(),
            metric: results.metric.title(),
            verdict: match conclusion(results) {
                sentences if sentences.is_empty() => "No run has finished.".into(),
                sentences => sentences.join(" "),
            },
            unfinished: unfinished(results),
            facts: vec![
                ("data", results.source.clone()),
                ("samples", format!("{train} to train on, {test} to test on")),
                ("preset", results.preset.name().into()),
                ("seeds", seeds.join(", ")),
                ("time limit of each run", limit),
            ],
            notes: notes(results),
            tables: tables(results),
            figure: scatter(results),
            runs: results.runs.iter().map(|run| Run::new(run, results)).collect(),
        }
    }
}

impl Run {
    fn new(run: &RunResult, results: &Results) -> Self {
        let dash = || "–".to_owned();
        Self {
            run: run.run.clone(),
            link: run.test.map(|_| format!("{}/report.html", run.run)),
            seed: run.seed,
            test: run.test.map_or_else(dash, |test| results.metric.format(test)),
            time: run.test.map_or_else(dash, |_| duration(run.seconds.values().sum())),
            words: run.error.clone().unwrap_or_default(),
        }
    }
}

/// The error of each run against its time, as in figure 5 of the paper.
fn scatter(results: &Results) -> Option<Figure> {
    let points = |method: &str| {
        let of = results.runs.iter().filter(|run| run.method == method);
        of.filter_map(|run| Some((run.seconds.values().sum(), run.test?))).collect()
    };
    let series: Vec<Series> =
        results.methods.iter().enumerate().map(|(i, m)| dots(&m.method, i, points(&m.method))).collect();
    let title = format!("test {}", results.metric.title());
    let y = Axis::fitting(&title, series.iter().flat_map(|s| &s.points).map(|p| p.1));
    let note = "One point for each run. The time includes search and tuning. Lower and further left is better.";
    Figure::new("Error against time", &seconds_axis(), &y, &series, note)
}

/// The errors, as in Table 2 of the paper.
fn errors(results: &Results) -> MethodsTable {
    let metric = results.metric;
    // The column is there only if it says something.
    let any = results.methods.iter().any(|method| !method.skipped.is_empty());
    let row = |method: &MethodResult| {
        let seeds = method.errors.len();
        let deviation =
            if seeds < 2 { "–".to_owned() } else { format!("± {}", metric.format(method.test.deviation)) };
        let cells = vec![method.method.clone(), metric.format(method.test.mean), deviation, seeds.to_string()];
        MethodsRow {
            title: method.title.clone(),
            cells: cells.into_iter().chain(any.then(|| skipped(method))).collect(),
        }
    };
    let guessing = results.guessing.map(|guessing| MethodsRow {
        title: "the same for every sample, as the training targets suggest".into(),
        cells: ["guessing".into(), metric.format(guessing), "–".into(), "–".into()]
            .into_iter()
            .chain(any.then(String::new))
            .collect(),
    });
    MethodsTable {
        title: "Errors",
        header: ["method", &format!("test {}", metric.title()), "deviation", "seeds"]
            .into_iter()
            .chain(any.then_some("skipped"))
            .map(str::to_owned)
            .collect(),
        rows: results.methods.iter().map(row).chain(guessing).collect(),
        note:
            "Mean and standard deviation over the seeds, on the same test split for all; lower is better. The spread \
               over the seeds does not include that of another test split."
                .into(),
    }
}

/// What the paper reports, if the data is one of its tasks.
fn published(results: &Results) -> Option<MethodsTable> {
    let row = |result: &PaperResult| MethodsRow {
        title: String::new(),
        cells: vec![result.method.clone(), result.written.clone()],
    };
    let shorter = match results.preset {
        Preset::Paper => String::new(),
        preset => format!(
            " The runs here are not those of the paper: the preset {} has shorter trainings and narrower networks{}.",
            preset.name(),
            if results.source == DARCY_FLOW { ", and smaller fields of Darcy flow" } else { "" }
        ),
    };
    (!results.published.is_empty()).then(|| MethodsTable {
        title: "Published",
        header: ["in the paper", &format!("test {}", results.metric.title())].map(str::to_owned).to_vec(),
        rows: results.published.iter().map(row).collect(),
        note: format!("Table 2 of the paper with the deviations of its Table 5.{shorter}"),
    })
}

/// The times, as in Table 3 of the paper.
fn times(results: &Results) -> MethodsTable {
    let dash = || "–".to_owned();
    let row = |method: &MethodResult| {
        let stage = |stage| method.seconds.get(&stage).filter(|s| **s > 0.0).map_or_else(dash, |s| duration(*s));
        let cells = vec![
            method.method.clone(),
            stage(Stage::Search),
            stage(Stage::Tune),
            stage(Stage::Retrain),
            duration(method.total_seconds),
            thousands(method.params.round() as u64),
            method.peak_memory.map_or_else(dash, mebibytes),
            method.latency_ms.map_or_else(dash, |ms| format!("{ms:.2} ms")),
        ];
        MethodsRow { title: method.title.clone(), cells }
    };
    let header = ["method", "search", "tune", "retrain", "total", "parameters", "memory, at most", "one sample"];
    MethodsTable {
        title: "Time, size and memory",
        header: header.map(str::to_owned).to_vec(),
        rows: results.methods.iter().map(row).collect(),
        note: "Means over the seeds; of the memory, the largest. The total includes the evaluation, but not the reading of \
               the data, which is read once. The memory is the peak of the process, with the data and with what it may have \
               kept from earlier runs; the last column is the time of a prediction."
            .into(),
    }
}
