//! Multi-scale convolutions: one operator for every kernel size and dilation.
//!
//! `AggConv_{K,D}` of "Efficient Architecture Search for Diverse Tasks" (DASH) is the weighted
//! sum of |K|·|D| convolutions of one input. This crate computes it, forward and backward, by
//! every formulation of the paper and by faster ones, as Burn modules and as plain functions.
//!
//! | layer | modules |
//! |---|---|
//! | what is computed | [`space`], [`taps`], [`geometry`] |
//! | how, on slices (no Burn) | [`kernels`], [`mix`] |
//! | how, on Burn tensors | [`ops`], by [`ext`] (Flex) or [`composed`] (any backend); [`formulation`] |
//! | as Burn modules | [`nn`] |
//! | beside it: batch normalization with ReLU in one pass | [`norm`] |
//! | and sums and means of activations | [`maps`] |

mod checks;
pub mod composed;
mod error;
pub mod ext;
mod flex;
pub mod formulation;
pub mod geometry;
pub mod kernels;
pub mod maps;
pub mod mix;
pub mod nn;
pub mod norm;
pub mod ops;
pub mod space;
pub mod taps;

pub use error::OperatorError;
pub use formulation::Formulation;
pub use geometry::ConvGeometry;
pub use mix::MixPlan;
pub use ops::Engine;
pub use space::{Candidate, KernelSpace, SpaceError};
pub use taps::TapSet;
