//! Operations on each position by itself: layer normalization over the channels, GELU, and a factor for each channel.
//! ConvNeXt has them between its convolutions (Liu et al. 2022, "A ConvNet for the 2020s").
//!
//! The functions in this module compute on plain slices, without tensors or autodiff. [`ext`] provides them as Burn
//! backend operations, [`ops`] as functions of Burn tensors, and [`LayerNorm`] and [`LayerScale`] are Burn modules.
//!
//! The division of work depends only on the shape, so results are bit-identical for any number of threads and any vector
//! width.

pub mod ext;
mod flex;
mod gelu;
mod layer_norm;
mod module;
pub mod ops;
mod scale;

pub use gelu::{gelu, gelu_backward};
pub use layer_norm::{layer_norm, layer_norm_backward};
pub use module::{LayerNorm, LayerScale};
pub use scale::{scale, scale_backward};

use crate::norm::NormShape;

/// The number of values that one task processes.
const TASK_VALUES: usize = 1 << 14;

/// Adds up the values that each sample of a batch has for each channel, `[batch][channels]`, in the order of the samples.
fn sum_samples(values: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    for (c, sum) in sums.iter_mut().enumerate() {
        *sum = values.iter().skip(c).step_by(channels).map(|&v| f64::from(v)).sum::<f64>() as f32;
    }
}

/// Checks the lengths of activations of a shape and of what each channel has.
fn check(shape: NormShape, activations: &[usize], channels: &[usize]) {
    assert!(!shape.is_empty() && activations.iter().all(|&len| len == shape.len()));
    assert!(channels.iter().all(|&len| len == shape.channels));
}
