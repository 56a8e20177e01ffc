//! What a run needs to go on after it was stopped, on disk.
//!
//! One file, `checkpoint`, holds where the run stands ([`Ledger`]) and the training under way, or
//! the trials that run side by side ([`Kept`]): weights, running statistics, α, momentum and
//! counters. Every random stream is a function of the seed and of these counters, so nothing more
//! is needed to go on to the same bits. The file is written under another name, synced and renamed; the one before stays as
//! `checkpoint.prev` until the next is safe. A damaged newest file is therefore no more than a
//! step back in time.

mod cadence;
mod container;
mod ledger;
mod snapshot;

pub use cadence::Cadence;
pub use container::FORMAT;
pub use ledger::Ledger;
pub use snapshot::{Kept, Position, Snapshot};

use crate::error::Error;
use crate::run_dir::{RunDir, names};
use container::Flaw;
use serde::{Deserialize, Serialize};
use std::io;

/// What a checkpoint holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// Where the run stands.
    pub ledger: Ledger,
    /// The trainings under way: none, one, or trials side by side.
    pub trainings: Vec<Kept>,
}

/// The part of the file that is text.
#[derive(Serialize, Deserialize)]
struct Header {
    ledger: Ledger,
    now: Option<Position>,
    good: Option<Position>,
    /// Of the other trainings.
    #[serde(default)]
    beside: Vec<Beside>,
}

/// A training beside the first.
#[derive(Serialize, Deserialize)]
struct Beside {
    now: Position,
    good: Option<Position>,
}

/// Prefixes of the tensors of a training.
fn parts(number: usize) -> [String; 2] {
    ["now", "good"].map(|part| if number == 0 { part.to_owned() } else { format!("{part}-{number}") })
}

impl Checkpoint {
    /// The bytes of the file.
    ///
    /// # Errors
    /// If the header cannot be written as TOML.
    pub fn encode(ledger: &Ledger, trainings: &[&Kept]) -> Result<Vec<u8>, io::Error> {
        let mut at =
            trainings.iter().map(|t| Beside { now: t.now.position, good: t.good.as_ref().map(|g| g.position) });
        let first = at.next();
        let header = Header {
            ledger: ledger.clone(),
            now: first.as_ref().map(|f| f.now),
            good: first.and_then(|f| f.good),
            beside: at.collect(),
        };
        let text = toml::to_string(&header).map_err(io::Error::other)?;
        let mut tensors = Vec::new();
        for (number, training) in trainings.iter().enumerate() {
            let [now, good] = parts(number);
            training.now.list(&now, &mut tensors);
            if let Some(snapshot) = &training.good {
                snapshot.list(&good, &mut tensors);
            }
        }
        container::encode(&text, &tensors)
    }

    /// Reads the bytes of a file.
    fn decode(bytes: &[u8]) -> Result<Self, Flaw> {
        let (text, mut tensors) = container::decode(bytes)?;
        let header: Header =
            toml::from_str(&text).map_err(|e| Flaw::Damaged(format!("its header: {}", e.message())))?;
        let first = header.now.map(|now| Beside { now, good: header.good });
        let trainings = first.into_iter().chain(header.beside).enumerate().map(|(number, at)| {
            let [now, good] = parts(number);
            let now = Snapshot::pick(&now, at.now, &mut tensors);
            Kept { now, good: at.good.map(|at| Snapshot::pick(&good, at, &mut tensors).into()) }
        });
        let trainings = trainings.collect();
        Ok(Self { ledger: header.ledger, trainings })
    }

    /// Reads the newest checkpoint of a run directory that is whole; `None` if there never was
    /// one. The text, if any, is a warning: why the newest could not be used.
    ///
    /// # Errors
    /// [`Error::CheckpointVersion`] if a whole file is of another format, [`Error::Checkpoints`]
    /// if there are files but none can be used.
    pub fn read(dir: &RunDir) -> Result<Option<(Self, Option<String>)>, Error> {
        let mut flaws = Vec::new();
        for name in [names::CHECKPOINT, names::CHECKPOINT_PREVIOUS] {
            let bytes = match std::fs::read(dir.file(name)) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(Error::io("read", &dir.file(name), e)),
            };
            match Self::decode(&bytes) {
                Ok(checkpoint) => {
                    let warning = flaws.pop().map(|flaw: String| {
                        format!("{flaw}; going on from the one before it, {}", dir.file(name).display())
                    });
                    return Ok(Some((checkpoint, warning)));
                }
                Err(Flaw::Version(found)) => {
                    return Err(Error::CheckpointVersion { path: dir.file(name), found, reads: FORMAT });
                }
                Err(Flaw::Damaged(reason)) => flaws.push(format!("{} is damaged: {reason}", dir.file(name).display())),
            }
        }
        if flaws.is_empty() { Ok(None) } else { Err(Error::Checkpoints { flaws: flaws.join("; ") }) }
    }

    /// Makes bytes from [`Checkpoint::encode`] the newest checkpoint and keeps the one before.
    ///
    /// # Errors
    /// [`Error::Io`]; the files are then as they were, or the newest is the previous.
    pub fn write(dir: &RunDir, bytes: &[u8]) -> Result<(), Error> {
        dir.write_keeping(names::CHECKPOINT, names::CHECKPOINT_PREVIOUS, bytes)
    }

    /// Makes bytes from [`Checkpoint::encode`] the newest checkpoint in place of a damaged one; the one before stays.
    ///
    /// # Errors
    /// [`Error::Io`]; the files are then as they were.
    pub fn replace(dir: &RunDir, bytes: &[u8]) -> Result<(), Error> {
        dir.write(names::CHECKPOINT, bytes)
    }
}

/// Small checkpoints, for tests.
#[cfg(test)]
pub(crate) fn samples() -> Vec<Vec<u8>> {
    use crate::event::Stage;
    use crate::model::Parameter;
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
    let kept = Kept { now: snapshot(2), good: Some(snapshot(1).into()) };
    [&[][..], &[&kept], &[&kept, &kept]].iter().filter_map(|t| Checkpoint::encode(&ledger, t).ok()).collect()
}

/// What reading some bytes comes to, as they are and with the checksum that they call for, for tests.
#[cfg(test)]
pub(crate) fn said(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    let read = |bytes: &[u8]| match Checkpoint::decode(bytes) {
        Ok(checkpoint) => format!("{:?} {}", checkpoint.ledger.current, checkpoint.trainings.len()),
        Err(flaw) => format!("{flaw:?}"),
    };
    let body = &bytes[..bytes.len().saturating_sub(32)];
    format!("{} / {}", read(bytes), read(&[body, Sha256::digest(body).as_slice()].concat()))
}
