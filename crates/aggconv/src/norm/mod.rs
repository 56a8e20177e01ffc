//! Batch normalization, optionally followed by ReLU, in one pass each way.
//!
//! The functions here compute on plain slices, without tensors or autodiff; [`ext`] makes them
//! Burn backend operations, [`ops`] functions of Burn tensors, [`NormAct`] a Burn module.
//!
//! With `M = batch · plane` values a channel, training computes for each channel
//!
//! ```text
//! μ = Σ x / M        σ² = Σ (x − μ)² / M        x̂ = (x − μ) / √(σ² + ε)        y = γ·x̂ + β
//! ```
//!
//! and `max(y, 0)` if a ReLU follows. Evaluation takes μ and σ² as they are given. With `g` the
//! gradient of the output, masked where the ReLU was flat, the backward pass is
//!
//! ```text
//! ∂β = Σ g        ∂γ = Σ g·x̂        ∂x = γ / √(σ² + ε) · (g − ∂β/M − x̂·∂γ/M)
//! ```
//!
//! Both directions read their inputs twice, the second time mostly from cache because a channel
//! is finished before the next begins, and allocate nothing of the input's size. The mask is
//! recomputed from x with the operations of the forward pass, to the same bits, so the output
//! need not be kept.
//!
//! PairSums are taken in `f64`, of short runs in `f32`, over units whose size depends on the shape
//! alone, so results are the same bits whatever the number of threads and the width of the vectors.

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
