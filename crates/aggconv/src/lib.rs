//! Multi-scale convolutions: all kernel sizes and dilations in one operator, forward and backward, for [Burn](burn).
//!
//! The aggregated convolution `AggConv_{K,D}` of DASH ("Efficient Architecture Search for Diverse Tasks", NeurIPS 2022)
//! is the weighted sum of |K|·|D| convolutions of one input, with every kernel size in K and every dilation in D. This
//! crate computes it by all formulations of the paper and by a faster one, as Burn modules, as functions of Burn
//! tensors, and as functions of plain slices. It also contains batch normalization fused with a ReLU, and sums and
//! means of activations. It knows nothing of data sets, tasks, training or search.
//!
//! ```
//! use aggconv::{KernelSpace, nn::AggConv2d, nn::AggConvConfig};
//! use burn::tensor::{Device, Distribution, Tensor};
//!
//! // All kernel sizes 3 and 5 at the dilations 1 and 2, from 3 to 8 channels.
//! let device = Device::flex();
//! let space = KernelSpace::new([3, 5], [1, 2])?;
//! let conv = AggConv2d::new(AggConvConfig::new([3, 8], space), &device);
//!
//! let images = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);
//! assert_eq!(conv.forward(images).dims(), [2, 8, 32, 32]);
//! # Ok::<(), aggconv::SpaceError>(())
//! ```
//!
//! `examples/network.rs` trains a small network that finds the right dilation.
//!
//! | layer | modules |
//! |---|---|
//! | the function that is computed | [`space`], [`taps`], [`geometry`] |
//! | its computation on slices, without Burn | [`kernels`], [`mix`] |
//! | its computation on Burn tensors | [`ops`], by the native kernels ([`ext`]) or by Burn operations ([`composed`]); [`formulation`] |
//! | Burn modules | [`nn`] |
//! | batch normalization with ReLU | [`norm`] |
//! | sums and means of activations | [`maps`] |
//! | layer normalization, GELU and factors of channels | [`pointwise`] |

mod checks;
pub mod composed;
mod error;
pub mod ext;
mod flex;
pub mod formulation;
pub mod geometry;
pub mod kernels;
pub mod maps;
pub mod mix;
pub mod nn;
pub mod norm;
pub mod ops;
pub mod pointwise;
pub mod space;
pub mod taps;

pub use error::OperatorError;
pub use formulation::Formulation;
pub use geometry::ConvGeometry;
pub use mix::MixPlan;
pub use ops::Engine;
pub use space::{Candidate, KernelSpace, SpaceError};
pub use taps::TapSet;
