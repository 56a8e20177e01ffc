//! The training loop (Algorithm 1, lines 5 to 9, and the training of fixed networks): stochastic gradient descent
//! with momentum, with checkpoints between any two steps and restarts after a divergence.

use crate::budget::pace::{NextStep, Pacer, TrainingLength};
use crate::checkpoint::snapshot::{Position, SavedTraining, Snapshot};
use crate::error::Error;
use crate::problem::augment::batches::AugmentedBatches;
use crate::problem::eval_timing::time_eval_batch;
use crate::problem::monitor::{RecentOutputs, ValidationMonitor};
use crate::problem::state::Problem;
use crate::record::event::Event;
use crate::run_dir::error::RunDirError;
use crate::train::compute_slot::ComputeSlot;
use crate::train::plan::FitPlan;
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use burn::module::Module;
use burn::tensor::Device;
use dashnas_core::rng::Seed;
use dashnas_formats::error::DataError;
use dashnas_nn::loss::LossFn;
use dashnas_nn::network::{Network, Pass};
use dashnas_nn::optim::{Gradient, Sgd, StepRule};
use std::sync::Arc;
use std::time::Instant;

/// One training to be run.
pub(crate) struct Fit<'a> {
    /// The stage that it belongs to, with the stage's steps before this training and in total.
    pub progress: StageProgress,
    /// The number of the tuning trial that it is; `None` outside tuning.
    pub trial: Option<usize>,
    /// Name of its random streams. Trainings that are to be compared share one.
    pub streams: &'a str,
    /// A coordinate of its random streams, which trials that are to be compared share; `None`: the number of the trial.
    pub draw: Option<u64>,
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
    pub length: Option<TrainingLength<'a>>,
    /// The root of its randomness.
    pub seed: Seed,
    /// How often the training may return to its last good state, each time with half the learning rate, before it
    /// counts as diverged.
    pub restarts: usize,
    /// A device that records gradients.
    pub device: &'a Device,
    /// The threads that compute its steps; `None`: those of the caller.
    pub slot: Option<&'a ComputeSlot<'a>>,
}

/// Steps in a row whose gradient is not finite before a training counts as diverged. A single
/// one may be a freak batch: its update is skipped.
const PATIENCE: usize = 5;

/// Restarts of the trainings whose failure would end the run.
pub(crate) const RESTARTS: usize = 3;

/// Work that is done between the epochs of a training.
pub(crate) trait EpochHook {
    /// Called after an epoch, with the network as the epoch left it.
    ///
    /// # Errors
    /// Any error ends the training.
    fn epoch_finished(&mut self, epoch: usize, network: &Network, recorder: &mut dyn Recorder) -> Result<(), Error>;

    /// Called when the training continues from the beginning of an epoch, after a restart or in another process:
    /// whatever was recorded of this epoch and of later ones is void.
    ///
    /// # Errors
    /// Any error ends the training.
    fn rewound_to(&mut self, epoch: usize) -> Result<(), Error>;
}

/// Does nothing between epochs.
impl EpochHook for () {
    fn epoch_finished(&mut self, _: usize, _: &Network, _: &mut dyn Recorder) -> Result<(), Error> {
        Ok(())
    }

    fn rewound_to(&mut self, _: usize) -> Result<(), Error> {
        Ok(())
    }
}

/// The changing state of a training.
struct TrainingState {
    network: Network,
    sgd: Sgd,
    at: Position,
    /// The beginning of the last epoch whose first step had a finite loss and gradient; only kept where there are
    /// restarts.
    last_good: Option<Arc<Snapshot>>,
}

impl TrainingState {
    fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.at, &self.network, &self.sgd)
    }

    fn save(&self, recorder: &mut dyn Recorder) -> Result<(), Error> {
        recorder.save(&SavedTraining { current: self.snapshot(), last_good: self.last_good.clone() })
    }
}

/// How an epoch ended.
enum EpochEnd {
    /// All of its steps were taken.
    Complete(TrainingState),
    /// The length of the whole training was reached, perhaps before the end of the epoch.
    LengthReached(TrainingState),
    /// Too many gradients in a row were not finite, the last one at this step.
    Diverged(TrainingState, usize),
}

/// The quantities of an epoch that no checkpoint holds.
struct EpochState {
    /// Steps of a whole epoch.
    steps: usize,
    /// First coordinate of the random streams.
    trial: u64,
    rule: StepRule,
    /// Outputs of the last steps, for the training metric.
    recent: RecentOutputs,
    /// The instant up to which the seconds of the epoch are counted.
    counted_until: Instant,
}

/// The loss of a batch and the norm of its gradient.
struct StepResult {
    loss: f64,
    gradient_norm: f64,
}

impl Fit<'_> {
    /// Runs the training, from the saved state if the recorder has one of this training, and saves states there.
    ///
    /// # Errors
    /// [`Error::Diverged`] if the loss or the gradients stop being finite,
    /// [`Error::Interrupted`] if the observer asked to stop; the state is saved then.
    pub fn run(
        &self,
        network: Network,
        recorder: &mut dyn Recorder,
        hook: &mut dyn EpochHook,
    ) -> Result<Network, Error> {
        let at = Position::start(self.progress.stage, self.trial);
        let mut training = TrainingState { network, sgd: Sgd::new(self.plan.sgd), at, last_good: None };
        if let Some(SavedTraining { current, last_good }) = recorder.take_saved(self.progress.stage, self.trial) {
            training = self.restore(training, &current)?;
            training.last_good = last_good;
        }
        hook.rewound_to(training.at.epoch)?;
        let mut pace = self.length.map(|length| {
            let resumed = training.at.epoch + training.at.step > 0;
            Pacer::new(length, if resumed { recorder.pace(self.progress.stage, self.trial) } else { None })
        });
        let training = loop {
            if pace.is_none() && training.at.epoch >= self.plan.epochs {
                break training;
            }
            training = match self.epoch(training, pace.as_mut(), recorder)? {
                EpochEnd::LengthReached(mut training) => {
                    if training.at.step > 0 {
                        hook.epoch_finished(training.at.epoch, &training.network, recorder)?;
                        training.at = training.at.next_epoch();
                    }
                    break training;
                }
                EpochEnd::Complete(mut training) => {
                    hook.epoch_finished(training.at.epoch, &training.network, recorder)?;
                    training.at = training.at.next_epoch();
                    training
                }
                EpochEnd::Diverged(training, step) => {
                    let training = self.restart(training, step, recorder)?;
                    hook.rewound_to(training.at.epoch)?;
                    training
                }
            };
        };
        if self.restarts > 0 {
            // The work that follows may fail: bounds that nothing meets, a full disk. That must not cost the training.
            self.save(&training, pace.as_ref(), recorder)?;
        }
        Ok(training.network)
    }

    /// Returns a training that diverged at a step to its last good state, with half the learning rate.
    fn restart(
        &self,
        training: TrainingState,
        step: usize,
        recorder: &mut dyn Recorder,
    ) -> Result<TrainingState, Error> {
        let restarts = training.at.restarts + 1;
        let diverged = Error::Diverged { stage: self.progress.stage, epoch: training.at.epoch, step };
        let Some(good) = training.last_good.clone().filter(|_| restarts <= self.restarts) else {
            return Err(diverged);
        };
        let message = format!(
            "{diverged}; going back to the start of epoch {} with the learning rate halved, restart {restarts} of {}",
            good.position.epoch + 1,
            self.restarts
        );
        tracing::warn!("{message}");
        recorder.event(&Event::Warning { message });
        let mut training = self.restore(training, &good)?;
        training.at.restarts = restarts;
        Ok(training)
    }

    /// Sets a training to the state of a snapshot.
    fn restore(&self, mut training: TrainingState, snapshot: &Snapshot) -> Result<TrainingState, Error> {
        let unfit = |reason| {
            let flaws = format!("that of the {} stage: {reason}", self.progress.stage);
            Error::RunDir(RunDirError::Checkpoints { flaws })
        };
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
        recent: &mut RecentOutputs,
    ) -> Result<(f64, Gradient), DataError> {
        let plan = self.plan;
        let part_size = plan.micro_batch.map_or(rows.len(), |size| size.clamp(1, rows.len().max(1)));
        let (mut value, mut sum) = (0.0, None::<Gradient>);
        let mut changes = self.seed.stream(self.streams, &[2, at[0], at[1], at[2]]);
        for (number, part) in rows.chunks(part_size.max(1)).enumerate() {
            let (x, target) = self.batches().batch(part, &mut changes, self.device)?;
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
                path: None,
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

    /// The batches that are trained on.
    fn batches(&self) -> AugmentedBatches<'_> {
        self.problem.setup.training_batches(self.progress.stage, self.trial)
    }

    /// Saves the state of the training and of its pace.
    fn save(
        &self,
        training: &TrainingState,
        pace: Option<&Pacer<'_>>,
        recorder: &mut dyn Recorder,
    ) -> Result<(), Error> {
        if let Some(pace) = pace {
            recorder.keep_pace(self.progress.stage, self.trial, pace.state());
        }
        training.save(recorder)
    }

    /// One step of gradient descent on a batch: the network after it, and the step's result. The network is
    /// unchanged if the batch cannot be read.
    fn descend(
        &self,
        network: Network,
        sgd: &mut Sgd,
        rows: &[usize],
        at: [u64; 3],
        rule: &StepRule,
        recent: &mut RecentOutputs,
    ) -> (Network, Result<StepResult, DataError>) {
        match self.gradient(&network, rows, at, recent) {
            Ok((loss, gradient)) => {
                let (network, gradient_norm) = sgd.step_by(network, gradient, rule);
                (network, Ok(StepResult { loss, gradient_norm }))
            }
            Err(error) => (network, Err(error)),
        }
    }

    /// [`Fit::descend`] on the threads of the training.
    fn step(
        &self,
        mut training: TrainingState,
        rows: &[usize],
        step: usize,
        epoch: &mut EpochState,
    ) -> (TrainingState, Result<StepResult, DataError>) {
        let (network, at) = (training.network, [epoch.trial, training.at.epoch as u64, step as u64]);
        let descend = || self.descend(network, &mut training.sgd, rows, at, &epoch.rule, &mut epoch.recent);
        let (network, result) = match self.slot {
            Some(slot) => slot.run(|| {
                let taken = descend();
                // Pending updates of running statistics belong to a thread, and the next step may be on another.
                drop(taken.0.valid());
                taken
            }),
            None => descend(),
        };
        training.network = network;
        (training, result)
    }

    /// Asks before a step whether the training is to stop and how long it still is, and sets the learning rate;
    /// whether the step is to be taken.
    fn prepare_step(
        &self,
        training: &TrainingState,
        taken: u64,
        epoch: &mut EpochState,
        mut pace: Option<&mut Pacer<'_>>,
        recorder: &mut dyn Recorder,
    ) -> Result<bool, Error> {
        if recorder.cancelled() {
            self.save(training, pace.as_deref(), recorder)?;
            return Err(Error::Interrupted);
        }
        if let Some(pace) = &mut pace {
            let schedule = &self.plan.schedule;
            match pace.next_step(taken) {
                NextStep::Take(progress) => {
                    epoch.rule = self.plan.rule(schedule.factor_at(progress), training.at.restarts);
                }
                NextStep::Complete => return Ok(false),
                NextStep::OutOfTime => return Err(Error::OutOfTime { stage: self.progress.stage }),
            }
            if let Some(samples) = pace.due_timing() {
                pace.record_timing(time_eval_batch(
                    self.problem,
                    &training.network.valid(),
                    samples,
                    |x| x,
                    self.device,
                ));
            }
        }
        Ok(true)
    }

    /// Takes the steps of an epoch that are not yet done.
    fn epoch(
        &self,
        mut training: TrainingState,
        mut pace: Option<&mut Pacer<'_>>,
        recorder: &mut dyn Recorder,
    ) -> Result<EpochEnd, Error> {
        let (plan, n, number) = (self.plan, self.indices.len(), training.at.epoch);
        let counted_until = Instant::now();
        // The factor of the last step, if the training was interrupted after it: no step may be left.
        let factor = match &pace {
            Some(pace) if training.at.step > 0 => {
                let done = number * plan.steps_per_epoch(n) + training.at.step;
                plan.schedule.factor_at(pace.progress_of_last(done as u64))
            }
            _ => plan.schedule.factor(number),
        };
        let mut epoch = EpochState {
            steps: plan.steps_per_epoch(n),
            trial: self.draw.or(self.trial.map(|trial| trial as u64)).unwrap_or(u64::MAX),
            rule: plan.rule(factor, training.at.restarts),
            recent: RecentOutputs::after(training.at.step),
            counted_until,
        };
        let mut length_reached = false;
        let mut draws = self.seed.stream(self.streams, &[0, epoch.trial, number as u64]);
        let order = self.batches().order(self.indices, plan.drawn(n), &mut draws);
        for (step, batch) in order.chunks(plan.batch_size).take(epoch.steps).enumerate().skip(training.at.step) {
            let taken = (number * epoch.steps + step) as u64;
            if !self.prepare_step(&training, taken, &mut epoch, pace.as_deref_mut(), recorder)? {
                length_reached = true;
                break;
            }
            let before = (self.restarts > 0 && step == 0).then(|| training.snapshot());
            let rows: Vec<usize> = batch.iter().map(|&i| self.indices[i]).collect();
            let result;
            (training, result) = self.step(training, &rows, step, &mut epoch);
            let StepResult { loss, gradient_norm } = match result {
                Ok(result) => result,
                Err(error) => {
                    // As after an interruption: the training can be resumed when the data is there again.
                    self.save(&training, pace.as_deref(), recorder)?;
                    return Err(error.into());
                }
            };
            if gradient_norm.is_finite() && loss.is_finite() {
                training.at.bad = 0;
                training.at.loss += loss;
                training.at.finite += 1;
                // Now the first step at least is known to be finite.
                training.last_good = before.map(Arc::new).or(training.last_good);
            } else {
                training.at.bad += 1;
                if training.at.bad >= PATIENCE {
                    return Ok(EpochEnd::Diverged(training, step));
                }
            }
            training.at.step = step + 1;
            recorder.event(&self.step_event(number, taken, loss, epoch.rule.lr, pace.as_deref()));
            if recorder.checkpoint_due() {
                training.at.seconds += epoch.counted_until.elapsed().as_secs_f64();
                epoch.counted_until = Instant::now();
                self.save(&training, pace.as_deref(), recorder)?;
            }
        }
        if length_reached && training.at.step == 0 {
            return Ok(EpochEnd::LengthReached(training));
        }
        self.report_epoch(&mut training, epoch, length_reached, pace.as_deref(), recorder);
        Ok(if length_reached { EpochEnd::LengthReached(training) } else { EpochEnd::Complete(training) })
    }

    /// The event of a step, the `taken`-th of the training from 0.
    fn step_event(&self, epoch: usize, taken: u64, loss: f64, lr: f64, pace: Option<&Pacer<'_>>) -> Event {
        Event::Step {
            stage: self.progress.stage,
            trial: self.trial,
            epoch,
            step: self.progress.done + taken + 1,
            steps_total: match pace {
                Some(pace) if pace.adapts() => self.progress.done + pace.planned(),
                _ => self.progress.total,
            },
            loss: Some(loss),
            lr: Some(lr),
        }
    }

    /// Computes the metrics of an epoch and reports it.
    fn report_epoch(
        &self,
        training: &mut TrainingState,
        epoch: EpochState,
        length_reached: bool,
        pace: Option<&Pacer<'_>>,
        recorder: &mut dyn Recorder,
    ) {
        let (plan, number) = (self.plan, training.at.epoch);
        let train_metric = epoch.recent.metric(self.problem);
        // Trials are scored at their end, and a training that has used up its time has none left for this. On samples
        // that are trained on, the metric would say nothing.
        let unseen = !self.problem.setup.trains_on_validation(self.progress.stage, self.trial);
        let validation = ValidationMonitor::new(self.problem, plan.drawn(self.indices.len()))
            .filter(|_| self.trial.is_none() && !length_reached && unseen);
        let epochs = pace.map_or(plan.epochs, |p| (p.planned() as usize).div_ceil(epoch.steps));
        let val_metric = validation.and_then(|v| v.metric(number, epochs, &training.network, self.device));
        training.at.seconds += epoch.counted_until.elapsed().as_secs_f64();
        recorder.event(&Event::Epoch {
            stage: self.progress.stage,
            trial: self.trial,
            epoch: number,
            epochs,
            // Without a single finite step there is no mean; the run is about to end by `PATIENCE`.
            train_loss: if training.at.finite > 0 { training.at.loss / training.at.finite as f64 } else { f64::MAX },
            train_metric,
            val_metric,
            lr: epoch.rule.lr,
            seconds: training.at.seconds,
        });
    }
}
