//! Multiplies row spectra of the output gradient by those of the input: the weight gradient.

use super::cgemm::{cgemm, conjugate_dot};
use super::columns::{ColumnPass, TaskBuffers, Tiling, mirror, upcoming_rows};
use super::layout::LaneAxis;
use super::matrix::{ComplexMatrix, ProductShape};
use super::pointwise::correlate_depthwise;
use crate::kernels::scratch::SharedPtr;
use crate::kernels::simd::{LANES, Simd, SimdKernel, dispatch};

/// Computes the row spectra of the weight gradient at every column frequency from those of the input (`from`) and of
/// the output gradient (`to`). They are added to `out` if `add`.
pub fn correlate(columns: &ColumnPass<'_>, from: &[f32], to: &[f32], out: &mut [f32], add: bool) {
    assert_eq!(from.len(), columns.from.len());
    assert_eq!(to.len(), columns.to.len());
    assert_eq!(out.len(), columns.weights.row_spectra_len(columns.setup));
    let out = SharedPtr::new(out);
    columns.in_parallel(|bin, work, buffers| {
        dispatch(columns.setup.isa, CorrelateAtBin { c: columns, from, to, out, bin, add, work, buffers });
    });
}

struct CorrelateAtBin<'a> {
    c: &'a ColumnPass<'a>,
    from: &'a [f32],
    to: &'a [f32],
    out: SharedPtr,
    bin: usize,
    add: bool,
    work: &'a Tiling,
    buffers: &'a mut TaskBuffers,
}

impl SimdKernel for CorrelateAtBin<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (c, s, weights) = (self.c, self.c.setup, self.c.weights);
        let n = s.column_plan.len();
        let row_bins = if s.is_self_conjugate(self.bin) { n / 2 + 1 } else { n };
        let real = n == 1 && s.is_self_conjugate(self.bin);
        let TaskBuffers { line, fft, spectra: [x, d], kernel: g, gauss_scratch } = self.buffers;
        let x_spectra = self.from[self.bin * c.from.bin_stride()..].as_ptr();
        let d_spectra = self.to[self.bin * c.to.bin_stride()..].as_ptr();
        let last = self.work.blocks.len() - 1;
        for (i, &[from, to]) in self.work.blocks.iter().enumerate() {
            let (a, a_step) = c.forward_columns(simd, c.from, from, x_spectra, x, (line, fft));
            let (b, b_step) = c.forward_columns(simd, c.to, to, d_spectra, d, (line, fft));
            // There are several blocks of the kernel or several blocks of the batch, but never both.
            for &block in &self.work.kernel_blocks {
                for k in 0..row_bins {
                    let g = weights.matrix(block, g, k);
                    let x = ComplexMatrix { re: a.re.wrapping_add(k * a_step), ..a };
                    let d = ComplexMatrix { re: b.re.wrapping_add(k * b_step), ..b };
                    // SAFETY: as in `ApplyAtBin`.
                    unsafe {
                        if s.depthwise {
                            correlate_depthwise(simd, s.lane_axis, to.rows, to.cols, d, x, g, i > 0);
                        } else if s.lane_axis == LaneAxis::Channels {
                            let shape = ProductShape { m: block.rows, k: to.rows, n: block.cols, real };
                            let x = ComplexMatrix { re: x.re.add(x.cols.at(block.row)), ..x };
                            let d = ComplexMatrix { re: d.re.add(d.cols.at(block.col - to.col)), ..d };
                            let sides = [(c.from, from, self.from), (c.to, to, self.to)];
                            let upcoming =
                                sides.map(|(set, window, spectra)| upcoming_rows(set, window, self.bin, spectra));
                            if i == 0 {
                                cgemm::<S, true, false>(simd, shape, x.transposed(), d, g, gauss_scratch, upcoming);
                            } else {
                                cgemm::<S, true, true>(simd, shape, x.transposed(), d, g, gauss_scratch, upcoming);
                            }
                        } else {
                            let shape = ProductShape { m: weights.rows, k: weights.width, n: to.cols, real };
                            if i == 0 {
                                conjugate_dot::<S, false>(simd, shape, d, x, g);
                            } else {
                                conjugate_dot::<S, true>(simd, shape, d, x, g);
                            }
                        }
                    }
                }
                if i == last {
                    if row_bins < n {
                        let run = if weights.vectors { LANES } else { weights.size };
                        mirror(simd, n, g, weights.stride(block), (weights.stride(block) - 2 * LANES, run));
                    }
                    // SAFETY: only this task writes to this block of the kernel at this frequency.
                    unsafe {
                        weights.store_row_spectra(simd, s, g, self.bin, block, (self.out, self.add), (line, fft))
                    };
                }
            }
        }
    }
}
