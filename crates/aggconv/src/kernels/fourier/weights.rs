//! The weights of a group of channels as one matrix for each tap.

use super::fft::SignalView;
use super::layout::LaneAxis;
use super::matrix::{AxisStride, ComplexMatrix};
use super::setup::FourierSetup;
use crate::ConvGeometry;
use crate::kernels::scratch::{Scratch, SharedPtr};
use crate::kernels::simd::{LANES, Simd, SimdKernel, dispatch, load_transposed, padded};
use rayon::prelude::*;

/// The maximum size, in floats, of the transforms of all rows of all kernels.
const MAX_ROW_SPECTRA_FLOATS: usize = 1 << 23;

/// A block of a weight matrix. It consists of whole vectors if the matrix does.
#[derive(Debug, Clone, Copy)]
pub struct MatrixBlock {
    /// The first row.
    pub row: usize,
    /// The number of rows.
    pub rows: usize,
    /// The first column.
    pub col: usize,
    /// The number of columns in memory.
    pub cols: usize,
}

/// The weights of one group of channels as one matrix for each tap.
pub struct WeightMatrix {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns in memory, padded if they are assigned to vector lanes.
    pub width: usize,
    cols: usize,
    /// The distances, in kernels, from one row and from one column to the next, and the index of the first kernel.
    row_step: usize,
    col_step: usize,
    first: usize,
    /// The number of entries of a matrix, padded to whole vectors.
    pub size: usize,
    /// Whether a spectrum holds its matrix as vectors, in panels of 16 columns, for use as a right operand. Otherwise
    /// it holds the real parts followed by the imaginary parts in row-major order, for use as the operand that is
    /// broadcast.
    pub vectors: bool,
    /// Whether the spectrum is conjugated, as the input gradient requires.
    pub conjugate: bool,
    /// The distinct row offsets, each with its range of reachable taps.
    pub groups: Vec<(i32, std::ops::Range<usize>)>,
}

impl WeightMatrix {
    /// The matrix that multiplies the spectrum of an input or, if `transposed`, of an output gradient.
    pub fn new(
        s: &FourierSetup,
        g: &ConvGeometry,
        (_, ci): (usize, usize),
        (start, co): (usize, usize),
        transposed: bool,
    ) -> Self {
        let per = g.c_in_per_group();
        let (rows, cols, row_step, col_step, width) = if s.depthwise {
            (1, co, 0, 1, padded(co))
        } else {
            match (s.lane_axis, transposed) {
                (LaneAxis::Channels, false) => (ci, co, 1, per, padded(co)),
                (LaneAxis::Channels, true) => (co, ci, per, 1, padded(ci)),
                (LaneAxis::Samples, _) => (co, ci, per, 1, ci),
            }
        };
        let mut groups: Vec<(i32, std::ops::Range<usize>)> = Vec::new();
        for (i, o) in s.taps.offsets().iter().enumerate() {
            match groups.last_mut() {
                Some((row, range)) if *row == o[0] => range.end = i + 1,
                _ => groups.push((o[0], i..i + 1)),
            }
        }
        let size = padded(rows * width);
        let vectors = s.lane_axis == LaneAxis::Channels;
        Self { rows, width, cols, row_step, col_step, first: start * per, size, vectors, conjugate: transposed, groups }
    }

    /// The index of the kernel at a matrix entry, or `None` for padding. Times the number of taps, it is a weight
    /// index.
    pub(super) fn weight(&self, entry: usize) -> Option<usize> {
        let (r, c) = (entry / self.width, entry % self.width);
        (r < self.rows && c < self.cols).then(|| self.first + r * self.row_step + c * self.col_step)
    }

    /// The weights as `[vector of entries][reachable tap][lane]`.
    pub(super) fn gather(&self, s: &FourierSetup, g: &ConvGeometry, w: &[f32]) -> Scratch {
        let all = g.taps.len();
        let mut out = Scratch::take(s.reachable.len() * self.size);
        let shared = SharedPtr::new(&mut out);
        let mut position = vec![None; all];
        s.reachable.iter().enumerate().for_each(|(t, &k)| position[k] = Some(t));
        (0..self.size / LANES).into_par_iter().with_min_len(8).for_each(|v| {
            dispatch(s.isa, GatherWeights { matrix: self, position: &position, w, out: shared, v: v * LANES });
        });
        out
    }

    /// The whole matrix. If it consists of vectors, its columns are limited to the given range.
    pub fn full_block(&self, col: usize, cols: usize) -> MatrixBlock {
        if self.vectors {
            MatrixBlock { row: 0, rows: self.rows, col, cols }
        } else {
            MatrixBlock { row: 0, rows: self.rows, col: 0, cols: self.width }
        }
    }

    /// The number of entries of a block, padded to whole vectors.
    fn entries(&self, block: MatrixBlock) -> usize {
        if self.vectors { block.rows * block.cols } else { self.size }
    }

    /// Whether the rows of the kernels are transformed as a whole and kept for all frequencies, instead of tap by tap
    /// at each frequency. This pays off for many taps in a row.
    pub(super) fn uses_row_spectra(&self, s: &FourierSetup) -> bool {
        s.reachable.len() > 10 * self.groups.len() && self.row_spectra_len(s) <= MAX_ROW_SPECTRA_FLOATS
    }

    /// The number of floats from one row frequency to the next in the spectrum of a block.
    pub fn stride(&self, block: MatrixBlock) -> usize {
        2 * self.entries(block) + 2 * LANES
    }

    /// The matrix at row frequency `k` of the spectrum of a block.
    pub fn matrix(&self, block: MatrixBlock, spectrum: &mut [f32], k: usize) -> ComplexMatrix {
        let next = self.stride(block);
        let re = spectrum[k * next..].as_mut_ptr();
        if self.vectors {
            ComplexMatrix {
                re,
                im: LANES,
                rows: AxisStride::uniform(2 * LANES),
                cols: AxisStride::in_lanes(2 * LANES * block.rows),
                prefetch_offset: next,
                non_temporal: false,
            }
        } else {
            ComplexMatrix {
                re,
                im: self.size,
                rows: AxisStride::uniform(self.width),
                cols: AxisStride::uniform(1),
                prefetch_offset: next,
                non_temporal: false,
            }
        }
    }

    /// The vectors of entries of a block, each with its offset in a row frequency of the spectrum.
    #[inline(always)]
    pub(super) fn vectors(&self, block: MatrixBlock) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (vectors, width) = (self.vectors, self.width);
        let count = self.entries(block) / LANES;
        (0..count).map(move |i| {
            if vectors {
                let (col, row) = (i / block.rows, i % block.rows);
                ((block.row + row) * width + block.col + col * LANES, 2 * LANES * i)
            } else {
                (i * LANES, i * LANES)
            }
        })
    }

    /// One vector of a block's spectrum as a signal along the row frequencies.
    #[inline(always)]
    pub(super) fn view(&self, block: MatrixBlock, spectrum: *mut f32, place: usize) -> SignalView {
        let re = spectrum.wrapping_add(place);
        let im = re.wrapping_add(if self.vectors { LANES } else { self.size });
        SignalView { re, im, stride: self.stride(block) }
    }

    /// The number of floats of the row spectra of the kernel or of its gradient: for each vector of entries, each
    /// column frequency and each distinct row offset, 16 real parts and 16 imaginary parts.
    pub fn row_spectra_len(&self, s: &FourierSetup) -> usize {
        s.bins() * self.groups.len() * 2 * self.size
    }

    /// The offset, in floats, of the row spectra of the vector at entry `v` at column frequency `k`.
    #[inline(always)]
    pub(super) fn line(&self, s: &FourierSetup, v: usize, k: usize) -> usize {
        (v / LANES * s.bins() + k) * self.groups.len() * 2 * LANES
    }
}

struct GatherWeights<'a> {
    matrix: &'a WeightMatrix,
    /// The position of each tap among the reachable taps.
    position: &'a [Option<usize>],
    w: &'a [f32],
    out: SharedPtr,
    v: usize,
}

impl SimdKernel for GatherWeights<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (all, count) = (self.position.len(), self.position.iter().flatten().count());
        let mut weights = [None; LANES];
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = self.matrix.weight(self.v + i));
        for t in (0..all).step_by(LANES) {
            let n = LANES.min(all - t);
            let row = |lane: usize| weights[lane].map(|i: usize| self.w[i * all + t..][..n].as_ptr());
            // SAFETY: n floats are readable there.
            let vectors = unsafe { load_transposed(simd, n, row) };
            for (c, to) in vectors.into_iter().zip(&self.position[t..t + n]) {
                if let Some(to) = to {
                    // SAFETY: vector v of each reachable tap lies within the output, and only this task writes to it.
                    unsafe { simd.store(self.out.at(self.v * count + to * LANES), c) };
                }
            }
        }
    }
}
