//! The layers of a network: the operation of each node of a graph with its kernel and the names of its weights. Exports
//! and the check of model files follow this list.

use crate::graph::node::{Convolution, MaxPool, NodeId, Operation};
use crate::graph::topology::Graph;

/// A convolution with a centered kernel, or with a causal one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conv {
    /// The name of its weights: `{name}.weight`, `[c_out, c_in / groups, k^dims]`, and `{name}.bias`, `[c_out]`.
    pub name: String,
    /// The numbers of input and output channels.
    pub channels: [usize; 2],
    /// Kernel size k.
    pub kernel: usize,
    /// Dilation d.
    pub dilation: usize,
    /// Stride on every axis.
    pub stride: usize,
    /// Whether the kernel sees only the output position and those before it.
    pub causal: bool,
    /// The number of groups of channels.
    pub groups: usize,
    /// Whether output position p sees the positions from p·stride on.
    pub patches: bool,
}

impl Conv {
    /// Returns the numbers of zeros before and after each axis: `(k − 1)/2·d` on both sides, so that output position p is
    /// centered on input position p·stride, or `(k − 1)·d` before it if the kernel is causal, or after the input for
    /// patches. n inputs give ⌈n/stride⌉ outputs, for even and odd n.
    pub fn padding(&self) -> [usize; 2] {
        let half = (self.kernel - 1) / 2 * self.dilation;
        match (self.causal, self.patches) {
            (true, _) => [2 * half, 0],
            (_, true) => [0, self.kernel - 1],
            _ => [half, half],
        }
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
    /// Layer normalization over the channels: `{name}.gamma` and `beta`, each `[channels]`.
    LayerNorm {
        /// The name of its weights.
        name: String,
        /// The number of channels.
        channels: usize,
    },
    /// A factor for each channel: `{name}.factor`, `[channels]`.
    LayerScale {
        /// The name of its weights.
        name: String,
        /// The number of channels.
        channels: usize,
    },
    /// Rectified linear unit.
    Relu,
    /// The exact Gaussian error linear unit.
    Gelu,
    /// Dropout, which is the identity outside training.
    Dropout,
    /// The sum of its inputs.
    Sum,
    /// The concatenation of its inputs along the channels.
    Concat,
    /// The maximum over windows.
    MaxPool(MaxPool),
    /// The first input on the finer grid of the second one, each position repeated so many times on every axis of the
    /// data.
    Resize {
        /// The number of times.
        times: usize,
    },
    /// The mean over all positions.
    Mean,
    /// The value at the last position.
    Last,
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
                let own = [conv.kernel, conv.dilation];
                let [kernel, dilation] = if conv.searched { kernels[graph.index(id)] } else { own };
                let Convolution { channels, stride, causal, groups, patches, .. } = *conv;
                Layer::Conv(Conv { name: name(), channels, kernel, dilation, stride, causal, groups, patches })
            }
            Operation::Norm { channels } => Layer::Norm { name: name(), channels: *channels },
            Operation::LayerNorm { channels } => Layer::LayerNorm { name: name(), channels: *channels },
            Operation::LayerScale { channels } => Layer::LayerScale { name: name(), channels: *channels },
            Operation::Relu => Layer::Relu,
            Operation::Gelu => Layer::Gelu,
            Operation::Dropout => Layer::Dropout,
            Operation::Sum => Layer::Sum,
            Operation::Concat => Layer::Concat,
            Operation::MaxPool(pool) => Layer::MaxPool(*pool),
            Operation::Resize => Layer::Resize { times: graph.stride(node.inputs[0]) / graph.stride(id) },
            Operation::Mean => Layer::Mean,
            Operation::Last => Layer::Last,
            Operation::Linear { channels } => Layer::Linear { channels: *channels },
        };
        (id, &node.inputs[..], layer)
    })
}
