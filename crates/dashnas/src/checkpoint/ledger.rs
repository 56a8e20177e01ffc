//! The progress of a run, apart from the state of the running training.

use crate::budget::pace::PacerState;
use crate::record::trial::Trial;
use dashnas_core::stage::Stage;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The note that holds the pace of the running training.
const PACE: &str = "pace";

/// The name of the note that says why a stage ran fewer tuning trials than it could have.
fn tuning_end(stage: Stage) -> String {
    format!("tuned-{stage}")
}

/// The progress of a run: the finished stages, their times and results, and the decisions taken on the way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Ledger {
    /// Version of the program that wrote it.
    pub program: String,
    /// SHA-256 of the configuration it was written under.
    pub config: String,
    /// Finished stages.
    pub done: Vec<Stage>,
    /// The running stage.
    pub current: Option<Stage>,
    /// Steps taken in the running stage, over its trials and epochs.
    pub steps: u64,
    /// Whether the outcome is written.
    pub finished: bool,
    /// Length of the event log at this moment, bytes.
    pub log: u64,
    /// Seconds that each stage has taken so far, over all processes.
    pub seconds: BTreeMap<Stage, f64>,
    /// SHA-256 of the files that the finished stages wrote.
    pub files: BTreeMap<String, String>,
    /// The finished trials of the race of the search.
    pub race: Vec<Trial>,
    /// The finished tuning trials of the searched network.
    pub tuning: Vec<Trial>,
    /// The finished tuning trials of the plain backbone.
    pub baseline: Vec<Trial>,
    /// Decisions that depend on more than data, configuration and seed, by name, in JSON: for example a plan made
    /// from measured times. They are kept so that a resumed run does not take them again.
    pub notes: BTreeMap<String, String>,
}

impl Ledger {
    /// Keeps a decision under a name.
    pub fn decide<T: Serialize>(&mut self, name: &str, decision: &T) {
        // Plain data always has a JSON form.
        if let Ok(text) = serde_json::to_string(decision) {
            self.notes.insert(name.into(), text);
        }
    }

    /// The decision of a name; `None` if none was taken.
    pub fn decision<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.notes.get(name)?).ok()
    }

    /// Keeps what the pace of a training has decided.
    pub fn keep_pace(&mut self, stage: Stage, trial: Option<usize>, state: PacerState) {
        self.decide(PACE, &(stage, trial, state));
    }

    /// Notes why a stage ran fewer tuning trials than it could have.
    pub fn note_tuning_end(&mut self, stage: Stage, reason: &str) {
        self.decide(&tuning_end(stage), &reason);
    }

    /// Why a stage ran fewer tuning trials than it could have, if it did.
    pub fn tuning_end(&self, stage: Stage) -> Option<String> {
        self.decision(&tuning_end(stage))
    }

    /// What the pace of a training has decided, if this is the training whose pace was kept last.
    pub fn pace(&self, stage: Stage, trial: Option<usize>) -> Option<PacerState> {
        let kept: (Stage, Option<usize>, PacerState) = self.decision(PACE)?;
        ((kept.0, kept.1) == (stage, trial)).then_some(kept.2)
    }

    /// Whether a stage is finished.
    pub fn is_done(&self, stage: Stage) -> bool {
        self.done.contains(&stage)
    }

    /// The finished trials of a stage with trials, by number.
    pub fn trials(&self, stage: Stage) -> &[Trial] {
        match stage {
            Stage::Search => &self.race,
            Stage::Baseline => &self.baseline,
            _ => &self.tuning,
        }
    }

    /// A trial of a stage, if it is finished.
    pub fn trial(&self, stage: Stage, number: usize) -> Option<&Trial> {
        self.trials(stage).iter().find(|trial| trial.trial == number)
    }

    /// Adds a finished trial in the order of the numbers: trials that run side by side end in any order.
    pub fn add_trial(&mut self, stage: Stage, trial: Trial) {
        let trials = match stage {
            Stage::Search => &mut self.race,
            Stage::Baseline => &mut self.baseline,
            _ => &mut self.tuning,
        };
        let place = trials.partition_point(|other| other.trial < trial.trial);
        trials.insert(place, trial);
    }

    /// Begins a stage. Returns whether it was running already; otherwise everything that it and the later stages
    /// recorded before is deleted.
    pub fn begin(&mut self, stage: Stage) -> bool {
        if self.current == Some(stage) {
            return true;
        }
        self.current = Some(stage);
        self.steps = 0;
        self.done.retain(|&s| s < stage);
        self.seconds.retain(|&s, _| s < stage);
        if stage <= Stage::Search {
            self.race.clear();
        }
        if stage <= Stage::Tune {
            self.tuning.clear();
        }
        self.baseline.clear();
        false
    }

    /// Ends the running stage.
    pub fn end(&mut self, stage: Stage) {
        self.current = None;
        self.steps = 0;
        self.done.push(stage);
    }
}
