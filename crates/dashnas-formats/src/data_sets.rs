//! The data sets in the files of a folder.

use crate::naming::{data_set_name, extension};
use crate::probe::FolderProbe;
use crate::role::Role;
use crate::tables::sources;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Extensions of the files that hold a data set each.
pub(crate) const DATA_SETS: &[&str] = &[
    "npz", "h5", "hdf5", "he5", "nc", "nc4", "h5ad", "mat", "ts", "arff", "tsv", "csv", "txt", "parquet", "pq",
    "arrow", "feather", "ipc", "jsonl", "ndjson",
];

/// Files by the name and the extension of the data set that they belong to.
pub(crate) type DataSets = BTreeMap<(String, String), Vec<PathBuf>>;

/// The data sets in the files of a folder, by name and extension. Files whose names differ only in the split are one
/// data set.
pub(crate) fn data_sets(folder: &FolderProbe) -> DataSets {
    let mut sets = DataSets::new();
    let files = folder.direct_with(DATA_SETS);
    let all_submissions = files.iter().all(|file| is_submission(file));
    for file in files.into_iter().filter(|file| all_submissions || !is_submission(file)) {
        // `train.csv` and `test.csv` are one data set without a name.
        let name = if is_role(&file) { String::new() } else { data_set_name(&file) };
        sets.entry((name, extension(&file))).or_default().push(file);
    }
    sets
}

/// Returns whether a file is the example of a submission to a competition, by its name.
fn is_submission(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().to_lowercase().contains("submission"))
}

/// Returns whether the name of a file is a word for a split, and nothing else.
fn is_role(path: &Path) -> bool {
    path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| Role::of_word(stem).is_some())
}

/// The files of a folder that may be parts of one table: several tables of one format, and no other data sets.
pub(crate) fn table_parts(folder: &FolderProbe) -> Option<Vec<PathBuf>> {
    let files = folder.direct_with(DATA_SETS);
    let first = extension(files.first()?);
    let formats = [sources::PARQUET, sources::ARROW, sources::JSON_LINES, &["csv", "tsv"]];
    let known = formats.iter().any(|extensions| extensions.contains(&first.as_str()));
    let alike = files.iter().all(|file| extension(file) == first);
    (known && alike && data_sets(folder).len() > 1).then_some(files)
}

/// The files of the only data set all of whose files fit; `None` if there are none or several.
pub(crate) fn only(sets: &DataSets, fits: impl Fn(&Path) -> bool) -> Option<Vec<PathBuf>> {
    let mut fitting = sets.values().filter(|files| files.iter().all(|file| fits(file)));
    let first = fitting.next()?;
    fitting.next().is_none().then(|| first.clone())
}
