//! Hyperparameter tuning between search and retraining (§3.3, A.5.2): a grid, on a validation
//! split of the training data, with a subset of the data and fewer epochs.

use crate::architecture::plan;
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::network::{Kernels, Network};
use crate::optim::SgdConfig;
pub use crate::outcome::Hyperparameters;
use crate::problem::{Problem, Score};
use crate::rng::Seed;
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
    /// The best validation score.
    pub fn best_score(&self) -> Option<Score> {
        self.trials.iter().filter_map(|t| t.score).reduce(|a, b| if b.beats(a) { b } else { a })
    }
}

impl Hyperparameters {
    /// What is used where nothing is tuned.
    pub fn untuned(problem: &Problem) -> Self {
        let r = &problem.config.retrain;
        Self {
            lr: problem.config.retrain_lr(problem.task),
            weight_decay: r.weight_decay,
            momentum: r.momentum,
            dropout: r.dropout,
        }
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

/// Rows that the trials of a problem train on.
fn trial_rows(problem: &Problem) -> (Vec<usize>, crate::problem::HeldOut<'_>) {
    let (mut rows, held) = problem.validation();
    let keep = ((rows.len() as f64 * problem.config.tune.subset).round() as usize).clamp(1, rows.len());
    if keep < rows.len() {
        let mut stream = Seed(problem.config.seed).stream("tune/subset", &[]);
        let order = crate::rng::permutation(rows.len(), &mut stream);
        rows = order[..keep].iter().map(|&i| rows[i]).collect();
    }
    (rows, held)
}

/// Trials of the whole grid, and the steps of one.
pub(crate) fn grid_size(problem: &Problem) -> (usize, u64) {
    let c = &problem.config.tune;
    let rows = trial_rows(problem).0.len();
    let plan = Hyperparameters::untuned(problem).plan(problem, c.epochs, rows, [c.min_steps, c.max_steps]);
    (c.learning_rates.len() * combinations(c).len(), plan.steps(rows))
}

/// Runs the grid. Learning rates are tried from the first to the last; with `stop-early`, a
/// learning rate none of whose trials beats the best so far ends the tuning.
///
/// # Errors
/// [`Error::AllTrialsFailed`] if no trial gave a score, [`Error::Interrupted`] if the observer
/// asked to stop.
pub(crate) fn tune(
    problem: &Problem,
    kernels: &[[usize; 2]],
    progress: &mut Progress,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Tuning, Error> {
    let c = &problem.config.tune;
    let seed = Seed(problem.config.seed);
    let (rows, held) = trial_rows(problem);
    let (grid, _) = grid_size(problem);
    let loss = problem.loss(device);
    let inner = device.clone().inner();

    let mut trials: Vec<Trial> = Vec::new();
    let mut best: Option<(Score, Hyperparameters)> = None;
    for &lr in &c.learning_rates {
        let mut gained = false;
        for (weight_decay, momentum, dropout) in combinations(c) {
            let hyperparameters = Hyperparameters { lr, weight_decay, momentum, dropout };
            let plan = hyperparameters.plan(problem, c.epochs, rows.len(), [c.min_steps, c.max_steps]);
            let trial = trials.len();
            let fit = Fit {
                stage: progress.stage,
                trial: Some(trial),
                progress: [progress.done, progress.total],
                streams: "tune",
                data: &problem.train,
                indices: &rows,
                loss: &loss,
                plan: &plan,
                seed,
                device,
            };
            let network = fresh_network(problem, kernels, device);
            let result = fit
                .run(network, observer, |_, _, _| Ok(()))
                .and_then(|network| problem.score(&network.valid(), &held, &inner));
            let (score, reason) = match result {
                Ok(score) if score.metric.is_finite() && score.loss.is_finite() => (Some(score), None),
                Ok(score) => {
                    (None, Some(format!("its score is not finite ({} with loss {})", score.metric, score.loss)))
                }
                Err(Error::Interrupted) => return Err(Error::Interrupted),
                Err(e) => (None, Some(e.to_string())),
            };
            if let Some(score) = score
                && best.is_none_or(|(b, _)| score.beats(b))
            {
                best = Some((score, hyperparameters));
                gained = true;
            }
            progress.done += plan.steps(rows.len());
            observer.event(&Event::TrialFinished {
                trial,
                trials: grid,
                lr,
                weight_decay,
                momentum,
                dropout,
                score: score.map(|s| s.metric),
                reason: reason.clone(),
            });
            trials.push(Trial { trial, hyperparameters, score, reason });
        }
        if c.stop_early && best.is_some() && !gained {
            break;
        }
    }
    match best {
        Some((_, best)) => Ok(Tuning { trials, best }),
        None => Err(Error::AllTrialsFailed {
            trials: trials.len(),
            reason: trials.into_iter().rev().find_map(|t| t.reason).unwrap_or_default(),
        }),
    }
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
