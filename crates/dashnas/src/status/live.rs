//! `status.json`: what the process that works on a run said last.

use crate::budget::{Clock, WallClock};
use crate::config::Config;
use crate::event::{Event, Stage};
use crate::run_dir::{RunDir, names};
use crate::tensorboard;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the file is replaced at most.
const PERIOD: Duration = Duration::from_secs(1);
/// Seconds after which a process that cannot be looked up is taken to be gone.
const SILENCE: f64 = 30.0;

/// The step under way. Epochs, steps and trials as in [`Event::Step`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The process.
    pub process: u32,
    /// When the process began, in ticks of the system's clock, where the system tells: a number of a process may be
    /// given to another one later.
    pub process_began: Option<u64>,
    /// When this was written, in seconds since 1970.
    pub updated: f64,
    /// The stage.
    pub stage: Stage,
    /// Trial, when tuning.
    pub trial: Option<usize>,
    /// All trials under way, when tuning.
    #[serde(default)]
    pub trials: Vec<usize>,
    /// Epoch, from 0.
    pub epoch: usize,
    /// Steps done in the stage.
    pub step: u64,
    /// Steps of the stage in all; 0 if unknown.
    pub steps_total: u64,
    /// Loss of the last batch.
    pub loss: Option<f64>,
    /// Learning rate.
    pub lr: Option<f64>,
    /// Seconds that this process has worked on the stage.
    pub seconds: f64,
    /// Steps of the stage that earlier processes had done.
    pub steps_before: u64,
    /// Seconds of work on the run so far, over all processes.
    #[serde(default)]
    pub run_seconds: f64,
    /// Steps of the trainings after this stage.
    #[serde(default)]
    pub steps_after: u64,
}

impl Live {
    /// Reads what is there; none if nothing sound is. The file is a convenience and not synced.
    pub fn read(dir: &RunDir) -> Option<Self> {
        serde_json::from_slice(&dir.read(names::STATUS).ok()?).ok()
    }

    /// Whether the process is there. Where the system does not tell, it is while it writes.
    pub fn is_alive(&self) -> bool {
        match self.process_began {
            Some(began) => process_began(self.process) == Some(began),
            None => seconds_now() - self.updated < SILENCE,
        }
    }

    /// Seconds that the rest of the stage takes at the pace of this process.
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.steps_total.checked_sub(self.step)?;
        Some(self.seconds_of_a_step()? * left as f64)
    }

    /// Seconds that the rest of the run takes at the pace of this process; none in the search, whose steps say nothing
    /// about those of other networks.
    pub fn run_seconds_left(&self) -> Option<f64> {
        if self.stage <= Stage::Search {
            return None;
        }
        Some(self.seconds_left()? + self.seconds_of_a_step()? * self.steps_after as f64)
    }

    fn seconds_of_a_step(&self) -> Option<f64> {
        let done = self.step.checked_sub(self.steps_before).filter(|done| *done > 0)?;
        Some(self.seconds / done as f64)
    }
}

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// When a process began, from Linux's `/proc/N/stat`; none elsewhere, or if there is none.
fn process_began(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything; the beginning is field 22.
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// Follows a run for those who look on: `status.json`, and TensorBoard's files if they are asked for.
#[derive(Debug)]
pub(crate) struct Watch {
    dir: RunDir,
    live: Live,
    /// Steps of the trainings in the stages to come, when they were counted.
    to_come: Vec<(Stage, u64)>,
    /// The run's clock.
    clock: WallClock,
    /// Since when this process works on the stage.
    since: Instant,
    written: Option<Instant>,
    failed: bool,
    tensorboard: Option<tensorboard::Writer>,
}

impl Watch {
    /// Begins to follow a run, whose trainings after the search take so many steps.
    pub fn new(dir: &RunDir, config: &Config, to_come: Vec<(Stage, u64)>, clock: WallClock) -> Self {
        let process = std::process::id();
        Self {
            dir: dir.clone(),
            live: Live {
                process,
                process_began: process_began(process),
                updated: seconds_now(),
                stage: Stage::Search,
                trial: None,
                trials: Vec::new(),
                epoch: 0,
                step: 0,
                steps_total: 0,
                loss: None,
                lr: None,
                seconds: 0.0,
                steps_before: 0,
                run_seconds: 0.0,
                steps_after: 0,
            },
            to_come,
            clock,
            since: Instant::now(),
            written: None,
            failed: false,
            tensorboard: config.tensorboard.then(|| tensorboard::Writer::new(dir)),
        }
    }

    /// Counts time that passed before the run had a clock.
    pub fn add_seconds(&mut self, seconds: f64) {
        self.clock = self.clock.ahead(seconds);
    }

    /// Takes notice of an event. Never fails: a run does not depend on who looks on.
    pub fn event(&mut self, event: &Event) {
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.event(event);
        }
        match event {
            Event::StageStarted { stage, steps_total, .. } => {
                let (trial, loss, lr) = (None, None, None);
                self.live = Live { stage: *stage, steps_total: *steps_total, trial, loss, lr, ..self.live.clone() };
                (self.live.epoch, self.live.step, self.live.steps_before) = (0, 0, 0);
                self.live.trials.clear();
                self.live.steps_after = self.to_come.iter().filter(|(s, _)| s > stage).map(|(_, steps)| steps).sum();
                self.since = Instant::now();
                self.write(true);
            }
            Event::StageResumed { stage, steps_done } => {
                (self.live.stage, self.live.step, self.live.steps_before) = (*stage, *steps_done, *steps_done);
                self.since = Instant::now();
                self.write(true);
            }
            Event::Step { stage, trial, epoch, step, steps_total, loss, lr } => {
                let live = &mut self.live;
                (live.stage, live.trial, live.epoch, live.step) = (*stage, *trial, *epoch, *step);
                (live.steps_total, live.loss, live.lr) = (*steps_total, *loss, *lr);
                if let Some(trial) = trial
                    && let Err(place) = live.trials.binary_search(trial)
                {
                    live.trials.insert(place, *trial);
                }
                self.write(false);
            }
            Event::TrialFinished { trial, .. } => self.live.trials.retain(|other| other != trial),
            Event::StageFinished { .. } | Event::Finished { .. } => self.write(true),
            _ => {}
        }
    }

    fn write(&mut self, at_once: bool) {
        if self.failed || (!at_once && self.written.is_some_and(|w| w.elapsed() < PERIOD)) {
            return;
        }
        self.live.updated = seconds_now();
        self.live.seconds = self.since.elapsed().as_secs_f64();
        self.live.run_seconds = self.clock.seconds();
        self.written = Some(Instant::now());
        if let Err(e) = self.replace() {
            tracing::warn!("there is no {} from here on: {e}", names::STATUS);
            self.failed = true;
        }
    }

    /// Replaces the file whole, but does not wait for the disk: after a power cut it may be empty.
    fn replace(&self) -> io::Result<()> {
        let path = self.dir.file(names::STATUS);
        let temporary = path.with_extension("json.new");
        fs::write(&temporary, serde_json::to_vec(&self.live)?)?;
        fs::rename(&temporary, &path)
    }
}
