//! Transforms of whole data sets.

use crate::check::Tolerance;
use crate::dataset::Dataset;
use crate::levels;
use crate::split::Split;
use crate::statistics::InputSpans;
use crate::targets::Targets;
use crate::transform::arrays::{TEST, TRAIN, VAL, changed, fits, refused, shape};
use crate::transform::kind::Transform;
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;
use dashnas_formats::options::{Lengths, ReadOptions};
use dashnas_formats::spill::Rows;

/// Applies transforms to a data set, in order. If `unknown` is given, targets that equal it are first marked as unknown
/// (NaN).
///
/// # Errors
/// [`DataError::Transform`] if a transform does not apply to the data, and the errors of checking the result.
pub fn apply(data: Dataset, unknown: Option<f64>, transforms: &[Transform]) -> Result<Dataset, DataError> {
    let mut data = match unknown {
        Some(value) if matches!(data.task, TaskKind::Classification { .. }) => {
            let reason = format!("`task.unknown` is {value}, but the targets are classes, not fields");
            return Err(DataError::file(data.name.as_ref(), reason)
                .with_hint("leave out `task.unknown`, and remove samples whose class is not known"));
        }
        // Fields in files were marked when they were read.
        Some(_) if data.task.is_dense() && data.reading.unknown == unknown => data,
        Some(value) => mark_unknown(data, value as f32)?,
        None => data,
    };
    for &transform in transforms {
        data = transformed(data, transform)?;
    }
    if !transforms.contains(&Transform::StandardizeSamples) {
        let warning = levels::warning(&data)?;
        data.origin.warnings.extend(warning);
    }
    Ok(data)
}

/// Marks targets that equal `value` as unknown.
fn mark_unknown(mut data: Dataset, value: f32) -> Result<Dataset, DataError> {
    for (_, split) in splits(&mut data) {
        if let Targets::Values(y) = &mut split.y {
            y.data.iter_mut().filter(|v| **v == value).for_each(|v| *v = f32::NAN);
        }
    }
    data.check(&data.name, Tolerance::UNKNOWN)?;
    Ok(data)
}

/// The splits with their numbers in the names of random streams.
fn splits(data: &mut Dataset) -> impl Iterator<Item = (u64, &mut Split)> {
    let splits = [(TRAIN, Some(&mut data.train)), (VAL, data.val.as_mut()), (TEST, Some(&mut data.test))];
    splits.into_iter().filter_map(|(part, split)| Some((part, split?)))
}

/// Number of samples that are transformed at a time if not all are in memory.
const AT_ONCE: usize = 64;

/// Applies a transform to inputs that are in a file; the result is in another file.
fn changed_on_disk(
    name: &str,
    x: &Array,
    transform: Transform,
    part: u64,
    options: &ReadOptions,
) -> Result<Array, DataError> {
    let shape = [&x.shape[..1], &shape(x.shape[1..].to_vec(), &[transform])].concat();
    let mut rows = Rows::new(name.as_ref(), "inputs", shape, options)?;
    let places: Vec<usize> = (0..x.rows()).collect();
    for some in places.chunks(AT_ONCE) {
        let mut block = x.select(some);
        block.load()?;
        rows.push(&changed(block, transform, part, some[0]).data)?;
    }
    rows.array()
}

/// Applies one transform to all splits.
fn transformed(mut data: Dataset, transform: Transform) -> Result<Dataset, DataError> {
    fits(&data.name, transform, &data.train.x.shape)?;
    let refuse = |reason: &str| Err(refused(&data.name, transform, &data.train.x.shape, reason));
    let dense = data.task.is_dense();
    match transform {
        Transform::Spherical | Transform::Permute | Transform::Flatten if data.reading.lengths == Lengths::Mask => {
            return refuse("moves the ends of samples, whose lengths are kept by `data.lengths` mask");
        }
        Transform::Spherical if dense => return refuse("takes one target per sample, not a field over the image"),
        Transform::Permute | Transform::Flatten if dense && data.train.x.shape[2..] != data.test.x.shape[2..] => {
            return refuse("takes samples of the same size");
        }
        _ => {}
    }
    data.spans = InputSpans::default();
    let (name, options) = (data.name.clone(), data.reading.clone());
    for (part, split) in splits(&mut data) {
        let x = std::mem::replace(&mut split.x, Array::new(vec![0], Vec::new()));
        split.x = match x.is_file_backed() {
            true => changed_on_disk(&name, &x, transform, part, &options)?,
            false => changed(x, transform, part, 0),
        };
        if let (true, Targets::Values(y), Transform::Flatten | Transform::Permute) = (dense, &mut split.y, transform) {
            let field = std::mem::replace(y, Array::new(vec![0], Vec::new()));
            *y = changed(field, transform, part, 0);
        }
    }
    data.transforms.push(transform);
    Ok(data)
}

#[cfg(test)]
mod tests;
