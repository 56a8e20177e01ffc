//! The layers of a network: the operation of each node of a graph with its kernel and the names of its weights. Exports
//! and the check of model files follow this list.

use crate::graph::node::{NodeId, Operation};
use crate::graph::topology::Graph;

/// A convolution with a centered kernel: padding `(k − 1)/2·d` on both sides of every axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv {
    /// The name of its weights: `{name}.weight`, `[c_out, c_in, k^dims]`, and `{name}.bias`, `[c_out]`.
    pub name: String,
    /// The numbers of input and output channels.
    pub channels: [usize; 2],
    /// Kernel size k.
    pub kernel: usize,
    /// Dilation d.
    pub dilation: usize,
    /// Stride on every axis.
    pub stride: usize,
}

impl Conv {
    /// Returns the number of zeros on each side of each axis, `(k − 1)/2·d`: output position p is centered on input
    /// position p·stride, and n inputs give ⌈n/stride⌉ outputs, for even and odd n.
    pub fn padding(&self) -> usize {
        (self.kernel - 1) / 2 * self.dilation
    }
}

/// The operation of a node, with its kernel and the names of its weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// The input of the network.
    Input,
    /// A convolution, searched or not.
    Conv(Conv),
    /// Batch normalization: `{name}.gamma`, `beta`, `running_mean` and `running_var`, each `[channels]`.
    Norm {
        /// The name of its weights.
        name: String,
        /// The number of channels.
        channels: usize,
    },
    /// Rectified linear unit.
    Relu,
    /// Dropout, which is the identity outside training.
    Dropout,
    /// The sum of its inputs.
    Sum,
    /// The concatenation of its inputs along the channels.
    Concat,
    /// The mean over all positions.
    Mean,
    /// The linear map at the end: `head_weight`, `[features, outputs]`, and `head_bias`, `[outputs]`.
    Linear {
        /// The numbers of features and of outputs.
        channels: [usize; 2],
    },
}

/// Iterates over the nodes of a graph with their inputs and layers, given the kernel size and dilation of each searched
/// convolution.
pub fn layers<'a>(graph: &'a Graph, kernels: &[[usize; 2]]) -> impl Iterator<Item = (NodeId, &'a [NodeId], Layer)> {
    graph.nodes().map(move |(id, node)| {
        let name = || graph.parameter_name(id).unwrap_or_default();
        let layer = match &node.operation {
            Operation::Input { .. } => Layer::Input,
            Operation::Conv(conv) => {
                let [kernel, dilation] = if conv.searched { kernels[graph.index(id)] } else { [conv.kernel, 1] };
                Layer::Conv(Conv { name: name(), channels: conv.channels, kernel, dilation, stride: conv.stride })
            }
            Operation::Norm { channels } => Layer::Norm { name: name(), channels: *channels },
            Operation::Relu => Layer::Relu,
            Operation::Dropout => Layer::Dropout,
            Operation::Sum => Layer::Sum,
            Operation::Concat => Layer::Concat,
            Operation::Mean => Layer::Mean,
            Operation::Linear { channels } => Layer::Linear { channels: *channels },
        };
        (id, &node.inputs[..], layer)
    })
}
