//! The run directory: everything a run knows, in files that people and programs can read.
//!
//! | file | what |
//! |---|---|
//! | `config.toml` | the resolved configuration |
//! | `data.json` | which data was used, with a fingerprint |
//! | `plan.json` | what a time limit was turned into |
//! | `events.jsonl` | what happened, one JSON object a line |
//! | `alpha.jsonl` | the mixing probabilities of every layer, a line an epoch |
//! | `architecture.json` | the searched kernels and the network they make |
//! | `tuning.json` | every trial and the hyperparameters chosen |
//! | `model.dashnas` | the trained model: weights and what is needed to run them |
//! | `baseline.dashnas` | the plain backbone, trained |
//! | `metrics.json` | the outcome |
//! | `evaluation.json` | what was seen on the test split |
//! | `environment.json` | the machine and program |
//! | `status.json` | the step under way, at most a second old |
//! | `report.html` | all of it to look at |
//! | `run.log` | what the program says while it works, in more detail than it prints |
//! | `checkpoint`, `checkpoint.prev` | where the run stands, to go on from ([`crate::checkpoint`]) |
//! | `run.lock` | held by the process that works here |
//!
//! Files other than the logs are written under a temporary name, synced and renamed: a
//! reader sees the old file or the new one, never half of one.

use crate::error::Error;
use serde::{Serialize, de::DeserializeOwned};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// File names inside a run directory.
pub mod names {
    /// The resolved configuration.
    pub const CONFIG: &str = "config.toml";
    /// Which data was used.
    pub const DATA: &str = "data.json";
    /// What a time limit was turned into.
    pub const PLAN: &str = "plan.json";
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
    /// The trained plain backbone.
    pub const BASELINE: &str = "baseline.dashnas";
    /// The outcome.
    pub const METRICS: &str = "metrics.json";
    /// What was seen on the test split.
    pub const EVALUATION: &str = "evaluation.json";
    /// The machine and program.
    pub const ENVIRONMENT: &str = "environment.json";
    /// The step under way.
    pub const STATUS: &str = "status.json";
    /// All of it to look at.
    pub const REPORT: &str = "report.html";
    /// What the program says while it works.
    pub const PROGRAM_LOG: &str = "run.log";
    /// Where the run stands.
    pub const CHECKPOINT: &str = "checkpoint";
    /// Where it stood one checkpoint before.
    pub const CHECKPOINT_PREVIOUS: &str = "checkpoint.prev";
    /// Held by the process at work.
    pub const LOCK: &str = "run.lock";
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

    /// Finds out whether a run directory could be made: does so, writes into it, and takes it away again.
    ///
    /// # Errors
    /// As [`RunDir::create`].
    pub fn probe(path: &Path) -> Result<(), Error> {
        let missing: Vec<&Path> = path.ancestors().take_while(|p| !p.as_os_str().is_empty() && !p.exists()).collect();
        let file = path.join(format!(".probe-{}", std::process::id()));
        let write = || fs::write(&file, "").map_err(|e| Error::io("write to the run directory", path, e));
        let possible = Self::create(path).and_then(|_| write());
        // What was not there before; a folder that something else was put into meanwhile stays.
        let _ = fs::remove_file(&file);
        for made in missing {
            let _ = fs::remove_dir(made);
        }
        possible
    }

    /// Removes a directory that [`RunDir::create`] made for a run that did not begin.
    pub(crate) fn discard(path: &Path) {
        // Whatever stays is refused by name when the directory is to be used again.
        let _ = fs::remove_dir_all(path);
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

    /// Writes a whole file atomically; the one that was there stays under the name `previous`.
    /// At every moment one of the two is there, if there ever was one.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn write_keeping(&self, name: &str, previous: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.file(name);
        let write = || {
            let temporary = Temporary::write(&path, bytes)?;
            match fs::rename(&path, self.file(previous)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            temporary.rename(&path)
        };
        write().map_err(|e| Error::io("write", &path, e))
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
        Ok(Log { path: self.file(name), file: self.append_to(name)? })
    }

    /// Opens a file for appending.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn append_to(&self, name: &str) -> Result<File, Error> {
        let path = self.file(name);
        if path.is_symlink() {
            // A run directory may come from someone else: appending must not reach out of it.
            return Err(Error::Corrupt { path, reason: "it is a symbolic link".into() });
        }
        OpenOptions::new().create(true).append(true).open(&path).map_err(|e| Error::io("open", &path, e))
    }

    /// Takes the lock that one process at a time holds. It is released when the value is dropped
    /// or the process ends, however it ends.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process has it, [`Error::Io`] if the file cannot be made.
    pub fn lock(&self) -> Result<Lock, Error> {
        let path = self.file(names::LOCK);
        if path.is_symlink() {
            // As for the logs: the number written below must not overwrite a file elsewhere.
            return Err(Error::Corrupt { path, reason: "it is a symbolic link".into() });
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|e| Error::io("open", &path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let process = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(Error::Locked { path: self.path.clone(), process });
            }
            Err(TryLockError::Error(e)) => {
                // Some network file systems have no locks; a run there is the user's to keep apart.
                tracing::warn!("{} cannot be locked ({e}): run only one process in it", path.display());
            }
        }
        // Only for the message above; the lock holds without it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Lock { _file: file })
    }
}

/// That no other process works in a run directory.
#[derive(Debug)]
pub struct Lock {
    _file: File,
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

    /// Has the lines so far on disk, and returns their length in bytes.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn sync(&self) -> Result<u64, Error> {
        let length = || {
            self.file.sync_data()?;
            Ok(self.file.metadata()?.len())
        };
        length().map_err(|e| Error::io("write", &self.path, e))
    }

    /// Cuts off what comes after the first `length` bytes.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn cut(&self, length: u64) -> Result<(), Error> {
        let cut = || if self.file.metadata()?.len() > length { self.file.set_len(length) } else { Ok(()) };
        cut().map_err(|e| Error::io("write", &self.path, e))
    }

    /// Cuts off what comes after the first `lines` lines.
    ///
    /// # Errors
    /// [`Error::Io`] with the path.
    pub fn keep_lines(&self, lines: usize) -> Result<(), Error> {
        let bytes = fs::read(&self.path).map_err(|e| Error::io("read", &self.path, e))?;
        let length: usize = bytes.split_inclusive(|&b| b == b'\n').take(lines).map(<[u8]>::len).sum();
        self.cut(length as u64)
    }
}

/// Writes under a temporary name in the same directory, syncs, renames over the target, and
/// syncs the directory so that the name survives a power cut too.
///
/// # Errors
/// What the file system says.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Temporary::write(path, bytes)?.rename(path)
}

/// A whole, synced file under a temporary name, removed unless it is renamed.
struct Temporary(Option<PathBuf>);

impl Temporary {
    fn write(target: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(".tmp");
        let path = target.with_file_name(name);
        // One that a killed process left, or a link that leads elsewhere.
        let _ = fs::remove_file(&path);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        // From here on whatever fails leaves nothing half-written behind.
        let temporary = Self(Some(path));
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, target)?;
            self.0 = None;
        }
        #[cfg(unix)]
        if let Some(parent) = target.parent() {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // The failure that led here is the one reported.
            let _ = fs::remove_file(path);
        }
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
