//! Warnings about shapes, targets and values that are unusual, so that they are probably read in the wrong way or
//! damaged, with what to do about it.

use crate::digits;
use crate::digits::short;
use crate::in_files;
use crate::in_files::Holds;
use crate::range::Range;
use crate::split::Split;
use crate::statistics;
use crate::statistics::{Usual, Wanted};
use crate::targets::Targets;
use dashnas_core::task::TaskKind;
use dashnas_core::text::plural;
use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::centers::{EXACT, loses_digits, step};
use dashnas_formats::error::DataError;
use dashnas_formats::found::NumericTargets;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::sample_facts::SampleFacts;
use std::collections::HashSet;

/// Most values that whole numbers of a floating-point type may have to look like classes.
const FEW: usize = 20;
/// A value this many times the others spoils the normalization.
const OUTLIER: f32 = 100.0;
/// Most rows of which all values are looked at.
const ROWS: usize = 4096;

/// Returns the warning about inputs of this shape, as they are in the file, if their channels come first and probably
/// should not.
pub(crate) fn channels(shape: &[usize]) -> Option<String> {
    match *shape {
        [_, channels, length] if channels >= 8 && length >= 2 && channels >= 2 * length => Some(format!(
            "arrays of {channels}×{length} are read as {channels} channels of {length} values, which is unusual: if the \
             last axis holds the channels (samples, time, sensors), set `data.layout` to channels-last"
        )),
        [_, depth, height, width] if depth >= 8 => Some(format!(
            "arrays of {depth}×{height}×{width} are read as {depth} channels of {height}×{width}: if their first axis is \
             the depth of a volume, it is not convolved, because three spatial axes are not supported"
        )),
        _ => None,
    }
}

/// Returns what to say of numeric targets whose kind of task is not given: `true` if it is a warning.
pub(crate) fn targets(splits: &[NumericTargets]) -> Option<(bool, String)> {
    let first = splits.first()?;
    let integral = splits.iter().all(|s| s.integral);
    let columns = first.array.row_len();
    let vector = first.array.shape.len() <= 2;
    let binary = splits.iter().all(NumericTargets::is_binary);
    if vector && columns >= 2 && splits.iter().all(NumericTargets::is_one_hot) {
        let (other, what) = if integral { ("multi-label", "labels") } else { ("regression", "numbers") };
        let text = format!(
            "each row of the targets is one 1 among zeros: read as {columns} classes (`task.kind` {other} reads {columns} \
             {what})"
        );
        return Some((false, text));
    }
    if vector && columns >= 2 && !integral && binary {
        let text = format!(
            "the targets are 0 and 1 of a floating-point type, read as {columns} numbers: if they are labels, set \
             `task.kind` to multi-label"
        );
        return Some((true, text));
    }
    let values: HashSet<u32> =
        splits.iter().flat_map(|s| &s.array.data).take(1 << 20).filter(|v| !v.is_nan()).map(|v| v.to_bits()).collect();
    if vector && columns == 1 && !integral && (2..=FEW).contains(&values.len()) {
        let whole = splits.iter().flat_map(|s| &s.array.data).all(|v| v.fract() == 0.0);
        let repeated = first.array.data.len() >= 3 * values.len();
        let text = format!(
            "the targets are {} different whole numbers of a floating-point type, read as numbers: if they are classes, \
             set `task.kind` to classification",
            values.len()
        );
        return (whole && repeated).then_some((true, text));
    }
    let mask = !vector && values.len() == 2 && values.contains(&0f32.to_bits()) && !(integral && binary);
    mask.then(|| {
        let other = values.iter().map(|&v| f32::from_bits(v)).find(|&v| v != 0.0).unwrap_or(1.0);
        let text = format!(
            "the targets hold only 0 and {other}, read as numbers: if they are masks, save them as integers of 0 and 1"
        );
        (true, text)
    })
}

/// Returns what to say of samples for which no label of a multi-label task holds.
pub(crate) fn without_labels<'a>(task: TaskKind, splits: impl Iterator<Item = &'a Targets>) -> Option<String> {
    let TaskKind::MultiLabel { .. } = task else { return None };
    let (mut all, mut without) = (0, 0);
    for values in splits.filter_map(Targets::values) {
        all += values.rows();
        without += (0..values.rows()).filter(|&i| values.row(i).iter().all(|&v| v == 0.0)).count();
    }
    let have = if without == 1 { "has no label, and counts" } else { "have no label, and count" };
    (without > 0).then(|| format!("{without} of {} {have} like any other", plural(all, "sample")))
}

/// What is known of the values of samples.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    /// The places of the samples.
    pub facts: &'a SampleFacts,
    /// Whether they are arrays as a program saved them.
    pub arrays: bool,
    /// The options that they were read with.
    pub reading: &'a ReadOptions,
    /// The names of the columns of a table, if each of them is one value of a sample.
    pub columns: &'a [&'a str],
}

/// Returns the warnings about the values of training samples, in whose channels these values are `usual`.
///
/// # Errors
/// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
pub(crate) fn values(train: &Split, usual: Vec<Usual>, known: Known<'_>) -> Result<Vec<String>, DataError> {
    let facts = known.facts;
    let channels = Called::channels(known.reading, usual.len());
    let mut warnings = Vec::new();
    let seen = usual;
    let values = train.x.rows() * train.x.shape.iter().skip(2).product::<usize>();
    warnings.extend(constant(&seen, values, known, &channels));
    warnings.extend(match rounded(&train.x, &seen, &channels)? {
        None => digits::bulk(&train.x, known.columns, &channels)?,
        found => found,
    });
    let at = |row| in_files::entry(facts, Holds::Inputs, "x_train", row);
    warnings.extend(seen.into_iter().enumerate().find_map(|(i, channel)| outlier(channel, at, &channels.one(i))));
    if let Targets::Values(y) = &train.y {
        let seen = statistics::collect(y, Wanted { usual: true, ..Wanted::default() })?.usual;
        let outputs = Called::outputs(known.reading, seen.len());
        warnings.extend(match rounded(y, &seen, &outputs)? {
            None => digits::bulk(y, &[], &outputs)?,
            found => found,
        });
        let at = |row| in_files::entry(facts, Holds::Targets, "y_train", row);
        warnings.extend(
            seen.into_iter()
                .enumerate()
                .find_map(|(i, column)| outlier(column, at, &format!("column {}", outputs.number(i)))),
        );
    }
    Ok(warnings)
}

/// The warning about channels of one value only, in inputs of this many values a channel, which are `called` so.
fn constant(seen: &[Usual], values: usize, known: Known<'_>, called: &Called) -> Option<String> {
    let constant: Vec<(usize, f32)> = seen.iter().enumerate().filter_map(|(c, of)| Some((c, of.only?))).collect();
    let all = constant.len() == seen.len();
    let &(channel, value) = constant.first()?;
    // Letters that no sequence has are no surprise.
    if !(all || known.arrays) || values <= 2 {
        return None;
    }
    let more = if constant.len() > 1 { format!(" (and {} like it)", constant.len() - 1) } else { String::new() };
    let value = match known.reading.centers.inputs.get(channel) {
        Some(&center) if center != 0.0 => (center + f64::from(value)).to_string(),
        _ => value.to_string(),
    };
    let of = if all { "nothing can be learnt from the inputs" } else { "it tells nothing" };
    Some(format!(
        "{}{more} holds the value {value} in all training samples: {of}; check that the file was written \
         whole",
        called.one(channel)
    ))
}

/// The warning about values that the 32-bit numbers which they are read into have too few digits for: those of which a
/// small change is on a large offset. Whole numbers below 2²⁴ are exact.
fn rounded(x: &Array, seen: &[Usual], called: &Called) -> Result<Option<String>, DataError> {
    let plane = x.shape.iter().skip(2).product::<usize>().max(1);
    for (c, channel) in seen.iter().enumerate() {
        let (most, Range { min, max }) = (f64::from(channel.most.0), channel.range);
        let spread = f64::from(max) - f64::from(min);
        if !loses_digits(f64::from(min), f64::from(max)) {
            continue;
        }
        let step = step(f64::from(min), f64::from(max));
        let whole = |i: usize| -> Result<bool, DataError> {
            Ok(x.fetch(i)?.chunks(plane).nth(c).is_none_or(|values| values.iter().all(|v| v.fract() == 0.0)))
        };
        if most < EXACT {
            let rows = x.rows().min(ROWS);
            let all: Result<Vec<bool>, DataError> = (0..rows).map(whole).collect();
            if all?.into_iter().all(|whole| whole) {
                continue;
            }
        }
        return Ok(Some(format!(
            "{} has values near {} that differ by {}: read as 32-bit numbers, they are rounded to steps of \
             {}, and smaller changes are lost; subtract an offset from them in the file",
            called.one(c),
            short(most as f32),
            if spread > 0.0 { format!("{} at most", short(spread as f32)) } else { "less than a step".to_owned() },
            short(step as f32)
        )));
    }
    Ok(None)
}

/// The warning about the largest value of a channel or column, which is `called` so, if it is many times those of nearly all
/// samples; `at` says where a sample is.
fn outlier(mut channel: Usual, at: impl Fn(usize) -> String, called: &str) -> Option<String> {
    let (most, sample) = channel.most;
    let some = &mut channel.some;
    if some.len() < 5 {
        return None;
    }
    let place = (some.len() * 9 / 10).min(some.len() - 2);
    let (_, &mut usual, _) = some.select_nth_unstable_by(place, f32::total_cmp);
    if usual <= 0.0 || most <= OUTLIER * usual {
        return None;
    }
    Some(format!(
        "{} holds a value of {} in {called}, more than {OUTLIER} times the largest of most samples, {}: it decides the \
         normalization; remove the sample, or clip the value",
        at(sample),
        short(most),
        short(usual)
    ))
}
