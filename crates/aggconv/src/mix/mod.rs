//! From the weights of all candidates to one kernel: the sum `Σ c_{k,d}·w_{k,d}` of Eq. 3.
//!
//! The weights of every candidate live in one flat tensor `[c_out, c_in / groups, T]`,
//! `T = Σ_{k,d} k^dims`: the candidates' blocks in k-major order, each block row-major. There
//! are three ways to add them up:
//!
//! - [`MixPlan`] with [`forward`] and [`backward`]: onto the union of the candidates' taps, less
//!   those that cannot reach the input. For one dilation the taps of every k lie on the lattice
//!   of the largest, so the union has about `|D|·k_max` taps per axis instead of `|D|·ΣK`, and
//!   never the dense support `D̄`.
//! - [`dense_kernel`] with [`Dilation::Zeropad`]: the paper's dense kernel of side D̄, each
//!   candidate scattered into zeros.
//! - [`dense_kernel`] with [`Dilation::Kronecker`]: the same kernel by technique 3, `w ⊗ P`.

mod dense;
mod kernels;
mod plan;

pub use dense::{Dilation, dense_kernel, dense_taps};
pub use kernels::{MixGradients, backward, forward};
pub use plan::MixPlan;
