//! The report of a cross-validation, as texts for its template.

use dashnas::record::folds::{FoldsOutcome, Spread};
use dashnas_core::task::Metric;
use serde::Serialize;

/// The texts of the report of a cross-validation.
#[derive(Debug, Serialize)]
pub(crate) struct FoldsView {
    dataset: String,
    task: String,
    metric: &'static str,
    /// Mean and standard deviation of the searched and of the plain network, and of their difference.
    test: [String; 2],
    plain: Option<[String; 2]>,
    difference: Option<[String; 2]>,
    /// What the folds held out, if they know their groups.
    held_out: Option<String>,
    rows: Vec<Row>,
}

/// One fold.
#[derive(Debug, Serialize)]
struct Row {
    fold: usize,
    test: String,
    plain: Option<String>,
    samples: [usize; 2],
    /// The groups of the test samples.
    held_out: String,
    kernels: String,
    /// The report of the fold, relative to this one.
    report: String,
}

impl FoldsView {
    pub(crate) fn new(outcome: &FoldsOutcome) -> Self {
        let metric = outcome.metric;
        let row = |(i, fold): (usize, &dashnas::record::folds::FoldOutcome)| Row {
            fold: i + 1,
            test: metric.format(fold.test),
            plain: outcome.baseline_test.and(fold.baseline_test).map(|plain| metric.format(plain)),
            samples: fold.samples,
            held_out: fold.held_out.as_ref().map(|groups| groups.words()).unwrap_or_default(),
            kernels: crate::wording::kernels_in_short(&fold.architecture),
            report: format!("fold-{}/report.html", i + 1),
        };
        Self {
            dataset: outcome.dataset.clone(),
            task: outcome.task.to_string(),
            metric: metric.title(),
            test: texts(metric, outcome.test),
            plain: outcome.baseline_test.map(|spread| texts(metric, spread)),
            difference: outcome.difference.map(|spread| texts(metric, spread)),
            held_out: outcome.held_out(),
            rows: outcome.folds.iter().enumerate().map(row).collect(),
        }
    }
}

fn texts(metric: Metric, Spread { mean, deviation }: Spread) -> [String; 2] {
    [metric.format(mean), metric.format(deviation)]
}
