//! Hyperparameter tuning between search and retraining (§3.3, A.5.2): a grid, on a validation
//! split of the training data, with a subset of the data and fewer epochs.

use crate::architecture::plan;
use crate::asha::{Asha, Tournament};
use crate::budget::pace::Length;
use crate::budget::plan::TunePlan;
use crate::config::{Config, TuneConfig, Tuner};
use crate::data::draw;
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::journal::Journal;
use crate::loss::LossFn;
use crate::network::{Kernels, Network};
use crate::optim::SgdConfig;
pub use crate::outcome::Hyperparameters;
use crate::problem::{HeldOut, Problem, Score};
use crate::rng::Seed;
use crate::task::TaskKind;
use crate::train::{Fit, FitPlan, Schedule};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// One trial and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, from 0, in the order tried.
    pub trial: usize,
    /// What was tried.
    pub hyperparameters: Hyperparameters,
    /// Its score on the validation split; `None` if it failed.
    pub score: Option<Score>,
    /// Why it failed.
    pub reason: Option<String>,
    /// The rung of the tournament that it was on, and its steps there; none in a grid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rung: Option<Rung>,
}

/// Where in a tournament a trial was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rung {
    /// The sampled configuration, from 0.
    pub sample: usize,
    /// The rung, from 0.
    pub rung: usize,
    /// Steps of the trial.
    pub steps: u64,
}

/// All trials and the choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// In the order tried.
    pub trials: Vec<Trial>,
    /// The hyperparameters with the best validation score.
    pub best: Hyperparameters,
}

impl Tuning {
    /// The choice among some trials.
    ///
    /// # Errors
    /// [`Error::AllTrialsFailed`] if none of them gave a score.
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

impl Trial {
    /// That it is over, among the `trials` of a stage.
    pub(crate) fn event(&self, stage: Stage, trials: usize) -> Event {
        let Hyperparameters { lr, weight_decay, momentum, dropout } = self.hyperparameters;
        let (score, loss) = (self.score.and_then(|s| s.metric), self.score.map(|s| s.loss));
        let (trial, reason) = (self.trial, self.reason.clone());
        Event::TrialFinished { stage, trial, trials, lr, weight_decay, momentum, dropout, score, loss, reason }
    }
}

impl Hyperparameters {
    /// What is used where nothing is tuned.
    pub fn untuned(config: &Config, task: TaskKind) -> Self {
        let r = &config.retrain;
        Self { lr: config.retrain_lr(task), weight_decay: r.weight_decay, momentum: r.momentum, dropout: r.dropout }
    }

    /// The training these hyperparameters stand for, over `rows` samples.
    pub(crate) fn plan(self, problem: &Problem, epochs: usize, rows: usize, steps: [usize; 2]) -> FitPlan {
        let config = &problem.config;
        let r = &config.retrain;
        let mut plan = FitPlan {
            epochs,
            batch_size: config.retrain_batch_size(&problem.facts()),
            subsample: 1.0,
            lr: self.lr,
            schedule: Schedule {
                milestones: vec![],
                fractions: config.retrain_milestones(problem.dims()),
                decay: r.lr_decay,
            },
            sgd: SgdConfig { momentum: self.momentum, nesterov: r.nesterov, weight_decay: self.weight_decay },
            clip: (r.clip > 0.0).then_some(r.clip),
            dropout: self.dropout,
            alpha: None,
            micro_batch: problem.budget.train_micro_batch,
        };
        plan.bound_steps(rows, steps[0], steps[1]);
        plan.schedule.milestones =
            crate::config::milestone_epochs(&config.retrain_milestones(problem.dims()), plan.epochs);
        plan
    }
}

/// The network that is tuned and retrained, at the same initial weights every time.
pub(crate) fn fresh_network(problem: &Problem, kernels: &[[usize; 2]], device: &Device) -> Network {
    network_of_width(problem, problem.config.backbone.width, kernels, device)
}

/// [`fresh_network`] of another width.
pub(crate) fn network_of_width(problem: &Problem, width: usize, kernels: &[[usize; 2]], device: &Device) -> Network {
    let plan = plan(problem, width);
    let mut init = Seed(problem.config.seed).stream("retrain/init", &[]);
    let kernels = Kernels::Fixed(kernels.to_vec());
    Network::new(&plan, problem.task.outputs(), problem.task.is_dense(), &kernels, &mut init, device)
}

/// Where a stage stands: steps taken so far and in all, shared by its trainings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Steps taken before.
    pub done: u64,
    /// Steps in all, if nothing ends early.
    pub total: u64,
}

/// What all trials of one network share.
pub(crate) struct Trials<'a> {
    problem: &'a Problem,
    kernels: &'a [[usize; 2]],
    device: &'a Device,
    loss: LossFn,
    /// The samples that trials train on.
    rows: Vec<usize>,
    /// Samples of an epoch by the configuration, as a share of those.
    share: f64,
    /// The samples that judge them.
    held: HeldOut<'a>,
}

/// Samples that trials draw from at least, if there are as many: fewer would say little about the rest.
const LEAST_ROWS: usize = 500;

impl<'a> Trials<'a> {
    /// Trials of the network with the given kernels.
    pub fn new(problem: &'a Problem, kernels: &'a [[usize; 2]], device: &'a Device) -> Self {
        let (mut rows, held) = problem.validation();
        let subset = problem.config.tune_subset(&problem.facts());
        let asked = ((rows.len() as f64 * subset).round() as usize).clamp(1, rows.len().max(1));
        let keep = asked.max(rows.len().min(LEAST_ROWS));
        if keep < rows.len() {
            let mut stream = Seed(problem.config.seed).stream("tune/subset", &[]);
            rows = draw(&rows, problem.classes(), keep, &mut stream);
        }
        let share = asked as f64 / keep.max(1) as f64;
        Self { problem, kernels, device, loss: problem.loss(device), rows, share, held }
    }

    /// The training of one trial: as many samples are seen as the configured epochs over the configured subset
    /// have, although there may be more different ones.
    pub fn plan(&self, hyperparameters: Hyperparameters) -> FitPlan {
        let c = &self.problem.config.tune;
        let epochs = (c.epochs as f64 * self.share).ceil() as usize;
        hyperparameters.plan(self.problem, epochs.max(1), self.rows.len(), [c.min_steps, c.max_steps])
    }

    /// Epochs of one trial, by the configuration.
    pub fn epochs(&self) -> usize {
        self.plan(Hyperparameters::untuned(&self.problem.config, self.problem.task)).epochs
    }

    /// Steps of one trial, by the configuration.
    pub fn steps(&self) -> u64 {
        self.plan(Hyperparameters::untuned(&self.problem.config, self.problem.task)).steps(self.rows.len())
    }

    /// Trials of the whole grid.
    pub fn grid(&self) -> usize {
        grid(&self.problem.config.tune).len()
    }

    /// Samples that trials draw from.
    pub fn samples(&self) -> usize {
        self.rows.len()
    }

    /// Samples that judge a trial.
    pub fn held(&self) -> usize {
        self.held.rows.len()
    }

    /// Trials and steps of the whole tuning, if none ends early.
    pub fn size(&self) -> (usize, u64) {
        match self.way() {
            _ if self.held() == 0 => (0, 0),
            TunePlan::None => (0, 0),
            TunePlan::Grid { trials, steps } => (trials, trials as u64 * steps),
            TunePlan::Asha { size } => size.size(),
        }
    }

    /// How to tune: as the plan of a time limit says, or the configuration.
    pub fn way(&self) -> TunePlan {
        let config = &self.problem.config;
        self.problem.budget.tuning().unwrap_or_else(|| match config.tune.tuner {
            Some(Tuner::Asha) => TunePlan::Asha { size: config.asha.tournament(self.steps()) },
            _ => TunePlan::Grid { trials: self.grid(), steps: self.steps() },
        })
    }

    /// Trains and scores one trial. What goes wrong in it stays in it: the inner error is why it
    /// has no score.
    ///
    /// # Errors
    /// What is not the trial's own failure: an interruption, a file that cannot be written.
    pub fn run(
        &self,
        trial: usize,
        plan: &FitPlan,
        length: Option<Length<'_>>,
        progress: &Progress,
        journal: &mut Journal<'_>,
    ) -> Result<Result<Score, String>, Error> {
        let fit = Fit {
            stage: progress.stage,
            trial: Some(trial),
            progress: [progress.done, progress.total],
            streams: "tune",
            problem: self.problem,
            indices: &self.rows,
            loss: &self.loss,
            plan,
            length,
            seed: Seed(self.problem.config.seed),
            restarts: 0,
            device: self.device,
        };
        let inner = self.device.clone().inner();
        let attempt = isolated(|| {
            let network = fit.run(fresh_network(self.problem, self.kernels, self.device), journal, &mut ())?;
            self.problem.score(&network.valid(), &self.held, &inner)
        });
        match attempt {
            Ok(Ok(score)) if score.is_finite() => Ok(Ok(score)),
            Ok(Ok(Score { metric, loss })) => {
                let metric = metric.map_or_else(String::new, |metric| format!("{metric} with "));
                Ok(Err(format!("its score is not finite ({metric}loss {loss})")))
            }
            Ok(Err(e @ (Error::Diverged { .. } | Error::OutOfTime { .. } | Error::Metric(_)))) => {
                Ok(Err(e.to_string()))
            }
            Ok(Err(e)) => Err(e),
            Err(panic) => Ok(Err(format!("it panicked: {panic}"))),
        }
    }
}

/// Runs something, a panic in which becomes its message.
fn isolated<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // A trial's network and optimizer are lost in a panic, and the journal changes only between steps,
    // so nothing half-changed is seen afterwards.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("without a message").to_owned()
    })
}

/// A tuning under way: trials are run in turn, and those that the ledger has are not run again.
pub(crate) struct Contest<'a, 'j, 'o> {
    setup: &'a Trials<'a>,
    progress: &'a mut Progress,
    journal: &'j mut Journal<'o>,
    /// Trials so far.
    trials: Vec<Trial>,
    /// Trials in all, for events.
    total: usize,
    /// Seconds of a step in the last trial that was run here.
    step_seconds: Option<f64>,
}

impl Contest<'_, '_, '_> {
    /// Whether there is time for another trial of so many steps. One that was run is always taken
    /// in.
    pub fn has_time(&self, steps: u64) -> bool {
        let (stage, done) = (self.progress.stage, self.trials.len());
        self.journal.ledger.trials(stage).len() > done
            || self.setup.problem.budget.room_for_trial(stage, steps, self.step_seconds, done)
    }

    /// Runs the next trial, or takes it from the ledger. `steps` is its length if that is not the
    /// configuration's.
    pub fn next(
        &mut self,
        hyperparameters: Hyperparameters,
        steps: Option<u64>,
        rung: Option<Rung>,
    ) -> Result<Option<Score>, Error> {
        let setup = self.setup;
        let (stage, trial) = (self.progress.stage, self.trials.len());
        let plan = setup.plan(hyperparameters);
        let length = steps.map(|steps| setup.problem.budget.trial_length(stage, steps));
        let steps = steps.unwrap_or_else(|| plan.steps(setup.rows.len()));
        let done = match self.journal.ledger.trials(stage).get(trial) {
            Some(done) => done.clone(),
            None => {
                let started = Instant::now();
                let result = setup.run(trial, &plan, length, self.progress, self.journal)?;
                self.step_seconds = Some(started.elapsed().as_secs_f64() / steps.max(1) as f64);
                let (score, reason) = match result {
                    Ok(score) => (Some(score), None),
                    Err(reason) => (None, Some(reason)),
                };
                let done = Trial { trial, hyperparameters, score, reason, rung };
                self.journal.event(&done.event(stage, self.total));
                self.journal.ledger.trials_mut(stage).push(done.clone());
                // It may have ended before its last step.
                self.journal.ledger.steps = self.progress.done + steps;
                if self.journal.due() {
                    self.journal.save(None)?;
                }
                done
            }
        };
        self.progress.done += steps;
        let score = done.score;
        self.trials.push(done);
        Ok(score)
    }
}

/// Tunes, in the way that fits. Trials that the ledger has are not run again.
///
/// # Errors
/// [`Error::AllTrialsFailed`] if no trial gave a score, [`Error::Interrupted`] if the observer
/// asked to stop.
pub(crate) fn tune(setup: &Trials<'_>, progress: &mut Progress, journal: &mut Journal<'_>) -> Result<Tuning, Error> {
    let total = setup.size().0;
    let mut contest = Contest { setup, progress, journal, trials: Vec::new(), total, step_seconds: None };
    match setup.way() {
        _ if setup.held() == 0 => {}
        TunePlan::None => {}
        TunePlan::Grid { trials, steps } => {
            let steps = setup.problem.budget.plan().map(|_| steps);
            run_grid(&mut contest, trials, steps)?;
        }
        TunePlan::Asha { size } => run_asha(&mut contest, size)?,
    }
    let late = setup.problem.budget.plan().is_some();
    if setup.held() == 0 {
        // Asked for by itself: a run has it switched off.
        let message = "no tuning, since no sample can be spared for validation".to_owned();
        contest.journal.event(&Event::Warning { message });
    }
    if (late || setup.held() == 0) && contest.trials.iter().all(|t| t.score.is_none()) {
        // A limit that left no time for a trial is not the trials' failure.
        let untuned = Hyperparameters::untuned(&setup.problem.config, setup.problem.task);
        return Ok(Tuning { trials: contest.trials, best: untuned });
    }
    Tuning::of(contest.trials)
}

/// Runs the first `trials` of the grid. Learning rates are tried from the first to the last; with
/// `stop-early`, a learning rate none of whose trials beats the best so far ends the tuning.
fn run_grid(contest: &mut Contest<'_, '_, '_>, trials: usize, steps: Option<u64>) -> Result<(), Error> {
    let c = &contest.setup.problem.config.tune;
    let mut before = None;
    let mut lr = None;
    for hyperparameters in grid(c).into_iter().take(trials) {
        if lr.is_some_and(|lr| lr != hyperparameters.lr) {
            let now = best(&contest.trials);
            if c.stop_early && before.is_some() && before == now {
                return Ok(());
            }
            before = now;
        }
        lr = Some(hyperparameters.lr);
        if !contest.has_time(steps.unwrap_or(0)) {
            return Ok(());
        }
        contest.next(hyperparameters, steps, None)?;
    }
    Ok(())
}

/// Runs a tournament.
fn run_asha(contest: &mut Contest<'_, '_, '_>, size: Tournament) -> Result<(), Error> {
    let (config, task) = (&contest.setup.problem.config, contest.setup.problem.task);
    let (seed, space, first) = (Seed(config.seed), config.asha.space(), Hyperparameters::untuned(config, task));
    let mut asha = Asha::new(size);
    while let Some(&job) = asha.pending().first() {
        if !contest.has_time(job.steps) {
            return Ok(());
        }
        let rung = Rung { sample: job.sample, rung: job.rung, steps: job.steps };
        let score = contest.next(space.sample(seed, job.sample, first), Some(job.steps), Some(rung))?;
        asha.finish(job, score);
    }
    Ok(())
}

/// The trial with the best score, the first of equals; in a tournament, of the highest rung that
/// has a score.
fn best(trials: &[Trial]) -> Option<(Score, Hyperparameters)> {
    let height = |t: &&Trial| t.rung.map_or(0, |rung| rung.rung);
    let top = trials.iter().filter(|t| t.score.is_some()).map(|t| height(&t)).max()?;
    let finalists = trials.iter().filter(|t| height(t) == top);
    let scored = finalists.filter_map(|t| t.score.map(|score| (score, t.hyperparameters)));
    scored.reduce(|a, b| if b.0.beats(a.0) { b } else { a })
}

/// Every combination, learning rate by learning rate.
fn grid(c: &TuneConfig) -> Vec<Hyperparameters> {
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

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(isolated(|| 1), Ok(1));
        assert_eq!(isolated(|| -> u8 { panic!("as {}", "told") }), Err("as told".to_owned()));
        assert_eq!(isolated(|| -> u8 { panic!("plain") }), Err("plain".to_owned()));
        assert_eq!(isolated(|| -> u8 { std::panic::panic_any(7) }), Err("without a message".to_owned()));
    }
}
