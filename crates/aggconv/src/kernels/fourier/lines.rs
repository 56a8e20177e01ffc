//! Row transforms: from planes in memory to half spectra of their rows, and back.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch, load_rows, store_rows};
use super::{Lanes, Setup, padded, real};
use rayon::prelude::*;
use std::ops::Range;

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

/// Floats that stay in the caches from one step to the next (4 MiB).
pub const FAR: usize = if cfg!(test) { 1 << 12 } else { 1 << 20 }; // small: so that tests have both

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

    /// Whether they are too many to stay in the caches until they are read.
    #[inline(always)]
    pub fn far(&self) -> bool {
        self.len() > FAR
    }

    /// (first entry, row) of a line; lines are numbered by vector of entries, then row.
    fn line(&self, i: usize) -> (usize, usize) {
        (i / self.shape[0] * LANES, i % self.shape[0])
    }

    fn lines(&self) -> usize {
        self.planes.size() / LANES * self.shape[0]
    }

    /// Floats from the start of the lines to line `i` at frequency `k`.
    #[inline(always)]
    fn place(&self, i: usize, k: usize) -> usize {
        let (entry, row) = self.line(i);
        k * self.bin_stride() + row * self.row_stride() + 2 * entry
    }

    /// Asks for the places of some lines, if there are such, to be brought near, some with each of `times` calls: they are
    /// far apart, so no hardware prefetcher sees them coming, and all at once would be waited for.
    #[inline(always)]
    fn bring<S: Simd>(&self, simd: S, lines: *const f32, which: Range<usize>, times: usize) -> impl FnMut() {
        let count = which.len().min(self.lines().saturating_sub(which.start));
        let first = lines.wrapping_add(self.place(which.start, 0));
        let next = self.place(which.start + 1, 0).wrapping_sub(self.place(which.start, 0));
        let (each, end) = (self.bins.div_ceil(times.max(1)), if count > 0 { self.bins } else { 0 });
        let (mut k, stride) = (0, self.bin_stride());
        move || {
            for _ in 0..each {
                if k < end {
                    for i in 0..count {
                        let p = first.wrapping_add(k * stride).wrapping_add(i.wrapping_mul(next));
                        simd.prefetch(p);
                        simd.prefetch(p.wrapping_add(LANES));
                    }
                    k += 1;
                }
            }
        }
    }

    /// Lines of a pair.
    fn sides(&self, pair: usize) -> usize {
        2.min(self.lines() - 2 * pair)
    }

    /// Splits the pairs of lines into tasks and runs `f(first pair, last pair)` on each.
    fn in_parallel(&self, f: impl Fn(usize, usize) + Sync + Send) {
        let pairs = self.lines().div_ceil(2);
        let chunk = pairs.div_ceil(64).max(4);
        // Each thread takes the next when it is done with one.
        (0..pairs.div_ceil(chunk)).par_bridge().for_each(|i| f(i * chunk, pairs.min((i + 1) * chunk)));
    }

    /// Row transforms of the planes, times 2, to `out`.
    pub fn analyse(&self, s: &Setup, x: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), self.len());
        let out = Shared::new(out);
        self.in_parallel(|from, to| dispatch(s.isa, Analyse { set: self, s, x, out, from, to }));
    }

    /// Adds the sums of the planes' elements, which are half of their frequency 0, to those of their channels.
    pub fn add_sums(&self, lines: &[f32], sums: &mut [f64]) {
        for i in 0..self.lines() {
            let v = self.planes.vector(self.line(i).0);
            let values = &lines[self.place(i, 0)..][..v.count];
            values.iter().enumerate().for_each(|(j, x)| sums[v.channel + j * v.next] += 0.5 * f64::from(*x));
        }
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
        let (w, step) = (set.shape[1], set.stride[1]);
        let used = (w - 1) * step + 1;
        let mut buffer = if step == 1 {
            Scratch::take(real::buffer_len::<S>(plan))
        } else {
            // What lies between the elements stays 0.
            let mut buffer = Scratch::take(real::buffer_len_apart::<S>(plan, used));
            buffer.fill(0.0);
            buffer
        };
        for pair in self.from..self.to {
            // SAFETY: the pair's places in `out` belong to it alone and lie within, since `out` has `set.len()` floats.
            let place = |side: usize, k: usize| unsafe { self.out.at(set.place(2 * pair + side, k)) };
            let sizes = (used, set.sides(pair));
            // SAFETY: a buffer of the length asked for, and the places.
            unsafe {
                // Closures that are inlined are compiled for the instructions they are made of.
                real::forward(
                    simd,
                    plan,
                    sizes,
                    (1.0, set.far()),
                    &mut buffer,
                    #[inline(always)]
                    |side, t| self.fill(simd, 2 * pair + side, t),
                    place,
                    #[inline(always)]
                    |sides| self.bring(simd, 2 * pair + sides.start..2 * pair + sides.end, plan.butterflies()),
                );
            }
        }
        simd.fence();
    }
}

impl Analyse<'_> {
    /// The elements of a line, where the transform reads them.
    #[inline(always)]
    fn fill<S: Simd>(&self, simd: S, line: usize, t: &mut [f32]) {
        let set = self.set;
        let ([h, w], step) = (set.shape, set.stride[1]);
        assert!(t.len() > (w - 1) * step * LANES);
        let (entry, row) = set.line(line);
        let v = set.planes.vector(entry);
        for i in (0..w).step_by(LANES) {
            let n = LANES.min(w - i);
            let from = |lane: usize| {
                let at = ((v.first + lane * v.step) * h + row) * w + i;
                (lane < v.count).then(|| self.x[at..at + n].as_ptr())
            };
            // SAFETY: n floats are there.
            let vectors = unsafe { load_rows(simd, n, from) };
            for (j, c) in vectors.into_iter().enumerate().take(n) {
                // SAFETY: `t` holds whole vectors, more than (w − 1)·step of them.
                unsafe { simd.store(t.as_mut_ptr().add((i + j) * step * LANES), c) };
            }
        }
    }

    /// What is read of the lines after `which`, and what is written of these themselves if it may be near, brought nearer
    /// with each of `times` calls.
    #[inline(always)]
    fn bring<S: Simd>(&self, simd: S, which: Range<usize>, times: usize) -> impl FnMut() {
        let set = self.set;
        let ([h, w], count) = (set.shape, which.len());
        let from = which.end..which.end + if which.end < set.lines() { count } else { 0 };
        let (entry, row) = set.line(from.start);
        let v = set.planes.vector(entry);
        let first = self.x.as_ptr().wrapping_add((v.first * h + row) * w);
        let pieces = if from.is_empty() { 0 } else { w.div_ceil(LANES) };
        let each = (pieces * v.count).div_ceil(times.max(1));
        let (mut lane, mut piece) = (0, 0);
        // SAFETY: the start of `out`.
        let out = unsafe { self.out.at(0) };
        let mut write = (!set.far()).then(|| set.bring(simd, out, which, times));
        move || {
            for _ in 0..each {
                if piece < pieces {
                    simd.prefetch(first.wrapping_add(lane * v.step * h * w + piece * LANES));
                    lane += 1;
                    if lane == v.count {
                        (lane, piece) = (0, piece + 1);
                    }
                }
            }
            if let Some(write) = &mut write {
                write();
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
        let mut buffer = Scratch::take(real::buffer_len::<S>(plan));
        for pair in self.from..self.to {
            let source = |side: usize, k: usize| self.lines[set.place(2 * pair + side, k)..].as_ptr();
            // SAFETY: the lines lie within `self.lines` (length asserted), which ends after the last one's 32 floats; what
            // is taken are n vectors of one of them.
            unsafe {
                real::inverse::<S, false, _>(
                    simd,
                    plan,
                    set.sides(pair),
                    &mut buffer,
                    source,
                    #[inline(always)]
                    |side, signal, next| self.take(simd, 2 * pair + side, signal, next),
                    #[inline(always)]
                    |sides| {
                        let next = 2 * pair + sides.end..2 * pair + sides.end + sides.len();
                        set.bring(simd, self.lines.as_ptr(), next, plan.butterflies())
                    },
                );
            }
        }
    }
}

impl Synthesise<'_> {
    /// Writes the elements of a line from a signal's, `next` floats apart.
    ///
    /// # Safety
    /// The signal has as many elements as the transform; the line is this task's.
    #[inline(always)]
    unsafe fn take<S: Simd>(&self, simd: S, line: usize, signal: *const f32, next: usize) {
        let set = self.set;
        let ([h, w], step) = (set.shape, set.stride[1] * next);
        let (entry, row) = set.line(line);
        let v = set.planes.vector(entry);
        let mut bias = [0f32; LANES];
        if let Some(b) = self.bias {
            bias.iter_mut().take(v.count).enumerate().for_each(|(i, x)| *x = b[v.channel + i * v.next]);
        }
        // SAFETY: `bias` holds 16 floats; positions below w lie on the transform's grid;
        // row `row` of the vector's planes lies within `y` and belongs to this line.
        unsafe {
            let (scale, bias) = (simd.splat(self.scale), simd.load(bias.as_ptr()));
            for i in (0..w).step_by(LANES) {
                let n = LANES.min(w - i);
                let mut vectors = [bias; LANES];
                for (j, v) in vectors.iter_mut().enumerate().take(n) {
                    *v = simd.fma(simd.load(signal.add((i + j) * step)), scale, bias);
                }
                let to = |lane: usize| {
                    let at = ((v.first + lane * v.step) * h + row) * w + i;
                    (lane < v.count).then(|| self.y.at(at))
                };
                store_rows(simd, n, vectors, to);
            }
        }
    }
}
