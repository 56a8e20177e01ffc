//! Small complex matrix products over a frequency: `C (+)= A · B`, real and imaginary parts
//! apart. Rows of B and C are vectors; entries of A are broadcast.

#![allow(clippy::needless_range_loop)] // tiles of registers, indexed alike

use super::super::simd::{LANES, Simd};

/// How an index moves through memory: by `step`, and by `chunk` every 16.
#[derive(Clone, Copy)]
pub struct Axis {
    step: usize,
    chunk: usize,
}

impl Axis {
    /// A constant step.
    pub fn plain(step: usize) -> Self {
        Self { step, chunk: step * LANES }
    }
    /// Lanes of vectors that are `chunk` floats apart.
    pub fn lanes(chunk: usize) -> Self {
        Self { step: 1, chunk }
    }
    /// Floats to index `i`.
    #[inline(always)]
    pub fn at(self, i: usize) -> usize {
        i % LANES * self.step + i / LANES * self.chunk
    }
}

/// A complex matrix: entry (i, j) at `re + rows(i) + cols(j)`, its imaginary part `im` floats on.
#[derive(Clone, Copy)]
pub struct Mat {
    /// First real part.
    pub re: *mut f32,
    /// Floats from real to imaginary part.
    pub im: usize,
    /// From one row to the next.
    pub rows: Axis,
    /// From one column to the next.
    pub cols: Axis,
    /// Floats to the matrix of the same kind that is used next, fetched ahead of time.
    pub next: usize,
}

impl Mat {
    /// The transpose.
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, ..self }
    }
}

/// Sizes and mode of a product: A is m×k, B is k×n with n a multiple of [`LANES`].
#[derive(Clone, Copy)]
pub struct Shape {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// Columns of B and C.
    pub n: usize,
}

/// `C = A·B`, or `C += A·B` if `ACC`; A is conjugated if `CONJ`.
///
/// # Safety
/// The matrices must be readable (A, B) and writable (C) at the shape; columns of B and C
/// and rows of B must be lanes of vectors and a plain step; C must overlap neither.
#[inline(always)]
pub unsafe fn cgemm<S: Simd, const CONJ: bool, const ACC: bool>(simd: S, shape: Shape, a: Mat, b: Mat, c: Mat) {
    // SAFETY: the caller's contract. `TILE` is a constant, so one branch is compiled.
    unsafe {
        match S::TILE {
            (6, 2) => panels::<S, 6, 2, CONJ, ACC>(simd, shape, a, b, c),
            (3, 1) => panels::<S, 3, 1, CONJ, ACC>(simd, shape, a, b, c),
            _ => panels::<S, 1, 1, CONJ, ACC>(simd, shape, a, b, c),
        }
    }
}

#[inline(always)]
unsafe fn panels<S: Simd, const MR: usize, const NR: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    s: Shape,
    a: Mat,
    b: Mat,
    c: Mat,
) {
    let mut j = 0;
    while j < s.n {
        let wide = s.n - j >= NR * LANES;
        let mut i = 0;
        while i < s.m {
            // SAFETY: tile (i, j) lies inside the matrices, whose readability the caller grants.
            unsafe {
                let bt = Mat { re: b.re.add(b.cols.at(j)), ..b };
                let ct = Mat { re: c.re.add(c.cols.at(j)), ..c };
                let left = s.m - i;
                macro_rules! rows {
                    ($r:literal) => {
                        if wide {
                            tile::<S, $r, NR, CONJ, ACC>(simd, s.k, i, a, bt, ct)
                        } else {
                            tile::<S, $r, 1, CONJ, ACC>(simd, s.k, i, a, bt, ct)
                        }
                    };
                }
                // Branches above MR are never taken; MR is a constant, so they are not compiled.
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
unsafe fn tile<S: Simd, const M: usize, const N: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    k: usize,
    row: usize,
    a: Mat,
    b: Mat,
    c: Mat,
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
                simd.prefetch(r.wrapping_add(a.next));
                simd.prefetch(r.wrapping_add(a.next + LANES));
            }
            let mut at = 0;
            for _ in 0..chunk {
                let mut br = [simd.splat(0.0); N];
                let mut bi = br;
                if row == 0 {
                    for j in 0..N {
                        simd.prefetch(bp.wrapping_add(b.next + j * b.cols.chunk));
                        simd.prefetch(bp.wrapping_add(b.next + j * b.cols.chunk + LANES));
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
                simd.store(p, re[i][j]);
                simd.store(p.add(c.im), im[i][j]);
            }
        }
    }
}

/// `C[i][j] (+)= Σ_l A[i][l] · conj(B[j][l])` over `n` lanes-multiple columns: both operands have
/// the summed index along the vector. A is m×n, B is k×n, C is m×k with any strides.
///
/// # Safety
/// As for [`cgemm`], with the columns of A and B in lanes.
#[inline(always)]
pub unsafe fn cdot<S: Simd, const ACC: bool>(simd: S, shape: Shape, a: Mat, b: Mat, c: Mat) {
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
