//! The operator as Burn backend operations: a backend that implements [`AggConvOps`] and [`AggConvGrads`] computes it
//! with its own kernels, and the implementation for `Autodiff` here serves all such backends.
//!
//! Flex, Burn's CPU backend, implements both with this crate's [`kernels`](crate::kernels) and [`mix`](crate::mix).
//! Other backends run the same functions composed of Burn operations: see [`composed`](crate::composed).
//! [`ops`](crate::ops) makes the choice.

mod autodiff;
mod flex;
mod traits;

pub use traits::{AggConvGrads, AggConvOps, BackwardInput, TapConvGradients, TapConvSpec, WantedGradients};
