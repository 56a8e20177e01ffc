//! Files of one series a line: what they have in common, and the plainest of them, the UCR
//! archive's `.tsv` and `.txt`, in which the label comes first.

use super::series::{self, Series, number};
use super::ts::shown;
use super::{arff, pairs, ts};
use crate::config::TaskName;
use crate::data::infer::RawTargets;
use crate::data::raw::{Labels, Part, Raw, Role};
use crate::data::{Array, DataError, Place, ReadOptions};
use std::path::Path;

/// What a file of series holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SeriesFile {
    pub format: &'static str,
    pub series: Vec<Series>,
    /// One a series, or none at all.
    pub labels: Vec<String>,
    /// What the labels are, where the file says it.
    pub task: Option<TaskName>,
    /// The classes, where the file lists them.
    pub classes: Option<Vec<String>>,
}

impl SeriesFile {
    pub fn new(format: &'static str) -> Self {
        Self { format, series: Vec::new(), labels: Vec::new(), task: None, classes: None }
    }
}

/// Reads a file and its partners by the format that its extension names.
pub(crate) fn read(path: &Path, options: &ReadOptions, lone: bool) -> Result<Raw, DataError> {
    let parser = match super::extension(path).as_str() {
        "ts" => ts::parse,
        "arff" => arff::parse,
        _ => parse,
    };
    let mut files = Vec::new();
    for (role, path) in pairs::partners(path, lone)? {
        let mut file = parser(&path, &super::text(&path, options.max_bytes)?)?;
        if let (true, Some(length), "tsv" | "txt") = (lone, options.length, super::extension(&path).as_str()) {
            labels_are_values(&mut file, length);
        }
        if file.series.is_empty() {
            return Err(DataError::file(&path, "it holds no samples"));
        }
        files.push((role, path, file));
    }
    assemble(files, options)
}

/// Takes what was read as labels for the first values, where that makes all series as long as those of training.
fn labels_are_values(file: &mut SeriesFile, length: usize) {
    let short = |s: &Series| s.channels[0].len() + 1 == length;
    let values: Option<Vec<f32>> = file.labels.iter().map(|label| number(label)).collect();
    let Some(values) = values.filter(|_| file.series.iter().all(short)) else { return };
    for (series, value) in file.series.iter_mut().zip(values) {
        series.channels[0].insert(0, value);
        series.first_column = 1;
    }
    file.labels.clear();
}

/// One raw data set out of files with their splits.
fn assemble(files: Vec<(Role, std::path::PathBuf, SeriesFile)>, options: &ReadOptions) -> Result<Raw, DataError> {
    // `partners` gives at least the file itself.
    let format = files.first().map_or("series", |(_, _, f)| f.format);
    let mut raw = Raw::new(format, options);
    let mut files = files;
    let trailing = files.iter_mut().map(|(_, _, f)| cut_trailing(&mut f.series)).fold(false, |a, b| a | b);
    if trailing {
        raw.note("missing values at the ends of series are taken to say that these are shorter");
    }
    let missing = files.iter().flat_map(|(_, _, f)| &f.series).flat_map(|s| &s.channels).flatten();
    let missing = missing.filter(|v| v.is_nan()).count();
    let training = || {
        let wanted = |role: Role| role == Role::Train || role == Role::All;
        let any = files.iter().any(|(role, _, _)| wanted(*role));
        files.iter().filter(move |(role, _, _)| !any || wanted(*role)).flat_map(|(_, _, f)| &f.series)
    };
    let (length, _) = series::common_length(training(), options);
    let all = files.iter().flat_map(|(_, _, f)| &f.series);
    raw.notes.extend(series::lengths_note(all, length, options));
    if let (true, Some(fill)) = (missing > 0, options.fill_missing) {
        raw.note(format!("{missing} missing value(s) are filled ({})", fill.name()));
    }
    raw.reading.length = Some(length);
    let named = files.first().and_then(|(_, _, f)| f.classes.clone());
    for (role, path, file) in files {
        raw.file(&path);
        let task = options.task.or(file.task);
        let y = (!file.labels.is_empty()).then(|| labels(&path, &file, task)).transpose()?;
        let x = series::pack(file.series, length, options)?;
        raw.parts.push(Part { role, x, y, groups: None, ids: None });
        raw.reading.task = raw.reading.task.or(file.task);
    }
    if raw.reading.task == Some(TaskName::Classification) {
        // Only classes that occur; archives list some that do not.
        let seen = |name: &String| {
            let mut train = raw.parts.iter().filter(|p| p.role != Role::Test);
            train.any(|p| matches!(&p.y, Some(Labels::Names(names)) if names.contains(name)))
        };
        raw.classes = named.filter(|names| names.iter().all(seen));
    }
    Ok(raw)
}

fn labels(path: &Path, file: &SeriesFile, task: Option<TaskName>) -> Result<Labels, DataError> {
    if task != Some(TaskName::Regression) {
        return Ok(Labels::Names(file.labels.clone()));
    }
    let mut data = Vec::with_capacity(file.labels.len());
    for (label, series) in file.labels.iter().zip(&file.series) {
        match number(label).filter(|v| !v.is_nan()) {
            Some(value) => data.push(value),
            None => {
                let reason = format!("the target `{}` is not a number", shown(label));
                return Err(DataError::at(path, Place::Line(series.line), reason));
            }
        }
    }
    let array = Array::new(vec![data.len()], data);
    Ok(Labels::Numbers(RawTargets { name: "targets".into(), array, integral: false }))
}

/// Where the only missing values are at the ends of series, takes them off: archives pad so.
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

/// Reads lines of a label and values, parted by tabs, commas or blanks.
pub(crate) fn parse(path: &Path, text: &str) -> Result<SeriesFile, DataError> {
    let mut file = SeriesFile::new("UCR archive file, label first");
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
            _ => return Err(DataError::at(path, Place::Line(i + 1), "there is no series after the label")),
        };
        let read = |(c, field): (usize, &&str)| {
            number(field).ok_or_else(|| {
                let reason = format!("`{}` is not a number", shown(field));
                DataError::at(path, Place::Cell(i + 1, (c + 2).to_string()), reason)
            })
        };
        let values = values.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        // `1.0000000e+00` is class 1.
        let label = match label.parse::<f64>() {
            Ok(v) if v.is_finite() => v.to_string(),
            _ if label.is_empty() => {
                return Err(DataError::at(path, Place::Cell(i + 1, "1".into()), "there is no label"));
            }
            _ => label.to_owned(),
        };
        file.series.push(Series { channels: vec![values], path: path.into(), line: i + 1, first_column: 2 });
        file.labels.push(label);
    }
    file.task = Some(TaskName::Classification);
    Ok(file)
}
