//! Networks for the search of convolution kernels: backbones as graphs, training losses, the optimizer, trained models,
//! predictions and exports.
//!
//! A backbone is a [`Graph`] of named operations, from which everything else follows: a [`Network`] with parameters
//! (the supernet of the search, or one kernel in each layer), the numbers of parameters, and the files of other
//! programs. A trained [`Model`] is a network with a [`ModelCard`], and is saved as an [`Artifact`], the file
//! `model.dashnas`.
//!
//! The crate builds on `aggconv` (the aggregated convolution), `dashnas-data` (transforms and normalization) and Burn.
//! It does not know the search, the configuration or the stages of a run, which are in the crate above it.
//!
//! | modules | contents |
//! |---|---|
//! | [`error`] | errors of models, inputs, outputs and exports |
//! | [`graph`] | networks as graphs of operations: checks, shapes, numbers of parameters |
//! | [`backbone`] | the topologies that the search works on, and a backbone by its name |
//! | [`architecture`] | the result of the search: a kernel size and a dilation for each layer |
//! | [`network`], `mask` | a graph with its parameters: initialization and the forward pass, also of samples with lengths of their own |
//! | [`loss`], [`optim`] | training losses, and stochastic gradient descent |
//! | [`parameters`], [`tensor_data`] | parameters as plain arrays, and the elements of tensors |
//! | [`layers`], `weights` | what each node computes with given kernels, and its weights |
//! | [`artifact`], [`model`] | the file of a trained model, and the model that runs |
//! | [`predict`] | predictions from raw inputs, and files of predictions |
//! | [`export`] | ONNX and PyTorch |

pub mod architecture;
pub mod artifact;
pub mod backbone;
pub mod error;
pub mod export;
pub mod graph;
pub mod layers;
pub mod loss;
mod mask;
pub mod model;
pub mod network;
pub mod optim;
pub mod parameters;
pub mod predict;
pub mod tensor_data;
mod weights;

pub use crate::architecture::Architecture;
pub use crate::artifact::card::ModelCard;
pub use crate::artifact::file::Artifact;
pub use crate::error::ModelError;
pub use crate::graph::topology::Graph;
pub use crate::model::Model;
pub use crate::network::Network;
pub use crate::predict::prediction::Prediction;
