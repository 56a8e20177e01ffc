//! The operator as Burn modules, which replace Burn's `Conv1d` and `Conv2d`.
//!
//! [`AggConv`] mixes all kernels of a space, [`KernelConv`] is one `Conv_{k,d}`, and [`SharedConv`] is one of several
//! that share their weights. All take `[N, C, H, W]` in one and in two dimensions (series have H = 1). [`AggConv1d`], [`AggConv2d`], [`KernelConv1d`] and
//! [`KernelConv2d`] take the shapes of Burn's modules.

mod agg;
mod common;
mod kernel;
mod shared;
mod wrap;

pub use agg::{AggConv, AggConvConfig};
pub use kernel::{KernelConv, KernelConvConfig, KernelConvError};
pub use shared::{SharedConv, SharedConvConfig};
pub use wrap::{AggConv1d, AggConv2d, KernelConv1d, KernelConv2d};
