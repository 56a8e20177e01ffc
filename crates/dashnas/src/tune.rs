//! Hyperparameter tuning between search and retraining (§3.3, A.5.2): a grid, on a validation
//! split of the training data, with a subset of the data and fewer epochs.

use crate::architecture::graph;
use crate::asha::{Asha, Job, SampleSpace, Tournament};
use crate::budget::fit::{OVERHEAD, bytes_of_training, room};
use crate::budget::pace::Length;
use crate::budget::plan::TunePlan;
use crate::config::{Config, TuneConfig, Tuner};
use crate::crew::{Crew, Lane, Source, Todo};
use crate::data::draw;
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::journal::Journal;
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
    /// Its number, from 0, in the order in which they are begun.
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
    /// In the order of their numbers.
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
    let graph = graph(problem, width);
    let mut init = Seed(problem.config.seed).stream("retrain/init", &[]);
    let kernels = Kernels::Fixed(kernels.to_vec());
    Network::new(&graph, &kernels, &mut init, device)
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
    /// The data and its metric.
    pub problem: &'a Problem,
    kernels: &'a [[usize; 2]],
    device: &'a Device,
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
        Self { problem, kernels, device, rows, share, held }
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

    /// Why a trial would take more memory than there is, if it would: one that is begun all the same could end the
    /// whole run.
    fn too_large(&self, hyperparameters: Hyperparameters) -> Option<String> {
        let (needs, room) = (bytes_of_training(self.problem, hyperparameters.dropout), room(self.problem)?);
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        (needs > room).then(|| {
            format!("it is out of memory: a step takes about {} MiB, and there are {} MiB", mib(needs), room >> 20)
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
        hyperparameters: Hyperparameters,
        length: Option<Length<'_>>,
        progress: &Progress,
        lane: &Lane<'_>,
        journal: &mut Journal<'_>,
    ) -> Result<Result<Score, String>, Error> {
        if let Some(reason) = self.too_large(hyperparameters) {
            return Ok(Err(reason));
        }
        // Trials share no tensors: what two of them were made from would tie their gradients together.
        let loss = self.problem.loss(self.device);
        let fit = Fit {
            stage: progress.stage,
            trial: Some(trial),
            progress: [progress.done, progress.total],
            streams: "tune",
            problem: self.problem,
            indices: &self.rows,
            loss: &loss,
            plan: &self.plan(hyperparameters),
            length,
            seed: Seed(self.problem.config.seed),
            restarts: 0,
            device: self.device,
            lane: Some(lane),
        };
        let inner = self.device.clone().inner();
        let score = fit.run(fresh_network(self.problem, self.kernels, self.device), journal, &mut ()).and_then(|net| {
            let network = net.valid();
            lane.run(|| self.problem.score(&network, &self.held, &inner))
        });
        match score {
            Ok(score) if score.is_finite() => Ok(Ok(score)),
            Ok(Score { metric, loss }) => {
                let metric = metric.map_or_else(String::new, |metric| format!("{metric} with "));
                Ok(Err(format!("its score is not finite ({metric}loss {loss})")))
            }
            Err(e @ (Error::Diverged { .. } | Error::OutOfTime { .. } | Error::Metric(_))) => Ok(Err(e.to_string())),
            Err(e) => Err(e),
        }
    }
}

/// Runs something, a panic in which becomes its message.
pub(crate) fn isolated<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    // A trial's network, optimizer and journal are lost in a panic: nothing half-changed is seen afterwards.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        text.unwrap_or("without a message").to_owned()
    })
}

/// How many trials run side by side at most: as the configuration says, or one on every thread. Threads that share a
/// trial wait for each other at the end of every operation; trials do not. What memory has room for bounds both, and
/// so does the number that there are at a time.
pub(crate) fn workers(problem: &Problem) -> usize {
    let workers = problem.config.tune.workers.unwrap_or_else(rayon::current_num_threads);
    let in_memory = room(problem).map_or(usize::MAX, |room| {
        // Half of what the machine has is others' to take; within a limit all of it is ours.
        let ours = if problem.budget.room.is_some() { room } else { room / 2 };
        // Each further one also has what the allocator and the kernels keep for it.
        let one = bytes_of_training(problem, 1.0);
        usize::try_from(ours.saturating_sub(one) / (one + OVERHEAD)).map_or(usize::MAX, |n| n.saturating_add(1))
    });
    workers.min(in_memory).max(1)
}

/// Tunes, in the way that fits. Trials that the ledger has are not run again.
///
/// # Errors
/// [`Error::AllTrialsFailed`] if no trial gave a score, [`Error::Interrupted`] if the observer
/// asked to stop.
pub(crate) fn tune(setup: &Trials<'_>, progress: &mut Progress, journal: &mut Journal<'_>) -> Result<Tuning, Error> {
    let (problem, total) = (setup.problem, setup.size().0);
    let limited = problem.budget.plan().is_some();
    if setup.held() == 0 {
        // Asked for by itself: a run has it switched off.
        let message = "no tuning, since no sample can be spared for validation".to_owned();
        journal.event(&Event::Warning { message });
    }
    let mut source: Box<dyn Source> = match setup.way() {
        TunePlan::Grid { trials, steps } if setup.held() > 0 => {
            Box::new(Grid::new(&problem.config.tune, trials, limited.then_some(steps)))
        }
        TunePlan::Asha { size } if setup.held() > 0 => Box::new(Contest::new(problem, size)),
        _ => Box::new(NoTrials),
    };
    let trials = Crew::new(setup, progress, journal, total, workers(problem)).run(&mut *source)?;
    if (limited || setup.held() == 0) && trials.iter().all(|t| t.score.is_none()) {
        // A limit that left no time for a trial is not the trials' failure.
        return Ok(Tuning { trials, best: Hyperparameters::untuned(&problem.config, problem.task) });
    }
    Tuning::of(trials)
}

/// Where nothing is tuned.
struct NoTrials;

impl Source for NoTrials {
    fn next(&mut self, _: &[Trial], _: usize) -> Option<Todo> {
        None
    }

    fn finished(&mut self, _: &Todo, _: Option<Score>) {}
}

/// The first trials of the grid. Learning rates are tried from the first to the last; with
/// `stop-early`, a learning rate none of whose trials beats the best so far ends the tuning.
struct Grid {
    all: Vec<Hyperparameters>,
    steps: Option<u64>,
    stop_early: bool,
    /// The next trial.
    at: usize,
    /// The best before the learning rate that is being tried.
    before: Option<(Score, Hyperparameters)>,
    /// The learning rate that was no better, if the tuning ended by that.
    ended_by: Option<f64>,
}

impl Grid {
    fn new(config: &TuneConfig, trials: usize, steps: Option<u64>) -> Self {
        let all = grid(config).into_iter().take(trials).collect();
        Self { all, steps, stop_early: config.stop_early, at: 0, before: None, ended_by: None }
    }
}

impl Source for Grid {
    fn next(&mut self, done: &[Trial], under_way: usize) -> Option<Todo> {
        let hyperparameters = *self.all.get(self.at)?;
        if self.stop_early && self.at > 0 && self.all[self.at - 1].lr != hyperparameters.lr {
            // Whether it is worth going on is known when all trials of the learning rate are over.
            if under_way > 0 {
                return None;
            }
            let now = best(done);
            if self.before.is_some() && self.before == now {
                self.ended_by = Some(self.all[self.at - 1].lr);
                return None;
            }
            self.before = now;
        }
        self.at += 1;
        Some(Todo { trial: self.at - 1, hyperparameters, steps: self.steps, rung: None })
    }

    fn finished(&mut self, _: &Todo, _: Option<Score>) {}

    fn why_over(&self) -> Option<String> {
        let lr = self.ended_by?;
        Some(format!("none with the learning rate {lr} was better than the best before it (tune.stop-early)"))
    }
}

/// The trials of a tournament, numbered in the order in which it hands them out.
struct Contest {
    asha: Asha,
    begun: Vec<Job>,
    space: SampleSpace,
    seed: Seed,
    first: Hyperparameters,
}

impl Contest {
    fn new(problem: &Problem, size: Tournament) -> Self {
        let (config, task) = (&problem.config, problem.task);
        let first = Hyperparameters::untuned(config, task);
        Self { asha: Asha::new(size), begun: Vec::new(), space: config.asha.space(), seed: Seed(config.seed), first }
    }
}

impl Source for Contest {
    fn next(&mut self, _: &[Trial], _: usize) -> Option<Todo> {
        let job = self.asha.pending().into_iter().find(|job| !self.begun.contains(job))?;
        self.begun.push(job);
        Some(Todo {
            trial: self.begun.len() - 1,
            hyperparameters: self.space.sample(self.seed, job.sample, self.first),
            steps: Some(job.steps),
            rung: Some(Rung { sample: job.sample, rung: job.rung, steps: job.steps }),
        })
    }

    fn finished(&mut self, todo: &Todo, score: Option<Score>) {
        if let Some(&job) = self.begun.get(todo.trial) {
            self.asha.finish(job, score);
        }
    }
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
    use crate::budget::WallClock;
    use crate::budget::plan::{EvaluationPrice, Prices, StepWish, TimePlan, TuneWish, Wish};
    use crate::config::Preset;
    use crate::data::{Array, Dataset, Split, Targets};

    /// Classes that are the sign of a number.
    fn data() -> Dataset {
        let split = |n: usize| {
            let x: Vec<f32> = (0..n * 16).map(|i| ((i * 7919 % 97) as f32 / 97.0) - 0.5).collect();
            let y = x.chunks(16).map(|row| u32::from(row[3] > 0.0)).collect();
            Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
        };
        let task = TaskKind::Classification { classes: 2 };
        Dataset::new("made", task, split(40), None, split(10)).expect("the data is sound")
    }

    #[test]
    fn a_trial_that_would_take_too_much_memory_is_recorded_and_the_tuning_goes_on() {
        let mut config = Config::preset(Preset::Quick);
        (config.tune.epochs, config.tune.min_steps, config.tune.max_steps) = (1, 0, 2);
        (config.tune.learning_rates, config.tune.weight_decays) = (vec![0.1], vec![0.0, 0.001]);
        config.tune.dropouts = vec![0.0, 0.5];
        let mut problem = Problem::new(&config, &data()).expect("sound");
        let [less, more] = [0.0, 0.5].map(|dropout| bytes_of_training(&problem, dropout));
        assert!(more > less, "what dropout drops is kept for the backward pass");
        problem.budget.room = Some((less + more) / 2);
        let device = crate::network::training_device(1);
        let kernels = graph(&problem, 1).plain();
        let trials = Trials::new(&problem, &kernels, &device);
        let mut events: Vec<Event> = Vec::new();
        let mut journal = Journal::detached(&mut events);
        let mut progress = Progress { stage: Stage::Tune, done: 0, total: trials.size().1 };
        let tuning = tune(&trials, &mut progress, &mut journal).expect("two trials are left");
        assert_eq!(tuning.trials.len(), 4);
        for trial in &tuning.trials {
            let too_large = trial.hyperparameters.dropout > 0.0;
            assert_eq!(trial.score.is_none(), too_large);
            assert_eq!(trial.reason.as_ref().is_some_and(|reason| reason.contains("out of memory")), too_large);
        }
        assert_eq!(tuning.best.dropout, 0.0);
        // A room for less than one is that of none.
        problem.budget.room = Some(less - 1);
        let trials = Trials::new(&problem, &kernels, &device);
        let mut events: Vec<Event> = Vec::new();
        let mut progress = Progress { stage: Stage::Tune, done: 0, total: trials.size().1 };
        let failed = tune(&trials, &mut progress, &mut Journal::detached(&mut events));
        let Err(Error::AllTrialsFailed { trials: 4, reason }) = failed else { panic!("{failed:?}") };
        assert!(reason.contains("out of memory"), "{reason}");
    }

    /// What a tuning of three learning rates says, and how many trials it runs.
    fn said(problem: &Problem) -> (usize, Vec<String>) {
        let device = crate::network::training_device(1);
        let kernels = graph(problem, 1).plain();
        let trials = Trials::new(problem, &kernels, &device);
        let mut events: Vec<Event> = Vec::new();
        let mut progress = Progress { stage: Stage::Tune, done: 0, total: trials.size().1 };
        let tuning = tune(&trials, &mut progress, &mut Journal::detached(&mut events)).expect("sound");
        let notes =
            events.into_iter().filter_map(|e| if let Event::Note { message } = e { Some(message) } else { None });
        (tuning.trials.len(), notes.collect())
    }

    #[test]
    fn a_tuning_that_ends_early_says_why() {
        let mut config = Config::preset(Preset::Quick);
        (config.tune.epochs, config.tune.min_steps, config.tune.max_steps) = (1, 0, 1);
        (config.tune.learning_rates, config.tune.weight_decays) = (vec![0.1, 0.01, 0.001], vec![0.0]);
        (config.tune.dropouts, config.tune.momentums, config.tune.stop_early) = (vec![0.0], vec![0.9], true);
        let mut grid = Grid::new(&config.tune, 3, None);
        let mut done = Vec::new();
        for loss in [0.5, 0.6] {
            let Some(Todo { trial, hyperparameters, rung, .. }) = grid.next(&done, 0) else { panic!("{done:?}") };
            let score = Some(Score { metric: None, loss });
            done.push(Trial { trial, hyperparameters, score, reason: None, rung });
            assert_eq!(grid.why_over(), None);
        }
        assert!(grid.next(&done, 0).is_none());
        let why = grid.why_over().expect("a learning rate is left");
        assert!(why.contains("none with the learning rate 0.01 was better") && why.contains("stop-early"), "{why}");
        config.tune.stop_early = false;
        let mut problem = Problem::new(&config, &data()).expect("sound");
        assert_eq!(said(&problem), (3, vec![]));
        // Under a plan whose time is up.
        let asha = config.asha.tournament(1);
        let wish = Wish {
            search: StepWish { steps: 1, batch: 8 },
            tune: Some(TuneWish { trials: 3, steps: 1, tuner: Some(Tuner::Grid), asha }),
            retrain: StepWish { steps: 1, batch: 8 },
            baseline: false,
            widths: vec![1],
            samples: [40, 10, 10],
            subsample: 1.0,
        };
        let plan = TimePlan::new(&wish, 60.0, problem.budget.clock(), &mut Free);
        assert!(matches!(plan.training.tune, TunePlan::Grid { trials: 3, .. }), "{plan}");
        problem.budget.set_plan(plan);
        problem.budget.set_clock(WallClock::new(std::time::Instant::now(), 60.0));
        let (trials, notes) = said(&problem);
        assert_eq!(
            (trials, &notes[..]),
            (0, &["0 of 3 trials of the tune stage were run: there was no time for more".to_owned()][..])
        );
    }

    /// Prices of a machine for which nothing is any effort.
    struct Free;

    impl Prices for Free {
        fn search_step(&mut self, _: usize) -> f64 {
            1e-3
        }

        fn train_step(&mut self, _: usize, _: usize) -> f64 {
            1e-3
        }

        fn evaluation(&mut self, _: usize, _: bool) -> EvaluationPrice {
            EvaluationPrice::default()
        }
    }

    #[test]
    fn trials_side_by_side_share_the_memory() {
        let mut config = Config::preset(Preset::Quick);
        config.tune.workers = Some(4);
        let mut problem = Problem::new(&config, &data()).expect("sound");
        let one = bytes_of_training(&problem, 1.0);
        let with = |problem: &mut Problem, room: u64| {
            problem.budget.room = Some(room);
            workers(problem)
        };
        assert_eq!(with(&mut problem, 3 * one + 2 * OVERHEAD), 3);
        assert_eq!(with(&mut problem, 3 * one + 2 * OVERHEAD - 1), 2);
        assert_eq!(with(&mut problem, one / 2), 1, "it is refused by itself");
        assert_eq!(with(&mut problem, 100 * (one + OVERHEAD)), 4);
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(isolated(|| 1), Ok(1));
        assert_eq!(isolated(|| -> u8 { panic!("as {}", "told") }), Err("as told".to_owned()));
        assert_eq!(isolated(|| -> u8 { panic!("plain") }), Err("plain".to_owned()));
        assert_eq!(isolated(|| -> u8 { std::panic::panic_any(7) }), Err("without a message".to_owned()));
    }
}
