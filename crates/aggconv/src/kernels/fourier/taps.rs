//! The kernel's side: spectra from sparse taps, gradients at sparse taps.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch, load_rows, store_rows};
use super::cgemm::{Axis, Mat};
use super::fft::View;
use super::lines::FAR;
use super::{Lanes, Setup, padded, real};
use crate::ConvGeometry;
use rayon::prelude::*;

/// cos and sin of 2π·k·offset/N for every stored frequency k and every offset.
pub fn phases(n: usize, offsets: impl Iterator<Item = i32>) -> Vec<[f32; 2]> {
    let angle = |j: usize| 2.0 * std::f64::consts::PI * j as f64 / n as f64;
    let roots: Vec<[f32; 2]> = (0..n).map(|j| [angle(j).cos() as f32, angle(j).sin() as f32]).collect();
    // k·offset modulo n, for every offset, from one frequency to the next.
    let steps: Vec<usize> = offsets.map(|o| i64::from(o).rem_euclid(n as i64) as usize).collect();
    let mut at = vec![0; steps.len()];
    let mut out = Vec::with_capacity((n / 2 + 1) * steps.len());
    for _ in 0..n / 2 + 1 {
        for (at, step) in at.iter_mut().zip(&steps) {
            out.push(roots[*at]);
            *at += step;
            *at -= if *at >= n { n } else { 0 };
        }
    }
    out
}

/// Vectors of kernels whose rows one task transforms.
const VECTORS: usize = 8;

/// Floats that the transforms of all rows of all kernels may take.
const ROWS: usize = 1 << 23;

/// A block of a weight matrix: whole vectors if the matrix has vectors.
#[derive(Debug, Clone, Copy)]
pub struct Chunk {
    /// First row.
    pub row: usize,
    /// Rows.
    pub rows: usize,
    /// First column.
    pub col: usize,
    /// Columns in memory.
    pub cols: usize,
}

/// The weights of one group as a matrix per tap.
pub struct Taps {
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns in memory: padded if they go to vector lanes.
    pub width: usize,
    cols: usize,
    /// Weights from one row (column) to the next, and of the first.
    row_step: usize,
    col_step: usize,
    first: usize,
    /// Entries of a matrix, padded to whole vectors.
    pub size: usize,
    /// Whether a spectrum holds its matrix as vectors, column by column of vectors, for a right
    /// operand. Else real parts, then imaginary parts, row by row: an operand to broadcast.
    pub vectors: bool,
    /// Whether the spectrum is wanted conjugated (for the input gradient).
    pub conjugate: bool,
    /// Distinct row offsets, with the range of kept taps of each.
    pub groups: Vec<(i32, std::ops::Range<usize>)>,
}

impl Taps {
    /// The matrix that multiplies an input (or, if `transposed`, an output gradient) spectrum.
    pub fn new(
        s: &Setup,
        g: &ConvGeometry,
        (_, ci): (usize, usize),
        (start, co): (usize, usize),
        transposed: bool,
    ) -> Self {
        let per = g.c_in_per_group();
        let (rows, cols, row_step, col_step, width) = if s.depthwise {
            (1, co, 0, 1, padded(co))
        } else {
            match (s.lanes, transposed) {
                (Lanes::Channels, false) => (ci, co, 1, per, padded(co)),
                (Lanes::Channels, true) => (co, ci, per, 1, padded(ci)),
                (Lanes::Samples, _) => (co, ci, per, 1, ci),
            }
        };
        let mut groups: Vec<(i32, std::ops::Range<usize>)> = Vec::new();
        for (i, o) in s.taps.offsets().iter().enumerate() {
            match groups.last_mut() {
                Some((row, range)) if *row == o[0] => range.end = i + 1,
                _ => groups.push((o[0], i..i + 1)),
            }
        }
        let size = padded(rows * width);
        let vectors = s.lanes == Lanes::Channels;
        Self { rows, width, cols, row_step, col_step, first: start * per, size, vectors, conjugate: transposed, groups }
    }

    /// The weight index (over all taps: times the number of taps) of a matrix entry.
    fn weight(&self, entry: usize) -> Option<usize> {
        let (r, c) = (entry / self.width, entry % self.width);
        (r < self.rows && c < self.cols).then(|| self.first + r * self.row_step + c * self.col_step)
    }

    /// The weights as `[vector of entries][kept tap][lane]`.
    fn gather(&self, s: &Setup, g: &ConvGeometry, w: &[f32]) -> Scratch {
        let all = g.taps.len();
        let mut out = Scratch::take(s.kept.len() * self.size);
        let shared = Shared::new(&mut out);
        let mut position = vec![None; all];
        s.kept.iter().enumerate().for_each(|(t, &k)| position[k] = Some(t));
        (0..self.size / LANES).into_par_iter().with_min_len(8).for_each(|v| {
            dispatch(s.isa, Gather { taps: self, position: &position, w, out: shared, v: v * LANES });
        });
        out
    }

    /// The whole matrix, its columns limited to a range if it has vectors.
    pub fn whole(&self, col: usize, cols: usize) -> Chunk {
        if self.vectors {
            Chunk { row: 0, rows: self.rows, col, cols }
        } else {
            Chunk { row: 0, rows: self.rows, col: 0, cols: self.width }
        }
    }

    /// Entries of a chunk, padded to whole vectors.
    fn entries(&self, chunk: Chunk) -> usize {
        if self.vectors { chunk.rows * chunk.cols } else { self.size }
    }

    /// Whether the rows of kernels are transformed by full transforms, held for all frequencies,
    /// instead of tap by tap when a frequency needs them: pays for many taps a row.
    fn whole_rows(&self, s: &Setup) -> bool {
        s.kept.len() > 10 * self.groups.len() && self.lines_len(s) <= ROWS
    }

    /// What [`Taps::spectrum`] reads: the weights as `[vector of entries][kept tap][lane]`, or the
    /// transforms of their rows in the layout of [`Taps::lines_len`].
    pub fn prepare(&self, s: &Setup, g: &ConvGeometry, w: &[f32]) -> Scratch {
        let weights = self.gather(s, g, w);
        if !self.whole_rows(s) {
            return weights;
        }
        let mut out = Scratch::take(self.lines_len(s));
        let (shared, vectors) = (Shared::new(&mut out), self.size / LANES);
        (0..vectors.div_ceil(VECTORS)).into_par_iter().for_each(|i| {
            let vectors = i * VECTORS..vectors.min((i + 1) * VECTORS);
            dispatch(s.isa, Rows { taps: self, s, weights: &weights, out: shared, vectors });
        });
        out
    }

    /// Floats from one row frequency to the next in a chunk's spectrum.
    pub fn stride(&self, chunk: Chunk) -> usize {
        2 * self.entries(chunk) + 2 * LANES
    }

    /// The matrix at a row frequency of a chunk's spectrum.
    pub fn matrix(&self, chunk: Chunk, spectrum: &mut [f32], k: usize) -> Mat {
        let next = self.stride(chunk);
        let re = spectrum[k * next..].as_mut_ptr();
        if self.vectors {
            Mat {
                re,
                im: LANES,
                rows: Axis::plain(2 * LANES),
                cols: Axis::lanes(2 * LANES * chunk.rows),
                next,
                far: false,
            }
        } else {
            Mat { re, im: self.size, rows: Axis::plain(self.width), cols: Axis::plain(1), next, far: false }
        }
    }

    /// The vectors of entries of a chunk, each with its place in a row frequency of the spectrum.
    #[inline(always)]
    fn vectors(&self, chunk: Chunk) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (vectors, width) = (self.vectors, self.width);
        let count = self.entries(chunk) / LANES;
        (0..count).map(move |i| {
            if vectors {
                let (col, row) = (i / chunk.rows, i % chunk.rows);
                ((chunk.row + row) * width + chunk.col + col * LANES, 2 * LANES * i)
            } else {
                (i * LANES, i * LANES)
            }
        })
    }

    /// A row of frequencies of a vector in a chunk's spectrum.
    #[inline(always)]
    fn view(&self, chunk: Chunk, spectrum: *mut f32, place: usize) -> View {
        let re = spectrum.wrapping_add(place);
        let im = re.wrapping_add(if self.vectors { LANES } else { self.size });
        View { re, im, stride: self.stride(chunk) }
    }

    /// Floats of the weight gradient's lines: for each vector of entries, for each column
    /// frequency, for each distinct row offset, 16 real parts and 16 imaginary parts.
    pub fn lines_len(&self, s: &Setup) -> usize {
        s.bins() * self.groups.len() * 2 * self.size
    }

    /// Floats from a vector at column frequency `k` to the start of the lines.
    #[inline(always)]
    fn line(&self, s: &Setup, v: usize, k: usize) -> usize {
        (v / LANES * s.bins() + k) * self.groups.len() * 2 * LANES
    }

    /// A chunk of the kernel's spectrum at column frequency `k`: a matrix ([`Taps::matrix`]) for
    /// each row frequency.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // all of them distinct and typed
    pub fn spectrum<S: Simd>(
        &self,
        simd: S,
        s: &Setup,
        wt: &[f32],
        k: usize,
        chunk: Chunk,
        out: &mut [f32],
        (line, work): (&mut [f32], &mut [f32]),
    ) {
        let (n, count) = (s.cols.len(), s.kept.len());
        let whole = self.whole_rows(s);
        assert_eq!(wt.len(), if whole { self.lines_len(s) } else { count * self.size });
        assert!(out.len() >= n * self.stride(chunk));
        assert!(line.len() == 2 * n * LANES && work.len() == s.cols.scratch_len());
        line.fill(0.0);
        let sign = if self.conjugate { -1.0 } else { 1.0 };
        let phases = &s.phases[k * count..][..count];
        for (v, place) in self.vectors(chunk) {
            let weights = if whole { wt[self.line(s, v, k)..].as_ptr() } else { wt[v * count..].as_ptr() };
            let next = if whole { s.bins() * self.groups.len() * 2 * LANES } else { 0 };
            let mut dst = self.view(chunk, out.as_mut_ptr(), place);
            for (i, (row, range)) in self.groups.iter().enumerate() {
                let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                if whole {
                    // SAFETY: a line for each group of taps; prefetching is always allowed.
                    unsafe {
                        let p = weights.add(2 * i * LANES);
                        simd.prefetch(p.wrapping_add(next));
                        simd.prefetch(p.wrapping_add(next + LANES));
                        re = simd.load(p);
                        im = simd.load(p.add(LANES));
                    }
                } else {
                    for t in range.clone() {
                        let [c, d] = phases[t];
                        // SAFETY: `weights` holds a vector for each tap.
                        let x = unsafe { simd.load(weights.add(t * LANES)) };
                        re = simd.fma(x, simd.splat(c), re);
                        im = simd.fma(x, simd.splat(sign * d), im);
                    }
                }
                let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                // One row frequency is the transform already.
                let to = if n == 1 { dst } else { View::packed::<LANES>(line.as_mut_ptr().wrapping_add(at)) };
                // SAFETY: an element of `line`, or the only one of `dst`.
                unsafe {
                    simd.store(to.re, re);
                    simd.store(to.im, im);
                }
            }
            if n == 1 {
                continue;
            }
            let mut src = View::packed::<LANES>(line.as_mut_ptr());
            if !self.conjugate {
                (src, dst) = (src.swapped(), dst.swapped());
            }
            // SAFETY: `line` and `work` have the plan's lengths, `out` holds n strides (asserted).
            unsafe { s.cols.run(simd, src, n, dst, work.as_mut_ptr()) };
        }
    }

    /// From a chunk of the weight gradient's spectrum at column frequency `k` (layout of
    /// [`Taps::spectrum`]) to its lines; added to what is there if `add`.
    ///
    /// # Safety
    /// [`Taps::lines_len`] floats must be at `out`, those of the chunk at `k` used by nobody else.
    #[allow(clippy::too_many_arguments)] // all of them distinct and typed
    #[inline(always)]
    pub unsafe fn lines<S: Simd>(
        &self,
        simd: S,
        s: &Setup,
        spectrum: &mut [f32],
        k: usize,
        chunk: Chunk,
        (out, add): (Shared, bool),
        (line, work): (&mut [f32], &mut [f32]),
    ) {
        let n = s.cols.len();
        assert!(spectrum.len() >= n * self.stride(chunk));
        assert!(line.len() == 2 * n * LANES && work.len() == s.cols.scratch_len());
        let far = !add && self.lines_len(s) > FAR;
        for (v, place) in self.vectors(chunk) {
            let src = self.view(chunk, spectrum.as_mut_ptr(), place);
            // SAFETY: as in `spectrum`, and the caller's contract.
            unsafe {
                let out = out.at(self.line(s, v, k));
                for i in 0..if far { 0 } else { self.groups.len() } {
                    simd.prefetch(out.wrapping_add(2 * i * LANES));
                    simd.prefetch(out.wrapping_add((2 * i + 1) * LANES));
                }
                let spectrum = if n == 1 {
                    // One row frequency is the transform already.
                    src
                } else {
                    let to = View::packed::<LANES>(line.as_mut_ptr());
                    s.cols.run(simd, src, n, to, work.as_mut_ptr());
                    to
                };
                for (i, (row, _)) in self.groups.iter().enumerate() {
                    let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                    for (part, from) in [(0, spectrum.re), (LANES, spectrum.im)] {
                        let v = simd.load(from.add(at));
                        let to = out.add(2 * i * LANES + part);
                        simd.put(far, to, if add { simd.add(v, simd.load(to)) } else { v });
                    }
                }
            }
        }
        simd.fence();
    }

    /// From the lines at every column frequency to the weight gradient.
    pub fn scatter(&self, s: &Setup, g: &ConvGeometry, lines: &[f32], scale: f32, dw: &mut [f32]) {
        assert_eq!(lines.len(), self.lines_len(s));
        let dw = Shared::new(dw);
        (0..self.size / LANES).into_par_iter().for_each(|v| {
            dispatch(s.isa, Scatter { taps: self, s, all: g.taps.len(), lines, scale, dw, v: v * LANES });
        });
    }
}

struct Gather<'a> {
    taps: &'a Taps,
    /// Where each tap goes.
    position: &'a [Option<usize>],
    w: &'a [f32],
    out: Shared,
    v: usize,
}

impl Kernel for Gather<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (all, count) = (self.position.len(), self.position.iter().flatten().count());
        let mut weights = [None; LANES];
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = self.taps.weight(self.v + i));
        for t in (0..all).step_by(LANES) {
            let n = LANES.min(all - t);
            let row = |lane: usize| weights[lane].map(|i: usize| self.w[i * all + t..][..n].as_ptr());
            // SAFETY: n floats are there.
            let vectors = unsafe { load_rows(simd, n, row) };
            for (c, to) in vectors.into_iter().zip(&self.position[t..t + n]) {
                if let Some(to) = to {
                    // SAFETY: vector v of each kept tap is within the output and this task's own.
                    unsafe { simd.store(self.out.at(self.v * count + to * LANES), c) };
                }
            }
        }
    }
}

struct Scatter<'a> {
    taps: &'a Taps,
    s: &'a Setup,
    all: usize,
    lines: &'a [f32],
    scale: f32,
    dw: Shared,
    v: usize,
}

impl Kernel for Scatter<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (taps, s) = (self.taps, self.s);
        // The gradients of sixteen kernels, tap by tap; those out of reach are 0.
        let mut gradients = Scratch::take(self.all * LANES);
        gradients.fill(0.0);
        let scale = simd.splat(self.scale);
        let mut put = Put { gradients: &mut gradients, kept: &s.kept, scale };
        if taps.whole_rows(s) {
            let n = s.rows.len();
            let mut buffer = Scratch::take(real::buffer_len::<S>(&s.rows));
            for (i, pair) in taps.groups.chunks(2).enumerate() {
                let source =
                    |side: usize, k: usize| self.lines[taps.line(s, self.v, k) + (4 * i + 2 * side) * LANES..].as_ptr();
                // SAFETY: within `lines` (length asserted). They are conjugates of the rows' spectra.
                unsafe {
                    real::inverse::<S, true, _>(
                        simd,
                        &s.rows,
                        pair.len(),
                        &mut buffer,
                        source,
                        #[inline(always)]
                        |side, signal, next| {
                            for t in pair[side].1.clone() {
                                let at = i64::from(s.taps.offsets()[t][1]).rem_euclid(n as i64) as usize;
                                // `at` is below n.
                                put.store(simd, t, simd.load(signal.add(at * next)));
                            }
                        },
                        |_| || (),
                    );
                }
            }
        } else {
            self.sums(simd, &mut put);
        }
        let mut weights = [None; LANES];
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = taps.weight(self.v + i));
        for t in (0..self.all).step_by(LANES) {
            let n = LANES.min(self.all - t);
            // SAFETY: the gradients of n taps from t on are there; a kernel's lie within `dw`, this task's alone.
            unsafe {
                let mut vectors = [simd.splat(0.0); LANES];
                for (j, v) in vectors.iter_mut().enumerate().take(n) {
                    *v = simd.load(gradients.as_ptr().add((t + j) * LANES));
                }
                store_rows(simd, n, vectors, |lane| weights[lane].map(|i| self.dw.at(i * self.all + t)));
            }
        }
    }
}

/// Where the gradients of sixteen kernels go, of each tap.
struct Put<'a, S: Simd> {
    gradients: &'a mut [f32],
    kept: &'a [usize],
    scale: S::V,
}

impl<S: Simd> Put<'_, S> {
    #[inline(always)]
    fn store(&mut self, simd: S, t: usize, sum: S::V) {
        let to = &mut self.gradients[self.kept[t] * LANES..][..LANES];
        // SAFETY: 16 floats.
        unsafe { simd.store(to.as_mut_ptr(), simd.mul(sum, self.scale)) };
    }
}

impl Scatter<'_> {
    /// The gradient of each kept tap as a sum over the frequencies.
    #[inline(always)]
    fn sums<S: Simd>(&self, simd: S, put: &mut Put<'_, S>) {
        let (taps, s) = (self.taps, self.s);
        let (bins, count) = (s.bins(), s.kept.len());
        for (i, (_, range)) in taps.groups.iter().enumerate() {
            // Eight taps at a time share what is read of the lines.
            for first in range.clone().step_by(8) {
                let some = (range.end - first).min(8);
                let mut sums = [simd.splat(0.0); 8];
                for k in 0..bins {
                    // SAFETY: within `lines` (length asserted).
                    let (re, im) = unsafe {
                        let p = self.lines.as_ptr().add(taps.line(s, self.v, k) + 2 * i * LANES);
                        (simd.load(p), simd.load(p.add(LANES)))
                    };
                    let phases = &s.phases[k * count + first..][..some];
                    // Frequency n − k adds the same again, unless it is k.
                    let twice = if s.own_mirror(k) { 1.0 } else { 2.0 };
                    let (re, im) = (simd.mul(re, simd.splat(twice)), simd.mul(im, simd.splat(twice)));
                    for (sum, [c, d]) in sums.iter_mut().zip(phases) {
                        *sum = simd.fma(im, simd.splat(*d), simd.fma(re, simd.splat(*c), *sum));
                    }
                }
                for (sum, t) in sums.into_iter().zip(first..first + some) {
                    put.store(simd, t, sum);
                }
            }
        }
    }
}

/// Transforms of the rows of kernels, 16 at a time.
struct Rows<'a> {
    taps: &'a Taps,
    s: &'a Setup,
    weights: &'a [f32],
    out: Shared,
    vectors: std::ops::Range<usize>,
}

impl Kernel for Rows<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (taps, s) = (self.taps, self.s);
        let n = s.rows.len();
        let mut buffer = Scratch::take(real::buffer_len_apart::<S>(&s.rows, n));
        let far = taps.lines_len(s) > FAR;
        // exp(−iθ) is the transform's sign, wanted for the conjugate.
        let sign = if taps.conjugate { 1.0 } else { -1.0 };
        for (i, pair) in taps.groups.chunks(2).enumerate() {
            // The taps of a row are in the same places for all kernels: what lies between them stays 0. But two rows may
            // share a buffer.
            let alone = pair.len() == 1;
            if alone {
                buffer.fill(0.0);
            }
            for v in self.vectors.clone() {
                let weights = &self.weights[v * LANES * s.kept.len()..];
                let fill = |side: usize, signal: &mut [f32]| {
                    if !alone {
                        signal.fill(0.0);
                    }
                    for t in pair[side].1.clone() {
                        let at = i64::from(s.taps.offsets()[t][1]).rem_euclid(n as i64) as usize;
                        // Half: the transform doubles.
                        let to = &mut signal[at * LANES..][..LANES];
                        to.iter_mut().zip(&weights[t * LANES..]).for_each(|(to, w)| *to = 0.5 * w);
                    }
                };
                let line = |side: usize, k: usize| taps.line(s, v * LANES, k) + (4 * i + 2 * side) * LANES;
                // SAFETY: the lines of a vector lie within the output and belong to this task.
                let place = |side: usize, k: usize| unsafe { self.out.at(line(side, k)) };
                // SAFETY: a buffer of the length asked for, and the places.
                unsafe {
                    real::forward(simd, &s.rows, (n, pair.len()), (sign, far), &mut buffer, fill, place, |_| || ())
                };
            }
        }
        simd.fence();
    }
}
