//! The division of a tensor among threads: by channel, and each channel into units whose size depends only on the
//! shape.
//!
//! The values of a channel lie in `batch` separate planes. A plane is divided into *pieces* of at most [`UNIT_VALUES`]
//! values, and consecutive pieces form a *unit* of about that many values, which is the unit of parallel work and of
//! summation.
//!
//! The small planes of a channel lie far apart, and the hardware prefetcher does not follow from one to the next. A
//! task therefore takes a *block* of neighboring channels, which lie side by side. Each channel has sums of its own, so
//! that the division into blocks does not affect the results.
//!
//! Tasks write to separate pieces of one tensor, which slices of the tensor cannot express. A [`ChannelBlock`] is a
//! pointer that represents the exclusive borrow of its own pieces, which requires `unsafe`.

use super::NormShape;
use super::rows::PairSums;
use crate::kernels::scratch::SharedPtr;
use crate::kernels::simd::{Isa, Simd, SimdKernel, dispatch};
use rayon::prelude::*;
use std::marker::PhantomData;
use std::ops::Range;
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// The number of values in a unit (64 KiB): so small that few channels still give many units, and so large that passing
/// a unit to a thread costs nothing compared with computing it.
const UNIT_VALUES: usize = 1 << 14;

/// The number of contiguous values that a task should process.
const BLOCK_VALUES: usize = 1 << 10;

/// The maximum number of channels in a block.
const MAX_BLOCK_CHANNELS: usize = 8;

/// The minimum number of tasks.
const MIN_TASKS: usize = 16;

/// The division of a tensor of one shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partition {
    shape: NormShape,
    pieces_per_plane: usize,
    pieces_per_unit: usize,
    /// The number of channels in a block.
    block: usize,
}

impl Partition {
    /// Divides a shape, which must not be empty.
    pub(super) fn new(shape: NormShape) -> Self {
        let pieces_per_plane = shape.plane.div_ceil(UNIT_VALUES);
        let pieces_per_unit = (UNIT_VALUES / shape.plane).max(1);
        let units = (shape.batch * pieces_per_plane).div_ceil(pieces_per_unit);
        let neighbors = BLOCK_VALUES.div_ceil(shape.plane).min(MAX_BLOCK_CHANNELS);
        let block = neighbors.min(shape.channels * units / MIN_TASKS).max(1);
        Self { shape, pieces_per_plane, pieces_per_unit, block }
    }

    /// The number of channels in a block. The last block may have fewer.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// The minimum number of blocks that are worth a task of their own.
    pub(super) fn blocks_per_task(&self) -> usize {
        UNIT_VALUES.div_ceil(self.shape.per_channel() * self.block)
    }

    /// The number of floats from a plane of a channel to its next plane, which the hardware prefetcher does not
    /// foresee. It is 0 where planes are longer than a unit, because their pieces are contiguous.
    pub(super) fn prefetch_offset(&self) -> usize {
        if self.pieces_per_plane == 1 { self.shape.channels * self.shape.plane } else { 0 }
    }

    /// The range of a piece of a channel. Pieces are numbered by sample, then along the plane.
    pub(super) fn range(&self, channel: usize, index: usize) -> Range<usize> {
        let (sample, part) = (index / self.pieces_per_plane, index % self.pieces_per_plane);
        let plane = (sample * self.shape.channels + channel) * self.shape.plane;
        plane + part * UNIT_VALUES..plane + ((part + 1) * UNIT_VALUES).min(self.shape.plane)
    }

    /// The blocks of channels of a tensor, in order.
    ///
    /// # Panics
    /// If the tensor does not have the shape.
    pub(super) fn blocks_mut<'a>(self, tensor: &'a mut [f32]) -> impl IndexedParallelIterator<Item = ChannelBlock<'a>> {
        assert_eq!(tensor.len(), self.shape.len());
        let tensor = SharedPtr::new(tensor);
        // Each block is created once, because the returned iterator cannot be cloned.
        (0..self.shape.channels.div_ceil(self.block)).into_par_iter().map(move |i| ChannelBlock {
            split: self,
            channels: i * self.block..((i + 1) * self.block).min(self.shape.channels),
            tensor,
            borrowed: PhantomData,
        })
    }
}

/// A block of channels of a tensor with a single owner. The slices of its pieces are created where they are used: with
/// small planes there are tens of thousands of them, and a list would be created by one thread.
pub(super) struct ChannelBlock<'a> {
    split: Partition,
    channels: Range<usize>,
    tensor: SharedPtr,
    borrowed: PhantomData<&'a mut [f32]>,
}

impl ChannelBlock<'_> {
    /// The indices of the channels in the tensor.
    pub(super) fn channels(&self) -> Range<usize> {
        self.channels.clone()
    }

    /// The indices of the pieces of each unit.
    fn units(&self) -> impl IndexedParallelIterator<Item = Range<usize>> + use<> {
        let pieces = self.split.shape.batch * self.split.pieces_per_plane;
        let each = self.split.pieces_per_unit;
        (0..pieces.div_ceil(each)).into_par_iter().map(move |unit| unit * each..((unit + 1) * each).min(pieces))
    }

    /// Computes two sums over each channel. Units are summed separately, and their totals are added in order.
    pub(super) fn sum(&self, accumulate: &impl Accumulate) -> Vec<[f64; 2]> {
        let unit = |indices| dispatch(Isa::current(), SumUnits { block: self, indices, accumulate });
        let totals: Vec<[[f64; 2]; MAX_BLOCK_CHANNELS]> = self.units().map(unit).collect();
        let total = |i: usize| totals.iter().fold([0.0; 2], |[a, b], units| [a + units[i][0], b + units[i][1]]);
        (0..self.channels.len()).map(total).collect()
    }

    /// Writes every piece of every channel.
    pub(super) fn each(&mut self, write: &impl WritePiece) {
        let block = &*self;
        block.units().for_each(|indices| dispatch(Isa::current(), WriteUnits { block, indices, write }));
    }
}

/// Adds the contribution of a piece to the sums of its channel.
pub(super) trait Accumulate: Sync {
    /// Adds the contribution of a piece of channel `i` of the block, which lies at `range` of the tensor.
    /// Implementations must be `inline(always)`.
    fn add<S: Simd>(&self, simd: S, sums: &mut PairSums, i: usize, range: Range<usize>, piece: &[f32]);
}

/// Writes a piece.
pub(super) trait WritePiece: Sync {
    /// Writes a piece of channel `i` of the block, which lies at `range` of the tensor. Implementations must be
    /// `inline(always)`.
    fn write<S: Simd>(&self, simd: S, i: usize, range: Range<usize>, piece: &mut [f32]);
}

struct SumUnits<'a, T> {
    block: &'a ChannelBlock<'a>,
    indices: Range<usize>,
    accumulate: &'a T,
}

impl<T: Accumulate> SimdKernel for SumUnits<'_, T> {
    type Out = [[f64; 2]; MAX_BLOCK_CHANNELS];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Out {
        let mut sums = [PairSums::default(); MAX_BLOCK_CHANNELS];
        for index in self.indices {
            for (i, (channel, sums)) in self.block.channels().zip(&mut sums).enumerate() {
                let range = self.block.split.range(channel, index);
                // SAFETY: a piece of this block within the tensor, whose length was checked. The block is borrowed
                // here, and it is written to only through `&mut`.
                let piece = unsafe { from_raw_parts(self.block.tensor.at(range.start), range.len()) };
                self.accumulate.add(simd, sums, i, range, piece);
            }
        }
        sums.map(PairSums::total)
    }
}

struct WriteUnits<'a, T> {
    /// Borrowed exclusively by [`ChannelBlock::each`].
    block: &'a ChannelBlock<'a>,
    indices: Range<usize>,
    write: &'a T,
}

impl<T: WritePiece> SimdKernel for WriteUnits<'_, T> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for index in self.indices {
            for (i, channel) in self.block.channels().enumerate() {
                let range = self.block.split.range(channel, index);
                // SAFETY: as above. The ranges of different pieces do not overlap, this piece belongs to a single unit,
                // and the block has a single owner.
                let piece = unsafe { from_raw_parts_mut(self.block.tensor.at(range.start), range.len()) };
                self.write.write(simd, i, range, piece);
            }
        }
    }
}
