//! The `.ts` files of the UEA archive: `@` lines that describe the data, then one sample a line, with channels separated
//! by `:`, values by `,`, and the label last.

use crate::error::{DataError, Location};
use crate::series::file::SeriesFile;
use crate::series::values::{Series, number};
use crate::text::excerpt;
use dashnas_core::names::TaskName;
use std::path::Path;

/// Parses the text of a `.ts` file.
///
/// # Errors
/// [`DataError::File`] with the line and the column.
pub(crate) fn parse(path: &Path, text: &str) -> Result<SeriesFile, DataError> {
    let mut file = SeriesFile::new("UEA archive file (.ts)");
    let mut labeled = true;
    let mut data = false;
    for (i, line) in text.lines().enumerate() {
        let (line, number) = (line.trim(), i + 1);
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        if let (false, Some(tag)) = (data, line.strip_prefix('@')) {
            let mut words = tag.split_whitespace();
            let name = words.next().unwrap_or("").to_ascii_lowercase();
            let value = words.next().unwrap_or("").to_ascii_lowercase();
            match name.as_str() {
                "data" => data = true,
                "timestamps" if value == "true" => {
                    return Err(DataError::at(
                        path,
                        Location::Line(number),
                        "series with time stamps are not supported",
                    )
                    .with_hint("write the series at equal steps, with @timeStamps false"));
                }
                "classlabel" => {
                    labeled = value == "true";
                    file.task = labeled.then_some(TaskName::Classification);
                    let names: Vec<String> = words.map(str::to_owned).collect();
                    file.classes = Some(names).filter(|n| labeled && !n.is_empty());
                }
                "targetlabel" => {
                    labeled = value == "true";
                    file.task = labeled.then_some(TaskName::Regression);
                }
                _ => {}
            }
            continue;
        }
        if !data {
            return Err(DataError::at(path, Location::Line(number), "there is data before the line @data")
                .with_hint("check that this is a .ts file of the UEA archive"));
        }
        let mut dimensions: Vec<&str> = line.split(':').collect();
        let label = if labeled { dimensions.pop() } else { None };
        if dimensions.is_empty() {
            return Err(DataError::at(path, Location::Line(number), "there is no series before the label"));
        }
        let mut channels = Vec::with_capacity(dimensions.len());
        for (c, dimension) in dimensions.iter().enumerate() {
            channels.push(values(path, number, c, dimension)?);
        }
        file.series.push(Series { channels, path: path.into(), line: number, first_column: 1 });
        file.labels.extend(label.map(|l| l.trim().to_owned()));
    }
    Ok(file)
}

/// Parses the values of one channel.
fn values(path: &Path, line: usize, channel: usize, text: &str) -> Result<Vec<f32>, DataError> {
    let read = |(i, field): (usize, &str)| {
        number(field).ok_or_else(|| {
            let column = format!("{} of channel {}", i + 1, channel + 1);
            DataError::at(path, Location::Cell(line, column), format!("`{}` is not a number", excerpt(field)))
        })
    };
    text.split(',').enumerate().map(read).collect()
}
