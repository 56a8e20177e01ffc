//! The names by which a table gives files.

use crate::error::{DataError, Location};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Files by the names that a table may give them: with or without the extension, and with as many of their folders as
/// the table gives. Upper and lower case are the same.
pub(crate) struct Names<'a>(HashMap<String, Vec<&'a PathBuf>>);

/// Splits a path into the names of its folders and file, in lower case.
fn components(path: &str) -> Vec<String> {
    path.split(['/', '\\']).filter(|name| !matches!(*name, "" | ".")).map(str::to_lowercase).collect()
}

impl<'a> Names<'a> {
    /// The names of these files.
    pub fn of(files: &'a [PathBuf]) -> Self {
        let mut names: HashMap<String, Vec<&PathBuf>> = HashMap::new();
        for file in files {
            let name = |n: Option<&std::ffi::OsStr>| n.and_then(|n| n.to_str()).unwrap_or("").to_lowercase();
            let (full, stem) = (name(file.file_name()), name(file.file_stem()));
            if stem != full {
                names.entry(stem).or_default().push(file);
            }
            names.entry(full).or_default().push(file);
        }
        Self(names)
    }

    /// Returns the only file that a name in a line of the table means.
    ///
    /// # Errors
    /// [`DataError::File`] with the line, if it means none or several.
    pub fn only(&self, path: &Path, line: usize, name: &str) -> Result<&'a PathBuf, DataError> {
        let (reason, hint) = match self.find(name)[..] {
            [file] => return Ok(file),
            [] => {
                (format!("it names `{name}`, but there is no such file beside it"), "remove the row, or get the file")
            }
            [one, other, ..] => {
                let (one, other) = (one.display(), other.display());
                (
                    format!("it names `{name}`, which matches both {one} and {other}"),
                    "name files with their folders and their extensions, such as folder/file.png",
                )
            }
        };
        Err(DataError::at(path, Location::Line(line), reason).with_hint(hint))
    }

    /// Returns the files that a name in the table could mean.
    pub fn find(&self, value: &str) -> Vec<&'a PathBuf> {
        let wanted = components(value);
        let found = wanted.last().and_then(|name| self.0.get(name)).map_or(&[][..], Vec::as_slice);
        if found.len() < 2 {
            return found.to_vec();
        }
        // The folders tell which it is, and a name with its extension goes before one without.
        let inside = |file: &&&PathBuf| {
            let folders = file.parent().and_then(Path::to_str).map(components).unwrap_or_default();
            folders.ends_with(&wanted[..wanted.len() - 1])
        };
        let inside: Vec<&PathBuf> = found.iter().filter(inside).copied().collect();
        let has_full_name = |file: &&PathBuf| {
            let name = file.file_name().and_then(|n| n.to_str()).unwrap_or("").to_lowercase();
            wanted.last() == Some(&name)
        };
        let exact: Vec<&PathBuf> = inside.iter().copied().filter(has_full_name).collect();
        if exact.is_empty() { inside } else { exact }
    }

    /// Returns whether a cell names a file. A number, such as that of a class, may be the name of several files without
    /// their extensions.
    pub fn names(&self, cell: &str) -> bool {
        match self.find(cell).len() {
            0 => false,
            1 => true,
            _ => cell.contains(['.', '/', '\\']),
        }
    }
}
