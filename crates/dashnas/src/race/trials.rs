//! The trials of a race as a source of the trial pool.

use crate::race::state::Race;
use crate::record::trial::{Rung, Trial};
use crate::tune::source::{RaceNetwork, TrialSource, TrialSpec};
use dashnas_core::score::Score;

/// Hands out the trials of a race, phase by phase.
pub(crate) struct RaceTrials {
    /// The race.
    pub race: Race,
    /// The number of the next trial.
    next: usize,
}

impl RaceTrials {
    /// The trials of a race that has not begun.
    pub fn new(race: Race) -> Self {
        Self { race, next: 0 }
    }
}

impl TrialSource for RaceTrials {
    fn next(&mut self, finished: &[Trial], _: usize) -> Option<TrialSpec> {
        let job = self.race.job(self.next, finished)?;
        self.next += 1;
        Some(TrialSpec {
            trial: self.next - 1,
            hyperparameters: job.hyperparameters,
            steps: Some(job.steps),
            rung: Some(Rung { sample: job.contestant, rung: job.round, steps: job.steps }),
            network: Some(RaceNetwork { kernels: self.race.kernels(job.contestant).to_vec(), round: job.round }),
        })
    }

    fn finished(&mut self, _: &TrialSpec, _: Option<Score>) {}
}
