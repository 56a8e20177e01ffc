//! Batch normalization, optionally followed by a ReLU, in one fused pass in each direction.
//!
//! The functions in this module compute on plain slices, without tensors or autodiff. [`ext`] provides them as Burn
//! backend operations, [`ops`] as functions of Burn tensors, and [`NormAct`] as a Burn module.
//!
//! With `M = batch · plane` values in a channel, training computes for each channel
//!
//! ```text
//! μ = Σ x / M        σ² = Σ (x − μ)² / M        x̂ = (x − μ) / √(σ² + ε)        y = γ·x̂ + β
//! ```
//!
//! and `max(y, 0)` if a ReLU follows. Evaluation takes given values of μ and σ². With `g` the gradient of the output,
//! set to 0 where the ReLU was inactive, the backward pass computes
//!
//! ```text
//! ∂β = Σ g        ∂γ = Σ g·x̂        ∂x = γ / √(σ² + ε) · (g − ∂β/M − x̂·∂γ/M)
//! ```
//!
//! Both directions read their inputs twice, the second time mostly from the cache, because a channel is finished before
//! the next one begins. They allocate nothing of the size of the input. The mask of the ReLU is recomputed from x by
//! the operations of the forward pass, bit-identically, so the output does not need to be kept.
//!
//! Sums are accumulated in `f64` from short runs in `f32`, over units whose size depends only on the shape, so results
//! are bit-identical for any number of threads and any vector width.

pub mod ext;
mod flex;
mod module;
pub mod ops;
mod parameters;
mod rows;
mod shape;
mod slices;
mod split;

pub use module::NormAct;
pub use parameters::{Affine, AffineGradients, InputGradient, Statistics, StatisticsMut};
pub use shape::NormShape;
pub use slices::{backward, evaluate, train};
