//! Multiplies row spectra by the spectrum of the kernel: the forward pass and the input gradient.

use super::cgemm::cgemm;
use super::columns::{ColumnPass, TaskBuffers, Tiling, mirror, next_bin_offset, upcoming_rows, vectors};
use super::layout::LaneAxis;
use super::matrix::{ComplexMatrix, ProductShape};
use super::pointwise::multiply_depthwise;
use crate::kernels::scratch::SharedPtr;
use crate::kernels::simd::{LANES, Simd, SimdKernel, dispatch};

/// Computes `to = kernel · from` at every column frequency. `prepared` is the result of
/// [`WeightMatrix::prepare`](super::weights::WeightMatrix::prepare).
pub fn apply(columns: &ColumnPass<'_>, prepared: &[f32], from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), columns.from.len());
    assert_eq!(to.len(), columns.to.len());
    let to = SharedPtr::new(to);
    columns.in_parallel(|bin, work, buffers| {
        dispatch(columns.setup.isa, ApplyAtBin { c: columns, prepared, from, to, bin, work, buffers })
    });
}

struct ApplyAtBin<'a> {
    c: &'a ColumnPass<'a>,
    prepared: &'a [f32],
    from: &'a [f32],
    to: SharedPtr,
    bin: usize,
    work: &'a Tiling,
    buffers: &'a mut TaskBuffers,
}

impl SimdKernel for ApplyAtBin<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (c, s, weights) = (self.c, self.c.setup, self.c.weights);
        let n = s.column_plan.len();
        // At these frequencies the column spectrum is conjugate symmetric, so half of it is enough.
        let row_bins = if s.is_self_conjugate(self.bin) { n / 2 + 1 } else { n };
        // With one row, the spectrum is real at these frequencies.
        let real = n == 1 && s.is_self_conjugate(self.bin);
        let TaskBuffers { line, fft, spectra: [x, y], kernel, gauss_scratch } = self.buffers;
        let spectra = self.from[self.bin * c.from.bin_stride()..].as_ptr();
        // SAFETY: only this task writes to the windows of the output row spectra at frequency `bin`.
        let out = unsafe { self.to.at(self.bin * c.to.bin_stride()) };
        for (i, &[from, to]) in self.work.blocks.iter().enumerate() {
            let (a, a_step) = c.forward_columns(simd, c.from, from, spectra, x, (line, fft));
            let (target, t_step) = if n == 1 {
                let y = vectors(out.wrapping_add(2 * to.entry(c.to, 0)), c.to.planes.width(), next_bin_offset(c.to));
                // A sum of several products is read again, so it stays in the caches.
                (ComplexMatrix { non_temporal: c.to.is_non_temporal() && self.work.kernel_blocks.len() == 1, ..y }, 0)
            } else {
                (vectors(y.as_mut_ptr(), to.cols, to.stride()), to.stride())
            };
            for &block in &self.work.kernel_blocks {
                if i == 0 || self.work.kernel_blocks.len() > 1 {
                    weights.spectrum(simd, s, self.prepared, self.bin, block, kernel, (line, fft));
                }
                for k in 0..row_bins {
                    let w = weights.matrix(block, kernel, k);
                    let x = ComplexMatrix { re: a.re.wrapping_add(k * a_step), ..a };
                    let y = ComplexMatrix { re: target.re.wrapping_add(k * t_step), ..target };
                    // SAFETY: the matrices have these shapes by construction, and `y` is a separate buffer.
                    unsafe {
                        if s.depthwise {
                            multiply_depthwise(simd, s.lane_axis, to.rows, to.cols, x, w, y);
                        } else if s.lane_axis == LaneAxis::Channels {
                            let shape = ProductShape { m: to.rows, k: block.rows, n: block.cols, real };
                            let x = ComplexMatrix { re: x.re.add(x.cols.at(block.row)), ..x };
                            let y = ComplexMatrix { re: y.re.add(y.cols.at(block.col - to.col)), ..y };
                            let upcoming = [upcoming_rows(c.from, from, self.bin, self.from), &[]];
                            if block.row == 0 {
                                cgemm::<S, false, false>(simd, shape, x, w, y, gauss_scratch, upcoming);
                            } else {
                                cgemm::<S, false, true>(simd, shape, x, w, y, gauss_scratch, upcoming);
                            }
                        } else {
                            let w = if weights.conjugate { w.transposed() } else { w };
                            let shape = ProductShape { m: to.rows, k: from.rows, n: to.cols, real };
                            cgemm::<S, false, false>(simd, shape, w, x, y, &mut [], [&[]; 2]);
                        }
                    }
                }
            }
            if n > 1 {
                if row_bins < n {
                    mirror(simd, n, y, to.stride(), (2 * to.rows * to.cols, LANES));
                }
                c.inverse_columns(simd, c.to, to, y, out, (line, fft));
            }
        }
        simd.fence();
    }
}
