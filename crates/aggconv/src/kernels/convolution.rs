//! The forward and the backward pass of a convolution by a given algorithm.

use super::{Algorithm, Gradients, SavedInput, direct, fourier, naive};
use crate::ConvGeometry;

/// Computes `y`, which is overwritten. The layouts are those of [`ConvGeometry`].
///
/// # Panics
/// If the length of a slice does not fit the geometry or if the algorithm does not support it: the callers check the
/// shapes.
pub fn forward(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    check(algorithm, g, x, w, bias, y);
    match algorithm {
        Algorithm::Naive => naive::forward(g, x, w, bias, y),
        Algorithm::Direct => direct::forward(g, x, w, bias, y),
        Algorithm::Fourier => fourier::forward(g, x, w, bias, y),
    }
}

/// Computes [`forward`] and returns what can replace the input in [`backward_saved`], if the algorithm has such a
/// representation that takes little more memory than the input.
///
/// # Panics
/// As [`forward`].
pub fn forward_saving(
    algorithm: Algorithm,
    g: &ConvGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) -> Option<SavedInput> {
    if algorithm != Algorithm::Fourier {
        forward(algorithm, g, x, w, bias, y);
        return None;
    }
    check(algorithm, g, x, w, bias, y);
    fourier::forward_saving(g, x, w, bias, y).map(SavedInput)
}

/// Computes [`backward`] from the input or from what [`forward_saving`] saved of it. If something was saved, the values
/// of `x` do not matter.
///
/// # Panics
/// As [`backward`].
pub fn backward_saved(
    algorithm: Algorithm,
    g: &ConvGeometry,
    (x, saved): (&[f32], Option<&SavedInput>),
    w: &[f32],
    dy: &[f32],
    grads: Gradients<'_>,
) {
    assert!(g.is_valid() && x.len() == g.x_len() && w.len() == g.w_len() && dy.len() == g.y_len());
    assert!(grads.x.as_ref().is_none_or(|d| d.len() == g.x_len()));
    assert!(grads.w.as_ref().is_none_or(|d| d.len() == g.w_len()));
    assert!(grads.bias.as_ref().is_none_or(|d| d.len() == g.c_out) && algorithm.supports(g));
    assert!(saved.is_none() || algorithm == Algorithm::Fourier, "only the Fourier algorithm saves its input");
    match algorithm {
        Algorithm::Naive => naive::backward(g, x, w, dy, grads.x, grads.w, grads.bias),
        Algorithm::Direct => direct::backward(g, x, w, dy, grads),
        Algorithm::Fourier => fourier::backward(g, x, w, dy, saved.map(|SavedInput(saved)| saved), grads),
    }
}

/// Computes the requested gradients from `dy`, the gradient of the output.
///
/// # Panics
/// If the length of a slice does not fit the geometry or if the algorithm does not support it.
pub fn backward(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    backward_saved(algorithm, g, (x, None), w, dy, grads);
}

fn check(algorithm: Algorithm, g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &[f32]) {
    assert!(g.is_valid() && x.len() == g.x_len() && w.len() == g.w_len() && y.len() == g.y_len());
    assert!(bias.is_none_or(|b| b.len() == g.c_out) && algorithm.supports(g));
}
