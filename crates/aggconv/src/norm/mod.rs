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

use crate::kernels::simd::Simd;
use rayon::prelude::*;
use rows::{Line, Rule, Slope, Sums};
use split::{Share, Split, Write};
use std::ops::Range;

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
    let outs = (out.mean.par_chunks_mut(split.block()), out.variance.par_chunks_mut(split.block()));
    (split.blocks_mut(y), outs.0, outs.1).into_par_iter().with_min_len(split.blocks_per_task()).for_each(
        |(mut values, means, variances)| {
            // Deviations from the channel's first value: the variance of a channel that is
            // nearly constant does not drown in the square of its mean.
            let shifts: Vec<f32> = values.channels().map(|channel| x[split.range(channel, 0).start]).collect();
            let sums = values.sum(&Moments { x, next: split.next(), shifts: &shifts });
            let mut lines = Vec::with_capacity(sums.len());
            for (i, ([sum, squares], channel)) in sums.into_iter().zip(values.channels()).enumerate() {
                let offset = sum / m;
                means[i] = (f64::from(shifts[i]) + offset) as f32;
                variances[i] = (squares / m - offset * offset).max(0.0) as f32;
                if sum.is_nan() {
                    // `max` would hide it.
                    variances[i] = f32::NAN;
                }
                lines.push(affine.line(channel, means[i], variances[i]));
            }
            values.each(&Written { x, dy: None, next: split.next(), relu: affine.relu, rules: &lines });
        },
    );
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
    split.blocks_mut(y).with_min_len(split.blocks_per_task()).for_each(|mut values| {
        let line = |channel| affine.line(channel, statistics.mean[channel], statistics.variance[channel]);
        let lines: Vec<Line> = values.channels().map(line).collect();
        values.each(&Written { x, dy: None, next: split.next(), relu: affine.relu, rules: &lines });
    });
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
    let outs = (out.gamma.par_chunks_mut(split.block()), out.beta.par_chunks_mut(split.block()));
    (split.blocks_mut(dx), outs.0, outs.1).into_par_iter().with_min_len(split.blocks_per_task()).for_each(
        |(mut values, d_gamma, d_beta)| {
            let line = |channel| affine.line(channel, statistics.mean[channel], statistics.variance[channel]);
            let lines: Vec<Line> = values.channels().map(line).collect();
            let sums = values.sum(&OutputGradient { x, dy, next: split.next(), relu: affine.relu, lines: &lines });
            let mut slopes = Vec::with_capacity(sums.len());
            for (i, ([sum, dot], line)) in sums.into_iter().zip(lines).enumerate() {
                // `dot` is Σ g·(x − μ).
                d_beta[i] = sum as f32;
                d_gamma[i] = (dot * line.inverse_std) as f32;
                slopes.push(Slope {
                    line,
                    mean: (sum / m) as f32,
                    projection: (dot * line.inverse_std * line.inverse_std / m) as f32,
                });
            }
            values.each(&Written { x, dy, next: split.next(), relu: affine.relu, rules: &slopes });
        },
    );
}

/// The sums that the statistics are made of.
struct Moments<'a> {
    x: &'a [f32],
    next: usize,
    shifts: &'a [f32],
}

impl Share for Moments<'_> {
    #[inline(always)]
    fn add<S: Simd>(&self, simd: S, sums: &mut Sums, i: usize, range: Range<usize>, _: &[f32]) {
        sums.moments(simd, self.next, &self.x[range], self.shifts[i]);
    }
}

/// The sums that the gradients of the parameters are made of; the gradient of the output is `dy`, or the tensor itself.
struct OutputGradient<'a> {
    x: &'a [f32],
    dy: Option<&'a [f32]>,
    next: usize,
    relu: bool,
    lines: &'a [Line],
}

impl Share for OutputGradient<'_> {
    #[inline(always)]
    fn add<S: Simd>(&self, simd: S, sums: &mut Sums, i: usize, range: Range<usize>, piece: &[f32]) {
        let dy = self.dy.map_or(piece, |dy| &dy[range.clone()]);
        sums.gradient(simd, self.next, &self.lines[i], self.relu, &self.x[range], dy);
    }
}

/// What is written by a rule for each channel.
struct Written<'a, R> {
    x: &'a [f32],
    dy: Option<&'a [f32]>,
    next: usize,
    relu: bool,
    rules: &'a [R],
}

impl<R: Rule> Write for Written<'_, R> {
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, i: usize, range: Range<usize>, piece: &mut [f32]) {
        let dy = self.dy.map(|dy| &dy[range.clone()]);
        self.rules[i].apply(simd, self.next, self.relu, &self.x[range], dy, piece);
    }
}
