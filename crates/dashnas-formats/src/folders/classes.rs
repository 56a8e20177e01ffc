//! The splits and the classes that the names of folders tell.

use crate::error::DataError;
use crate::folders::paths::{folders_between, relative};
use crate::options::ReadOptions;
use crate::role::Role;
use crate::series::values;
use crate::text::excerpt;
use dashnas_core::names::TaskName;
use dashnas_core::text::plural;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The split and the class of a file by the folders that it is in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ByFolder {
    pub role: Role,
    pub label: Option<String>,
}

/// What the folders tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FolderNames {
    /// For each file, in order.
    pub files: Vec<ByFolder>,
    /// The decisions that were made, for people.
    pub notes: Vec<String>,
}

/// Returns the split that a folder of this name stands for.
fn role(name: &str) -> Option<Role> {
    Role::of_word(name).filter(|_| name.len() > 2)
}

/// What the folders with the name of a split are, by the folders that they are in.
#[derive(Debug, Default)]
struct Beside {
    /// Folders named like splits, and whether all their files lie in them directly.
    splits: BTreeMap<String, bool>,
    /// Folders with other names.
    others: BTreeSet<String>,
}

/// Takes the names of folders for splits and classes. The class is the innermost folder. With `labeled`, files must
/// have classes.
///
/// # Errors
/// [`DataError::File`] if it is not clear whether a folder is a split or a class.
pub(super) fn of_folders(root: &Path, files: &[PathBuf], labeled: bool) -> Result<FolderNames, DataError> {
    let steps: Vec<Vec<String>> = files.iter().map(|file| folders_between(root, file)).collect();
    let depth = steps.iter().map(Vec::len).min().unwrap_or(0);
    // Where all folders of one level are splits, those of other levels are not, whatever their names.
    let level = (0..depth).find(|&level| steps.iter().all(|s| role(&s[level]).is_some()));
    let mut beside: BTreeMap<Vec<String>, Beside> = BTreeMap::new();
    if level.is_none() {
        for (place, name) in steps.iter().flat_map(|s| (0..s.len()).map(move |i| (&s[..=i], &s[i]))) {
            let found = beside.entry(place[..place.len() - 1].to_vec()).or_default();
            if role(name).is_none() {
                found.others.insert(name.clone());
            }
        }
        for s in &steps {
            if let Some(i) = s.iter().position(|name| role(name).is_some()) {
                let direct = beside.entry(s[..i].to_vec()).or_default().splits.entry(s[i].clone()).or_insert(true);
                *direct &= s.len() == i + 1;
            }
        }
    }
    let mut notes = Vec::new();
    let mut classes: BTreeSet<(Vec<String>, String)> = BTreeSet::new();
    for (folder, beside) in &beside {
        for (name, _) in beside.splits.iter().filter(|(_, direct)| **direct && !beside.others.is_empty()) {
            let others = beside.others.iter().map(|n| format!("`{n}`")).take(3).collect::<Vec<_>>().join(", ");
            if beside.splits.len() == 1 && role(name) == Some(Role::Train) {
                notes.push(format!("`{name}` is taken for a class, not for a split, because it lies beside {others}"));
                classes.insert((folder.clone(), name.clone()));
            } else if labeled {
                let place = folder.iter().fold(root.to_path_buf(), |path, name| path.join(name)).join(name);
                let reason = format!(
                    "the folder is taken for a split by its name, but its files have no class, and it lies beside \
                     {others}"
                );
                let hint = format!(
                    "put the files of each class into a folder in `{name}`, or rename the folder if it is a class"
                );
                return Err(DataError::file(&place, reason).with_hint(hint));
            }
        }
    }
    let is_class = |s: &[String], i: usize| classes.contains(&(s[..i].to_vec(), s[i].clone()));
    let found: Vec<(ByFolder, usize)> = steps
        .into_iter()
        .map(|mut s| {
            let at = level.or_else(|| s.iter().position(|name| role(name).is_some()).filter(|&i| !is_class(&s, i)));
            let role = at.and_then(|i| role(&s.remove(i))).unwrap_or(Role::All);
            let label = s.pop();
            (ByFolder { role, label }, s.len())
        })
        .collect();
    if let Some((file, _)) = files.iter().zip(&found).find(|(_, (_, above))| *above > 0) {
        let label = file.parent().and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
        notes.push(format!(
            "folders are nested: the class is the innermost one, such as `{}`",
            label.unwrap_or_default()
        ));
    }
    let files_by: Vec<ByFolder> = found.into_iter().map(|(by, _)| by).collect();
    let outside = || files_by.iter().position(|f| f.role == Role::All);
    if labeled
        && files_by.iter().any(|f| f.role == Role::Train)
        && let Some(i) = outside()
    {
        let reason = "it is in no split, though other files are in a folder of training samples";
        return Err(DataError::file(&files[i], reason).with_hint("move it into the folder of a split, or remove it"));
    }
    Ok(FolderNames { files: files_by, notes })
}

/// What is said of the labels in a table of files that lie in several folders, whose names may be classes as well.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// The table has other labels than the folders.
    Note(String),
    /// The table and the folders have labels in common, and disagree on some files.
    Warning(String),
}

/// Compares the labels that a table of this name gives files with the folders that they are in.
pub(super) fn beside_table(
    root: &Path,
    table: &str,
    files: &[PathBuf],
    by: &[ByFolder],
    labels: &[String],
) -> Option<Said> {
    let folders: BTreeSet<&str> = by.iter().map(|by| by.label.as_deref()).collect::<Option<_>>()?;
    if folders.len() < 2 || labels.len() != by.len() {
        return None;
    }
    if !labels.iter().any(|label| folders.contains(label.as_str())) {
        return Some(Said::Note(format!("the labels are those in {table}, not the names of the folders")));
    }
    let differs = |i: &usize| by[*i].label.as_deref() != Some(labels[*i].as_str());
    let first = (0..labels.len()).find(differs)?;
    Some(Said::Warning(format!(
        "{table} and the folders disagree on {} of {}, such as {}, which is `{}` by {table}: the labels in {table} are used; \
         correct one of them, or move the table away if the folders are right",
        (0..labels.len()).filter(differs).count(),
        plural(labels.len(), "file"),
        relative(root, &files[first]),
        excerpt(&labels[first])
    )))
}

/// A class that has a single sample cannot be both trained and tested on.
pub(super) fn check_class_sizes(
    path: &Path,
    samples: &[(Role, &Path)],
    names: &[String],
    options: &ReadOptions,
) -> Result<(), DataError> {
    let other = options.task.is_some_and(|task| task != TaskName::Classification);
    if other || samples.iter().any(|(role, _)| *role == Role::Test) {
        return Ok(());
    }
    let mut counts: BTreeMap<&str, (usize, &Path)> = BTreeMap::new();
    for ((_, file), label) in samples.iter().zip(names) {
        counts.entry(label).or_insert((0, file)).0 += 1;
    }
    let Some((label, (_, file))) = counts.iter().find(|(_, (n, _))| *n == 1) else { return Ok(()) };
    let reason = format!("class `{label}` has one sample only, {}", file.display());
    let mut hint = "a class needs one sample to train on and one to test on: add some, or remove the class".to_owned();
    if counts.keys().all(|label| values::number(label).is_some()) {
        hint += "; if the labels are quantities, set `task.kind` to regression";
    }
    Err(DataError::file(path, reason).with_hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The split and the class of each file, and the notes.
    fn told(files: &[&str]) -> Result<(String, String), String> {
        let files: Vec<PathBuf> = files.iter().map(|f| Path::new("root").join(f)).collect();
        let found = of_folders(Path::new("root"), &files, true).map_err(|e| e.to_string())?;
        let each = found.files.iter().map(|f| format!("{}/{}", f.role.name(), f.label.as_deref().unwrap_or("-")));
        Ok((each.collect::<Vec<_>>().join(" "), found.notes.join("; ")))
    }

    #[test]
    fn folders_are_splits_or_classes() {
        let cases: [(&[&str], &str, &str); 8] = [
            (&["cat/1", "dog/1"], "all/cat all/dog", ""),
            (&["train/cat/1", "test/cat/1"], "train/cat test/cat", ""),
            (&["cat/train/1", "cat/test/1"], "train/cat test/cat", ""),
            (&["bus/1", "car/1", "train/1"], "all/bus all/car all/train", "`train` is taken for a class"),
            (&["x/bus/1", "x/train/1"], "all/bus all/train", "`train` is taken for a class"),
            (&["train/bus/1", "train/train/1", "test/train/1"], "train/bus train/train test/train", ""),
            (&["bus/train/1", "train/train/1", "train/test/1"], "train/bus train/train test/train", ""),
            (&["cat/1", "dog/1", "test/cat/1"], "all/cat all/dog test/cat", ""),
        ];
        for (files, expected, note) in cases {
            let (found, notes) = told(files).unwrap();
            assert_eq!(found, expected, "{files:?}");
            assert!(notes.contains(note) && (note.is_empty() != notes.contains("taken for")), "{files:?}: {notes}");
        }
        let (_, notes) = told(&["a/s1/1", "b/s1/1"]).unwrap();
        assert!(notes.contains("nested") && notes.contains("`s1`"), "{notes}");
    }

    #[test]
    fn folders_that_could_be_either_are_refused() {
        let cases: [(&[&str], &str); 4] = [
            (&["cat/1", "dog/1", "test/1"], "root/test: the folder is taken for a split"),
            (&["bus/1", "train/1", "test/1"], "root/test: the folder is taken for a split"),
            (&["control/1", "test/1"], "root/test: the folder is taken for a split"),
            (&["train/cat/1", "extra/cat/1"], "root/extra/cat/1: it is in no split"),
        ];
        for (files, expected) in cases {
            let error = told(files).unwrap_err();
            assert!(error.starts_with(expected), "{files:?}: {error}");
        }
    }

    #[test]
    fn a_table_that_contradicts_the_folders_is_said() {
        // The folders and the labels of files, and what is said.
        let cases: [(&str, &str, Option<&str>); 6] = [
            ("cat cat dog", "cat cat dog", None),
            ("cat cat dog", "cat dog dog", Some("labels.csv and the folders disagree on 1 of 3 files, such as cat/1")),
            (
                "cat cat dog",
                "cow dog cat",
                Some("disagree on 3 of 3 files, such as cat/0, which is `cow` by labels.csv"),
            ),
            ("s1 s1 s2", "cat dog dog", Some("the labels are those in labels.csv, not the names of the folders")),
            ("cat cat cat", "cat dog dog", None),
            ("cat - dog", "cat dog dog", None),
        ];
        for (folders, labels, expected) in cases {
            let labels: Vec<String> = labels.split(' ').map(str::to_owned).collect();
            let label = |name: &str| Some(name.to_owned()).filter(|name| name != "-");
            let by: Vec<ByFolder> =
                folders.split(' ').map(|name| ByFolder { role: Role::All, label: label(name) }).collect();
            let file = |(i, name): (usize, &str)| Path::new("root").join(name).join(i.to_string());
            let files: Vec<PathBuf> = folders.split(' ').enumerate().map(file).collect();
            let said = beside_table(Path::new("root"), "labels.csv", &files, &by, &labels);
            let text = said.as_ref().map(|said| match said {
                Said::Note(text) | Said::Warning(text) => text.as_str(),
            });
            assert_eq!(text.is_some(), expected.is_some(), "{folders}, {labels:?}: {text:?}");
            assert!(expected.is_none_or(|words| text.is_some_and(|text| text.contains(words))), "{text:?}");
            let disagree = text.is_some_and(|text| text.contains("disagree"));
            assert_eq!(matches!(said, Some(Said::Warning(_))), disagree);
        }
    }
}
