//! The planes of a tensor as a matrix whose columns are assigned to vector lanes.

use super::layout::LaneAxis;
use crate::kernels::simd::{LANES, padded};

/// The planes of some channels, as a matrix whose columns are assigned to vector lanes.
#[derive(Debug, Clone, Copy)]
pub struct PlaneMatrix {
    lane_axis: LaneAxis,
    total: usize,
    start: usize,
    /// Rows of the matrix: samples, or channels if the samples are in the lanes.
    pub rows: usize,
    /// Columns of the matrix.
    pub cols: usize,
}

impl PlaneMatrix {
    /// The channels `start .. start + len` of `total`.
    pub fn new(lane_axis: LaneAxis, batch: usize, total: usize, start: usize, len: usize) -> Self {
        let (rows, cols) = match lane_axis {
            LaneAxis::Channels => (batch, len),
            LaneAxis::Samples => (len, batch),
        };
        Self { lane_axis, total, start, rows, cols }
    }

    /// The number of columns, padded to whole vectors.
    pub fn width(&self) -> usize {
        padded(self.cols)
    }

    /// The number of entries, padding included.
    pub fn size(&self) -> usize {
        self.rows * self.width()
    }

    /// The vector of planes at an entry, whose index is a multiple of [`LANES`].
    pub(super) fn vector(&self, entry: usize) -> PlaneVector {
        let (row, col) = (entry / self.width(), entry % self.width());
        let count = (self.cols - col).min(LANES);
        match self.lane_axis {
            LaneAxis::Channels => PlaneVector {
                first: row * self.total + self.start + col,
                count,
                step: 1,
                channel: self.start + col,
                next: 1,
            },
            LaneAxis::Samples => {
                let first = col * self.total + self.start + row;
                PlaneVector { first, count, step: self.total, channel: self.start + row, next: 0 }
            }
        }
    }
}

/// The planes `first + i·step` for i < count. Plane i belongs to channel `channel + i·next`, where `next` is 0 if all
/// planes belong to the same channel.
pub(super) struct PlaneVector {
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) step: usize,
    pub(super) channel: usize,
    pub(super) next: usize,
}
