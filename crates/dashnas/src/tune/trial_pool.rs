//! Tuning trials that run side by side. Each trial has a thread of its own and computes on its share of the processor;
//! the thread of the run hands the trials out, reports and logs their events, and alone writes files.
//!
//! The set of trials, their numbers and the choice among them follow from scores alone, and a trial gives
//! bit-identical results on any number of threads: how many trials run side by side, and how fast, changes only the
//! time and the order of the log.
//!
//! For a checkpoint, every running trial is asked for its state after its next step. Messages that a trial sends
//! after its state are set aside until the checkpoint is written, so that the log ends where the states were taken.

use crate::budget::state::BudgetState;
use crate::checkpoint::snapshot::SavedTraining;
use crate::error::Error;
use crate::record::event::Event;
use crate::record::trial::Trial;
use crate::train::compute_slot::{ComputeSlot, ThreadBudget};
use crate::train::progress::StageProgress;
use crate::train::recorder::Recorder;
use crate::tune::channel::{StepReply, TrialChannel, TrialMessage, TrialRecorder, TrialResult, TrialScore, receive};
use crate::tune::recorder::TuningRecorder;
use crate::tune::source::{TrialSource, TrialSpec};
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::stage::Stage;
use dashnas_core::text::plural;
use rayon::ThreadPoolBuilder;
use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, Scope};
use std::time::Instant;

/// Stack of a trial's thread in bytes: as much as the first thread of a program has.
const STACK: usize = 8 << 20;

/// Whether the state of a trial is wanted for the checkpoint that is being made.
enum CheckpointState {
    NotWanted,
    Wanted,
    Received(Box<SavedTraining>),
}

/// A trial that is running.
struct RunningTrial {
    spec: TrialSpec,
    /// Steps that it is to take.
    steps: u64,
    /// Steps that it has taken in all processes.
    taken: u64,
    /// Steps that it had taken before this process; `None` until its first step here.
    taken_before: Option<u64>,
    replies: Sender<StepReply>,
    state: CheckpointState,
}

/// Runs a trial on the calling thread, with its steps computed in the slot.
pub(crate) type RunTrial<'a> =
    dyn Fn(&TrialSpec, StageProgress, &ComputeSlot<'_>, &mut dyn Recorder) -> TrialResult + Sync + 'a;

/// The number and the length of the trials of a tuning.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PoolSettings {
    /// Trials in total, for events. Successive halving promotes some trials before a better one is known, so that there
    /// may be more.
    pub total: usize,
    /// Steps of a trial whose specification leaves them to the configuration.
    pub trial_steps: u64,
    /// The number of trials that run side by side at most, at least 1.
    pub workers: usize,
}

/// Runs the trials of one tuning side by side. Trials whose results the recorder has are not run again.
pub(crate) struct TrialPool<'p, 'a> {
    settings: PoolSettings,
    run_trial: &'p RunTrial<'a>,
    budget: &'p BudgetState,
    progress: &'p mut StageProgress,
    recorder: &'p mut dyn TuningRecorder,
    /// Finished trials, by number.
    finished: Vec<Trial>,
    running: Vec<RunningTrial>,
    /// Messages that trials sent after their state for a checkpoint.
    set_aside: VecDeque<(usize, TrialMessage)>,
    /// States of trials that were stopped.
    stopped: Vec<SavedTraining>,
    /// Seconds per step of the last trial that was run here.
    step_seconds: Option<f64>,
    /// The error for which no more trials are started.
    failed: Option<Error>,
}

/// Disconnects the running trials when it is dropped, also in a panic: a trial that waits for a reply would wait
/// forever.
struct DisconnectGuard<'x, 'p, 'a>(&'x mut TrialPool<'p, 'a>);

impl Drop for DisconnectGuard<'_, '_, '_> {
    fn drop(&mut self) {
        self.0.running.clear();
    }
}

impl<'p, 'a> TrialPool<'p, 'a> {
    /// A pool without trials.
    pub fn new(
        settings: PoolSettings,
        run_trial: &'p RunTrial<'a>,
        budget: &'p BudgetState,
        progress: &'p mut StageProgress,
        recorder: &'p mut dyn TuningRecorder,
    ) -> Self {
        Self {
            settings,
            run_trial,
            budget,
            progress,
            recorder,
            finished: Vec::new(),
            running: Vec::new(),
            set_aside: VecDeque::new(),
            stopped: Vec::new(),
            step_seconds: None,
            failed: None,
        }
    }

    /// Runs all trials of a source and returns the finished ones, by number.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer asked to stop, [`Error::Data`] if the data cannot be read; the state is
    /// saved in both cases. Other errors are those of running a trial.
    pub fn run(mut self, source: &mut dyn TrialSource) -> Result<Vec<Trial>, Error> {
        let threads = ThreadBudget::new(rayon::current_num_threads());
        let (sender, messages) = channel();
        let time_left = std::thread::scope(|scope| {
            let guard = DisconnectGuard(&mut self);
            let pool = &mut *guard.0;
            let mut time_left = true;
            loop {
                time_left = time_left && pool.start_trials(source, scope, &threads, &sender);
                threads.set_running(pool.running.len());
                if pool.running.is_empty() {
                    break;
                }
                // Every running trial sends a message when it ends.
                let Some((trial, message)) = receive(&messages) else { break };
                pool.handle(trial, message, source);
                if pool.is_saving() && !pool.running.iter().any(|t| matches!(t.state, CheckpointState::Wanted)) {
                    pool.save();
                    for (trial, message) in std::mem::take(&mut pool.set_aside) {
                        pool.handle(trial, message, source);
                    }
                }
            }
            time_left
        });
        let reason = if time_left { source.end_reason() } else { Some("no time was left for another one".to_owned()) };
        if let (None, Some(reason)) = (&self.failed, reason) {
            self.note_end(&reason);
        }
        match self.failed {
            None => Ok(self.finished),
            // Data that cannot be read may be there again later.
            Some(error @ (Error::Interrupted | Error::Data(_))) => {
                let trainings: Vec<&SavedTraining> = self.stopped.iter().collect();
                self.recorder.save_trials(&trainings)?;
                Err(error)
            }
            Some(error) => Err(error),
        }
    }

    /// Reports why fewer trials were run than there could have been.
    fn note_end(&mut self, reason: &str) {
        let (stage, finished) = (self.progress.stage, self.finished.len());
        let work = match stage {
            Stage::Search => "the race",
            Stage::Baseline => "tuning of the plain backbone",
            _ => "tuning",
        };
        let message = match self.settings.total {
            total if total > finished => format!("{work} stopped after {finished} of {total} trials: {reason}"),
            _ => format!("{work} stopped after {}: {reason}", plural(finished, "trial")),
        };
        tracing::info!("{message}");
        self.recorder.note_tuning_end(stage, &message);
        self.recorder.event(&Event::Note { message });
    }

    /// The number of trials that were finished or begun: they are numbered in the order in which they are handed out.
    fn handed_out(&self) -> usize {
        let begun =
            self.running.iter().map(|trial| trial.spec.trial).chain(self.finished.iter().map(|trial| trial.trial));
        begun.max().map_or(0, |last| last + 1)
    }

    /// Starts trials while there are free workers, and counts those that were finished before; false if no time is
    /// left for another trial.
    fn start_trials<'s>(
        &mut self,
        source: &mut dyn TrialSource,
        scope: &'s Scope<'s, '_>,
        threads: &'s ThreadBudget,
        sender: &Sender<(usize, TrialMessage)>,
    ) -> bool
    where
        'p: 's,
        'a: 's,
    {
        while self.failed.is_none() && self.running.len() < self.settings.workers.max(1) && !self.is_saving() {
            let Some(spec) = source.next(&self.finished, self.running.len()) else { break };
            if let Some(trial) = self.recorder.finished_trial(self.progress.stage, spec.trial) {
                self.progress.done += self.steps(&spec);
                source.finished(&spec, trial.score);
                self.add_finished(trial);
            } else if self.recorder.cancelled() {
                self.failed = Some(Error::Interrupted);
            } else if self.has_time(&spec) {
                self.start(spec, scope, threads, sender);
            } else {
                return false;
            }
        }
        true
    }

    fn steps(&self, spec: &TrialSpec) -> u64 {
        spec.steps.unwrap_or(self.settings.trial_steps)
    }

    fn has_time(&self, spec: &TrialSpec) -> bool {
        self.budget.has_time_for_trial(self.progress.stage, self.steps(spec), self.step_seconds, spec.trial)
    }

    /// Starts a trial, or resumes it.
    fn start<'s>(
        &mut self,
        spec: TrialSpec,
        scope: &'s Scope<'s, '_>,
        threads: &'s ThreadBudget,
        sender: &Sender<(usize, TrialMessage)>,
    ) where
        'p: 's,
        'a: 's,
    {
        let (run_trial, stage, steps) = (self.run_trial, self.progress.stage, self.steps(&spec));
        let saved = self.recorder.take_saved(stage, Some(spec.trial));
        let (channel, replies) = TrialChannel::new(spec.trial, sender.clone());
        let progress = StageProgress { stage, done: 0, total: self.progress.total };
        let begun = spec.clone();
        let work = move || {
            let started = Instant::now();
            let slot = ComputeSlot::new(threads);
            let mut recorder = TrialRecorder::new(channel, saved);
            // What a trial computes outside its slot does not use the global pool: a process that was forked has none.
            let mut run = || catch_panic(|| run_trial(&begun, progress, &slot, &mut recorder));
            let result = match ThreadPoolBuilder::new().num_threads(1).stack_size(STACK).build() {
                Ok(pool) => pool.install(run),
                Err(_) => run(),
            };
            let result = result.unwrap_or_else(|panic| Ok(Err(format!("it panicked: {panic}"))));
            recorder.channel.send(TrialMessage::Ended(Box::new(result), started.elapsed().as_secs_f64()));
        };
        let name = format!("trial {}", spec.trial + 1);
        if let Err(e) = Builder::new().name(name).stack_size(STACK).spawn_scoped(scope, work) {
            let reason = format!("cannot start a thread for a tuning trial: {e}");
            self.failed = Some(Error::Threads { reason });
            return;
        }
        let state = CheckpointState::NotWanted;
        self.running.push(RunningTrial { spec, steps, taken: 0, taken_before: None, replies, state });
    }

    fn is_saving(&self) -> bool {
        self.running.iter().any(|t| !matches!(t.state, CheckpointState::NotWanted))
    }

    /// Steps that the stage has taken, those of the running trials included.
    fn steps_taken(&self) -> u64 {
        self.progress.done + self.running.iter().map(|t| t.taken).sum::<u64>()
    }

    /// Handles a message of a trial.
    fn handle(&mut self, trial: usize, message: TrialMessage, source: &mut dyn TrialSource) {
        let Some(index) = self.running.iter().position(|t| t.spec.trial == trial) else { return };
        if matches!(self.running[index].state, CheckpointState::Received(_)) {
            self.set_aside.push_back((trial, message));
            return;
        }
        match message {
            TrialMessage::Event(Event::Step { stage, trial, epoch, step, loss, lr, .. }) => {
                let running = &mut self.running[index];
                running.taken_before.get_or_insert(step.saturating_sub(1));
                running.taken = step;
                let step = self.steps_taken();
                let steps_total = self.progress.total.max(step);
                self.recorder.event(&Event::Step { stage, trial, epoch, step, steps_total, loss, lr });
                self.reply(index);
            }
            TrialMessage::Event(event) => self.recorder.event(&event),
            TrialMessage::State(saved) => match &mut self.running[index].state {
                wanted @ CheckpointState::Wanted => *wanted = CheckpointState::Received(saved),
                // The state was not asked for: the trial stops.
                _ => self.stopped.push(*saved),
            },
            TrialMessage::Ended(result, seconds) => self.end(index, *result, seconds, source),
        }
    }

    /// Replies to a trial that has taken a step.
    fn reply(&mut self, index: usize) {
        if self.failed.is_none() {
            if self.recorder.cancelled() {
                self.failed = Some(Error::Interrupted);
            } else if !self.is_saving() && self.recorder.checkpoint_due() {
                self.running.iter_mut().for_each(|t| t.state = CheckpointState::Wanted);
            }
        }
        let running = &self.running[index];
        let send_state = matches!(running.state, CheckpointState::Wanted);
        // A trial that ended without waiting for the reply has sent a message about that.
        let _ = running.replies.send(StepReply { stop: self.failed.is_some(), send_state });
    }

    /// Records the end of a trial.
    fn end(&mut self, index: usize, result: TrialResult, seconds: f64, source: &mut dyn TrialSource) {
        let RunningTrial { spec, steps, taken, taken_before, .. } = self.running.remove(index);
        let (score, parts, reason) = match result {
            Ok(Ok(TrialScore { score, parts })) => (Some(score), parts, None),
            Ok(Err(reason)) => (None, Vec::new(), Some(reason)),
            Err(error) => {
                // The interruption by which the other trials were stopped is not the cause.
                if self.failed.is_none() || !matches!(error, Error::Interrupted) {
                    self.failed = Some(error);
                }
                return;
            }
        };
        self.step_seconds = Some(seconds / taken.saturating_sub(taken_before.unwrap_or(0)).max(1) as f64);
        let TrialSpec { trial, hyperparameters, rung, .. } = spec;
        let trial = Trial { trial, hyperparameters, score, reason, rung, parts };
        let total = self.settings.total.max(self.handed_out()).max(trial.trial + 1);
        self.recorder.event(&trial_finished(&trial, self.progress.stage, total));
        self.recorder.add_trial(self.progress.stage, trial.clone());
        // The trial may have ended before its last step.
        self.progress.done += steps;
        self.recorder.set_steps(self.steps_taken());
        source.finished(&spec, score);
        self.add_finished(trial);
        if self.running.is_empty() && self.failed.is_none() && self.recorder.checkpoint_due() {
            self.save();
        }
    }

    fn add_finished(&mut self, trial: Trial) {
        let place = self.finished.partition_point(|other| other.trial < trial.trial);
        self.finished.insert(place, trial);
    }

    /// Writes a checkpoint with the states that were received.
    fn save(&mut self) {
        let not_wanted = || CheckpointState::NotWanted;
        let states: Vec<CheckpointState> =
            self.running.iter_mut().map(|t| std::mem::replace(&mut t.state, not_wanted())).collect();
        let received =
            states.iter().filter_map(|s| if let CheckpointState::Received(saved) = s { Some(&**saved) } else { None });
        let trainings: Vec<&SavedTraining> = received.chain(&self.stopped).collect();
        if let Err(error) = self.recorder.save_trials(&trainings) {
            self.failed.get_or_insert(error);
        }
    }
}

/// The event of the end of a trial, one of `trials` trials of a stage.
fn trial_finished(trial: &Trial, stage: Stage, trials: usize) -> Event {
    let Hyperparameters { lr, weight_decay, momentum, dropout } = trial.hyperparameters;
    let (score, loss) = (trial.score.and_then(|s| s.metric), trial.score.map(|s| s.loss));
    let (trial, reason) = (trial.trial, trial.reason.clone());
    Event::TrialFinished { stage, trial, trials, lr, weight_decay, momentum, dropout, score, loss, reason }
}

/// Runs some work and turns a panic in it into its message.
fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // The network and the optimizer of a trial are lost in a panic: nothing half-changed is seen afterwards.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("without a message").to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(catch_panic(|| 1), Ok(1));
        assert_eq!(catch_panic(|| -> u8 { panic!("as {}", "told") }), Err("as told".to_owned()));
        assert_eq!(catch_panic(|| -> u8 { panic!("plain") }), Err("plain".to_owned()));
        assert_eq!(catch_panic(|| -> u8 { std::panic::panic_any(7) }), Err("without a message".to_owned()));
    }
}
