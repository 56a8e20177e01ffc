//! Layer normalization over the channels of each position.
//!
//! With C channels, a position has
//!
//! ```text
//! μ = Σ x / C        σ² = Σ (x − μ)² / C        x̂ = (x − μ) / √(σ² + ε)        y = γ·x̂ + β
//! ```
//!
//! and with `g = γ·∂y` its gradient is `∂x = (g − Σ g / C − x̂·Σ g·x̂ / C) / √(σ² + ε)`. Positions are taken in tiles, whose
//! channels stay in the cache between the passes over them.

use super::{check, sum_samples};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::norm::NormShape;
use rayon::prelude::*;

/// The number of positions of a tile: four cache lines of each channel.
const TILE: usize = 64;

/// The mean and the inverse standard deviation of each position of a tile.
struct Moments {
    mean: [f32; TILE],
    inverse: [f32; TILE],
}

/// The positions of a tile in the values of one sample.
#[derive(Clone, Copy)]
struct Tile {
    plane: usize,
    channels: usize,
    start: usize,
    len: usize,
}

impl Tile {
    /// The tiles of a sample.
    fn all(NormShape { channels, plane, .. }: NormShape) -> impl Iterator<Item = Tile> {
        let of = move |start| Tile { plane, channels, start, len: TILE.min(plane - start) };
        (0..plane).step_by(TILE).map(of)
    }

    /// The values of a channel.
    #[inline(always)]
    fn of<'a>(&self, sample: &'a [f32], channel: usize) -> &'a [f32] {
        &sample[channel * self.plane + self.start..][..self.len]
    }

    #[inline(always)]
    fn of_mut<'a>(&self, sample: &'a mut [f32], channel: usize) -> &'a mut [f32] {
        &mut sample[channel * self.plane + self.start..][..self.len]
    }

    #[inline(always)]
    fn moments(&self, x: &[f32], epsilon: f32) -> Moments {
        let by_channels = 1.0 / self.channels as f32;
        let mut mean = [0.0; TILE];
        for c in 0..self.channels {
            mean.iter_mut().zip(self.of(x, c)).for_each(|(sum, x)| *sum += x);
        }
        mean.iter_mut().for_each(|sum| *sum *= by_channels);
        let mut inverse = [0.0; TILE];
        for c in 0..self.channels {
            for ((sum, x), mean) in inverse.iter_mut().zip(self.of(x, c)).zip(&mean) {
                *sum += (x - mean) * (x - mean);
            }
        }
        inverse.iter_mut().for_each(|sum| *sum = 1.0 / (*sum * by_channels + epsilon).sqrt());
        Moments { mean, inverse }
    }
}

/// Writes the normalized values of `x: [batch, channels, plane]` into `y`, which is overwritten. `affine` is γ and β,
/// `[channels]` each.
///
/// # Panics
/// If the length of a slice does not fit the shape or if the shape is empty.
pub fn layer_norm(shape: NormShape, x: &[f32], affine: [&[f32]; 2], epsilon: f64, y: &mut [f32]) {
    let [gamma, beta] = affine;
    check(shape, &[x.len(), y.len()], &[gamma.len(), beta.len()]);
    let sample = shape.channels * shape.plane;
    y.par_chunks_mut(sample).zip(x.par_chunks(sample)).for_each(|(y, x)| {
        vectorized(
            #[inline(always)]
            || {
                for tile in Tile::all(shape) {
                    let Moments { mean, inverse } = tile.moments(x, epsilon as f32);
                    for c in 0..shape.channels {
                        let (gamma, beta) = (gamma[c], beta[c]);
                        let values = tile.of_mut(y, c).iter_mut().zip(tile.of(x, c));
                        for ((y, x), (mean, inverse)) in values.zip(mean.iter().zip(&inverse)) {
                            *y = (x - mean) * inverse * gamma + beta;
                        }
                    }
                }
            },
        );
    });
}

/// Computes the gradients of [`layer_norm`] from the gradient of its output: that of x into `dx`, and those of γ and β
/// into `d_affine`, all overwritten.
///
/// # Panics
/// As [`layer_norm`].
pub fn layer_norm_backward(
    shape: NormShape,
    [x, dy]: [&[f32]; 2],
    gamma: &[f32],
    epsilon: f64,
    dx: &mut [f32],
    d_affine: [&mut [f32]; 2],
) {
    let [d_gamma, d_beta] = d_affine;
    check(shape, &[x.len(), dy.len(), dx.len()], &[gamma.len(), d_gamma.len(), d_beta.len()]);
    let (sample, channels) = (shape.channels * shape.plane, shape.channels);
    // The sums of each sample.
    let mut of_gamma = Scratch::take(shape.batch * channels);
    let mut of_beta = Scratch::take(shape.batch * channels);
    let sums = (of_gamma.par_chunks_mut(channels), of_beta.par_chunks_mut(channels));
    let samples = (dx.par_chunks_mut(sample), x.par_chunks(sample), dy.par_chunks(sample), sums.0, sums.1);
    samples.into_par_iter().for_each(|(dx, x, dy, of_gamma, of_beta)| {
        of_gamma.fill(0.0);
        of_beta.fill(0.0);
        vectorized(
            #[inline(always)]
            || Tile::all(shape).for_each(|tile| backward(tile, [x, dy], gamma, epsilon, dx, [of_gamma, of_beta])),
        );
    });
    sum_samples(&of_gamma, d_gamma);
    sum_samples(&of_beta, d_beta);
}

/// Computes the gradients of a tile, and adds those of γ and β.
#[inline(always)]
fn backward(
    tile: Tile,
    [x, dy]: [&[f32]; 2],
    gamma: &[f32],
    epsilon: f64,
    dx: &mut [f32],
    [of_gamma, of_beta]: [&mut [f32]; 2],
) {
    let Moments { mean, inverse } = tile.moments(x, epsilon as f32);
    let mut sums = [0f32; TILE];
    let mut dots = [0f32; TILE];
    for (c, &gamma) in gamma.iter().enumerate() {
        let mut products = [0f32; TILE];
        let values = tile.of(x, c).iter().zip(tile.of(dy, c)).zip(mean.iter().zip(&inverse));
        let totals = sums.iter_mut().zip(&mut dots).zip(&mut products);
        for (((x, dy), (mean, inverse)), ((sum, dot), product)) in values.zip(totals) {
            let normalized = (x - mean) * inverse;
            *product = dy * normalized;
            *sum += dy * gamma;
            *dot += *product * gamma;
        }
        of_gamma[c] += add_up(&products[..tile.len]);
        of_beta[c] += add_up(tile.of(dy, c));
    }
    let by_channels = 1.0 / tile.channels as f32;
    sums.iter_mut().chain(&mut dots).for_each(|sum| *sum *= by_channels);
    for (c, &gamma) in gamma.iter().enumerate() {
        let values = tile.of_mut(dx, c).iter_mut().zip(tile.of(x, c)).zip(tile.of(dy, c));
        let totals = mean.iter().zip(&inverse).zip(sums.iter().zip(&dots));
        for (((dx, x), dy), ((mean, inverse), (sum, dot))) in values.zip(totals) {
            let normalized = (x - mean) * inverse;
            *dx = (dy * gamma - sum - normalized * dot) * inverse;
        }
    }
}

/// Adds up values in sixteen lanes.
#[inline(always)]
fn add_up(values: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    chunks.iter().for_each(|chunk| lanes.iter_mut().zip(chunk).for_each(|(sum, v)| *sum += v));
    lanes.iter().chain(rest).sum()
}
