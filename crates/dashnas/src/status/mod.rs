//! Where a run stands, as another process sees it: from its logs and `status.json`, without disturbing it.

mod live;
mod text;

pub use live::Live;
pub(crate) use live::Watch;

use crate::environment::now;
use crate::error::Error;
use crate::event::{Event, LayerChoice, Stage};
use crate::report::Loaded;
use crate::run_dir::RunDir;
use serde::Serialize;
use std::path::PathBuf;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The run directory.
    pub run_dir: PathBuf,
    /// Name of the data set.
    pub data: String,
    /// Whether it goes on.
    pub state: State,
    /// The process that works on it, or did last.
    pub process: Option<u32>,
    /// The stages of the run, in order.
    pub stages: Vec<StageStatus>,
    /// The step under way; of a run that has stopped, the last one known.
    pub now: Option<Now>,
    /// Epochs of the search that `alpha` is from; 0 before the first.
    pub alpha_epochs: usize,
    /// The leading kernel of each layer.
    pub alpha: Vec<LayerChoice>,
    /// Tuning trials of the searched network finished, and the best score.
    pub trials: (usize, Option<f64>),
    /// Seconds of the whole run, under a time limit.
    pub limit: Option<f64>,
    /// The test metric, of a finished run.
    pub test: Option<f64>,
    /// The plain backbone's.
    pub baseline_test: Option<f64>,
    /// The last warning.
    pub warning: Option<String>,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A process works on it.
    Running,
    /// None does, and it is not finished.
    Stopped,
    /// It has its result.
    Finished,
}

/// A stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageStatus {
    /// Which.
    pub stage: Stage,
    /// Seconds that it took, once it is finished.
    pub seconds: Option<f64>,
    /// Whether it has begun.
    pub begun: bool,
    /// Epochs of its last training that are over, and how many there will be.
    pub epochs: [usize; 2],
    /// Mean training loss of the last epoch.
    pub train_loss: Option<f64>,
    /// Metric on what the last epoch trained on last, where it is defined.
    pub train_metric: Option<f64>,
    /// Metric on the data set's own validation split, the last that was computed.
    pub val_metric: Option<f64>,
}

/// The step under way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Now {
    /// The newest that the process said.
    #[serde(flatten)]
    pub live: Live,
    /// Seconds that the rest of the stage will take at the pace so far.
    pub seconds_left: Option<f64>,
    /// Seconds that the rest of the run will take: what is left of its time limit, or at the pace so far.
    pub run_seconds_left: Option<f64>,
    /// Seconds since the process said so.
    pub age: u64,
}

impl Status {
    /// Reads where a run stands.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Io`] or [`Error::Corrupt`] with the file that cannot be read.
    pub fn read(dir: &RunDir) -> Result<Self, Error> {
        let live = Live::read(dir);
        let alive = live.as_ref().is_some_and(Live::is_alive);
        Ok(Self::of(&Loaded::read(dir)?, live, alive, now()))
    }

    /// From what was read, at a time in seconds since 1970.
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
        let (mut alpha, mut trials, mut warning, mut tuning) = ((0, vec![]), (0, None::<f64>), None, false);
        let mut limit = None;
        for event in &run.events {
            for stage in &mut stages {
                stage.event(event);
            }
            match event {
                Event::StageStarted { stage, .. } | Event::StageResumed { stage, .. } => tuning = *stage == Stage::Tune,
                Event::Alpha { epoch, layers } => alpha = (epoch + 1, layers.clone()),
                Event::TrialFinished { stage: Stage::Tune, score, .. } if tuning => {
                    let best = match (trials.1, *score) {
                        (Some(a), Some(b)) => Some(f64::min(a, b)),
                        (a, b) => a.or(b),
                    };
                    trials = (trials.0 + 1, best);
                }
                Event::Planned { plan } => limit = Some(plan.limit),
                Event::Warning { message } => warning = Some(message.clone()),
                _ => {}
            }
        }
        let state = match (&run.outcome, alive) {
            (Some(_), _) => State::Finished,
            (None, true) => State::Running,
            (None, false) => State::Stopped,
        };
        let process = live.as_ref().map(|l| l.process);
        let now = live.filter(|_| state != State::Finished).map(|live| {
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
            alpha_epochs: alpha.0,
            alpha: alpha.1,
            trials,
            limit,
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

#[cfg(test)]
mod tests;
