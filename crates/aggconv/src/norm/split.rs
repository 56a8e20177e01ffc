//! How a tensor is divided among threads: by channel, and each channel into units of a size that
//! depends on the shape alone.
//!
//! A channel's values lie in `batch` planes apart from each other. A plane is cut into *pieces*
//! of at most [`UNIT`] values, and consecutive pieces make a *unit* of about that many: the grain
//! of parallel work and of summation.

use super::NormShape;
use super::rows::Sums;
use crate::kernels::simd::{Isa, Kernel, Simd, dispatch};
use rayon::prelude::*;
use std::ops::Range;

/// Values in a unit: 64 KiB, small enough that few channels still make many units, large enough
/// that handing one to a thread costs nothing beside computing it.
const UNIT: usize = 1 << 14;

/// The division of one shape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    shape: NormShape,
    pieces_per_plane: usize,
    pieces_per_unit: usize,
}

impl Split {
    /// The shape must not be empty.
    pub(super) fn new(shape: NormShape) -> Self {
        let pieces_per_plane = shape.plane.div_ceil(UNIT);
        let pieces_per_unit = (UNIT / shape.plane).max(1);
        Self { shape, pieces_per_plane, pieces_per_unit }
    }

    /// The fewest channels worth a task of their own.
    pub(super) fn channels_per_task(&self) -> usize {
        UNIT.div_ceil(self.shape.per_channel())
    }

    /// Where the piece of this index (by sample, then along the plane) of a channel lies.
    pub(super) fn range(&self, channel: usize, index: usize) -> Range<usize> {
        let (sample, part) = (index / self.pieces_per_plane, index % self.pieces_per_plane);
        let plane = (sample * self.shape.channels + channel) * self.shape.plane;
        plane + part * UNIT..plane + ((part + 1) * UNIT).min(self.shape.plane)
    }

    /// The pieces of each channel of a tensor, in the order of their index.
    pub(super) fn channels_mut<'a>(&self, tensor: &'a mut [f32]) -> Vec<Vec<&'a mut [f32]>> {
        let pieces = self.shape.batch * self.pieces_per_plane;
        let mut channels: Vec<Vec<_>> = (0..self.shape.channels).map(|_| Vec::with_capacity(pieces)).collect();
        for sample in tensor.chunks_exact_mut(self.shape.channels * self.shape.plane) {
            for (channel, plane) in channels.iter_mut().zip(sample.chunks_exact_mut(self.shape.plane)) {
                channel.extend(plane.chunks_mut(UNIT));
            }
        }
        channels
    }

    /// Two sums over a channel: `add(sums, index, piece)` adds a piece's share. Units are summed
    /// apart, whoever sums them, and their totals added in order.
    pub(super) fn sum(&self, pieces: &[&mut [f32]], add: impl Fn(&mut Sums, usize, &[f32]) + Sync) -> [f64; 2] {
        let unit = |(unit, pieces): (usize, &[&mut [f32]])| {
            vectorised(
                #[inline(always)]
                || {
                    let mut sums = Sums::default();
                    for (i, piece) in pieces.iter().enumerate() {
                        add(&mut sums, unit * self.pieces_per_unit + i, piece);
                    }
                    sums.total()
                },
            )
        };
        let totals: Vec<[f64; 2]> = pieces.par_chunks(self.pieces_per_unit).enumerate().map(unit).collect();
        totals.into_iter().fold([0.0; 2], |[a, b], [da, db]| [a + da, b + db])
    }

    /// `write(index, piece)` for every piece of a channel.
    pub(super) fn each(&self, pieces: &mut [&mut [f32]], write: impl Fn(usize, &mut [f32]) + Sync) {
        pieces.par_chunks_mut(self.pieces_per_unit).enumerate().for_each(|(unit, pieces)| {
            vectorised(
                #[inline(always)]
                || {
                    for (i, piece) in pieces.iter_mut().enumerate() {
                        write(unit * self.pieces_per_unit + i, piece);
                    }
                },
            );
        });
    }
}

/// Runs `f`, and what it inlines, compiled for the vectors of this machine.
fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    struct Call<F>(F);

    impl<R, F: FnOnce() -> R> Kernel for Call<F> {
        type Out = R;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> R {
            (self.0)()
        }
    }

    dispatch(Isa::current(), Call(f))
}
