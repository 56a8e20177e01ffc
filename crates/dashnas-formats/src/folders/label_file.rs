//! Which table in a folder of samples is the file of their labels.

use crate::error::DataError;
use crate::folders::file_names::Names;
use crate::folders::label_table::FileTable;
use crate::naming::extension;
use crate::options::ReadOptions;
use crate::predictions::are_predictions;
use crate::probe::FolderProbe;
use crate::tables::labels::names_labels_of_files;
use crate::tables::sources::{ARROW, JSON_LINES, PARQUET};
use dashnas_core::text::plural;
use std::path::{Path, PathBuf};

/// What is asked about the tables in a folder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The samples.
    pub files: &'a [PathBuf],
    /// The classes that the names of the folders may be.
    pub classes: &'a [String],
    /// Whether labels must be there.
    pub needed: bool,
    /// The options.
    pub options: &'a ReadOptions,
}

/// The file of labels of a folder.
#[derive(Debug, Default)]
pub(crate) struct LabelFile<'a> {
    /// The file, if there is one.
    pub table: Option<&'a PathBuf>,
    /// What is said about the other tables.
    pub notes: Vec<String>,
}

/// A table that may be the file of labels.
struct Candidate<'a> {
    path: &'a PathBuf,
    /// The number of files that one of its columns names, if that column names another file in most rows.
    names: usize,
    /// Whether a column says that it holds labels: by its name, by the options, or as the only one beside the files.
    told: bool,
    /// The reason why it is taken for predictions, whatever it names.
    predictions: Option<&'static str>,
}

/// Finds the file of labels: the only table beside the samples that names them, or one in a folder such as `meta`.
///
/// # Errors
/// [`DataError::File`] if it is not clear which table holds the labels, or whether one does.
pub(crate) fn find<'a>(folder: &'a FolderProbe, wanted: Wanted<'_>) -> Result<LabelFile<'a>, DataError> {
    let (direct, deeper): (Vec<_>, Vec<_>) =
        folder.all.iter().filter(|path| is_table(folder, path)).partition(|path| path.parent() == Some(&folder.path));
    let names = Names::of(wanted.files);
    let mut found = LabelFile::default();
    for (tables, beside) in [(direct, true), (deeper, false)] {
        let (mut naming, mut others) = (Vec::new(), Vec::new());
        for table in tables {
            match candidate(table, &names, wanted.options) {
                Candidate { predictions: Some(reason), .. } => {
                    found.notes.push(format!("{} is not read as labels: {reason}", name(table)));
                }
                candidate if candidate.names > 0 => naming.push(candidate),
                _ => others.push(table),
            }
        }
        found.table = match &naming[..] {
            [] if beside => of_others(&others, wanted, &mut found.notes),
            [] => None,
            several => Some(choose(&folder.path, several, wanted, &mut found.notes)?),
        };
        if found.table.is_some() {
            break;
        }
    }
    Ok(found)
}

/// Returns whether a folder has a table that holds the labels of these files, or looks as if it should.
pub(crate) fn any(folder: &FolderProbe, files: &[PathBuf], or_by_name: bool) -> bool {
    let names = Names::of(files);
    let options = ReadOptions::default();
    let holds = |table: &PathBuf| {
        let found = candidate(table, &names, &options);
        found.predictions.is_none() && (found.names > 0 || or_by_name && is_named(table))
    };
    folder.direct.iter().filter(|path| is_table(folder, path)).any(holds)
}

/// Returns whether a file may be one of labels by its place and its name: a table beside the samples or in a folder of its
/// own, or a text whose name says so.
fn is_table(folder: &FolderProbe, path: &Path) -> bool {
    let known = ["meta", "metadata", "annotation", "annotations", "label", "labels", "csv"];
    let parent = path.parent().filter(|parent| *parent != folder.path);
    let beside = parent.is_none_or(|parent| {
        let name = parent.file_name().map(|name| name.to_string_lossy().to_lowercase());
        parent.parent() == Some(&folder.path) && name.is_some_and(|name| known.contains(&name.as_str()))
    });
    beside
        && match extension(path).as_str() {
            "csv" | "tsv" => true,
            e if [PARQUET, ARROW, JSON_LINES].iter().any(|known| known.contains(&e)) => true,
            "txt" => parent.is_none() && is_named(path),
            _ => false,
        }
}

/// The name of a file without its folder.
fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The name of a file without its folder and extension, in lower case.
fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Returns whether the name of a file says that it holds labels.
fn is_named(path: &Path) -> bool {
    ["label", "reference", "meta", "ground_truth", "target"].iter().any(|word| stem(path).contains(word))
}

/// Reads a table as far as it tells whether it names the files. One that cannot be read names none.
fn candidate<'a>(path: &'a PathBuf, names: &Names<'_>, options: &ReadOptions) -> Candidate<'a> {
    let mut found = Candidate { path, names: 0, told: false, predictions: None };
    if ["predict", "submission"].iter().any(|word| stem(path).contains(word)) {
        found.predictions = Some("its name is that of predictions; rename it if it holds the labels");
        return found;
    }
    let Ok(FileTable { table, named, .. }) = FileTable::open(path, names, options) else { return found };
    let header: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    if table.named && are_predictions(&header) {
        found.predictions = Some("it looks like the output of `dashnas predict`");
        return found;
    }
    // A column that names few of the files often, such as one of sizes, holds other numbers.
    found.names = if header.len() > 1 && named * 2 > table.rows() { named } else { 0 };
    let asked = |name: &String| {
        options.targets.as_ref().is_some_and(|wanted| wanted.split(',').any(|part| part.trim() == name))
    };
    found.told = match options.targets {
        Some(_) => table.named && header.iter().any(asked),
        None => header.len() == 2 || (table.named && header.iter().any(|name| names_labels_of_files(name))),
    };
    found
}

/// What is made of tables that do not name the files: one that looks like the labels is read where labels must be there, so
/// that the row that is wrong is named.
fn of_others<'a>(others: &[&'a PathBuf], wanted: Wanted<'_>, notes: &mut Vec<String>) -> Option<&'a PathBuf> {
    let csvs: Vec<&&PathBuf> = others.iter().filter(|path| matches!(extension(path).as_str(), "csv" | "tsv")).collect();
    let by_name = others.iter().find(|path| is_named(path));
    let table = by_name.or(if let [one] = csvs[..] { Some(one) } else { None })?;
    if wanted.classes.len() < 2 && wanted.needed {
        return Some(table);
    }
    let instead = if wanted.classes.len() < 2 { "" } else { ": the labels are the names of the folders" };
    notes.push(format!("{} names none of the files{instead}", name(table)));
    None
}

/// Chooses among tables that name the files.
fn choose<'a>(
    folder: &Path,
    naming: &[Candidate<'a>],
    wanted: Wanted<'_>,
    notes: &mut Vec<String>,
) -> Result<&'a PathBuf, DataError> {
    let told: Vec<&Candidate<'a>> = naming.iter().filter(|candidate| candidate.told).collect();
    let chosen = match (naming, &told[..]) {
        ([one], _) | (_, &[one]) => one,
        (several, _) => {
            let listed: Vec<String> = several.iter().map(|candidate| name(candidate.path)).collect();
            let reason = format!("it is not clear which of its tables holds the labels: {}", listed.join(", "));
            return Err(DataError::file(folder, reason).with_hint(
                "move the others away, or name in `data.targets` a column of labels that only one of them has",
            ));
        }
    };
    for other in naming.iter().filter(|candidate| candidate.path != chosen.path) {
        notes.push(format!("{} names the files as well, and is not read", name(other.path)));
    }
    let asked = wanted.options.targets.is_some() && chosen.told;
    if wanted.needed && !asked && wanted.classes.len() > 1 && chosen.names * 2 < wanted.files.len() {
        let classes: Vec<String> = wanted.classes.iter().take(3).map(|class| format!("`{class}`")).collect();
        let reason = format!(
            "it names {} of {} only, and these lie in folders that may be their classes: {}",
            chosen.names,
            plural(wanted.files.len(), "file"),
            classes.join(", ")
        );
        return Err(DataError::file(chosen.path, reason).with_hint(
            "name its column of labels in `data.targets` to use no other files, or move this file away if the folders are \
             the classes",
        ));
    }
    Ok(chosen.path)
}
