//! How a tensor is divided among threads: by channel, and each channel into units of a size that
//! depends on the shape alone.
//!
//! A channel's values lie in `batch` planes apart from each other. A plane is cut into *pieces*
//! of at most [`UNIT_VALUES`] values, and consecutive pieces make a *unit* of about that many: the grain
//! of parallel work and of summation.
//!
//! Small planes of a channel lie far apart, and no hardware prefetcher follows from one to the next: a task then takes a
//! *block* of neighbouring channels side by side. WriteUnits has sums of its own, so that blocks do not show in the result.
//!
//! Tasks write to pieces of one tensor that lie apart, which slices of it cannot express: a [`ChannelBlock`] is a pointer
//! that stands for the exclusive borrow of its own pieces. That is what is `unsafe` here.

use super::NormShape;
use super::rows::PairSums;
use crate::kernels::scratch::SharedPtr;
use crate::kernels::simd::{Isa, Simd, SimdKernel, dispatch};
use rayon::prelude::*;
use std::marker::PhantomData;
use std::ops::Range;
use std::slice::{from_raw_parts, from_raw_parts_mut};

/// Values in a unit: 64 KiB, small enough that few channels still make many units, large enough
/// that handing one to a thread costs nothing beside computing it.
const UNIT_VALUES: usize = 1 << 14;

/// Values that a task should find side by side, and the most channels that it takes for that.
const BLOCK_VALUES: usize = 1 << 10;

/// The most channels of a block.
const MAX_BLOCK_CHANNELS: usize = 8;

/// Tasks that there should be, at the least.
const MIN_TASKS: usize = 16;

/// The division of one shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Partition {
    shape: NormShape,
    pieces_per_plane: usize,
    pieces_per_unit: usize,
    /// Channels of a block.
    block: usize,
}

impl Partition {
    /// The shape must not be empty.
    pub(super) fn new(shape: NormShape) -> Self {
        let pieces_per_plane = shape.plane.div_ceil(UNIT_VALUES);
        let pieces_per_unit = (UNIT_VALUES / shape.plane).max(1);
        let units = (shape.batch * pieces_per_plane).div_ceil(pieces_per_unit);
        let neighbours = BLOCK_VALUES.div_ceil(shape.plane).min(MAX_BLOCK_CHANNELS);
        let block = neighbours.min(shape.channels * units / MIN_TASKS).max(1);
        Self { shape, pieces_per_plane, pieces_per_unit, block }
    }

    /// Channels of a block; the last may have fewer.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// The fewest blocks worth a task of their own.
    pub(super) fn blocks_per_task(&self) -> usize {
        UNIT_VALUES.div_ceil(self.shape.per_channel() * self.block)
    }

    /// Floats from a plane of a channel to its next, which no hardware prefetcher foresees; 0 where planes are longer than
    /// a unit, whose pieces follow each other.
    pub(super) fn prefetch_offset(&self) -> usize {
        if self.pieces_per_plane == 1 { self.shape.channels * self.shape.plane } else { 0 }
    }

    /// Where the piece of this index (by sample, then along the plane) of a channel lies.
    pub(super) fn range(&self, channel: usize, index: usize) -> Range<usize> {
        let (sample, part) = (index / self.pieces_per_plane, index % self.pieces_per_plane);
        let plane = (sample * self.shape.channels + channel) * self.shape.plane;
        plane + part * UNIT_VALUES..plane + ((part + 1) * UNIT_VALUES).min(self.shape.plane)
    }

    /// The blocks of channels of a tensor, in order.
    ///
    /// # Panics
    /// If the tensor is not of the shape.
    pub(super) fn blocks_mut<'a>(self, tensor: &'a mut [f32]) -> impl IndexedParallelIterator<Item = ChannelBlock<'a>> {
        assert_eq!(tensor.len(), self.shape.len());
        let tensor = SharedPtr::new(tensor);
        // WriteUnits is made once: what is returned cannot be cloned.
        (0..self.shape.channels.div_ceil(self.block)).into_par_iter().map(move |i| ChannelBlock {
            split: self,
            channels: i * self.block..((i + 1) * self.block).min(self.shape.channels),
            tensor,
            borrowed: PhantomData,
        })
    }
}

/// Some channels of a tensor, which nobody else has. The slices of their pieces are made where they are worked on: where
/// planes are small there are tens of thousands, and a list of them would be made by one thread.
pub(super) struct ChannelBlock<'a> {
    split: Partition,
    channels: Range<usize>,
    tensor: SharedPtr,
    borrowed: PhantomData<&'a mut [f32]>,
}

impl ChannelBlock<'_> {
    /// The channels, by their number in the tensor.
    pub(super) fn channels(&self) -> Range<usize> {
        self.channels.clone()
    }

    /// The pieces of each unit, by index.
    fn units(&self) -> impl IndexedParallelIterator<Item = Range<usize>> + use<> {
        let pieces = self.split.shape.batch * self.split.pieces_per_plane;
        let each = self.split.pieces_per_unit;
        (0..pieces.div_ceil(each)).into_par_iter().map(move |unit| unit * each..((unit + 1) * each).min(pieces))
    }

    /// Two sums over each channel. Units are summed apart, whoever sums them, and their totals added in order.
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

/// What a piece adds to the sums of its channel.
pub(super) trait Accumulate: Sync {
    /// Of channel `i` of the block, a piece that lies at `range` of the tensor. To be `inline(always)`.
    fn add<S: Simd>(&self, simd: S, sums: &mut PairSums, i: usize, range: Range<usize>, piece: &[f32]);
}

/// What is written into a piece.
pub(super) trait WritePiece: Sync {
    /// As for [`Accumulate::add`].
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
                // SAFETY: a piece of this block, within the tensor, whose length was checked. It is borrowed, and this
                // block of it is written to through `&mut` alone.
                let piece = unsafe { from_raw_parts(self.block.tensor.at(range.start), range.len()) };
                self.accumulate.add(simd, sums, i, range, piece);
            }
        }
        sums.map(PairSums::total)
    }
}

struct WriteUnits<'a, T> {
    /// As it is borrowed by [`ChannelBlock::each`], for itself.
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
                // SAFETY: as above. Ranges of different pieces do not overlap, this piece is in one unit alone, and
                // nobody else has this block.
                let piece = unsafe { from_raw_parts_mut(self.block.tensor.at(range.start), range.len()) };
                self.write.write(simd, i, range, piece);
            }
        }
    }
}
