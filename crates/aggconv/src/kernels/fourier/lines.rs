//! Row transforms: from planes in memory to half spectra of their rows, and back.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch};
use super::fft::View;
use super::taps::join;
use super::{Lanes, Setup, padded};
use rayon::prelude::*;

/// The planes of some channels, as a matrix whose columns go to vector lanes.
#[derive(Debug, Clone, Copy)]
pub struct Planes {
    lanes: Lanes,
    total: usize,
    start: usize,
    /// Rows of the matrix: samples, or channels if samples are in the lanes.
    pub rows: usize,
    /// Columns of the matrix.
    pub cols: usize,
}

impl Planes {
    /// Channels `start .. start + len` of `total`.
    pub fn new(lanes: Lanes, batch: usize, total: usize, start: usize, len: usize) -> Self {
        let (rows, cols) = match lanes {
            Lanes::Channels => (batch, len),
            Lanes::Samples => (len, batch),
        };
        Self { lanes, total, start, rows, cols }
    }

    /// Columns, padded to whole vectors.
    pub fn width(&self) -> usize {
        padded(self.cols)
    }

    /// All entries, padding included.
    pub fn size(&self) -> usize {
        self.rows * self.width()
    }

    /// The vector of planes at an entry (a multiple of [`LANES`]): the first plane, how many there
    /// are, from one plane to the next, the first channel and from one channel to the next.
    fn vector(&self, entry: usize) -> Vector {
        let (row, col) = (entry / self.width(), entry % self.width());
        let count = (self.cols - col).min(LANES);
        match self.lanes {
            Lanes::Channels => Vector {
                first: row * self.total + self.start + col,
                count,
                step: 1,
                channel: self.start + col,
                next: 1,
            },
            Lanes::Samples => {
                let first = col * self.total + self.start + row;
                Vector { first, count, step: self.total, channel: self.start + row, next: 0 }
            }
        }
    }
}

/// Planes `first + i·step` for i < count, of channels `channel + i·next`.
struct Vector {
    first: usize,
    count: usize,
    step: usize,
    channel: usize,
    next: usize,
}

/// Half spectra of the rows of planes: for column frequency `b` and row `r`, for each vector of
/// entries 16 real parts, then 16 imaginary parts.
pub struct LineSet {
    /// The planes.
    pub planes: Planes,
    /// Rows and columns in memory.
    pub shape: [usize; 2],
    /// Where they lie on the full grid.
    pub stride: [usize; 2],
    bins: usize,
}

impl LineSet {
    /// Lines of planes of `shape`, element i at grid position i·stride.
    pub fn new(s: &Setup, planes: Planes, shape: [usize; 2], stride: [usize; 2]) -> Self {
        Self { planes, shape, stride, bins: s.bins() }
    }

    /// Floats from one row to the next; a vector more than the entries, lest all rows compete for
    /// the same cache sets.
    pub fn row_stride(&self) -> usize {
        2 * self.planes.size() + 2 * LANES
    }

    /// Floats from one frequency to the next.
    pub fn bin_stride(&self) -> usize {
        self.shape[0] * self.row_stride()
    }

    /// Floats in all.
    pub fn len(&self) -> usize {
        self.bins * self.bin_stride()
    }

    /// (first entry, row) of a line; lines are numbered by vector of entries, then row.
    fn line(&self, i: usize) -> (usize, usize) {
        (i / self.shape[0] * LANES, i % self.shape[0])
    }

    fn lines(&self) -> usize {
        self.planes.size() / LANES * self.shape[0]
    }

    /// Asks for the places of a pair of lines to be brought near: they are far apart, so no
    /// hardware prefetcher sees them coming.
    #[inline(always)]
    fn prefetch<S: Simd>(&self, simd: S, lines: *const f32, pair: usize) {
        for line in 2 * pair..self.lines().min(2 * pair + 2) {
            let (e, r) = self.line(line);
            for k in 0..self.bins {
                let p = lines.wrapping_add(k * self.bin_stride() + r * self.row_stride() + 2 * e);
                simd.prefetch(p);
                simd.prefetch(p.wrapping_add(LANES));
            }
        }
    }

    /// Splits the pairs of lines into tasks and runs `f(first pair, last pair)` on each.
    fn in_parallel(&self, f: impl Fn(usize, usize) + Sync + Send) {
        let pairs = self.lines().div_ceil(2);
        let chunk = pairs.div_ceil(64).max(4);
        (0..pairs.div_ceil(chunk)).into_par_iter().for_each(|i| f(i * chunk, pairs.min((i + 1) * chunk)));
    }

    /// Row transforms of the planes, times 2, to `out`.
    pub fn analyse(&self, s: &Setup, x: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), self.len());
        let out = Shared::new(out);
        self.in_parallel(|from, to| dispatch(s.isa, Analyse { set: self, s, x, out, from, to }));
    }

    /// Inverse row transforms: `planes = scale · lines + bias`, cropped to the planes' shape.
    pub fn synthesise(&self, s: &Setup, lines: &[f32], scale: f32, bias: Option<&[f32]>, y: &mut [f32]) {
        assert_eq!(lines.len(), self.len());
        let y = Shared::new(y);
        self.in_parallel(|from, to| dispatch(s.isa, Synthesise { set: self, s, lines, scale, bias, y, from, to }));
    }
}

struct Analyse<'a> {
    set: &'a LineSet,
    s: &'a Setup,
    x: &'a [f32],
    out: Shared,
    from: usize,
    to: usize,
}

impl Kernel for Analyse<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (set, plan) = (self.set, &self.s.rows);
        let [h, w] = set.shape;
        let step = set.stride[1];
        let used = (w - 1) * step + 1;
        let n = plan.len();
        let mut buf = Scratch::take(2 * used * LANES + 2 * n * LANES + plan.scratch_len());
        let (input, rest) = buf.split_at_mut(2 * used * LANES);
        let (spectrum, work) = rest.split_at_mut(2 * n * LANES);
        input.fill(0.0);
        for pair in self.from..self.to {
            for side in 0..2 {
                let t = &mut input[side * used * LANES..][..used * LANES];
                if 2 * pair + side >= set.lines() {
                    t.fill(0.0);
                    continue;
                }
                let (entry, row) = set.line(2 * pair + side);
                let v = set.planes.vector(entry);
                for i in (0..w).step_by(LANES) {
                    let n = LANES.min(w - i);
                    let mut rows = [simd.splat(0.0); LANES];
                    for (lane, r) in rows.iter_mut().enumerate().take(v.count) {
                        let src = &self.x[((v.first + lane * v.step) * h + row) * w + i..][..n];
                        // SAFETY: `src` holds n floats.
                        *r = unsafe {
                            if n == LANES { simd.load(src.as_ptr()) } else { simd.load_some(src.as_ptr(), n) }
                        };
                    }
                    for (j, c) in simd.transpose(rows).into_iter().enumerate().take(n) {
                        // SAFETY: (w − 1)·step < used, and `t` holds `used` vectors.
                        unsafe { simd.store(t.as_mut_ptr().add((i + j) * step * LANES), c) };
                    }
                }
            }
            // SAFETY: the start of `out`.
            set.prefetch(simd, unsafe { self.out.at(0) }, pair);
            // Two real signals make one complex signal: z = a + ib.
            let re = input.as_mut_ptr();
            let src = View { re, im: re.wrapping_add(used * LANES), stride: LANES };
            // SAFETY: `input` holds `used` elements of both parts, `spectrum` n, `work` what the
            // plan asks for; they are disjoint parts of `buf`.
            unsafe { plan.run(simd, src, used, View::packed(spectrum.as_mut_ptr()), work.as_mut_ptr()) };
            for k in 0..set.bins {
                // SAFETY: k and n − k (mod n) are below n. The two lines' places in `out`
                // belong to this pair alone and lie within it, since `out` has `set.len()` floats.
                unsafe {
                    let z = spectrum.as_ptr().add(2 * LANES * k);
                    let c = spectrum.as_ptr().add(2 * LANES * ((n - k) % n));
                    let (zr, zi) = (simd.load(z), simd.load(z.add(LANES)));
                    let (cr, ci) = (simd.load(c), simd.load(c.add(LANES)));
                    let (e, r) = set.line(2 * pair);
                    let p = self.out.at(k * set.bin_stride() + r * set.row_stride() + 2 * e);
                    simd.store(p, simd.add(zr, cr));
                    simd.store(p.add(LANES), simd.sub(zi, ci));
                    if 2 * pair + 1 < set.lines() {
                        let (e, r) = set.line(2 * pair + 1);
                        let p = self.out.at(k * set.bin_stride() + r * set.row_stride() + 2 * e);
                        simd.store(p, simd.add(zi, ci));
                        simd.store(p.add(LANES), simd.sub(cr, zr));
                    }
                }
            }
        }
    }
}

struct Synthesise<'a> {
    set: &'a LineSet,
    s: &'a Setup,
    lines: &'a [f32],
    scale: f32,
    bias: Option<&'a [f32]>,
    y: Shared,
    from: usize,
    to: usize,
}

impl Kernel for Synthesise<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (set, plan) = (self.set, &self.s.rows);
        let [h, w] = set.shape;
        let n = plan.len();
        let mut buf = Scratch::take(4 * n * LANES + plan.scratch_len());
        let (spectrum, rest) = buf.split_at_mut(2 * n * LANES);
        let (signal, work) = rest.split_at_mut(2 * n * LANES);
        for pair in self.from..self.to {
            let both = 2 * pair + 1 < set.lines();
            for k in 0..set.bins {
                // SAFETY: the lines lie within `self.lines` (length asserted), k and n − k below n.
                unsafe {
                    let at = |line: usize| {
                        let (e, r) = set.line(line);
                        let p = self.lines.as_ptr().add(k * set.bin_stride() + r * set.row_stride() + 2 * e);
                        (simd.load(p), simd.load(p.add(LANES)))
                    };
                    let (ar, ai) = at(2 * pair);
                    let (br, bi) = if both { at(2 * pair + 1) } else { (simd.splat(0.0), simd.splat(0.0)) };
                    join(simd, n, k, (ar, ai), (br, bi), spectrum);
                }
            }
            set.prefetch(simd, self.lines.as_ptr(), pair + 1);
            let src = View::packed(spectrum.as_mut_ptr()).swapped();
            let dst = View::packed(signal.as_mut_ptr()).swapped();
            // SAFETY: three disjoint parts of `buf`, of the lengths that the plan asks for.
            unsafe { plan.run(simd, src, n, dst, work.as_mut_ptr()) };
            for side in 0..if both { 2 } else { 1 } {
                let (entry, row) = set.line(2 * pair + side);
                let v = set.planes.vector(entry);
                let mut bias = [0f32; LANES];
                if let Some(b) = self.bias {
                    bias.iter_mut().take(v.count).enumerate().for_each(|(i, x)| *x = b[v.channel + i * v.next]);
                }
                let step = set.stride[1] * 2 * LANES;
                // SAFETY: `bias` holds 16 floats; positions below w lie on the transform's grid;
                // row `row` of the vector's planes lies within `y` and belongs to this line.
                unsafe {
                    let (scale, bias) = (simd.splat(self.scale), simd.load(bias.as_ptr()));
                    let from = signal.as_ptr().add(side * LANES);
                    for i in (0..w).step_by(LANES) {
                        let n = LANES.min(w - i);
                        let mut rows = [bias; LANES];
                        for (j, r) in rows.iter_mut().enumerate().take(n) {
                            *r = simd.fma(simd.load(from.add((i + j) * step)), scale, bias);
                        }
                        for (lane, r) in simd.transpose(rows).into_iter().enumerate().take(v.count) {
                            let to = self.y.at(((v.first + lane * v.step) * h + row) * w + i);
                            if n == LANES { simd.store(to, r) } else { simd.store_some(to, r, n) }
                        }
                    }
                }
            }
        }
    }
}
