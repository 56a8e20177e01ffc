//! Complex discrete Fourier transforms of 16 signals at once, one in each vector lane.
//!
//! Signals side by side need no shuffles, so every butterfly is plain vector arithmetic. The passes are those of
//! Stockham's algorithm (no bit reversal), with the radices 2 to 6, 8, 9 and 10. The transform is
//! `X[k] = Σ_j x[j]·exp(−2πi·jk/N)`. The unscaled inverse is the same transform with the real and imaginary parts
//! exchanged on both sides.

mod butterfly;
mod length;
mod plan;
mod view;

pub use length::{cost_per_point, good_length};
pub use plan::FftPlan;
pub use view::SignalView;
