//! Small complex matrix products at one frequency: `C (+)= A · B`, with separate real and imaginary parts. The rows of
//! B and C are vectors; the entries of A are broadcast.
//!
//! Large products are computed by [`gauss`](super::gauss) from three real products instead of four.

#![allow(clippy::needless_range_loop)] // tiles of registers, indexed alike

use super::gauss::{gauss_operands, gauss_panels};
use super::matrix::{ComplexMatrix, ProductShape};
use crate::kernels::simd::{LANES, Simd};

/// Computes `C = A·B`, or `C += A·B` if `ACC`. A is conjugated if `CONJ`. With a `scratch` of at least
/// [`ProductShape::gauss_scratch_len`] floats, a large product is computed from three real products, otherwise from
/// four. A large product prefetches `upcoming`, which is read soon, piece by piece.
///
/// # Safety
/// A and B must be readable and C writable at the given shape. The columns of B and C must lie in vector lanes, and the
/// rows of B must have a uniform stride. C must overlap neither A nor B. If there is a `scratch`, the rows or the
/// columns of A must be whole vectors, too.
#[inline(always)]
pub unsafe fn cgemm<S: Simd, const CONJ: bool, const ACC: bool>(
    simd: S,
    shape: ProductShape,
    a: ComplexMatrix,
    b: ComplexMatrix,
    c: ComplexMatrix,
    scratch: &mut [f32],
    upcoming: [&[f32]; 2],
) {
    // SAFETY: the caller's contract. The tile sizes are constants, so only one branch of each `match` is compiled.
    unsafe {
        if !scratch.is_empty() && shape.gauss_scratch_len() > 0 {
            let parts = if shape.real {
                let operands = [a.real(), b.real()];
                [operands; 3]
            } else {
                gauss_operands::<S, CONJ>(simd, shape, a, b, scratch)
            };
            return match S::STRIDED_TILE {
                (6, 4) => gauss_panels::<S, 6, 4, CONJ, ACC>(simd, shape, parts, c, upcoming),
                (6, 1) => gauss_panels::<S, 6, 1, CONJ, ACC>(simd, shape, parts, c, upcoming),
                _ => gauss_panels::<S, 2, 1, CONJ, ACC>(simd, shape, parts, c, upcoming),
            };
        }
        match S::COMPLEX_TILE {
            (6, 2) => complex_panels::<S, 6, 2, CONJ, ACC>(simd, shape, a, b, c),
            (3, 1) => complex_panels::<S, 3, 1, CONJ, ACC>(simd, shape, a, b, c),
            _ => complex_panels::<S, 1, 1, CONJ, ACC>(simd, shape, a, b, c),
        }
    }
}

#[inline(always)]
unsafe fn complex_panels<S: Simd, const MR: usize, const NR: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    s: ProductShape,
    a: ComplexMatrix,
    b: ComplexMatrix,
    c: ComplexMatrix,
) {
    let mut j = 0;
    while j < s.n {
        let wide = s.n - j >= NR * LANES;
        let mut i = 0;
        while i < s.m {
            // SAFETY: tile (i, j) lies inside the matrices, which the caller guarantees to be readable.
            unsafe {
                let bt = ComplexMatrix { re: b.re.add(b.cols.at(j)), ..b };
                let ct = ComplexMatrix { re: c.re.add(c.cols.at(j)), ..c };
                let left = s.m - i;
                macro_rules! rows {
                    ($r:literal) => {
                        if wide {
                            complex_tile::<S, $r, NR, CONJ, ACC>(simd, s.k, i, a, bt, ct)
                        } else {
                            complex_tile::<S, $r, 1, CONJ, ACC>(simd, s.k, i, a, bt, ct)
                        }
                    };
                }
                // Branches with more than MR rows are never taken. MR is a constant, so they are not compiled.
                if MR >= 6 && left >= 6 {
                    rows!(6);
                } else if MR >= 6 && left >= 4 {
                    rows!(4);
                    i += 4;
                    continue;
                } else if MR >= 3 && left >= 3 {
                    rows!(3);
                    i += 3;
                    continue;
                } else if MR >= 3 && left >= 2 {
                    rows!(2);
                    i += 2;
                    continue;
                } else {
                    rows!(1);
                    i += 1;
                    continue;
                }
            }
            i += MR;
        }
        j += if wide { NR * LANES } else { LANES };
    }
}

#[inline(always)]
unsafe fn complex_tile<S: Simd, const M: usize, const N: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    k: usize,
    row: usize,
    a: ComplexMatrix,
    b: ComplexMatrix,
    c: ComplexMatrix,
) {
    let mut re = [[simd.splat(0.0); N]; M];
    let mut im = re;
    // SAFETY: the caller's contract.
    unsafe {
        let mut rows = [a.re; M];
        for (m, r) in rows.iter_mut().enumerate() {
            *r = a.re.add(a.rows.at(row + m));
        }
        let mut bp = b.re;
        let mut left = k;
        while left > 0 {
            let chunk = left.min(LANES);
            for r in &rows {
                simd.prefetch(r.wrapping_add(a.prefetch_offset));
                simd.prefetch(r.wrapping_add(a.prefetch_offset + LANES));
            }
            let mut at = 0;
            for _ in 0..chunk {
                let mut br = [simd.splat(0.0); N];
                let mut bi = br;
                if row == 0 && b.prefetch_offset > 0 {
                    for j in 0..N {
                        simd.prefetch(bp.wrapping_add(b.prefetch_offset + j * b.cols.chunk));
                        simd.prefetch(bp.wrapping_add(b.prefetch_offset + j * b.cols.chunk + LANES));
                    }
                }
                for j in 0..N {
                    br[j] = simd.load(bp.add(j * b.cols.chunk));
                    bi[j] = simd.load(bp.add(b.im + j * b.cols.chunk));
                }
                for i in 0..M {
                    let x = simd.splat(*rows[i].add(at));
                    for j in 0..N {
                        re[i][j] = simd.fma(x, br[j], re[i][j]);
                        im[i][j] = simd.fma(x, bi[j], im[i][j]);
                    }
                    let y = simd.splat(*rows[i].add(at + a.im));
                    for j in 0..N {
                        if CONJ {
                            re[i][j] = simd.fma(y, bi[j], re[i][j]);
                            im[i][j] = simd.fnma(y, br[j], im[i][j]);
                        } else {
                            re[i][j] = simd.fnma(y, bi[j], re[i][j]);
                            im[i][j] = simd.fma(y, br[j], im[i][j]);
                        }
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
                let p = c.re.add(c.rows.at(row + i) + j * c.cols.chunk);
                if ACC {
                    re[i][j] = simd.add(re[i][j], simd.load(p));
                    im[i][j] = simd.add(im[i][j], simd.load(p.add(c.im)));
                }
                simd.store_hinted(c.non_temporal, p, re[i][j]);
                simd.store_hinted(c.non_temporal, p.add(c.im), im[i][j]);
            }
        }
    }
}

/// Computes `C[i][j] (+)= Σ_l A[i][l] · conj(B[j][l])` over `n` columns, a multiple of the vector width: in both
/// operands the summed index lies along the vector. A is m×n, B is k×n, and C is m×k with any strides.
///
/// # Safety
/// The requirements of [`cgemm`] apply, with the columns of A and B in vector lanes.
#[inline(always)]
pub unsafe fn conjugate_dot<S: Simd, const ACC: bool>(
    simd: S,
    shape: ProductShape,
    a: ComplexMatrix,
    b: ComplexMatrix,
    c: ComplexMatrix,
) {
    // SAFETY: the caller's contract.
    unsafe {
        for i in 0..shape.m {
            for j in 0..shape.k {
                let mut re = simd.splat(0.0);
                let mut im = re;
                let (pa, pb) = (a.re.add(a.rows.at(i)), b.re.add(b.rows.at(j)));
                let mut l = 0;
                while l < shape.n {
                    let (qa, qb) = (pa.add(a.cols.at(l)), pb.add(b.cols.at(l)));
                    let (ar, ai) = (simd.load(qa), simd.load(qa.add(a.im)));
                    let (br, bi) = (simd.load(qb), simd.load(qb.add(b.im)));
                    for (first, q, next) in [(j == 0, qa, a.prefetch_offset), (i == 0, qb, b.prefetch_offset)] {
                        if first && next > 0 {
                            simd.prefetch(q.wrapping_add(next));
                            simd.prefetch(q.wrapping_add(next + LANES));
                        }
                    }
                    re = simd.fma(ai, bi, simd.fma(ar, br, re));
                    im = simd.fnma(ar, bi, simd.fma(ai, br, im));
                    l += LANES;
                }
                let p = c.re.add(c.rows.at(i) + c.cols.at(j));
                let (r, q) = (simd.sum(re), simd.sum(im));
                *p = if ACC { *p + r } else { r };
                *p.add(c.im) = if ACC { *p.add(c.im) + q } else { q };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::AxisStride;
    use super::*;
    use crate::kernels::scratch::Scratch;
    use crate::kernels::simd::padded;
    use crate::kernels::simd::{Isa, SimdKernel, dispatch};

    /// Compares both ways to multiply with the definition in `f64`: A in row-major order or transposed, conjugated or
    /// not, C overwritten or accumulated.
    struct Check {
        shape: ProductShape,
        transposed: bool,
        three: bool,
    }

    impl Check {
        fn check<S: Simd, const CONJ: bool, const ACC: bool>(&self, simd: S) {
            let ProductShape { m, k, n, real } = self.shape;
            let value = |i: usize| ((i * 7919 + 13) % 211) as f32 / 105.0 - 1.0;
            let fill = |len: usize, from: usize| {
                let mut s = Scratch::take(len);
                s.iter_mut().enumerate().for_each(|(i, v)| {
                    *v = if real && i / LANES % 2 == 1 { 0.0 } else { value(i + from) };
                });
                s
            };
            // Rows of vectors: 16 real parts, then 16 imaginary parts.
            let matrix = |s: &mut Scratch, width: usize| ComplexMatrix {
                re: s.as_mut_ptr(),
                im: LANES,
                rows: AxisStride::uniform(2 * width),
                cols: AxisStride::in_lanes(2 * LANES),
                prefetch_offset: 0,
                non_temporal: false,
            };
            let (high, wide) = if self.transposed { (k, padded(m)) } else { (m, padded(k)) };
            let (mut a, mut b, mut c) = (fill(2 * high * wide, 1), fill(2 * k * n, 2), fill(2 * m * n, 3));
            let mut sums = Scratch::take(if self.three { self.shape.gauss_scratch_len() } else { 0 });
            assert_eq!(self.three, !sums.is_empty());
            let (am, bm, cm) = (matrix(&mut a, wide), matrix(&mut b, n), matrix(&mut c, n));
            let am = if self.transposed { am.transposed() } else { am };
            // SAFETY: the entries lie within the three buffers.
            let entry = |x: ComplexMatrix, i: usize, j: usize| unsafe {
                let p = x.re.add(x.rows.at(i) + x.cols.at(j));
                (f64::from(*p), f64::from(*p.add(x.im)))
            };
            let mut want = Vec::new();
            for i in 0..m {
                for j in 0..n {
                    let (mut re, mut im) = if ACC { entry(cm, i, j) } else { (0.0, 0.0) };
                    for l in 0..k {
                        let ((x, y), (u, v)) = (entry(am, i, l), entry(bm, l, j));
                        let y = if CONJ { -y } else { y };
                        re += x * u - y * v;
                        im += x * v + y * u;
                    }
                    want.push((re, im));
                }
            }
            // SAFETY: the matrices have these shapes and consist of whole vectors.
            unsafe { cgemm::<S, CONJ, ACC>(simd, self.shape, am, bm, cm, &mut sums, [&[]; 2]) };
            for (at, (re, im)) in want.into_iter().enumerate() {
                let got = entry(cm, at / n, at % n);
                let off = (got.0 - re).abs().max((got.1 - im).abs());
                assert!(off < 2e-6 * k as f64, "entry {at}: {got:?} against {re}, {im}");
            }
        }
    }

    impl SimdKernel for Check {
        type Out = ();
        fn run<S: Simd>(self, simd: S) {
            self.check::<S, false, false>(simd);
            self.check::<S, false, true>(simd);
            self.check::<S, true, false>(simd);
            self.check::<S, true, true>(simd);
        }
    }

    #[test]
    fn three_and_four_real_products_give_the_complex_one() {
        for isa in Isa::ALL.iter().copied().filter(|isa| isa.available()) {
            for (m, k, n) in [(6, 16, 16), (37, 45, 48), (61, 100, 80), (33, 64, 112)] {
                for (transposed, three) in [(false, false), (false, true), (true, false), (true, true)] {
                    for real in [false, true] {
                        dispatch(isa, Check { shape: ProductShape { m, k, n, real }, transposed, three });
                    }
                }
            }
            for (m, k, n) in [(1, 1, 16), (5, 30, 32), (6, 15, 16)] {
                dispatch(isa, Check { shape: ProductShape { m, k, n, real: false }, transposed: false, three: false });
            }
        }
    }
}
