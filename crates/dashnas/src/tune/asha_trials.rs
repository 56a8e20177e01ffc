//! The trials of asynchronous successive halving.

use crate::asha::space::SampleSpace;
use crate::asha::{Asha, AshaSettings, Job};
use crate::problem::state::Problem;
use crate::record::trial::{Rung, Trial};
use crate::tune::source::{TrialSource, TrialSpec};
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::rng::Seed;
use dashnas_core::score::Score;

/// The jobs of asynchronous successive halving as trials, numbered in the order in which they are handed out.
pub(crate) struct AshaTrials {
    asha: Asha,
    begun: Vec<Job>,
    space: SampleSpace,
    seed: Seed,
    /// The hyperparameters of the first sample: those of the configuration.
    first: Hyperparameters,
}

impl AshaTrials {
    /// The trials for a problem.
    pub fn new(problem: &Problem, settings: AshaSettings) -> Self {
        let (config, task) = (problem.config(), problem.setup.task);
        let first = config.untuned(task);
        Self {
            asha: Asha::new(settings),
            begun: Vec::new(),
            space: config.asha.space(),
            seed: Seed(config.seed),
            first,
        }
    }
}

impl TrialSource for AshaTrials {
    fn next(&mut self, _: &[Trial], _: usize) -> Option<TrialSpec> {
        let job = self.asha.pending().into_iter().find(|job| !self.begun.contains(job))?;
        self.begun.push(job);
        Some(TrialSpec {
            trial: self.begun.len() - 1,
            hyperparameters: self.space.sample(self.seed, job.sample, self.first),
            steps: Some(job.steps),
            rung: Some(Rung { sample: job.sample, rung: job.rung, steps: job.steps }),
            network: None,
        })
    }

    fn finished(&mut self, spec: &TrialSpec, score: Option<Score>) {
        if let Some(&job) = self.begun.get(spec.trial) {
            self.asha.finish(job, score);
        }
    }
}
