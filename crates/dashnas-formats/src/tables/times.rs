//! The times of the rows of a table.

use crate::error::DataError;
use crate::places::Times;
use crate::tables::moments;
use crate::tables::number::{Style, is_missing, number};
use crate::tables::table::Table;
use crate::text::excerpt;
use chrono::DateTime;

/// The times in a column.
#[derive(Debug, Clone)]
pub(crate) struct RowTimes {
    /// The time of each row, in units of its own.
    pub values: Vec<f64>,
    /// Units in a second.
    pub per_second: f64,
    /// Whether the unit is taken for granted.
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

/// Units in a second of numbers in a column of this name: of Unix times by their size, of others by the end of the name.
/// `None` if nothing tells.
fn unit(name: &str, min: f64, max: f64) -> Option<f64> {
    let (from, to) = (946_684_800.0, 4_102_444_800.0);
    let unix = [1.0, 1e3, 1e6, 1e9].into_iter().find(|unit| min >= from * unit && max <= to * unit);
    let name = name.trim().trim_end_matches([')', ']']).to_lowercase();
    let word = name.rsplit(['_', ' ', '(', '[', '-', '.']).next().unwrap_or("");
    unix.or(match word {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1.0),
        "ms" | "msec" | "millis" | "milliseconds" => Some(1e3),
        "us" | "µs" | "usec" | "micros" | "microseconds" => Some(1e6),
        "ns" | "nanos" | "nanoseconds" => Some(1e9),
        "min" | "minutes" => Some(1.0 / 60.0),
        "h" | "hours" => Some(1.0 / 3600.0),
        _ => None,
    })
}

/// Reads the times in a column, whose texts were read.
///
/// # Errors
/// [`DataError::File`] with the first cell that is missing or no time.
pub(crate) fn read(table: &Table, c: usize, texts: Vec<String>, style: Style) -> Result<RowTimes, DataError> {
    let column = &table.columns[c];
    let bad = |row: usize, text: &str| {
        let missing = is_missing(text);
        let reason =
            if missing { "the time is missing".to_owned() } else { format!("`{}` is not a time", excerpt(text)) };
        let hint =
            "times are numbers, or dates such as 2024-01-31T10:00:00.5; without `data.time` the rows are in order";
        table.cell_error(row, c, reason).with_hint(hint)
    };
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
            return Ok(RowTimes { values: seconds, per_second: 1.0, assumed: false, texts });
        }
        let unit = unit(&column.name, column.facts.min, column.facts.max);
        return Ok(RowTimes { values, per_second: unit.unwrap_or(1.0), assumed: unit.is_none(), texts: None });
    }
    let flaw = |(row, reason, hint): moments::Flaw| table.cell_error(row, c, reason).with_hint(hint);
    let values = moments::times(&texts, style).map_err(flaw)?;
    Ok(RowTimes { values, per_second: 1.0, assumed: false, texts: Some(texts) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_follow_from_names_and_sizes() {
        let cases = [
            ("t", 0.0, 10.0, None),
            ("time_ms", 0.0, 1e6, Some(1e3)),
            ("Time (us)", 0.0, 1e6, Some(1e6)),
            ("time [s]", 0.0, 1e6, Some(1.0)),
            ("stamp", 1.7e12, 1.8e12, Some(1e3)),
            ("stamp", 1.7e18, 1.8e18, Some(1e9)),
        ];
        for (name, min, max, expected) in cases {
            assert_eq!(unit(name, min, max), expected, "{name}");
        }
    }
}
