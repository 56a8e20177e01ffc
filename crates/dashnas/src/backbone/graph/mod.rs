//! Networks as data: small graphs of named operations.
//!
//! A [`Graph`] says which operations a network has and what they take; it has no weights. The shape check, the numbers of
//! parameters, memory, latency, the forward pass, the exports and the drawing in the report all follow from it, and so
//! does which convolutions the search replaces. [`GraphBuilder`] puts one together.

mod blocks;
mod build;
mod check;
mod node;
mod params;
#[cfg(test)]
mod tests;
mod topology;
mod trace;

pub use blocks::Block;
pub use build::{GraphBuilder, Sequence};
pub use check::{GraphError, MAX_NODES};
pub use node::{Convolution, Kind, Node, NodeId, Operation};
pub use topology::Graph;
pub use trace::Traced;
