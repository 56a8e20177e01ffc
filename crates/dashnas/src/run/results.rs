//! The results of finished stages, read from a run directory.

use crate::config::Config;
use crate::error::Error;
use crate::record::choice::KernelChoice;
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

/// How the kernels of an architecture in a run directory were chosen.
///
/// # Errors
/// [`Error::Config`] if the configuration cannot be read.
pub fn kernel_choice(dir: &RunDir, architecture: &Architecture) -> Result<KernelChoice, Error> {
    let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
    let candidates = config.kernel_sizes(architecture.backbone.dims()).len() * config.dilations().len();
    let supernet = dir.file(names::ALPHA).metadata().is_ok_and(|file| file.len() > 0);
    let given = config.search.kernels.is_some();
    Ok(KernelChoice::of(architecture, given, dir.has(names::RACE), supernet, candidates))
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
