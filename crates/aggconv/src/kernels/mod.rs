//! Convolution kernels on plain slices: no tensors, no autodiff.
//!
//! Everything above this module (the Burn extension and modules) calls [`forward`] and
//! [`backward`]; everything below is a way to compute them. All ways compute the same function
//! of a [`ConvGeometry`], to rounding, and the same bits whatever the number of threads.

// Microkernels index several register arrays by one loop variable; iterators over one of them
// would hide that.
#![allow(clippy::needless_range_loop)]

pub mod direct;
pub mod fourier;
pub mod naive;
pub(crate) mod scratch;
mod select;
pub mod simd;
mod work;

pub use select::{check_environment, cost, select};
pub use work::arithmetic;

use crate::ConvGeometry;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A way to compute a convolution. Which is fastest depends on the shape: see [`select`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The definition, loop by loop. The reference for tests.
    Naive,
    /// Tap by tap, vectorised along rows.
    Direct,
    /// Through the discrete Fourier transform (Eq. 4).
    Fourier,
}

impl Algorithm {
    /// Every algorithm, for tests and benchmarks that try each.
    pub const ALL: &'static [Algorithm] = &[Algorithm::Naive, Algorithm::Direct, Algorithm::Fourier];

    /// The name it is serialized to and asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Naive => "naive",
            Algorithm::Direct => "direct",
            Algorithm::Fourier => "fourier",
        }
    }

    /// Whether this algorithm can compute this geometry.
    pub fn supports(self, geometry: &ConvGeometry) -> bool {
        match self {
            Algorithm::Naive | Algorithm::Direct => true,
            // With no tap in reach there is nothing to transform.
            Algorithm::Fourier => !geometry.taps.reachable(geometry.input).is_empty(),
        }
    }
}

/// The gradients that a backward pass is asked for; each slice is overwritten.
#[derive(Debug, Default)]
pub struct Gradients<'a> {
    /// Gradient of the input, `[batch, c_in, h, w]`.
    pub x: Option<&'a mut [f32]>,
    /// Gradient of the weights, `[c_out, c_in / groups, taps]`.
    pub w: Option<&'a mut [f32]>,
    /// Gradient of the bias, `[c_out]`.
    pub bias: Option<&'a mut [f32]>,
}

/// Computes `y` (overwritten); layouts are those of [`ConvGeometry`].
///
/// # Panics
/// If a slice's length does not fit the geometry or the algorithm does not support it: the
/// layers above have checked shapes.
pub fn forward(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    check(algorithm, g, x, w, bias, y);
    match algorithm {
        Algorithm::Naive => naive::forward(g, x, w, bias, y),
        Algorithm::Direct => direct::forward(g, x, w, bias, y),
        Algorithm::Fourier => fourier::forward(g, x, w, bias, y),
    }
}

/// What an algorithm computed of an input in the forward pass and would compute again in the backward pass.
#[derive(Debug)]
pub struct Kept(fourier::Kept);

/// As [`forward`], and returns what can take the input's place in [`backward_kept`], where an algorithm has that at
/// little more memory than the input's.
///
/// # Panics
/// As [`forward`].
pub fn forward_keeping(
    algorithm: Algorithm,
    g: &ConvGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) -> Option<Kept> {
    if algorithm != Algorithm::Fourier {
        forward(algorithm, g, x, w, bias, y);
        return None;
    }
    check(algorithm, g, x, w, bias, y);
    fourier::forward_keeping(g, x, w, bias, y).map(Kept)
}

/// As [`backward`], but of an input of which was `kept` what [`forward_keeping`] returned: the values of `x` do not matter
/// then.
///
/// # Panics
/// As [`backward`].
pub fn backward_kept(
    algorithm: Algorithm,
    g: &ConvGeometry,
    (x, kept): (&[f32], Option<&Kept>),
    w: &[f32],
    dy: &[f32],
    grads: Gradients<'_>,
) {
    assert!(g.is_valid() && x.len() == g.x_len() && w.len() == g.w_len() && dy.len() == g.y_len());
    assert!(grads.x.as_ref().is_none_or(|d| d.len() == g.x_len()));
    assert!(grads.w.as_ref().is_none_or(|d| d.len() == g.w_len()));
    assert!(grads.bias.as_ref().is_none_or(|d| d.len() == g.c_out) && algorithm.supports(g));
    assert!(kept.is_none() || algorithm == Algorithm::Fourier, "no other algorithm keeps anything");
    match algorithm {
        Algorithm::Naive => naive::backward(g, x, w, dy, grads.x, grads.w, grads.bias),
        Algorithm::Direct => direct::backward(g, x, w, dy, grads),
        Algorithm::Fourier => fourier::backward(g, x, w, dy, kept.map(|Kept(kept)| kept), grads),
    }
}

/// Computes the gradients asked for from `dy`, the gradient of the output.
///
/// # Panics
/// If a slice's length does not fit the geometry or the algorithm does not support it.
pub fn backward(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    backward_kept(algorithm, g, (x, None), w, dy, grads);
}

fn check(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &[f32]) {
    assert!(g.is_valid() && x.len() == g.x_len() && w.len() == g.w_len() && y.len() == g.y_len());
    assert!(bias.is_none_or(|b| b.len() == g.c_out) && algorithm.supports(g));
}

/// The gradient of the bias: the sum of `dy` over batch and positions, channel by channel.
fn bias_gradient(g: &ConvGeometry, dy: &[f32], db: &mut [f32]) {
    let plane = g.output()[0] * g.output()[1];
    db.par_iter_mut().enumerate().for_each(|(o, db)| {
        *db = (0..g.batch).map(|n| sum(&dy[(n * g.c_out + o) * plane..][..plane])).sum::<f64>() as f32;
    });
}

/// The sum of a plane: in lanes, which vectorises, and over them in f64.
#[inline(always)]
pub(crate) fn sum(plane: &[f32]) -> f64 {
    let mut lanes = [0f32; 16];
    let (chunks, rest) = plane.as_chunks::<16>();
    chunks.iter().for_each(|c| lanes.iter_mut().zip(c).for_each(|(sum, v)| *sum += v));
    lanes.iter().chain(rest).map(|&v| f64::from(v)).sum()
}
