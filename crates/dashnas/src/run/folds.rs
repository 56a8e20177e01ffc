//! A cross-validation in its folder: which run directories it has, and under which configuration each fold runs.

use crate::config::Config;
use crate::error::Error;
use crate::record::data::DataRecord;
use crate::record::division::Division;
use crate::record::folds::FoldsRecord;
use crate::run_dir::dir::RunDir;
use crate::run_dir::error::Holds;
use crate::run_dir::names;
use dashnas_data::dataset::Dataset;
use std::path::{Path, PathBuf};

/// The folder of a cross-validation. The run directory of each fold is an ordinary one.
#[derive(Debug, Clone)]
pub struct Folds {
    folder: RunDir,
    /// The configuration of all folds together.
    config: Config,
    /// The data and the number of folds.
    pub record: FoldsRecord,
}

impl Folds {
    /// Whether a folder is that of a cross-validation.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(names::FOLDS).is_file()
    }

    /// Creates the folder for the folds of a configuration, one for each data set.
    ///
    /// # Errors
    /// As [`RunDir::create`], and those of writing the files.
    pub fn create(folder: &Path, config: &Config, source: &str, data: Vec<DataRecord>) -> Result<Self, Error> {
        let dir = RunDir::create(folder)?;
        let record = FoldsRecord { source: source.into(), folds: data.len() as u32, data };
        dir.write(names::FOLDS_CONFIG, config.to_toml().as_bytes())?;
        // Written last: a folder that has it is that of a cross-validation.
        dir.write_json(names::FOLDS, &record)?;
        Ok(Self { folder: dir, config: config.clone(), record })
    }

    /// Opens the folder of an earlier process.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::File`] if its files cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let dir = RunDir::of_several(folder, Holds::Folds)?;
        let config = Config::load(None, Some(&dir.file(names::FOLDS_CONFIG)), &[])?;
        let record = dir.read_json(names::FOLDS)?;
        Ok(Self { folder: dir, config, record })
    }

    /// Checks that the data of a fold, from 1, is that with which the cross-validation began.
    ///
    /// # Errors
    /// [`Error::OtherData`] if it is another one.
    pub fn check_data(&self, fold: u32, data: &Dataset) -> Result<(), Error> {
        match (fold as usize).checked_sub(1).and_then(|i| self.record.data.get(i)) {
            Some(record) => record.check_same(data),
            None => Ok(()),
        }
    }

    /// The folder with the summary.
    pub fn folder(&self) -> &RunDir {
        &self.folder
    }

    /// The configuration of a fold, from 1: it has an equal share of the time.
    pub fn config(&self, fold: u32) -> Config {
        of_fold(&self.config, fold)
    }

    /// The run directory of a fold, from 1.
    pub fn path(&self, fold: u32) -> PathBuf {
        self.folder.path().join(format!("fold-{fold}"))
    }

    /// How the data of a fold was divided, if that is known.
    ///
    /// # Errors
    /// [`Error::File`] if the record of its data cannot be read.
    pub fn division(&self, fold: u32) -> Result<Option<Division>, Error> {
        let record: DataRecord = RunDir::open(&self.path(fold))?.read_json(names::DATA)?;
        Ok(record.division)
    }

    /// The run directory of a fold if the fold was started. What a process left that was killed before that is removed.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be removed.
    pub fn started(&self, fold: u32) -> Result<Option<RunDir>, Error> {
        Ok(RunDir::started(&self.path(fold))?)
    }
}

/// The configuration of one fold of a cross-validation.
pub fn of_fold(config: &Config, fold: u32) -> Config {
    let mut config = config.clone();
    config.data.fold = Some(fold);
    config.budget.time_limit /= f64::from(config.data.folds.unwrap_or(1).max(1));
    config
}
