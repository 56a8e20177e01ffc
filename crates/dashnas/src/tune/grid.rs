//! Trials on a grid of hyperparameters.

use crate::config::sections::TuneConfig;
use crate::record::trial::{Trial, best};
use crate::tune::source::{TrialSource, TrialSpec};
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::score::Score;

/// The first trials of the grid. Learning rates are tried in their order; with `tune.stop-early`, a learning rate none
/// of whose trials is better than the best before it ends the tuning.
pub(crate) struct GridTrials {
    all: Vec<Hyperparameters>,
    steps: Option<u64>,
    stop_early: bool,
    /// Index of the next trial.
    next: usize,
    /// The best trial before the current learning rate.
    best_before: Option<(Score, Hyperparameters)>,
    /// The learning rate that was no better, if that ended the tuning.
    ended_by: Option<f64>,
}

impl GridTrials {
    /// The first `trials` trials of the grid, each of the given length in steps (`None`: the configured epochs).
    pub fn new(config: &TuneConfig, trials: usize, steps: Option<u64>) -> Self {
        let all = grid(config).into_iter().take(trials).collect();
        Self { all, steps, stop_early: config.stop_early, next: 0, best_before: None, ended_by: None }
    }
}

impl TrialSource for GridTrials {
    fn next(&mut self, finished: &[Trial], running: usize) -> Option<TrialSpec> {
        let hyperparameters = *self.all.get(self.next)?;
        if self.stop_early && self.next > 0 && self.all[self.next - 1].lr != hyperparameters.lr {
            // All trials of a learning rate must be finished before the next one is known to be worth trying.
            if running > 0 {
                return None;
            }
            let now = best(finished);
            if self.best_before.is_some() && self.best_before == now {
                self.ended_by = Some(self.all[self.next - 1].lr);
                return None;
            }
            self.best_before = now;
        }
        self.next += 1;
        Some(TrialSpec { trial: self.next - 1, hyperparameters, steps: self.steps, rung: None, network: None })
    }

    fn finished(&mut self, _: &TrialSpec, _: Option<Score>) {}

    fn end_reason(&self) -> Option<String> {
        let lr = self.ended_by?;
        Some(format!("none with the learning rate {lr} was better than the best before it (tune.stop-early)"))
    }
}

/// Every combination of hyperparameters, learning rate by learning rate.
pub(crate) fn grid(c: &TuneConfig) -> Vec<Hyperparameters> {
    let mut all = Vec::new();
    for &lr in &c.learning_rates {
        for &weight_decay in &c.weight_decays {
            for &momentum in &c.momentums {
                all.extend(c.dropouts.iter().map(|&dropout| Hyperparameters { lr, weight_decay, momentum, dropout }));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use dashnas_core::names::Preset;

    #[test]
    fn a_learning_rate_that_is_no_better_ends_the_tuning() {
        let mut config = Config::preset(Preset::Quick);
        (config.tune.learning_rates, config.tune.weight_decays) = (vec![0.1, 0.01, 0.001], vec![0.0]);
        (config.tune.dropouts, config.tune.momentums, config.tune.stop_early) = (vec![0.0], vec![0.9], true);
        let mut grid = GridTrials::new(&config.tune, 3, None);
        let mut finished = Vec::new();
        for loss in [0.5, 0.6] {
            let Some(TrialSpec { trial, hyperparameters, rung, .. }) = grid.next(&finished, 0) else {
                panic!("{finished:?}")
            };
            let score = Some(Score { metric: None, loss });
            finished.push(Trial { trial, hyperparameters, score, reason: None, rung, parts: vec![] });
            assert_eq!(grid.end_reason(), None);
        }
        assert!(grid.next(&finished, 0).is_none());
        let reason = grid.end_reason().expect("a learning rate is left");
        assert!(reason.contains("the learning rate 0.01 was") && reason.contains("stop-early"), "{reason}");
    }
}
