//! The times of the rows of a table.

use crate::error::DataError;
use crate::places::Times;
use crate::tables::moments;
use crate::tables::number::{Style, is_missing, number};
use crate::tables::table::Table;
use crate::tables::units;
use crate::tables::units::Unit;
use crate::text::excerpt;
use chrono::DateTime;

/// The times in a column.
#[derive(Debug, Clone)]
pub(crate) struct RowTimes {
    /// The time of each row, in units of its own.
    pub values: Vec<f64>,
    /// Units in a second.
    pub per_second: f64,
    /// What the numbers are, such as milliseconds; `None` of dates, and if it is not known.
    pub unit: Option<String>,
    /// Whether numbers are taken for seconds because their unit is not known.
    pub assumed: bool,
    /// The texts of dates.
    texts: Option<Vec<String>>,
}

impl RowTimes {
    /// The times of some rows as they are in the file.
    pub fn of(&self, rows: &[usize]) -> Times {
        match &self.texts {
            Some(texts) => Times::Texts(rows.iter().map(|&row| texts[row].clone()).collect()),
            None => Times::Numbers(rows.iter().map(|&row| self.values[row]).collect()),
        }
    }
}

/// Reads the times in a column, whose texts were read. Without a unit that is `given`, that of numbers is the one at the end
/// of the name of the column, otherwise that of Unix times of their size.
///
/// # Errors
/// [`DataError::File`] with the first cell that is missing or no time, and if a unit is given for dates.
pub(crate) fn read(
    table: &Table,
    c: usize,
    texts: Vec<String>,
    style: Style,
    given: Option<&Unit>,
) -> Result<RowTimes, DataError> {
    let column = &table.columns[c];
    let bad = |row: usize, text: &str| {
        let missing = is_missing(text);
        let reason =
            if missing { "the time is missing".to_owned() } else { format!("`{}` is not a time", excerpt(text)) };
        let hint =
            "times are numbers, or dates such as 2024-01-31T10:00:00.5; without `data.time` the rows are in order";
        table.cell_error(row, c, reason).with_hint(hint)
    };
    if let (Some(unit), true) = (given, column.facts.temporal || !column.facts.is_numeric()) {
        let reason = format!("column {} holds dates or times of day, but no {}", table.called(c), unit.called);
        return Err(DataError::file(&table.path, reason)
            .with_hint("name the column without a unit in `data.time`: only numbers have one"));
    }
    let mut values = Vec::with_capacity(texts.len());
    if column.facts.is_numeric() {
        for (row, text) in texts.iter().enumerate() {
            values.push(number(text, style).ok_or_else(|| bad(row, text))?);
        }
        if column.facts.temporal {
            // Typed times are in days.
            let seconds: Vec<f64> = values.iter().map(|days| days * 86_400.0).collect();
            let moment = |s: &f64| DateTime::from_timestamp_micros((s * 1e6).round() as i64);
            let text =
                |s| moment(s).map_or_else(String::new, |m| m.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string());
            let texts = Some(seconds.iter().map(text).collect());
            return Ok(RowTimes { values: seconds, per_second: 1.0, unit: None, assumed: false, texts });
        }
        let (min, max) = (column.facts.min, column.facts.max);
        // A name that makes the times later than all Unix times is wrong.
        let possible = |unit: &&Unit| units::unix(min, max).is_none() || max <= units::LAST * unit.per_second;
        let named = || Some(units::of_name(&column.name).filter(|_| table.named)?.1).filter(possible);
        let (per_second, unit) = if let Some(unit) = given.or_else(named) {
            (unit.per_second, Some(unit.called.to_owned()))
        } else if let Some(unit) = units::unix(min, max) {
            (unit.per_second, Some(format!("Unix times in {}", unit.called)))
        } else {
            (1.0, None)
        };
        let assumed = unit.is_none();
        return Ok(RowTimes { values, per_second, unit, assumed, texts: None });
    }
    let flaw = |(row, reason, hint): moments::Flaw| table.cell_error(row, c, reason).with_hint(hint);
    let values = moments::times(&texts, style).map_err(flaw)?;
    Ok(RowTimes { values, per_second: 1.0, unit: None, assumed: false, texts: Some(texts) })
}
