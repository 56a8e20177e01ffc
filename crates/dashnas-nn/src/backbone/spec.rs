//! The interface of a backbone.

use crate::graph::topology::Graph;

/// The properties of a task and of the configuration that a network depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkSpec<'a> {
    /// The number of channels of the input.
    pub channels: usize,
    /// The number of outputs of the head (classes, labels, field channels).
    pub outputs: usize,
    /// Whether the network predicts at every position, so that its last value has the grid of the input.
    pub dense: bool,
    /// The factor of the numbers of channels (2-D).
    pub width: usize,
    /// The number of channels of the first block (1-D) or stage (ConvNeXt); `None` for the rule of the backbone.
    pub base: Option<usize>,
    /// The number of positions on the shortest axis of the training data.
    pub extent: usize,
    /// The odd kernel sizes of the plain backbone where it has several (1-D), in the order of a block.
    pub plain_kernels: &'a [usize],
}

impl NetworkSpec<'_> {
    /// The [`extent`](Self::extent) of inputs with `dims` axes, whose size is `[height, width]`; the height of series is 1.
    pub fn extent_of(dims: usize, [h, w]: [usize; 2]) -> usize {
        if dims == 1 { w } else { h.min(w) }
    }
}

/// A topology that the search can work on.
pub trait Backbone {
    /// Returns the graph of the network for a task.
    fn graph(&self, shape: NetworkSpec<'_>) -> Graph;
}
