//! The run directory: everything a run knows, in files that people and programs can read.
//!
//! | file | what |
//! |---|---|
//! | `config.toml` | the resolved configuration |
//! | `data.json` | which data was used, with a fingerprint |
//! | `events.jsonl` | what happened, one JSON object a line |
//! | `alpha.jsonl` | the mixing probabilities of every layer, a line an epoch |
//! | `architecture.json` | the searched kernels and the network they make |
//! | `tuning.json` | every trial and the hyperparameters chosen |
//! | `model.dashnas` | the trained model: weights and what is needed to run them |
//! | `metrics.json` | the outcome |
//!
//! Files other than the two logs are written under a temporary name, synced and renamed: a
//! reader sees the old file or the new one, never half of one.

use crate::error::Error;
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// File names inside a run directory.
pub mod names {
    /// The resolved configuration.
    pub const CONFIG: &str = "config.toml";
    /// Which data was used.
    pub const DATA: &str = "data.json";
    /// The event log.
    pub const EVENTS: &str = "events.jsonl";
    /// Mixing probabilities over the epochs.
    pub const ALPHA: &str = "alpha.jsonl";
    /// The searched architecture.
    pub const ARCHITECTURE: &str = "architecture.json";
    /// Tuning trials and choice.
    pub const TUNING: &str = "tuning.json";
    /// The trained model, in one file.
    pub const MODEL: &str = "model.dashnas";
    /// The outcome.
    pub const METRICS: &str = "metrics.json";
}

/// An existing run directory.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Makes a new run directory.
    ///
    /// # Errors
    /// [`Error::RunDirExists`] if something is there already (an empty directory is taken over),
    /// [`Error::Io`] if it cannot be made or written to.
    pub fn create(path: &Path) -> Result<Self, Error> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(Error::RunDirExists { path: path.into() });
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|e| Error::io("make the run directory", path, e))?;
            }
            Err(e) if path.exists() && !path.is_dir() => {
                let _ = e;
                return Err(Error::RunDirExists { path: path.into() });
            }
            Err(e) => return Err(Error::io("read the run directory", path, e)),
        }
        Ok(Self { path: path.into() })
    }

    /// Opens a run directory made earlier.
    ///
    /// # Errors
    /// [`Error::NotARunDir`] if there is no configuration in it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        if path.join(names::CONFIG).is_file() {
            Ok(Self { path: path.into() })
        } else {
            Err(Error::NotARunDir { path: path.into() })
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.file(name).is_file()
    }

    /// Writes a whole file atomically.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.file(name);
        write_atomic(&path, bytes).map_err(|e| Error::io("write", &path, e))
    }

    /// Writes a value as indented JSON, atomically.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        let mut text = serde_json::to_vec_pretty(value).map_err(|e| Error::io("encode", &self.file(name), e.into()))?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.file(name);
        fs::read(&path).map_err(|e| Error::io("read", &path, e))
    }

    /// Reads a value from a JSON file.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::Corrupt`] if it does not hold one.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.read(name)?)
            .map_err(|e| Error::Corrupt { path: self.file(name), reason: e.to_string() })
    }

    /// Opens a log for appending lines.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn log(&self, name: &str) -> Result<Log, Error> {
        let path = self.file(name);
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(|e| Error::io("open", &path, e))?;
        Ok(Log { path, file })
    }
}

/// A file of JSON lines that only grows. Each line is written whole, at once.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Appends a value as one line.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn append<T: Serialize>(&mut self, value: &T) -> Result<(), Error> {
        let mut line = serde_json::to_vec(value).map_err(|e| Error::io("encode", &self.path, e.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| Error::io("write", &self.path, e))
    }
}

/// Writes under a temporary name in the same directory, syncs, renames over the target, and
/// syncs the directory so that the name survives a power cut too.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().inspect_err(|_| {
        // The failure being reported is the first one; leave nothing half-written behind.
        let _ = fs::remove_file(&temporary);
    })?;
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn temp() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary directory can be made")
    }

    #[test]
    fn create_takes_an_empty_directory_and_refuses_a_used_one() {
        let t = temp();
        let dir = RunDir::create(&t.path().join("a/b")).expect("nested directories are made");
        dir.write("x", b"1").expect("writable");
        assert!(matches!(RunDir::create(dir.path()), Err(Error::RunDirExists { .. })));
        assert!(matches!(RunDir::create(&dir.file("x")), Err(Error::RunDirExists { .. })));
        fs::create_dir(t.path().join("empty")).expect("writable");
        assert!(RunDir::create(&t.path().join("empty")).is_ok());
    }

    #[test]
    fn open_needs_a_configuration() {
        let t = temp();
        assert!(matches!(RunDir::open(t.path()), Err(Error::NotARunDir { .. })));
        fs::write(t.path().join(names::CONFIG), "").expect("writable");
        assert!(RunDir::open(t.path()).is_ok());
    }

    #[test]
    fn writes_replace_whole_files_and_leave_no_temporary() {
        let t = temp();
        let dir = RunDir::create(&t.path().join("run")).expect("writable");
        dir.write_json("v.json", &[1, 2, 3]).expect("writable");
        dir.write_json("v.json", &[4]).expect("writable");
        assert_eq!(dir.read_json::<Vec<i32>>("v.json").expect("readable"), [4]);
        assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 1);
        dir.write("v.json", b"[1,").expect("writable");
        assert!(matches!(dir.read_json::<Vec<i32>>("v.json"), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn a_log_keeps_its_lines_across_openings() {
        let t = temp();
        let dir = RunDir::create(&t.path().join("run")).expect("writable");
        dir.log("l").expect("writable").append(&1).expect("writable");
        dir.log("l").expect("writable").append(&"two").expect("writable");
        assert_eq!(dir.read("l").expect("readable"), b"1\n\"two\"\n");
    }
}
