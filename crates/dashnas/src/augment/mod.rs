//! Changing samples in training, and which samples are trained on: random crops, flips and shifts,
//! amplitude, mixup, and class-balanced sampling. All of it is off unless a recipe or the user asks.
//!
//! Everything is drawn from the step's own random stream, so the same seed gives the same samples
//! whatever came before. Samples are normalized when they get here: the fill value 0 is their mean.

mod mixup;
mod place;

pub use place::Place;

use crate::config::AugmentConfig;
use crate::data::{DataError, Targets};
use crate::loss::BatchTarget;
use crate::rng::{Stream, permutation};
use crate::samples::{Samples, value_target};
use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::RngExt;

impl AugmentConfig {
    /// Whether any of it changes the samples themselves.
    pub fn changes_samples(&self) -> bool {
        self.crop > 0 || self.flip || self.shift > 0 || self.amplitude > 0.0 || self.mixup > 0.0
    }
}

/// The given rows, changed: inputs `[rows, C, H, W]` and their targets. Where the target is a field over
/// the input's grid, it moves with the input, and what comes in from outside is not known.
pub(crate) fn batch(
    config: &AugmentConfig,
    samples: &Samples,
    rows: &[usize],
    stream: &mut Stream,
    device: &Device,
) -> Result<(Tensor<4>, BatchTarget), DataError> {
    let [c, h, w] = samples.input();
    let [outputs, positions] = samples.target();
    let targets = samples.targets();
    let mut x = Vec::with_capacity(rows.len() * c * h * w);
    let mut values = Vec::new();
    for &row in rows {
        let place = Place::draw(config, [h, w], stream);
        let scale = amplitude(config.amplitude, stream);
        for plane in samples.row(row)?.chunks_exact(h * w) {
            let start = x.len();
            place.apply(plane, [h, w], 0.0, &mut x);
            x[start..].iter_mut().for_each(|v| *v *= scale);
        }
        if let Targets::Values(y) = targets {
            let y = y.row(row);
            if positions == h * w && positions > 1 {
                y.chunks_exact(positions).for_each(|plane| place.apply(plane, [h, w], f32::NAN, &mut values));
            } else {
                values.extend_from_slice(y);
            }
        }
    }
    let n = rows.len();
    let mixed = (config.mixup > 0.0 && n > 1).then(|| (mixup::share(config.mixup, stream), permutation(n, stream)));
    if let Some((share, partners)) = &mixed {
        mixup::mix(&mut x, partners, *share);
    }
    let target = match targets {
        Targets::Classes(labels) => {
            let classes = |order: &mut dyn Iterator<Item = usize>| {
                // Class counts are checked to be far below i32::MAX when data is read.
                let t: Vec<i32> = order.map(|i| labels[rows[i]] as i32).collect();
                BatchTarget::Classes(Tensor::<2, Int>::from_data(TensorData::new(t, [n, 1]), device))
            };
            let first = classes(&mut (0..n));
            match &mixed {
                Some((share, partners)) => BatchTarget::Mixed {
                    first: Box::new(first),
                    second: Box::new(classes(&mut partners.iter().copied())),
                    share: *share,
                },
                None => first,
            }
        }
        Targets::Values(_) => {
            // Values mix as the inputs do; NaN, not known, stays NaN in the mixture.
            if let Some((share, partners)) = &mixed {
                mixup::mix(&mut values, partners, *share);
            }
            value_target(values, [n, outputs, positions], device)
        }
    };
    Ok((Tensor::from_data(TensorData::new(x, [n, c, h, w]), device), target))
}

/// A factor in `[1 − range, 1 + range)`.
fn amplitude(range: f64, stream: &mut Stream) -> f32 {
    if range > 0.0 { (1.0 + range * (2.0 * stream.random::<f64>() - 1.0)) as f32 } else { 1.0 }
}

/// `drawn` places in `labels`, every class equally likely at each draw. A class is gone through in random
/// order before any of it comes again.
pub(crate) fn balanced(labels: &[u32], drawn: usize, stream: &mut Stream) -> Vec<usize> {
    let mut classes: Vec<Vec<usize>> = Vec::new();
    let mut which = std::collections::BTreeMap::new();
    for i in permutation(labels.len(), stream) {
        let class = *which.entry(labels[i]).or_insert_with(|| {
            classes.push(Vec::new());
            classes.len() - 1
        });
        classes[class].push(i);
    }
    let mut next = vec![0; classes.len()];
    let mut draw = |_| {
        let class = stream.random_range(0..classes.len());
        let row = classes[class][next[class] % classes[class].len()];
        next[class] += 1;
        row
    };
    (0..drawn).map(&mut draw).collect()
}

/// Weights that make every class count alike: `n / (classes · samples of the class)`.
pub fn balanced_weights(labels: &[u32], classes: usize) -> Vec<f64> {
    let mut counts = vec![0usize; classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    counts.iter().map(|&count| labels.len() as f64 / (classes * count.max(1)) as f64).collect()
}

#[cfg(test)]
mod tests;
