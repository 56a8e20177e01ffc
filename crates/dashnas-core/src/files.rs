//! Files that are written whole or not at all, and the errors of reading and writing files.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A failure to read, write or understand a file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb: `read`, `write`, `make the run directory`.
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{} is damaged or of another version: {reason}", path.display())]
    Corrupt {
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
}

impl FileError {
    /// A failure of the file system.
    pub fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        FileError::Io { action, path: path.into(), source }
    }

    /// A file that does not hold what it should.
    pub fn corrupt(path: &Path, reason: impl Into<String>) -> Self {
        FileError::Corrupt { path: path.into(), reason: reason.into() }
    }
}

/// Writes a file whole or not at all: writes it under a temporary name in the same directory, syncs it, renames it
/// over the target, and syncs the directory, so that the name survives a power cut too.
///
/// # Errors
/// The first error of the file system; the target is then as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    TemporaryFile::write(path, bytes)?.rename(path)
}

/// A whole, synced file under a temporary name, which is removed when this is dropped unless it was renamed.
pub struct TemporaryFile(Option<PathBuf>);

impl TemporaryFile {
    /// Writes and syncs a file beside `target`, with `.tmp` added to its name.
    ///
    /// # Errors
    /// The first error of the file system; nothing is left of the file then.
    pub fn write(target: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(".tmp");
        let path = target.with_file_name(name);
        // A killed process may have left one, and it may be a link that leads elsewhere.
        let _ = fs::remove_file(&path);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        // Dropping this removes the file if anything fails from here on.
        let temporary = Self(Some(path));
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// Gives the file its name, in place of a file that had it before, and syncs the directory.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn rename(mut self, target: &Path) -> io::Result<()> {
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

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // The error that led here is the one to report.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").file_name());
        entries.map(|name| name.into_string().expect("UTF-8")).collect()
    }

    #[test]
    fn writes_replace_whole_files_and_leave_no_temporary() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let path = folder.path().join("v.json");
        write_atomic(&path, b"[1, 2, 3]").expect("writable");
        write_atomic(&path, b"[4]").expect("writable");
        assert_eq!(fs::read(&path).expect("readable"), b"[4]");
        assert_eq!(names(folder.path()), ["v.json"]);
    }

    #[test]
    fn a_file_that_is_not_renamed_is_removed() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let path = folder.path().join("v");
        // A killed process has left one.
        fs::write(folder.path().join("v.tmp"), "old").expect("writable");
        let temporary = TemporaryFile::write(&path, b"new").expect("writable");
        assert_eq!(fs::read(folder.path().join("v.tmp")).expect("readable"), b"new");
        drop(temporary);
        assert!(names(folder.path()).is_empty());
        // A folder in the place of the target.
        fs::create_dir_all(path.join("full")).expect("writable");
        assert!(write_atomic(&path, b"new").is_err());
        assert_eq!(names(folder.path()), ["v"]);
    }
}
