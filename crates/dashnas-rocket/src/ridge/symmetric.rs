//! Products of matrices, in strips that threads share.
//!
//! The strips have a fixed size, and each entry is added up by one thread in a fixed order, so the number of threads does
//! not change a result. Of a symmetric matrix, only the strips up to the diagonal are computed: in the strip of the rows
//! `a..b`, the columns `0..b`.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

/// The number of rows of a strip.
pub(crate) const STRIP: usize = 192;

/// Sets `out` to `factor·a·b + keep·out`.
pub(crate) fn multiply_into(
    factor: f64,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
    keep: f64,
    mut out: ArrayViewMut2<'_, f64>,
) {
    general_mat_mul(factor, &a, &b, keep, &mut out);
}

/// Returns `a·b`.
pub(crate) fn multiply(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut out = Array2::zeros((a.nrows(), b.ncols()));
    let strips: Vec<_> = out.axis_chunks_iter_mut(Axis(0), STRIP).enumerate().collect();
    strips.into_par_iter().for_each(|(strip, out)| {
        let rows = strip * STRIP..strip * STRIP + out.nrows();
        multiply_into(1.0, a.slice(s![rows, ..]), b, 0.0, out);
    });
    out
}

/// Returns the strips up to the diagonal of the sum of `block·blockᵀ` over blocks with `size` rows.
pub(crate) fn products(size: usize, blocks: impl Iterator<Item = Array2<f64>>) -> Array2<f64> {
    let mut sum = Array2::zeros((size, size));
    for block in blocks {
        add_products(&mut sum, 0, 1.0, block.view(), block.view());
    }
    sum
}

/// Adds `factor·a·bᵀ` to the strips up to the diagonal of the matrix from the row and column `first` on. The strips begin
/// at multiples of their size in the whole matrix.
pub(crate) fn add_products(
    matrix: &mut Array2<f64>,
    first: usize,
    factor: f64,
    a: ArrayView2<'_, f64>,
    b: ArrayView2<'_, f64>,
) {
    let strips: Vec<_> = matrix.axis_chunks_iter_mut(Axis(0), STRIP).enumerate().collect();
    strips.into_par_iter().for_each(|(strip, mut rows)| {
        let (start, end) = (strip * STRIP, strip * STRIP + rows.nrows());
        if end <= first {
            return;
        }
        let above = first.saturating_sub(start);
        let out = rows.slice_mut(s![above.., first..end]);
        let (a, b) = (a.slice(s![start + above - first..end - first, ..]), b.slice(s![..end - first, ..]));
        multiply_into(factor, a, b.t(), 1.0, out);
    });
}

/// Returns the product of a symmetric matrix, of which the strips up to the diagonal are known, with a narrow matrix. Only
/// the part from the row and column `first` on is used.
pub(crate) fn multiply_symmetric(matrix: &Array2<f64>, first: usize, narrow: ArrayView2<'_, f64>) -> Array2<f64> {
    let size = matrix.nrows();
    let starts: Vec<usize> = (0..size).step_by(STRIP).filter(|start| start + STRIP > first).collect();
    let strips: Vec<Array2<f64>> = starts
        .into_par_iter()
        .map(|start| {
            let (start, end) = (start.max(first), (start + STRIP).min(size));
            let mut out = Array2::zeros((end - start, narrow.ncols()));
            let left = matrix.slice(s![start..end, first..end]);
            multiply_into(1.0, left, narrow.slice(s![..end - first, ..]), 0.0, out.view_mut());
            let below = matrix.slice(s![end.., start..end]);
            multiply_into(1.0, below.t(), narrow.slice(s![end - first.., ..]), 1.0, out.view_mut());
            out
        })
        .collect();
    let views: Vec<_> = strips.iter().map(|strip| strip.view()).collect();
    ndarray::concatenate(Axis(0), &views).expect("all strips have the same number of columns")
}
