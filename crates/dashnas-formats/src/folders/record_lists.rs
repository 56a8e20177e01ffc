//! Lists of records, as PhysioNet has them: `RECORDS` names the records of a folder, `RECORDS-normal` those of a class.

use crate::bytes::text;
use crate::error::{DataError, Location};
use crate::probe::FolderProbe;
use dashnas_core::text::plural;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// Largest list.
const LIST_BYTES: u64 = 64 << 20;

/// The records of a folder with their labels.
pub(super) struct Labeled {
    pub records: Vec<(PathBuf, String)>,
    /// Where the labels are from, for people.
    pub note: Vec<String>,
}

/// Returns whether a file is a list of records, by its name.
pub(super) fn is_list(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "RECORDS") || class_of(path).is_some()
}

/// Returns the class of a list, by its name.
fn class_of(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?.strip_prefix("RECORDS")?;
    name.strip_prefix(['-', '_']).filter(|class| !class.is_empty())
}

/// Finds the labels of records: in lists of the records of each class, or in the headers of all of them, where
/// `in_header` finds them.
///
/// # Errors
/// [`DataError::File`] with the line of a list that names a record that is not there or has another class already.
pub(super) fn labels(
    folder: &FolderProbe,
    files: &[PathBuf],
    in_header: fn(&Path) -> Result<Option<String>, DataError>,
) -> Result<Option<Labeled>, DataError> {
    let lists: Vec<(&PathBuf, &str)> = folder.direct.iter().filter_map(|p| Some((p, class_of(p)?))).collect();
    if lists.is_empty() {
        let labels: Vec<Option<String>> = files.iter().map(|file| in_header(file)).collect::<Result<_, _>>()?;
        let labels: Option<Vec<String>> = labels.into_iter().collect();
        let note = vec!["the labels are in the headers of the records".into()];
        return Ok(labels.map(|l| Labeled { records: files.iter().cloned().zip(l).collect(), note }));
    }
    let known: HashMap<PathBuf, &PathBuf> = files.iter().map(|file| (file.with_extension(""), file)).collect();
    let mut found: BTreeMap<&PathBuf, &str> = BTreeMap::new();
    for (list, class) in &lists {
        for (i, line) in text(list, LIST_BYTES)?.lines().enumerate() {
            let name = line.trim();
            if name.is_empty() {
                continue;
            }
            let bad = |reason: String| DataError::at(list, Location::Line(i + 1), reason);
            let record = known.get(&folder.path.join(name));
            let record = record.ok_or_else(|| bad(format!("it names the record `{name}`, which is not there")))?;
            if let Some(other) = found.insert(record, class).filter(|other| other != class) {
                return Err(bad(format!("it names the record `{name}`, which is in the list of `{other}` as well")));
            }
        }
    }
    let mut note = vec!["the labels are the names of the lists of records (RECORDS-…)".to_owned()];
    if found.len() < files.len() {
        note.push(format!("{} left out: in no list of records", plural(files.len() - found.len(), "record")));
    }
    let records = found.into_iter().map(|(file, class)| (file.clone(), class.to_owned())).collect();
    Ok(Some(Labeled { records, note }))
}
