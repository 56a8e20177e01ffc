//! Training samples among new ones, which are recognized by the names that `split.json` of a run gives.

use crate::error::Error;
use crate::record::split::SplitGroups;
use crate::run_dir::dir::RunDir;
use crate::run_dir::names;
use dashnas_data::groups::{GroupKind, distinct_names};
use dashnas_data::labeled::LabeledInputs;
use dashnas_formats::places::recording_of_window;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

/// Most names that are given.
const NAMED: usize = 10;

/// What `split.json` of a run says of the samples that it was trained on, or on which its settings were chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrainedOn {
    /// The file or folder of the data of the run, if it is there.
    source: Option<PathBuf>,
    /// The names of samples: files, or headers of sequences.
    samples: HashSet<String>,
    /// The names of the recordings that windows were cut from.
    recordings: HashSet<String>,
    /// The files that samples were read from, if they are there.
    files: HashSet<PathBuf>,
    /// The names of the groups.
    groups: HashSet<String>,
}

/// New samples that have the names of training samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// What they are.
    pub are: SeenKind,
    /// How many of them there are.
    pub number: usize,
    /// How many the new data has in all.
    pub of: usize,
    /// The names of the first 10 of them.
    pub names: Vec<String>,
    /// Whether they are surely the same, because they lie where those of the training lay. Otherwise other ones may have the
    /// same names.
    pub same_files: bool,
}

/// What was recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeenKind {
    /// Samples that are files of their own, or that have a header.
    Samples,
    /// Recordings that windows were cut from.
    Recordings,
    /// Files with several samples.
    Files,
    /// Groups, such as persons.
    Groups,
}

impl SeenKind {
    /// One of them.
    pub fn noun(self) -> &'static str {
        match self {
            SeenKind::Samples => "sample",
            SeenKind::Recordings => "recording",
            SeenKind::Files => "file",
            SeenKind::Groups => "group",
        }
    }
}

/// The parts of `split.json` that hold names.
#[derive(Deserialize)]
struct Record {
    source: String,
    #[serde(default)]
    groups: Option<SplitGroups>,
    train: Vec<Place>,
    #[serde(default)]
    validation: Option<Vec<Place>>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    names: Vec<String>,
}

/// A path without links, if there is something.
fn real(path: impl AsRef<Path>) -> Option<PathBuf> {
    path.as_ref().canonicalize().ok()
}

/// A file of the data at `source`. Its name may be relative to the directory in which the run was started, which is not known:
/// what follows the path of the data is looked for there.
fn located(source: &Path, file: &Path) -> Option<PathBuf> {
    if file.is_absolute() {
        return real(file);
    }
    let folder = if source.is_dir() { source } else { source.parent()? };
    let parts: Vec<Component<'_>> = file.components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let inside = (0..parts.len()).find_map(|from| real(folder.join(parts[from..].iter().collect::<PathBuf>())));
    // The data itself may be one file, or a folder that is read as one.
    let whole = || parts.last().is_none_or(|last| source.file_name() == Some(last.as_os_str()));
    inside.or_else(|| whole().then(|| source.to_owned()))
}

/// Different names, in the order of their first appearance.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    distinct_names(names).into_iter().map(str::to_owned).collect()
}

impl TrainedOn {
    /// Reads what a run directory says; nothing in the directories of versions that did not list the samples.
    ///
    /// # Errors
    /// [`Error::File`] if the file cannot be read.
    pub fn read(dir: &RunDir) -> Result<Self, Error> {
        if !dir.has(names::SPLIT) {
            return Ok(Self::default());
        }
        let record: Record = dir.read_json(names::SPLIT)?;
        let mut found = Self { source: real(&record.source), ..Self::default() };
        for place in record.train.into_iter().chain(record.validation.into_iter().flatten()) {
            found.files.extend(place.file.and_then(|file| located(found.source.as_deref()?, Path::new(&file))));
            for name in place.names {
                match recording_of_window(&name) {
                    Some(recording) => found.recordings.insert(recording.to_owned()),
                    None => found.samples.insert(name),
                };
            }
        }
        let groups = record.groups.into_iter().filter(|groups| groups.are == GroupKind::Groups);
        found.groups = groups.flat_map(|groups| groups.train.into_iter().chain(groups.validation)).collect();
        Ok(found)
    }

    /// Whether the training samples had groups.
    pub fn has_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The samples, recordings, files and groups of new data that were trained on, by their names.
    pub fn among(&self, data: &Path, new: &LabeledInputs) -> Vec<Seen> {
        // Names in a folder inside that of the training data lack the path from there.
        let inside = self.inside(data);
        let of_files = |are, known: &HashSet<String>, names: Vec<String>| {
            let there = |name: &&String| inside.as_ref().is_some_and(|path| known.contains(&format!("{path}{name}")));
            let same: Vec<&String> = names.iter().filter(there).collect();
            match same.is_empty() {
                false => Self::seen(are, true, names.len(), same),
                true => {
                    Self::seen(are, false, names.len(), names.iter().filter(|name| known.contains(*name)).collect())
                }
            }
        };
        let mut found = Vec::new();
        match (&new.windows, &new.ids) {
            (Some(windows), _) => {
                let used = windows.splits.iter().flatten().map(|place| &*windows.recordings[place.recording].name);
                found.push(of_files(SeenKind::Recordings, &self.recordings, distinct(used)));
            }
            (None, Some(ids)) => {
                let all = distinct(ids.iter().map(String::as_str));
                found.push(of_files(SeenKind::Samples, &self.samples, all));
            }
            // The test rows of a file are no training rows.
            (None, None) if new.chosen.is_some() => {}
            (None, None) => {
                let files = distinct(new.origin.files.iter().map(String::as_str));
                let known = |name: &&String| real(name).is_some_and(|path| self.files.contains(&path));
                found.push(Self::seen(SeenKind::Files, true, files.len(), files.iter().filter(known).collect()));
            }
        }
        let mut found: Vec<Seen> = found.into_iter().flatten().collect();
        if let Some(groups) = new.groups.as_ref().filter(|groups| groups.are == GroupKind::Groups) {
            let all = distinct(groups.names.iter().map(String::as_str));
            let known = all.iter().filter(|name| self.groups.contains(*name)).collect();
            let groups = Self::seen(SeenKind::Groups, inside.is_some(), all.len(), known);
            // Each recording may be a group by itself.
            let said = |groups: &Seen| found.iter().any(|seen| (seen.of, &seen.names) == (groups.of, &groups.names));
            let groups = groups.filter(|groups| !said(groups));
            found.extend(groups);
        }
        found
    }

    /// The path from the folder of the training data to new data inside it, with a `/` at its end unless it is empty; `None`
    /// for data elsewhere. Files are named by the folder that they lie in.
    fn inside(&self, data: &Path) -> Option<String> {
        let data = real(data)?;
        if self.source.as_ref() == Some(&data) {
            return Some(String::new());
        }
        let folder = if data.is_dir() { &*data } else { data.parent()? };
        let path = folder.strip_prefix(self.source.as_ref()?).ok()?;
        Some(path.components().map(|part| part.as_os_str().to_string_lossy().into_owned() + "/").collect())
    }

    fn seen(are: SeenKind, same_files: bool, of: usize, known: Vec<&String>) -> Option<Seen> {
        let names = known.iter().take(NAMED).map(|name| (*name).clone()).collect();
        (!known.is_empty()).then_some(Seen { are, number: known.len(), of, names, same_files })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_found_at_the_data_and_not_in_the_current_directory() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("set/more")).expect("writable");
        for file in ["set/a.csv", "set/more/b.csv", "c.csv"] {
            fs::write(at(file), "").expect("writable");
        }
        let found = |source: &str, file: &str| located(&at(source), Path::new(file));
        assert_eq!(found("set", "../set/a.csv"), real(at("set/a.csv")));
        assert_eq!(found("set", "set/more/b.csv"), real(at("set/more/b.csv")));
        assert_eq!(found("c.csv", "here/c.csv"), real(at("c.csv")));
        assert_eq!(found("set", at("c.csv").to_str().expect("a text")), real(at("c.csv")));
        assert_eq!((found("set", "../set"), found("set", ".")), (Some(at("set")), Some(at("set"))));
        // The tests run in the folder of the crate, which has one.
        assert_eq!(found("set", "Cargo.toml"), None);
    }
}
