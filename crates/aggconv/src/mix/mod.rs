//! Combines the weights of all candidates to one kernel: the sum `Σ c_{k,d}·w_{k,d}` of Eq. 3.
//!
//! The weights of all candidates are stored in one flat tensor `[c_out, c_in / groups, T]` with `T = Σ_{k,d} k^dims`:
//! the blocks of the candidates in k-major order, each block row-major. There are three ways to add them:
//!
//! - [`MixPlan`] with [`forward`] and [`backward`]: on the union of the candidates' taps, without those that cannot
//!   reach the input. For one dilation, the taps of every k lie on the lattice of the largest k, so the union has about
//!   `|D|·k_max` taps on each axis instead of `|D|·ΣK`, and never the dense support `D̄`.
//! - [`dense_kernel`] with [`Dilation::Zeropad`]: the paper's dense kernel of side D̄, in which each candidate is padded
//!   with zeros.
//! - [`dense_kernel`] with [`Dilation::Kronecker`]: the same kernel by technique 3, `w ⊗ P`.

mod dense;
mod kernels;
mod plan;

pub use dense::{Dilation, dense_kernel, dense_taps};
pub use kernels::{MixGradients, backward, forward};
pub use plan::MixPlan;
