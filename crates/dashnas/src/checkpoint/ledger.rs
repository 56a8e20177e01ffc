//! Where a run stands, apart from the training under way.

use crate::budget::pace::PaceState;
use crate::event::Stage;
use crate::tune::Trial;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The note that holds the pace of the training under way.
const PACE: &str = "pace";

/// What is done, and what it took.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Version of the program that wrote it.
    pub program: String,
    /// SHA-256 of the configuration it was written under.
    pub config: String,
    /// Stages that are done.
    pub done: Vec<Stage>,
    /// The stage under way.
    pub current: Option<Stage>,
    /// Steps taken in the stage under way, over its trials and epochs.
    pub steps: u64,
    /// Whether the outcome is written.
    pub finished: bool,
    /// Length of the event log at this moment, bytes.
    pub log: u64,
    /// Seconds of each stage so far, over all processes.
    pub seconds: BTreeMap<Stage, f64>,
    /// SHA-256 of the files that the finished stages wrote.
    pub files: BTreeMap<String, String>,
    /// The searched network's tuning trials that are over.
    pub tuning: Vec<Trial>,
    /// The plain backbone's tuning trials that are over.
    pub baseline: Vec<Trial>,
    /// Decisions that depend on more than data, configuration and seed, by name: a plan made of
    /// measured times, say. They are kept so that a resumed run does not take them again.
    pub notes: BTreeMap<String, String>,
}

impl Ledger {
    /// Keeps what the pace of a training has decided.
    pub fn keep_pace(&mut self, stage: Stage, trial: Option<usize>, state: PaceState) {
        // Numbers always have a JSON form.
        if let Ok(text) = serde_json::to_string(&(stage, trial, state)) {
            self.notes.insert(PACE.into(), text);
        }
    }

    /// What the pace of this training had decided, if it is the one that was kept last.
    pub fn pace(&self, stage: Stage, trial: Option<usize>) -> Option<PaceState> {
        let kept: (Stage, Option<usize>, PaceState) = serde_json::from_str(self.notes.get(PACE)?).ok()?;
        ((kept.0, kept.1) == (stage, trial)).then_some(kept.2)
    }

    /// Whether a stage is done.
    pub fn is_done(&self, stage: Stage) -> bool {
        self.done.contains(&stage)
    }

    /// The trials over in a stage that tunes, by number.
    pub fn trials(&self, stage: Stage) -> &[Trial] {
        if stage == Stage::Baseline { &self.baseline } else { &self.tuning }
    }

    /// A trial that is over in a stage, if it is.
    pub fn trial(&self, stage: Stage, number: usize) -> Option<&Trial> {
        self.trials(stage).iter().find(|trial| trial.trial == number)
    }

    /// Adds a trial that is over, in its place by number: trials that run side by side end in any order.
    pub fn add_trial(&mut self, stage: Stage, trial: Trial) {
        let trials = if stage == Stage::Baseline { &mut self.baseline } else { &mut self.tuning };
        let place = trials.partition_point(|other| other.trial < trial.trial);
        trials.insert(place, trial);
    }

    /// Begins a stage. Returns whether it was under way already; otherwise what it and the later
    /// stages did before is forgotten.
    pub fn begin(&mut self, stage: Stage) -> bool {
        if self.current == Some(stage) {
            return true;
        }
        self.current = Some(stage);
        self.steps = 0;
        self.done.retain(|&s| s < stage);
        self.seconds.retain(|&s, _| s < stage);
        if stage <= Stage::Tune {
            self.tuning.clear();
        }
        self.baseline.clear();
        false
    }

    /// Ends the stage under way.
    pub fn end(&mut self, stage: Stage) {
        self.current = None;
        self.steps = 0;
        self.done.push(stage);
    }
}
