//! What a table says of the files beside it: their labels, splits, groups, weights and times. Its columns get their roles as
//! in any other table.

use crate::account::ColumnAccount;
use crate::error::{DataError, Location};
use crate::folders::file_names::Names;
use crate::folders::label_table::FileTable;
use crate::folders::targets::{is_multi_label, label_names, multi_hot, split_labels};
use crate::found::Labels;
use crate::options::{ReadOptions, SplitBy};
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use crate::tables::draft::ColumnRoles;
use crate::tables::number::{Style, number};
use crate::tables::table::Table;
use crate::tables::{groups, labels, moments, names, roles, splits};
use crate::text::excerpt;
use dashnas_core::names::TaskName;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Names of columns that say that a sample may have several labels.
const SEVERAL: [&str; 3] = ["labels", "tags", "classes"];

/// What a table says of files, in the order of its rows.
#[derive(Debug)]
pub(crate) struct LabeledFiles {
    /// The file of each row.
    pub files: Vec<PathBuf>,
    /// The labels, if there are any.
    pub labels: Option<Labels>,
    /// The names of the labels, if a sample may have several.
    pub names: Option<Vec<String>>,
    /// The splits, if a column divides the files.
    pub roles: Option<Vec<Role>>,
    /// The groups, if there are any.
    pub groups: Option<Vec<String>>,
    /// The weights and times, if there are any.
    pub facts: SampleFacts,
    /// The account of the columns.
    pub account: Vec<ColumnAccount>,
    /// How the table is read, for people.
    pub notes: Vec<String>,
    /// What is probably a mistake.
    pub warnings: Vec<String>,
}

/// What is wanted of a table of files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use {
    /// Whether the files are to be trained on. Otherwise the columns that the options name need not be there.
    pub labeled: bool,
    /// Whether labels must be there.
    pub labels: bool,
    /// Whether the folders of the files may be their classes instead.
    pub classes: bool,
}

/// Reads a table; `files` are those that it may name.
///
/// # Errors
/// [`DataError::File`] with the line of a row that names a file that is not there, or one that is named twice, and with the
/// cell of a value that cannot be used.
pub(crate) fn read(
    path: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    wanted: Use,
) -> Result<LabeledFiles, DataError> {
    let names = Names::of(files);
    let FileTable { table, columns, texts, .. } = FileTable::open(path, &names, options)?;
    // The names of inputs are those of channels in the files.
    let options = &ReadOptions { inputs: None, ..options.clone() };
    check_ignored(&table, &columns, options)?;
    let (used, columns) = roles::of_files(&table, &columns, options, wanted.labeled, wanted.labels)?;
    if texts.len() != table.rows() {
        return Err(DataError::file(path, "it has no column of the names of files"));
    }
    let files = files_of(&table, &names, &texts)?;
    let mut found = LabeledFiles {
        files,
        labels: None,
        names: None,
        roles: None,
        groups: groups::of_rows(&used.groups, &mut columns.clone()),
        facts: SampleFacts::default(),
        account: used.accounts.clone(),
        notes: table.notes.iter().cloned().chain(groups::note_of_several(&table, &used.groups, false)).collect(),
        warnings: used.warnings.clone(),
    };
    match add_labels(&table, &used, &columns, options, &mut found) {
        // Labels that need not be there need not be good.
        Err(error) if wanted.labels => return Err(error),
        _ => {}
    }
    let needed = wanted.labeled || options.scored;
    if needed && wanted.classes && found.labels_are_unsure(&used, &table, options) {
        check_folders(path, &found.files)?;
    }
    if let Some(c) = used.split {
        let texts = columns.get(&c).map_or(&[][..], Vec::as_slice);
        let divides = wanted.labeled || splits::divide_new(&table, c, texts, options, &mut found.warnings)?;
        let role = |text: &String| names::split_of_cell(&table.columns[c].name, text);
        found.roles = texts.iter().map(role).collect::<Option<_>>().filter(|_| divides);
    }
    if needed {
        add_facts(&table, &used, &columns, options, &mut found.facts)?;
    }
    Ok(found)
}

impl LabeledFiles {
    /// Whether nothing but its place says that the column of labels holds them.
    fn labels_are_unsure(&self, used: &ColumnRoles, table: &Table, options: &ReadOptions) -> bool {
        let told = |&c: &usize| table.named && labels::names_labels_of_files(&table.columns[c].name);
        options.targets.is_none() && self.labels.is_some() && !used.labels.iter().any(told)
    }
}

/// Refuses to ignore the column that names the files.
fn check_ignored(table: &Table, files: &[usize], options: &ReadOptions) -> Result<(), DataError> {
    let Some(wanted) = &options.ignore else { return Ok(()) };
    match names::find(table, wanted, "ignored") {
        Ok(ignored) if files.first().is_some_and(|file| ignored.contains(file)) => {
            Err(DataError::file(&table.path, "the column of the names of the files cannot be ignored")
                .with_hint("leave it out of `data.ignore`"))
        }
        _ => Ok(()),
    }
}

/// The file that each row names.
fn files_of(table: &Table, names: &Names<'_>, texts: &[String]) -> Result<Vec<PathBuf>, DataError> {
    let mut seen: HashMap<&PathBuf, usize> = HashMap::new();
    let mut files = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let (path, line) = table.source.line(row);
        let file = names.only(&path, line, text)?;
        if let Some(before) = seen.insert(file, line) {
            let reason = format!("it names `{text}` again (line {before})");
            return Err(DataError::at(&path, Location::Line(line), reason));
        }
        files.push(file.clone());
    }
    Ok(files)
}

/// Reads the labels, of which a text may hold several.
fn add_labels(
    table: &Table,
    used: &ColumnRoles,
    columns: &HashMap<usize, Vec<String>>,
    options: &ReadOptions,
    found: &mut LabeledFiles,
) -> Result<(), DataError> {
    if used.labels.is_empty() {
        return Ok(());
    }
    let mut read = labels::read(table, &used.labels, columns, options, None)?;
    let &[c] = &used.labels[..] else {
        (found.labels, found.names) = (Some(read.labels), read.names);
        return Ok(());
    };
    let texts = columns.get(&c).map_or(&[][..], Vec::as_slice);
    // Whole numbers are classes here, however many there are.
    if options.task.is_none() && table.columns[c].facts.all_whole() && matches!(read.labels, Labels::Numbers(_)) {
        (read.labels, read.warnings) = (Labels::Names(texts.to_vec()), Vec::new());
    }
    found.warnings.extend(read.warnings);
    (found.labels, found.names) = (Some(read.labels), read.names);
    // A list of labels was read as one.
    if found.names.is_some() || !texts.iter().any(|text| split_labels(text).count() > 1) && options.task.is_none() {
        return Ok(());
    }
    let plural = table.named && SEVERAL.contains(&table.columns[c].name.to_lowercase().as_str());
    if options.task.is_none() && !plural {
        check_separators(table, texts, options)?;
    }
    let several = match options.task {
        None => options.decimal.as_deref() != Some(",") && is_multi_label(texts.iter().map(String::as_str)),
        Some(task) => task == TaskName::MultiLabel,
    };
    if several {
        let names = label_names(texts.iter().map(String::as_str));
        (found.labels, found.names) = (Some(multi_hot(texts, &names)), Some(names));
    }
    Ok(())
}

/// Reads the weights and the times of the files.
fn add_facts(
    table: &Table,
    used: &ColumnRoles,
    columns: &HashMap<usize, Vec<String>>,
    options: &ReadOptions,
    facts: &mut SampleFacts,
) -> Result<(), DataError> {
    let style = Style::of_option(options.decimal.as_deref().or(table.decimal.as_deref()));
    let of = |c: usize| columns.get(&c).map_or(&[][..], Vec::as_slice);
    let flaw = |c: usize| move |(row, reason, hint): moments::Flaw| table.cell_error(row, c, reason).with_hint(hint);
    if let Some(c) = used.weight {
        facts.weights = Some(moments::weights(of(c), style).map_err(flaw(c))?);
    }
    if let (Some(c), SplitBy::Time) = (used.time, options.split_by) {
        facts.times = Some(moments::times(of(c), style).map_err(flaw(c))?);
    }
    Ok(())
}

/// Refuses labels with commas and the like of which it is not clear whether they are several: where they are, samples share
/// labels in several ways, so that there are no more labels than texts.
fn check_separators(table: &Table, texts: &[String], options: &ReadOptions) -> Result<(), DataError> {
    let texts: BTreeSet<&str> = texts.iter().map(String::as_str).collect();
    let Some(example) = texts.iter().find(|text| split_labels(text).count() > 1) else { return Ok(()) };
    let comma = |text: &&str| number(text, Style::of_option(Some(","))).is_some();
    if texts.iter().all(comma) && options.decimal.as_deref() != Some(",") {
        let reason = format!("it is not clear whether the label `{}` is a number or several labels", excerpt(example));
        return Err(DataError::file(&table.path, reason).with_hint(
            "set `task.kind` to multi-label if they are several labels, and `data.decimal` to `,` if they are numbers",
        ));
    }
    let labels: BTreeSet<&str> = texts.iter().flat_map(|text| split_labels(text)).collect();
    if labels.len() <= texts.len() || options.decimal.as_deref() == Some(",") {
        return Ok(());
    }
    let reason = format!("it is not clear whether the label `{}` is one label or several", excerpt(example));
    Err(DataError::file(&table.path, reason).with_hint(
        "set `task.kind` to multi-label if a sample has several labels, or to classification if each text is one class",
    ))
}

/// Refuses labels from a column that is not named as labels, if the files lie in folders that are more likely their
/// classes.
fn check_folders(path: &Path, files: &[PathBuf]) -> Result<(), DataError> {
    let folder = |file: &PathBuf| Some(file.parent()?.file_name()?.to_str()?.to_owned());
    let folders: BTreeSet<String> = files.iter().filter_map(folder).collect();
    if folders.len() < 2 || folders.iter().any(|name| Role::of_word(name).is_some()) {
        return Ok(());
    }
    let named: Vec<String> = folders.iter().take(3).map(|name| format!("`{name}`")).collect();
    let reason =
        format!("it may hold the labels, but the files lie in folders that may be their classes: {}", named.join(", "));
    Err(DataError::file(path, reason).with_hint(
        "name the column of labels in `data.targets`, or move this file away if the folders are the classes",
    ))
}

/// Reads a table of files as [`read`] does for training, for tests on arbitrary bytes: the number of its rows.
#[doc(hidden)]
pub fn fuzz_reading(path: &Path, files: &[PathBuf], options: &ReadOptions) -> Result<usize, DataError> {
    read(path, files, options, Use { labeled: true, labels: true, classes: true }).map(|found| found.files.len())
}
