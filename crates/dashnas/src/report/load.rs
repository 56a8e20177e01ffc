//! What a run directory holds.

use crate::architecture::Architecture;
use crate::backbone::{Graph, Shape};
use crate::config::Config;
use crate::environment::Environment;
use crate::error::Error;
use crate::evaluation::Evaluation;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::pipeline::DataRecord;
use crate::run_dir::{RunDir, names};
use crate::search::AlphaRecord;
use crate::tune::Tuning;
use serde::de::DeserializeOwned;

/// A run as far as it got.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Where it is, as it was given.
    pub dir: RunDir,
    /// The configuration.
    pub config: Config,
    /// The data.
    pub data: DataRecord,
    /// The machine.
    pub environment: Option<Environment>,
    /// What happened.
    pub events: Vec<Event>,
    /// Mixing probabilities, an entry an epoch.
    pub alpha: Vec<AlphaRecord>,
    /// The searched kernels.
    pub architecture: Option<Architecture>,
    /// The tuning trials.
    pub tuning: Option<Tuning>,
    /// What was seen on the test split.
    pub evaluation: Option<Evaluation>,
    /// The result.
    pub outcome: Option<Outcome>,
}

impl Loaded {
    /// Reads everything that is there.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Io`] or [`Error::Corrupt`] with the file that cannot be read.
    pub fn read(dir: &RunDir) -> Result<Self, Error> {
        Ok(Self {
            config: Config::load(None, Some(&dir.file(names::CONFIG)), &[])?,
            data: dir.read_json(names::DATA)?,
            environment: optional(dir, names::ENVIRONMENT)?,
            events: lines(dir, names::EVENTS)?,
            alpha: lines(dir, names::ALPHA)?,
            architecture: optional(dir, names::ARCHITECTURE)?,
            tuning: optional(dir, names::TUNING)?,
            evaluation: optional(dir, names::EVALUATION)?,
            outcome: optional(dir, names::METRICS)?,
            dir: dir.clone(),
        })
    }

    /// The topology, of the width that is retrained; none of a run whose data record is too old to tell.
    pub fn graph(&self) -> Option<Graph> {
        let (task, input) = (self.data.task?, self.data.input.as_deref()?);
        let dims = input.len().checked_sub(1).filter(|dims| [1, 2].contains(dims))?;
        let shape = Shape {
            channels: input[0],
            outputs: task.outputs(),
            dense: task.is_dense(),
            width: self.config.backbone.width,
            base: self.config.backbone.channels,
            plain_kernels: &self.config.backbone.plain_kernels,
        };
        Some(self.config.backbone_name(dims).resolve().graph(shape))
    }
}

fn optional<T: DeserializeOwned>(dir: &RunDir, name: &str) -> Result<Option<T>, Error> {
    if dir.has(name) { dir.read_json(name).map(Some) } else { Ok(None) }
}

/// The lines of a log; none if it is not there. The last one may be in the middle of being written.
pub(crate) fn lines<T: DeserializeOwned>(dir: &RunDir, name: &str) -> Result<Vec<T>, Error> {
    if !dir.has(name) {
        return Ok(Vec::new());
    }
    let bytes = dir.read(name)?;
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(&[][..], |end| &bytes[..end]);
    let mut found = Vec::new();
    for (number, line) in whole.split(|&b| b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        found.push(
            serde_json::from_slice(line)
                .map_err(|e| Error::Corrupt { path: dir.file(name), reason: format!("line {}: {e}", number + 1) })?,
        );
    }
    Ok(found)
}
