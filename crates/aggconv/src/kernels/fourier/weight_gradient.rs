//! From the spectrum of the weight gradient to the gradient at the taps of the kernel.

use super::fft::SignalView;
use super::layout::NON_TEMPORAL_FLOATS;
use super::real;
use super::setup::FourierSetup;
use super::weights::{MatrixBlock, WeightMatrix};
use crate::ConvGeometry;
use crate::kernels::scratch::{Scratch, SharedPtr};
use crate::kernels::simd::{LANES, Simd, SimdKernel, dispatch, store_transposed};
use rayon::prelude::*;

impl WeightMatrix {
    /// Transforms a block of the weight gradient's spectrum at column frequency `k`, in the layout of
    /// [`WeightMatrix::spectrum`], to its row spectra. They are added to `out` if `add`.
    ///
    /// # Safety
    /// [`WeightMatrix::row_spectra_len`] floats must be at `out`, and no other thread may use those of the block at
    /// `k`.
    #[allow(clippy::too_many_arguments)] // all of them distinct and typed
    #[inline(always)]
    pub unsafe fn store_row_spectra<S: Simd>(
        &self,
        simd: S,
        s: &FourierSetup,
        spectrum: &mut [f32],
        k: usize,
        block: MatrixBlock,
        (out, add): (SharedPtr, bool),
        (line, work): (&mut [f32], &mut [f32]),
    ) {
        let n = s.column_plan.len();
        assert!(spectrum.len() >= n * self.stride(block));
        assert!(line.len() == 2 * n * LANES && work.len() == s.column_plan.scratch_len());
        let non_temporal = !add && self.row_spectra_len(s) > NON_TEMPORAL_FLOATS;
        for (v, place) in self.vectors(block) {
            let src = self.view(block, spectrum.as_mut_ptr(), place);
            // SAFETY: as in `spectrum`, and the caller's contract.
            unsafe {
                let out = out.at(self.line(s, v, k));
                for i in 0..if non_temporal { 0 } else { self.groups.len() } {
                    simd.prefetch(out.wrapping_add(2 * i * LANES));
                    simd.prefetch(out.wrapping_add((2 * i + 1) * LANES));
                }
                let spectrum = if n == 1 {
                    // With a single row frequency, the spectrum is the row spectrum.
                    src
                } else {
                    let to = SignalView::packed::<LANES>(line.as_mut_ptr());
                    s.column_plan.run(simd, src, n, to, work.as_mut_ptr());
                    to
                };
                for (i, (row, _)) in self.groups.iter().enumerate() {
                    let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                    for (part, from) in [(0, spectrum.re), (LANES, spectrum.im)] {
                        let v = simd.load(from.add(at));
                        let to = out.add(2 * i * LANES + part);
                        simd.store_hinted(non_temporal, to, if add { simd.add(v, simd.load(to)) } else { v });
                    }
                }
            }
        }
        simd.fence();
    }

    /// Computes the weight gradient from its row spectra at every column frequency.
    pub fn scatter(&self, s: &FourierSetup, g: &ConvGeometry, spectra: &[f32], scale: f32, dw: &mut [f32]) {
        assert_eq!(spectra.len(), self.row_spectra_len(s));
        let dw = SharedPtr::new(dw);
        (0..self.size / LANES).into_par_iter().for_each(|v| {
            dispatch(
                s.isa,
                ScatterGradients { matrix: self, setup: s, all: g.taps.len(), spectra, scale, dw, v: v * LANES },
            );
        });
    }
}

struct ScatterGradients<'a> {
    matrix: &'a WeightMatrix,
    setup: &'a FourierSetup,
    all: usize,
    spectra: &'a [f32],
    scale: f32,
    dw: SharedPtr,
    v: usize,
}

impl SimdKernel for ScatterGradients<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (matrix, s) = (self.matrix, self.setup);
        // The gradients of sixteen kernels, tap by tap. Those of unreachable taps are 0.
        let mut gradients = Scratch::take(self.all * LANES);
        gradients.fill(0.0);
        let scale = simd.splat(self.scale);
        let mut tap_gradients = TapGradients { gradients: &mut gradients, kept: &s.reachable, scale };
        if matrix.uses_row_spectra(s) {
            let n = s.row_plan.len();
            let mut buffer = Scratch::take(real::buffer_len::<S>(&s.row_plan));
            for (i, pair) in matrix.groups.chunks(2).enumerate() {
                let source = |index: usize, k: usize| {
                    self.spectra[matrix.line(s, self.v, k) + (4 * i + 2 * index) * LANES..].as_ptr()
                };
                // SAFETY: within `spectra`, whose length was asserted. They hold the conjugates of the spectra of the
                // rows.
                unsafe {
                    real::inverse::<S, true, _>(
                        simd,
                        &s.row_plan,
                        pair.len(),
                        &mut buffer,
                        source,
                        #[inline(always)]
                        |index, signal, next| {
                            for t in pair[index].1.clone() {
                                let at = i64::from(s.taps.offsets()[t][1]).rem_euclid(n as i64) as usize;
                                // `at` is below n.
                                tap_gradients.store(simd, t, simd.load(signal.add(at * next)));
                            }
                        },
                        |_| || (),
                    );
                }
            }
        } else {
            self.sums(simd, &mut tap_gradients);
        }
        let mut weights = [None; LANES];
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = matrix.weight(self.v + i));
        for t in (0..self.all).step_by(LANES) {
            let n = LANES.min(self.all - t);
            // SAFETY: the gradients of the n taps from t on exist. Those of a kernel lie within `dw`, and only this
            // task writes to them.
            unsafe {
                let mut vectors = [simd.splat(0.0); LANES];
                for (j, v) in vectors.iter_mut().enumerate().take(n) {
                    *v = simd.load(gradients.as_ptr().add((t + j) * LANES));
                }
                store_transposed(simd, n, vectors, |lane| weights[lane].map(|i| self.dw.at(i * self.all + t)));
            }
        }
    }
}

/// The gradients of sixteen kernels, `[tap][lane]`, among all taps.
struct TapGradients<'a, S: Simd> {
    gradients: &'a mut [f32],
    kept: &'a [usize],
    scale: S::V,
}

impl<S: Simd> TapGradients<'_, S> {
    #[inline(always)]
    fn store(&mut self, simd: S, t: usize, sum: S::V) {
        let to = &mut self.gradients[self.kept[t] * LANES..][..LANES];
        // SAFETY: the destination has 16 floats.
        unsafe { simd.store(to.as_mut_ptr(), simd.mul(sum, self.scale)) };
    }
}

impl ScatterGradients<'_> {
    /// Computes the gradient of each reachable tap as a sum over the frequencies.
    #[inline(always)]
    fn sums<S: Simd>(&self, simd: S, tap_gradients: &mut TapGradients<'_, S>) {
        let (matrix, s) = (self.matrix, self.setup);
        let (bins, count) = (s.bins(), s.reachable.len());
        for (i, (_, range)) in matrix.groups.iter().enumerate() {
            // Eight taps at a time share what is read of the row spectra.
            for first in range.clone().step_by(8) {
                let some = (range.end - first).min(8);
                let mut sums = [simd.splat(0.0); 8];
                for k in 0..bins {
                    // SAFETY: within `spectra`, whose length was asserted.
                    let (re, im) = unsafe {
                        let p = self.spectra.as_ptr().add(matrix.line(s, self.v, k) + 2 * i * LANES);
                        (simd.load(p), simd.load(p.add(LANES)))
                    };
                    let phases = &s.phases[k * count + first..][..some];
                    // Frequency n − k contributes the same value again, unless it equals k.
                    let twice = if s.is_self_conjugate(k) { 1.0 } else { 2.0 };
                    let (re, im) = (simd.mul(re, simd.splat(twice)), simd.mul(im, simd.splat(twice)));
                    for (sum, [c, d]) in sums.iter_mut().zip(phases) {
                        *sum = simd.fma(im, simd.splat(*d), simd.fma(re, simd.splat(*c), *sum));
                    }
                }
                for (sum, t) in sums.into_iter().zip(first..first + some) {
                    tap_gradients.store(simd, t, sum);
                }
            }
        }
    }
}
