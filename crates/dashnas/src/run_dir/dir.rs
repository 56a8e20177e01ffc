//! The run directory: the whole state of a run, in files that people and programs can read.
//!
//! | file | contents |
//! |---|---|
//! | `config.toml` | the resolved configuration |
//! | `data.json` | the data set, with a fingerprint |
//! | `split.json` | the samples of each split |
//! | `plan.json` | the plan by which the run meets its time limit |
//! | `events.jsonl` | the events, one JSON object per line |
//! | `alpha.jsonl` | the mixing probabilities of every layer, one line per epoch; empty after a race |
//! | `race.json` | the contestants of a race with their trials, and the choice |
//! | `architecture.json` | the kernels of every layer, found by the search or given |
//! | `tuning.json` | every trial and the chosen hyperparameters |
//! | `model.dashnas` | the trained model: weights and all that is needed to use them |
//! | `baseline.dashnas` | the plain backbone, trained |
//! | `metrics.json` | the outcome |
//! | `evaluation.json` | the details of the evaluation on the test split |
//! | `environment.json` | the program and the machine |
//! | `status.json` | the current step, at most a second old |
//! | `report.html` | the report |
//! | `run.log` | the log of the program, in more detail than it prints |
//! | `checkpoint`, `checkpoint.prev` | the state from which the run resumes ([`crate::checkpoint`]) |
//! | `run.lock` | locked by the process that works here |
//!
//! Files other than the logs are written under a temporary name, synced and renamed: a reader sees the old file or the
//! new one, never a part of it.

use crate::run_dir::error::{Holds, RunDirError};
use crate::run_dir::lock::Lock;
use crate::run_dir::names;
use dashnas_core::files::{TemporaryFile, write_atomic};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// An existing run directory.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// Creates a new run directory.
    ///
    /// # Errors
    /// [`RunDirError::Exists`] if something exists there already (an empty directory is used),
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) if it cannot be created or written to.
    pub fn create(path: &Path) -> Result<Self, RunDirError> {
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(RunDirError::Exists { path: path.into(), run: path.join(names::CONFIG).is_file() });
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|e| RunDirError::io("make the run directory", path, e))?;
            }
            Err(e) if path.exists() && !path.is_dir() => {
                let _ = e;
                return Err(RunDirError::Exists { path: path.into(), run: path.join(names::CONFIG).is_file() });
            }
            Err(e) => return Err(RunDirError::io("read the run directory", path, e)),
        }
        Ok(Self { path: path.into() })
    }

    /// Checks that a run directory can be created: creates it, writes into it, and removes it again.
    ///
    /// # Errors
    /// Those of [`RunDir::create`].
    pub fn probe(path: &Path) -> Result<(), RunDirError> {
        let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
        let file = path.join(format!(".probe-{}", std::process::id()));
        let write = || fs::write(&file, "").map_err(|e| RunDirError::io("write to the run directory", path, e));
        let possible = Self::create(path).and_then(|_| write());
        // Only folders that did not exist before; one into which something else was put meanwhile stays.
        let _ = fs::remove_file(&file);
        for made in missing {
            let _ = fs::remove_dir(made);
        }
        possible
    }

    /// Removes a directory that [`RunDir::create`] created for a run that could not start.
    pub(crate) fn discard(path: &Path) {
        // If something stays, the error names the directory when it is used again.
        let _ = fs::remove_dir_all(path);
    }

    /// Opens an existing run directory.
    ///
    /// # Errors
    /// [`RunDirError::NotARun`] if it contains no configuration.
    pub fn open(path: &Path) -> Result<Self, RunDirError> {
        if path.join(names::CONFIG).is_file() {
            Ok(Self { path: path.into() })
        } else {
            Err(RunDirError::NotARun { path: path.into(), holds: Holds::of(path, names::SEVERAL) })
        }
    }

    /// Opens a run directory if a run was started there. What a process left that was killed before that is removed.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) if it cannot be removed.
    pub fn started(path: &Path) -> Result<Option<Self>, RunDirError> {
        match Self::open(path) {
            Ok(dir) => Ok(Some(dir)),
            Err(_) if path.is_dir() => {
                fs::remove_dir_all(path).map_err(|e| RunDirError::io("remove", path, e))?;
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }

    /// Opens a folder of several run directories.
    ///
    /// # Errors
    /// [`RunDirError::NotARun`] if it is none of this kind.
    pub fn of_several(path: &Path, kind: Holds) -> Result<Self, RunDirError> {
        match Holds::of(path, names::SEVERAL) {
            Some(found) if found == kind => Ok(Self { path: path.into() }),
            holds => Err(RunDirError::NotARun { path: path.into(), holds }),
        }
    }

    /// The path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether a file exists.
    pub fn has(&self, name: &str) -> bool {
        self.file(name).is_file()
    }

    /// Writes a whole file atomically.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunDirError> {
        let path = self.file(name);
        write_atomic(&path, bytes).map_err(|e| RunDirError::io("write", &path, e))
    }

    /// Writes a whole file atomically; the file that was there stays under the name `previous`.
    /// At every moment one of the two exists, if there ever was one.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn write_keeping(&self, name: &str, previous: &str, bytes: &[u8]) -> Result<(), RunDirError> {
        let path = self.file(name);
        let write = || {
            let temporary = TemporaryFile::write(&path, bytes)?;
            match fs::rename(&path, self.file(previous)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            temporary.rename(&path)
        };
        write().map_err(|e| RunDirError::io("write", &path, e))
    }

    /// Writes a value as indented JSON, atomically.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), RunDirError> {
        let mut text =
            serde_json::to_vec_pretty(value).map_err(|e| RunDirError::io("encode", &self.file(name), e.into()))?;
        text.push(b'\n');
        self.write(name, &text)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, RunDirError> {
        let path = self.file(name);
        fs::read(&path).map_err(|e| RunDirError::io("read", &path, e))
    }

    /// Reads a value from a JSON file.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) if the file cannot be read, [`FileError::Corrupt`](dashnas_core::files::FileError::Corrupt) if it is not of this form.
    pub fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RunDirError> {
        serde_json::from_slice(&self.read(name)?).map_err(|e| RunDirError::corrupt(&self.file(name), e.to_string()))
    }

    /// Opens a log for appending lines.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn log(&self, name: &str) -> Result<Log, RunDirError> {
        Ok(Log { path: self.file(name), file: self.append_to(name)? })
    }

    /// Opens a file for appending.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn append_to(&self, name: &str) -> Result<File, RunDirError> {
        let path = self.file(name);
        if path.is_symlink() {
            // A run directory may come from someone else: nothing outside it may be changed.
            return Err(RunDirError::corrupt(&path, "it is a symbolic link"));
        }
        OpenOptions::new().create(true).append(true).open(&path).map_err(|e| RunDirError::io("open", &path, e))
    }

    /// Takes the lock, which one process at a time can hold.
    ///
    /// # Errors
    /// [`RunDirError::Locked`] if another process has it, [`FileError::Io`](dashnas_core::files::FileError::Io) if the file cannot be created.
    pub fn lock(&self) -> Result<Lock, RunDirError> {
        Lock::take(&self.path, names::LOCK)
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
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn append<T: Serialize>(&mut self, value: &T) -> Result<(), RunDirError> {
        let mut line = serde_json::to_vec(value).map_err(|e| RunDirError::io("encode", &self.path, e.into()))?;
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| RunDirError::io("write", &self.path, e))
    }

    /// Waits until the lines so far are on the disk; their length in bytes.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn sync(&self) -> Result<u64, RunDirError> {
        let length = || {
            self.file.sync_data()?;
            Ok(self.file.metadata()?.len())
        };
        length().map_err(|e| RunDirError::io("write", &self.path, e))
    }

    /// Truncates the log to its first `length` bytes.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn cut(&self, length: u64) -> Result<(), RunDirError> {
        let cut = || if self.file.metadata()?.len() > length { self.file.set_len(length) } else { Ok(()) };
        cut().map_err(|e| RunDirError::io("write", &self.path, e))
    }

    /// Truncates the log to its first `lines` lines.
    ///
    /// # Errors
    /// [`FileError::Io`](dashnas_core::files::FileError::Io) with the path.
    pub fn keep_lines(&self, lines: usize) -> Result<(), RunDirError> {
        let bytes = fs::read(&self.path).map_err(|e| RunDirError::io("read", &self.path, e))?;
        let length: usize = bytes.split_inclusive(|&b| b == b'\n').take(lines).map(<[u8]>::len).sum();
        self.cut(length as u64)
    }
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
        assert!(matches!(RunDir::create(dir.path()), Err(RunDirError::Exists { .. })));
        assert!(matches!(RunDir::create(&dir.file("x")), Err(RunDirError::Exists { .. })));
        fs::create_dir(t.path().join("empty")).expect("writable");
        assert!(RunDir::create(&t.path().join("empty")).is_ok());
    }

    #[test]
    fn open_needs_a_configuration() {
        let t = temp();
        assert!(matches!(RunDir::open(t.path()), Err(RunDirError::NotARun { .. })));
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
        assert!(matches!(
            dir.read_json::<Vec<i32>>("v.json"),
            Err(RunDirError::File(dashnas_core::files::FileError::Corrupt { .. }))
        ));
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
