//! A network as nodes in the order of their evaluation.

use crate::graph::check::{GraphError, Grid, ValueShape, check};
use crate::graph::node::{Convolution, Node, NodeId, Operation};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// A network without its weights: nodes in the order in which they are evaluated, the input first and the output, a
/// linear map, last.
///
/// A graph is checked when it is made, also when it is read from a file: channels and strides agree, and every value is
/// used. Searched convolutions are given their kernels separately, in the order of the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Graph {
    dims: usize,
    /// Whether the inputs have lengths of their own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    masked: bool,
    nodes: Vec<Node>,
    #[serde(skip)]
    facts: Vec<Facts>,
}

/// A graph as it is in a file.
#[derive(Deserialize)]
struct Unchecked {
    dims: usize,
    #[serde(default)]
    masked: bool,
    nodes: Vec<Node>,
}

/// Properties of a node that follow from the other nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    shape: ValueShape,
    /// The number of nodes with the same [`ParameterKind`] of parameters before it.
    index: usize,
    /// The number of uses of its value by other nodes.
    uses: usize,
    /// The last node that uses its value; the node itself if none does.
    last_use: NodeId,
    /// Whether a convolution or a mean sees what its value holds after the end of a sample.
    end_is_seen: bool,
}

impl TryFrom<Unchecked> for Graph {
    type Error = GraphError;

    fn try_from(Unchecked { dims, masked, nodes }: Unchecked) -> Result<Self, GraphError> {
        Graph::new(dims, nodes).map(|graph| graph.with_mask(masked))
    }
}

impl Graph {
    /// Makes a graph for data of `dims` axes, 1 or 2.
    ///
    /// # Errors
    /// [`GraphError`] if the nodes do not make up a network.
    pub fn new(dims: usize, nodes: Vec<Node>) -> Result<Self, GraphError> {
        let shapes = check(dims, &nodes)?;
        let mut counts = HashMap::new();
        let mut facts = Vec::with_capacity(nodes.len());
        for (at, (node, shape)) in nodes.iter().zip(shapes).enumerate() {
            let count = counts.entry(node.operation.kind()).or_insert(0);
            facts.push(Facts { shape, index: *count, uses: 0, last_use: NodeId(at), end_is_seen: false });
            *count += 1;
            for id in &node.inputs {
                facts[id.0].uses += 1;
                facts[id.0].last_use = NodeId(at);
            }
        }
        for (at, node) in nodes.iter().enumerate().rev() {
            let seen = match node.operation {
                Operation::Conv(_) | Operation::Mean => true,
                Operation::Relu
                | Operation::Gelu
                | Operation::LayerScale { .. }
                | Operation::Dropout
                | Operation::Sum
                | Operation::Concat => facts[at].end_is_seen,
                // A grid gives positions only, which come from the first input.
                Operation::Resize => facts[at].end_is_seen,
                // The statistics of a normalization and the windows of a maximum leave it out, and so does the last position. A
                // layer normalization looks at each position by itself.
                Operation::Input { .. }
                | Operation::Norm { .. }
                | Operation::LayerNorm { .. }
                | Operation::MaxPool(_)
                | Operation::Last
                | Operation::Linear { .. } => false,
            };
            node.inputs.iter().for_each(|id| facts[id.0].end_is_seen |= seen);
        }
        Ok(Self { dims, masked: false, nodes, facts })
    }

    /// Returns the same graph for inputs with lengths of their own along the last axis, or for whole ones. The network
    /// then computes for each sample what it would compute for the sample alone, without what follows its end: it holds
    /// zeros there where a convolution sees it, and normalizations and means leave it out.
    #[must_use]
    pub fn with_mask(mut self, masked: bool) -> Self {
        self.masked = masked;
        self
    }

    /// Returns whether the inputs have lengths of their own; see [`Graph::with_mask`].
    pub fn is_masked(&self) -> bool {
        self.masked
    }

    /// Returns the stride of a node's value: it has `⌈n/stride⌉` positions on an axis on which the input has n, unless it
    /// is a mean over positions.
    pub fn stride(&self, id: NodeId) -> usize {
        if let Grid::Strided(stride) = self.facts[id.0].shape.grid { stride } else { 1 }
    }

    /// Returns whether the value of a node must be made zero after the end of a sample, in a graph with a mask: of a
    /// convolution or another operation whose value is not zero there by itself.
    pub fn is_masked_after(&self, id: NodeId) -> bool {
        let operation = &self.node(id).operation;
        let makes_values = matches!(
            operation,
            Operation::Conv(_)
                | Operation::Norm { .. }
                | Operation::LayerNorm { .. }
                | Operation::MaxPool(_)
                | Operation::Resize
        );
        self.masked && makes_values && !self.is_pooled(id) && self.facts[id.0].end_is_seen
    }

    /// Returns the number of axes of the data, 1 or 2.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Iterates over the nodes with their numbers, in the order of their evaluation.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
        self.nodes.iter().enumerate().map(|(at, node)| (NodeId(at), node))
    }

    /// Returns the node with a number.
    ///
    /// # Panics
    /// Panics if the graph has no node with this number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// Returns the number of channels of a node's value.
    pub fn channels(&self, id: NodeId) -> usize {
        self.facts[id.0].shape.channels
    }

    /// Returns whether a node's value is a mean over positions or the last of them.
    pub(crate) fn is_pooled(&self, id: NodeId) -> bool {
        self.facts[id.0].shape.grid == Grid::Pooled
    }

    /// Returns the number of a node among those with the same kind of parameters: the `3` of `convs.3`.
    pub fn index(&self, id: NodeId) -> usize {
        self.facts[id.0].index
    }

    /// Returns the number of uses of a node's value by other nodes.
    pub fn uses(&self, id: NodeId) -> usize {
        self.facts[id.0].uses
    }

    /// Returns the last node that uses the value of a node. After it, the value can be dropped.
    pub fn last_use(&self, id: NodeId) -> NodeId {
        self.facts[id.0].last_use
    }

    /// Returns the ReLU that is the only user of the value of a batch normalization, if there is one. The two are
    /// computed in one pass.
    pub fn fused_relu(&self, norm: NodeId) -> Option<NodeId> {
        let user = self.last_use(norm);
        let fused = matches!(self.node(norm).operation, Operation::Norm { .. })
            && self.uses(norm) == 1
            && matches!(self.node(user).operation, Operation::Relu);
        fused.then_some(user)
    }

    /// Iterates over the convolutions, in the order of their evaluation.
    pub fn convolutions(&self) -> impl Iterator<Item = (NodeId, &Convolution)> {
        self.nodes().filter_map(|(id, node)| match &node.operation {
            Operation::Conv(conv) => Some((id, conv)),
            _ => None,
        })
    }

    /// Returns the searched convolutions, in the order of their evaluation.
    pub fn searched(&self) -> Vec<&Convolution> {
        self.convolutions().filter(|(_, conv)| conv.searched).map(|(_, conv)| conv).collect()
    }

    /// Returns the original kernel size and dilation of each searched convolution: those of the plain backbone.
    pub fn plain_kernels(&self) -> Vec<[usize; 2]> {
        self.searched().into_iter().map(|conv| [conv.kernel, conv.dilation]).collect()
    }

    /// Returns the number of channels of the input.
    pub fn inputs(&self) -> usize {
        self.channels(NodeId(0))
    }

    /// Returns the numbers of features and of outputs of the linear map at the end.
    pub fn head(&self) -> [usize; 2] {
        let last = NodeId(self.nodes.len() - 1);
        [self.channels(self.node(last).inputs[0]), self.channels(last)]
    }

    /// Returns whether the network predicts at every position of its input, not from the mean over them.
    pub fn is_dense(&self) -> bool {
        !self.is_pooled(NodeId(self.nodes.len() - 1))
    }
}
