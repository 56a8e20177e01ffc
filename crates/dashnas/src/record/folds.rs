//! A cross-validation: a folder with a run directory for each fold, and the result over all of them.

use crate::record::data::DataRecord;
use crate::record::outcome::Outcome;
use dashnas_core::math::mean_and_deviation;
use dashnas_core::task::{Metric, TaskKind};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What `folds.json` keeps: from which data the folds are made, and how many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldsRecord {
    /// A path, or the name of a built-in data set.
    pub source: String,
    /// The number of folds.
    pub folds: u32,
    /// The data of each fold, from the first; empty in the folders of versions that did not record it.
    #[serde(default)]
    pub data: Vec<DataRecord>,
}

/// The result of a cross-validation, as `metrics.json` of its folder keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldsOutcome {
    /// Version of the program.
    pub version: String,
    /// Name of the data set.
    pub dataset: String,
    /// The task.
    pub task: TaskKind,
    /// The metric. Lower is better.
    pub metric: Metric,
    /// The searched networks on the test splits.
    pub test: Spread,
    /// The plain networks on the test splits, if they were trained in every fold.
    pub baseline_test: Option<Spread>,
    /// The metric of the searched network minus that of the plain one, fold by fold.
    pub difference: Option<Spread>,
    /// The folds, from the first.
    pub folds: Vec<FoldOutcome>,
    /// Wall-clock seconds of all folds.
    pub seconds: f64,
    /// The folder.
    pub run_dir: PathBuf,
}

/// A figure over folds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean over the folds.
    pub mean: f64,
    /// The standard deviation over the folds, with the divisor folds − 1.
    pub deviation: f64,
}

/// The result of one fold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoldOutcome {
    /// The metric of the searched network.
    pub test: f64,
    /// The metric of the plain network, if it was trained.
    pub baseline_test: Option<f64>,
    /// Samples in the training and test splits.
    pub samples: [usize; 2],
    /// `[kernel size, dilation]` of every searched layer.
    pub architecture: Vec<[usize; 2]>,
    /// The run directory.
    pub run_dir: PathBuf,
}

impl Spread {
    /// The spread of some figures; `None` without any.
    fn of(values: &[f64]) -> Option<Self> {
        let (mean, deviation) = mean_and_deviation(values)?;
        Some(Self { mean, deviation })
    }
}

impl FoldsOutcome {
    /// The result of the folds in this folder; `None` unless there is a fold and all are evaluated.
    pub fn new(folder: PathBuf, outcomes: &[Outcome]) -> Option<Self> {
        let first = outcomes.first()?;
        let test: Vec<f64> = outcomes.iter().map(|o| o.test).collect::<Option<_>>()?;
        let plain: Option<Vec<f64>> = outcomes.iter().map(|o| o.baseline_test).collect();
        let difference = plain.as_ref().map(|plain| test.iter().zip(plain).map(|(t, p)| t - p).collect::<Vec<_>>());
        let fold = |(outcome, &test): (&Outcome, &f64)| FoldOutcome {
            test,
            baseline_test: outcome.baseline_test,
            samples: outcome.samples,
            architecture: outcome.architecture.clone(),
            run_dir: outcome.run_dir.clone(),
        };
        Some(Self {
            version: first.version.clone(),
            dataset: first.dataset.clone(),
            task: first.task,
            metric: first.metric,
            test: Spread::of(&test)?,
            baseline_test: plain.as_deref().and_then(Spread::of),
            difference: difference.as_deref().and_then(Spread::of),
            folds: outcomes.iter().zip(&test).map(fold).collect(),
            seconds: outcomes.iter().flat_map(|o| o.seconds.values()).sum(),
            run_dir: folder,
        })
    }
}
