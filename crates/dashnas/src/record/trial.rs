//! Tuning trials and the choice among them, as the run directory keeps them.

use crate::error::Error;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::score::Score;
use serde::{Deserialize, Serialize};

/// A tuning trial with its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The number of the trial, from 0, in the order in which trials are begun.
    pub trial: usize,
    /// The hyperparameters that were tried.
    pub hyperparameters: Hyperparameters,
    /// The score on the validation split; `None` if the trial failed.
    pub score: Option<Score>,
    /// Why the trial failed.
    pub reason: Option<String>,
    /// The rung in asynchronous successive halving; `None` in a grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
    /// In a race, the losses on parts of the validation split: their differences tell how much a score depends on the
    /// choice of the samples.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<f64>,
}

/// The place of a trial in asynchronous successive halving.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// The number of the sampled configuration, from 0.
    pub sample: usize,
    /// The rung, from 0.
    pub rung: usize,
    /// Steps of the trial.
    pub steps: u64,
}

/// The trials of a tuning and the choice among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// The trials in the order of their numbers.
    pub trials: Vec<Trial>,
    /// The hyperparameters with the best validation score.
    pub best: Hyperparameters,
}

impl Tuning {
    /// The tuning with the given trials.
    ///
    /// # Errors
    /// [`Error::AllTrialsFailed`] if no trial has a score.
    pub fn of(trials: Vec<Trial>) -> Result<Self, Error> {
        match best(&trials) {
            Some((_, best)) => Ok(Self { trials, best }),
            None => Err(Error::AllTrialsFailed {
                trials: trials.len(),
                reason: trials.into_iter().rev().find_map(|t| t.reason).unwrap_or_default(),
            }),
        }
    }

    /// The best validation score.
    pub fn best_score(&self) -> Option<Score> {
        best(&self.trials).map(|(score, _)| score)
    }
}

/// Score and hyperparameters of the best trial, the first of equal ones; in asynchronous successive halving, of the
/// highest rung that has a score.
pub fn best(trials: &[Trial]) -> Option<(Score, Hyperparameters)> {
    let rung = |t: &&Trial| t.rung.map_or(0, |at| at.rung);
    let top = trials.iter().filter(|t| t.score.is_some()).map(|t| rung(&t)).max()?;
    let finalists = trials.iter().filter(|t| rung(t) == top);
    let scored = finalists.filter_map(|t| t.score.map(|score| (score, t.hyperparameters)));
    scored.reduce(|a, b| if b.0.beats(a.0) { b } else { a })
}
