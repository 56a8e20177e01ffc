//! The training loop that every stage shares: the search (with α), tuning trials, retraining
//! and the plain backbone.

use crate::budget::pace::{Length, Pace, Turn};
use crate::budget::probe::rehearse;
use crate::checkpoint::{Kept, Position, Snapshot};
use crate::crew::Lane;
use crate::data::DataError;
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::journal::Journal;
use crate::loss::LossFn;
use crate::network::{Network, Pass};
use crate::optim::{AlphaRule, Gradient, Sgd, SgdConfig, StepRule};
use crate::problem::Problem;
use crate::rng::Seed;
use crate::running::{Recent, Validation};
use crate::samples::Samples;
use burn::module::Module;
use burn::tensor::Device;
use std::sync::Arc;
use std::time::Instant;

/// A learning rate that is multiplied by `decay` at each milestone.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Epochs (counted from 0) at whose start the rate drops.
    pub milestones: Vec<usize>,
    /// The shares of the training after which it drops, where its length is counted in steps.
    pub fractions: Vec<f64>,
    /// The factor, 0.2 in the paper.
    pub decay: f64,
}

impl Schedule {
    /// The factor in force during an epoch.
    pub fn factor(&self, epoch: usize) -> f64 {
        self.decay.powi(self.milestones.iter().filter(|&&m| epoch >= m).count() as i32)
    }

    /// The factor in force when a share of the training is done.
    pub fn factor_at(&self, progress: f64) -> f64 {
        self.decay.powi(self.fractions.iter().filter(|&&f| progress >= f).count() as i32)
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
    /// Samples of the parts that a batch is computed in, their gradients added up; `None`: the
    /// whole batch at once. Normalization sees the parts.
    pub micro_batch: Option<usize>,
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

    /// The rule of a step by a factor of the schedule, after so many restarts.
    fn rule(&self, factor: f64, restarts: usize) -> StepRule {
        let factor = factor * 0.5f64.powi(restarts as i32);
        StepRule {
            lr: self.lr * factor,
            clip: self.clip,
            alpha: self.alpha.as_ref().map(|a| (a.lr * factor, a.rule.clone())),
        }
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
    /// The data and its metric.
    pub problem: &'a Problem,
    /// The samples of its training data ([`Problem::train`]; in retraining the given validation data after them) to
    /// train on.
    pub indices: &'a [usize],
    /// The loss.
    pub loss: &'a LossFn,
    /// The hyperparameters.
    pub plan: &'a FitPlan,
    /// Its length in steps; `None`: the plan's epochs.
    pub length: Option<Length<'a>>,
    /// The root of its randomness.
    pub seed: Seed,
    /// How often the training may be taken back to its last good state, each time with half the
    /// learning rate, before it counts as diverged.
    pub restarts: usize,
    /// A device that records gradients.
    pub device: &'a Device,
    /// Where its steps are computed; `None`: wherever it is called.
    pub(crate) lane: Option<&'a Lane<'a>>,
}

/// Steps in a row whose gradient is not finite before a training counts as diverged. A single
/// one may be a freak batch: its step is not taken.
const PATIENCE: usize = 5;

/// Restarts of the trainings whose failure would end the run.
pub(crate) const RESTARTS: usize = 3;

/// What is done at the turn of an epoch, besides training.
pub trait AfterEpoch {
    /// An epoch is over; the network is as it left it.
    ///
    /// # Errors
    /// Whatever is to end the training.
    fn done(&mut self, epoch: usize, network: &Network, journal: &mut Journal<'_>) -> Result<(), Error>;

    /// The training goes on at the beginning of an epoch, after a restart or in another process:
    /// what was noted of this epoch and later ones is void.
    ///
    /// # Errors
    /// Whatever is to end the training.
    fn back_to(&mut self, epoch: usize) -> Result<(), Error>;
}

/// Nothing is.
impl AfterEpoch for () {
    fn done(&mut self, _: usize, _: &Network, _: &mut Journal<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn back_to(&mut self, _: usize) -> Result<(), Error> {
        Ok(())
    }
}

/// A training under way.
struct Training {
    network: Network,
    sgd: Sgd,
    at: Position,
    /// The beginning of the last epoch whose first step was sound; only kept where there are
    /// restarts.
    good: Option<Arc<Snapshot>>,
}

impl Training {
    fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.at, &self.network, &self.sgd)
    }

    fn save(&self, journal: &mut Journal<'_>) -> Result<(), Error> {
        journal.save(Some(&Kept { now: self.snapshot(), good: self.good.clone() }))
    }
}

/// How an epoch ended.
enum End {
    Done(Training),
    /// The training is over, perhaps before the epoch.
    Over(Training),
    Diverged(Training, usize),
}

impl Fit<'_> {
    /// Runs the training, from where the journal's checkpoint left it if it holds this training,
    /// and leaves checkpoints in it.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss or the gradients stop being finite,
    /// [`Error::Interrupted`] if the observer asked to stop; the state is saved then.
    pub fn run(
        &self,
        network: Network,
        journal: &mut Journal<'_>,
        after_epoch: &mut dyn AfterEpoch,
    ) -> Result<Network, Error> {
        let at = Position::start(self.stage, self.trial);
        let mut training = Training { network, sgd: Sgd::new(self.plan.sgd), at, good: None };
        if let Some(Kept { now, good }) = journal.resume(self.stage, self.trial) {
            training = self.put_back(training, &now)?;
            training.good = good;
        }
        after_epoch.back_to(training.at.epoch)?;
        let mut pace = self.length.map(|length| {
            let resumed = training.at.epoch + training.at.step > 0;
            Pace::new(length, if resumed { journal.ledger.pace(self.stage, self.trial) } else { None })
        });
        let training = loop {
            if pace.is_none() && training.at.epoch >= self.plan.epochs {
                break training;
            }
            training = match self.epoch(training, pace.as_mut(), journal)? {
                End::Over(mut training) => {
                    if training.at.step > 0 {
                        after_epoch.done(training.at.epoch, &training.network, journal)?;
                        training.at = training.at.next_epoch();
                    }
                    break training;
                }
                End::Done(mut training) => {
                    after_epoch.done(training.at.epoch, &training.network, journal)?;
                    training.at = training.at.next_epoch();
                    training
                }
                End::Diverged(training, step) => {
                    let restarts = training.at.restarts + 1;
                    let diverged = Error::Diverged { stage: self.stage, epoch: training.at.epoch, step };
                    let Some(good) = training.good.clone().filter(|_| restarts <= self.restarts) else {
                        return Err(diverged);
                    };
                    let message = format!(
                        "{diverged}; going back to the start of epoch {} with the learning rate halved, restart \
                         {restarts} of {}",
                        good.position.epoch + 1,
                        self.restarts
                    );
                    tracing::warn!("{message}");
                    journal.event(&Event::Warning { message });
                    let mut training = self.put_back(training, &good)?;
                    training.at.restarts = restarts;
                    after_epoch.back_to(training.at.epoch)?;
                    training
                }
            };
        };
        if self.restarts > 0 {
            // What comes next may fail: bounds that nothing meets, a full disk. That must not cost the training.
            if let Some(pace) = &pace {
                journal.ledger.keep_pace(self.stage, self.trial, pace.state());
            }
            training.save(journal)?;
        }
        Ok(training.network)
    }

    /// A training as a snapshot has it.
    fn put_back(&self, mut training: Training, snapshot: &Snapshot) -> Result<Training, Error> {
        let unfit = |reason| Error::Checkpoints { flaws: format!("the {} stage's: {reason}", self.stage) };
        training.network = snapshot.restore(training.network, &mut training.sgd).map_err(unfit)?;
        training.at = snapshot.position;
        Ok(training)
    }

    /// Loss and gradient of a batch: of its parts, weighted by their sizes.
    fn gradient(
        &self,
        network: &Network,
        rows: &[usize],
        at: [u64; 3],
        recent: &mut Recent,
    ) -> Result<(f64, Gradient), DataError> {
        let plan = self.plan;
        let part_size = plan.micro_batch.map_or(rows.len(), |size| size.clamp(1, rows.len().max(1)));
        let (mut value, mut sum) = (0.0, None::<Gradient>);
        let mut changes = self.seed.stream(self.streams, &[2, at[0], at[1], at[2]]);
        for (number, part) in rows.chunks(part_size.max(1)).enumerate() {
            let (x, target) = self.samples().training_batch(part, &mut changes, self.device)?;
            let mut coordinates = vec![1, at[0], at[1], at[2]];
            // The parts of a batch share the noise of the mixture, but not the dropped units.
            if number > 0 && plan.alpha.is_none() {
                coordinates.push(number as u64);
            }
            let mut noise = self.seed.stream(self.streams, &coordinates);
            let mut pass = Pass {
                noise: Some(&mut noise),
                temperature: plan.alpha.as_ref().map_or(1.0, |a| a.temperature),
                dropout: plan.dropout,
            };
            let output = network.forward(x, &mut pass);
            recent.push(output.clone(), &target);
            let loss = self.loss.forward(output, &target);
            let share = part.len() as f64 / rows.len() as f64;
            value += share * f64::from(loss.clone().into_scalar::<f32>());
            let mut gradient = Gradient::of(network, loss.backward());
            if share < 1.0 {
                gradient.scale(share as f32);
            }
            match &mut sum {
                Some(sum) => sum.add(gradient),
                None => sum = Some(gradient),
            }
        }
        Ok((value, sum.unwrap_or_default()))
    }

    /// The samples that are trained on.
    fn samples(&self) -> &Samples {
        self.problem.trained_on(self.stage, self.trial)
    }

    /// Writes a checkpoint.
    fn keep(&self, t: &Training, pace: Option<&Pace<'_>>, journal: &mut Journal<'_>) -> Result<(), Error> {
        if let Some(pace) = pace {
            journal.ledger.keep_pace(self.stage, self.trial, pace.state());
        }
        t.save(journal)
    }

    /// One step of gradient descent on a batch: the network after it, its loss and the norm of the gradient. The network
    /// is as it was if the batch cannot be read.
    fn step(
        &self,
        network: Network,
        sgd: &mut Sgd,
        rows: &[usize],
        at: [u64; 3],
        rule: &StepRule,
        recent: &mut Recent,
    ) -> (Network, Result<[f64; 2], DataError>) {
        match self.gradient(&network, rows, at, recent) {
            Ok((value, gradient)) => {
                let (network, norm) = sgd.step_by(network, gradient, rule);
                (network, Ok([value, norm]))
            }
            Err(error) => (network, Err(error)),
        }
    }

    /// The steps of an epoch that are not yet done.
    fn epoch(&self, mut t: Training, mut pace: Option<&mut Pace<'_>>, journal: &mut Journal<'_>) -> Result<End, Error> {
        let (plan, n, epoch) = (self.plan, self.indices.len(), t.at.epoch);
        let (steps, trial) = (plan.steps_an_epoch(n), self.trial.map_or(u64::MAX, |t| t as u64));
        let mut since = Instant::now();
        // Of the last step, where that was taken before the training was broken off: there may be none left.
        let factor = match &pace {
            Some(pace) if t.at.step > 0 => plan.schedule.factor_at(pace.progress()),
            _ => plan.schedule.factor(epoch),
        };
        let mut rule = plan.rule(factor, t.at.restarts);
        let mut over = false;
        let mut recent = Recent::after(t.at.step);
        let mut draws = self.seed.stream(self.streams, &[0, trial, epoch as u64]);
        let order = self.samples().order(self.indices, plan.drawn(n), &mut draws);
        for (step, batch) in order.chunks(plan.batch_size).take(steps).enumerate().skip(t.at.step) {
            if journal.cancelled() {
                self.keep(&t, pace.as_deref(), journal)?;
                return Err(Error::Interrupted);
            }
            let taken = (epoch * steps + step) as u64;
            if let Some(pace) = &mut pace {
                match pace.next(taken) {
                    Turn::Step(progress) => rule = plan.rule(plan.schedule.factor_at(progress), t.at.restarts),
                    Turn::Over => {
                        over = true;
                        break;
                    }
                    Turn::Late => return Err(Error::OutOfTime { stage: self.stage }),
                }
                if let Some(samples) = pace.rehearsal() {
                    pace.rehearsed(rehearse(self.problem, &t.network.valid(), samples, self.device));
                }
            }
            let before = (self.restarts > 0 && step == 0).then(|| t.snapshot());
            let rows: Vec<usize> = batch.iter().map(|&i| self.indices[i]).collect();
            let (network, at) = (t.network, [trial, epoch as u64, step as u64]);
            let take = || self.step(network, &mut t.sgd, &rows, at, &rule, &mut recent);
            let (network, outcome) = match self.lane {
                Some(lane) => lane.run(|| {
                    let taken = take();
                    // Updates of running statistics wait by thread, and the next step may be on another.
                    drop(taken.0.valid());
                    taken
                }),
                None => take(),
            };
            t.network = network;
            let [value, norm] = match outcome {
                Ok(outcome) => outcome,
                Err(error) => {
                    // As when it is interrupted: it can be gone on with when the data is there again.
                    self.keep(&t, pace.as_deref(), journal)?;
                    return Err(error.into());
                }
            };
            if norm.is_finite() && value.is_finite() {
                t.at.bad = 0;
                t.at.loss += value;
                t.at.finite += 1;
                // From here the first step at least is known to be sound.
                t.good = before.map(Arc::new).or(t.good);
            } else {
                t.at.bad += 1;
                if t.at.bad >= PATIENCE {
                    return Ok(End::Diverged(t, step));
                }
            }
            t.at.step = step + 1;
            journal.event(&Event::Step {
                stage: self.stage,
                trial: self.trial,
                epoch,
                step: self.progress[0] + taken + 1,
                steps_total: match &pace {
                    Some(pace) if pace.adapts() => self.progress[0] + pace.planned(),
                    _ => self.progress[1],
                },
                loss: Some(value),
                lr: Some(rule.lr),
            });
            if journal.due() {
                t.at.seconds += since.elapsed().as_secs_f64();
                since = Instant::now();
                self.keep(&t, pace.as_deref(), journal)?;
            }
        }
        if over && t.at.step == 0 {
            return Ok(End::Over(t));
        }
        let train_metric = recent.metric(self.problem);
        // Trials are scored when they are over; a training that is out of time has none for this.
        // On samples that are trained on the metric would say nothing.
        let unseen = !self.problem.trains_on_validation(self.stage, self.trial);
        let validation =
            Validation::new(self.problem, plan.drawn(n)).filter(|_| self.trial.is_none() && !over && unseen);
        let epochs = pace.map_or(plan.epochs, |p| (p.planned() as usize).div_ceil(steps));
        let val_metric = validation.and_then(|v| v.metric(epoch, epochs, &t.network, self.device));
        t.at.seconds += since.elapsed().as_secs_f64();
        journal.event(&Event::Epoch {
            stage: self.stage,
            trial: self.trial,
            epoch,
            epochs,
            // Without one finite step in it there is no mean; the run is about to end by `PATIENCE`.
            train_loss: if t.at.finite > 0 { t.at.loss / t.at.finite as f64 } else { f64::MAX },
            train_metric,
            val_metric,
            lr: rule.lr,
            seconds: t.at.seconds,
        });
        Ok(if over { End::Over(t) } else { End::Done(t) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_drops_at_its_milestones() {
        let s = Schedule { milestones: vec![60, 120], fractions: vec![0.3, 0.6], decay: 0.2 };
        assert_eq!(s.factor(59), 1.0);
        assert!((s.factor(60) - 0.2).abs() < 1e-12);
        assert!((s.factor(200) - 0.04).abs() < 1e-12);
        assert!((s.factor_at(0.5) - 0.2).abs() < 1e-12);
    }

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
