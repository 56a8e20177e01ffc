//! The facts about a path by which a reader is chosen; each is determined once.

use crate::content::{PREFIX, content_of};
use crate::error::DataError;
use crate::naming::extension;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Deepest folder that is searched.
const MAX_DEPTH: usize = 6;
/// Most files in a folder.
const MAX_FILES: usize = 5_000_000;

/// A file with its extension and its first bytes.
#[derive(Debug, Clone)]
pub(crate) struct FileProbe {
    pub path: PathBuf,
    /// The extension in lower case, without a `.gz` after it.
    pub extension: String,
    /// The first bytes.
    pub prefix: Vec<u8>,
    /// The kind of content that the first bytes show, with its article, if it is a known one.
    pub content: Option<&'static str>,
}

impl FileProbe {
    /// Reads the first bytes of a file.
    ///
    /// # Errors
    /// [`DataError`] if the file cannot be read or is empty.
    pub fn new(path: &Path) -> Result<Self, DataError> {
        let mut prefix = Vec::new();
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        file.take(PREFIX as u64).read_to_end(&mut prefix).map_err(|e| DataError::io(path, e))?;
        if prefix.is_empty() {
            return Err(DataError::empty_file(path));
        }
        let content = content_of(&prefix);
        Ok(Self { path: path.into(), extension: extension(path), prefix, content })
    }
}

/// Folders that programs leave beside the data.
const LEFT_BEHIND: [&str; 2] = ["__MACOSX", "__pycache__"];

/// A folder with the files in it. Files and folders whose names begin with `.` are left out, as are folders that
/// programs leave behind.
#[derive(Debug, Clone)]
pub(crate) struct FolderProbe {
    pub path: PathBuf,
    /// All files in it and in the folders in it, sorted.
    pub all: Vec<PathBuf>,
    /// The files that are not in further folders.
    pub direct: Vec<PathBuf>,
    /// Folders that lie too deep to be searched.
    pub too_deep: Vec<PathBuf>,
    /// Folders without files in them.
    pub empty: Vec<PathBuf>,
}

impl FolderProbe {
    /// Lists the files in a folder.
    ///
    /// # Errors
    /// [`DataError`] if a folder cannot be read, if there are no files, or if there are too many.
    pub fn new(path: &Path) -> Result<Self, DataError> {
        let (mut all, mut too_deep, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        list(path, 0, &mut all, &mut too_deep, &mut empty)?;
        if all.is_empty() {
            return Err(DataError::file(path, "the folder is empty"));
        }
        let direct = all.iter().filter(|p| p.parent() == Some(path)).cloned().collect();
        Ok(Self { path: path.into(), all, direct, too_deep, empty })
    }

    /// The files for which a test holds, also those in further folders.
    pub fn matching(&self, test: fn(&Path) -> bool) -> Vec<PathBuf> {
        self.all.iter().filter(|p| test(p)).cloned().collect()
    }

    /// The files with one of these extensions that are not in further folders.
    pub fn direct_with(&self, extensions: &[&str]) -> Vec<PathBuf> {
        self.direct.iter().filter(|p| extensions.contains(&extension(p).as_str())).cloned().collect()
    }
}

/// Appends the files in a folder and in the folders in it, the folders that are not searched, and those without files.
fn list(
    folder: &Path,
    depth: usize,
    files: &mut Vec<PathBuf>,
    too_deep: &mut Vec<PathBuf>,
    empty: &mut Vec<PathBuf>,
) -> Result<(), DataError> {
    let entries = fs::read_dir(folder).map_err(|e| DataError::io(folder, e))?;
    let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|e| e.path())).collect();
    let mut paths = paths.map_err(|e| DataError::io(folder, e))?;
    let left_out = |name: &str| name.starts_with('.') || LEFT_BEHIND.contains(&name);
    paths.retain(|p| !p.file_name().and_then(|n| n.to_str()).is_some_and(left_out));
    paths.sort();
    for path in paths {
        if path.is_dir() {
            if depth < MAX_DEPTH {
                let before = files.len() + too_deep.len();
                list(&path, depth + 1, files, too_deep, empty)?;
                if files.len() + too_deep.len() == before {
                    empty.push(path);
                }
            } else {
                too_deep.push(path);
            }
        } else {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(DataError::file(folder, "the folder holds too many files"));
        }
    }
    Ok(())
}
