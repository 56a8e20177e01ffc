//! The record in `status.json`: what the process that works on a run wrote last.

use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::stage::Stage;
use serde::{Deserialize, Serialize};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds after which a process that cannot be looked up is taken to be gone.
const SILENCE: f64 = 30.0;

/// The step that a process works on. Epochs, steps and trials are counted as in
/// [`Event::Step`](dashnas::record::event::Event::Step).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// The number of the process.
    pub process: u32,
    /// The start of the process in ticks of the system's clock, where the system tells: the number of a process may be
    /// given to another one later.
    pub process_began: Option<u64>,
    /// The time at which this was written, in seconds since 1970.
    pub updated: f64,
    /// The stage.
    pub stage: Stage,
    /// The trial of this step, while tuning or in a race.
    pub trial: Option<usize>,
    /// All trials in progress, while tuning or in a race.
    #[serde(default)]
    pub trials: Vec<usize>,
    /// Epoch, from 0.
    pub epoch: usize,
    /// Steps done in the stage.
    pub step: u64,
    /// The number of steps of the stage; 0 if unknown.
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
    /// The number of training steps in the stages after this one.
    #[serde(default)]
    pub steps_after: u64,
}

impl Live {
    /// Reads the record; `None` if there is no file or it is damaged. The file is a convenience and not synced.
    pub fn read(dir: &RunDir) -> Option<Self> {
        serde_json::from_slice(&dir.read(names::STATUS).ok()?).ok()
    }

    /// Whether the process still runs. Where the system does not tell, a process runs as long as it writes.
    pub fn is_alive(&self) -> bool {
        match self.process_began {
            Some(began) => process_began(self.process) == Some(began),
            None => seconds_now() - self.updated < SILENCE,
        }
    }

    /// Estimated seconds for the rest of the stage, at the pace of this process.
    pub fn seconds_left(&self) -> Option<f64> {
        let left = self.steps_total.checked_sub(self.step)?;
        Some(self.seconds_of_a_step()? * left as f64)
    }

    /// Estimated seconds for the rest of the run, at the pace of this process; `None` in the search, whose steps take
    /// another time than those of the networks trained afterwards.
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

/// The time in seconds since 1970.
pub(super) fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The start of a process from Linux's `/proc/N/stat`; `None` on other systems, or if there is no such process.
pub(super) fn process_began(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the name in parentheses and may hold anything; the beginning is field 22.
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}
