//! Warnings about values of which nearly all are large and vary little, where a few others hide it: zeros that stand for
//! missing values, padding, outliers, and other columns of a table.

use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::centers::{EXACT, loses_digits, step};
use dashnas_formats::error::DataError;

/// Most rows that are looked at.
const ROWS: usize = 1024;
/// Most values of one channel that are looked at.
const VALUES: usize = 1 << 14;
/// Fewest values that tell what is usual.
const FEWEST: usize = 20;
/// Most columns of a table that are looked at one by one.
const COLUMNS: usize = 4096;

/// The warning about the first channel of `[N, C, …]`, or the first of these columns of a table, of which nine tenths of the
/// values other than 0 lose digits as 32-bit numbers.
///
/// # Errors
/// [`DataError::Gone`] if the rows are in a file that can no longer be read.
pub(crate) fn bulk(x: &Array, columns: &[&str], called: &Called) -> Result<Option<String>, DataError> {
    let channels = x.shape.get(1).copied().unwrap_or(1).max(1);
    let plane = x.shape.iter().skip(2).product::<usize>().max(1);
    let every = x.rows().div_ceil(ROWS).max(1);
    let some = x.rows().div_ceil(every).max(1);
    // Of long samples some values are looked at, of which the distance is no multiple of a usual period.
    let stride = match plane.saturating_mul(some) / VALUES {
        0 => 1,
        more => more + 1,
    } | 1;
    let by_column = columns.len() == channels * plane && columns.len() <= COLUMNS;
    let mut of_channels = vec![Vec::new(); channels];
    let mut of_columns = vec![Vec::new(); if by_column { columns.len() } else { 0 }];
    for row in (0..x.rows()).step_by(every) {
        let row = x.fetch(row)?;
        of_channels.iter_mut().zip(row.chunks(plane)).for_each(|(known, values): (&mut Vec<f32>, _)| {
            known.extend(values.iter().step_by(stride).filter(|v| v.is_finite() && **v != 0.0));
        });
        of_columns.iter_mut().zip(row.iter()).for_each(|(known, &v): (&mut Vec<f32>, _)| {
            known.extend(Some(v).filter(|v| v.is_finite() && *v != 0.0));
        });
    }
    for (c, values) in of_channels.into_iter().enumerate() {
        if let Some(text) = lost(values) {
            return Ok(Some(format!(
                "most values of {} {text}; zeros, padding or outliers among them keep the {} from being read relative to a \
                 number: remove them or leave missing values out, or subtract an offset in the file",
                called.one(c),
                called.noun()
            )));
        }
    }
    for (name, values) in columns.iter().zip(of_columns) {
        if let Some(text) = lost(values) {
            return Ok(Some(format!(
                "most values of column `{name}` {text}; the other columns of its channel have other values, which keeps it \
                 from being read relative to a number: subtract an offset from the column in the file"
            )));
        }
    }
    Ok(None)
}

/// What is lost of nine tenths of these values, as the rest of a sentence.
fn lost(mut values: Vec<f32>) -> Option<String> {
    if values.len() < FEWEST {
        return None;
    }
    values.sort_unstable_by(f32::total_cmp);
    let middle = &values[values.len() / 20..values.len() - values.len() / 20];
    let (min, max) = (f64::from(*middle.first()?), f64::from(*middle.last()?));
    let most = min.abs().max(max.abs());
    // Whole numbers below this one are exact.
    if !loses_digits(min, max) || (most < EXACT && middle.iter().all(|v| v.fract() == 0.0)) {
        return None;
    }
    let spread = match max - min {
        0.0 => "less than a step".to_owned(),
        spread => format!("{} at most", short(spread as f32)),
    };
    Some(format!(
        "are near {} and differ by {spread}: read as 32-bit numbers, they are rounded to steps of {}, and smaller changes are \
         lost",
        short(most as f32),
        short(step(min, max) as f32)
    ))
}

/// A positive number with three digits.
pub(crate) fn short(v: f32) -> String {
    if (0.01..1e5).contains(&v) { format!("{v:.2}") } else { format!("{v:.2e}") }
}
