//! The libraries that read a file: `hdf5-pure`, and that of the HDF Group for what `hdf5-pure` does not support, where
//! the program was built with it.

use crate::hdf5::error::{is_missing_part, is_unsupported};
#[cfg(feature = "hdf5")]
use crate::hdf5::library::Library;
use crate::hdf5::links::Links;
use crate::hdf5::list::{self, Entry};
use crate::hdf5::pure::Pure;
use crate::hdf5::source::Source;
use std::path::{Path, PathBuf};

/// The libraries that have opened a file.
pub(super) struct Libraries {
    path: PathBuf,
    pure: Option<Pure>,
    library: Opening,
}

/// The library of the HDF Group, which opens a file only when it is needed.
enum Opening {
    Untried,
    Open(Box<dyn Source>),
    Failed,
}

impl Libraries {
    /// Opens a file that has these links, and lists its arrays.
    ///
    /// # Errors
    /// The error of `hdf5-pure`, if the other library does not read the file either.
    pub fn open(path: &Path, file: std::fs::File, links: &Links, matlab: bool) -> Result<(Self, Vec<Entry>), String> {
        let mut this = Self { path: path.into(), pure: None, library: Opening::Untried };
        let listed = Pure::open(path, file, links).and_then(|pure| {
            let entries = list::visit(&pure, matlab)?;
            this.pure = Some(pure);
            Ok(entries)
        });
        let mut entries = match listed {
            Ok(entries) => entries,
            Err(text) if !is_unsupported(&text) => return Err(text),
            Err(text) => return this.list_by_library(matlab).map(|entries| (this, entries)).ok_or(text),
        };
        entries.extend(links.to_other_files());
        if entries.iter().any(|entry| entry.unsupported)
            && let Some(found) = this.list_by_library(matlab)
        {
            entries = entries.into_iter().flat_map(|entry| supported(entry, &found)).collect();
        }
        Ok((this, entries))
    }

    /// Opens a file by the library of the HDF Group alone, and lists its arrays. Returns `None` if the program was built
    /// without the library, or if it does not read the file.
    pub fn open_by_library(path: &Path, matlab: bool) -> Option<(Self, Vec<Entry>)> {
        let mut this = Self { path: path.into(), pure: None, library: Opening::Untried };
        this.list_by_library(matlab).map(|entries| (this, entries))
    }

    /// Lists the arrays that the library of the HDF Group finds.
    fn list_by_library(&mut self, matlab: bool) -> Option<Vec<Entry>> {
        let entries = list::visit(self.library()?, matlab).ok()?;
        Some(entries.into_iter().map(|entry| Entry { by_library: true, ..entry }).collect())
    }

    /// The library of the HDF Group, if there is one and it has opened the file.
    fn library(&mut self) -> Option<&dyn Source> {
        if matches!(self.library, Opening::Untried) {
            self.library = match by_library(&self.path) {
                Some(source) => Opening::Open(source),
                None => Opening::Failed,
            };
        }
        match &self.library {
            Opening::Open(source) => Some(&**source),
            _ => None,
        }
    }

    /// The library that has listed the file.
    pub fn first(&mut self) -> Option<&dyn Source> {
        if self.pure.is_some() { self.pure.as_ref().map(|pure| pure as &dyn Source) } else { self.library() }
    }

    /// Reads something of an array, by the other library if `hdf5-pure` does not support it; the entry then says so.
    ///
    /// # Errors
    /// The error of `hdf5-pure` if it has one, because it names what is not supported, unless values are missing.
    pub fn read<T>(&mut self, entry: &mut Entry, read: impl Fn(&dyn Source) -> Result<T, String>) -> Result<T, String> {
        let text = match &self.pure {
            Some(pure) if !entry.by_library => match read(pure) {
                Ok(value) => return Ok(value),
                Err(text) if !is_unsupported(&text) => return Err(text),
                Err(text) => Some(text),
            },
            _ => None,
        };
        let read = self.library().map(read).unwrap_or_else(|| Err("it cannot be opened".into()));
        entry.by_library |= read.is_ok();
        read.map_err(|of_library| match text {
            Some(text) if !is_missing_part(&of_library) => text,
            _ => of_library,
        })
    }
}

/// Replaces an array that `hdf5-pure` does not support by those that the other library finds in its place: the same
/// array, or those in a group. An array that this library refuses for what it has found in it is refused so.
fn supported(entry: Entry, found: &[Entry]) -> Vec<Entry> {
    if !entry.unsupported {
        return vec![entry];
    }
    let inside = format!("{}/", entry.path);
    let is_known = |other: &&Entry| other.info.refused.is_none() || !(other.unsupported || other.failed);
    let fits = |other: &&Entry| other.path == entry.path || other.path.starts_with(&inside);
    let better: Vec<Entry> = found.iter().filter(fits).filter(is_known).cloned().collect();
    if better.is_empty() { vec![entry] } else { better }
}

/// Opens a file by the library of the HDF Group.
#[cfg(feature = "hdf5")]
fn by_library(path: &Path) -> Option<Box<dyn Source>> {
    Some(Box::new(Library::open(path).ok()?))
}

/// The name of the library of the HDF Group, and its version.
#[cfg(feature = "hdf5")]
pub(super) fn library_name() -> String {
    let (major, minor, patch) = hdf5_metno::library_version();
    format!("the HDF5 library {major}.{minor}.{patch}")
}

/// The program was built without it.
#[cfg(not(feature = "hdf5"))]
fn by_library(_: &Path) -> Option<Box<dyn Source>> {
    None
}

/// The program was built without it.
#[cfg(not(feature = "hdf5"))]
pub(super) fn library_name() -> String {
    "the HDF5 library".into()
}
