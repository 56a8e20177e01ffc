//! The training loop that every stage shares: the search (with α), tuning trials, retraining
//! and the plain backbone.

use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::loss::LossFn;
use crate::network::{Network, Pass};
use crate::optim::{AlphaRule, Sgd, SgdConfig, StepRule};
use crate::rng::{Seed, permutation};
use crate::samples::Samples;
use burn::tensor::Device;
use std::time::Instant;

/// A learning rate that is multiplied by `decay` at each milestone.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Epochs (counted from 0) at whose start the rate drops.
    pub milestones: Vec<usize>,
    /// The factor, 0.2 in the paper.
    pub decay: f64,
}

impl Schedule {
    /// The factor in force during an epoch.
    pub fn factor(&self, epoch: usize) -> f64 {
        self.decay.powi(self.milestones.iter().filter(|&&m| epoch >= m).count() as i32)
    }
}

/// How the architecture parameters are trained; search only.
#[derive(Debug, Clone, PartialEq)]
pub struct AlphaPlan {
    /// Learning rate of α at the start.
    pub lr: f64,
    /// Scaling and penalty of its gradient.
    pub rule: AlphaRule,
    /// Softmax temperature τ.
    pub temperature: f64,
}

/// Everything that defines one training.
#[derive(Debug, Clone, PartialEq)]
pub struct FitPlan {
    /// Passes over the (subsampled) data.
    pub epochs: usize,
    /// Samples a step.
    pub batch_size: usize,
    /// Fraction of the samples that each epoch draws anew.
    pub subsample: f64,
    /// Learning rate of the weights at the start.
    pub lr: f64,
    /// How the learning rates fall.
    pub schedule: Schedule,
    /// Momentum and weight decay.
    pub sgd: SgdConfig,
    /// Threshold on the gradient's global norm.
    pub clip: Option<f64>,
    /// Dropout rate.
    pub dropout: f64,
    /// Present in the search.
    pub alpha: Option<AlphaPlan>,
}

impl FitPlan {
    /// Samples that one epoch draws out of `n`.
    fn drawn(&self, n: usize) -> usize {
        ((n as f64 * self.subsample).round() as usize).clamp(1, n)
    }

    /// Steps of one epoch over `n` samples.
    ///
    /// A last batch of a single sample is dropped where there are others: batch normalization
    /// has nothing to normalize by in it.
    pub fn steps_an_epoch(&self, n: usize) -> usize {
        let drawn = self.drawn(n);
        let full = drawn.div_ceil(self.batch_size);
        if full > 1 && drawn % self.batch_size == 1 { full - 1 } else { full }
    }

    /// Changes the number of epochs so that the whole training over `n` samples takes at least
    /// and at most so many steps: a small data set needs more epochs to get anywhere, a large
    /// one fewer.
    /// 0 sets no bound.
    pub fn bound_steps(&mut self, n: usize, min: usize, max: usize) {
        let an_epoch = self.steps_an_epoch(n);
        if max > 0 {
            self.epochs = self.epochs.min((max / an_epoch).max(1));
        }
        self.epochs = self.epochs.max(min.div_ceil(an_epoch));
    }

    /// Steps of the whole training over `n` samples.
    pub fn steps(&self, n: usize) -> u64 {
        (self.epochs * self.steps_an_epoch(n)) as u64
    }
}

/// One training to be run.
pub struct Fit<'a> {
    /// The stage it belongs to, for events and for its random streams.
    pub stage: Stage,
    /// Which tuning trial it is.
    pub trial: Option<usize>,
    /// Steps that the stage has taken before this training, and will have taken in all.
    pub progress: [u64; 2],
    /// Name of its random streams. Trainings that are to be compared share one.
    pub streams: &'a str,
    /// The data.
    pub data: &'a Samples,
    /// The samples of it to train on.
    pub indices: &'a [usize],
    /// The loss.
    pub loss: &'a LossFn,
    /// The hyperparameters.
    pub plan: &'a FitPlan,
    /// The root of its randomness.
    pub seed: Seed,
    /// A device that records gradients.
    pub device: &'a Device,
}

/// Steps in a row whose gradient is not finite before a training counts as diverged. A single
/// one may be a freak batch: its step is not taken.
const PATIENCE: usize = 5;

impl Fit<'_> {
    /// Runs the training and calls `after_epoch` with the network at the end of each epoch.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss or the gradients stop being finite,
    /// [`Error::Interrupted`] if the observer asked to stop.
    pub fn run(
        &self,
        mut network: Network,
        observer: &mut dyn Observer,
        mut after_epoch: impl FnMut(usize, &Network, &mut dyn Observer) -> Result<(), Error>,
    ) -> Result<Network, Error> {
        let plan = self.plan;
        let n = self.indices.len();
        let steps = plan.steps_an_epoch(n);
        let trial = self.trial.map_or(u64::MAX, |t| t as u64);
        let mut sgd = Sgd::new(plan.sgd);
        let mut bad = 0;
        for epoch in 0..plan.epochs {
            let started = Instant::now();
            let factor = plan.schedule.factor(epoch);
            let rule = StepRule {
                lr: plan.lr * factor,
                clip: plan.clip,
                alpha: plan.alpha.as_ref().map(|a| (a.lr * factor, a.rule.clone())),
            };
            let mut order = permutation(n, &mut self.seed.stream(self.streams, &[0, trial, epoch as u64]));
            order.truncate(plan.drawn(n));
            let mut total = 0.0;
            for (step, batch) in order.chunks(plan.batch_size).take(steps).enumerate() {
                if observer.cancelled() {
                    return Err(Error::Interrupted);
                }
                let rows: Vec<usize> = batch.iter().map(|&i| self.indices[i]).collect();
                let (x, target) = self.data.batch(&rows, self.device);
                let mut noise = self.seed.stream(self.streams, &[1, trial, epoch as u64, step as u64]);
                let mut pass = Pass {
                    noise: Some(&mut noise),
                    temperature: plan.alpha.as_ref().map_or(1.0, |a| a.temperature),
                    dropout: plan.dropout,
                };
                let loss = self.loss.forward(network.forward(x, &mut pass), &target);
                let value = f64::from(loss.clone().into_scalar::<f32>());
                let (updated, norm) = sgd.step(network, loss.backward(), &rule);
                network = updated;
                bad = if norm.is_finite() && value.is_finite() { 0 } else { bad + 1 };
                if bad >= PATIENCE {
                    return Err(Error::Diverged { stage: self.stage, epoch, step });
                }
                total += value;
                observer.event(&Event::Step {
                    stage: self.stage,
                    trial: self.trial,
                    epoch,
                    step: self.progress[0] + (epoch * steps + step + 1) as u64,
                    steps_total: self.progress[1],
                    loss: Some(value),
                    lr: Some(rule.lr),
                });
            }
            observer.event(&Event::Epoch {
                stage: self.stage,
                trial: self.trial,
                epoch,
                epochs: plan.epochs,
                train_loss: total / steps as f64,
                val_metric: None,
                lr: rule.lr,
                seconds: started.elapsed().as_secs_f64(),
            });
            after_epoch(epoch, &network, observer)?;
        }
        Ok(network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_drops_at_its_milestones() {
        let s = Schedule { milestones: vec![60, 120], decay: 0.2 };
        assert_eq!(s.factor(59), 1.0);
        assert!((s.factor(60) - 0.2).abs() < 1e-12);
        assert!((s.factor(200) - 0.04).abs() < 1e-12);
    }

    #[test]
    fn steps_count_the_subsample_and_drop_a_lone_last_sample() {
        let plan = |batch_size, subsample| FitPlan {
            epochs: 1,
            batch_size,
            subsample,
            lr: 0.1,
            schedule: Schedule { milestones: vec![], decay: 1.0 },
            sgd: SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 0.0 },
            clip: None,
            dropout: 0.0,
            alpha: None,
        };
        assert_eq!(plan(10, 1.0).steps_an_epoch(100), 10);
        assert_eq!(plan(10, 1.0).steps_an_epoch(101), 10);
        assert_eq!(plan(10, 1.0).steps_an_epoch(102), 11);
        assert_eq!(plan(10, 0.2).steps_an_epoch(102), 2);
        assert_eq!(plan(10, 0.001).steps_an_epoch(1), 1);

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
