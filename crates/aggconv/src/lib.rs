//! Multi-scale convolutions: one operator for every kernel size and dilation.
//!
//! `AggConv_{K,D}` of "Efficient Architecture Search for Diverse Tasks" (DASH) is the weighted
//! sum of |K|·|D| convolutions of one input. This crate computes it, forward and backward, by
//! every method of the paper and by faster ones, as Burn modules and as plain functions.
//!
//! | layer | modules |
//! |---|---|
//! | what is computed | [`space`], [`taps`], [`geometry`] |
//! | how, on slices (no Burn) | [`kernels`], [`norm`] |

pub mod geometry;
pub mod kernels;
pub mod norm;
pub mod taps;

pub use geometry::ConvGeometry;
pub use taps::TapSet;
