//! Transforms of rows: from planes in memory to the half spectra of their rows, and back.

use super::layout::NON_TEMPORAL_FLOATS;
use super::planes::PlaneMatrix;
use super::real;
use super::setup::FourierSetup;
use crate::kernels::scratch::{Scratch, SharedPtr};
use crate::kernels::simd::{LANES, Simd, SimdKernel, dispatch, load_transposed, store_transposed};
use rayon::prelude::*;
use std::ops::Range;

/// The layout of the half spectra of the rows of planes: for each column frequency and each row, for each vector of
/// entries, 16 real parts followed by 16 imaginary parts.
pub struct RowSpectra {
    /// The planes.
    pub planes: PlaneMatrix,
    /// The number of rows and columns of a plane in memory.
    pub shape: [usize; 2],
    /// The distance of these rows and columns on the full grid.
    pub stride: [usize; 2],
    bins: usize,
}

impl RowSpectra {
    /// The layout for planes of `shape`, whose element i lies at grid position i·stride.
    pub fn new(s: &FourierSetup, planes: PlaneMatrix, shape: [usize; 2], stride: [usize; 2]) -> Self {
        Self { planes, shape, stride, bins: s.bins() }
    }

    /// The number of floats from one row to the next. It includes one vector of padding, so that the rows do not
    /// compete for the same cache sets.
    pub fn row_stride(&self) -> usize {
        2 * self.planes.size() + 2 * LANES
    }

    /// The number of floats from one frequency to the next.
    pub fn bin_stride(&self) -> usize {
        self.shape[0] * self.row_stride()
    }

    /// The total number of floats.
    pub fn len(&self) -> usize {
        self.bins * self.bin_stride()
    }

    /// Whether the row spectra are too large to stay in the caches until they are read, so that non-temporal stores pay
    /// off.
    #[inline(always)]
    pub fn is_non_temporal(&self) -> bool {
        self.len() > NON_TEMPORAL_FLOATS
    }

    /// The (first entry, row) of row spectrum `i`. Row spectra are numbered by vector of entries, then by row.
    pub(super) fn entry_and_row(&self, i: usize) -> (usize, usize) {
        (i / self.shape[0] * LANES, i % self.shape[0])
    }

    fn count(&self) -> usize {
        self.planes.size() / LANES * self.shape[0]
    }

    /// The offset, in floats, of row spectrum `i` at frequency `k`.
    #[inline(always)]
    fn offset(&self, i: usize, k: usize) -> usize {
        let (entry, row) = self.entry_and_row(i);
        k * self.bin_stride() + row * self.row_stride() + 2 * entry
    }

    /// Returns a function that prefetches the given row spectra, as far as they exist, in equal shares over `times`
    /// calls. They lie far apart, so that the hardware prefetcher does not detect them, and requesting all of them at
    /// once would stall.
    #[inline(always)]
    fn row_prefetcher<S: Simd>(&self, simd: S, spectra: *const f32, which: Range<usize>, times: usize) -> impl FnMut() {
        let count = which.len().min(self.count().saturating_sub(which.start));
        let first = spectra.wrapping_add(self.offset(which.start, 0));
        let next = self.offset(which.start + 1, 0).wrapping_sub(self.offset(which.start, 0));
        let (each, end) = (self.bins.div_ceil(times.max(1)), if count > 0 { self.bins } else { 0 });
        let (mut k, stride) = (0, self.bin_stride());
        move || {
            for _ in 0..each {
                if k < end {
                    for i in 0..count {
                        let p = first.wrapping_add(k * stride).wrapping_add(i.wrapping_mul(next));
                        simd.prefetch(p);
                        simd.prefetch(p.wrapping_add(LANES));
                    }
                    k += 1;
                }
            }
        }
    }

    /// The number of row spectra of a pair: 2, or 1 at the end.
    fn pair_len(&self, pair: usize) -> usize {
        2.min(self.count() - 2 * pair)
    }

    /// Divides the pairs of row spectra into tasks and runs `f(first pair, last pair)` on each.
    pub(super) fn in_parallel(&self, f: impl Fn(usize, usize) + Sync + Send) {
        let pairs = self.count().div_ceil(2);
        let chunk = pairs.div_ceil(64).max(4);
        // Dynamic scheduling: each thread takes the next task when it has finished one.
        (0..pairs.div_ceil(chunk)).par_bridge().for_each(|i| f(i * chunk, pairs.min((i + 1) * chunk)));
    }

    /// Writes the transforms of the rows of the planes, times 2, to `out`.
    pub fn transform(&self, s: &FourierSetup, x: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), self.len());
        let out = SharedPtr::new(out);
        self.in_parallel(|from, to| dispatch(s.isa, TransformRows { set: self, setup: s, x, out, from, to }));
    }

    /// Adds the sums of the elements of each plane to the sums of its channel. They are half of the spectrum at
    /// frequency 0.
    pub fn add_sums(&self, spectra: &[f32], sums: &mut [f64]) {
        for i in 0..self.count() {
            let v = self.planes.vector(self.entry_and_row(i).0);
            let values = &spectra[self.offset(i, 0)..][..v.count];
            values.iter().enumerate().for_each(|(j, x)| sums[v.channel + j * v.next] += 0.5 * f64::from(*x));
        }
    }

    /// Computes the inverse row transforms: `planes = scale · spectra + bias`, cropped to the shape of the planes.
    pub fn inverse_transform(
        &self,
        s: &FourierSetup,
        spectra: &[f32],
        scale: f32,
        bias: Option<&[f32]>,
        y: &mut [f32],
    ) {
        assert_eq!(spectra.len(), self.len());
        let y = SharedPtr::new(y);
        self.in_parallel(|from, to| {
            dispatch(s.isa, InverseTransformRows { set: self, setup: s, spectra, scale, bias, y, from, to })
        });
    }
}

struct TransformRows<'a> {
    set: &'a RowSpectra,
    setup: &'a FourierSetup,
    x: &'a [f32],
    out: SharedPtr,
    from: usize,
    to: usize,
}

impl SimdKernel for TransformRows<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (set, plan) = (self.set, &self.setup.row_plan);
        let (w, step) = (set.shape[1], set.stride[1]);
        let used = (w - 1) * step + 1;
        let mut buffer = if step == 1 {
            Scratch::take(real::buffer_len::<S>(plan))
        } else {
            // The elements between those of a strided plane stay 0.
            let mut buffer = Scratch::take(real::buffer_len_separate::<S>(plan, used));
            buffer.fill(0.0);
            buffer
        };
        for pair in self.from..self.to {
            // SAFETY: only this task writes to the pair's destinations, which lie within `out`, since it has
            // `set.len()` floats.
            let place = |index: usize, k: usize| unsafe { self.out.at(set.offset(2 * pair + index, k)) };
            let sizes = (used, set.pair_len(pair));
            // SAFETY: the buffer and the destinations have the required lengths.
            unsafe {
                // Only closures that are inlined are compiled for the instruction set.
                real::forward(
                    simd,
                    plan,
                    sizes,
                    (1.0, set.is_non_temporal()),
                    &mut buffer,
                    #[inline(always)]
                    |index, t| self.fill(simd, 2 * pair + index, t),
                    place,
                    #[inline(always)]
                    |indices| {
                        self.prefetcher(simd, 2 * pair + indices.start..2 * pair + indices.end, plan.butterflies())
                    },
                );
            }
        }
        simd.fence();
    }
}

impl TransformRows<'_> {
    /// Copies the elements of a row to the input of the transform.
    #[inline(always)]
    fn fill<S: Simd>(&self, simd: S, i: usize, t: &mut [f32]) {
        let set = self.set;
        let ([h, w], step) = (set.shape, set.stride[1]);
        assert!(t.len() > (w - 1) * step * LANES);
        let (entry, row) = set.entry_and_row(i);
        let v = set.planes.vector(entry);
        for i in (0..w).step_by(LANES) {
            let n = LANES.min(w - i);
            let from = |lane: usize| {
                let at = ((v.first + lane * v.step) * h + row) * w + i;
                (lane < v.count).then(|| self.x[at..at + n].as_ptr())
            };
            // SAFETY: n floats are readable there.
            let vectors = unsafe { load_transposed(simd, n, from) };
            for (j, c) in vectors.into_iter().enumerate().take(n) {
                // SAFETY: `t` holds more than (w − 1)·step whole vectors.
                unsafe { simd.store(t.as_mut_ptr().add((i + j) * step * LANES), c) };
            }
        }
    }

    /// Returns a function that prefetches, in equal shares over `times` calls, what is read for the rows after `which`
    /// and, unless it is written with non-temporal stores, what is written for the rows `which` themselves.
    #[inline(always)]
    fn prefetcher<S: Simd>(&self, simd: S, which: Range<usize>, times: usize) -> impl FnMut() {
        let set = self.set;
        let ([h, w], count) = (set.shape, which.len());
        let from = which.end..which.end + if which.end < set.count() { count } else { 0 };
        let (entry, row) = set.entry_and_row(from.start);
        let v = set.planes.vector(entry);
        let first = self.x.as_ptr().wrapping_add((v.first * h + row) * w);
        let pieces = if from.is_empty() { 0 } else { w.div_ceil(LANES) };
        let each = (pieces * v.count).div_ceil(times.max(1));
        let (mut lane, mut piece) = (0, 0);
        // SAFETY: the start of `out`.
        let out = unsafe { self.out.at(0) };
        let mut write = (!set.is_non_temporal()).then(|| set.row_prefetcher(simd, out, which, times));
        move || {
            for _ in 0..each {
                if piece < pieces {
                    simd.prefetch(first.wrapping_add(lane * v.step * h * w + piece * LANES));
                    lane += 1;
                    if lane == v.count {
                        (lane, piece) = (0, piece + 1);
                    }
                }
            }
            if let Some(write) = &mut write {
                write();
            }
        }
    }
}

struct InverseTransformRows<'a> {
    set: &'a RowSpectra,
    setup: &'a FourierSetup,
    spectra: &'a [f32],
    scale: f32,
    bias: Option<&'a [f32]>,
    y: SharedPtr,
    from: usize,
    to: usize,
}

impl SimdKernel for InverseTransformRows<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (set, plan) = (self.set, &self.setup.row_plan);
        let mut buffer = Scratch::take(real::buffer_len::<S>(plan));
        for pair in self.from..self.to {
            let source = |index: usize, k: usize| self.spectra[set.offset(2 * pair + index, k)..].as_ptr();
            // SAFETY: the row spectra lie within `self.spectra`, whose length was asserted and which ends after the 32
            // floats of the last one. The signals that are taken are n vectors.
            unsafe {
                real::inverse::<S, false, _>(
                    simd,
                    plan,
                    set.pair_len(pair),
                    &mut buffer,
                    source,
                    #[inline(always)]
                    |index, signal, next| self.take(simd, 2 * pair + index, signal, next),
                    #[inline(always)]
                    |indices| {
                        let next = 2 * pair + indices.end..2 * pair + indices.end + indices.len();
                        set.row_prefetcher(simd, self.spectra.as_ptr(), next, plan.butterflies())
                    },
                );
            }
        }
    }
}

impl InverseTransformRows<'_> {
    /// Writes the elements of a row from those of a signal, whose vectors are `next` floats apart.
    ///
    /// # Safety
    /// The signal must have as many elements as the transform, and only this task may write to the row.
    #[inline(always)]
    unsafe fn take<S: Simd>(&self, simd: S, i: usize, signal: *const f32, next: usize) {
        let set = self.set;
        let ([h, w], step) = (set.shape, set.stride[1] * next);
        let (entry, row) = set.entry_and_row(i);
        let v = set.planes.vector(entry);
        let mut bias = [0f32; LANES];
        if let Some(b) = self.bias {
            bias.iter_mut().take(v.count).enumerate().for_each(|(i, x)| *x = b[v.channel + i * v.next]);
        }
        // SAFETY: `bias` holds 16 floats, positions below w lie on the grid of the transform, and only this task writes
        // to row `row` of the vector's planes, which lies within `y`.
        unsafe {
            let (scale, bias) = (simd.splat(self.scale), simd.load(bias.as_ptr()));
            for i in (0..w).step_by(LANES) {
                let n = LANES.min(w - i);
                let mut vectors = [bias; LANES];
                for (j, v) in vectors.iter_mut().enumerate().take(n) {
                    *v = simd.fma(simd.load(signal.add((i + j) * step)), scale, bias);
                }
                let to = |lane: usize| {
                    let at = ((v.first + lane * v.step) * h + row) * w + i;
                    (lane < v.count).then(|| self.y.at(at))
                };
                store_transposed(simd, n, vectors, to);
            }
        }
    }
}
