//! Direct convolution, tap by tap, without a matrix of patches (im2col).
//!
//! In the layout of `flat` every tap of every channel is a constant shift. The convolution is therefore one matrix
//! product whose right operand is read in place at those shifts: forward
//! `y[o][q] = Σ_(c,t) w[o][(c,t)] · x[c][q + shift(t)]`, and the input gradient likewise with negated shifts. The
//! weight gradient `Σ_q x[c][q + shift(t)] · dy[q][o]` has the output channels in the vectors. `tile` contains the
//! register-blocked micro-kernels.

mod convolution;
mod depthwise;
mod flat;
mod grouped;
mod product;
mod tile;
mod weight_gradient;

pub use convolution::{backward, forward};
pub use flat::FlatLayout;
