//! Small complex matrix products over a frequency: `C (+)= A · B`, real and imaginary parts
//! apart. Rows of B and C are vectors; entries of A are broadcast.

use super::super::simd::{LANES, Simd};

/// A complex matrix: entry (i, j) at `re + i·rows + j·cols`, its imaginary part `im` floats on.
#[derive(Clone, Copy)]
pub struct Mat {
    /// First real part.
    pub re: *mut f32,
    /// Floats from real to imaginary part.
    pub im: usize,
    /// Floats from one row to the next.
    pub rows: usize,
    /// Floats from one column to the next.
    pub cols: usize,
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
/// The matrices must be readable (A, B) and writable (C) at the shape; B and C must have unit
/// column stride; C must overlap neither.
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
                let at = Mat { re: a.re.add(i * a.rows), ..a };
                let bt = Mat { re: b.re.add(j), ..b };
                let ct = Mat { re: c.re.add(i * c.rows + j), ..c };
                let left = s.m - i;
                macro_rules! rows {
                    ($r:literal) => {
                        if wide {
                            tile::<S, $r, NR, CONJ, ACC>(simd, s.k, at, bt, ct)
                        } else {
                            tile::<S, $r, 1, CONJ, ACC>(simd, s.k, at, bt, ct)
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
    a: Mat,
    b: Mat,
    c: Mat,
) {
    let mut re = [[simd.splat(0.0); N]; M];
    let mut im = re;
    // SAFETY: the caller's contract.
    unsafe {
        for p in 0..k {
            let ap = a.re.add(p * a.cols);
            let bp = b.re.add(p * b.rows);
            let mut br = [simd.splat(0.0); N];
            let mut bi = br;
            for j in 0..N {
                br[j] = simd.load(bp.add(j * LANES));
                bi[j] = simd.load(bp.add(b.im + j * LANES));
            }
            for i in 0..M {
                let x = simd.splat(*ap.add(i * a.rows));
                let y = simd.splat(*ap.add(i * a.rows + a.im));
                for j in 0..N {
                    re[i][j] = simd.fma(x, br[j], re[i][j]);
                    im[i][j] = simd.fma(x, bi[j], im[i][j]);
                    if CONJ {
                        re[i][j] = simd.fma(y, bi[j], re[i][j]);
                        im[i][j] = simd.fnma(y, br[j], im[i][j]);
                    } else {
                        re[i][j] = simd.fnma(y, bi[j], re[i][j]);
                        im[i][j] = simd.fma(y, br[j], im[i][j]);
                    }
                }
            }
        }
        for i in 0..M {
            for j in 0..N {
                let p = c.re.add(i * c.rows + j * LANES);
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
/// As for [`cgemm`], with A and B of unit column stride.
#[inline(always)]
pub unsafe fn cdot<S: Simd, const ACC: bool>(simd: S, shape: Shape, a: Mat, b: Mat, c: Mat) {
    // SAFETY: the caller's contract.
    unsafe {
        for i in 0..shape.m {
            for j in 0..shape.k {
                let mut re = simd.splat(0.0);
                let mut im = re;
                let (pa, pb) = (a.re.add(i * a.rows), b.re.add(j * b.rows));
                let mut l = 0;
                while l < shape.n {
                    let (ar, ai) = (simd.load(pa.add(l)), simd.load(pa.add(l + a.im)));
                    let (br, bi) = (simd.load(pb.add(l)), simd.load(pb.add(l + b.im)));
                    re = simd.fma(ai, bi, simd.fma(ar, br, re));
                    im = simd.fnma(ar, bi, simd.fma(ai, br, im));
                    l += LANES;
                }
                let p = c.re.add(i * c.rows + j * c.cols);
                let (r, q) = (simd.sum(re), simd.sum(im));
                *p = if ACC { *p + r } else { r };
                *p.add(c.im) = if ACC { *p.add(c.im) + q } else { q };
            }
        }
    }
}
