//! The size of a tuning: its trials, their steps and their samples. Nothing here trains a network.

use crate::budget::plan::TunePlan;
use crate::problem::held_out::HeldOut;
use crate::problem::state::Problem;
use crate::train::plan::{FitPlan, fit_plan};
use crate::tune::grid::grid;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::Tuner;
use dashnas_core::rng::Seed;
use dashnas_data::split::draw;

/// Samples that trials draw from at least, if there are as many: fewer would say little about the rest.
const MIN_SAMPLES: usize = 500;

/// The samples of a tuning, and what follows from them and the configuration.
pub(crate) struct TuningSize<'a> {
    /// The data and its metric.
    pub problem: &'a Problem,
    /// The samples that trials train on.
    pub rows: Vec<usize>,
    /// The samples that score them.
    pub validation: HeldOut<'a>,
    /// Samples of an epoch by the configuration, as a fraction of `rows`.
    epoch_fraction: f64,
}

impl<'a> TuningSize<'a> {
    /// Draws the subset of the training data that trials train on.
    pub fn new(problem: &'a Problem) -> Self {
        let (mut rows, validation) = problem.setup.validation();
        let subset = problem.config().tune_subset(&problem.setup.facts());
        let asked = ((rows.len() as f64 * subset).round() as usize).clamp(1, rows.len().max(1));
        let keep = asked.max(rows.len().min(MIN_SAMPLES));
        if keep < rows.len() {
            let mut stream = Seed(problem.config().seed).stream("tune/subset", &[]);
            rows = draw(&rows, problem.setup.classes(), keep, &mut stream);
        }
        let epoch_fraction = asked as f64 / keep.max(1) as f64;
        Self { problem, rows, validation, epoch_fraction }
    }

    /// The training of one trial: it sees as many samples as the configured epochs over the configured subset have,
    /// although there may be more different ones.
    pub fn fit_plan(&self, hyperparameters: Hyperparameters) -> FitPlan {
        let c = &self.problem.config().tune;
        let epochs = (c.epochs as f64 * self.epoch_fraction).ceil() as usize;
        fit_plan(hyperparameters, self.problem, epochs.max(1), self.rows.len(), [c.min_steps, c.max_steps])
    }

    /// Epochs of one trial, by the configuration.
    pub fn trial_epochs(&self) -> usize {
        self.fit_plan(self.problem.config().untuned(self.problem.setup.task)).epochs
    }

    /// Steps of one trial, by the configuration.
    pub fn trial_steps(&self) -> u64 {
        self.fit_plan(self.problem.config().untuned(self.problem.setup.task)).steps(self.rows.len())
    }

    /// Trials of the whole grid.
    pub fn grid_trials(&self) -> usize {
        grid(&self.problem.config().tune).len()
    }

    /// Samples that trials draw from.
    pub fn samples(&self) -> usize {
        self.rows.len()
    }

    /// Samples that score a trial.
    pub fn validation_samples(&self) -> usize {
        self.validation.rows.len()
    }

    /// Trials and steps of the whole tuning, if nothing ends early.
    pub fn total(&self) -> (usize, u64) {
        match self.plan() {
            _ if self.validation_samples() == 0 => (0, 0),
            TunePlan::None => (0, 0),
            TunePlan::Grid { trials, steps } => (trials, trials as u64 * steps),
            TunePlan::Asha { size } => size.size(),
        }
    }

    /// How to tune: as the plan of a time limit says, or else the configuration.
    pub fn plan(&self) -> TunePlan {
        let config = &self.problem.config();
        self.problem.budget.tuning().unwrap_or_else(|| match config.tune.tuner {
            Some(Tuner::Asha) => TunePlan::Asha { size: config.asha.settings(self.trial_steps()) },
            _ => TunePlan::Grid { trials: self.grid_trials(), steps: self.trial_steps() },
        })
    }
}
