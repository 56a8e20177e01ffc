//! The lock of a directory in which one process at a time may work.

use crate::run_dir::error::RunDirError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

/// The lock of a directory: no other process works in it. It is released when the value is dropped or the process ends,
/// even if it is killed.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of an existing directory, by a file in it.
    ///
    /// # Errors
    /// [`RunDirError::Locked`] if another process has it, [`FileError::Io`](dashnas_core::files::FileError::Io) if the
    /// file cannot be created, and [`FileError::Corrupt`](dashnas_core::files::FileError::Corrupt) if it is a link.
    pub(crate) fn take(directory: &Path, name: &str) -> Result<Self, RunDirError> {
        let path = directory.join(name);
        if path.is_symlink() {
            // The directory may come from someone else: the process ID written below must not overwrite a file elsewhere.
            return Err(RunDirError::corrupt(&path, "it is a symbolic link"));
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|e| RunDirError::io("open", &path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let process = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(RunDirError::Locked { path: directory.into(), process });
            }
            Err(TryLockError::Error(e)) => {
                // Some network file systems have no locks; there the user must see to it.
                tracing::warn!("cannot lock {} ({e}): make sure that only one process uses it", path.display());
            }
        }
        // The process ID only serves the message above; the lock does not depend on it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_once_and_names_its_process() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let take = || Lock::take(folder.path(), "x.lock");
        let first = take().expect("it is free");
        let refused = take().expect_err("it is held").to_string();
        assert!(refused.ends_with(&format!("is in use by process {}", std::process::id())), "{refused}");
        drop(first);
        assert!(take().is_ok());
    }
}
