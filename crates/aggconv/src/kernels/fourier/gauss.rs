//! Complex products by Gauss's method, from three real products instead of four: with `T₁ = Aᵣ·Bᵣ`, `T₂ = Aᵢ·Bᵢ` and
//! `T₃ = (Aᵣ + Aᵢ)·(Bᵣ + Bᵢ)`, the product is `T₁ − T₂ + i(T₃ − T₁ − T₂)`. The additions cost one factor of the sizes
//! less than the products. A product whose imaginary parts are 0 is a single real product.

use super::matrix::{AxisStride, ComplexMatrix, ProductShape};
use crate::kernels::simd::{LANES, Simd, padded, prefetcher};
use std::mem::MaybeUninit;

/// A real matrix: entry (i, j) lies at `p + rows(i) + cols(j)`.
#[derive(Clone, Copy)]
pub(super) struct RealMatrix {
    p: *const f32,
    rows: AxisStride,
    cols: AxisStride,
    /// The number of floats to the matrix that is used next, which is prefetched.
    prefetch_offset: usize,
}

impl ComplexMatrix {
    pub(super) fn real(self) -> RealMatrix {
        RealMatrix { p: self.re, rows: self.rows, cols: self.cols, prefetch_offset: self.prefetch_offset }
    }

    fn imag(self) -> RealMatrix {
        RealMatrix { p: self.re.wrapping_add(self.im), ..self.real() }
    }
}

/// Computes the operands of the three real products: the real parts, the imaginary parts, and their sums. For A they
/// are the differences if it is conjugated.
///
/// # Safety
/// The requirements of [`cgemm`](super::cgemm::cgemm) apply.
#[inline(always)]
pub(super) unsafe fn gauss_operands<S: Simd, const CONJ: bool>(
    simd: S,
    s: ProductShape,
    a: ComplexMatrix,
    b: ComplexMatrix,
    scratch: &mut [f32],
) -> [[RealMatrix; 2]; 3] {
    assert!(scratch.len() >= s.gauss_scratch_len());
    let (first, second) = scratch.split_at_mut(padded(s.m) * padded(s.k));
    let lanes = a.cols.step == 1;
    // The sums of A are stored row by row of vectors.
    let (m, k, rows, cols) = if lanes { (s.m, s.k, a.rows, a.cols) } else { (s.k, s.m, a.cols, a.rows) };
    let width = padded(k);
    let mut to = first.as_mut_ptr();
    // SAFETY: the vectors of A and B lie within their shapes, and `scratch` has room for all of them.
    unsafe {
        for i in 0..m {
            let row = a.re.add(rows.at(i));
            for j in (0..width).step_by(LANES) {
                let p = row.add(cols.at(j));
                let (re, im) = (simd.load(p), simd.load(p.add(a.im)));
                simd.store(to, if CONJ { simd.sub(re, im) } else { simd.add(re, im) });
                to = to.add(LANES);
            }
        }
        // The sums of B are stored in panels of 16 columns.
        let mut to = second.as_mut_ptr();
        for j in (0..s.n).step_by(LANES) {
            let mut p = b.re.add(b.cols.at(j));
            for _ in 0..s.k {
                simd.store(to, simd.add(simd.load(p), simd.load(p.add(b.im))));
                (p, to) = (p.wrapping_add(b.rows.step), to.add(LANES));
            }
        }
    }
    let (along, across) = (AxisStride::uniform(1), AxisStride::uniform(width));
    let (rows, cols) = if lanes { (across, along) } else { (along, across) };
    let a_sums = RealMatrix { p: first.as_ptr(), rows, cols, prefetch_offset: 0 };
    let b_sums = RealMatrix {
        p: second.as_ptr(),
        rows: AxisStride::uniform(LANES),
        cols: AxisStride::in_lanes(LANES * s.k),
        prefetch_offset: 0,
    };
    [[a.real(), b.real()], [a.imag(), b.imag()], [a_sums, b_sums]]
}

/// Computes the complex product from the three real products of [`gauss_operands`], tile by tile.
///
/// # Safety
/// The requirements of [`cgemm`](super::cgemm::cgemm) apply.
#[inline(always)]
pub(super) unsafe fn gauss_panels<S: Simd, const MR: usize, const NR: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    s: ProductShape,
    parts: [[RealMatrix; 2]; 3],
    c: ComplexMatrix,
    upcoming: [&[f32]; 2],
) {
    // Each tile prefetches an equal share of `upcoming`.
    let tiles = s.m.div_ceil(MR) * s.n.div_ceil(NR * LANES);
    let mut prefetch = upcoming.map(|floats| prefetcher(simd, floats, tiles));
    let mut j = 0;
    while j < s.n {
        let wide = s.n - j >= NR * LANES;
        let mut i = 0;
        while i < s.m {
            prefetch.iter_mut().for_each(|prefetch| prefetch());
            // SAFETY: tile (i, j) lies inside the matrices.
            unsafe {
                macro_rules! rows {
                    ($r:literal) => {{
                        if wide {
                            gauss_tile::<S, $r, NR, CONJ, ACC>(simd, s, (i, j), parts, c)
                        } else {
                            gauss_tile::<S, $r, 1, CONJ, ACC>(simd, s, (i, j), parts, c)
                        }
                        i += $r;
                    }};
                }
                // Branches with more than MR rows are never taken. MR is a constant, so they are not compiled.
                match s.m - i {
                    6.. if MR >= 6 => rows!(6),
                    4.. if MR >= 6 => rows!(4),
                    2.. => rows!(2),
                    _ => rows!(1),
                }
            }
        }
        j += if wide { NR * LANES } else { LANES };
    }
}

#[inline(always)]
unsafe fn gauss_tile<S: Simd, const M: usize, const N: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    ProductShape { k, real: is_real, .. }: ProductShape,
    (row, col): (usize, usize),
    [real, imag, both]: [[RealMatrix; 2]; 3],
    c: ComplexMatrix,
) {
    // SAFETY: the caller's contract.
    unsafe {
        // The products are kept on the stack, so that C, which is not in the cache, is written once.
        let mut products = [const { MaybeUninit::<[[S::V; N]; M]>::uninit() }; 3];
        let [first, second, third] = products.each_mut().map(|v| v.as_mut_ptr().cast::<S::V>());
        real_tile::<S, M, N>(simd, k, (row, col), real, first);
        if !is_real {
            real_tile::<S, M, N>(simd, k, (row, col), imag, second);
            real_tile::<S, M, N>(simd, k, (row, col), both, third);
        }
        let zero = simd.splat(0.0);
        for i in 0..M {
            for j in 0..N {
                let p = c.re.add(c.rows.at(row + i) + c.cols.at(col) + j * c.cols.chunk);
                let at = i * N + j;
                let t = first.add(at).read();
                let (u, v) = if is_real { (zero, t) } else { (second.add(at).read(), third.add(at).read()) };
                let im = simd.sub(v, t);
                // The second real product has the opposite sign if A is conjugated.
                let (mut re, mut im) =
                    if CONJ { (simd.add(t, u), simd.add(im, u)) } else { (simd.sub(t, u), simd.sub(im, u)) };
                if ACC {
                    (re, im) = (simd.add(re, simd.load(p)), simd.add(im, simd.load(p.add(c.im))));
                }
                simd.store_hinted(c.non_temporal, p, re);
                simd.store_hinted(c.non_temporal, p.add(c.im), im);
                if c.prefetch_offset > 0 && !c.non_temporal {
                    simd.prefetch(p.wrapping_add(c.prefetch_offset));
                    simd.prefetch(p.wrapping_add(c.prefetch_offset + c.im));
                }
            }
        }
    }
}

/// Computes a tile of a real product and writes it to `out`, row by row. It is accumulated in registers: the compiler
/// may write an array that is returned to memory with each multiply-add instead, at half the speed.
///
/// # Safety
/// The requirements of [`cgemm`](super::cgemm::cgemm) apply, and M·N vectors must be writable at `out`.
#[inline(always)]
unsafe fn real_tile<S: Simd, const M: usize, const N: usize>(
    simd: S,
    k: usize,
    (row, col): (usize, usize),
    [a, b]: [RealMatrix; 2],
    out: *mut S::V,
) {
    let mut sums = [[simd.splat(0.0); N]; M];
    // SAFETY: the caller's contract.
    unsafe {
        let mut rows = [a.p; M];
        for (m, r) in rows.iter_mut().enumerate() {
            *r = a.p.add(a.rows.at(row + m));
        }
        let mut bp = b.p.add(b.cols.at(col));
        let mut left = k;
        while left > 0 {
            let chunk = left.min(LANES);
            if a.prefetch_offset > 0 {
                for r in &rows {
                    simd.prefetch(r.wrapping_add(a.prefetch_offset));
                }
            }
            let mut at = 0;
            for _ in 0..chunk {
                let mut v = [simd.splat(0.0); N];
                for j in 0..N {
                    v[j] = simd.load(bp.add(j * b.cols.chunk));
                }
                if row == 0 && b.prefetch_offset > 0 {
                    for j in 0..N {
                        simd.prefetch(bp.wrapping_add(b.prefetch_offset + j * b.cols.chunk));
                    }
                }
                for i in 0..M {
                    let x = simd.splat(*rows[i].add(at));
                    for j in 0..N {
                        sums[i][j] = simd.fma(x, v[j], sums[i][j]);
                    }
                }
                at += a.cols.step;
                bp = bp.wrapping_add(b.rows.step);
            }
            for r in &mut rows {
                *r = r.wrapping_add(a.cols.chunk);
            }
            left -= chunk;
        }
        for i in 0..M {
            for j in 0..N {
                out.add(i * N + j).write(sums[i][j]);
            }
        }
    }
}
