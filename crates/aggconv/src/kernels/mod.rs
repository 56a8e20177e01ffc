//! Convolution kernels on plain slices, without tensors or autodiff.
//!
//! Everything above this module (the Burn extension and the Burn modules) calls [`forward`] and [`backward`].
//! Everything below implements an [`Algorithm`]. All algorithms compute the same function of a
//! [`ConvGeometry`](crate::ConvGeometry), up to rounding, and each gives bit-identical results for any number of
//! threads.

// Microkernels index several register arrays by one loop variable. Iterators over one of them would obscure that.
#![allow(clippy::needless_range_loop)]

mod algorithm;
mod convolution;
mod direct;
pub mod fourier;
mod gradients;
pub mod naive;
mod operation_count;
mod saved;
pub(crate) mod scratch;
mod select;
pub mod simd;
pub(crate) mod sums;

pub use algorithm::Algorithm;
pub use convolution::{backward, backward_saved, forward, forward_saving};
pub use gradients::Gradients;
pub use operation_count::arithmetic;
pub use saved::SavedInput;
pub use select::{check_environment, cost, select};
