//! Small complex matrix products over a frequency: `C (+)= A · B`, real and imaginary parts
//! apart. Rows of B and C are vectors; entries of A are broadcast.
//!
//! Large ones are made of a single real product if they are real, else of three instead of four (Gauss): with
//! `T₁ = Aᵣ·Bᵣ`, `T₂ = Aᵢ·Bᵢ` and `T₃ = (Aᵣ + Aᵢ)·(Bᵣ + Bᵢ)`, the product is `T₁ − T₂ + i(T₃ − T₁ − T₂)`. The sums are a
//! term less of the sizes than the products.

#![allow(clippy::needless_range_loop)] // tiles of registers, indexed alike

use super::super::simd::{LANES, Simd, bring};
use std::mem::MaybeUninit;

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
    /// Whether what is written goes past the caches.
    pub far: bool,
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
    /// Whether all imaginary parts are 0.
    pub real: bool,
}

impl Shape {
    /// Whether three real products are better than four.
    fn large(self) -> bool {
        self.m >= 6 && self.k.min(self.n) >= LANES
    }

    /// Real multiplications and additions for each complex multiply-add.
    pub fn operations(self) -> u64 {
        if self.large() { 6 } else { 8 }
    }

    /// Floats of working memory for a product by three real ones; 0 where four are as good.
    pub fn sums_len(self) -> usize {
        let Shape { m, k, n, .. } = self;
        if self.large() { padded(m) * padded(k) + k * n } else { 0 }
    }
}

/// `C = A·B`, or `C += A·B` if `ACC`; A is conjugated if `CONJ`. With `sums` of at least
/// [`Shape::sums_len`] floats, a large product is made of three real ones; with none, of four. What will be read soon,
/// `ahead`, a large one has brought near piece by piece.
///
/// # Safety
/// The matrices must be readable (A, B) and writable (C) at the shape; columns of B and C
/// and rows of B must be lanes of vectors and a plain step; C must overlap neither. If there are
/// `sums`, rows or columns of A are whole vectors likewise.
#[inline(always)]
pub unsafe fn cgemm<S: Simd, const CONJ: bool, const ACC: bool>(
    simd: S,
    shape: Shape,
    a: Mat,
    b: Mat,
    c: Mat,
    sums: &mut [f32],
    ahead: [&[f32]; 2],
) {
    // SAFETY: the caller's contract. `TILE` and `TALL` are constants, so one branch of each is compiled.
    unsafe {
        if !sums.is_empty() && shape.sums_len() > 0 {
            let parts = if shape.real {
                let operands = [a.real(), b.real()];
                [operands; 3]
            } else {
                parts::<S, CONJ>(simd, shape, a, b, sums)
            };
            return match S::TALL {
                (6, 4) => three::<S, 6, 4, CONJ, ACC>(simd, shape, parts, c, ahead),
                (6, 1) => three::<S, 6, 1, CONJ, ACC>(simd, shape, parts, c, ahead),
                _ => three::<S, 2, 1, CONJ, ACC>(simd, shape, parts, c, ahead),
            };
        }
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
                if row == 0 && b.next > 0 {
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
                simd.put(c.far, p, re[i][j]);
                simd.put(c.far, p.add(c.im), im[i][j]);
            }
        }
    }
}

/// A real matrix: entry (i, j) at `p + rows(i) + cols(j)`.
#[derive(Clone, Copy)]
struct Real {
    p: *const f32,
    rows: Axis,
    cols: Axis,
    /// Floats to what is used next, fetched ahead of time.
    next: usize,
}

impl Mat {
    fn real(self) -> Real {
        Real { p: self.re, rows: self.rows, cols: self.cols, next: self.next }
    }

    fn imag(self) -> Real {
        Real { p: self.re.wrapping_add(self.im), ..self.real() }
    }
}

/// The operands of the three real products: real parts, imaginary parts, and their sums, those of A their differences
/// if it is conjugated.
///
/// # Safety
/// As for [`cgemm`].
#[inline(always)]
unsafe fn parts<S: Simd, const CONJ: bool>(simd: S, s: Shape, a: Mat, b: Mat, sums: &mut [f32]) -> [[Real; 2]; 3] {
    assert!(sums.len() >= s.sums_len());
    let (first, second) = sums.split_at_mut(padded(s.m) * padded(s.k));
    let lanes = a.cols.step == 1;
    // Row by row of vectors.
    let (m, k, rows, cols) = if lanes { (s.m, s.k, a.rows, a.cols) } else { (s.k, s.m, a.cols, a.rows) };
    let width = padded(k);
    let mut to = first.as_mut_ptr();
    // SAFETY: vectors of A and B within their shapes, and as many of `sums`.
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
        // Panel by panel of 16 columns.
        let mut to = second.as_mut_ptr();
        for j in (0..s.n).step_by(LANES) {
            let mut p = b.re.add(b.cols.at(j));
            for _ in 0..s.k {
                simd.store(to, simd.add(simd.load(p), simd.load(p.add(b.im))));
                (p, to) = (p.wrapping_add(b.rows.step), to.add(LANES));
            }
        }
    }
    let (along, across) = (Axis::plain(1), Axis::plain(width));
    let (rows, cols) = if lanes { (across, along) } else { (along, across) };
    let a_sums = Real { p: first.as_ptr(), rows, cols, next: 0 };
    let b_sums = Real { p: second.as_ptr(), rows: Axis::plain(LANES), cols: Axis::lanes(LANES * s.k), next: 0 };
    [[a.real(), b.real()], [a.imag(), b.imag()], [a_sums, b_sums]]
}

fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// The product by three real ones of [`parts`].
///
/// # Safety
/// As for [`cgemm`].
#[inline(always)]
unsafe fn three<S: Simd, const MR: usize, const NR: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    s: Shape,
    parts: [[Real; 2]; 3],
    c: Mat,
    ahead: [&[f32]; 2],
) {
    // As much of what is ahead for each tile.
    let tiles = s.m.div_ceil(MR) * s.n.div_ceil(NR * LANES);
    let mut ahead = ahead.map(|floats| bring(simd, floats, tiles));
    let mut j = 0;
    while j < s.n {
        let wide = s.n - j >= NR * LANES;
        let mut i = 0;
        while i < s.m {
            ahead.iter_mut().for_each(|bring| bring());
            // SAFETY: tile (i, j) lies inside the matrices.
            unsafe {
                macro_rules! rows {
                    ($r:literal) => {{
                        if wide {
                            tile_of_three::<S, $r, NR, CONJ, ACC>(simd, s, (i, j), parts, c)
                        } else {
                            tile_of_three::<S, $r, 1, CONJ, ACC>(simd, s, (i, j), parts, c)
                        }
                        i += $r;
                    }};
                }
                // Branches above MR are never taken; MR is a constant, so they are not compiled.
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
unsafe fn tile_of_three<S: Simd, const M: usize, const N: usize, const CONJ: bool, const ACC: bool>(
    simd: S,
    Shape { k, real: is_real, .. }: Shape,
    (row, col): (usize, usize),
    [real, imag, both]: [[Real; 2]; 3],
    c: Mat,
) {
    // SAFETY: the caller's contract.
    unsafe {
        // They wait on the stack, so that C, which is far away, is written once.
        let mut waiting = [const { MaybeUninit::<[[S::V; N]; M]>::uninit() }; 3];
        let [first, second, third] = waiting.each_mut().map(|v| v.as_mut_ptr().cast::<S::V>());
        product::<S, M, N>(simd, k, (row, col), real, first);
        if !is_real {
            product::<S, M, N>(simd, k, (row, col), imag, second);
            product::<S, M, N>(simd, k, (row, col), both, third);
        }
        let zero = simd.splat(0.0);
        for i in 0..M {
            for j in 0..N {
                let p = c.re.add(c.rows.at(row + i) + c.cols.at(col) + j * c.cols.chunk);
                let at = i * N + j;
                let t = first.add(at).read();
                let (u, v) = if is_real { (zero, t) } else { (second.add(at).read(), third.add(at).read()) };
                let im = simd.sub(v, t);
                // Conjugated, the second real product changes its sign.
                let (mut re, mut im) =
                    if CONJ { (simd.add(t, u), simd.add(im, u)) } else { (simd.sub(t, u), simd.sub(im, u)) };
                if ACC {
                    (re, im) = (simd.add(re, simd.load(p)), simd.add(im, simd.load(p.add(c.im))));
                }
                simd.put(c.far, p, re);
                simd.put(c.far, p.add(c.im), im);
                if c.next > 0 && !c.far {
                    simd.prefetch(p.wrapping_add(c.next));
                    simd.prefetch(p.wrapping_add(c.next + c.im));
                }
            }
        }
    }
}

/// A tile of a real product, row by row to `out`. It is made in registers: an array that is returned may be written to memory
/// with each multiply-add instead, at half the speed.
///
/// # Safety
/// As for [`cgemm`]; M·N vectors must be writable at `out`.
#[inline(always)]
unsafe fn product<S: Simd, const M: usize, const N: usize>(
    simd: S,
    k: usize,
    (row, col): (usize, usize),
    [a, b]: [Real; 2],
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
            if a.next > 0 {
                for r in &rows {
                    simd.prefetch(r.wrapping_add(a.next));
                }
            }
            let mut at = 0;
            for _ in 0..chunk {
                let mut v = [simd.splat(0.0); N];
                for j in 0..N {
                    v[j] = simd.load(bp.add(j * b.cols.chunk));
                }
                if row == 0 && b.next > 0 {
                    for j in 0..N {
                        simd.prefetch(bp.wrapping_add(b.next + j * b.cols.chunk));
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
                    for (first, q, next) in [(j == 0, qa, a.next), (i == 0, qb, b.next)] {
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
    use super::super::super::scratch::Scratch;
    use super::super::super::simd::{Isa, Kernel, dispatch};
    use super::*;

    /// Both ways of multiplying, against the definition in f64: A as it lies or transposed, conjugated or not, C fresh
    /// or added to.
    struct Check {
        shape: Shape,
        transposed: bool,
        three: bool,
    }

    impl Check {
        fn check<S: Simd, const CONJ: bool, const ACC: bool>(&self, simd: S) {
            let Shape { m, k, n, real } = self.shape;
            let value = |i: usize| ((i * 7919 + 13) % 211) as f32 / 105.0 - 1.0;
            let fill = |len: usize, from: usize| {
                let mut s = Scratch::take(len);
                s.iter_mut().enumerate().for_each(|(i, v)| {
                    *v = if real && i / LANES % 2 == 1 { 0.0 } else { value(i + from) };
                });
                s
            };
            // Rows of vectors: 16 real parts, 16 imaginary parts.
            let matrix = |s: &mut Scratch, width: usize| Mat {
                re: s.as_mut_ptr(),
                im: LANES,
                rows: Axis::plain(2 * width),
                cols: Axis::lanes(2 * LANES),
                next: 0,
                far: false,
            };
            let (high, wide) = if self.transposed { (k, padded(m)) } else { (m, padded(k)) };
            let (mut a, mut b, mut c) = (fill(2 * high * wide, 1), fill(2 * k * n, 2), fill(2 * m * n, 3));
            let mut sums = Scratch::take(if self.three { self.shape.sums_len() } else { 0 });
            assert_eq!(self.three, !sums.is_empty());
            let (am, bm, cm) = (matrix(&mut a, wide), matrix(&mut b, n), matrix(&mut c, n));
            let am = if self.transposed { am.t() } else { am };
            // SAFETY: entries within the three buffers.
            let entry = |x: Mat, i: usize, j: usize| unsafe {
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
            // SAFETY: the matrices have these shapes, of whole vectors.
            unsafe { cgemm::<S, CONJ, ACC>(simd, self.shape, am, bm, cm, &mut sums, [&[]; 2]) };
            for (at, (re, im)) in want.into_iter().enumerate() {
                let got = entry(cm, at / n, at % n);
                let off = (got.0 - re).abs().max((got.1 - im).abs());
                assert!(off < 2e-6 * k as f64, "entry {at}: {got:?} against {re}, {im}");
            }
        }
    }

    impl Kernel for Check {
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
                        dispatch(isa, Check { shape: Shape { m, k, n, real }, transposed, three });
                    }
                }
            }
            for (m, k, n) in [(1, 1, 16), (5, 30, 32), (6, 15, 16)] {
                dispatch(isa, Check { shape: Shape { m, k, n, real: false }, transposed: false, three: false });
            }
        }
    }
}
