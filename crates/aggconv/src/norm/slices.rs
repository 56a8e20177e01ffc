//! Normalization on slices, forward and backward.

use super::rows::{ChannelAffine, ChannelRule, InputSlope, PairSums};
use super::split::{Accumulate, Partition, WritePiece};
use super::{Affine, AffineGradients, InputGradient, NormShape, Statistics, StatisticsMut};
use crate::kernels::simd::Simd;
use rayon::prelude::*;
use std::ops::Range;

/// Normalizes `x` with the statistics of the batch into `y`, which is overwritten, and returns the statistics in `out`.
///
/// # Panics
/// If the length of a slice does not fit the shape or if the shape is empty: the callers check both.
pub fn train(shape: NormShape, x: &[f32], affine: Affine<'_>, y: &mut [f32], out: StatisticsMut<'_>) {
    assert!(!shape.is_empty() && x.len() == shape.len() && y.len() == shape.len());
    assert!(out.mean.len() == shape.channels && out.variance.len() == shape.channels);
    affine.check(shape);
    let split = Partition::new(shape);
    let m = shape.per_channel() as f64;
    let outs = (out.mean.par_chunks_mut(split.block()), out.variance.par_chunks_mut(split.block()));
    (split.blocks_mut(y), outs.0, outs.1).into_par_iter().with_min_len(split.blocks_per_task()).for_each(
        |(mut values, means, variances)| {
            // Sums of deviations from the first value of the channel, so that the variance of a nearly constant channel
            // does not suffer from cancellation with the square of its mean.
            let shifts: Vec<f32> = values.channels().map(|channel| x[split.range(channel, 0).start]).collect();
            let sums = values.sum(&Moments { x, prefetch_offset: split.prefetch_offset(), shifts: &shifts });
            let mut affines = Vec::with_capacity(sums.len());
            for (i, ([sum, squares], channel)) in sums.into_iter().zip(values.channels()).enumerate() {
                let offset = sum / m;
                means[i] = (f64::from(shifts[i]) + offset) as f32;
                variances[i] = (squares / m - offset * offset).max(0.0) as f32;
                if sum.is_nan() {
                    // `max` would hide NaN.
                    variances[i] = f32::NAN;
                }
                affines.push(affine.of_channel(channel, means[i], variances[i]));
            }
            values.each(&ApplyRules {
                x,
                dy: None,
                prefetch_offset: split.prefetch_offset(),
                relu: affine.relu,
                rules: &affines,
            });
        },
    );
}

/// Normalizes `x` with given statistics into `y`, which is overwritten.
///
/// # Panics
/// If the length of a slice does not fit the shape or if the shape is empty.
pub fn evaluate(shape: NormShape, x: &[f32], affine: Affine<'_>, statistics: Statistics<'_>, y: &mut [f32]) {
    assert!(!shape.is_empty() && x.len() == shape.len() && y.len() == shape.len());
    affine.check(shape);
    statistics.check(shape);
    let split = Partition::new(shape);
    split.blocks_mut(y).with_min_len(split.blocks_per_task()).for_each(|mut values| {
        let of_channel = |channel| affine.of_channel(channel, statistics.mean[channel], statistics.variance[channel]);
        let affines: Vec<ChannelAffine> = values.channels().map(of_channel).collect();
        values.each(&ApplyRules {
            x,
            dy: None,
            prefetch_offset: split.prefetch_offset(),
            relu: affine.relu,
            rules: &affines,
        });
    });
}

/// Computes the gradients of [`train`], given its inputs and the statistics that it returned.
///
/// # Panics
/// If the length of a slice does not fit the shape or if the shape is empty.
pub fn backward(
    shape: NormShape,
    x: &[f32],
    affine: Affine<'_>,
    statistics: Statistics<'_>,
    input: InputGradient<'_>,
    out: AffineGradients<'_>,
) {
    assert!(!shape.is_empty() && x.len() == shape.len());
    assert!(out.gamma.len() == shape.channels && out.beta.len() == shape.channels);
    affine.check(shape);
    statistics.check(shape);
    let (dy, dx) = match input {
        InputGradient::Separate { dy, dx } => (Some(dy), dx),
        InputGradient::InPlace(gradient) => (None, gradient),
    };
    assert!(dx.len() == shape.len() && dy.is_none_or(|dy| dy.len() == shape.len()));
    let split = Partition::new(shape);
    let m = shape.per_channel() as f64;
    let outs = (out.gamma.par_chunks_mut(split.block()), out.beta.par_chunks_mut(split.block()));
    (split.blocks_mut(dx), outs.0, outs.1).into_par_iter().with_min_len(split.blocks_per_task()).for_each(
        |(mut values, d_gamma, d_beta)| {
            let of_channel =
                |channel| affine.of_channel(channel, statistics.mean[channel], statistics.variance[channel]);
            let affines: Vec<ChannelAffine> = values.channels().map(of_channel).collect();
            let sums = values.sum(&OutputGradient {
                x,
                dy,
                prefetch_offset: split.prefetch_offset(),
                relu: affine.relu,
                affines: &affines,
            });
            let mut slopes = Vec::with_capacity(sums.len());
            for (i, ([sum, dot], channel_affine)) in sums.into_iter().zip(affines).enumerate() {
                // `dot` is Σ g·(x − μ).
                d_beta[i] = sum as f32;
                d_gamma[i] = (dot * channel_affine.inverse_std) as f32;
                slopes.push(InputSlope {
                    affine: channel_affine,
                    mean: (sum / m) as f32,
                    projection: (dot * channel_affine.inverse_std * channel_affine.inverse_std / m) as f32,
                });
            }
            values.each(&ApplyRules {
                x,
                dy,
                prefetch_offset: split.prefetch_offset(),
                relu: affine.relu,
                rules: &slopes,
            });
        },
    );
}

/// Accumulates the sums that determine the statistics.
struct Moments<'a> {
    x: &'a [f32],
    prefetch_offset: usize,
    shifts: &'a [f32],
}

impl Accumulate for Moments<'_> {
    #[inline(always)]
    fn add<S: Simd>(&self, simd: S, sums: &mut PairSums, i: usize, range: Range<usize>, _: &[f32]) {
        sums.moments(simd, self.prefetch_offset, &self.x[range], self.shifts[i]);
    }
}

/// Accumulates the sums that determine the gradients of the parameters. The gradient of the output is `dy`, or the
/// tensor itself.
struct OutputGradient<'a> {
    x: &'a [f32],
    dy: Option<&'a [f32]>,
    prefetch_offset: usize,
    relu: bool,
    affines: &'a [ChannelAffine],
}

impl Accumulate for OutputGradient<'_> {
    #[inline(always)]
    fn add<S: Simd>(&self, simd: S, sums: &mut PairSums, i: usize, range: Range<usize>, piece: &[f32]) {
        let dy = self.dy.map_or(piece, |dy| &dy[range.clone()]);
        sums.gradient(simd, self.prefetch_offset, &self.affines[i], self.relu, &self.x[range], dy);
    }
}

/// Writes the result of each channel's rule.
struct ApplyRules<'a, R> {
    x: &'a [f32],
    dy: Option<&'a [f32]>,
    prefetch_offset: usize,
    relu: bool,
    rules: &'a [R],
}

impl<R: ChannelRule> WritePiece for ApplyRules<'_, R> {
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, i: usize, range: Range<usize>, piece: &mut [f32]) {
        let dy = self.dy.map(|dy| &dy[range.clone()]);
        self.rules[i].apply(simd, self.prefetch_offset, self.relu, &self.x[range], dy, piece);
    }
}
