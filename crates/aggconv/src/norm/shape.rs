//! The shape of a batch that is normalized.

/// The shape `[batch, channels, plane]` of a row-major tensor; `plane` is the product of the
/// spatial axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NormShape {
    /// Samples, N.
    pub batch: usize,
    /// Channels, C: each has its own statistics.
    pub channels: usize,
    /// Positions of one sample and channel.
    pub plane: usize,
}

impl NormShape {
    /// Elements of the tensor.
    pub fn len(&self) -> usize {
        self.batch * self.channels * self.plane
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// M: the values over which one channel's statistics are taken.
    pub fn per_channel(&self) -> usize {
        self.batch * self.plane
    }
}
