//! A table of the labels of the files beside it.

use crate::error::{DataError, Location};
use crate::folders::file_names::Names;
use crate::groups;
use crate::options::{ReadOptions, SplitBy};
use crate::role::Role;
use crate::tables::draft::same_classes;
use crate::tables::number::{Style, is_missing_label, number};
use crate::tables::{csv, moments, names};
use crate::text::{excerpt, first_duplicate};
use dashnas_core::text::plural;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The label of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelEntry {
    /// The file.
    pub path: PathBuf,
    /// Its label.
    pub label: String,
    /// Its split, if the table has a column of splits.
    pub role: Option<Role>,
    /// Its group, if the table has a column of groups.
    pub group: Option<String>,
    /// Its weight, if the table has a column of weights.
    pub weight: Option<f32>,
    /// Its time, if samples are divided by time and the table has the column that the options name.
    pub time: Option<f64>,
}

/// Names of columns of files, those that are least likely to mean something else first.
const FILES: [&str; 24] = [
    "file",
    "filename",
    "file_name",
    "fname",
    "path",
    "filepath",
    "file_path",
    "image",
    "image_id",
    "image_name",
    "image_path",
    "img",
    "img_id",
    "isic_id",
    "clip",
    "audio",
    "wav",
    "recording",
    "record",
    "record_id",
    "name",
    "slide",
    "sample",
    "id",
];
/// What is wrong with a file of labels without one of its columns.
const NO_COLUMNS: &str = "a file of labels needs a column of file names and a column of labels";
/// Names of columns of labels.
const LABELS: [&str; 10] = ["label", "labels", "class", "category", "target", "y", "class_id", "tag", "tags", "dx"];
/// Names of columns that say that a sample may have several labels.
const SEVERAL: [&str; 3] = ["labels", "tags", "classes"];
/// What divides the labels of one sample.
const SEPARATORS: [char; 3] = [',', ';', '|'];

/// Refuses a row without a label, or without a group; each is given with its column.
fn check_cells(
    path: &Path,
    line: usize,
    (label_column, label): (usize, &str),
    group: Option<(usize, &str)>,
) -> Result<(), DataError> {
    let at =
        |column: usize, reason: String| DataError::at(path, Location::Cell(line, (column + 1).to_string()), reason);
    if is_missing_label(label) {
        let reason = match label {
            "" => "the label is missing".to_owned(),
            text => format!("the label is missing: it is `{text}`"),
        };
        return Err(
            at(label_column, reason).with_hint("remove the row; if it is the name of a class, rename the class")
        );
    }
    match group {
        Some((column, group)) if names::is_missing_group(group) => {
            Err(at(column, "the group is missing".into()).with_hint("write the group, or remove the row"))
        }
        _ => Ok(()),
    }
}

/// Reads the file of labels; `files` are those that it may name.
///
/// # Errors
/// [`DataError::File`] with the line of a row that names a file that is not there, or one that is named twice.
pub fn read(path: &Path, files: &[PathBuf], options: &ReadOptions) -> Result<Vec<LabelEntry>, DataError> {
    read_noting(path, files, options, true, &mut Vec::new())
}

/// Reads the file of labels as [`read`] does, and notes the uses of its columns if it has more than two.
pub(crate) fn read_noting(
    path: &Path,
    files: &[PathBuf],
    options: &ReadOptions,
    labeled: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<LabelEntry>, DataError> {
    let rows = csv::all(path, &csv::encoding::text(path, options.whole_file())?.text)?;
    let Some((_, first)) = rows.first() else { return Err(DataError::file(path, "it holds no rows")) };
    let width = first.len();
    let names = Names::of(files);
    let header = options.header.unwrap_or_else(|| is_header(first, &names));
    if header {
        check_names(path, first)?;
    }
    let ignored = ignored(path, first, header, options, labeled)?;
    let wanted = |option: &Option<String>, key: &str, what: &str| {
        let Some(wanted) = option else { return Ok(None) };
        let found = column(path, first, header, wanted, what)?;
        match ignored.contains(&found) {
            true if labeled || options.gives(key) => {
                let reason = format!("column `{wanted}` cannot be both ignored and {what}");
                Err(DataError::file(path, reason).with_hint(format!("check `data.{key}`")))
            }
            // What is ignored in new data has no role of the training.
            true => Ok(None),
            false => Ok(Some(found)),
        }
    };
    let file_column = file_column(&rows, header, &names);
    if ignored.contains(&file_column) {
        return Err(DataError::file(path, "the column of the names of the files cannot be ignored")
            .with_hint("leave it out of `data.ignore`"));
    }
    let free = |c: &usize| *c != file_column && !ignored.contains(c);
    let all = |known: fn(&str) -> bool| -> Vec<usize> {
        (0..width).filter(|&c| header && free(&c) && known(&first[c])).collect()
    };
    // Folds are numbers.
    let flags = |c: usize| {
        let flag = |(_, row): &(usize, Vec<String>)| row.get(c).is_some_and(|cell| names::is_flag(cell));
        !names::is_vague_flag(&first[c]) && names::names_flags(&first[c]) && rows.iter().skip(1).all(flag)
    };
    let by_word = all(|name| names::names_splits(name) && !names::names_folds(name)).first().copied();
    let by_flag = || all(names::names_flags).into_iter().find(|&c| flags(c));
    let split_column = wanted(&options.split, "split", "split")?.or(by_word).or_else(by_flag);
    let group_column = wanted(&options.group, "group", "group")?.or(all(names::names_groups).first().copied());
    let weight_column = wanted(&options.weight, "weight", "weight")?.or(all(names::names_weights).first().copied());
    let of_samples = [weight_column, wanted(&options.time, "time", "time")?];
    let asked = wanted(&options.targets, "targets", "label")?;
    let mut by_name = all(is_label_name);
    let told = asked.is_some() || by_name.len() == 1;
    if by_name.is_empty() {
        let taken = [Some(file_column), split_column, group_column, of_samples[0], of_samples[1]];
        by_name = (0..width).filter(|&c| free(&c) && !taken.contains(&Some(c))).collect();
    }
    if let (None, Some(one)) = (asked, only_text(&rows, header, &by_name)) {
        by_name = vec![one];
    }
    let label_column = label_column(path, header.then_some(first), asked, &by_name)?;
    if label_column == file_column {
        return Err(DataError::file(path, NO_COLUMNS));
    }
    if header && width > 2 {
        let uses = [(Some(file_column), "file"), (Some(label_column), "label"), (split_column, "split")];
        notes.push(uses_of(first, &[&uses[..], &[(group_column, "group")]].concat()));
    }
    let uses = Uses { file: file_column, label: label_column, split: split_column, group: group_column };
    let mut entries = entries(path, &rows, header, &names, &uses)?;
    let grouped: Vec<String> = entries.iter().filter_map(|entry| entry.group.clone()).collect();
    if let (Some(c), None, true) = (group_column, &options.group, groups::are_few(&grouped)) {
        notes.push(groups::warning_of_few("column", &format!("`{}`", first[c]), &grouped));
    }
    let rows = &rows[usize::from(header).min(rows.len())..];
    add_weights_and_times(path, rows, of_samples, options, &mut entries)?;
    if entries.is_empty() {
        return Err(DataError::file(path, "it holds no rows but the header"));
    }
    if !told {
        check_folders(path, &entries)?;
    }
    let several = header && SEVERAL.contains(&first[label_column].to_lowercase().as_str());
    if options.task.is_none() && !several {
        check_separators(path, &entries, options)?;
    }
    Ok(entries)
}

/// The uses of the columns of a file of labels.
struct Uses {
    file: usize,
    label: usize,
    split: Option<usize>,
    group: Option<usize>,
}

/// The samples of the rows, without their weights and times.
fn entries(
    path: &Path,
    rows: &[(usize, Vec<String>)],
    header: bool,
    names: &Names<'_>,
    uses: &Uses,
) -> Result<Vec<LabelEntry>, DataError> {
    let Some((_, first)) = rows.first() else { return Ok(Vec::new()) };
    let width = first.len();
    let mut seen = HashMap::new();
    let mut entries = Vec::new();
    for (line, row) in rows.iter().skip(usize::from(header)) {
        let cell = |c: usize| row.get(c).map(String::as_str).unwrap_or("");
        if row.len() != width {
            let reason = format!("this row has {}, the first has {width}", plural(row.len(), "field"));
            return Err(DataError::at(path, Location::Line(*line), reason));
        }
        let file = names.only(path, *line, cell(uses.file))?;
        if let Some(before) = seen.insert(file, line) {
            let reason = format!("it names `{}` again (line {before})", cell(uses.file));
            return Err(DataError::at(path, Location::Line(*line), reason));
        }
        check_cells(path, *line, (uses.label, cell(uses.label)), uses.group.map(|c| (c, cell(c))))?;
        let role = uses.split.map(|c| split_of(path, (*line, c), &first[c], cell(c))).transpose()?;
        entries.push(LabelEntry {
            path: file.clone(),
            label: cell(uses.label).to_owned(),
            role,
            group: uses.group.map(|c| cell(c).to_owned()),
            weight: None,
            time: None,
        });
    }
    Ok(entries)
}

/// The columns that `data.ignore` names, by names, patterns or positions. New data need not have those of the training.
fn ignored(
    path: &Path,
    first: &[String],
    header: bool,
    options: &ReadOptions,
    labeled: bool,
) -> Result<Vec<usize>, DataError> {
    let Some(wanted) = &options.ignore else { return Ok(Vec::new()) };
    // A name may hold a comma.
    if let (Some(c), true) = (first.iter().position(|name| name == wanted), header) {
        return Ok(vec![c]);
    }
    let mut found = Vec::new();
    for part in wanted.split(',').map(str::trim) {
        let like = (0..first.len()).filter(|&c| header && names::matches(part, &first[c]));
        let before = found.len();
        found.extend(like);
        if found.len() > before {
            continue;
        }
        match column(path, first, header, part, "ignored") {
            Ok(c) => found.push(c),
            Err(error) if labeled || options.gives("ignore") => return Err(error),
            Err(_) => {}
        }
    }
    Ok(found)
}

/// The column that an option names, by its name in the header or by its position from 0 (−1: the last).
fn column(path: &Path, first: &[String], header: bool, wanted: &str, what: &str) -> Result<usize, DataError> {
    let width = first.len();
    let position = wanted.parse::<i64>().ok().filter(|i| (-(width as i64)..width as i64).contains(i));
    let found = first.iter().position(|name| header && name == wanted);
    if let Some(i) = found.or(position.map(|i| i.rem_euclid(width as i64) as usize)) {
        return Ok(i);
    }
    if header {
        let columns = first.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        return Err(DataError::file(path, format!("there is no {what} column `{wanted}` (columns: {columns})")));
    }
    Err(DataError::file(path, format!("there is no {what} column `{wanted}`: it has no header"))
        .with_hint(format!("give the position of the column, from 0 to {}", width.saturating_sub(1))))
}

/// Returns whether the name of a column is that of labels.
pub(crate) fn is_label_name(name: &str) -> bool {
    names::names_labels(name) || LABELS.contains(&name.to_ascii_lowercase().as_str())
}

/// Returns whether the first row names the columns: it names one as such a file may, and no file.
pub(crate) fn is_header(first: &[String], names: &Names<'_>) -> bool {
    let known = |f: &String| FILES.contains(&f.to_ascii_lowercase().as_str()) || is_label_name(f);
    first.iter().any(known) && !first.iter().any(|f| !names.find(f).is_empty())
}

/// The note about the uses of the columns.
fn uses_of(columns: &[String], uses: &[(Option<usize>, &str)]) -> String {
    let one = |&(c, what): &(Option<usize>, &str)| Some(format!("{what} `{}`", columns.get(c?)?));
    let uses: Vec<String> = uses.iter().filter_map(one).collect();
    format!("columns of the file of labels: {}; the others are not used", uses.join(", "))
}

/// The column of the names of files: the one whose cells name the most, of equal ones the one whose name says so.
fn file_column(rows: &[(usize, Vec<String>)], header: bool, names: &Names<'_>) -> usize {
    /// Rows that are looked at.
    const ROWS: usize = 50;
    let width = rows.first().map_or(0, |(_, row)| row.len());
    let known = |c: usize| {
        let name =
            rows.first().and_then(|(_, row)| row.get(c)).map(|name| name.to_lowercase().replace([' ', '-'], "_"));
        name.filter(|_| header).and_then(|name| FILES.iter().position(|file| *file == name))
    };
    let found = |c: usize| {
        let of = rows.iter().skip(usize::from(header)).take(ROWS);
        of.filter(|(_, row)| row.get(c).is_some_and(|cell| !names.find(cell).is_empty())).count()
    };
    let best = (0..width).map(found).max().unwrap_or(0);
    let rank = |&c: &usize| (known(c).unwrap_or(FILES.len()), c);
    let likely = (0..width).filter(|&c| best == 0 || found(c) * 10 >= best * 9);
    if best == 0 {
        likely.filter(|&c| known(c).is_some()).min_by_key(rank).unwrap_or(0)
    } else {
        likely.min_by_key(rank).unwrap_or(0)
    }
}

/// The labels of one sample in a text.
pub(crate) fn split_labels(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATORS).map(str::trim).filter(|label| !label.is_empty())
}

/// Refuses labels with commas and the like of which it is not clear whether they are several: where they are, samples share
/// labels in several ways, so that there are no more labels than texts.
fn check_separators(path: &Path, entries: &[LabelEntry], options: &ReadOptions) -> Result<(), DataError> {
    let texts: BTreeSet<&str> = entries.iter().map(|entry| entry.label.as_str()).collect();
    let Some(example) = texts.iter().find(|text| split_labels(text).count() > 1) else { return Ok(()) };
    let comma = |text: &&str| number(text, Style::of_option(Some(","))).is_some();
    if texts.iter().all(comma) && options.decimal.as_deref() != Some(",") {
        let reason = format!("it is not clear whether the label `{}` is a number or several labels", excerpt(example));
        return Err(DataError::file(path, reason).with_hint(
            "set `task.kind` to multi-label if they are several labels, and `data.decimal` to `,` if they are numbers",
        ));
    }
    let labels: BTreeSet<&str> = texts.iter().flat_map(|text| split_labels(text)).collect();
    if labels.len() <= texts.len() || options.decimal.as_deref() == Some(",") {
        return Ok(());
    }
    let reason = format!("it is not clear whether the label `{}` is one label or several", excerpt(example));
    Err(DataError::file(path, reason).with_hint(
        "set `task.kind` to multi-label if a sample has several labels, or to classification if each text is one class",
    ))
}

/// The only column of texts among columns that divide the rows into the same classes, where the others are its codes.
fn only_text(rows: &[(usize, Vec<String>)], header: bool, possible: &[usize]) -> Option<usize> {
    let of = |c: usize| -> Vec<String> {
        rows.iter().skip(usize::from(header)).map(|(_, row)| row.get(c).cloned().unwrap_or_default()).collect()
    };
    let is_text = |c: &usize| of(*c).iter().any(|cell| cell.parse::<f64>().is_err());
    let texts: Vec<usize> = possible.iter().copied().filter(is_text).collect();
    let [text] = texts[..] else { return None };
    let values = of(text);
    possible.iter().all(|&c| same_classes(&of(c), &values)).then_some(text)
}

/// Refuses columns of one name.
fn check_names(path: &Path, names: &[String]) -> Result<(), DataError> {
    let Some((i, j)) = first_duplicate(names) else { return Ok(()) };
    let reason = format!("columns {} and {} are both named `{}`", i + 1, j + 1, names[j]);
    Err(DataError::at(path, Location::Line(1), reason))
}

/// Reads the weights and the times of the files from their columns; the rows are without the header.
fn add_weights_and_times(
    path: &Path,
    rows: &[(usize, Vec<String>)],
    [weight, time]: [Option<usize>; 2],
    options: &ReadOptions,
    entries: &mut [LabelEntry],
) -> Result<(), DataError> {
    let of = |c: usize| -> Vec<String> {
        rows.iter().map(|(_, row)| row.get(c).map_or("", |text| text.trim()).to_owned()).collect()
    };
    let flaw = |c: usize| {
        move |(row, reason, hint): moments::Flaw| {
            let line = rows.get(row).map_or(1, |(line, _)| *line);
            DataError::at(path, Location::Cell(line, (c + 1).to_string()), reason).with_hint(hint)
        }
    };
    let style = Style::of_option(options.decimal.as_deref());
    if let Some(c) = weight {
        let weights = moments::weights(&of(c), style).map_err(flaw(c))?;
        entries.iter_mut().zip(weights).for_each(|(entry, weight)| entry.weight = Some(weight));
    }
    if let (Some(c), SplitBy::Time) = (time, options.split_by) {
        let times = moments::times(&of(c), style).map_err(flaw(c))?;
        entries.iter_mut().zip(times).for_each(|(entry, time)| entry.time = Some(time));
    }
    Ok(())
}

/// The column of labels: the one that was asked for, or the only one that can be it.
fn label_column(
    path: &Path,
    names: Option<&Vec<String>>,
    asked: Option<usize>,
    possible: &[usize],
) -> Result<usize, DataError> {
    match (asked, possible) {
        (Some(column), _) | (None, &[column]) => Ok(column),
        (None, []) => Err(DataError::file(path, NO_COLUMNS)),
        (None, several) => {
            let name = |&c: &usize| names.map_or_else(|| (c + 1).to_string(), |names| format!("`{}`", names[c]));
            let columns: Vec<String> = several.iter().map(name).collect();
            let reason = format!("it is not clear which column holds the labels: {}", columns.join(", "));
            Err(DataError::file(path, reason)
                .with_hint("name the column in `data.targets`, or give its position, from 0 (-1: the last)"))
        }
    }
}

/// The split of a row. A row with another word would be in no split.
fn split_of(path: &Path, (line, column): (usize, usize), name: &str, word: &str) -> Result<Role, DataError> {
    names::split_of_cell(name, word).ok_or_else(|| {
        let place = Location::Cell(line, (column + 1).to_string());
        DataError::at(path, place, format!("`{word}` in column `{name}` names no split"))
            .with_hint("name splits train, val and test, or rename the column if it holds no splits")
    })
}

/// Refuses labels from a column that is not named as labels, if the files lie in folders that are more likely their
/// classes.
fn check_folders(path: &Path, entries: &[LabelEntry]) -> Result<(), DataError> {
    let folder = |entry: &LabelEntry| Some(entry.path.parent()?.file_name()?.to_str()?.to_owned());
    let folders: BTreeSet<String> = entries.iter().filter_map(folder).collect();
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
