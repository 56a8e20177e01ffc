//! The forward and the backward pass by direct convolution.

use super::FlatLayout;
use super::{depthwise, grouped, weight_gradient::weight_gradient};
use crate::ConvGeometry;
use crate::kernels::Gradients;
use crate::kernels::sums::bias_gradient;

/// Computes `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    if g.is_depthwise() {
        depthwise::forward(g, x, w, bias, y);
    } else {
        grouped::forward(g, x, w, bias, y);
    }
}

/// Computes the gradients of [`forward`].
pub fn backward(g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    if g.is_depthwise() && (grads.x.is_some() || grads.w.is_some()) {
        return depthwise::backward(g, x, w, dy, grads);
    }
    if let Some(db) = grads.bias {
        bias_gradient(g, dy, db);
    }
    let flat = FlatLayout::new(g);
    if let Some(dx) = grads.x {
        grouped::input_gradient(g, &flat, w, dy, dx);
    }
    if let Some(dw) = grads.w {
        weight_gradient(g, &flat, x, dy, dw);
    }
}
