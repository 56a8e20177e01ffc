//! Tables of one sample a row: which column is the label, which are the inputs.

use super::parquet::Parquet;
use super::series::{self, Series, is_missing};
use super::{columns, onehot, pairs};
use crate::config::TaskName;
use crate::data::infer::RawTargets;
use crate::data::raw::{Labels, Part, Raw, Role};
use crate::data::spill::Rows;
use crate::data::{Array, DataError, Lengths, Place, ReadOptions};
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A column's values; a missing number is NaN.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Numbers(Vec<f32>),
    Text(Vec<String>),
    /// Numbers that are left in the file.
    Stored(Digest),
}

/// What is to be known of numbers that are not in memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Digest {
    len: usize,
    /// Different values, as far as it matters how many there are.
    distinct: usize,
    whole: bool,
    counts: bool,
}

impl Digest {
    pub fn of(v: &[f32]) -> Self {
        Self { len: v.len(), distinct: distinct(v), whole: whole(v), counts: counts(v) }
    }
}

/// Different values; beyond what a label may have, only that there are more.
fn distinct(v: &[f32]) -> usize {
    let enough = 1000.max(v.len() / 100);
    let mut seen = HashSet::new();
    for value in v {
        seen.insert(value.to_bits());
        if seen.len() > enough {
            break;
        }
    }
    seen.len()
}

fn whole(v: &[f32]) -> bool {
    v.iter().all(|v| v.fract() == 0.0)
}

/// Whether each value is one more than that before it.
fn counts(v: &[f32]) -> bool {
    v.windows(2).all(|w| w[1] == w[0] + 1.0)
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(v) => v.len(),
            Values::Text(v) => v.len(),
            Values::Stored(digest) => digest.len,
        }
    }

    pub fn is_text(&self) -> bool {
        matches!(self, Values::Text(_))
    }

    /// The values as texts; columns of which they are needed are in memory.
    fn texts(&self) -> Vec<String> {
        match self {
            Values::Numbers(v) => v.iter().map(f32::to_string).collect(),
            Values::Text(v) => v.clone(),
            Values::Stored(_) => Vec::new(),
        }
    }

    fn distinct(&self) -> usize {
        match self {
            Values::Numbers(v) => distinct(v),
            Values::Text(v) => v.iter().collect::<HashSet<_>>().len(),
            Values::Stored(digest) => digest.distinct,
        }
    }

    fn whole(&self) -> bool {
        match self {
            Values::Numbers(v) => whole(v),
            Values::Text(_) => false,
            Values::Stored(digest) => digest.whole,
        }
    }

    fn counts(&self) -> bool {
        match self {
            Values::Numbers(v) => counts(v),
            Values::Text(_) => false,
            Values::Stored(digest) => digest.counts,
        }
    }
}

/// Columns of equal length.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub path: PathBuf,
    pub columns: Vec<(String, Values)>,
    /// Whether the columns have names; else they are called by their number from 1.
    pub named: bool,
    /// The line of each row, from 1.
    pub lines: Vec<u32>,
    /// The file that [`Values::Stored`] are in.
    pub stored: Option<Arc<Parquet>>,
}

impl Table {
    /// Takes a column into memory.
    fn load(&mut self, c: usize) -> Result<(), DataError> {
        if let (Values::Stored(_), Some(file)) = (&self.columns[c].1, &self.stored) {
            self.columns[c].1 = file.column(c, 0..file.groups())?;
        }
        Ok(())
    }

    /// Parts that the rows are in.
    fn parts(&self) -> usize {
        self.stored.as_ref().map_or(1, |file| file.groups())
    }

    /// The values of a column in one of the parts.
    fn part(&self, c: usize, part: usize) -> Result<Cow<'_, Values>, DataError> {
        match &self.stored {
            None => Ok(Cow::Borrowed(&self.columns[c].1)),
            Some(file) => file.column(c, part..part + 1).map(Cow::Owned),
        }
    }
}

const LABELS: [&str; 9] = ["label", "labels", "class", "target", "y", "category", "outcome", "species", "diagnosis"];
const GROUPS: [&str; 4] = ["group", "groups", "subject", "patient"];
const IDS: [&str; 5] = ["", "id", "index", "unnamed: 0", "row"];

/// What the columns are.
pub(crate) struct Plan {
    pub label: Option<usize>,
    pub group: Option<usize>,
    pub inputs: Vec<usize>,
    pub sequences: bool,
    pub notes: Vec<String>,
}

/// Reads a file and its partners; `parse` turns one into a table.
pub(crate) fn read(
    path: &Path,
    format: &str,
    options: &ReadOptions,
    labelled: bool,
    parse: impl Fn(&Path) -> Result<Table, DataError>,
) -> Result<Raw, DataError> {
    let mut tables = Vec::new();
    for (role, path) in pairs::partners(path, !labelled)? {
        tables.push((role, parse(&path)?));
    }
    // `partners` gives at least the file itself, training first.
    let plan = match &options.columns {
        Some(known) if !labelled => columns::plan(&tables[0].1, known, options)?,
        _ => plan(&tables[0].1, options, labelled)?,
    };
    let mut raw = Raw::new(format, options);
    if labelled {
        columns::record(&tables[0].1, &plan, &mut raw.reading);
    } else if !plan.sequences {
        columns::check_width(&tables[0].1, &plan, options)?;
    }
    raw.notes.clone_from(&plan.notes);
    for (_, table) in &mut tables {
        let all = table.columns.len();
        let needed = plan.label.into_iter().chain(plan.group);
        needed.filter(|&c| c < all).try_for_each(|c| table.load(c))?;
    }
    for (_, table) in &tables {
        same_columns(&tables[0].1, table, plan.label)?;
        raw.file(&table.path);
    }
    let (length, alphabet) = sizes(&tables, &plan, &mut raw);
    let mut missing = 0;
    for (role, table) in tables {
        let x = if plan.sequences {
            let rows = sequences(&table, &plan);
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            onehot::encode(&table.path, &rows, &alphabet, length, options)?
        } else {
            numbers(&table, &plan, options, &mut missing)?
        };
        let y = match plan.label.map(|c| labels(&table, c, options)) {
            // Labels that need not be there need not be good.
            Some(y) if !labelled => y.ok(),
            y => y.transpose()?,
        };
        let groups = plan.group.map(|c| table.columns[c].1.texts());
        raw.parts.push(Part { role, x, y, groups, ids: None });
    }
    if let (1.., Some(fill)) = (missing, options.fill_missing) {
        raw.note(format!("{missing} missing value(s) are filled ({})", fill.name()));
    }
    Ok(raw)
}

/// The column that an option names, or gives the position of.
fn column(table: &Table, wanted: &str, what: &str) -> Result<usize, DataError> {
    if let Some(i) = table.columns.iter().position(|(name, _)| table.named && name == wanted) {
        return Ok(i);
    }
    let n = table.columns.len() as i64;
    if let Some(i) = wanted.parse::<i64>().ok().filter(|i| (-n..n).contains(i)) {
        return Ok(i.rem_euclid(n) as usize);
    }
    let names: Vec<_> = table.columns.iter().map(|(name, _)| name.clone()).collect();
    let names = if names.len() > 12 { format!("{}, …", names[..12].join(", ")) } else { names.join(", ") };
    Err(DataError::file(&table.path, format!("there is no {what} column `{wanted}` (columns: {names})"))
        .with_hint("columns are given by name, or by position from 0 (-1: the last)"))
}

fn plan(table: &Table, options: &ReadOptions, labelled: bool) -> Result<Plan, DataError> {
    let mut notes = Vec::new();
    let of = |known: &[&str]| {
        let named = |(name, _): &(String, Values)| known.contains(&name.to_ascii_lowercase().as_str());
        table.columns.iter().position(named).filter(|_| table.named)
    };
    let group = match &options.group {
        Some(wanted) if labelled => Some(column(table, wanted, "group")?),
        Some(wanted) => column(table, wanted, "group").ok(),
        None => of(&GROUPS),
    };
    if let (Some(c), None) = (group, &options.group) {
        notes.push(format!("column `{}` is taken for groups that no split divides", table.columns[c].0));
    }
    let label = match &options.targets {
        Some(wanted) if labelled => Some(column(table, wanted, "label")?),
        Some(wanted) => column(table, wanted, "label").ok(),
        // Where there need not be a label, what looks like one may be an input.
        None => of(&LABELS).or_else(|| guess_label(table).filter(|_| labelled)),
    };
    let Some(label) = label.or((!labelled).then_some(usize::MAX)) else {
        return Err(DataError::file(&table.path, "it is not clear which column is the label")
            .with_hint("say it with --targets NAME, or by position from 0 (-1: the last)"));
    };
    let label = Some(label).filter(|&l| l != usize::MAX);
    let free = |c: &usize| Some(*c) != label && Some(*c) != group;
    let is_sequence = |c: &usize| match &table.columns[*c].1 {
        Values::Text(v) => v.iter().all(|s| onehot::is_sequence(s)),
        _ => false,
    };
    let is_letter = |c: &usize| match &table.columns[*c].1 {
        Values::Text(v) => v.iter().all(|s| s.len() == 1 && s.as_bytes()[0].is_ascii_alphabetic()),
        _ => false,
    };
    let all: Vec<usize> = (0..table.columns.len()).filter(free).collect();
    let mut whole: Vec<usize> = all.iter().copied().filter(is_sequence).collect();
    if whole.len() > 1 {
        whole.retain(|&c| {
            ["sequence", "seq", "dna", "protein"].contains(&table.columns[c].0.to_ascii_lowercase().as_str())
        });
    }
    let letters: Vec<usize> = all.iter().copied().filter(is_letter).collect();
    let numbers: Vec<usize> = all
        .iter()
        .copied()
        .filter(|&c| !(table.columns[c].1.is_text() || table.named && is_id(&table.columns[c])))
        .collect();
    let (inputs, sequences) = match (&whole[..], letters.len() >= 8) {
        ([_], _) => (whole, true),
        (_, true) => (letters, true),
        _ => (numbers, false),
    };
    if let Some(label) = label {
        let name = if table.named { format!("`{}`", table.columns[label].0) } else { format!("{}", label + 1) };
        notes.push(format!("column {name} is the label"));
    }
    let ignored: Vec<&str> =
        all.iter().filter(|c| !inputs.contains(c)).map(|&c| table.columns[c].0.as_str()).take(8).collect();
    if !ignored.is_empty() {
        if let (false, Some(&c)) = (sequences, all.iter().find(|c| text_with_numbers(&table.columns[**c].1))) {
            return Err(not_a_number(table, c));
        }
        notes.push(format!("ignored column(s): {}", ignored.join(", ")));
    }
    if inputs.is_empty() || (inputs.len() == 1 && !sequences) {
        let (reason, hint) = match inputs.first() {
            Some(&c) => (
                format!(
                    "the only column of inputs is `{}`: each row would be a series of one value",
                    table.columns[c].0
                ),
                "a table has one sample a row; a recording with one time step a row has to be cut into windows first",
            ),
            None => (
                "there is no column of numbers or sequences besides the label".into(),
                "a table has one sample a row; if it has the labels of files beside it, give their folder instead",
            ),
        };
        return Err(DataError::file(&table.path, reason).with_hint(hint));
    }
    Ok(Plan { label, group, inputs, sequences, notes })
}

/// A text column that is nearly all numbers: one of them is misspelt.
fn text_with_numbers(values: &Values) -> bool {
    let Values::Text(v) = values else { return false };
    v.iter().filter(|s| series::number(s).is_some()).count() * 10 > v.len() * 5
}

pub(crate) fn not_a_number(table: &Table, c: usize) -> DataError {
    let (name, values) = &table.columns[c];
    let texts = values.texts();
    let row = texts.iter().position(|s| series::number(s).is_none()).unwrap_or(0);
    let place = Place::Cell(table.lines.get(row).map_or(row + 1, |&l| l as usize), name.clone());
    DataError::at(&table.path, place, format!("`{}` is not a number", super::ts::shown(&texts[row])))
}

/// A column of row numbers.
fn is_id((name, values): &(String, Values)) -> bool {
    names_ids(name) && values.counts()
}

/// Whether a column of this name says which sample it is.
pub(crate) fn names_ids(name: &str) -> bool {
    IDS.contains(&name.to_ascii_lowercase().as_str())
}

/// The column that is most likely the label, where no name tells: the only text that repeats, else
/// whole numbers of which there are few, last or first.
fn guess_label(table: &Table) -> Option<usize> {
    let n = table.columns.len();
    let few = |c: usize| {
        let values = &table.columns[c].1;
        let distinct = values.distinct();
        distinct >= 2 && distinct <= 100.max(values.len() / 100) && distinct * 2 <= values.len()
    };
    let text = |c: &usize| table.columns[*c].1.is_text() && few(*c);
    let texts: Vec<usize> = (0..n).filter(text).collect();
    if let [only] = texts[..] {
        return Some(only);
    }
    let whole = |c: &usize| table.columns[*c].1.whole() && few(*c);
    // A table of whole numbers throughout says nothing.
    let candidates: Vec<usize> = [n - 1, 0].into_iter().filter(whole).collect();
    candidates.first().copied().filter(|_| (0..n).filter(whole).count() * 2 < n.max(3))
}

fn same_columns(first: &Table, other: &Table, label: Option<usize>) -> Result<(), DataError> {
    let differ = |i: usize| {
        let (a, b) = (&first.columns[i], &other.columns[i]);
        a.0 != b.0 || (Some(i) != label && a.1.is_text() != b.1.is_text())
    };
    let (n, m) = (first.columns.len(), other.columns.len());
    if n != m {
        let reason = format!("it has {m} columns, {} has {n}", first.path.display());
        return Err(DataError::file(&other.path, reason));
    }
    match (0..n).find(|&i| differ(i)) {
        None => Ok(()),
        Some(i) => {
            let reason = format!("column {} (`{}`) is not as in {}", i + 1, other.columns[i].0, first.path.display());
            Err(DataError::file(&other.path, reason).with_hint("training and test tables need the same columns"))
        }
    }
}

/// The sequences of a table, from one column or a letter a column.
fn sequences(table: &Table, plan: &Plan) -> Vec<String> {
    let n = table.columns[plan.inputs[0]].1.len();
    let mut rows = vec![String::new(); n];
    for &c in &plan.inputs {
        if let Values::Text(values) = &table.columns[c].1 {
            rows.iter_mut().zip(values).for_each(|(row, v)| row.push_str(v));
        }
    }
    rows
}

/// Length and alphabet of sequences, decided on training data and written into the options.
fn sizes(tables: &[(Role, Table)], plan: &Plan, raw: &mut Raw) -> (usize, String) {
    if !plan.sequences {
        return (0, String::new());
    }
    let rows = sequences(&tables[0].1, plan);
    note_sequences(rows.iter().map(String::as_str), raw)
}

/// Decides length and alphabet of sequences by the training ones and says so.
pub(crate) fn note_sequences<'a>(rows: impl Iterator<Item = &'a str> + Clone, raw: &mut Raw) -> (usize, String) {
    let options = &mut raw.reading;
    let lens = rows.clone().map(str::len);
    let (min, max) = (lens.clone().min().unwrap_or(0), lens.max().unwrap_or(0));
    let length = options.length.unwrap_or(if options.lengths == Lengths::Truncate { min } else { max });
    let alphabet = options.alphabet.clone().unwrap_or_else(|| onehot::alphabet(rows.clone()).to_owned());
    (options.length, options.alphabet) = (Some(length), Some(alphabet.clone()));
    raw.note(format!("sequences are one-hot over {alphabet}; other letters are zeros"));
    if min < max {
        raw.note(format!("sequences are {min} to {max} long: brought to {length}, zeros at the end"));
    }
    (length, alphabet)
}

fn numbers(table: &Table, plan: &Plan, options: &ReadOptions, missing: &mut usize) -> Result<Array, DataError> {
    let n = table.columns[plan.inputs[0]].1.len();
    let width = plan.inputs.len();
    let channels = options.channels.unwrap_or(1);
    if !width.is_multiple_of(channels) {
        let reason = format!("{width} columns of inputs cannot be divided into {channels} channels");
        return Err(DataError::file(&table.path, reason).with_hint("check --channels"));
    }
    let shape = vec![n, channels, width / channels];
    let mut rows = Rows::new(&table.path, "table", shape, options)?;
    let mut before = 0;
    for part in 0..table.parts() {
        let columns = plan.inputs.iter().map(|&c| table.part(c, part)).collect::<Result<Vec<_>, _>>()?;
        let len = columns[0].len();
        for row in 0..len {
            let value = |values: &Cow<'_, Values>| match &**values {
                Values::Numbers(v) => v[row],
                _ => f32::NAN,
            };
            let values: Vec<f32> = columns.iter().map(value).collect();
            let at = before + row;
            let line = table.lines.get(at).map_or(at + 1, |&l| l as usize);
            if let (Some(c), None) = (values.iter().position(|v| v.is_nan()), options.fill_missing) {
                let place = Place::Cell(line, table.columns[plan.inputs[c]].0.clone());
                return Err(DataError::at(&table.path, place, "the value is missing")
                    .with_hint("fill missing values with --fill-missing linear, zero or mean"));
            }
            *missing += values.iter().filter(|v| v.is_nan()).count();
            let channels = values.chunks(width / channels).map(<[f32]>::to_vec).collect();
            let mut series = Series { channels, path: table.path.clone(), line, first_column: 1 };
            series::fill(&mut series, options.fill_missing)?;
            series.channels.iter().try_for_each(|c| rows.push(c))?;
        }
        before += len;
    }
    rows.array()
}

/// Labels: classes by name where they are text or few whole numbers, else numbers.
fn labels(table: &Table, c: usize, options: &ReadOptions) -> Result<Labels, DataError> {
    let (name, values) = &table.columns[c];
    let absent = match values {
        Values::Numbers(v) => v.iter().position(|v| v.is_nan()),
        Values::Text(v) => v.iter().position(|v| is_missing(v)),
        // A label is in memory.
        Values::Stored(_) => None,
    };
    if let Some(row) = absent {
        let place = Place::Cell(table.lines.get(row).map_or(row + 1, |&l| l as usize), name.clone());
        return Err(DataError::at(&table.path, place, "the label is missing").with_hint("drop these rows"));
    }
    let classes = match options.task {
        Some(task) => task == TaskName::Classification,
        None => values.is_text() || (values.whole() && values.distinct() <= 1000.min(values.len() / 2 + 1)),
    };
    match values {
        Values::Numbers(v) if !classes => {
            let array = Array::new(vec![v.len()], v.clone());
            Ok(Labels::Numbers(RawTargets { name: name.clone(), array, integral: false }))
        }
        _ => Ok(Labels::Names(values.texts())),
    }
}
