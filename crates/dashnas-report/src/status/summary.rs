//! The state of a run as another process sees it: read from its log and `status.json`, without disturbing it.

use crate::status::live::Live;
use dashnas::error::Error;
use dashnas::record::choice::KernelChoice;
use dashnas::record::event::{Event, LayerChoice};
use dashnas::run::load::Loaded;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::environment::now;
use dashnas_core::stage::Stage;
use dashnas_core::task::Metric;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The state of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The run directory.
    pub run_dir: PathBuf,
    /// Name of the data set.
    pub data: String,
    /// Whether a process works on it.
    pub state: State,
    /// The process that works on it or worked on it last.
    pub process: Option<u32>,
    /// The stages of the run, in order.
    pub stages: Vec<StageStatus>,
    /// The step in progress; of a run that has stopped, the last one known.
    pub now: Option<Now>,
    /// Whether the kernels are given by the configuration, and not searched.
    pub kernels_given: bool,
    /// Whether there was no search, so that the kernels are those of the plain network.
    pub not_searched: bool,
    /// The epochs of the search that lie behind `alpha`; 0 before the first.
    pub alpha_epochs: usize,
    /// The leading kernel of each layer.
    pub alpha: Vec<LayerChoice>,
    /// The number of finished tuning trials of the searched network, and the best score.
    pub trials: (usize, Option<f64>),
    /// The number of tuning trials that are planned; 0 before the first result. Successive halving may add some.
    pub trials_planned: usize,
    /// The race, if the search is one.
    pub race: Option<RaceStatus>,
    /// How sure the choice of a finished race is, as a sentence.
    #[serde(skip)]
    pub conclusion: Option<String>,
    /// The time limit of the run in seconds.
    pub limit: Option<f64>,
    /// The metric of scores and test results, once it is known.
    #[serde(skip)]
    pub metric: Option<Metric>,
    /// The test metric of the searched network, of a finished run.
    pub test: Option<f64>,
    /// The test metric of the plain network.
    pub baseline_test: Option<f64>,
    /// The last warning.
    pub warning: Option<String>,
}

/// The trials of a race.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RaceStatus {
    /// The number of finished trials.
    pub finished: usize,
    /// The number of all trials.
    pub trials: usize,
    /// The lowest loss of a finished trial on held-out training data.
    pub best_loss: Option<f64>,
    /// After the race, the probability that the chosen network is better than the plain one, by the model of the race.
    pub better_than_plain: Option<f64>,
    /// After the race, the probability that the chosen network is better than a random one of the space.
    pub better_than_random: Option<f64>,
}

impl RaceStatus {
    /// The race of a run, whose trials the log reports by the stage of the search; `None` before the first result.
    fn of(run: &Loaded) -> Option<Self> {
        // By number: after an interruption the log may report a trial again.
        let (mut losses, mut trials) = (BTreeMap::new(), 0);
        for event in &run.events {
            if let Event::TrialFinished { stage: Stage::Search, trial, trials: all, loss, .. } = event {
                losses.insert(*trial, *loss);
                trials = *all;
            }
        }
        let record = run.race.as_ref();
        (record.is_some() || !losses.is_empty()).then(|| Self {
            finished: losses.len(),
            trials,
            best_loss: losses.values().flatten().copied().reduce(f64::min),
            better_than_plain: record.and_then(|race| race.better_than_plain),
            better_than_random: record.map(|race| race.better_than_random),
        })
    }
}

/// Whether a process works on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A process works on it.
    Running,
    /// No process works on it, and it is not finished.
    Stopped,
    /// It has its model, and was started from Python, where a run ends without an evaluation.
    Trained,
    /// It has its result.
    Finished,
}

/// The progress of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageStatus {
    /// The stage.
    pub stage: Stage,
    /// The seconds that it took, once it is finished.
    pub seconds: Option<f64>,
    /// Whether it has begun.
    pub begun: bool,
    /// The finished epochs of its last training, and the planned ones.
    pub epochs: [usize; 2],
    /// Mean training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// Metric on what the last epoch trained on last, where it is defined.
    pub train_metric: Option<f64>,
    /// The last computed metric on the data set's own validation split.
    pub val_metric: Option<f64>,
}

/// The step in progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Now {
    /// The newest record of the process.
    #[serde(flatten)]
    pub live: Live,
    /// Estimated seconds for the rest of the stage, at the pace so far.
    pub seconds_left: Option<f64>,
    /// Estimated seconds for the rest of the run: the rest of its time limit, or at the pace so far.
    pub run_seconds_left: Option<f64>,
    /// Seconds since the record was written.
    pub age: u64,
}

impl Status {
    /// Reads the state of a run.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::File`] with the file that cannot be read.
    pub fn read(dir: &RunDir) -> Result<Self, Error> {
        let live = Live::read(dir);
        let alive = live.as_ref().is_some_and(Live::is_alive);
        Ok(Self::of(&Loaded::read(dir)?, live, alive, now()))
    }

    /// Derives the state from the contents of the directory at a time in seconds since 1970.
    fn of(run: &Loaded, live: Option<Live>, alive: bool, time: u64) -> Self {
        let mut stages: Vec<StageStatus> = Stage::ALL
            .into_iter()
            .filter(|stage| match stage {
                Stage::Data => false,
                Stage::Tune => run.config.tune.enabled,
                Stage::Baseline => run.config.baseline.enabled,
                _ => true,
            })
            .map(StageStatus::new)
            .collect();
        let (mut alpha, mut warning, mut tuning) = ((0, vec![]), None, false);
        // By number: after an interruption the log may report a trial again.
        let (mut limit, mut scores, mut planned) = (None, BTreeMap::new(), 0);
        for event in &run.events {
            for stage in &mut stages {
                stage.event(event);
            }
            match event {
                Event::StageStarted { stage, .. } | Event::StageResumed { stage, .. } => tuning = *stage == Stage::Tune,
                Event::Alpha { epoch, layers } => alpha = (epoch + 1, layers.clone()),
                Event::TrialFinished { stage: Stage::Tune, trial, trials, score, .. } if tuning => {
                    scores.insert(*trial, *score);
                    planned = *trials;
                }
                Event::Planned { plan } => limit = Some(plan.limit),
                Event::Warning { message } => warning = Some(message.clone()),
                _ => {}
            }
        }
        let retrained = stages.iter().any(|stage| stage.stage == Stage::Retrain && stage.seconds.is_some());
        let state = match (&run.outcome, alive) {
            (Some(_), _) => State::Finished,
            (None, _) if retrained && run.data.is_of_arrays() => State::Trained,
            (None, true) => State::Running,
            (None, false) => State::Stopped,
        };
        let process = live.as_ref().map(|l| l.process);
        let now = live.filter(|_| !matches!(state, State::Finished | State::Trained)).map(|live| {
            let age = time.saturating_sub(live.updated as u64);
            let running = state == State::Running;
            let run_seconds_left = match limit {
                Some(limit) => Some((limit - live.run_seconds - if running { age as f64 } else { 0.0 }).max(0.0)),
                None => live.run_seconds_left().filter(|_| running),
            };
            Now { seconds_left: live.seconds_left().filter(|_| running), run_seconds_left, age, live }
        });
        Self {
            run_dir: run.dir.path().to_path_buf(),
            data: run.data.name.clone(),
            state,
            process,
            stages,
            now,
            kernels_given: run.config.search.kernels.is_some(),
            not_searched: run.choice() == Some(KernelChoice::NotSearched),
            alpha_epochs: alpha.0,
            alpha: alpha.1,
            trials: (scores.len(), scores.values().flatten().copied().reduce(f64::min)),
            trials_planned: planned,
            race: RaceStatus::of(run),
            conclusion: run.race.as_ref().map(|race| race.conclusion.clone()),
            limit,
            metric: run.outcome.as_ref().map(|o| o.metric).or_else(|| run.data.task.map(|t| run.config.metric(t))),
            test: run.outcome.as_ref().and_then(|o| o.test),
            baseline_test: run.outcome.as_ref().and_then(|o| o.baseline_test),
            warning,
        }
    }
}

impl StageStatus {
    fn new(stage: Stage) -> Self {
        let (train_loss, train_metric, val_metric) = (None, None, None);
        Self { stage, seconds: None, begun: false, epochs: [0, 0], train_loss, train_metric, val_metric }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage, epochs, .. } if *stage == self.stage => {
                *self = Self { begun: true, epochs: [0, *epochs], ..Self::new(*stage) };
            }
            Event::StageResumed { stage, .. } if *stage == self.stage => self.begun = true,
            // A trial of a race is one of many, and its epochs are not those of the search.
            Event::Epoch { stage: Stage::Search, trial: Some(_), .. } => {}
            Event::Epoch { stage, epoch, epochs, train_loss, train_metric, val_metric, .. } if *stage == self.stage => {
                self.epochs = [epoch + 1, *epochs];
                (self.train_loss, self.train_metric) = (Some(*train_loss), *train_metric);
                self.val_metric = val_metric.or(self.val_metric);
            }
            Event::StageFinished { stage, seconds } if *stage == self.stage => self.seconds = Some(*seconds),
            _ => {}
        }
    }
}
