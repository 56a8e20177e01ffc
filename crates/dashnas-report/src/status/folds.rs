//! The state of a cross-validation: of each of its folds, which are runs of their own.

use crate::status::live::Live;
use crate::status::summary::{State, Status};
use crate::status::text::now_in_words;
use dashnas::error::Error;
use dashnas::record::folds::FoldsOutcome;
use dashnas::run::folds::Folds;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::task::Metric;
use dashnas_core::text::plural;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// The state of a cross-validation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldsStatus {
    /// Its folder.
    pub run_dir: PathBuf,
    /// The path of the data, or the name of a task.
    pub data: String,
    /// Whether a process works on it.
    pub state: State,
    /// The number of finished folds.
    pub done: usize,
    /// The number of folds.
    pub of: usize,
    /// The folds, from the first.
    pub folds: Vec<FoldStatus>,
    /// The result over all folds, once they are finished.
    pub result: Option<FoldsOutcome>,
}

/// The state of a fold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoldStatus {
    /// Its number, from 1.
    pub fold: u32,
    /// Its run directory.
    pub run_dir: PathBuf,
    /// The state of its run; `None` if it has not begun.
    pub run: Option<Status>,
}

impl FoldsStatus {
    /// Reads the state of the cross-validation in a folder.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::File`] with the file that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let folds = Folds::open(folder)?;
        let mut working = false;
        let mut states = Vec::new();
        for fold in 1..=folds.record.folds {
            let path = folds.path(fold);
            // A directory without a configuration is one that a process has just begun.
            let dir = RunDir::open(&path).ok();
            // One process runs the folds one after another, and works on the next one after it has finished this one.
            working |= dir.as_ref().and_then(Live::read).is_some_and(|live| live.is_alive());
            let run = dir.map(|dir| Status::read(&dir)).transpose()?;
            states.push(FoldStatus { fold, run_dir: path, run });
        }
        let result = match folds.folder().has(names::METRICS) {
            true => Some(folds.folder().read_json::<FoldsOutcome>(names::METRICS)?),
            false => None,
        };
        let state = match (&result, working) {
            (Some(_), _) => State::Finished,
            (None, true) => State::Running,
            (None, false) => State::Stopped,
        };
        let done = states.iter().filter(|fold| fold.is_done()).count();
        let (data, of) = (folds.record.source.clone(), states.len());
        Ok(Self { run_dir: folder.to_path_buf(), data, state, done, of, folds: states, result })
    }
}

impl FoldStatus {
    fn is_done(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.state == State::Finished)
    }

    /// The state in words.
    fn words(&self) -> String {
        let Some(run) = &self.run else { return "not started".to_owned() };
        let value = |v: f64| run.metric.map_or_else(|| v.to_string(), |metric| metric.format(v));
        let name = run.metric.map_or("metric", Metric::title);
        let mut words = vec![match run.state {
            State::Finished | State::Trained => "finished".to_owned(),
            State::Running => "running".to_owned(),
            State::Stopped => "stopped".to_owned(),
        }];
        if let Some(now) = &run.now {
            words.push(format!("{}: {}", now.live.stage, now_in_words(now).join(", ")));
        }
        words.extend(run.test.map(|test| format!("test {name} {}", value(test))));
        words.extend(run.baseline_test.map(|plain| format!("plain network {}", value(plain))));
        words.join(", ")
    }
}

impl fmt::Display for FoldsStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Running => "running",
            State::Stopped => "stopped before it was finished; no process works on it",
            State::Trained | State::Finished => "finished",
        };
        let (done, of) = (self.done, plural(self.of, "fold"));
        writeln!(f, "{}, cross-validation in {}: {state}, {done} of {of} done\n", self.data, self.run_dir.display())?;
        for fold in &self.folds {
            writeln!(f, "  fold {:<3} {}", fold.fold, fold.words())?;
        }
        if let Some(result) = &self.result {
            let spread = |mean: f64, deviation: f64| {
                let [mean, deviation] = [mean, deviation].map(|value| result.metric.format(value));
                format!("{mean} (standard deviation {deviation})")
            };
            let test = spread(result.test.mean, result.test.deviation);
            writeln!(f, "\nMean test {} over {of}: {test}", result.metric.title())?;
        } else if let Some(last) = self.folds.iter().rfind(|fold| fold.run.is_some() && !fold.is_done()) {
            writeln!(f, "\n`dashnas status {}` shows the stages of fold {}.", last.run_dir.display(), last.fold)?;
        }
        if self.state == State::Stopped {
            writeln!(f, "\n`dashnas run --resume {}` resumes it.", self.run_dir.display())?;
        }
        Ok(())
    }
}
