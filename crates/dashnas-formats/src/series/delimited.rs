//! Files of one series a line: the common part of their readers, and the UCR archive's `.tsv` and `.txt`, in which
//! the label comes first.

use crate::array::Array;
use crate::error::{DataError, Location};
use crate::found::{Digits, Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::naming::extension;
use crate::options::ReadOptions;
use crate::partners;
use crate::role::Role;
use crate::sample_facts::SampleFacts;
use crate::series::file::SeriesFile;
use crate::series::values;
use crate::series::values::{Series, number, relative};
use crate::series::{arff, ts};
use crate::text::excerpt;
use dashnas_core::names::TaskName;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Reads a file and those that belong to it, or the file `alone`, by the format that its extension names.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read(path: &Path, options: &ReadOptions, alone: bool) -> Result<UnassembledData, DataError> {
    let parser = match extension(path).as_str() {
        "ts" => ts::parse,
        "arff" => arff::parse,
        _ => parse,
    };
    let mut files = Vec::new();
    for (role, path) in partners::partners(path, alone)? {
        let mut file = parser(&path, &crate::bytes::text(&path, options.whole_file())?, options)?;
        let unknown = |label: &String| label.split(' ').all(|value| value.is_empty() || value == "?");
        if alone && file.labels.iter().all(unknown) {
            file.labels.clear();
        }
        if let Some(row) = file.labels.iter().position(unknown) {
            let line = file.series.get(row).map_or(0, |series| series.line);
            return Err(DataError::at(&path, Location::Line(line), "the label is missing")
                .with_hint("remove this sample, or write its label"));
        }
        if let (true, Some(length), "tsv" | "txt") = (alone, options.length, extension(&path).as_str()) {
            let center = options.centers.inputs.first().copied().unwrap_or(0.0);
            labels_are_values(&mut file, length, center);
        }
        if file.series.is_empty() {
            return Err(DataError::file(&path, "it holds no samples"));
        }
        if !alone && matches!(extension(&path).as_str(), "tsv" | "txt") && matches!(role, Role::Train | Role::All) {
            check_label_first(&path, &file, options)?;
        }
        files.push((role, path, file));
    }
    assemble(files, options, alone || options.scored)
}

/// Refuses a file whose first fields look like measurements, and not like labels.
fn check_label_first(path: &Path, file: &SeriesFile, options: &ReadOptions) -> Result<(), DataError> {
    /// Fewest lines that tell something.
    const LINES: usize = 8;
    let lines = file.labels.len();
    let first: BTreeSet<&str> = file.labels.iter().map(String::as_str).collect();
    let numbers = first.iter().all(|label| number(label).is_some());
    if options.task.is_some() || lines < LINES || !numbers || first.len() * 2 <= lines {
        return Ok(());
    }
    let last: Option<Vec<f32>> = file.series.iter().map(|s| s.channels.first()?.last().copied()).collect();
    let last = last.unwrap_or_default();
    let distinct: BTreeSet<u32> = last.iter().map(|v| v.to_bits()).collect();
    let reason = format!(
        "the label is the first field of a line in this format, but the first fields are {} different numbers in {lines} lines",
        first.len()
    );
    if (2..=lines / 4).contains(&distinct.len()) && last.iter().all(|v| v.fract() == 0.0) {
        return Err(DataError::file(path, format!("{reason}, and the last fields look like labels"))
            .with_hint("move the label to the front, or rename the file to .csv and set `data.targets` to -1 and `data.header` to false"));
    }
    if first.iter().any(|label| number(label).is_some_and(|v| v.fract() != 0.0)) {
        return Err(
            DataError::file(path, reason).with_hint("set `task.kind` to regression if they are quantities to predict")
        );
    }
    Ok(())
}

/// Moves the labels to the front of the series as values, if that makes all series as long as the training series.
fn labels_are_values(file: &mut SeriesFile, length: usize, center: f64) {
    let short = |s: &Series| s.channels[0].len() + 1 == length;
    let values: Option<Vec<f32>> = file.labels.iter().map(|label| relative(label, center)).collect();
    let Some(values) = values.filter(|_| file.series.iter().all(short)) else { return };
    for (series, value) in file.series.iter_mut().zip(values) {
        series.channels[0].insert(0, value);
        series.first_column = 1;
    }
    file.labels.clear();
}

/// Joins files with their splits; `new` ones are for a model.
fn assemble(
    files: Vec<(Role, PathBuf, SeriesFile)>,
    options: &ReadOptions,
    new: bool,
) -> Result<UnassembledData, DataError> {
    // `partners` gives at least the file itself.
    let format = files.first().map_or("series", |(_, _, f)| f.format);
    let mut raw = UnassembledData::new(format, options);
    let mut files = files;
    if files.iter().any(|(_, _, file)| !file.account.is_empty()) {
        raw.named_by = &["targets"];
    }
    files.iter().flat_map(|(_, _, f)| &f.notes).for_each(|note| raw.note(note));
    files.iter().flat_map(|(_, _, f)| &f.warnings).for_each(|warning| raw.warn(warning));
    raw.columns = files.first().map(|(_, _, f)| f.account.clone()).unwrap_or_default();
    // Channels are told apart in every file of series.
    raw.channels_first = true;
    // The attributes of an ARFF file are inputs once it is known which of them number the samples.
    let inputs = files.iter().all(|(_, path, _)| extension(path) != "arff");
    raw.digits = Digits::of_numbers(inputs, true, &options.centers);
    let trailing = files.iter_mut().map(|(_, _, f)| cut_trailing(&mut f.series)).fold(false, |a, b| a | b);
    if trailing {
        raw.note("missing values at the ends of series are padding and were removed");
    }
    let filled = values::filled_notes(files.iter().flat_map(|(_, _, f)| &f.series), options.fill_missing);
    let training = || {
        let wanted = |role: Role| role == Role::Train || role == Role::All;
        let any = files.iter().any(|(role, _, _)| wanted(*role));
        files.iter().filter(move |(role, _, _)| !any || wanted(*role)).flat_map(|(_, _, f)| &f.series)
    };
    let (length, _) = values::common_length(training(), options);
    let all = files.iter().flat_map(|(_, _, f)| &f.series);
    raw.notes.extend(values::lengths_note(all, length, options));
    let all = files.iter().flat_map(|(_, _, f)| &f.series);
    if new && options.length.is_some() {
        let cut = values::cut_warning(all.clone().map(Series::len), length, "values", options);
        cut.into_iter().for_each(|warning| raw.warn(warning));
    }
    if let Some(warning) = values::rates_warning(all, options) {
        raw.warn(warning);
    }
    raw.notes.extend(filled);
    raw.reading.length = Some(length);
    let named = files.first().and_then(|(_, _, f)| f.classes.clone());
    for (role, path, file) in files {
        raw.file(&path);
        // The first file decides for the others.
        let task = options.task.or(raw.reading.task).or(file.task);
        let y = (!file.labels.is_empty()).then(|| labels(&path, &file, task, options)).transpose()?;
        let x = values::pack(file.series, length, options)?;
        let facts = SampleFacts::rows(path.display().to_string(), x.rows());
        raw.parts.push(UnassembledSplit { role, x, y, groups: None, ids: None, facts });
        raw.reading.task = raw.reading.task.or(file.task);
    }
    if raw.reading.task == Some(TaskName::MultiLabel) {
        raw.classes = named;
    } else if raw.reading.task == Some(TaskName::Classification) {
        // Only classes that occur; archives list some that do not.
        let seen = |name: &String| {
            let mut train = raw.parts.iter().filter(|p| p.role != Role::Test);
            train.any(|p| matches!(&p.y, Some(Labels::Names(names)) if names.contains(name)))
        };
        raw.classes = named.filter(|names| names.iter().all(seen));
    }
    Ok(raw)
}

/// The labels of a file: names of classes, or numbers for regression.
fn labels(path: &Path, file: &SeriesFile, task: Option<TaskName>, options: &ReadOptions) -> Result<Labels, DataError> {
    let columns = file.several.as_ref().map(Vec::len);
    if task != Some(TaskName::Regression) && columns.is_none() {
        return Ok(Labels::Names(file.labels.clone()));
    }
    let mut data = Vec::with_capacity(file.labels.len());
    let one = |(label, series): (&'_ String, &'_ Series)| -> Vec<(String, usize)> {
        match columns {
            Some(_) => label.split(' ').map(|value| (value.to_owned(), series.line)).collect(),
            None => vec![(label.clone(), series.line)],
        }
    };
    for (label, line) in file.labels.iter().zip(&file.series).flat_map(one) {
        let center = options.centers.of_target(data.len() % columns.unwrap_or(1).max(1));
        match relative(&label, center).filter(|v| !v.is_nan()) {
            Some(value) => data.push(value),
            None => {
                let reason = format!("the target `{}` is not a number", excerpt(&label));
                return Err(DataError::at(path, Location::Line(line), reason));
            }
        }
    }
    let shape = match columns {
        Some(columns) => vec![file.labels.len(), columns],
        None => vec![data.len()],
    };
    let integral = task == Some(TaskName::MultiLabel);
    Ok(Labels::Numbers(NumericTargets { name: "targets".into(), array: Array::new(shape, data), integral }))
}

/// Removes missing values at the ends of series if there are no others, because archives pad shorter series with them.
fn cut_trailing(series: &mut [Series]) -> bool {
    let gap = |c: &[f32]| c.iter().rposition(|v| !v.is_nan()).is_some_and(|end| c[..end].iter().any(|v| v.is_nan()));
    let empty = |c: &[f32]| c.iter().all(|v| v.is_nan());
    let mut trailing = false;
    for channel in series.iter().flat_map(|s| &s.channels) {
        if gap(channel) || empty(channel) {
            return false;
        }
        trailing |= channel.last().is_some_and(|v| v.is_nan());
    }
    if trailing {
        for channel in series.iter_mut().flat_map(|s| &mut s.channels) {
            let end = channel.iter().rposition(|v| !v.is_nan()).map_or(0, |i| i + 1);
            channel.truncate(end);
        }
    }
    trailing
}

/// Parses lines of a label and values, separated by tabs, commas or blanks.
fn parse(path: &Path, text: &str, options: &ReadOptions) -> Result<SeriesFile, DataError> {
    let mut file = SeriesFile::new("UCR archive file, label first");
    let center = options.centers.inputs.first().copied().unwrap_or(0.0);
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = match (line.contains('\t'), line.contains(',')) {
            (true, _) => line.split('\t').collect(),
            (_, true) => line.split(',').collect(),
            _ => line.split_whitespace().collect(),
        };
        let (label, values) = match fields.split_first() {
            Some((label, values)) if !values.is_empty() => (label.trim(), values),
            _ => return Err(DataError::at(path, Location::Line(i + 1), "there is no series after the label")),
        };
        let read = |(c, field): (usize, &&str)| {
            relative(field, center).ok_or_else(|| {
                let reason = format!("`{}` is not a number", excerpt(field));
                DataError::at(path, Location::Cell(i + 1, (c + 2).to_string()), reason)
            })
        };
        let values = values.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        // `1.0000000e+00` is class 1; other labels stay as they are written.
        let label = match label.parse::<f64>() {
            Ok(v) if v.fract() == 0.0 && v.abs() < 2f64.powi(53) && label.contains(['.', 'e', 'E']) => v.to_string(),
            _ if label.is_empty() => {
                return Err(DataError::at(path, Location::Cell(i + 1, "1".into()), "there is no label"));
            }
            _ => label.to_owned(),
        };
        file.series.push(Series { channels: vec![values], path: path.into(), line: i + 1, first_column: 2 });
        file.labels.push(label);
    }
    file.task = Some(TaskName::Classification);
    Ok(file)
}

/// Returns whether the first line of a text is a series: a label, which may be a word, and numbers.
pub(crate) fn starts_with_series(text: &str) -> bool {
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or("");
    let mut fields = first.split(['\t', ',', ' ']).filter(|f| !f.is_empty());
    fields.next();
    fields.all(|f| number(f).is_some())
}
