//! The contents of a run directory, for reports.

use crate::config::Config;
use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::problem::backbone::{BackboneData, backbone_graph};
use crate::record::alpha::AlphaRecord;
use crate::record::choice::{KernelChoice, SearchResult};
use crate::record::data::DataRecord;
use crate::record::event::Event;
use crate::record::outcome::Outcome;
use crate::record::race::RaceRecord;
use crate::record::trial::Tuning;
use crate::run_dir::dir::RunDir;
use crate::run_dir::environment::Environment;
use crate::run_dir::names;
use dashnas_core::files::FileError;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::graph::topology::Graph;
use serde::de::DeserializeOwned;

/// The files of a run that exist so far.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The run directory.
    pub dir: RunDir,
    /// The configuration.
    pub config: Config,
    /// The record of the data set.
    pub data: DataRecord,
    /// The program and the machine.
    pub environment: Option<Environment>,
    /// The events.
    pub events: Vec<Event>,
    /// Mixing probabilities, one entry per epoch; none of a race.
    pub alpha: Vec<AlphaRecord>,
    /// The race of networks, if that was the search.
    pub race: Option<RaceRecord>,
    /// The searched kernels.
    pub architecture: Option<Architecture>,
    /// The tuning trials.
    pub tuning: Option<Tuning>,
    /// The details of the evaluation on the test split.
    pub evaluation: Option<Evaluation>,
    /// The result.
    pub outcome: Option<Outcome>,
}

impl Loaded {
    /// Reads all files that exist.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::File`] with the file that cannot be read.
    pub fn read(dir: &RunDir) -> Result<Self, Error> {
        Ok(Self {
            config: Config::load(None, Some(&dir.file(names::CONFIG)), &[])?,
            data: dir.read_json(names::DATA)?,
            environment: optional(dir, names::ENVIRONMENT)?,
            events: lines(dir, names::EVENTS)?,
            alpha: lines(dir, names::ALPHA)?,
            race: optional(dir, names::RACE)?,
            architecture: optional(dir, names::ARCHITECTURE)?,
            tuning: optional(dir, names::TUNING)?,
            evaluation: optional(dir, names::EVALUATION)?,
            outcome: optional(dir, names::METRICS)?,
            dir: dir.clone(),
        })
    }

    /// How the kernels were chosen; `None` before the search is finished.
    pub fn choice(&self) -> Option<KernelChoice> {
        let architecture = self.architecture.as_ref()?;
        let candidates = self.config.kernel_sizes(architecture.backbone.dims()).len() * self.config.dilations().len();
        let (given, race) = (self.config.search.kernels.is_some(), self.race.is_some());
        Some(KernelChoice::of(architecture, given, race, !self.alpha.is_empty(), candidates))
    }

    /// What came of the search; `None` before it is finished.
    pub fn search_result(&self) -> Option<SearchResult> {
        let choice = self.choice()?;
        Some(match (&choice, &self.race, choice.undecided_layers()) {
            (KernelChoice::Given, ..) => SearchResult::Given,
            (KernelChoice::NotSearched, ..) => SearchResult::NotSearched,
            (KernelChoice::Race, Some(race), _) if race.undecided() => SearchResult::Undecided,
            (KernelChoice::Race, Some(race), _) if race.plain_won() => SearchResult::Plain,
            (_, _, Some([undecided, layers])) if 2 * undecided >= layers => SearchResult::Undecided,
            _ => SearchResult::Searched,
        })
    }

    /// The graph of the network at the width of retraining; `None` for a run of a version that did not record the task.
    pub fn graph(&self) -> Option<Graph> {
        let (task, input) = (self.data.task?, self.data.input.as_deref()?);
        let (dims, input) = match *input {
            [channels, w] => (1, [channels, 1, w]),
            [channels, h, w] => (2, [channels, h, w]),
            _ => return None,
        };
        Some(backbone_graph(&self.config, BackboneData::new(dims, input, task), self.config.backbone.width))
    }
}

fn optional<T: DeserializeOwned>(dir: &RunDir, name: &str) -> Result<Option<T>, Error> {
    if dir.has(name) { Ok(Some(dir.read_json(name)?)) } else { Ok(None) }
}

/// The lines of a log; none if it does not exist. A last line without its end is left out: it may still be written.
fn lines<T: DeserializeOwned>(dir: &RunDir, name: &str) -> Result<Vec<T>, Error> {
    if !dir.has(name) {
        return Ok(Vec::new());
    }
    let bytes = dir.read(name)?;
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(&[][..], |end| &bytes[..end]);
    let mut found = Vec::new();
    for (number, line) in whole.split(|&b| b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        found.push(
            serde_json::from_slice(line)
                .map_err(|e| Error::from(FileError::corrupt(&dir.file(name), format!("line {}: {e}", number + 1))))?,
        );
    }
    Ok(found)
}
