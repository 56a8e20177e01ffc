//! The Darcy flow data set of the paper (appendix A.4; Li et al., "Fourier Neural Operator"),
//! generated here.
//!
//! The task is to predict the solution `u` of `−∇·(a∇u) = 1` on the unit square, `u = 0` on its
//! boundary, from the coefficient `a`: 12 where a Gaussian random field with covariance
//! `(−Δ + 9)^(−2)` and zero normal derivative is at least 0, and 3 elsewhere. Each sample is solved
//! on a fine grid and kept at every `stride`-th node.
//!
//! Sample `i` of a split depends on the seed and `i` alone: neither the number of threads nor the
//! sizes of the splits change it.

mod cache;
pub mod config;
pub mod error;
pub(crate) mod fields;
mod generate;
mod grf;
mod grid;
mod solve;

pub use crate::darcy::config::DarcyConfig;
pub use crate::darcy::error::DarcyError;
pub use crate::darcy::generate::SolveProgress;
pub use crate::darcy::solve::{Solution, Solver};

#[cfg(test)]
mod tests;
