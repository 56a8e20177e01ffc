//! The register-blocked micro-kernels of direct convolution.

#![allow(clippy::needless_range_loop)] // tiles of registers, indexed alike

use crate::kernels::simd::{LANES, Simd};

/// Computes `out[m][q] = Σ_k weights[k][m] · x[offsets[k] + q]` for `m < rows` and `q < span`. The rows are broadcast
/// weights, and the vectors are positions.
///
/// # Safety
/// `x + offsets[k] + q` must be readable for every k and every q < span. `weights` must hold a block of
/// `offsets.len() · r` floats for each block of r rows in [`RowBlocks`]. `out` must be writable at `m·pitch + q`.
/// `span` must be a multiple of [`LANES`].
#[inline(always)]
pub unsafe fn correlate<S: Simd>(
    simd: S,
    (rows, span): (usize, usize),
    weights: *const f32,
    offsets: &[isize],
    x: *const f32,
    out: *mut f32,
    pitch: usize,
) {
    // The outermost loop runs over vectors of positions, so that their operands stay in the first-level cache for all
    // rows.
    let mut q = 0;
    while q < span {
        let vectors = ((span - q) / LANES).min(S::PACKED_TILE.1);
        let mut w = weights;
        for (m, size) in RowBlocks::new(rows, S::PACKED_TILE.0) {
            // SAFETY: the caller's contract.
            unsafe {
                let (x, out) = (x.add(q), out.add(m * pitch + q));
                macro_rules! tile {
                    ($m:literal) => {
                        match vectors {
                            3 => correlate_tile::<S, $m, 3>(simd, w, offsets, x, out, pitch),
                            2 => correlate_tile::<S, $m, 2>(simd, w, offsets, x, out, pitch),
                            _ => correlate_tile::<S, $m, 1>(simd, w, offsets, x, out, pitch),
                        }
                    };
                }
                match size {
                    8 => tile!(8),
                    6 => tile!(6),
                    4 => tile!(4),
                    2 => tile!(2),
                    _ => tile!(1),
                }
                w = w.add(size * offsets.len());
            }
        }
        q += vectors * LANES;
    }
}

/// Divides rows into blocks of 8, 6, 4, 2 and 1, the largest first.
pub struct RowBlocks {
    at: usize,
    rows: usize,
    size: usize,
}

impl RowBlocks {
    /// Blocks of at most `largest` rows, which must be one of the sizes.
    pub fn new(rows: usize, largest: usize) -> Self {
        Self { at: 0, rows, size: largest }
    }
}

impl Iterator for RowBlocks {
    type Item = (usize, usize);
    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize)> {
        if self.at == self.rows {
            return None;
        }
        while self.size > self.rows - self.at {
            self.size = if self.size == 6 { 4 } else { self.size / 2 };
        }
        let at = self.at;
        self.at += self.size;
        Some((at, self.size))
    }
}

#[inline(always)]
unsafe fn correlate_tile<S: Simd, const M: usize, const N: usize>(
    simd: S,
    weights: *const f32,
    offsets: &[isize],
    x: *const f32,
    out: *mut f32,
    pitch: usize,
) {
    let mut sum = [[simd.splat(0.0); N]; M];
    // SAFETY: the contract of `correlate`.
    unsafe {
        let mut w = weights;
        for &offset in offsets {
            let p = x.offset(offset);
            let mut b = [simd.splat(0.0); N];
            for (j, b) in b.iter_mut().enumerate() {
                *b = simd.load(p.add(j * LANES));
            }
            for m in 0..M {
                let a = simd.splat(*w.add(m));
                for j in 0..N {
                    sum[m][j] = simd.fma(a, b[j], sum[m][j]);
                }
            }
            w = w.add(M);
        }
        for m in 0..M {
            for j in 0..N {
                simd.store(out.add(m * pitch + j * LANES), sum[m][j]);
            }
        }
    }
}

/// Computes `out[q] = Σ_k weights[k] · x[offsets[k] + q]` for `q < span`. With a single row, as many vectors of
/// positions are computed at a time as hide the latency of a multiply-add.
///
/// # Safety
/// `x + offsets[k] + q` must be readable and `out + q` writable for every k and every q < span, which must be a
/// multiple of [`LANES`].
#[inline(always)]
pub unsafe fn correlate_row<S: Simd>(
    simd: S,
    span: usize,
    weights: &[f32],
    offsets: &[isize],
    x: *const f32,
    out: *mut f32,
) {
    let mut q = 0;
    while q < span {
        let vectors = (span - q) / LANES;
        // SAFETY: the caller's contract.
        q += LANES
            * unsafe {
                let (x, out) = (x.add(q), out.add(q));
                match vectors {
                    // Accumulators that are spilled from the registers cost more than the latency that they hide.
                    6.. if !S::EIGHT_ACCUMULATORS => correlate_row_tile::<S, 6>(simd, weights, offsets, x, out),
                    8.. => correlate_row_tile::<S, 8>(simd, weights, offsets, x, out),
                    4.. => correlate_row_tile::<S, 4>(simd, weights, offsets, x, out),
                    3 => correlate_row_tile::<S, 3>(simd, weights, offsets, x, out),
                    2 => correlate_row_tile::<S, 2>(simd, weights, offsets, x, out),
                    _ => correlate_row_tile::<S, 1>(simd, weights, offsets, x, out),
                }
            };
    }
}

/// Computes `N` vectors of [`correlate_row`]. Returns N.
#[inline(always)]
unsafe fn correlate_row_tile<S: Simd, const N: usize>(
    simd: S,
    weights: &[f32],
    offsets: &[isize],
    x: *const f32,
    out: *mut f32,
) -> usize {
    let mut sum = [simd.splat(0.0); N];
    // SAFETY: the contract of `correlate_row`.
    unsafe {
        for (&w, &offset) in weights.iter().zip(offsets) {
            let (w, p) = (simd.splat(w), x.offset(offset));
            for j in 0..N {
                sum[j] = simd.fma(simd.load(p.add(j * LANES)), w, sum[j]);
            }
        }
        for j in 0..N {
            simd.store(out.add(j * LANES), sum[j]);
        }
    }
    N
}

/// Computes `sums[i][v] += Σ_q x[offsets[i] + q] · dy[q][v]` for all offsets i, v < width and q < span. The rows are
/// addresses, and the vectors are output channels.
///
/// # Safety
/// `x + offsets[i] + q` must be readable, `dy` readable at `q·width + v`, and `sums` writable at `i·width + v`. `width`
/// must be a multiple of [`LANES`].
#[inline(always)]
pub unsafe fn outer<S: Simd>(
    simd: S,
    span: usize,
    offsets: &[isize],
    x: *const f32,
    dy: *const f32,
    sums: *mut f32,
    width: usize,
) {
    let mut v = 0;
    while v < width {
        let vectors = match ((width - v) / LANES).min(S::STRIDED_TILE.1) {
            3 => 2,
            n => n,
        };
        let mut i = 0;
        while i < offsets.len() {
            let rows = match (offsets.len() - i).min(S::STRIDED_TILE.0) {
                5 => 4,
                n => n,
            };
            // SAFETY: the caller's contract.
            unsafe {
                let (o, dy, sums) = (&offsets[i..i + rows], dy.add(v), sums.add(i * width + v));
                macro_rules! tile {
                    ($m:literal) => {
                        match vectors {
                            4 => outer_tile::<S, $m, 4>(simd, span, o, x, dy, sums, width),
                            2 => outer_tile::<S, $m, 2>(simd, span, o, x, dy, sums, width),
                            _ => outer_tile::<S, $m, 1>(simd, span, o, x, dy, sums, width),
                        }
                    };
                }
                match rows {
                    6 => tile!(6),
                    4 => tile!(4),
                    3 => tile!(3),
                    2 => tile!(2),
                    _ => tile!(1),
                }
            }
            i += rows;
        }
        v += vectors * LANES;
    }
}

#[inline(always)]
unsafe fn outer_tile<S: Simd, const M: usize, const N: usize>(
    simd: S,
    span: usize,
    offsets: &[isize],
    x: *const f32,
    dy: *const f32,
    sums: *mut f32,
    width: usize,
) {
    // SAFETY: the contract of `outer`.
    unsafe {
        let mut rows = [x; M];
        let mut sum = [[simd.splat(0.0); N]; M];
        for m in 0..M {
            rows[m] = x.offset(offsets[m]);
            for j in 0..N {
                sum[m][j] = simd.load(sums.add(m * width + j * LANES));
            }
        }
        for q in 0..span {
            let p = dy.add(q * width);
            let mut b = [simd.splat(0.0); N];
            for (j, b) in b.iter_mut().enumerate() {
                *b = simd.load(p.add(j * LANES));
            }
            for m in 0..M {
                let a = simd.splat(*rows[m].add(q));
                for j in 0..N {
                    sum[m][j] = simd.fma(a, b[j], sum[m][j]);
                }
            }
        }
        for m in 0..M {
            for j in 0..N {
                simd.store(sums.add(m * width + j * LANES), sum[m][j]);
            }
        }
    }
}

/// Adds `Σ_q x[offsets[i] + q] · dy[q]` to `sums[i]`, with vectors along the positions: for a single output channel.
///
/// # Safety
/// `x + offsets[i] + q` and `dy + q` must be readable for q < span, which must be a multiple of [`LANES`]. `sums` must
/// hold a vector of partial sums for each offset.
#[inline(always)]
pub unsafe fn dots<S: Simd>(simd: S, span: usize, offsets: &[isize], x: *const f32, dy: *const f32, sums: *mut f32) {
    // SAFETY: the caller's contract.
    unsafe {
        if S::EIGHT_ACCUMULATORS {
            dots_by::<S, 8>(simd, span, offsets, x, dy, sums);
        } else {
            dots_by::<S, 6>(simd, span, offsets, x, dy, sums);
        }
    }
}

/// Computes [`dots`] for `M` offsets at a time.
#[inline(always)]
unsafe fn dots_by<S: Simd, const M: usize>(
    simd: S,
    span: usize,
    offsets: &[isize],
    x: *const f32,
    dy: *const f32,
    sums: *mut f32,
) {
    for (i, o) in offsets.chunks(M).enumerate() {
        // SAFETY: the contract of `dots`.
        unsafe {
            let mut sum = [simd.splat(0.0); M];
            let mut rows = [x; M];
            for (m, &o) in o.iter().enumerate() {
                rows[m] = x.offset(o);
                sum[m] = simd.load(sums.add((i * M + m) * LANES));
            }
            let tail = rows[0];
            rows[o.len()..].fill(tail);
            for q in (0..span).step_by(LANES) {
                let b = simd.load(dy.add(q));
                for m in 0..M {
                    sum[m] = simd.fma(simd.load(rows[m].add(q)), b, sum[m]);
                }
            }
            for m in 0..o.len() {
                simd.store(sums.add((i * M + m) * LANES), sum[m]);
            }
        }
    }
}
