//! Convolution tap by tap, a row at a time: every row of a plane, shifted and scaled, is added
//! to a row of another. Good for few taps and any geometry.

use super::Gradients;
use super::simd::{Isa, Kernel, LANES, Simd, dispatch};
use crate::ConvGeometry;
use rayon::prelude::*;

/// Output positions p of one axis (a range) with `0 ≤ p·stride + offset < n`.
pub fn overlap(n: usize, out: usize, stride: usize, offset: i32) -> std::ops::Range<usize> {
    let (n, s, o) = (n as i64, stride as i64, i64::from(offset));
    let first = (-o).max(0).div_euclid(s) + i64::from((-o).max(0).rem_euclid(s) != 0);
    let end = if n - o <= 0 { 0 } else { (n - 1 - o) / s + 1 };
    let end = end.clamp(0, out as i64) as usize;
    (first as usize).min(end)..end
}

/// `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let isa = Isa::current();
    let plane = g.output()[0] * g.output()[1];
    y.par_chunks_mut(plane).enumerate().for_each(|(i, y)| {
        let (n, o) = (i / g.c_out, i % g.c_out);
        y.fill(bias.map_or(0.0, |b| b[o]));
        dispatch(isa, Plane { g, x, w, n, o, y });
    });
}

/// The gradients of [`forward`].
pub fn backward(g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    let isa = Isa::current();
    if let Some(db) = grads.bias {
        super::bias_gradient(g, dy, db);
    }
    if let Some(dx) = grads.x {
        dx.par_chunks_mut(g.input[0] * g.input[1]).enumerate().for_each(|(i, dx)| {
            let (n, c) = (i / g.c_in, i % g.c_in);
            dx.fill(0.0);
            dispatch(isa, PlaneGradient { g, w, dy, n, c, dx });
        });
    }
    if let Some(dw) = grads.w {
        dw.par_chunks_mut(g.taps.len()).enumerate().for_each(|(i, dw)| {
            let (o, c) = (i / g.c_in_per_group(), i % g.c_in_per_group());
            dispatch(isa, WeightGradient { g, x, dy, o, c, dw });
        });
    }
}

/// Calls `f(x row start, y row start, length)` for each pair of rows that a tap joins, as
/// positions within their planes.
#[inline(always)]
fn for_each_row(g: &ConvGeometry, [dr, dc]: [i32; 2], mut f: impl FnMut(usize, usize, usize)) {
    let [oh, ow] = g.output();
    let rows = overlap(g.input[0], oh, g.stride[0], dr);
    let cols = overlap(g.input[1], ow, g.stride[1], dc);
    if cols.is_empty() {
        return;
    }
    for r in rows {
        // Within the input, by `overlap`.
        let row = (r * g.stride[0]) as i64 + i64::from(dr);
        let col = (cols.start * g.stride[1]) as i64 + i64::from(dc);
        f(row as usize * g.input[1] + col as usize, r * ow + cols.start, cols.len());
    }
}

struct Plane<'a> {
    g: &'a ConvGeometry,
    x: &'a [f32],
    w: &'a [f32],
    n: usize,
    o: usize,
    y: &'a mut [f32],
}

impl Kernel for Plane<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let g = self.g;
        let (ci, step) = (g.c_in_per_group(), g.stride[1]);
        let plane = g.input[0] * g.input[1];
        let first = self.o / g.c_out_per_group() * ci;
        for c in 0..ci {
            let x = &self.x[(self.n * g.c_in + first + c) * plane..][..plane];
            let w = &self.w[(self.o * ci + c) * g.taps.len()..][..g.taps.len()];
            for (&offset, &w) in g.taps.offsets().iter().zip(w) {
                for_each_row(g, offset, |xi, yi, len| {
                    let y = &mut self.y[yi..yi + len];
                    if step == 1 {
                        y.iter_mut().zip(&x[xi..xi + len]).for_each(|(y, x)| *y += w * x);
                    } else {
                        y.iter_mut().zip(x[xi..].iter().step_by(step)).for_each(|(y, x)| *y += w * x);
                    }
                });
            }
        }
    }
}

struct PlaneGradient<'a> {
    g: &'a ConvGeometry,
    w: &'a [f32],
    dy: &'a [f32],
    n: usize,
    c: usize,
    dx: &'a mut [f32],
}

impl Kernel for PlaneGradient<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let g = self.g;
        let (ci, co, step) = (g.c_in_per_group(), g.c_out_per_group(), g.stride[1]);
        let plane = g.output()[0] * g.output()[1];
        for o in self.c / ci * co..(self.c / ci + 1) * co {
            let dy = &self.dy[(self.n * g.c_out + o) * plane..][..plane];
            let w = &self.w[(o * ci + self.c % ci) * g.taps.len()..][..g.taps.len()];
            for (&offset, &w) in g.taps.offsets().iter().zip(w) {
                for_each_row(g, offset, |xi, yi, len| {
                    let dy = &dy[yi..yi + len];
                    if step == 1 {
                        self.dx[xi..xi + len].iter_mut().zip(dy).for_each(|(x, y)| *x += w * y);
                    } else {
                        self.dx[xi..].iter_mut().step_by(step).zip(dy).for_each(|(x, y)| *x += w * y);
                    }
                });
            }
        }
    }
}

struct WeightGradient<'a> {
    g: &'a ConvGeometry,
    x: &'a [f32],
    dy: &'a [f32],
    o: usize,
    c: usize,
    dw: &'a mut [f32],
}

impl Kernel for WeightGradient<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let g = self.g;
        let step = g.stride[1];
        let (px, py) = (g.input[0] * g.input[1], g.output()[0] * g.output()[1]);
        let channel = self.o / g.c_out_per_group() * g.c_in_per_group() + self.c;
        for (&offset, dw) in g.taps.offsets().iter().zip(self.dw.iter_mut()) {
            // A sum for each lane, added up at the end: vectorisable and more accurate.
            let mut sums = [0f32; LANES];
            for n in 0..g.batch {
                let x = &self.x[(n * g.c_in + channel) * px..][..px];
                let dy = &self.dy[(n * g.c_out + self.o) * py..][..py];
                for_each_row(g, offset, |xi, yi, len| {
                    let dy = &dy[yi..yi + len];
                    if step == 1 {
                        let x = &x[xi..xi + len];
                        let (xc, yc) = (x.chunks_exact(LANES), dy.chunks_exact(LANES));
                        let (xr, yr) = (xc.remainder(), yc.remainder());
                        for (x, y) in xc.zip(yc) {
                            (0..LANES).for_each(|i| sums[i] += x[i] * y[i]);
                        }
                        xr.iter().zip(yr).enumerate().for_each(|(i, (x, y))| sums[i] += x * y);
                    } else {
                        let x = x[xi..].iter().step_by(step);
                        x.zip(dy).enumerate().for_each(|(i, (x, y))| sums[i % LANES] += x * y);
                    }
                });
            }
            *dw = sums.iter().sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn overlap_is_exactly_the_positions_that_read_inside() {
        for (n, s) in [(1, 1), (5, 1), (5, 2), (6, 3), (7, 4), (3, 5)] {
            for offset in -8..=8i32 {
                let out = usize::div_ceil(n, s);
                let inside = |p: usize| (0..n as i64).contains(&((p * s) as i64 + i64::from(offset)));
                let got = overlap(n, out, s, offset);
                for p in 0..out {
                    assert_eq!(got.contains(&p), inside(p), "n {n} stride {s} offset {offset} p {p}");
                }
            }
        }
    }
}
