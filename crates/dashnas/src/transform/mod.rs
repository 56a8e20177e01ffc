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
use crate::data::{Array, DataError, Dataset, Split, Targets};
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
    for split in splits(&mut data) {
        if let Targets::Values(y) = &mut split.y {
            y.data.iter_mut().filter(|v| **v == value).for_each(|v| *v = f32::NAN);
        }
    }
    data.check_unknown()?;
    Ok(data)
}

/// The splits with something in them.
fn splits(data: &mut Dataset) -> impl Iterator<Item = &mut Split> {
    [Some(&mut data.train), data.val.as_mut(), Some(&mut data.test)].into_iter().flatten()
}

fn transformed(mut data: Dataset, transform: Transform) -> Result<Dataset, DataError> {
    let refuse = |reason: &str| {
        Err(DataError::Transform {
            origin: data.name.clone(),
            transform: transform.name(),
            shape: data.train.x.shape.clone(),
            reason: reason.into(),
        })
    };
    let dense = data.task.is_dense();
    match transform {
        Transform::Spherical | Transform::Flatten if data.dims() != 2 => {
            return refuse("takes images, N×C×H×W");
        }
        Transform::Spherical if dense => return refuse("takes one target a sample, not a field over the image"),
        Transform::Permute | Transform::Flatten if dense && data.train.x.shape[2..] != data.test.x.shape[2..] => {
            return refuse("takes samples of one size");
        }
        _ => {}
    }
    for (part, split) in splits(&mut data).enumerate() {
        split.x.load();
        match transform {
            Transform::StandardizeSamples => {
                let points = split.x.shape[2..].iter().product::<usize>().max(1);
                split.x.data.chunks_exact_mut(points).for_each(standardize);
            }
            Transform::Spherical => split.x = spherical::project(&split.x, part as u64),
            Transform::Flatten => {
                flatten(&mut split.x);
                fields(split, dense, flatten);
            }
            Transform::Permute => {
                let order = permute::order(split.x.shape[2..].iter().product());
                permute::permute(&mut split.x, &order);
                fields(split, dense, |y| permute::permute(y, &order));
            }
        }
    }
    Ok(data)
}

/// Does something to targets over the grid.
fn fields(split: &mut Split, dense: bool, change: impl FnOnce(&mut Array)) {
    if let (true, Targets::Values(y)) = (dense, &mut split.y) {
        change(y);
    }
}

/// `[N, C, H, W]` to `[N, C, H·W]`.
fn flatten(array: &mut Array) {
    let points = array.shape[2..].iter().product();
    array.shape.truncate(2);
    array.shape.push(points);
}

#[cfg(test)]
mod tests;
