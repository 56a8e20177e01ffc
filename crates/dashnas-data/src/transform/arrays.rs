//! Transforms of arrays of samples.

use crate::transform::kind::Transform;
use crate::transform::permute::{order, permute};
use crate::transform::spherical::{SIDE, project};
use crate::transform::standardize::standardize;
use dashnas_formats::array::Array;
use dashnas_formats::error::DataError;

/// The numbers of the splits in the names of random streams.
pub(crate) const TRAIN: u64 = 0;
pub(crate) const VAL: u64 = 1;
pub(crate) const TEST: u64 = 2;

/// Applies the transforms of a model to inputs that it is to predict from, `[N, C, L]` or `[N, C, H, W]`, as to those of
/// the test split.
///
/// # Errors
/// [`DataError::Transform`] if a transform does not apply to the inputs.
pub fn inputs(origin: &str, mut x: Array, transforms: &[Transform]) -> Result<Array, DataError> {
    for &transform in transforms {
        fits(origin, transform, &x.shape)?;
        x = changed(x, transform, TEST, 0);
    }
    Ok(x)
}

/// The shape of one sample, `[C, L]` or `[C, H, W]`, after the transforms.
pub fn shape(mut shape: Vec<usize>, transforms: &[Transform]) -> Vec<usize> {
    for transform in transforms {
        match transform {
            Transform::StandardizeSamples | Transform::Permute => {}
            Transform::Spherical => shape.splice(1.., [SIDE, SIDE]).for_each(drop),
            Transform::Flatten => {
                let points = shape[1..].iter().product();
                shape.splice(1.., [points]).for_each(drop);
            }
        }
    }
    shape
}

/// Checks that a transform applies to inputs of a shape.
///
/// # Errors
/// [`DataError::Transform`] if it does not.
pub(crate) fn fits(origin: &str, transform: Transform, shape: &[usize]) -> Result<(), DataError> {
    if matches!(transform, Transform::Spherical | Transform::Flatten) && shape.len() != 4 {
        return Err(refused(origin, transform, shape, "takes images, N×C×H×W"));
    }
    Ok(())
}

/// The error of a transform that does not apply to inputs of a shape.
pub(crate) fn refused(origin: &str, transform: Transform, shape: &[usize], reason: &str) -> DataError {
    let (origin, transform, shape) = (origin.into(), transform.name(), shape.to_vec());
    DataError::Transform { origin, transform, shape, reason: reason.into() }
}

/// Applies a transform that fits the inputs. `part` is the number of their split, and `first` the index of the first
/// of them in it.
pub(crate) fn changed(mut x: Array, transform: Transform, part: u64, first: usize) -> Array {
    match transform {
        Transform::StandardizeSamples => {
            let points = x.shape[2..].iter().product::<usize>().max(1);
            x.data.chunks_exact_mut(points).for_each(standardize);
        }
        Transform::Spherical => return project(&x, part, first),
        Transform::Flatten => flatten(&mut x),
        Transform::Permute => {
            let order = order(x.shape[2..].iter().product());
            permute(&mut x, &order);
        }
    }
    x
}

/// `[N, C, H, W]` to `[N, C, H·W]`.
fn flatten(array: &mut Array) {
    let points = array.shape[2..].iter().product();
    array.shape.truncate(2);
    array.shape.push(points);
}
