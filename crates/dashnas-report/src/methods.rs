//! A comparison of methods on one data set as texts, for its page and for the command.

use dashnas_core::stage::Stage;
use dashnas_core::text::{duration, mebibytes, plural, thousands};
use dashnas_methods::comparison::method_result::MethodResult;
use dashnas_methods::comparison::results::Results;
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
        let mut sentences: Vec<String> = results.verdict.iter().cloned().collect();
        for left in &results.left_out {
            sentences.push(format!("{} is left out: {}.", left.method, left.reason));
        }
        for (run, error) in results.failed() {
            sentences.push(format!("{} failed: {error}.", run.run));
        }
        let [ended, of] = results.ended;
        if ended < of {
            sentences.push(format!("{ended} of {} have ended.", plural(of, "run")));
        }
        let tables = if results.methods.is_empty() { vec![] } else { vec![errors(results), times(results)] };
        Self { tables, sentences }
    }
}

/// The errors, as in Table 2 of the paper.
fn errors(results: &Results) -> MethodsTable {
    let metric = results.metric;
    let row = |method: &MethodResult| {
        let seeds = method.errors.len();
        let deviation =
            if seeds < 2 { "–".to_owned() } else { format!("± {}", metric.format(method.test.deviation)) };
        MethodsRow {
            title: method.title.clone(),
            cells: vec![method.method.clone(), metric.format(method.test.mean), deviation, seeds.to_string()],
        }
    };
    let guessing = results.guessing.map(|guessing| MethodsRow {
        title: "the same for every sample, as the training targets suggest".into(),
        cells: vec!["guessing".into(), metric.format(guessing), "–".into(), "–".into()],
    });
    MethodsTable {
        title: "Errors",
        header: ["method", &format!("test {}", metric.title()), "deviation", "seeds"].map(str::to_owned).to_vec(),
        rows: results.methods.iter().map(row).chain(guessing).collect(),
        note:
            "Mean and standard deviation over the seeds, on the same test split for all; lower is better. The spread \
               over the seeds does not include that of another test split."
                .into(),
    }
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
