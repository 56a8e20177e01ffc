//! The hyperparameters and the length of one training.

use crate::config::schedule::milestone_epochs;
use crate::problem::state::Problem;
use crate::train::schedule::Schedule;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_nn::optim::{AlphaRule, SgdConfig, StepRule};

/// How the architecture parameters are trained; only in the search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlphaPlan {
    /// Learning rate of α at the start.
    pub lr: f64,
    /// Scaling and penalty of its gradient.
    pub rule: AlphaRule,
    /// Softmax temperature τ.
    pub temperature: f64,
}

/// Everything that defines one training.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FitPlan {
    /// Passes over the (subsampled) data.
    pub epochs: usize,
    /// Samples per step.
    pub batch_size: usize,
    /// Fraction of the samples that each epoch draws anew.
    pub subsample: f64,
    /// Learning rate of the weights at the start.
    pub lr: f64,
    /// How the learning rates fall.
    pub schedule: Schedule,
    /// Momentum and weight decay.
    pub sgd: SgdConfig,
    /// Threshold on the global norm of the gradient.
    pub clip: Option<f64>,
    /// Dropout rate.
    pub dropout: f64,
    /// Present in the search.
    pub alpha: Option<AlphaPlan>,
    /// Samples per part of a batch. The gradients of the parts are added up; normalization sees only its own part.
    /// `None` computes the whole batch at once.
    pub micro_batch: Option<usize>,
}

impl FitPlan {
    /// Samples that one epoch draws out of `n`.
    pub fn drawn(&self, n: usize) -> usize {
        ((n as f64 * self.subsample).round() as usize).max(1).min(n)
    }

    /// Steps of one epoch over `n` samples.
    ///
    /// A last batch of a single sample is dropped where there are others: batch normalization cannot normalize a
    /// single sample.
    pub fn steps_per_epoch(&self, n: usize) -> usize {
        let drawn = self.drawn(n);
        let full = drawn.div_ceil(self.batch_size);
        if full > 1 && drawn % self.batch_size == 1 { full - 1 } else { full }
    }

    /// Changes the number of epochs so that the whole training over `n` samples takes at least `min` and at most
    /// `max` steps: a small data set needs more epochs to get anywhere, a large one fewer. 0 sets no bound.
    pub fn bound_steps(&mut self, n: usize, min: usize, max: usize) {
        let per_epoch = self.steps_per_epoch(n);
        if max > 0 {
            self.epochs = self.epochs.min((max / per_epoch).max(1));
        }
        self.epochs = self.epochs.max(min.div_ceil(per_epoch));
    }

    /// The update rule of a step, from a factor of the schedule and the number of restarts so far.
    pub fn rule(&self, factor: f64, restarts: usize) -> StepRule {
        let factor = factor * 0.5f64.powi(restarts as i32);
        StepRule {
            lr: self.lr * factor,
            clip: self.clip,
            alpha: self.alpha.as_ref().map(|a| (a.lr * factor, a.rule.clone())),
        }
    }

    /// Steps of the whole training over `n` samples.
    pub fn steps(&self, n: usize) -> u64 {
        (self.epochs * self.steps_per_epoch(n)) as u64
    }
}

/// The training with some hyperparameters over `rows` samples, for `epochs` epochs or as many as keep the number of
/// steps within `[min, max]` (0: no bound).
pub(crate) fn fit_plan(
    hyperparameters: Hyperparameters,
    problem: &Problem,
    epochs: usize,
    rows: usize,
    steps: [usize; 2],
) -> FitPlan {
    let config = problem.config();
    let r = &config.retrain;
    let Hyperparameters { lr, weight_decay, momentum, dropout } = hyperparameters;
    let mut plan = FitPlan {
        epochs,
        batch_size: config.retrain_batch_size(&problem.setup.facts()),
        subsample: 1.0,
        lr,
        schedule: Schedule {
            milestones: vec![],
            fractions: config.retrain_milestones(problem.setup.dims()),
            decay: r.lr_decay,
        },
        sgd: SgdConfig { momentum, nesterov: r.nesterov, weight_decay },
        clip: (r.clip > 0.0).then_some(r.clip),
        dropout,
        alpha: None,
        micro_batch: problem.budget.train_micro_batch(),
    };
    plan.bound_steps(rows, steps[0], steps[1]);
    plan.schedule.milestones = milestone_epochs(&config.retrain_milestones(problem.setup.dims()), plan.epochs);
    plan
}

/// The training of some steps in a search, with the batches of the search.
pub(crate) fn search_trial_plan(
    hyperparameters: Hyperparameters,
    problem: &Problem,
    rows: usize,
    steps: u64,
) -> FitPlan {
    let mut plan = fit_plan(hyperparameters, problem, 1, rows, [steps as usize, 0]);
    plan.batch_size = problem.config().search_batch_size(&problem.setup.facts()).min(rows.max(1));
    plan.micro_batch = problem.budget.search_micro_batch();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_count_the_subsample_and_drop_a_lone_last_sample() {
        let plan = |batch_size, subsample| FitPlan {
            epochs: 1,
            batch_size,
            subsample,
            lr: 0.1,
            schedule: Schedule { milestones: vec![], fractions: vec![], decay: 1.0 },
            sgd: SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 0.0 },
            clip: None,
            dropout: 0.0,
            alpha: None,
            micro_batch: None,
        };
        assert_eq!(plan(10, 1.0).steps_per_epoch(100), 10);
        assert_eq!(plan(10, 1.0).steps_per_epoch(101), 10);
        assert_eq!(plan(10, 1.0).steps_per_epoch(102), 11);
        assert_eq!(plan(10, 0.2).steps_per_epoch(102), 2);
        assert_eq!(plan(10, 0.001).steps_per_epoch(1), 1);

        let bounded = |epochs, n, min, max| {
            let mut plan = FitPlan { epochs, ..plan(10, 1.0) };
            plan.bound_steps(n, min, max);
            plan.epochs
        };
        assert_eq!(bounded(5, 100, 0, 0), 5);
        assert_eq!(bounded(5, 20, 100, 0), 50);
        assert_eq!(bounded(5, 1000, 0, 250), 2);
        assert_eq!(bounded(5, 1000, 0, 10), 1, "one epoch at the least");
        assert_eq!(bounded(5, 100, 20, 80), 5);
    }
}
