//! The `.ts` files of the UEA archive: `@` lines that describe the data, then one sample a line, with channels separated
//! by `:`, values by `,`, and the label last. With time stamps, each value is a pair `(time,value)`.

use crate::error::{DataError, Location};
use crate::options::ReadOptions;
use crate::series::file::SeriesFile;
use crate::series::times::{Steps, seconds};
use crate::series::values::{Series, relative};
use crate::text::excerpt;
use dashnas_core::names::TaskName;
use std::path::Path;

/// What the header says.
#[derive(Default)]
struct Header {
    /// Whether the last field of a line is a label; `None` if no line says it.
    labeled: Option<bool>,
    /// Whether values come with their times.
    stamped: bool,
}

/// Parses the text of a `.ts` file.
///
/// # Errors
/// [`DataError::File`] with the line and the column.
pub(crate) fn parse(path: &Path, text: &str, options: &ReadOptions) -> Result<SeriesFile, DataError> {
    let mut file = SeriesFile::new("UEA archive file (.ts)");
    let mut header = Header::default();
    let mut steps = Steps::default();
    let mut data = false;
    for (i, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), i + 1);
        let at = |reason: &str| DataError::at(path, Location::Line(number), reason);
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        if let (false, Some(tag)) = (data, line.strip_prefix('@')) {
            data = describe(tag, &mut header, &mut file);
            if data && header.labeled.is_none() {
                return Err(at("there is no line @classLabel or @targetLabel before @data").with_hint(
                    "add the line that tells what the last field of each sample is: `@classLabel true a b` with the \
                     names of the classes, `@targetLabel true`, or `@classLabel false` if it is a channel",
                ));
            }
            continue;
        }
        if !data {
            return Err(
                at("there is data before the line @data").with_hint("check that this is a .ts file of the UEA archive")
            );
        }
        // Times such as 12:30 are inside parentheses.
        let mut dimensions = outside_parentheses(line, ':');
        let label = if header.labeled == Some(true) { dimensions.pop().map(str::trim) } else { None };
        // A channel must not be taken for the label.
        if let (Some(label), Some(names)) = (label, &file.classes)
            && label != "?"
            && !names.iter().any(|name| name == label)
        {
            let reason = format!("the last field `{}` is not one of the classes {}", excerpt(label), names.join(", "));
            return Err(at(&reason).with_hint("@classLabel lists the classes; the label is the last field of a line"));
        }
        if dimensions.is_empty() {
            return Err(at("there is no series before the label"));
        }
        let mut channels = Vec::with_capacity(dimensions.len());
        for (c, dimension) in dimensions.iter().enumerate() {
            let center = options.centers.inputs.get(c).copied().unwrap_or(0.0);
            channels.push(match header.stamped {
                true => stamped(path, number, (c, center), dimension, &mut steps)?,
                false => values(path, number, (c, center), dimension)?,
            });
        }
        file.series.push(Series { channels, path: path.into(), line: number, first_column: 1 });
        file.labels.extend(label.map(str::to_owned));
    }
    file.notes.extend(steps.note());
    Ok(file)
}

/// Reads a line of the header without its `@`; returns whether the data come next.
fn describe(tag: &str, header: &mut Header, file: &mut SeriesFile) -> bool {
    let mut words = tag.split_whitespace();
    let name = words.next().unwrap_or("").to_ascii_lowercase();
    let truth = words.next().unwrap_or("").eq_ignore_ascii_case("true");
    match name.as_str() {
        "data" => return true,
        "timestamps" => header.stamped = truth,
        "classlabel" => {
            header.labeled = Some(truth);
            file.task = truth.then_some(TaskName::Classification);
            let names: Vec<String> = words.map(str::to_owned).collect();
            file.classes = Some(names).filter(|n| truth && !n.is_empty());
        }
        "targetlabel" => {
            header.labeled = Some(truth);
            file.task = truth.then_some(TaskName::Regression);
        }
        _ => {}
    }
    false
}

/// Splits a text at a separator that is not inside parentheses.
fn outside_parentheses(text: &str, separator: char) -> Vec<&str> {
    let mut depth = 0usize;
    text.split(|c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == separator && depth == 0
    })
    .collect()
}

/// The error for a value of a channel.
fn at_value(path: &Path, line: usize, channel: usize, i: usize, reason: String) -> DataError {
    DataError::at(path, Location::Cell(line, format!("{} of channel {}", i + 1, channel + 1)), reason)
}

/// Parses the values of one channel, less its center.
fn values(path: &Path, line: usize, (channel, center): (usize, f64), text: &str) -> Result<Vec<f32>, DataError> {
    let read = |(i, field): (usize, &str)| {
        relative(field, center)
            .ok_or_else(|| at_value(path, line, channel, i, format!("`{}` is not a number", excerpt(field))))
    };
    text.split(',').enumerate().map(read).collect()
}

/// Parses the pairs of times and values of one channel, whose times must be at equal steps, and subtracts its center from
/// the values.
fn stamped(
    path: &Path,
    line: usize,
    (channel, center): (usize, f64),
    text: &str,
    steps: &mut Steps,
) -> Result<Vec<f32>, DataError> {
    let (mut times, mut values) = (Vec::new(), Vec::new());
    for (i, pair) in outside_parentheses(text, ',').into_iter().enumerate() {
        let error = |reason: String| at_value(path, line, channel, i, reason);
        let inside = pair.trim().strip_prefix('(').and_then(|p| p.strip_suffix(')'));
        let Some((time, value)) = inside.and_then(|p| p.rsplit_once(',')) else {
            return Err(error(format!("`{}` is not a pair (time,value)", excerpt(pair)))
                .with_hint("write the series without times, with @timeStamps false"));
        };
        let time = seconds(time).ok_or_else(|| {
            error(format!("the time `{}` is neither a number nor a date such as 2013-03-01 12:00:00", excerpt(time)))
        })?;
        values.push(relative(value, center).ok_or_else(|| error(format!("`{}` is not a number", excerpt(value))))?);
        times.push(time);
    }
    steps.check(channel, &times).map_err(|(i, reason)| {
        at_value(path, line, channel, i, reason).with_hint(
            "bring the series to equal steps, for example with pandas' resample, and write them with @timeStamps false",
        )
    })?;
    Ok(values)
}
