//! Graphs built node by node.

use crate::graph::node::{Convolution, MaxPool, Node, NodeId, Operation};
use crate::graph::topology::Graph;

/// A graph under construction.
///
/// ```
/// use dashnas_nn::graph::GraphBuilder;
///
/// // A residual block between a stem and a head for 10 classes.
/// let mut net = GraphBuilder::new(2);
/// let input = net.input(3);
/// let x = net.after(input).conv(16, 3, 1).end();
/// let body = net.after(x).norm().relu().conv(32, 3, 2).end();
/// let shortcut = net.after(x).pointwise(32, 2).end();
/// let sum = net.sum(&[body, shortcut]);
/// let end = net.after(sum).norm().relu().end();
/// let graph = net.finish(end, 10, false);
/// assert_eq!(graph.plain_kernels(), [[3, 1], [3, 1]]);
/// ```
#[derive(Debug)]
pub struct GraphBuilder {
    dims: usize,
    nodes: Vec<Node>,
    channels: Vec<usize>,
}

/// A sequence of operations, each of which uses the value of the previous one.
#[derive(Debug)]
#[must_use = "`end` gives the last node of a sequence"]
pub struct Sequence<'a> {
    builder: &'a mut GraphBuilder,
    at: NodeId,
}

impl GraphBuilder {
    /// Starts a graph without nodes for data of `dims` axes, 1 or 2.
    pub fn new(dims: usize) -> Self {
        Self { dims, nodes: Vec::new(), channels: Vec::new() }
    }

    /// Adds the input of the network, which must be the first node.
    pub fn input(&mut self, channels: usize) -> NodeId {
        self.push(Operation::Input { channels }, &[], channels)
    }

    /// Starts a sequence of operations on the value of a node.
    pub fn after(&mut self, node: NodeId) -> Sequence<'_> {
        Sequence { builder: self, at: node }
    }

    /// Adds the sum of values of one shape, summed from left to right.
    pub fn sum(&mut self, values: &[NodeId]) -> NodeId {
        let channels = values.first().map_or(0, |&first| self.channels(first));
        self.push(Operation::Sum, values, channels)
    }

    /// Adds the concatenation of values of one size along their channels.
    pub fn concat(&mut self, values: &[NodeId]) -> NodeId {
        let channels = values.iter().fold(0usize, |sum, &value| sum.saturating_add(self.channels(value)));
        self.push(Operation::Concat, values, channels)
    }

    /// Adds a value on the finer grid of another one, each position repeated.
    pub fn resize(&mut self, value: NodeId, like: NodeId) -> NodeId {
        let channels = self.channels(value);
        self.push(Operation::Resize, &[value, like], channels)
    }

    /// Returns the number of channels of the value of a node.
    pub fn channels(&self, node: NodeId) -> usize {
        self.channels[node.0]
    }

    /// Ends the graph with the head: a linear map of the mean over positions, or of each position if `dense`.
    ///
    /// # Panics
    /// Panics if the nodes do not make up a network, which is a defect of the backbone.
    pub fn finish(self, features: NodeId, outputs: usize, dense: bool) -> Graph {
        self.end(features, outputs, (!dense).then_some(Operation::Mean))
    }

    /// Ends the graph with a linear map of the last position, or of each position if `dense`.
    ///
    /// # Panics
    /// As [`GraphBuilder::finish`].
    pub fn finish_at_the_last(self, features: NodeId, outputs: usize, dense: bool) -> Graph {
        self.end(features, outputs, (!dense).then_some(Operation::Last))
    }

    /// Ends the graph with a layer normalization and a linear map of the mean over positions, or of each position if
    /// `dense`.
    ///
    /// # Panics
    /// As [`GraphBuilder::finish`].
    pub fn finish_normalized(mut self, features: NodeId, outputs: usize, dense: bool) -> Graph {
        let channels = self.channels(features);
        let pooled = if dense { features } else { self.push(Operation::Mean, &[features], channels) };
        let normalized = self.push(Operation::LayerNorm { channels }, &[pooled], channels);
        self.end(normalized, outputs, None)
    }

    fn end(mut self, features: NodeId, outputs: usize, pool: Option<Operation>) -> Graph {
        let c = self.channels(features);
        let features = match pool {
            Some(pool) => self.push(pool, &[features], c),
            None => features,
        };
        self.push(Operation::Linear { channels: [c, outputs] }, &[features], outputs);
        Graph::new(self.dims, self.nodes).unwrap_or_else(|error| panic!("the graph of a backbone: {error}"))
    }

    fn push(&mut self, operation: Operation, inputs: &[NodeId], channels: usize) -> NodeId {
        self.nodes.push(Node { operation, inputs: inputs.to_vec() });
        self.channels.push(channels);
        NodeId(self.nodes.len() - 1)
    }
}

impl Sequence<'_> {
    /// Adds a convolution whose kernel the search chooses; in the plain backbone its size is `kernel`.
    pub fn conv(self, channels: usize, kernel: usize, stride: usize) -> Self {
        self.convolution(channels, kernel, stride, true)
    }

    /// Adds a causal convolution whose kernel the search chooses; in the plain backbone it has this size and dilation.
    pub fn causal_conv(self, channels: usize, kernel: usize, dilation: usize) -> Self {
        let channels = [self.channels(), channels];
        self.any_conv(Convolution { searched: true, dilation, causal: true, ..Convolution::new(channels, kernel) })
    }

    /// Adds a convolution of groups of channels whose kernel the search chooses; in the plain backbone its size is
    /// `kernel`. The number of groups must divide both numbers of channels.
    pub fn grouped_conv(self, channels: usize, kernel: usize, stride: usize, groups: usize) -> Self {
        let channels = [self.channels(), channels];
        self.any_conv(Convolution { stride, searched: true, groups, ..Convolution::new(channels, kernel) })
    }

    /// Adds a convolution that the search does not change.
    pub fn unsearched_conv(self, channels: usize, kernel: usize, stride: usize) -> Self {
        self.convolution(channels, kernel, stride, false)
    }

    /// Adds a 1×1 convolution, which the search does not change.
    pub fn pointwise(self, channels: usize, stride: usize) -> Self {
        self.convolution(channels, 1, stride, false)
    }

    /// Adds a convolution of patches of this size, which do not overlap: `⌈n/size⌉` positions of n.
    pub fn patches(self, channels: usize, size: usize) -> Self {
        let channels = [self.channels(), channels];
        self.any_conv(Convolution { stride: size, patches: true, ..Convolution::new(channels, size) })
    }

    /// Adds a layer normalization over the channels of each position.
    pub fn layer_norm(self) -> Self {
        let channels = self.channels();
        self.then(Operation::LayerNorm { channels }, channels)
    }

    /// Adds a learned factor for each channel.
    pub fn layer_scale(self) -> Self {
        let channels = self.channels();
        self.then(Operation::LayerScale { channels }, channels)
    }

    /// Adds a Gaussian error linear unit.
    pub fn gelu(self) -> Self {
        let channels = self.channels();
        self.then(Operation::Gelu, channels)
    }

    /// Adds a batch normalization.
    pub fn norm(self) -> Self {
        let channels = self.channels();
        self.then(Operation::Norm { channels }, channels)
    }

    /// Adds a rectified linear unit.
    pub fn relu(self) -> Self {
        let channels = self.channels();
        self.then(Operation::Relu, channels)
    }

    /// Adds the maximum over windows.
    pub fn max_pool(self, kernel: usize, stride: usize) -> Self {
        let channels = self.channels();
        self.then(Operation::MaxPool(MaxPool { kernel, stride }), channels)
    }

    /// Adds dropout at the rate that training sets.
    pub fn dropout(self) -> Self {
        let channels = self.channels();
        self.then(Operation::Dropout, channels)
    }

    /// Ends the sequence and returns its last node.
    pub fn end(self) -> NodeId {
        self.at
    }

    fn channels(&self) -> usize {
        self.builder.channels(self.at)
    }

    fn convolution(self, channels: usize, kernel: usize, stride: usize, searched: bool) -> Self {
        let channels = [self.channels(), channels];
        self.any_conv(Convolution { stride, searched, ..Convolution::new(channels, kernel) })
    }

    fn any_conv(self, conv: Convolution) -> Self {
        self.then(Operation::Conv(conv), conv.channels[1])
    }

    fn then(mut self, operation: Operation, channels: usize) -> Self {
        self.at = self.builder.push(operation, &[self.at], channels);
        self
    }
}
