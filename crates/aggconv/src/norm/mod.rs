//! Batch normalization, optionally followed by ReLU, in one pass each way.
//!
//! The functions here compute on plain slices, without tensors or autodiff; [`ext`] makes them
//! Burn backend operations, [`ops`] functions of Burn tensors, [`NormAct`] a Burn module.
//!
//! With `M = batch · plane` values a channel, training computes for each channel
//!
//! ```text
//! μ = Σ x / M        σ² = Σ (x − μ)² / M        x̂ = (x − μ) / √(σ² + ε)        y = γ·x̂ + β
//! ```
//!
//! and `max(y, 0)` if a ReLU follows. Evaluation takes μ and σ² as they are given. With `g` the
//! gradient of the output, masked where the ReLU was flat, the backward pass is
//!
//! ```text
//! ∂β = Σ g        ∂γ = Σ g·x̂        ∂x = γ / √(σ² + ε) · (g − ∂β/M − x̂·∂γ/M)
//! ```
//!
//! Both directions read their inputs twice, the second time mostly from cache because a channel
//! is finished before the next begins, and allocate nothing of the input's size. The mask is
//! recomputed from x with the operations of the forward pass, to the same bits, so the output
//! need not be kept.
//!
//! Sums are taken in `f64`, of short runs in `f32`, over units whose size depends on the shape
//! alone, so results are the same bits whatever the number of threads and the width of the vectors.

pub mod ext;
mod flex;
mod module;
pub mod ops;
mod rows;
mod split;

pub use module::NormAct;

use rayon::prelude::*;
use rows::{Line, Slope};
use split::Split;

/// The shape `[batch, channels, plane]` of a row-major tensor; `plane` is the product of the
/// spatial axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NormShape {
    /// Samples, N.
    pub batch: usize,
    /// Channels, C: each has its own statistics.
    pub channels: usize,
    /// Positions of one sample and channel.
    pub plane: usize,
}

impl NormShape {
    /// Elements of the tensor.
    pub fn len(&self) -> usize {
        self.batch * self.channels * self.plane
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// M: the values over which one channel's statistics are taken.
    pub fn per_channel(&self) -> usize {
        self.batch * self.plane
    }
}

/// The learned parameters, and what else decides the output besides the statistics.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// γ, `[channels]`.
    pub gamma: &'a [f32],
    /// β, `[channels]`.
    pub beta: &'a [f32],
    /// ε, added to the variance under the root.
    pub epsilon: f64,
    /// Whether a ReLU follows. As in Burn, NaN stays NaN.
    pub relu: bool,
}

impl Affine<'_> {
    fn line(&self, channel: usize, mean: f32, variance: f32) -> Line {
        // From the f32 statistics, which is what the backward pass is given too.
        let inverse_std = 1.0 / (f64::from(variance) + self.epsilon).sqrt();
        let scale = (f64::from(self.gamma[channel]) * inverse_std) as f32;
        Line { mean, scale, beta: self.beta[channel], inverse_std }
    }

    fn check(&self, shape: NormShape) {
        assert!(self.gamma.len() == shape.channels && self.beta.len() == shape.channels);
    }
}

/// The mean and the biased variance of each channel, `[channels]` both.
#[derive(Debug, Clone, Copy)]
pub struct Statistics<'a> {
    /// μ.
    pub mean: &'a [f32],
    /// σ², without ε.
    pub variance: &'a [f32],
}

impl Statistics<'_> {
    fn check(&self, shape: NormShape) {
        assert!(self.mean.len() == shape.channels && self.variance.len() == shape.channels);
    }
}

/// Where [`train`] writes the batch's statistics, `[channels]` both; overwritten.
#[derive(Debug)]
pub struct StatisticsMut<'a> {
    /// μ.
    pub mean: &'a mut [f32],
    /// σ², biased (divided by M), without ε.
    pub variance: &'a mut [f32],
}

/// Where [`backward`] writes the gradients of the parameters, `[channels]` both; overwritten.
#[derive(Debug)]
pub struct AffineGradients<'a> {
    /// ∂γ.
    pub gamma: &'a mut [f32],
    /// ∂β.
    pub beta: &'a mut [f32],
}

/// Normalizes `x` with the statistics of the batch itself into `y` (overwritten) and returns the
/// statistics in `out`.
///
/// # Panics
/// If a slice's length does not fit the shape or the shape is empty: the layers above have
/// checked.
pub fn train(shape: NormShape, x: &[f32], affine: Affine<'_>, y: &mut [f32], out: StatisticsMut<'_>) {
    assert!(!shape.is_empty() && x.len() == shape.len() && y.len() == shape.len());
    assert!(out.mean.len() == shape.channels && out.variance.len() == shape.channels);
    affine.check(shape);
    let split = Split::new(shape);
    let m = shape.per_channel() as f64;
    let outs = (out.mean.par_iter_mut(), out.variance.par_iter_mut());
    (split.channels_mut(y).par_iter_mut(), outs.0, outs.1)
        .into_par_iter()
        .with_min_len(split.channels_per_task())
        .enumerate()
        .for_each(|(channel, (pieces, mean, variance))| {
            // Deviations from the channel's first value: the variance of a channel that is
            // nearly constant does not drown in the square of its mean.
            let shift = x[split.range(channel, 0).start];
            let [sum, squares] = split.sum(
                pieces,
                #[inline(always)]
                |sums, index, _| sums.moments(&x[split.range(channel, index)], shift),
            );
            let offset = sum / m;
            *mean = (f64::from(shift) + offset) as f32;
            *variance = (squares / m - offset * offset).max(0.0) as f32;
            if sum.is_nan() {
                // `max` would hide it.
                *variance = f32::NAN;
            }
            let line = affine.line(channel, *mean, *variance);
            split.each(
                pieces,
                #[inline(always)]
                |index, y| line.apply(affine.relu, &x[split.range(channel, index)], y),
            );
        });
}

/// Normalizes `x` with given statistics into `y` (overwritten).
///
/// # Panics
/// If a slice's length does not fit the shape or the shape is empty.
pub fn evaluate(shape: NormShape, x: &[f32], affine: Affine<'_>, statistics: Statistics<'_>, y: &mut [f32]) {
    assert!(!shape.is_empty() && x.len() == shape.len() && y.len() == shape.len());
    affine.check(shape);
    statistics.check(shape);
    let split = Split::new(shape);
    split.channels_mut(y).par_iter_mut().with_min_len(split.channels_per_task()).enumerate().for_each(
        |(channel, pieces)| {
            let line = affine.line(channel, statistics.mean[channel], statistics.variance[channel]);
            split.each(
                pieces,
                #[inline(always)]
                |index, y| line.apply(affine.relu, &x[split.range(channel, index)], y),
            );
        },
    );
}

/// The gradient of the output of [`train`], and where the gradient of its input goes.
#[derive(Debug)]
pub enum InputGradient<'a> {
    /// Separate buffers of the input's length.
    Separate {
        /// Gradient of the output.
        dy: &'a [f32],
        /// Gradient of the input; overwritten.
        dx: &'a mut [f32],
    },
    /// The gradient of the output, overwritten by that of the input: no buffer to allocate.
    InPlace(&'a mut [f32]),
}

/// The gradients of [`train`], whose inputs and statistics are given again.
///
/// # Panics
/// If a slice's length does not fit the shape or the shape is empty.
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
    let split = Split::new(shape);
    let m = shape.per_channel() as f64;
    (split.channels_mut(dx).par_iter_mut(), out.gamma.par_iter_mut(), out.beta.par_iter_mut())
        .into_par_iter()
        .with_min_len(split.channels_per_task())
        .enumerate()
        .for_each(|(channel, (pieces, d_gamma, d_beta))| {
            let line = affine.line(channel, statistics.mean[channel], statistics.variance[channel]);
            let [sum, dot] = split.sum(
                pieces,
                #[inline(always)]
                |sums, index, piece| {
                    let range = split.range(channel, index);
                    let dy = dy.map_or(piece, |dy| &dy[range.clone()]);
                    sums.gradient(&line, affine.relu, &x[range], dy);
                },
            );
            // `dot` is Σ g·(x − μ).
            *d_beta = sum as f32;
            *d_gamma = (dot * line.inverse_std) as f32;
            let slope = Slope {
                line,
                mean: (sum / m) as f32,
                projection: (dot * line.inverse_std * line.inverse_std / m) as f32,
            };
            split.each(
                pieces,
                #[inline(always)]
                |index, dx| {
                    let range = split.range(channel, index);
                    match dy {
                        Some(dy) => slope.apply(affine.relu, &x[range.clone()], &dy[range], dx),
                        None => slope.apply_in_place(affine.relu, &x[range], dx),
                    }
                },
            );
        });
}
