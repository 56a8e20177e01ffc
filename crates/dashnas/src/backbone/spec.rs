//! What a backbone is given, and what it gives.

use super::graph::Graph;

/// What a backbone needs to know of the task to lay out its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape<'a> {
    /// Channels of the input.
    pub channels: usize,
    /// Outputs of the head (classes, labels, field channels).
    pub outputs: usize,
    /// Whether the network predicts at every position: then nothing is strided.
    pub dense: bool,
    /// Multiplier of the channel counts (2-D).
    pub width: usize,
    /// Channels of the first block (1-D); `None`: the paper's rule.
    pub base: Option<usize>,
    /// Odd kernel sizes of the plain backbone where it has several (1-D), in a block's order.
    pub plain_kernels: &'a [usize],
}

/// A topology that the search can work on.
pub trait Backbone {
    /// Lays the network out.
    fn graph(&self, shape: Shape<'_>) -> Graph;
}
