//! Reads tables of one sample a row.

use crate::array::Array;
use crate::error::{DataError, Location};
use crate::found::{Labels, NumericTargets, UnassembledData, UnassembledSplit};
use crate::options::ReadOptions;
use crate::partners;
use crate::role::Role;
use crate::sequences::onehot;
use crate::series::values;
use crate::series::values::{Series, is_missing};
use crate::spill::Rows;
use crate::tables::table::{ColumnRoles, Table, Values};
use crate::tables::{columns, roles};
use dashnas_core::names::TaskName;
use dashnas_core::text::plural;
use std::borrow::Cow;
use std::path::Path;

/// Reads a file and those that belong to it; `parse` reads the table in one file.
///
/// # Errors
/// [`DataError`] with the file, the line and the column.
pub(crate) fn read(
    path: &Path,
    format: &str,
    options: &ReadOptions,
    labeled: bool,
    parse: impl Fn(&Path) -> Result<Table, DataError>,
) -> Result<UnassembledData, DataError> {
    let mut tables = Vec::new();
    for (role, path) in partners::partners(path, !labeled)? {
        tables.push((role, parse(&path)?));
    }
    // `partners` gives at least the file itself, training first.
    let used = match &options.columns {
        Some(known) if !labeled => columns::find(&tables[0].1, known, options)?,
        _ => roles::assign(&tables[0].1, options, labeled)?,
    };
    let mut raw = UnassembledData::new(format, options);
    if labeled {
        columns::record(&tables[0].1, &used, &mut raw.reading);
    } else if !used.sequences {
        columns::check_width(&tables[0].1, &used, options)?;
    }
    raw.notes.clone_from(&used.notes);
    for (_, table) in &mut tables {
        let all = table.columns.len();
        let needed = used.label.into_iter().chain(used.group);
        needed.filter(|&c| c < all).try_for_each(|c| table.load(c))?;
    }
    for (_, table) in &tables {
        same_columns(&tables[0].1, table, used.label)?;
        raw.file(&table.path);
    }
    let (length, alphabet) = sizes(&tables, &used, &mut raw);
    let mut missing = 0;
    for (role, table) in tables {
        let x = if used.sequences {
            let rows = sequences(&table, &used);
            let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
            onehot::encode(&table.path, &rows, &alphabet, length, options)?
        } else {
            numbers(&table, &used, options, &mut missing)?
        };
        let y = match used.label.map(|c| labels(&table, c, options)) {
            // Labels that need not be there need not be good.
            Some(y) if !labeled => y.ok(),
            y => y.transpose()?,
        };
        let groups = used.group.map(|c| table.columns[c].1.texts());
        raw.parts.push(UnassembledSplit { role, x, y, groups, ids: None });
    }
    if let (1.., Some(fill)) = (missing, options.fill_missing) {
        raw.note(format!("filled {} ({})", plural(missing, "missing value"), fill.name()));
    }
    Ok(raw)
}

/// Refuses a table whose columns are not those of the training table.
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
            let reason = format!("column {} (`{}`) differs from {}", i + 1, other.columns[i].0, first.path.display());
            Err(DataError::file(&other.path, reason).with_hint("training and test tables need the same columns"))
        }
    }
}

/// The sequences of a table, from one column of sequences or from columns of one letter each.
fn sequences(table: &Table, used: &ColumnRoles) -> Vec<String> {
    let n = table.columns[used.inputs[0]].1.len();
    let mut rows = vec![String::new(); n];
    for &c in &used.inputs {
        if let Values::Text(values) = &table.columns[c].1 {
            rows.iter_mut().zip(values).for_each(|(row, v)| row.push_str(v));
        }
    }
    rows
}

/// Chooses the length and the alphabet of sequences by the training table and writes them into the options.
fn sizes(tables: &[(Role, Table)], used: &ColumnRoles, raw: &mut UnassembledData) -> (usize, String) {
    if !used.sequences {
        return (0, String::new());
    }
    let rows = sequences(&tables[0].1, used);
    onehot::choose_encoding(rows.iter().map(String::as_str), raw)
}

/// The columns of inputs as one array `[N, C, L]`; counts the missing values that are filled.
fn numbers(table: &Table, used: &ColumnRoles, options: &ReadOptions, missing: &mut usize) -> Result<Array, DataError> {
    let n = table.columns[used.inputs[0]].1.len();
    let width = used.inputs.len();
    let channels = options.channels.unwrap_or(1);
    if !width.is_multiple_of(channels) {
        let reason = format!("{width} columns of inputs cannot be divided into {channels} channels");
        return Err(DataError::file(&table.path, reason).with_hint("check `data.channels`"));
    }
    let shape = vec![n, channels, width / channels];
    let mut rows = Rows::new(&table.path, "table", shape, options)?;
    let mut before = 0;
    for group in 0..table.groups() {
        let columns = used.inputs.iter().map(|&c| table.group(c, group)).collect::<Result<Vec<_>, _>>()?;
        let len = columns[0].len();
        for row in 0..len {
            let value = |values: &Cow<'_, Values>| match &**values {
                Values::Numbers(v) => v[row],
                _ => f32::NAN,
            };
            let values: Vec<f32> = columns.iter().map(value).collect();
            let at = before + row;
            let line = table.line(at);
            if let (Some(c), None) = (values.iter().position(|v| v.is_nan()), options.fill_missing) {
                let location = Location::Cell(line, table.columns[used.inputs[c]].0.clone());
                return Err(DataError::at(&table.path, location, "the value is missing")
                    .with_hint("fill missing values with `data.fill-missing` (linear, zero or mean)"));
            }
            *missing += values.iter().filter(|v| v.is_nan()).count();
            let channels = values.chunks(width / channels).map(<[f32]>::to_vec).collect();
            let mut series = Series { channels, path: table.path.clone(), line, first_column: 1 };
            values::fill(&mut series, options.fill_missing)?;
            series.channels.iter().try_for_each(|c| rows.push(c))?;
        }
        before += len;
    }
    rows.array()
}

/// The labels in a column: names of classes where they are texts or few whole numbers, numbers otherwise.
fn labels(table: &Table, c: usize, options: &ReadOptions) -> Result<Labels, DataError> {
    let (name, values) = &table.columns[c];
    let absent = match values {
        Values::Numbers(v) => v.iter().position(|v| v.is_nan()),
        Values::Text(v) => v.iter().position(|v| is_missing(v)),
        // A label is in memory.
        Values::Stored(_) => None,
    };
    if let Some(row) = absent {
        let location = Location::Cell(table.line(row), name.clone());
        return Err(DataError::at(&table.path, location, "the label is missing").with_hint("drop these rows"));
    }
    let classes = match options.task {
        Some(task) => task == TaskName::Classification,
        None => values.is_text() || (values.all_whole() && values.count_distinct() <= 1000.min(values.len() / 2 + 1)),
    };
    match values {
        Values::Numbers(v) if !classes => {
            let array = Array::new(vec![v.len()], v.clone());
            Ok(Labels::Numbers(NumericTargets { name: name.clone(), array, integral: false }))
        }
        _ => Ok(Labels::Names(values.texts())),
    }
}
