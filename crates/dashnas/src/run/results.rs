//! The results of finished stages, read from a run directory.

use crate::error::Error;
use crate::record::trial::Tuning;
use crate::run_dir::dir::RunDir;
use crate::run_dir::names;
use dashnas_nn::architecture::Architecture;
use serde::de::DeserializeOwned;

/// Reads the architecture that the search stage found.
///
/// # Errors
/// [`Error::MissingStage`] if the search has not finished there.
pub fn read_architecture(dir: &RunDir) -> Result<Architecture, Error> {
    read(dir, names::ARCHITECTURE, "search")
}

/// Reads the trials and the choice of the tuning stage.
///
/// # Errors
/// [`Error::MissingStage`] if tuning has not finished there.
pub fn read_tuning(dir: &RunDir) -> Result<Tuning, Error> {
    read(dir, names::TUNING, "tune")
}

fn read<T: DeserializeOwned>(dir: &RunDir, file: &'static str, needs: &'static str) -> Result<T, Error> {
    if !dir.has(file) {
        return Err(Error::MissingStage { path: dir.path().into(), file, needs });
    }
    Ok(dir.read_json(file)?)
}
