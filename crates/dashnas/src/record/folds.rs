//! A cross-validation: a folder with a run directory for each fold, and the result over all of them.

use crate::record::data::DataRecord;
use crate::record::division::Division;
use crate::record::outcome::Outcome;
use dashnas_core::math::mean_and_deviation;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::groups::GroupKind;
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

/// A figure over folds, or over the seeds of a method.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation, with the divisor n − 1.
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
    /// The groups of the test samples, if there are groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<HeldOutGroups>,
    /// `[kernel size, dilation]` of every searched layer.
    pub architecture: Vec<[usize; 2]>,
    /// The run directory.
    pub run_dir: PathBuf,
}

/// Most groups of a fold whose names are given.
const NAMED: usize = 5;

/// The groups that a fold held out for testing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldOutGroups {
    /// What they are.
    pub are: GroupKind,
    /// Their number.
    pub number: usize,
    /// Their names, if there are at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl HeldOutGroups {
    /// Those of a run on data that was divided so; `None` if there are no groups.
    fn of(division: &Division) -> Option<Self> {
        let (are, test) = (division.groups_are?, division.test.as_ref()?);
        let number = test.groups?;
        Some(Self { are, number, names: if number <= NAMED { test.names.clone() } else { Vec::new() } })
    }

    /// The names, otherwise the number: `anna, bob`, `12 groups`.
    pub fn words(&self) -> String {
        if self.names.is_empty() { self.are.count(self.number) } else { self.names.join(", ") }
    }
}

impl Spread {
    /// The spread of some figures; `None` without any.
    pub fn of(values: &[f64]) -> Option<Self> {
        let (mean, deviation) = mean_and_deviation(values)?;
        Some(Self { mean, deviation })
    }
}

impl FoldsOutcome {
    /// What the folds held out, as the head of a column; `None` if no fold knows its groups.
    pub fn held_out(&self) -> Option<String> {
        let first = self.folds.iter().find_map(|fold| fold.held_out.as_ref())?;
        Some(format!("held-out {}s", first.are.noun()))
    }

    /// The result of the folds in this folder; `None` unless there is a fold and all are evaluated. `divisions` say how the
    /// data of each fold was divided, where that is known.
    pub fn new(folder: PathBuf, outcomes: &[Outcome], divisions: &[Option<Division>]) -> Option<Self> {
        let first = outcomes.first()?;
        let test: Vec<f64> = outcomes.iter().map(|o| o.test).collect::<Option<_>>()?;
        let plain: Option<Vec<f64>> = outcomes.iter().map(|o| o.baseline_test).collect();
        let difference = plain.as_ref().map(|plain| test.iter().zip(plain).map(|(t, p)| t - p).collect::<Vec<_>>());
        let fold = |(i, (outcome, &test)): (usize, (&Outcome, &f64))| FoldOutcome {
            held_out: divisions.get(i).and_then(|division| HeldOutGroups::of(division.as_ref()?)),
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
            folds: outcomes.iter().zip(&test).enumerate().map(fold).collect(),
            seconds: outcomes.iter().flat_map(|o| o.seconds.values()).sum(),
            run_dir: folder,
        })
    }
}
