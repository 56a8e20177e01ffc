//! Convolution kernels on plain slices: no tensors, no autodiff.
//!
//! Everything above this module (the Burn extension and modules) calls [`forward`] and
//! [`backward`]; everything below is a way to compute them. All ways compute the same function
//! of a [`ConvGeometry`], to rounding, whatever the number of threads.

pub mod naive;

use crate::ConvGeometry;
use serde::{Deserialize, Serialize};

/// A way to compute a convolution. Which is fastest depends on the shape: see [`select`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The definition, loop by loop. The reference for tests.
    Naive,
}

impl Algorithm {
    /// Every algorithm, for tests and benchmarks that try each.
    pub const ALL: &'static [Algorithm] = &[Algorithm::Naive];

    /// Whether this algorithm can compute this geometry.
    pub fn supports(self, _geometry: &ConvGeometry) -> bool {
        true
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

/// The algorithm to use for a geometry.
pub fn select(_geometry: &ConvGeometry) -> Algorithm {
    Algorithm::Naive
}

/// Computes `y` (overwritten); layouts are those of [`ConvGeometry`].
///
/// # Panics
/// If a slice's length does not fit the geometry: the layers above have checked shapes.
pub fn forward(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    assert!(g.is_valid() && x.len() == g.x_len() && w.len() == g.w_len() && y.len() == g.y_len());
    assert!(bias.is_none_or(|b| b.len() == g.c_out));
    match algorithm {
        Algorithm::Naive => naive::forward(g, x, w, bias, y),
    }
}

/// Computes the gradients asked for from `dy`, the gradient of the output.
///
/// # Panics
/// If a slice's length does not fit the geometry.
pub fn backward(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    assert!(g.is_valid() && x.len() == g.x_len() && w.len() == g.w_len() && dy.len() == g.y_len());
    assert!(grads.x.as_ref().is_none_or(|d| d.len() == g.x_len()));
    assert!(grads.w.as_ref().is_none_or(|d| d.len() == g.w_len()));
    assert!(grads.bias.as_ref().is_none_or(|d| d.len() == g.c_out));
    match algorithm {
        Algorithm::Naive => naive::backward(g, x, w, dy, grads.x, grads.w, grads.bias),
    }
}
