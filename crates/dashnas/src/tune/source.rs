//! Which trials there are.

use crate::record::trial::{Rung, Trial};
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::score::Score;

/// A network that a race trains, and the round that decides its data and its initial weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RaceNetwork {
    /// `[kernel size, dilation]` of every searched layer.
    pub kernels: Vec<[usize; 2]>,
    /// The round, from 0.
    pub round: usize,
}

/// A trial to be run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrialSpec {
    /// Its number, from 0.
    pub trial: usize,
    /// The hyperparameters to try.
    pub hyperparameters: Hyperparameters,
    /// Its length in steps; `None`: the configured epochs.
    pub steps: Option<u64>,
    /// Its rung in asynchronous successive halving; `None` in a grid.
    pub rung: Option<Rung>,
    /// The network of a race that it trains; `None` where all trials train the same network.
    pub network: Option<RaceNetwork>,
}

/// Decides which trials there are.
pub(crate) trait TrialSource {
    /// The next trial; `None` if there is none before one of the `running` trials finishes. `finished` are the
    /// finished trials, by number.
    fn next(&mut self, finished: &[Trial], running: usize) -> Option<TrialSpec>;

    /// Takes the score of a finished trial; `None` if it failed.
    fn finished(&mut self, spec: &TrialSpec, score: Option<Score>);

    /// Why there are no more trials, if there could have been more.
    fn end_reason(&self) -> Option<String> {
        None
    }
}

/// The source without trials.
pub(crate) struct NoTrials;

impl TrialSource for NoTrials {
    fn next(&mut self, _: &[Trial], _: usize) -> Option<TrialSpec> {
        None
    }

    fn finished(&mut self, _: &TrialSpec, _: Option<Score>) {}
}
