//! The folder of a comparison: `comparison.json` and `comparison.toml` say what was asked and are written once,
//! `METHOD-SEED` are ordinary run directories, and `results.json` has the results so far.

use crate::comparison::record::{ComparisonRecord, run_name};
use crate::comparison::request::Request;
use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas::record::data::DataRecord;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::error::Holds;
use dashnas::run_dir::lock::Lock;
use dashnas::run_dir::names;
use std::path::{Path, PathBuf};

/// The folder of a comparison, in which no other process works.
#[derive(Debug)]
pub struct ComparisonFolder {
    dir: RunDir,
    /// The configuration of all runs, with the first seed.
    pub config: Config,
    /// What was asked.
    pub record: ComparisonRecord,
    _lock: Lock,
}

impl ComparisonFolder {
    /// Whether a folder is that of a comparison.
    pub fn is_at(folder: &Path) -> bool {
        folder.join(names::COMPARISON).is_file()
    }

    /// Creates the folder.
    ///
    /// # Errors
    /// As [`RunDir::create`], and those of writing the files.
    pub fn create(folder: &Path, request: &Request<'_>) -> Result<Self, Error> {
        let dir = RunDir::create(folder)?;
        let lock = dir.lock()?;
        let record = ComparisonRecord {
            version: env!("CARGO_PKG_VERSION").into(),
            source: request.source.into(),
            methods: request.methods.iter().map(|method| method.name().to_owned()).collect(),
            left_out: request.left_out.clone(),
            seeds: request.seeds,
            data: DataRecord::new(request.source, request.data)?,
        };
        dir.write(names::COMPARISON_CONFIG, request.config.to_toml().as_bytes())?;
        // Written last: a folder that has it is that of a comparison.
        dir.write_json(names::COMPARISON, &record)?;
        // Read again, as a resumed comparison does: a number may lose its last bit on the way through the file.
        let config = Config::load(None, Some(&dir.file(names::COMPARISON_CONFIG)), &[])?;
        Ok(Self { dir, config, record, _lock: lock })
    }

    /// Opens the folder of an earlier process.
    ///
    /// # Errors
    /// [`Error::RunDir`] if it is none or if another process works there, [`Error::Config`] and [`Error::File`] if its
    /// files cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let dir = RunDir::of_several(folder, Holds::Comparison)?;
        let lock = dir.lock()?;
        let config = Config::load(None, Some(&dir.file(names::COMPARISON_CONFIG)), &[])?;
        let record = dir.read_json(names::COMPARISON)?;
        Ok(Self { dir, config, record, _lock: lock })
    }

    /// The folder itself.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// The run directory of a method and a seed.
    pub fn run(&self, method: &str, seed: u64) -> PathBuf {
        self.dir.file(&run_name(method, seed))
    }
}
