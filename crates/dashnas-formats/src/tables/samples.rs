//! The columns of inputs as arrays of samples.

use crate::array::Array;
use crate::centers::{Centers, less};
use crate::ends::first_bad;
use crate::error::DataError;
use crate::fill::{Filled, fill_sample};
use crate::options::{Lengths, ReadOptions};
use crate::series::values::{Series, fill, fit};
use crate::spill::Rows;
use crate::tables::arrow::{Kind, kind};
use crate::tables::chunk::{Chunk, Keep};
use crate::tables::draft::{ColumnRoles, Content};
use crate::tables::number::Style;
use crate::tables::row_major::for_rows;
use crate::tables::table::Table;
use arrow_array::{Array as _, ArrayRef};
use dashnas_core::text::{plural, plural_of};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The columns of numbers as one array `[N, C, L]`; counts the missing values that are filled.
///
/// # Errors
/// [`DataError`] with the place of a missing value, or if the array is too large.
pub(crate) fn numbers(
    table: &mut Table,
    used: &ColumnRoles,
    options: &ReadOptions,
    missing: &mut Filled,
) -> Result<Array, DataError> {
    let (n, width) = (table.rows(), used.inputs.len());
    // The rows of recordings are time steps, whose missing values are filled along the time.
    let steps = options.window.is_some();
    let channels = if steps { 1 } else { options.channels.unwrap_or(1) };
    if channels == 0 || !width.is_multiple_of(channels) {
        let reason = format!(
            "{} cannot be divided into {}",
            plural_of(width, "column of inputs", "columns of inputs"),
            plural(channels, "channel")
        );
        return Err(DataError::file(&table.path, reason).with_hint("check `data.channels`"));
    }
    // Samples that keep their lengths may end before the last columns.
    let ends = options.lengths == Lengths::Mask && !steps;
    let lacking = used.inputs.iter().filter_map(|&c| Some((table.columns[c].facts.first_missing?, c)));
    let refuse = |table: &Table, row: usize, c: usize| {
        let hint = "fill missing values with `data.fill-missing` (linear, zero or mean)";
        table.cell_error(row, c, "the value is missing").with_hint(hint)
    };
    if let (Some((row, c)), None, false) = (lacking.min(), options.fill_missing, ends) {
        return Err(refuse(table, row, c));
    }
    let absent: usize = used.inputs.iter().map(|&c| table.columns[c].facts.missing).sum();
    let shape = vec![n, channels, width / channels];
    let (filled, empty) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let fill_row = |row: &mut [f32]| {
        let lacks = |row: &[f32]| row.iter().filter(|v| v.is_nan()).count();
        let before = lacks(row);
        if let Some(how) = options.fill_missing.filter(|_| before > 0 && !steps) {
            let mut here = Filled::default();
            here.add(row, shape[2]);
            empty.fetch_add(here.empty, Ordering::Relaxed);
            fill_sample(row, &shape[1..], how, ends);
            filled.fetch_add(before - lacks(row), Ordering::Relaxed);
        }
    };
    // The first cell that is missing before the end of its row.
    let gap = |row: &[f32]| match ends {
        true => first_bad(row, shape[2]).filter(|_| row.iter().any(|v| v.is_nan())),
        false => None,
    };
    if table.stored {
        let mut rows = Rows::new(&table.path, "table", shape.clone(), options)?;
        let mut at = 0;
        let keep = Keep { numbers: true, style: style(table, options), texts: None, center: 0.0 };
        // The columns of time steps are channels.
        let center = |i: usize| options.centers.of_column(i, width);
        let mut row = vec![0.0; width];
        for segment in table.source.segments(&used.inputs, true) {
            table.source.read(&segment, &mut |batch| {
                let columns: Vec<Chunk> = batch
                    .columns()
                    .iter()
                    .enumerate()
                    .map(|(i, array)| {
                        let mut chunk = Chunk::default();
                        chunk.add(array.as_ref(), Keep { center: center(i), ..keep });
                        chunk
                    })
                    .collect();
                if columns.iter().any(|chunk| chunk.numbers.len() != batch.num_rows()) {
                    return Err(DataError::file(&table.path, "the file has changed while it was read"));
                }
                for r in 0..batch.num_rows() {
                    row.iter_mut().zip(&columns).for_each(|(v, chunk)| *v = chunk.numbers[r]);
                    fill_row(&mut row);
                    if let Some(place) = gap(&row) {
                        return Err(refuse(table, at, used.inputs[place]));
                    }
                    at += 1;
                    rows.push(&row)?;
                }
                Ok(())
            })?;
        }
        missing.values += if steps { absent } else { filled.into_inner() };
        missing.empty += empty.into_inner();
        return complete(table, rows, n * width);
    }
    let kept = table.rows.take();
    let found = kept.and_then(|rows| rows.of(&used.inputs)).filter(|data| data.len() == n * width);
    let mut data = found.ok_or_else(|| DataError::file(&table.path, "its columns differ in their number of rows"))?;
    if absent > 0 {
        for_rows(&mut data, width, fill_row);
    }
    let first = data.chunks(width.max(1)).enumerate().filter(|_| absent > 0).find_map(|(r, row)| Some((r, gap(row)?)));
    if let Some((row, place)) = first {
        return Err(refuse(table, row, used.inputs[place]));
    }
    missing.values += if steps { absent } else { filled.into_inner() };
    missing.empty += empty.into_inner();
    Ok(Array::new(shape, data))
}

/// Returns whether it is known that the inputs of a table are finite numbers, of which none is missing.
pub(crate) fn are_finite(table: &Table, used: &ColumnRoles, options: &ReadOptions) -> bool {
    let finite = |&c: &usize| table.columns[c].facts.is_finite();
    used.content == Content::Numbers && options.centers.inputs.is_empty() && used.inputs.iter().all(finite)
}

/// The way in which the numbers of a table are written.
pub(crate) fn style(table: &Table, options: &ReadOptions) -> Style {
    Style::of_option(options.decimal.as_deref().or(table.decimal.as_deref()))
}

/// The array of these rows, if they are all.
fn complete(table: &Table, rows: Rows, elements: usize) -> Result<Array, DataError> {
    if rows.len() != elements as u128 {
        return Err(DataError::file(&table.path, "the file has changed while it was read"));
    }
    rows.array()
}

/// The number of channels that columns of lists make, and the lengths of the shortest and the longest list.
///
/// # Errors
/// [`DataError`] with the place of a list that is missing or holds something else than numbers.
pub(crate) fn list_shape(table: &Table, used: &ColumnRoles) -> Result<(usize, usize, usize), DataError> {
    let (mut channels, mut min, mut max) = (0, usize::MAX, 0);
    for &c in &used.inputs {
        let facts = &table.columns[c].facts;
        let bad =
            facts.bad_list.map(|row| (row, "the list holds something else than numbers, or another number of lists"));
        let bad = bad.or(facts.first_missing.map(|row| (row, "the list is missing")));
        let bad = bad.or(facts.empty_list.map(|row| (row, "the list is empty")));
        if let Some((row, reason)) = bad {
            return Err(table.cell_error(row, c, reason).with_hint("drop these rows, or write lists of numbers"));
        }
        if facts.texts + facts.numbers + facts.bools > 0 {
            let row = facts.first_text.or(facts.first_number).unwrap_or(0);
            return Err(table.cell_error(row, c, "the value is no list of numbers"));
        }
        if let Some(lists) = facts.lists {
            let (own, length) = match tensor(table, c)? {
                Some([own, length]) if lists.min == lists.max && own.checked_mul(length) == Some(lists.max) => {
                    (own, Some(length))
                }
                _ => (lists.inner.unwrap_or(1), None),
            };
            channels += own;
            (min, max) = (min.min(length.unwrap_or(lists.min)), max.max(length.unwrap_or(lists.max)));
        }
    }
    if channels == 0 || max == 0 {
        return Err(DataError::file(&table.path, "its lists are empty"));
    }
    Ok((channels, min.min(max), max))
}

/// The number of channels and of values of the tensors in a column, if it holds tensors of two axes.
///
/// # Errors
/// [`DataError`] if it holds tensors of more axes.
pub(crate) fn tensor(table: &Table, c: usize) -> Result<Option<[usize; 2]>, DataError> {
    match table.source.tensor(c).as_deref() {
        None | Some([_]) => Ok(None),
        Some(&[channels, length]) if channels > 0 && length > 0 => Ok(Some([channels, length])),
        Some(shape) => {
            let reason = match shape {
                [] => format!(
                    "column {} holds tensors whose axes are in another order than their values",
                    table.called(c)
                ),
                shape => format!(
                    "column {} holds tensors of shape {shape:?}, where channels × length is supported",
                    table.called(c)
                ),
            };
            Err(DataError::file(&table.path, reason).with_hint("save them as an array: numpy.savez(file, x=x, y=y)"))
        }
    }
}

/// The columns of lists as one array `[N, C, length]`; counts the missing values that are filled.
///
/// # Errors
/// [`DataError`] with the place of a missing value, or if the array is too large.
pub(crate) fn lists(
    table: &Table,
    used: &ColumnRoles,
    length: usize,
    options: &ReadOptions,
    missing: &mut Filled,
) -> Result<Array, DataError> {
    let (channels, ..) = list_shape(table, used)?;
    let n = table.rows();
    let tensors = used.inputs.iter().map(|&c| tensor(table, c)).collect::<Result<Vec<_>, _>>()?;
    let mut rows = Rows::new(&table.path, "lists", vec![n, channels, length], options)?;
    let mut line = 0;
    let mut out = Vec::with_capacity(channels * length);
    for segment in table.source.segments(&used.inputs, true) {
        table.source.read(&segment, &mut |batch| {
            for row in 0..batch.num_rows() {
                let mut found = Vec::with_capacity(channels);
                for (array, tensor) in batch.columns().iter().zip(&tensors) {
                    add_lists(array, row, *tensor, &options.centers, &mut found);
                }
                line += 1;
                let mut series = Series { channels: found, path: table.path.clone(), line, first_column: 1 };
                series.channels.iter().for_each(|channel| missing.add(channel, channel.len()));
                let lacking = |v: &Vec<f32>| v.iter().position(|v| v.is_nan());
                if let (Some((channel, at)), None) = (
                    series.channels.iter().enumerate().find_map(|(i, values)| Some((i, lacking(values)?))),
                    options.fill_missing,
                ) {
                    return Err(missing_in_list(table, used, line - 1, channel, at));
                }
                fill(&mut series, options.fill_missing)?;
                out.clear();
                fit(&series, length, options.lengths, &mut out);
                if out.len() != channels * length {
                    return Err(DataError::file(&table.path, "its lists differ in their number of channels"));
                }
                rows.push(&out)?;
            }
            Ok(())
        })?;
    }
    complete(table, rows, n * channels * length)
}

/// The error for a missing value in the list of a channel. The columns make channels in their order.
fn missing_in_list(table: &Table, used: &ColumnRoles, row: usize, channel: usize, at: usize) -> DataError {
    let mut first = 0;
    let column = used.inputs.iter().copied().find(|&c| {
        let tensor = tensor(table, c).ok().flatten().map(|[channels, _]| channels);
        let channels = tensor.or(table.columns[c].facts.lists.and_then(|lists| lists.inner)).unwrap_or(1);
        first += channels;
        channel < first
    });
    let reason = format!("value {} of the list is missing", at + 1);
    table
        .cell_error(row, column.unwrap_or(0), reason)
        .with_hint("fill missing values with `data.fill-missing` (linear, zero or mean)")
}

/// Adds the list in a row as a channel, or each of its lists, or of the rows of a tensor, as one.
fn add_lists(array: &ArrayRef, row: usize, tensor: Option<[usize; 2]>, centers: &Centers, out: &mut Vec<Vec<f32>>) {
    let center = |channel: usize| centers.inputs.get(channel).copied().unwrap_or(0.0);
    let Kind::Lists(lists) = kind(array.as_ref()) else { return };
    let Some(list) = lists.get(row) else { return };
    match kind(list.as_ref()) {
        Kind::Lists(inner) => {
            for list in (0..list.len()).filter_map(|i| inner.get(i)) {
                let center = center(out.len());
                out.push(values(list.as_ref(), |_| center));
            }
        }
        _ => match tensor {
            Some([_, length]) => {
                let first = out.len();
                let values = values(list.as_ref(), |i| center(first + i / length));
                out.extend(values.chunks(length).map(<[f32]>::to_vec));
            }
            None => {
                let center = center(out.len());
                out.push(values(list.as_ref(), |_| center));
            }
        },
    }
}

/// The numbers of a list less the center of each, NaN where one is missing.
fn values(list: &dyn arrow_array::Array, center: impl Fn(usize) -> f64) -> Vec<f32> {
    match kind(list) {
        Kind::Numbers(numbers) => {
            (0..list.len()).map(|i| numbers.get(i).map_or(f32::NAN, |v| numbers.less(i, v, center(i)))).collect()
        }
        Kind::Bools(bools) => {
            let number = |i| less(f64::from(u8::from(bools.value(i))), center(i));
            let value = |i| if bools.is_valid(i) { number(i) } else { f32::NAN };
            (0..list.len()).map(value).collect()
        }
        _ => Vec::new(),
    }
}

/// The sequences of a table, from one column of sequences or from columns of one letter each.
///
/// # Errors
/// Those of reading the columns.
pub(crate) fn sequences(table: &Table, used: &ColumnRoles, options: &ReadOptions) -> Result<Vec<String>, DataError> {
    let mut rows = vec![String::new(); table.rows()];
    for texts in table.read_texts(&used.inputs, options)? {
        rows.iter_mut().zip(texts).for_each(|(row, text)| row.push_str(&text));
    }
    Ok(rows)
}
