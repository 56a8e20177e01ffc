//! Networks as data: small graphs of named operations.
//!
//! A [`Graph`] has the operations of a network and their inputs, but no weights. The shape check, the numbers of
//! parameters, memory, latency, the forward pass, the exports and the drawing in the report follow from the graph, and
//! so does which convolutions the search replaces. [`GraphBuilder`] builds a graph node by node.

mod blocks;
pub mod build;
mod check;
pub mod node;
mod params;
#[cfg(test)]
mod tests;
pub mod topology;
pub mod trace;

pub use crate::graph::blocks::Block;
pub use crate::graph::build::{GraphBuilder, Sequence};
pub use crate::graph::check::{GraphError, MAX_NODES};
pub use crate::graph::node::{Convolution, Node, NodeId, Operation, ParameterKind};
pub use crate::graph::topology::Graph;
pub use crate::graph::trace::TracedNode;
