//! Hyperparameter tuning between search and retraining (§3.3, A.5.2): a grid, on a validation
//! split of the training data, with a subset of the data and fewer epochs.

use crate::architecture::plan;
use crate::config::Config;
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
    /// That it is over, among `trials`.
    pub(crate) fn event(&self, trials: usize) -> Event {
        let Hyperparameters { lr, weight_decay, momentum, dropout } = self.hyperparameters;
        let (score, reason) = (self.score.map(|s| s.metric), self.reason.clone());
        Event::TrialFinished { trial: self.trial, trials, lr, weight_decay, momentum, dropout, score, reason }
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
            schedule: Schedule { milestones: vec![], decay: r.lr_decay },
            sgd: SgdConfig { momentum: self.momentum, nesterov: r.nesterov, weight_decay: self.weight_decay },
            clip: Some(r.clip),
            dropout: self.dropout,
            alpha: None,
        };
        plan.bound_steps(rows, steps[0], steps[1]);
        plan.schedule.milestones =
            crate::config::milestone_epochs(&config.retrain_milestones(problem.dims()), plan.epochs);
        plan
    }
}

/// The network that is tuned and retrained, at the same initial weights every time.
pub(crate) fn fresh_network(problem: &Problem, kernels: &[[usize; 2]], device: &Device) -> Network {
    let plan = plan(problem, problem.config.backbone.width);
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
    /// The samples that judge them.
    held: HeldOut<'a>,
}

impl<'a> Trials<'a> {
    /// Trials of the network with the given kernels.
    pub fn new(problem: &'a Problem, kernels: &'a [[usize; 2]], device: &'a Device) -> Self {
        let (mut rows, held) = problem.validation();
        let keep = ((rows.len() as f64 * problem.config.tune.subset).round() as usize).clamp(1, rows.len());
        if keep < rows.len() {
            let mut stream = Seed(problem.config.seed).stream("tune/subset", &[]);
            let order = crate::rng::permutation(rows.len(), &mut stream);
            rows = order[..keep].iter().map(|&i| rows[i]).collect();
        }
        Self { problem, kernels, device, loss: problem.loss(device), rows, held }
    }

    /// The training of one trial.
    pub fn plan(&self, hyperparameters: Hyperparameters) -> FitPlan {
        let c = &self.problem.config.tune;
        hyperparameters.plan(self.problem, c.epochs, self.rows.len(), [c.min_steps, c.max_steps])
    }

    /// Steps of one trial.
    pub fn steps(&self) -> u64 {
        self.plan(Hyperparameters::untuned(&self.problem.config, self.problem.task)).steps(self.rows.len())
    }

    /// Trials of the whole grid.
    pub fn grid(&self) -> usize {
        let c = &self.problem.config.tune;
        c.learning_rates.len() * combinations(c).len()
    }

    /// Steps of the whole grid.
    pub fn grid_steps(&self) -> u64 {
        self.grid() as u64 * self.steps()
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
        progress: &Progress,
        journal: &mut Journal<'_>,
    ) -> Result<Result<Score, String>, Error> {
        let fit = Fit {
            stage: progress.stage,
            trial: Some(trial),
            progress: [progress.done, progress.total],
            streams: "tune",
            data: &self.problem.train,
            indices: &self.rows,
            loss: &self.loss,
            plan,
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
            Ok(Ok(score)) if score.metric.is_finite() && score.loss.is_finite() => Ok(Ok(score)),
            Ok(Ok(score)) => Ok(Err(format!("its score is not finite ({} with loss {})", score.metric, score.loss))),
            Ok(Err(e @ (Error::Diverged { .. } | Error::Metric(_)))) => Ok(Err(e.to_string())),
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

/// Runs the grid. Learning rates are tried from the first to the last; with `stop-early`, a
/// learning rate none of whose trials beats the best so far ends the tuning. Trials that the
/// ledger has are not run again.
///
/// # Errors
/// [`Error::AllTrialsFailed`] if no trial gave a score, [`Error::Interrupted`] if the observer
/// asked to stop.
pub(crate) fn tune(setup: &Trials<'_>, progress: &mut Progress, journal: &mut Journal<'_>) -> Result<Tuning, Error> {
    let c = &setup.problem.config.tune;
    let stage = progress.stage;
    let mut trials: Vec<Trial> = Vec::new();
    for &lr in &c.learning_rates {
        let before = best(&trials);
        for (weight_decay, momentum, dropout) in combinations(c) {
            let hyperparameters = Hyperparameters { lr, weight_decay, momentum, dropout };
            let plan = setup.plan(hyperparameters);
            let steps = plan.steps(setup.rows.len());
            let done = match journal.ledger.trials(stage).get(trials.len()) {
                Some(done) => done.clone(),
                None => {
                    let trial = trials.len();
                    let result = setup.run(trial, &plan, progress, journal)?;
                    let (score, reason) = match result {
                        Ok(score) => (Some(score), None),
                        Err(reason) => (None, Some(reason)),
                    };
                    let done = Trial { trial, hyperparameters, score, reason };
                    journal.event(&done.event(setup.grid()));
                    journal.ledger.trials_mut(stage).push(done.clone());
                    // It may have ended before its last step.
                    journal.ledger.steps = progress.done + steps;
                    if journal.due() {
                        journal.save(None)?;
                    }
                    done
                }
            };
            progress.done += steps;
            trials.push(done);
        }
        if c.stop_early && before.is_some() && before == best(&trials) {
            break;
        }
    }
    Tuning::of(trials)
}

/// The trial with the best score, the first of equals.
fn best(trials: &[Trial]) -> Option<(Score, Hyperparameters)> {
    let scored = trials.iter().filter_map(|t| t.score.map(|score| (score, t.hyperparameters)));
    scored.reduce(|a, b| if b.0.beats(a.0) { b } else { a })
}

fn combinations(c: &crate::config::TuneConfig) -> Vec<(f64, f64, f64)> {
    let mut all = Vec::new();
    for &weight_decay in &c.weight_decays {
        for &momentum in &c.momentums {
            for &dropout in &c.dropouts {
                all.push((weight_decay, momentum, dropout));
            }
        }
    }
    all
}
