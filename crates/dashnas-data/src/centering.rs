//! Finds the channels and outputs whose values are large and vary little, so that `f32` has too few digits for them, and the
//! numbers that are to be subtracted from them in `f64`. They follow from all samples that were read, whatever the split.

use crate::dataset::Dataset;
use crate::range::Range;
use crate::statistics;
use crate::statistics::{InputSpans, Span, Wanted};
use crate::targets::Targets;
use dashnas_core::task::TaskKind;
use dashnas_core::text::{exact, plural};
use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::centers::{Centers, EXACT, loses_digits, reference};
use dashnas_formats::error::DataError;
use dashnas_formats::found::Digits;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::row_source::RowStep;
use rayon::prelude::*;
use std::borrow::Cow;

/// Most channels that a note names.
const NAMED: usize = 5;

/// The numbers to subtract from data like this: those that were subtracted when it was read, if these are right.
///
/// Values that `f32` shows as whole, or as a single one, may have digits behind it in the file. The `first` reading gives
/// them a number on trial, and the next one takes it away again from channels whose values are whole or all the same; those
/// that are `given` stay.
///
/// # Errors
/// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
pub(crate) fn improved(set: &Dataset, digits: Digits, given: &Centers, first: bool) -> Result<Centers, DataError> {
    let mut found = set.reading.centers.clone();
    if digits.inputs {
        let arrays: Vec<&Array> = set.splits().into_iter().map(|(_, split)| &split.x).collect();
        let spans = [
            (&set.spans.train, Some(&set.train)),
            (&set.spans.val, set.val.as_ref()),
            (&set.spans.test, Some(&set.test)),
        ];
        let spans: Vec<Cow<'_, [Span]>> =
            spans.into_iter().filter_map(|(spans, split)| Some(spans.of(&split?.x))).collect::<Result<_, _>>()?;
        improve(&mut found.inputs, &given.inputs, &arrays, &spans, first)?;
    }
    if let (true, TaskKind::Regression { .. }) = (digits.targets, set.task) {
        let arrays: Vec<&Array> = set.splits().into_iter().filter_map(|(_, split)| split.y.values()).collect();
        let wanted = Wanted { spans: true, ..Wanted::default() };
        let spans = arrays.iter().map(|array| Ok(Cow::Owned(statistics::collect(array, wanted)?.spans)));
        let spans: Vec<Cow<'_, [Span]>> = spans.collect::<Result<_, DataError>>()?;
        improve(&mut found.targets, &given.targets, &arrays, &spans, first)?;
    }
    Ok(found)
}

/// Adds a number to the center of every channel of `[N, C, …]` whose values lose digits without it, and takes away those that
/// were on trial and are not needed.
fn improve(
    centers: &mut Vec<f64>,
    given: &[f64],
    arrays: &[&Array],
    spans: &[Cow<'_, [Span]>],
    first: bool,
) -> Result<(), DataError> {
    let channels = spans.first().map_or(0, |spans| spans.len());
    let mut ranges = vec![Range::EMPTY; channels];
    for spans in spans {
        ranges.iter_mut().zip(spans.iter()).for_each(|(range, span)| range.join(span.range));
    }
    for (channel, range) in ranges.into_iter().enumerate() {
        let (min, max) = (f64::from(range.min), f64::from(range.max));
        if min > max {
            continue;
        }
        let most = min.abs().max(max.abs());
        let center = centers.get(channel).copied().unwrap_or(0.0);
        if center != 0.0 && !first && given.get(channel).is_none_or(|&given| given == 0.0) {
            let exact = center.abs() + most < EXACT;
            let whole = center.fract() == 0.0;
            if exact && (min == max || (whole && are_whole(arrays, channel)?)) {
                centers[channel] = 0.0;
                continue;
            }
        }
        let on_trial = first && center == 0.0 && min == max && most > 0.0 && most < EXACT;
        let exact = || Ok::<_, DataError>(!first && most < EXACT && are_whole(arrays, channel)?);
        if on_trial || (loses_digits(min, max) && !exact()?) {
            centers.resize(channels, 0.0);
            centers[channel] += reference(min, max);
        }
    }
    if given.is_empty() && centers.iter().all(|&center| center == 0.0) {
        centers.clear();
    }
    Ok(())
}

/// Adds what was subtracted again, where `wanted` has no number. The values are then as if nothing had been subtracted:
/// these are whole numbers that `f32` holds, or a single value. Returns whether that is all that is to be changed.
pub(crate) fn restore(set: &mut Dataset, wanted: &Centers) -> bool {
    let less = |now: &[f64], wanted: &[f64]| -> Option<Vec<f64>> {
        let wanted = |i: usize| wanted.get(i).copied().unwrap_or(0.0);
        let stays = now.iter().enumerate().all(|(i, &now)| now == wanted(i) || wanted(i) == 0.0);
        stays.then(|| now.iter().enumerate().map(|(i, now)| wanted(i) - now).collect())
    };
    let now = &set.reading.centers;
    let grows = wanted.inputs.len() > now.inputs.len() || wanted.targets.len() > now.targets.len();
    let (Some(inputs), Some(targets), false) =
        (less(&now.inputs, &wanted.inputs), less(&now.targets, &wanted.targets), grows)
    else {
        return false;
    };
    for split in [Some(&mut set.train), set.val.as_mut(), Some(&mut set.test)].into_iter().flatten() {
        if inputs.iter().any(|&v| v != 0.0) {
            subtract(&mut split.x, &inputs);
        }
        if targets.iter().any(|&v| v != 0.0) {
            subtract_from_targets(&mut split.y, &targets);
        }
    }
    set.reading.centers = wanted.clone();
    set.spans = InputSpans::default();
    true
}

/// Returns whether all values of a channel are whole numbers.
fn are_whole(arrays: &[&Array], channel: usize) -> Result<bool, DataError> {
    for array in arrays {
        let plane = array.shape.iter().skip(2).product::<usize>().max(1);
        for row in 0..array.rows() {
            let row = array.fetch(row)?;
            let values = row.chunks(plane).nth(channel).unwrap_or_default();
            if values.iter().any(|v| !v.is_nan() && v.fract() != 0.0) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Says what was subtracted, one sentence for the inputs and one for the targets.
pub(crate) fn notes(reading: &ReadOptions) -> Vec<String> {
    let sentence = |centers: &[f64], called: &Called| {
        let moved: Vec<(usize, f64)> = centers.iter().copied().enumerate().filter(|(_, c)| *c != 0.0).collect();
        let some: Vec<String> =
            moved.iter().take(NAMED).map(|(i, center)| format!("{} to {}", called.one(*i), exact(*center))).collect();
        let more = match moved.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(", and {} more", plural(more, called.noun())),
        };
        let whose = if moved.len() == 1 { "its" } else { "their" };
        let values = format!("{whose} values are large and vary little, and would lose digits as 32-bit numbers");
        (!moved.is_empty()).then(|| format!("read relative to a number: {}{more} ({values})", some.join(", ")))
    };
    let Centers { inputs, targets } = &reading.centers;
    let of_inputs = sentence(inputs, &Called::channels(reading, inputs.len()));
    of_inputs.into_iter().chain(sentence(targets, &Called::outputs(reading, targets.len()))).collect()
}

/// Subtracts a number from each channel of rows as they are read.
#[derive(Debug)]
struct Subtraction(Vec<f64>);

impl RowStep for Subtraction {
    fn apply(&self, row: &mut Vec<f32>, _: &[usize]) {
        subtract_from_row(row, &self.0);
    }
}

fn subtract_from_row(row: &mut [f32], centers: &[f64]) {
    let plane = (row.len() / centers.len().max(1)).max(1);
    for (values, center) in row.chunks_mut(plane).zip(centers) {
        values.iter_mut().for_each(|v| *v = (f64::from(*v) - center) as f32);
    }
}

/// Subtracts the number of each channel from inputs, or from targets, `[N, C, …]` that have no more digits. Nothing is
/// subtracted if there are other channels.
pub fn subtract(array: &mut Array, centers: &[f64]) {
    if centers.is_empty() || array.shape.get(1).copied().unwrap_or(1) != centers.len() {
        return;
    }
    if !array.apply_on_read(Subtraction(centers.to_vec())) {
        let width = array.row_len().max(1);
        array.data.par_chunks_mut(width).for_each(|row| subtract_from_row(row, centers));
    }
}

/// Does the same to targets.
pub(crate) fn subtract_from_targets(targets: &mut Targets, centers: &[f64]) {
    if let Targets::Values(values) = targets {
        subtract(values, centers);
    }
}
