//! Filling of missing values, which are NaN.

use crate::array::Array;
use crate::ends;
use crate::error::DataError;
use crate::options::Fill;
use crate::row_source::RowStep;
use dashnas_core::text::{plural, plural_of};

/// The filling of samples one by one.
#[derive(Debug, Clone, Copy)]
struct Filling {
    how: Fill,
    /// Whether samples have ends, after which nothing is filled.
    ends: bool,
}

/// Fills the missing values of inputs `[N, C, …]` within each channel of each sample; rows in a file are filled as they
/// are read. With `ends`, what follows the [end](ends) of a sample is not filled.
pub fn fill(x: &mut Array, how: Fill, ends: bool) {
    let filling = Filling { how, ends };
    if x.apply_on_read(filling) {
        return;
    }
    let shape = x.shape[1.min(x.shape.len())..].to_vec();
    let size = shape.iter().product::<usize>().max(1);
    x.data.chunks_mut(size).for_each(|sample| filling.sample(sample, &shape));
}

impl Filling {
    /// Fills a sample of shape `[C, …]`.
    fn sample(self, sample: &mut [f32], shape: &[usize]) {
        let width = shape.last().copied().unwrap_or(1).max(1);
        let length = if self.ends { ends::length(sample, width) } else { width };
        fill_channels(sample, shape.iter().skip(1).product(), self.how);
        if length < width {
            sample.chunks_exact_mut(width).for_each(|line| line[length..].fill(f32::NAN));
        }
    }
}

/// Fills a sample of shape `[C, …]`; with `ends` not what follows its [end](ends).
pub(crate) fn fill_sample(sample: &mut [f32], shape: &[usize], how: Fill, ends: bool) {
    Filling { how, ends }.sample(sample, shape);
}

/// What was filled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filled {
    /// Missing values.
    pub values: usize,
    /// Channels of samples without any value, which filling makes zeros.
    pub empty: usize,
}

impl Filled {
    /// Adds what filling these channels will fill, each of `plane` values.
    pub fn add(&mut self, values: &[f32], plane: usize) {
        self.values += values.iter().filter(|v| v.is_nan()).count();
        let empty = |channel: &&[f32]| channel.iter().all(|v| v.is_nan());
        self.empty += values.chunks(plane.max(1)).filter(empty).count();
    }

    /// Says what was filled, for people.
    pub fn notes(self, how: Fill) -> Vec<String> {
        let mut notes = Vec::new();
        if self.values > 0 {
            notes.push(format!("filled {} ({})", plural(self.values, "missing value"), how.name()));
        }
        if self.empty > 0 {
            let channels = plural_of(self.empty, "channel of a sample holds", "channels of samples hold");
            let are = if self.empty == 1 { "it is" } else { "they are" };
            notes.push(format!("{channels} no value at all: {are} filled with zeros"));
        }
        notes
    }
}

impl RowStep for Filling {
    fn apply(&self, row: &mut Vec<f32>, shape: &[usize]) {
        self.sample(row, shape);
    }
}

/// Makes values on the grid of the inputs `x`, such as targets or outputs `[N, channels, …]`, NaN after the [end](ends) of
/// each sample.
///
/// # Errors
/// As [`Array::fetch`].
///
/// # Panics
/// If the values have fewer rows than the inputs.
pub fn clear_after_ends(x: &Array, values: &mut Array) -> Result<(), DataError> {
    let width = x.shape.last().copied().unwrap_or(1).max(1);
    let row_len = values.row_len();
    for i in 0..x.rows() {
        let length = ends::length(&x.fetch(i)?, width);
        let row = &mut values.data[i * row_len..(i + 1) * row_len];
        row.chunks_exact_mut(width).for_each(|line| line[length..].fill(f32::NAN));
    }
    Ok(())
}

/// Fills the channels that have missing values; each has `plane` elements.
fn fill_channels(values: &mut [f32], plane: usize, how: Fill) {
    let channels = values.chunks_mut(plane.max(1));
    channels.filter(|channel| channel.iter().any(|v| v.is_nan())).for_each(|c| fill_channel(c, how));
}

/// Checks that inputs of this shape can be filled in this way.
///
/// # Errors
/// [`DataError::File`] if values are to be interpolated and there are two axes.
pub fn check(origin: &str, shape: &[usize], how: Fill) -> Result<(), DataError> {
    if how == Fill::Linear && shape.len() != 3 {
        let reason = "missing values of images cannot be interpolated along one axis";
        return Err(DataError::file(origin.as_ref(), reason).with_hint("set `data.fill-missing` to zero or mean"));
    }
    Ok(())
}

/// Fills the missing values of a channel; with zeros if all are missing.
pub(crate) fn fill_channel(values: &mut [f32], how: Fill) {
    let known: Vec<(usize, f32)> =
        values.iter().enumerate().filter(|(_, v)| !v.is_nan()).map(|(i, &v)| (i, v)).collect();
    let mean = known.iter().map(|&(_, v)| f64::from(v)).sum::<f64>() / known.len().max(1) as f64;
    for (i, value) in values.iter_mut().enumerate().filter(|(_, v)| v.is_nan()) {
        let right = known.partition_point(|&(k, _)| k < i);
        *value = match (how, known.get(right.wrapping_sub(1)), known.get(right)) {
            (Fill::Zero, ..) | (_, None, None) => 0.0,
            (Fill::Mean, ..) => mean as f32,
            (Fill::Linear, Some(&(a, va)), Some(&(b, vb))) => va + (vb - va) * (i - a) as f32 / (b - a) as f32,
            (Fill::Linear, Some(&(_, v)), None) | (Fill::Linear, None, Some(&(_, v))) => v,
        };
    }
}
