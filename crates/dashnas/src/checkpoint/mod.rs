//! Checkpoints: the files from which an interrupted run resumes.
//!
//! One file, `checkpoint`, holds the progress of the run ([`Ledger`]) and the state of the running training, or of
//! the trials that run side by side ([`SavedTraining`]): weights, running statistics, α, momentum and counters.
//! Every random stream is a function of the seed and of these counters, so a resumed run is bit-identical to one that
//! was never interrupted. The file is written under another name, synced and renamed; the previous one stays as
//! `checkpoint.prev` until the next is safe. If the newest file is damaged, the run resumes from the previous one.

pub mod cadence;
mod container;
pub mod ledger;
pub mod snapshot;

pub use crate::checkpoint::cadence::Cadence;
pub use crate::checkpoint::container::FORMAT;
pub use crate::checkpoint::ledger::Ledger;
pub use crate::checkpoint::snapshot::{Position, SavedTraining, Snapshot};

use crate::checkpoint::container::InvalidFile;
use crate::run_dir::dir::RunDir;
use crate::run_dir::error::RunDirError;
use crate::run_dir::names;
use serde::{Deserialize, Serialize};
use std::io;

/// The contents of a checkpoint.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// The progress of the run.
    pub ledger: Ledger,
    /// The running trainings: none, one, or several trials.
    pub trainings: Vec<SavedTraining>,
}

/// The text part of the file. Its keys are part of the file format.
#[derive(Serialize, Deserialize)]
struct CheckpointHeader {
    ledger: Ledger,
    now: Option<Position>,
    good: Option<Position>,
    /// The positions of the second and further trainings.
    #[serde(default)]
    beside: Vec<TrainingPositions>,
}

/// The positions of one training.
#[derive(Serialize, Deserialize)]
struct TrainingPositions {
    now: Position,
    good: Option<Position>,
}

/// Prefixes of the names of a training's tensors: those of its current and of its last good state.
fn prefixes(number: usize) -> [String; 2] {
    ["now", "good"].map(|part| if number == 0 { part.to_owned() } else { format!("{part}-{number}") })
}

impl Checkpoint {
    /// The bytes of the file.
    ///
    /// # Errors
    /// If the header cannot be written as TOML.
    pub fn encode(ledger: &Ledger, trainings: &[&SavedTraining]) -> Result<Vec<u8>, io::Error> {
        let mut positions = trainings.iter().map(|t| TrainingPositions {
            now: t.current.position,
            good: t.last_good.as_ref().map(|good| good.position),
        });
        let first = positions.next();
        let header = CheckpointHeader {
            ledger: ledger.clone(),
            now: first.as_ref().map(|f| f.now),
            good: first.and_then(|f| f.good),
            beside: positions.collect(),
        };
        let text = toml::to_string(&header).map_err(io::Error::other)?;
        let mut tensors = Vec::new();
        for (number, training) in trainings.iter().enumerate() {
            let [now, good] = prefixes(number);
            training.current.list(&now, &mut tensors);
            if let Some(snapshot) = &training.last_good {
                snapshot.list(&good, &mut tensors);
            }
        }
        container::encode(&text, &tensors)
    }

    /// Reads the bytes of a file.
    fn decode(bytes: &[u8]) -> Result<Self, InvalidFile> {
        let (text, mut tensors) = container::decode(bytes)?;
        let header: CheckpointHeader =
            toml::from_str(&text).map_err(|e| InvalidFile::Damaged(format!("its header: {}", e.message())))?;
        let first = header.now.map(|now| TrainingPositions { now, good: header.good });
        let trainings = first.into_iter().chain(header.beside).enumerate().map(|(number, at)| {
            let [now, good] = prefixes(number);
            let current = Snapshot::take(&now, at.now, &mut tensors);
            let last_good = at.good.map(|at| Snapshot::take(&good, at, &mut tensors).into());
            SavedTraining { current, last_good }
        });
        let trainings = trainings.collect();
        Ok(Self { ledger: header.ledger, trainings })
    }

    /// Reads the newest intact checkpoint of a run directory; `None` if there never was one. The text, if any, is a
    /// warning that says why the newest file could not be used.
    ///
    /// # Errors
    /// [`RunDirError::CheckpointVersion`] if an intact file has another format, [`RunDirError::Checkpoints`]
    /// if there are files but none can be used.
    pub fn read(dir: &RunDir) -> Result<Option<(Self, Option<String>)>, RunDirError> {
        let mut flaws = Vec::new();
        for name in [names::CHECKPOINT, names::CHECKPOINT_PREVIOUS] {
            let bytes = match std::fs::read(dir.file(name)) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(RunDirError::io("read", &dir.file(name), e)),
            };
            match Self::decode(&bytes) {
                Ok(checkpoint) => {
                    let warning = flaws.pop().map(|flaw: String| {
                        format!("{flaw}; resuming from the previous checkpoint, {}", dir.file(name).display())
                    });
                    return Ok(Some((checkpoint, warning)));
                }
                Err(InvalidFile::Version(found)) => {
                    return Err(RunDirError::CheckpointVersion { path: dir.file(name), found, reads: FORMAT });
                }
                Err(InvalidFile::Damaged(reason)) => {
                    flaws.push(format!("{} is damaged: {reason}", dir.file(name).display()))
                }
            }
        }
        if flaws.is_empty() { Ok(None) } else { Err(RunDirError::Checkpoints { flaws: flaws.join("; ") }) }
    }

    /// Makes bytes from [`Checkpoint::encode`] the newest checkpoint and keeps the previous one.
    ///
    /// # Errors
    /// [`RunDirError::File`]; the files are unchanged then, or the newest has become the previous one.
    pub fn write(dir: &RunDir, bytes: &[u8]) -> Result<(), RunDirError> {
        dir.write_keeping(names::CHECKPOINT, names::CHECKPOINT_PREVIOUS, bytes)
    }

    /// Makes bytes from [`Checkpoint::encode`] the newest checkpoint in place of a damaged one; the previous one stays.
    ///
    /// # Errors
    /// [`RunDirError::File`]; the files are unchanged then.
    pub fn replace(dir: &RunDir, bytes: &[u8]) -> Result<(), RunDirError> {
        dir.write(names::CHECKPOINT, bytes)
    }
}

/// Small checkpoints, from which fuzzing makes damaged ones.
#[doc(hidden)]
pub fn fuzz_samples() -> Vec<Vec<u8>> {
    use dashnas_core::stage::Stage;
    use dashnas_nn::parameters::Parameter;
    let ledger = Ledger {
        program: "0.0.0".into(),
        current: Some(Stage::Search),
        steps: 3,
        seconds: [(Stage::Search, 1.5)].into(),
        notes: [("pace".into(), "[\"search\",null,{}]".into())].into(),
        ..Default::default()
    };
    let snapshot = |epoch| Snapshot {
        position: Position { epoch, loss: 0.5, ..Position::start(Stage::Search, Some(1)) },
        weights: [("convs.0.weight".into(), Parameter { shape: vec![2, 3], values: vec![0.25; 6] })].into(),
        velocity: vec![Some(vec![1.0; 6]), None],
    };
    let saved = SavedTraining { current: snapshot(2), last_good: Some(snapshot(1).into()) };
    [&[][..], &[&saved], &[&saved, &saved]].iter().filter_map(|t| Checkpoint::encode(&ledger, t).ok()).collect()
}

/// The result of reading some bytes, as they are and with a correct checksum, for fuzzing.
#[doc(hidden)]
pub fn fuzz_reading(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let read = |bytes: &[u8]| match Checkpoint::decode(bytes) {
        Ok(checkpoint) => format!("{:?} {}", checkpoint.ledger.current, checkpoint.trainings.len()),
        Err(invalid) => format!("{invalid:?}"),
    };
    let body = &bytes[..bytes.len().saturating_sub(32)];
    format!("{} / {}", read(bytes), read(&[body, Sha256::digest(body).as_slice()].concat()))
}
