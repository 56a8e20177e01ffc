//! The shape of a batch that is normalized.

/// The shape `[batch, channels, plane]` of a row-major tensor. `plane` is the product of the spatial axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NormShape {
    /// The number of samples, N.
    pub batch: usize,
    /// The number of channels, C. Each has its own statistics.
    pub channels: usize,
    /// The number of positions of a sample and channel.
    pub plane: usize,
}

impl NormShape {
    /// The number of elements of the tensor.
    pub fn len(&self) -> usize {
        self.batch * self.channels * self.plane
    }

    /// Whether the tensor has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// M: the number of values that determine the statistics of one channel.
    pub fn per_channel(&self) -> usize {
        self.batch * self.plane
    }
}
