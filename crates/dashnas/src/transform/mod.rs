//! What is done to data after it is read: transforms that any data set of the right kind can have.
//!
//! They are part of the task, not of a run: what they draw (the turns of the spherical projection, the
//! order of a permutation) is the same whatever the seed of the run, so that runs can be compared.

mod permute;
mod spherical;
mod standardize;
mod window;

pub use spherical::{BANDWIDTH, SIDE};
pub use standardize::standardize;
pub use window::starts;

use crate::config::Config;
use crate::data::spill::Rows;
use crate::data::{Array, DataError, Dataset, ReadOptions, Split, Targets};
use crate::rng::Seed;
use serde::{Deserialize, Serialize};

/// A change of a whole data set, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// Each channel of each sample to mean 0 and standard deviation 1 over its own points.
    StandardizeSamples,
    /// Images onto the sphere, each at its own random turn (Cohen et al. 2018; the Spherical task): a grid of
    /// 60 polar angles and 60 azimuths.
    Spherical,
    /// Images to series, row after row: the sequential image tasks of the paper's speed test (A.3).
    Flatten,
    /// The points of every sample in one fixed random order.
    Permute,
}

impl Transform {
    /// Every transform.
    pub const ALL: [Transform; 4] =
        [Transform::StandardizeSamples, Transform::Spherical, Transform::Flatten, Transform::Permute];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Transform::StandardizeSamples => "standardize-samples",
            Transform::Spherical => "spherical",
            Transform::Flatten => "flatten",
            Transform::Permute => "permute",
        }
    }
}

/// Root of what transforms draw.
const SEED: Seed = Seed(0x5e1ec7);

/// The data set as the configuration's `task.unknown` and `task.transforms` want it.
///
/// # Errors
/// [`DataError::Transform`] if a transform does not go with the data, and those of checking the outcome.
pub fn apply(config: &Config, data: Dataset) -> Result<Dataset, DataError> {
    let mut data = match config.task.unknown {
        Some(value) => unknown(data, value as f32)?,
        None => data,
    };
    for &transform in &config.task.transforms {
        data = transformed(data, transform)?;
    }
    Ok(data)
}

/// Marks targets that equal `value` as not known.
fn unknown(mut data: Dataset, value: f32) -> Result<Dataset, DataError> {
    for (_, split) in splits(&mut data) {
        if let Targets::Values(y) = &mut split.y {
            y.data.iter_mut().filter(|v| **v == value).for_each(|v| *v = f32::NAN);
        }
    }
    data.check_unknown()?;
    Ok(data)
}

/// The splits that there are.
fn splits(data: &mut Dataset) -> impl Iterator<Item = (u64, &mut Split)> {
    let splits = [(TRAIN, Some(&mut data.train)), (VAL, data.val.as_mut()), (TEST, Some(&mut data.test))];
    splits.into_iter().filter_map(|(part, split)| Some((part, split?)))
}

/// Splits in the order in which they are told apart by what is drawn for them.
const TRAIN: u64 = 0;
const VAL: u64 = 1;
const TEST: u64 = 2;

/// What the transforms of a model do to inputs that it is to predict from, `[N, C, L]` or `[N, C, H, W]`: what they
/// did to the test split.
///
/// # Errors
/// [`DataError::Transform`] if a transform does not go with the inputs.
pub(crate) fn inputs(origin: &str, mut x: Array, transforms: &[Transform]) -> Result<Array, DataError> {
    for &transform in transforms {
        fits(origin, transform, &x.shape)?;
        x = changed(x, transform, TEST, 0);
    }
    Ok(x)
}

/// The shape of one sample, `[C, L]` or `[C, H, W]`, after the transforms.
pub(crate) fn shape(mut shape: Vec<usize>, transforms: &[Transform]) -> Vec<usize> {
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

/// The order in which [`Transform::Permute`] puts so many points.
pub(crate) fn order(points: usize) -> Vec<usize> {
    permute::order(points)
}

/// Whether a transform goes with inputs of a shape.
fn fits(origin: &str, transform: Transform, shape: &[usize]) -> Result<(), DataError> {
    if matches!(transform, Transform::Spherical | Transform::Flatten) && shape.len() != 4 {
        return Err(refused(origin, transform, shape, "takes images, N×C×H×W"));
    }
    Ok(())
}

fn refused(origin: &str, transform: Transform, shape: &[usize], reason: &str) -> DataError {
    let (origin, transform, shape) = (origin.into(), transform.name(), shape.to_vec());
    DataError::Transform { origin, transform, shape, reason: reason.into() }
}

/// Inputs after a transform that fits them; `part` is the split that they are of, `first` the place of the first of
/// them in it.
fn changed(mut x: Array, transform: Transform, part: u64, first: usize) -> Array {
    match transform {
        Transform::StandardizeSamples => {
            let points = x.shape[2..].iter().product::<usize>().max(1);
            x.data.chunks_exact_mut(points).for_each(standardize);
        }
        Transform::Spherical => return spherical::project(&x, part, first),
        Transform::Flatten => flatten(&mut x),
        Transform::Permute => {
            let order = permute::order(x.shape[2..].iter().product());
            permute::permute(&mut x, &order);
        }
    }
    x
}

/// Samples that are changed at a time where not all are in memory.
const AT_ONCE: usize = 64;

/// [`changed`] for inputs that are in a file, into another.
fn changed_outside(
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

fn transformed(mut data: Dataset, transform: Transform) -> Result<Dataset, DataError> {
    fits(&data.name, transform, &data.train.x.shape)?;
    let refuse = |reason: &str| Err(refused(&data.name, transform, &data.train.x.shape, reason));
    let dense = data.task.is_dense();
    match transform {
        Transform::Spherical if dense => return refuse("takes one target a sample, not a field over the image"),
        Transform::Permute | Transform::Flatten if dense && data.train.x.shape[2..] != data.test.x.shape[2..] => {
            return refuse("takes samples of one size");
        }
        _ => {}
    }
    let (name, options) = (data.name.clone(), data.reading.clone());
    for (part, split) in splits(&mut data) {
        let x = std::mem::replace(&mut split.x, Array::new(vec![0], Vec::new()));
        split.x = match x.is_outside() {
            true => changed_outside(&name, &x, transform, part, &options)?,
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

/// `[N, C, H, W]` to `[N, C, H·W]`.
fn flatten(array: &mut Array) {
    let points = array.shape[2..].iter().product();
    array.shape.truncate(2);
    array.shape.push(points);
}

#[cfg(test)]
mod tests;
