//! Products of the spectra of a depthwise convolution, whose channels are independent.

use super::layout::LaneAxis;
use super::matrix::ComplexMatrix;
use crate::kernels::simd::{LANES, Simd};

/// Computes `y = w · x` elementwise, with one weight for each channel.
///
/// # Safety
/// `x` and `y` must be rows×cols matrices with their columns in vector lanes, and `w` must hold a weight for each
/// channel.
#[inline(always)]
pub unsafe fn multiply_depthwise<S: Simd>(
    simd: S,
    lanes: LaneAxis,
    rows: usize,
    cols: usize,
    x: ComplexMatrix,
    w: ComplexMatrix,
    y: ComplexMatrix,
) {
    for row in 0..rows {
        for col in (0..cols).step_by(LANES) {
            // SAFETY: the caller's contract.
            unsafe {
                let (wr, wi) = match lanes {
                    LaneAxis::Channels => {
                        (simd.load(w.re.add(w.cols.at(col))), simd.load(w.re.add(w.cols.at(col) + w.im)))
                    }
                    LaneAxis::Samples => (simd.splat(*w.re.add(row)), simd.splat(*w.re.add(row + w.im))),
                };
                let p = x.re.add(x.rows.at(row) + x.cols.at(col));
                let (xr, xi) = (simd.load(p), simd.load(p.add(x.im)));
                let q = y.re.add(y.rows.at(row) + y.cols.at(col));
                simd.store(q, simd.fnma(wi, xi, simd.mul(wr, xr)));
                simd.store(q.add(y.im), simd.fma(wi, xr, simd.mul(wr, xi)));
            }
        }
    }
}

/// Adds the product of D and the conjugate of X at one entry to a sum. This is a function and not a closure, because a
/// closure would not be inlined or compiled for the instruction set.
///
/// # Safety
/// A vector must be readable at the entry of both matrices.
#[inline(always)]
unsafe fn add_product<S: Simd>(
    simd: S,
    [d, x]: [ComplexMatrix; 2],
    (row, col): (usize, usize),
    (re, im): (S::V, S::V),
) -> (S::V, S::V) {
    // SAFETY: the caller's contract.
    unsafe {
        let (p, q) = (d.re.add(d.rows.at(row) + d.cols.at(col)), x.re.add(x.rows.at(row) + x.cols.at(col)));
        let (dr, di) = (simd.load(p), simd.load(p.add(d.im)));
        let (xr, xi) = (simd.load(q), simd.load(q.add(x.im)));
        let re = simd.fma(di, xi, simd.fma(dr, xr, re));
        (re, simd.fnma(dr, xi, simd.fma(di, xr, im)))
    }
}

/// Computes `g = Σ_n d · conj(x)`, one sum for each channel. The sums are added to `g` if `add`.
///
/// # Safety
/// `d` and `x` must be rows×cols matrices with their columns in vector lanes, and `g` must hold a sum for each channel.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // a matrix product's
pub unsafe fn correlate_depthwise<S: Simd>(
    simd: S,
    lanes: LaneAxis,
    rows: usize,
    cols: usize,
    d: ComplexMatrix,
    x: ComplexMatrix,
    g: ComplexMatrix,
    add: bool,
) {
    // SAFETY: the caller's contract.
    unsafe {
        match lanes {
            LaneAxis::Channels => {
                for col in (0..cols).step_by(LANES) {
                    let p = g.re.add(g.cols.at(col));
                    let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                    if add {
                        (re, im) = (simd.load(p), simd.load(p.add(g.im)));
                    }
                    for row in 0..rows {
                        (re, im) = add_product(simd, [d, x], (row, col), (re, im));
                    }
                    simd.store(p, re);
                    simd.store(p.add(g.im), im);
                }
            }
            LaneAxis::Samples => {
                for row in 0..rows {
                    let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                    for col in (0..cols).step_by(LANES) {
                        (re, im) = add_product(simd, [d, x], (row, col), (re, im));
                    }
                    let (p, q) = (g.re.add(row), g.re.add(row + g.im));
                    *p = simd.sum(re) + if add { *p } else { 0.0 };
                    *q = simd.sum(im) + if add { *q } else { 0.0 };
                }
            }
        }
    }
}
