//! The gradients that a backward pass computes.

/// The gradients that are requested from a backward pass. Each slice is overwritten.
#[derive(Debug, Default)]
pub struct Gradients<'a> {
    /// The gradient of the input, `[batch, c_in, h, w]`.
    pub x: Option<&'a mut [f32]>,
    /// The gradient of the weights, `[c_out, c_in / groups, taps]`.
    pub w: Option<&'a mut [f32]>,
    /// The gradient of the bias, `[c_out]`.
    pub bias: Option<&'a mut [f32]>,
}
