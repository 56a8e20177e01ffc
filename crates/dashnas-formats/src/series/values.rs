//! Joins series of any length, with missing values, into one array.

use crate::array::Array;
use crate::centers::text_less;
use crate::error::{DataError, Location};
use crate::fill::{Filled, fill_channel};
use crate::limits::check_memory;
use crate::options::{Fill, Lengths, ReadOptions};
use dashnas_core::text::plural;
use std::path::PathBuf;

/// One sample: its channels, in which a missing value is NaN, and its location.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    pub channels: Vec<Vec<f32>>,
    pub path: PathBuf,
    /// The line in the file, from 1; 0 if the sample is the file.
    pub line: usize,
    /// The column of the first value, from 1.
    pub first_column: usize,
}

impl Series {
    /// The length of its longest channel.
    pub fn len(&self) -> usize {
        self.channels.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn location(&self, column: String) -> Location {
        if self.line == 0 { Location::File } else { Location::Cell(self.line, column) }
    }
}

/// Fills missing values, or refuses them if `fill` is `None`.
pub(crate) fn fill(series: &mut Series, fill: Option<Fill>) -> Result<(), DataError> {
    for c in 0..series.channels.len() {
        let Some(at) = series.channels[c].iter().position(|v| v.is_nan()) else { continue };
        let how = fill.ok_or_else(|| {
            let several = series.channels.len() > 1;
            let at = at + series.first_column;
            let column = if several { format!("{at} of channel {}", c + 1) } else { at.to_string() };
            DataError::at(&series.path, series.location(column), "the value is missing")
                .with_hint("fill missing values with `data.fill-missing` (linear, zero or mean)")
        })?;
        fill_channel(&mut series.channels[c], how);
    }
    Ok(())
}

/// Says which missing values of series will be filled; nothing if they are refused.
pub(crate) fn filled_notes<'a>(series: impl Iterator<Item = &'a Series>, fill: Option<Fill>) -> Vec<String> {
    let mut filled = Filled::default();
    series.flat_map(|s| &s.channels).for_each(|channel| filled.add(channel, channel.len()));
    fill.map_or_else(Vec::new, |how| filled.notes(how))
}

/// Returns the length that these training series are brought to, and whether they differ in length.
pub(crate) fn common_length<'a>(series: impl Iterator<Item = &'a Series>, options: &ReadOptions) -> (usize, bool) {
    let lens = series.flat_map(|s| s.channels.iter().map(Vec::len));
    let (mut min, mut max) = (usize::MAX, 0);
    for n in lens {
        (min, max) = (min.min(n), max.max(n));
    }
    let chosen = if options.lengths == Lengths::Truncate { min.min(max) } else { max };
    (options.length.unwrap_or(chosen), min < max)
}

/// Appends the channels of a sample, brought to `length`. A channel that is shorter than others is padded with zeros,
/// also where the sample keeps its length.
pub(crate) fn fit(sample: &Series, length: usize, how: Lengths, out: &mut Vec<f32>) {
    let end = if how == Lengths::Mask { sample.len().min(length) } else { length };
    for channel in &sample.channels {
        fit_channel(channel, end, how, out);
        out.extend(std::iter::repeat_n(f32::NAN, length - end));
    }
}

/// Appends a channel brought to `length`.
fn fit_channel(values: &[f32], length: usize, how: Lengths, out: &mut Vec<f32>) {
    if how == Lengths::Resample && values.len() != length && values.len() > 1 && length > 1 {
        let step = (values.len() - 1) as f64 / (length - 1) as f64;
        out.extend((0..length).map(|i| {
            let at = i as f64 * step;
            let left = (at as usize).min(values.len() - 2);
            let part = (at - left as f64) as f32;
            values[left] * (1.0 - part) + values[left + 1] * part
        }));
        return;
    }
    let n = values.len().min(length);
    out.extend_from_slice(&values[..n]);
    out.extend(std::iter::repeat_n(0.0, length - n));
}

/// Joins series into one array N×C×length.
///
/// # Errors
/// [`DataError`] with the first sample that differs in its channels or has missing values, or if the array would be too
/// large.
pub(crate) fn pack(series: Vec<Series>, length: usize, options: &ReadOptions) -> Result<Array, DataError> {
    let Some(first) = series.first() else { return Ok(Array::new(vec![0, 1, length], Vec::new())) };
    let channels = first.channels.len();
    let elements = series.len() as u128 * channels as u128 * length as u128;
    check_memory(&first.path, "samples", elements, options)?;
    let values_read: u128 = series.iter().flat_map(|s| &s.channels).map(|c| c.len() as u128).sum();
    if elements > 1 << 26 && elements > values_read * 64 {
        let reason =
            format!("bringing all series to {length} values would make {elements} numbers out of {values_read}");
        return Err(DataError::file(&first.path, reason)
            .with_hint("choose a shorter `data.length`, or set `data.lengths` to truncate"));
    }
    let mut data = Vec::with_capacity(elements as usize);
    let n = series.len();
    for mut sample in series {
        if sample.channels.len() != channels {
            let reason =
                format!("it has {}, the first sample has {channels}", plural(sample.channels.len(), "channel"));
            let location = if sample.line == 0 { Location::File } else { Location::Line(sample.line) };
            return Err(DataError::at(&sample.path, location, reason));
        }
        fill(&mut sample, options.fill_missing)?;
        fit(&sample, length, options.lengths, &mut data);
    }
    Ok(Array::new(vec![n, channels, length], data))
}

/// Returns the note about unequal lengths, if they are.
pub(crate) fn lengths_note<'a>(
    series: impl Iterator<Item = &'a Series>,
    length: usize,
    options: &ReadOptions,
) -> Option<String> {
    let (mut min, mut max) = (usize::MAX, 0);
    for s in series {
        (min, max) = (min.min(s.channels.iter().map(Vec::len).min().unwrap_or(0)), max.max(s.len()));
    }
    if min >= max && max == length {
        return None;
    }
    let how = match options.lengths {
        Lengths::Pad => "padded with zeros at the end, or cut off,",
        Lengths::Truncate => "cut off (or padded with zeros)",
        Lengths::Resample => "resampled",
        Lengths::Mask => "kept, and masked up",
    };
    Some(format!("series are {min} to {max} long: {how} to {length} (`data.lengths`: pad, truncate, resample or mask)"))
}

/// Returns the warning about new samples of these lengths that are longer than a model takes, and are cut off. Samples that
/// were cut off in training as well are expected to be.
pub(crate) fn cut_warning(
    lens: impl Iterator<Item = usize>,
    length: usize,
    values: &str,
    options: &ReadOptions,
) -> Option<String> {
    if matches!(options.lengths, Lengths::Resample | Lengths::Truncate) {
        return None;
    }
    let (mut longer, mut all, mut longest) = (0, 0, 0);
    for len in lens {
        (longer, all, longest) = (longer + usize::from(len > length), all + 1, longest.max(len));
    }
    let which = if all == 1 { "samples".to_owned() } else { format!("{longer} of {}", plural(all, "sample")) };
    (longer > 0).then(|| {
        format!(
            "{which} are longer than the {length} {values} that the model takes, and what follows is cut off (the longest has \
             {longest})"
        )
    })
}

/// Returns the warning about channels that differ in length within a sample, as those recorded at different rates do.
pub(crate) fn rates_warning<'a>(mut series: impl Iterator<Item = &'a Series>, options: &ReadOptions) -> Option<String> {
    let unequal = |s: &&Series| s.channels.iter().any(|c| c.len() != s.channels[0].len());
    let first = series.find(unequal).filter(|_| options.lengths != Lengths::Resample)?;
    let mut lens: Vec<usize> = first.channels.iter().map(Vec::len).collect();
    lens.sort_unstable();
    lens.dedup();
    let lens = lens.iter().map(usize::to_string).collect::<Vec<_>>().join(" and ");
    Some(format!(
        "the channels of one sample differ in length (line {}: {lens} values), as those recorded at different rates do: \
         padding or cutting them shifts their times against each other; `data.lengths` resample brings them to one rate",
        first.line
    ))
}

/// Parses a number; `?`, `NaN`, `NA` and an empty field are missing values, NaN.
pub(crate) fn number(text: &str) -> Option<f32> {
    relative(text, 0.0)
}

/// Does the same and subtracts `center` before the number becomes `f32`.
pub(crate) fn relative(text: &str, center: f64) -> Option<f32> {
    let text = text.trim();
    if is_missing(text) {
        return Some(f32::NAN);
    }
    text.parse::<f64>().ok().map(|v| text_less(text, v, center)).filter(|v| v.is_finite())
}

/// Returns whether a field stands for a missing value.
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "" | "?" | "nan" | "na" | "n/a" | "null" | "none")
}
