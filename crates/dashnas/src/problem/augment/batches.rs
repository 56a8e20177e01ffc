//! Training batches: which samples an epoch draws, and how they are changed.

use crate::config::sections::AugmentConfig;
use crate::problem::augment::grid_move::{GridMove, MoveBounds};
use crate::problem::augment::mixup;
use crate::problem::augment::sampling::balanced;
use crate::problem::samples::{Samples, value_target};
use burn::tensor::{Device, Int, Tensor, TensorData};
use dashnas_core::rng::{Stream, permutation};
use dashnas_data::targets::Targets;
use dashnas_formats::ends;
use dashnas_formats::error::DataError;
use dashnas_nn::loss::BatchTarget;
use rand::RngExt;

/// Samples with the augmentation that a training applies to them.
#[derive(Debug, Clone, Copy)]
pub struct AugmentedBatches<'a> {
    /// The samples.
    pub samples: &'a Samples,
    /// The augmentation.
    pub config: &'a AugmentConfig,
}

impl AugmentedBatches<'_> {
    /// Inputs `[rows, C, H, W]` and targets of the given rows, augmented if the configuration says so. All random
    /// numbers come from `stream`.
    ///
    /// # Errors
    /// As [`Samples::row`].
    pub fn batch(
        &self,
        rows: &[usize],
        stream: &mut Stream,
        device: &Device,
    ) -> Result<(Tensor<4>, BatchTarget), DataError> {
        let AugmentConfig { crop, flip, shift, amplitude, mixup, .. } = *self.config;
        if crop > 0 || flip || shift > 0 || amplitude > 0.0 || mixup > 0.0 {
            self.augmented(rows, stream, device)
        } else {
            self.samples.batch(rows, device)
        }
    }

    /// Draws `drawn` of the rows `indices` for an epoch, in random order, as positions in `indices`. With
    /// class-balanced sampling, every class is drawn equally often.
    pub fn order(&self, indices: &[usize], drawn: usize, stream: &mut Stream) -> Vec<usize> {
        match self.samples.targets() {
            Targets::Classes(labels) if self.config.balance => {
                let labels: Vec<u32> = indices.iter().map(|&i| labels[i]).collect();
                balanced(&labels, drawn, stream)
            }
            _ => {
                let mut order = permutation(indices.len(), stream);
                order.truncate(drawn);
                order
            }
        }
    }

    /// The given rows, changed. A target that is a field over the grid of the input moves with the input, and the
    /// points that come in from outside are unknown.
    fn augmented(
        &self,
        rows: &[usize],
        stream: &mut Stream,
        device: &Device,
    ) -> Result<(Tensor<4>, BatchTarget), DataError> {
        let AugmentConfig { crop, flip, shift, .. } = *self.config;
        let [c, h, w] = self.samples.input();
        let [outputs, positions] = self.samples.target();
        let targets = self.samples.targets();
        let mut x = Vec::with_capacity(rows.len() * c * h * w);
        let mut values = Vec::new();
        for &row in rows {
            let sample = self.samples.row(row)?;
            // What follows the end of a sample does not move.
            let length = ends::length(&sample, w);
            let grid_move = GridMove::draw(MoveBounds { crop, flip, shift }, [h, length.max(1)], stream);
            let scale = amplitude(self.config.amplitude, stream);
            for plane in sample.chunks_exact(h * w) {
                let start = x.len();
                grid_move.apply_before(length, plane, [h, w], 0.0, &mut x);
                x[start..].iter_mut().for_each(|v| *v *= scale);
            }
            if let Targets::Values(y) = targets {
                let y = y.row(row);
                if positions == h * w && positions > 1 {
                    let planes = y.chunks_exact(positions);
                    planes.for_each(|plane| grid_move.apply_before(length, plane, [h, w], f32::NAN, &mut values));
                } else {
                    values.extend_from_slice(y);
                }
            }
        }
        let n = rows.len();
        let mixed = (self.config.mixup > 0.0 && n > 1)
            .then(|| (mixup::share(self.config.mixup, stream), permutation(n, stream)));
        if let Some((share, partners)) = &mixed {
            mixup::mix(&mut x, partners, *share);
        }
        let target = match targets {
            Targets::Classes(labels) => {
                let classes = |order: &[usize]| {
                    // Class counts are checked to be far below i32::MAX when data is read.
                    let t: Vec<i32> = order.iter().map(|&row| labels[row] as i32).collect();
                    let target = BatchTarget::Classes(Tensor::<2, Int>::from_data(TensorData::new(t, [n, 1]), device));
                    self.samples.with_weights(target, order, device)
                };
                let first = classes(rows);
                match &mixed {
                    Some((share, partners)) => BatchTarget::Mixed {
                        first: Box::new(first),
                        second: Box::new(classes(&partners.iter().map(|&i| rows[i]).collect::<Vec<_>>())),
                        share: *share,
                    },
                    None => first,
                }
            }
            Targets::Values(_) => {
                // Values mix as the inputs do; an unknown value (NaN) remains NaN in the mixture.
                if let Some((share, partners)) = &mixed {
                    mixup::mix(&mut values, partners, *share);
                }
                let target = value_target(values, [n, outputs, positions], device);
                match self.samples.weights_of(rows) {
                    None => target,
                    Some(mut weights) => {
                        if let Some((share, partners)) = &mixed {
                            mixup::mix(&mut weights, partners, *share);
                        }
                        let weights = Tensor::<1>::from_data(TensorData::new(weights, [n]), device);
                        BatchTarget::Weighted { target: Box::new(target), weights }
                    }
                }
            }
        };
        Ok((Tensor::from_data(TensorData::new(x, [n, c, h, w]), device), target))
    }
}

/// Draws a factor in `[1 − range, 1 + range)`.
fn amplitude(range: f64, stream: &mut Stream) -> f32 {
    if range > 0.0 { (1.0 + range * (2.0 * stream.random::<f64>() - 1.0)) as f32 } else { 1.0 }
}
