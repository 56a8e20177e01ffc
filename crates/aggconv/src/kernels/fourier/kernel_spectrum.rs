//! The spectrum of a kernel, computed from its taps.

use super::fft::SignalView;
use super::layout::NON_TEMPORAL_FLOATS;
use super::real;
use super::setup::FourierSetup;
use super::weights::{MatrixBlock, WeightMatrix};
use crate::ConvGeometry;
use crate::kernels::scratch::{Scratch, SharedPtr};
use crate::kernels::simd::{LANES, Simd, SimdKernel, dispatch};
use rayon::prelude::*;

/// The number of vectors of kernels whose rows one task transforms.
const TASK_VECTORS: usize = 8;

impl WeightMatrix {
    /// Prepares the weights for [`WeightMatrix::spectrum`]: as `[vector of entries][reachable tap][lane]`, or as the
    /// transforms of their rows in the layout of [`WeightMatrix::row_spectra_len`].
    pub fn prepare(&self, s: &FourierSetup, g: &ConvGeometry, w: &[f32]) -> Scratch {
        let weights = self.gather(s, g, w);
        if !self.uses_row_spectra(s) {
            return weights;
        }
        let mut out = Scratch::take(self.row_spectra_len(s));
        let (shared, vectors) = (SharedPtr::new(&mut out), self.size / LANES);
        (0..vectors.div_ceil(TASK_VECTORS)).into_par_iter().for_each(|i| {
            let vectors = i * TASK_VECTORS..vectors.min((i + 1) * TASK_VECTORS);
            dispatch(s.isa, TransformKernelRows { matrix: self, setup: s, weights: &weights, out: shared, vectors });
        });
        out
    }

    /// Computes a block of the kernel's spectrum at column frequency `k`: one matrix ([`WeightMatrix::matrix`]) for
    /// each row frequency.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // all of them distinct and typed
    pub fn spectrum<S: Simd>(
        &self,
        simd: S,
        s: &FourierSetup,
        prepared: &[f32],
        k: usize,
        block: MatrixBlock,
        out: &mut [f32],
        (line, work): (&mut [f32], &mut [f32]),
    ) {
        let (n, count) = (s.column_plan.len(), s.reachable.len());
        let whole = self.uses_row_spectra(s);
        assert_eq!(prepared.len(), if whole { self.row_spectra_len(s) } else { count * self.size });
        assert!(out.len() >= n * self.stride(block));
        assert!(line.len() == 2 * n * LANES && work.len() == s.column_plan.scratch_len());
        line.fill(0.0);
        let sign = if self.conjugate { -1.0 } else { 1.0 };
        let phases = &s.phases[k * count..][..count];
        for (v, place) in self.vectors(block) {
            let weights = if whole { prepared[self.line(s, v, k)..].as_ptr() } else { prepared[v * count..].as_ptr() };
            let next = if whole { s.bins() * self.groups.len() * 2 * LANES } else { 0 };
            let mut dst = self.view(block, out.as_mut_ptr(), place);
            for (i, (row, range)) in self.groups.iter().enumerate() {
                let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                if whole {
                    // SAFETY: there is one row spectrum for each group of taps, and a prefetch accepts any address.
                    unsafe {
                        let p = weights.add(2 * i * LANES);
                        simd.prefetch(p.wrapping_add(next));
                        simd.prefetch(p.wrapping_add(next + LANES));
                        re = simd.load(p);
                        im = simd.load(p.add(LANES));
                    }
                } else {
                    for t in range.clone() {
                        let [c, d] = phases[t];
                        // SAFETY: `weights` holds a vector for each tap.
                        let x = unsafe { simd.load(weights.add(t * LANES)) };
                        re = simd.fma(x, simd.splat(c), re);
                        im = simd.fma(x, simd.splat(sign * d), im);
                    }
                }
                let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                // With a single row frequency, the row spectrum is the full transform.
                let to = if n == 1 { dst } else { SignalView::packed::<LANES>(line.as_mut_ptr().wrapping_add(at)) };
                // SAFETY: an element of `line`, or the only element of `dst`.
                unsafe {
                    simd.store(to.re, re);
                    simd.store(to.im, im);
                }
            }
            if n == 1 {
                continue;
            }
            let mut src = SignalView::packed::<LANES>(line.as_mut_ptr());
            if !self.conjugate {
                (src, dst) = (src.swapped(), dst.swapped());
            }
            // SAFETY: `line` and `work` have the lengths of the plan, and `out` holds n strides, as asserted.
            unsafe { s.column_plan.run(simd, src, n, dst, work.as_mut_ptr()) };
        }
    }
}

/// Transforms the rows of kernels, 16 kernels at a time.
struct TransformKernelRows<'a> {
    matrix: &'a WeightMatrix,
    setup: &'a FourierSetup,
    weights: &'a [f32],
    out: SharedPtr,
    vectors: std::ops::Range<usize>,
}

impl SimdKernel for TransformKernelRows<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (matrix, s) = (self.matrix, self.setup);
        let n = s.row_plan.len();
        let mut buffer = Scratch::take(real::buffer_len_separate::<S>(&s.row_plan, n));
        let non_temporal = matrix.row_spectra_len(s) > NON_TEMPORAL_FLOATS;
        // The transform has the sign exp(−iθ), which is that of the conjugate.
        let sign = if matrix.conjugate { 1.0 } else { -1.0 };
        for (i, pair) in matrix.groups.chunks(2).enumerate() {
            // The taps of a row have the same positions in all kernels, so the elements between them stay 0. Two rows,
            // however, may share a buffer.
            let alone = pair.len() == 1;
            if alone {
                buffer.fill(0.0);
            }
            for v in self.vectors.clone() {
                let weights = &self.weights[v * LANES * s.reachable.len()..];
                let fill = |index: usize, signal: &mut [f32]| {
                    if !alone {
                        signal.fill(0.0);
                    }
                    for t in pair[index].1.clone() {
                        let at = i64::from(s.taps.offsets()[t][1]).rem_euclid(n as i64) as usize;
                        // The factor ½ compensates for the factor 2 of the transform.
                        let to = &mut signal[at * LANES..][..LANES];
                        to.iter_mut().zip(&weights[t * LANES..]).for_each(|(to, w)| *to = 0.5 * w);
                    }
                };
                let line = |index: usize, k: usize| matrix.line(s, v * LANES, k) + (4 * i + 2 * index) * LANES;
                // SAFETY: the row spectra of a vector lie within the output, and only this task writes to them.
                let place = |index: usize, k: usize| unsafe { self.out.at(line(index, k)) };
                // SAFETY: the buffer and the destinations have the required lengths.
                unsafe {
                    real::forward(
                        simd,
                        &s.row_plan,
                        (n, pair.len()),
                        (sign, non_temporal),
                        &mut buffer,
                        fill,
                        place,
                        |_| || (),
                    )
                };
            }
        }
        simd.fence();
    }
}
