//! The result of one network of a bench, as it is kept in its run directory.

use crate::error::Error;
use crate::record::event::Event;
use crate::run::load::Loaded;
use dashnas_core::math::entropy;
use dashnas_core::stage::Stage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the file in the run directory.
pub(crate) const RECORD: &str = "bench.json";

/// The result of one entry of a bench. Lower metrics and losses are better.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// `[k, d]` of every searched layer; `None` if the search failed.
    pub kernels: Option<Vec<[usize; 2]>>,
    /// The metric of the best tuning trial on the validation split.
    pub validation: Option<f64>,
    /// The loss of the best tuning trial on the validation split.
    pub validation_loss: Option<f64>,
    /// The metric on the test split.
    pub test: Option<f64>,
    /// The loss on the test split; of classes after temperature scaling.
    pub test_loss: Option<f64>,
    /// Seconds of all stages.
    pub seconds: f64,
    /// Seconds of each stage.
    pub stages: BTreeMap<Stage, f64>,
    /// The trials of the first hyperparameters, by length.
    pub trials: Vec<ShortTrial>,
    /// The loss of its path in a supernet of single paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked: Option<f64>,
    /// softmax(α) of each layer at the end of the search, candidates k-major.
    pub alpha: Option<Vec<Vec<f64>>>,
    /// Why there is no result.
    pub reason: Option<String>,
}

/// A trial with the first hyperparameters of the grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShortTrial {
    /// Its length as a fraction of that of a tuning trial: numerator and denominator.
    pub length: [u64; 2],
    /// Its steps.
    pub steps: u64,
    /// The metric on the validation split.
    pub metric: Option<f64>,
    /// The loss on the validation split.
    pub loss: Option<f64>,
    /// Seconds of its training; 0 for one that was part of the tuning.
    pub seconds: f64,
}

impl EntryRecord {
    /// What a run directory says, which has the results of its finished stages.
    pub(crate) fn of(run: &Loaded) -> Self {
        let score = run.tuning.as_ref().and_then(|tuning| tuning.best_score());
        let mut stages = BTreeMap::new();
        for event in &run.events {
            if let Event::StageFinished { stage, seconds } = event {
                stages.insert(*stage, *seconds);
            }
        }
        Self {
            kernels: run.architecture.as_ref().map(|architecture| architecture.kernels.clone()),
            validation: score.and_then(|score| score.metric),
            validation_loss: score.map(|score| score.loss),
            test: run.outcome.as_ref().and_then(|outcome| outcome.test),
            seconds: stages.values().sum(),
            stages,
            alpha: run.alpha.last().map(|record| record.layers.clone()),
            ..Self::default()
        }
    }

    /// The mean entropy of α over the layers in nats, if the search trained α.
    pub fn entropy(&self) -> Option<f64> {
        let layers = self.alpha.as_ref().filter(|layers| !layers.is_empty())?;
        Some(layers.iter().map(|layer| entropy(layer)).sum::<f64>() / layers.len() as f64)
    }

    /// Seconds of the additional short trials.
    pub fn trial_seconds(&self) -> f64 {
        self.trials.iter().fold(0.0, |sum, trial| sum + trial.seconds)
    }

    /// The test metric as a statistic takes it: infinite if the network could not be trained.
    pub fn error(&self) -> Option<f64> {
        self.or_failed(self.test)
    }

    /// The test loss as a statistic takes it.
    pub fn loss(&self) -> Option<f64> {
        self.or_failed(self.test_loss)
    }

    fn or_failed(&self, value: Option<f64>) -> Option<f64> {
        value.or(self.reason.is_some().then_some(f64::INFINITY))
    }
}

/// The reason for which a network has no result, if the error is a failure of its training. Other errors end a bench.
///
/// # Errors
/// The error that is not one.
pub(crate) fn failure(error: Error) -> Result<String, Error> {
    match error {
        Error::Diverged { .. } | Error::AllTrialsFailed { .. } | Error::Metric(_) => Ok(error.to_string()),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_training_is_worse_than_any_other() {
        let failed = EntryRecord { reason: Some("diverged".into()), ..EntryRecord::default() };
        assert_eq!((failed.error(), failed.loss()), (Some(f64::INFINITY), Some(f64::INFINITY)));
        assert_eq!(EntryRecord::default().error(), None);
        let alpha = vec![vec![0.5, 0.5], vec![1.0, 0.0]];
        let searched = EntryRecord { alpha: Some(alpha), ..EntryRecord::default() };
        assert!(searched.entropy().is_some_and(|found| (found - 2f64.ln() / 2.0).abs() < 1e-12));
    }

    #[test]
    fn only_failures_of_a_training_are_results() {
        let diverged = Error::Diverged { stage: Stage::Retrain, epoch: 0, step: 0 };
        assert!(failure(diverged).is_ok_and(|reason| reason.contains("diverged")));
        assert!(matches!(failure(Error::Interrupted), Err(Error::Interrupted)));
    }
}
