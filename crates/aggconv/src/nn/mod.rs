//! The operator as Burn modules, in place of Burn's `Conv1d` and `Conv2d`.
//!
//! [`AggConv`] mixes every kernel of a space; [`KernelConv`] is one `Conv_{k,d}` on the same
//! kernels. Both work on `[N, C, H, W]` whatever the dimension (series have H = 1);
//! [`AggConv1d`], [`AggConv2d`], [`KernelConv1d`] and [`KernelConv2d`] take the shapes that
//! Burn's modules take.

mod agg;
mod common;
mod kernel;
mod wrap;

pub use agg::{AggConv, AggConvConfig};
pub use kernel::{KernelConv, KernelConvConfig, KernelConvError};
pub use wrap::{AggConv1d, AggConv2d, KernelConv1d, KernelConv2d};
