//! Warnings about new inputs that do not look like the training data: another unit, a sensor that stands still, values
//! far outside the range. A network gives an answer for such inputs too, which means little.

use crate::normalize::{InputNormalizer, TrainedChannel};
use crate::range::Range;
use dashnas_core::text::{plural, short};
use dashnas_formats::array::Array;
use dashnas_formats::called::Called;
use dashnas_formats::error::DataError;
use rayon::prelude::*;

/// Samples from which on a channel is called constant, or said to vary too little.
const MANY: usize = 10;
/// The fraction of the samples that must have values far outside the training range, since single ones may have
/// artifacts.
const FAR_SHARE: f64 = 0.02;
/// A mean of many samples that differs from that of training by more standard deviations than this is of other data: the
/// deviation is that of single values, of which the mean of a test split is a small fraction.
const MEAN_OF_MANY_OFF: f64 = 3.0;
/// The same for a mean of few samples.
const MEAN_OFF: f64 = 5.0;
/// As `MEAN_OFF`, where the training range is not known.
const MEAN_OFF_WITHOUT_RANGE: f64 = 10.0;
/// A standard deviation that is smaller than that of training by this factor, or larger where the range is not known, is
/// in another unit.
const DEVIATION_OFF: f64 = 50.0;
/// The largest number of channels that are warned of one by one.
const MOST: usize = 5;

/// What was found in a channel of the new inputs.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Of the samples near the training range, the number of values, their sum and that of their squares, after the mean
    /// of the training data was subtracted. One artifact would decide the mean of all.
    near: [f64; 3],
    /// The same of the samples with values far outside the range.
    beyond: [f64; 3],
    range: Range,
    /// Samples with values far outside the training range.
    far: usize,
}

impl Seen {
    const NONE: Self = Self { near: [0.0; 3], beyond: [0.0; 3], range: Range::EMPTY, far: 0 };

    /// The values of a channel of one sample; NaN is passed over.
    fn of(values: &[f32], trained: TrainedChannel) -> Self {
        let origin = trained.mean_and_scale.map_or(0.0, |(mean, _)| f64::from(mean));
        let (mut sums, mut range) = ([0.0; 3], Range::EMPTY);
        for &value in values.iter().filter(|v| !v.is_nan()) {
            let off = f64::from(value) - origin;
            sums = [sums[0] + 1.0, sums[1] + off, sums[2] + off * off];
            range.join(Range { min: value, max: value });
        }
        match trained.range.is_some_and(|of| is_far(range, of)) {
            true => Self { beyond: sums, range, far: 1, ..Self::NONE },
            false => Self { near: sums, range, ..Self::NONE },
        }
    }

    fn join(&mut self, other: Self) {
        for i in 0..3 {
            self.near[i] += other.near[i];
            self.beyond[i] += other.beyond[i];
        }
        self.range.join(other.range);
        self.far += other.far;
    }
}

/// Whether values are outside the training range by more than its width or, of a constant channel, by more than rounding.
fn is_far(seen: Range, of: Range) -> bool {
    let [low, high] = [f64::from(of.min), f64::from(of.max)];
    let beyond = if low < high { high - low } else { 1e-5 * low.abs() };
    f64::from(seen.min) < low - beyond || f64::from(seen.max) > high + beyond
}

/// Says of each channel of new inputs `[N, C, …]` that does not look like that of the training data in what it differs. The
/// channels are `called` so, and the `centers` were subtracted from them, if there are any.
///
/// # Errors
/// [`DataError::Gone`] if the inputs are in a file that can no longer be read.
pub fn unlike(inputs: &InputNormalizer, called: &Called, centers: &[f64], x: &Array) -> Result<Vec<String>, DataError> {
    /// Rows whose sums are in memory.
    const ROWS: usize = 4096;
    let trained = inputs.trained_channels();
    let plane: usize = x.shape.iter().skip(2).product();
    if x.shape.get(1) != Some(&trained.len()) || plane == 0 {
        return Ok(Vec::new());
    }
    let mut seen = vec![Seen::NONE; trained.len()];
    for first in (0..x.rows()).step_by(ROWS) {
        let row = |i: usize| -> Result<Vec<Seen>, DataError> {
            let row = x.fetch(i)?;
            Ok(row.chunks(plane).zip(&trained).map(|(values, &trained)| Seen::of(values, trained)).collect())
        };
        let rows: Vec<_> = (first..x.rows().min(first + ROWS)).into_par_iter().map(row).collect();
        for row in rows {
            seen.iter_mut().zip(row?).for_each(|(seen, of_row)| seen.join(of_row));
        }
    }
    let found = seen.iter().zip(&trained).enumerate().filter_map(|(c, (&seen, &trained))| {
        let center = centers.get(c).copied().unwrap_or(0.0);
        difference(seen, trained, center, [x.rows(), plane]).map(|difference| format!("{} {difference}", called.one(c)))
    });
    let mut found: Vec<String> = found.collect();
    if found.len() > MOST {
        let more = found.len() - MOST + 1;
        found.truncate(MOST - 1);
        found.push(format!("{} more do not look like those of the training data", plural(more, "channel")));
    }
    Ok(found)
}

/// In what a channel of `rows` new samples of `plane` points differs from that of the training data, if it clearly does.
fn difference(seen: Seen, trained: TrainedChannel, center: f64, [rows, plane]: [usize; 2]) -> Option<String> {
    let [count, sum, squares] = if seen.far == rows { seen.beyond } else { seen.near };
    if count == 0.0 {
        return None;
    }
    let text = |value: f64| if center == 0.0 { short(value) } else { (value + center).to_string() };
    let span = |range: Range| format!("{} to {}", text(f64::from(range.min)), text(f64::from(range.max)));
    let far = seen.far as f64 >= (FAR_SHARE * rows as f64).max(1.0);
    if let Some(range) = trained.range.filter(|range| range.min == range.max) {
        return far.then(|| {
            let value = text(f64::from(range.min));
            format!(
                "was {value} in all training samples, but has values from {} here: the model cannot know what they \
                     mean",
                span(seen.range)
            )
        });
    }
    let mean = sum / count;
    let deviation = (squares / count - mean * mean).max(0.0).sqrt();
    if let Some((of_training, scale)) = trained.mean_and_scale.map(|(m, s)| (f64::from(m), f64::from(s))) {
        if seen.range.min == seen.range.max && rows >= MANY {
            let value = seen.range.min;
            // A rare value may well be missing from some samples; a signal does not stand still.
            let unlikely = mean.abs() / scale * (rows as f64).sqrt() > MEAN_OFF;
            let inside = trained.range.is_some_and(|of| {
                let margin = 0.05 * (of.max - of.min);
                value > of.min + margin && value < of.max - margin
            });
            let varied = trained.range.map_or_else(String::new, |of| format!(" (from {})", span(of)));
            return (unlikely || (inside && plane >= 16)).then(|| {
                format!(
                    "is {} in all of these samples, but varied in the training data{varied}: check the sensor or the \
                     column",
                    text(f64::from(value))
                )
            });
        }
        let outside = trained.range.map_or(mean.abs() > MEAN_OFF_WITHOUT_RANGE * scale, |of| {
            let here = (mean + of_training) as f32;
            match rows >= MANY {
                true => mean.abs() > MEAN_OF_MANY_OFF * scale,
                false => mean.abs() > MEAN_OFF * scale && (here < of.min || here > of.max),
            }
        });
        let small = deviation * DEVIATION_OFF < scale && rows >= MANY && deviation > 0.0;
        let large = deviation > DEVIATION_OFF * scale && trained.range.is_none();
        if outside || small || large {
            return Some(format!(
                "has mean {} and standard deviation {} here, but {} and {} in the training data: it may be in another \
                 unit",
                text(mean + of_training),
                short(deviation),
                text(of_training),
                short(scale)
            ));
        }
    }
    let range = trained.range.filter(|_| far)?;
    let samples = if seen.far == rows { "all samples".to_owned() } else { format!("{} of {rows} samples", seen.far) };
    Some(format!(
        "is from {} here, but was from {} in the training data: {samples} have values far outside, perhaps in another unit",
        span(seen.range),
        span(range)
    ))
}
