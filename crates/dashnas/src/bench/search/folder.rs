//! The folder of a bench: `bench.toml` and `data.json` say what it is a bench of, `runs` has the run directories,
//! `trials` those of short trials, and `bench.json` the results so far.

use crate::bench::search::error::SearchBenchError;
use crate::bench::search::record::{EntryRecord, RECORD};
use crate::config::sections::Config;
use crate::error::Error;
use crate::record::data::DataRecord;
use crate::run_dir::error::RunDirError;
use crate::run_dir::lock::Lock;
use dashnas_core::files::{FileError, write_atomic};
use dashnas_data::dataset::Dataset;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The configuration of all runs.
pub(crate) const CONFIG: &str = "bench.toml";
/// The record of the data set.
pub(crate) const DATA: &str = "data.json";
/// The file that the working process locks.
const LOCK: &str = "bench.lock";
/// The document with all results.
pub(crate) const DOCUMENT: &str = "bench.json";

/// Keys that change no result.
const FREE: [&str; 2] = ["tensorboard", "tune.workers"];

/// The folder of a bench, in which no other process works.
#[derive(Debug)]
pub(crate) struct BenchFolder {
    path: PathBuf,
    _lock: Lock,
}

impl BenchFolder {
    /// Creates the folder of a bench, or opens one of the same configuration and data set.
    ///
    /// # Errors
    /// [`SearchBenchError::Changed`] and [`Error::OtherData`] if it has the results of other settings or data,
    /// [`Error::RunDir`] if it has something else or another process works there, and those of reading and writing
    /// files.
    pub fn open(path: &Path, config: &Config, source: &str, data: &Dataset) -> Result<Self, SearchBenchError> {
        let file = path.join(CONFIG);
        let foreign = |entry: &fs::DirEntry| ![DATA, LOCK].iter().any(|name| entry.file_name() == *name);
        let mut entries = fs::read_dir(path).into_iter().flatten().flatten();
        if !file.is_file() && entries.any(|entry| foreign(&entry)) {
            let run = path.join(crate::run_dir::names::CONFIG).is_file();
            return Err(Error::from(RunDirError::Exists { path: path.into(), run }).into());
        }
        fs::create_dir_all(path).map_err(|e| Error::io("make the folder", path, e))?;
        let folder = Self { path: path.into(), _lock: Lock::take(path, LOCK).map_err(Error::from)? };
        if file.is_file() {
            let before = Config::load(None, Some(&file), &[]).map_err(Error::from)?;
            if let Some((key, given, before)) = difference(config, &before) {
                return Err(SearchBenchError::Changed { key, given, before, path: path.into() });
            }
            let record: DataRecord = read_json(&path.join(DATA))?;
            record.check_same(data)?;
            return Ok(folder);
        }
        write_json(&path.join(DATA), &DataRecord::new(source, data).map_err(Error::from)?)?;
        // Last: a folder that has it is that of a bench.
        write_atomic(&file, config.to_toml().as_bytes()).map_err(|e| Error::io("write", &file, e))?;
        Ok(folder)
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The run directory of an entry.
    pub fn run(&self, entry: &str) -> PathBuf {
        self.path.join("runs").join(entry)
    }

    /// The run directory of a short trial of an entry.
    pub fn trial(&self, entry: &str, [part, whole]: [u64; 2]) -> PathBuf {
        self.path.join("trials").join(format!("{entry}-{part}-{whole}"))
    }

    /// The names of all entries with a result, of this bench or of a larger one that was here before.
    pub fn finished(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path.join("runs")).into_iter().flatten().flatten();
        let finished = entries.filter(|entry| entry.path().join(RECORD).is_file());
        finished.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// The result of an entry, if it is finished.
    ///
    /// # Errors
    /// [`Error::File`] if it is damaged.
    pub fn record(&self, entry: &str) -> Result<Option<EntryRecord>, Error> {
        read_if_there(&self.run(entry).join(RECORD))
    }

    /// The contents of a JSON file in the folder, if it is there.
    ///
    /// # Errors
    /// [`Error::File`] if it is damaged.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        read_if_there(&self.file(name))
    }
}

/// Reads a JSON file that may be missing.
fn read_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    if path.is_file() { read_json(path).map(Some) } else { Ok(None) }
}

/// Reads a JSON file.
///
/// # Errors
/// [`Error::File`].
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = fs::read(path).map_err(|e| Error::io("read", path, e))?;
    serde_json::from_slice(&text).map_err(|e| FileError::corrupt(path, e.to_string()).into())
}

/// Writes a value as indented JSON, atomically.
///
/// # Errors
/// [`Error::File`].
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| Error::io("encode", path, e.into()))?;
    text.push(b'\n');
    write_atomic(path, &text).map_err(|e| Error::io("write", path, e))
}

/// The first key in which two configurations differ, with both values.
fn difference(given: &Config, before: &Config) -> Option<(String, String, String)> {
    let table = |config: &Config| config.to_toml().parse::<Table>().unwrap_or_default();
    let (given, before) = (flat(&table(given)), flat(&table(before)));
    let value = |of: &[(String, String)], key: &str| of.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
    let keys = given.iter().chain(&before).map(|(key, _)| key).filter(|key| !FREE.contains(&key.as_str()));
    for key in keys {
        let (now, then) = (value(&given, key), value(&before, key));
        if now != then {
            let text = |value: Option<String>| value.unwrap_or_else(|| "not set".into());
            return Some((key.clone(), text(now), text(then)));
        }
    }
    None
}

/// The keys of a table with their values, sections included.
fn flat(table: &Table) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(section) => {
                found.extend(flat(section).into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => found.push((key.clone(), value.to_string())),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::names::Preset;

    #[test]
    fn the_first_key_that_differs_is_named() {
        let before = Config::preset(Preset::Quick);
        let mut now = before.clone();
        (now.tensorboard, now.tune.workers) = (true, Some(3));
        assert_eq!(difference(&now, &before), None, "these change no result");
        now.search.epochs = 3;
        let expected = ("search.epochs".to_owned(), "3".to_owned(), before.search.epochs.to_string());
        assert_eq!(difference(&now, &before), Some(expected));
    }
}
