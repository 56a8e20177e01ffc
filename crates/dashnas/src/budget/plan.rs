//! The plan of a run under a time limit: the work that the configuration asks for, how many steps of it each stage
//! gets, and when the stage ends. `planner` makes the plan; `plan.json` stores it.

use crate::asha::AshaSettings;
use crate::budget::cost::EvaluationCost;
use crate::config::sections::Config;
use dashnas_core::names::Tuner;
use serde::{Deserialize, Serialize};

/// The work that the configuration would do without a time limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestedWork {
    /// The steps of the search, 0 where the kernels are given, and their batch size.
    pub search: RequestedSteps,
    /// The tuning; `None` if it is switched off.
    pub tune: Option<RequestedTuning>,
    /// The steps of retraining and their batch size.
    pub retrain: RequestedSteps,
    /// Whether the plain backbone is trained for comparison.
    pub baseline: bool,
    /// The widths that the network may have: the configured one first, then narrower ones.
    pub widths: Vec<usize>,
    /// The numbers of samples that the stages process.
    pub samples: SampleCounts,
    /// The fraction of the training data that an epoch of the search draws.
    pub subsample: f64,
    /// Whether time to spare lengthens the stages. Plans of older versions did so.
    #[serde(default = "yes")]
    pub use_all: bool,
}

/// What plans of older versions did with time to spare.
fn yes() -> bool {
    true
}

/// Steps of a training and their batch size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RequestedSteps {
    /// The number of steps.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
}

/// The tuning that the configuration would do without a time limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RequestedTuning {
    /// Trials of the grid.
    pub trials: usize,
    /// Steps of a trial.
    pub steps: u64,
    /// The tuner; `None` lets the planner choose the one that fits.
    pub tuner: Option<Tuner>,
    /// The settings of ASHA. Its longest trials have the steps of a trial of the grid.
    pub asha: AshaSettings,
}

/// The numbers of samples that cost time. Files store them as an array in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[usize; 3]", into = "[usize; 3]")]
pub struct SampleCounts {
    /// Samples of the training split.
    pub train: usize,
    /// Samples that scoring one trial predicts, each as often as it is predicted.
    pub validation: usize,
    /// Samples of the test split.
    pub test: usize,
}

impl From<[usize; 3]> for SampleCounts {
    fn from([train, validation, test]: [usize; 3]) -> Self {
        Self { train, validation, test }
    }
}

impl From<SampleCounts> for [usize; 3] {
    fn from(counts: SampleCounts) -> Self {
        [counts.train, counts.validation, counts.test]
    }
}

/// A plan. Times are seconds of the run's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimePlan {
    /// The work that would be done without a limit.
    #[serde(rename = "wish")]
    pub requested: RequestedWork,
    /// The time at which the run must end.
    pub limit: f64,
    /// The time at which the plan was made, after reading the data and measuring.
    pub made: f64,
    /// Seconds reserved for evaluating and for writing files.
    pub reserve: f64,
    /// The part of the reserve that is for evaluation. Plans of older versions lack it.
    #[serde(default)]
    pub evaluation: EvaluationPlan,
    /// The width of the network after the search.
    pub width: usize,
    /// The cost of a tuning step when trials run concurrently, as a fraction of the cost of a step that has the machine
    /// to itself.
    #[serde(rename = "side_by_side", default = "one")]
    pub concurrent_share: f64,
    /// The search; `None` if the kernels are given, or if there is no time for a search, so that the backbone keeps its
    /// original kernels.
    pub search: Option<SearchPlan>,
    /// Tuning, retraining and the training of the plain backbone.
    pub training: TrainingPlan,
    /// The changes that the limit made necessary, as messages.
    pub notes: Vec<String>,
}

/// The share in plans of versions that ran one trial at a time.
fn one() -> f64 {
    1.0
}

/// Evaluation on the test split within a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct EvaluationPlan {
    /// Seconds of the whole evaluation.
    pub seconds: f64,
    /// The cost for the searched network.
    pub searched: EvaluationCost,
    /// The cost for the plain backbone, if it is evaluated.
    pub plain: Option<EvaluationCost>,
}

/// The search within a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SearchPlan {
    /// The number of steps.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
    /// The fraction of the training data in an epoch.
    pub subsample: f64,
    /// Seconds of a step.
    pub step_seconds: f64,
    /// The time at which the search is to end.
    pub until: f64,
}

/// The work after the search within a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingPlan {
    /// The time at which it begins.
    pub from: f64,
    /// How the training hyperparameters are tuned.
    pub tune: TunePlan,
    /// The time at which tuning is to end.
    pub tune_until: f64,
    /// Steps of retraining.
    pub steps: u64,
    /// The most steps of retraining, however much time there is; `None` if it is to use all the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u64>,
    /// Samples in a step.
    pub batch: usize,
    /// Seconds of a step.
    pub step_seconds: f64,
    /// The time at which retraining is to end, if evaluation takes as long as planned.
    pub retrain_until: f64,
    /// The time at which the training of the plain backbone is to end; `None` if it is left out.
    pub baseline_until: Option<f64>,
}

/// Tuning within a plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "tuner")]
pub enum TunePlan {
    /// There is no tuning.
    None,
    /// The grid is tried.
    Grid {
        /// The largest number of trials, in the grid's order.
        trials: usize,
        /// Steps of each trial.
        steps: u64,
    },
    /// Hyperparameters are sampled and trained with asynchronous successive halving.
    Asha {
        /// The settings of ASHA.
        size: AshaSettings,
    },
}

/// The times at which the parts of the training of one network are to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deadlines {
    /// The planned end of tuning.
    pub tune: f64,
    /// The latest end of tuning: retraining keeps half of its time in any case.
    pub latest_tune: f64,
    /// The end of retraining.
    pub retrain: f64,
}

impl Deadlines {
    /// Whether another tuning trial that takes some seconds may begin after `done` trials. The first two trials may run
    /// up to the latest end of tuning.
    pub fn has_time_for_trial(&self, now: f64, seconds: f64, done: usize) -> bool {
        let until = if done < 2 { self.latest_tune } else { self.tune };
        // A last trial that ends late by half of its length is as close to the deadline as one that is left out.
        now + 0.5 * seconds <= until
    }
}

impl TrainingPlan {
    /// The deadlines of the searched network or of the plain backbone, whose time is divided in the same way.
    pub fn deadlines(&self, baseline: bool) -> Deadlines {
        let (tune, retrain) = match self.baseline_until.filter(|_| baseline) {
            None => (self.tune_until, self.retrain_until),
            Some(until) => {
                let share = (self.tune_until - self.from) / (self.retrain_until - self.from).max(1e-9);
                (self.retrain_until + share * (until - self.retrain_until), until)
            }
        };
        Deadlines { tune, latest_tune: 0.5 * (tune + retrain), retrain }
    }
}

impl TimePlan {
    /// Sets the values of a configuration that the plan decides.
    pub fn apply(&self, config: &mut Config) {
        config.backbone.width = self.width;
        if let Some(search) = &self.search {
            config.search.batch_size = Some(search.batch);
            config.search.subsample = search.subsample;
        }
        config.retrain.batch_size = Some(self.training.batch);
        config.baseline.enabled &= self.training.baseline_until.is_some();
        // A plan made before the search may have left out tuning for which there is time after the search.
        config.tune.enabled = self.requested.tune.is_some() && self.training.tune != TunePlan::None;
    }
}
