//! One column frequency at a time: column transforms, products over channels, and back.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch};
use super::cgemm::{Axis, Mat, Shape, cdot, cgemm};
use super::fft::View;
use super::lines::LineSet;
use super::taps::{Chunk, Taps};
use super::{Lanes, Setup};
use rayon::prelude::*;

/// Floats of spectra that a block of the batch may take: about a core's second-level cache.
const BLOCK: usize = 1 << 18;

/// Floats of a kernel's spectrum that are made at a time if it is larger than [`KERNEL`].
const CHUNK: usize = if cfg!(test) { 1 << 9 } else { 1 << 17 }; // small: so that tests have several

/// Floats of a kernel's spectrum that are kept for all blocks of the batch.
const KERNEL: usize = if cfg!(test) { 1 << 10 } else { 1 << 18 };

/// The middle of a convolution between two sets of lines.
pub struct Columns<'a> {
    /// Sizes, plans and layout.
    pub s: &'a Setup,
    /// Input lines.
    pub from: &'a LineSet,
    /// Output lines.
    pub to: &'a LineSet,
    /// The kernel between them.
    pub taps: &'a Taps,
}

/// A part of the planes' matrix of a set of lines.
#[derive(Clone, Copy)]
struct Window {
    row: usize,
    rows: usize,
    col: usize,
    cols: usize,
}

impl Window {
    /// Where entry (row, 0) is among all entries of the set.
    #[inline(always)]
    fn entry(self, set: &LineSet, row: usize) -> usize {
        (self.row + row) * set.planes.width() + self.col
    }

    /// Floats from one row frequency to the next in the window's spectrum.
    fn stride(self) -> usize {
        2 * self.rows * self.cols + 2 * LANES
    }
}

/// What one task does at one column frequency.
struct Work {
    /// Parts of the batch: what is read of the input and of the output lines.
    blocks: Vec<[Window; 2]>,
    /// Parts of the kernel.
    chunks: Vec<Chunk>,
}

impl Columns<'_> {
    /// `to = kernel · from` at every column frequency.
    pub fn apply(&self, wt: &[f32], from: &[f32], to: &mut [f32]) {
        assert_eq!(from.len(), self.from.len());
        assert_eq!(to.len(), self.to.len());
        let to = Shared::new(to);
        self.in_parallel(|bin, work, buffers| {
            dispatch(self.s.isa, Apply { c: self, wt, from, to, bin, work, buffers })
        });
    }

    /// The lines of the weight gradient at every column frequency, from the lines of the input
    /// (`from`) and of the output gradient (`to`); added to `out` if `add`.
    pub fn correlate(&self, from: &[f32], to: &[f32], out: &mut [f32], add: bool) {
        assert_eq!(from.len(), self.from.len());
        assert_eq!(to.len(), self.to.len());
        assert_eq!(out.len(), self.taps.lines_len(self.s));
        let out = Shared::new(out);
        self.in_parallel(|bin, work, buffers| {
            dispatch(self.s.isa, Correlate { c: self, from, to, out, bin, add, work, buffers });
        });
    }

    /// Calls `f` for every column frequency; where these are few, for parts of the output
    /// channels apart, so that there is work for several cores.
    fn in_parallel(&self, f: impl Fn(usize, &Work, &mut Buffers) + Sync + Send) {
        let bins = self.s.bins();
        let vectors = self.to.planes.width() / LANES;
        let splits = if self.taps.vectors { 16usize.div_ceil(bins).min(vectors) } else { 1 };
        let work: Vec<_> =
            (0..splits).map(|i| self.work(i * vectors / splits * LANES, (i + 1) * vectors / splits * LANES)).collect();
        // A thread takes the next frequency when it is done with one, so that none waits long for another at the end. Its
        // working memory it takes once: there may be hundreds of small ones.
        (0..bins * splits)
            .par_bridge()
            .for_each_init(|| Buffers::new(self, &work), |b, i| f(i / splits, &work[i % splits], b));
    }

    /// The work for output channels `first..end` (samples are never split).
    fn work(&self, first: usize, end: usize) -> Work {
        let whole = self.taps.whole(first, end - first);
        let n = self.s.cols.len();
        let mut chunks = vec![whole];
        if self.taps.vectors && !self.s.depthwise && n * self.taps.stride(whole) > KERNEL {
            let cols = (2 * LANES).min(whole.cols);
            let rows = (CHUNK / (2 * n * cols) / LANES * LANES).max(LANES);
            chunks.clear();
            for col in (first..end).step_by(cols) {
                for row in (0..whole.rows).step_by(rows) {
                    let (rows, cols) = (rows.min(whole.rows - row), cols.min(end - col));
                    chunks.push(Chunk { row, rows, col, cols });
                }
            }
        }
        let batch = match self.s.lanes {
            Lanes::Channels => self.from.planes.rows,
            Lanes::Samples => self.from.planes.width(),
        };
        let per_sample = 2 * n * (self.from.planes.size() + self.to.planes.size()) / batch;
        let unit = if self.s.lanes == Lanes::Samples { LANES } else { 1 };
        let mut step = (BLOCK / per_sample.max(1)).clamp(6.min(batch), batch);
        // Blocks of like size.
        step = batch.div_ceil(batch.div_ceil(step)).next_multiple_of(unit);
        if n == 1 || chunks.len() > 1 {
            // The lines are the spectra already; or the kernel, made once for the whole batch, is
            // what must stay in the cache.
            step = batch;
        }
        let window = |set: &LineSet, start: usize, (first, end): (usize, usize)| {
            let len = step.min(batch - start);
            match self.s.lanes {
                Lanes::Channels => Window { row: start, rows: len, col: first, cols: end - first },
                Lanes::Samples => Window { row: 0, rows: set.planes.rows, col: start, cols: len },
            }
        };
        // A channel of a depthwise convolution reads only itself.
        let read = if self.s.depthwise { (first, end) } else { (0, self.from.planes.width()) };
        let blocks = (0..batch)
            .step_by(step)
            .map(|start| [window(self.from, start, read), window(self.to, start, (first, end))])
            .collect();
        Work { blocks, chunks }
    }

    /// Column transforms of a window of lines. The result is a matrix per row frequency; returned
    /// are the matrix of frequency 0 and the distance to the next.
    #[inline(always)]
    fn analyse<S: Simd>(
        &self,
        simd: S,
        set: &LineSet,
        window: Window,
        lines: *const f32,
        buf: &mut [f32],
        (line_buf, fft): (&mut [f32], &mut [f32]),
    ) -> (Mat, usize) {
        let Window { rows, cols, .. } = window;
        if self.s.cols.len() == 1 {
            let re = lines.cast_mut().wrapping_add(2 * window.entry(set, 0));
            // Of large products, what is next is brought near otherwise: see [`ahead`].
            let samples = self.s.lanes == Lanes::Samples;
            let next = if samples { turn(set) } else { 0 };
            return (vectors(re, set.planes.width(), next), 0);
        }
        let stride = window.stride();
        assert!(buf.len() >= stride * self.s.cols.len());
        let (h, step) = (set.shape[0], set.stride[0]);
        for row in 0..rows {
            for col in (0..cols).step_by(LANES) {
                let at = window.entry(set, row) + col;
                let mut src =
                    View { stride: set.row_stride(), ..View::packed::<LANES>(lines.cast_mut().wrapping_add(2 * at)) };
                // The rows are far apart: no hardware prefetcher follows.
                for i in 0..h {
                    simd.prefetch(src.re.wrapping_add(i * src.stride + 2 * LANES));
                    simd.prefetch(src.re.wrapping_add(i * src.stride + 3 * LANES));
                }
                let mut valid = h;
                if step > 1 {
                    valid = (h - 1) * step + 1;
                    line_buf[..valid * 2 * LANES].fill(0.0);
                    let line = View::packed::<LANES>(line_buf.as_mut_ptr());
                    for i in 0..h {
                        // SAFETY: row i of the lines; element i·step < valid ≤ n of `line`.
                        unsafe {
                            simd.store(line.re.add(i * step * 2 * LANES), simd.load(src.re.add(i * src.stride)));
                            simd.store(line.im.add(i * step * 2 * LANES), simd.load(src.im.add(i * src.stride)));
                        }
                    }
                    src = line;
                }
                let dst =
                    View { stride, ..View::packed::<LANES>(buf.as_mut_ptr().wrapping_add(2 * (row * cols + col))) };
                // SAFETY: source as above; `buf` holds n strides (asserted).
                unsafe { self.s.cols.run(simd, src, valid, dst, fft.as_mut_ptr()) };
            }
        }
        (vectors(buf.as_mut_ptr(), cols, stride), stride)
    }

    /// Inverse column transforms of a window's spectrum to the rows that the lines have.
    #[inline(always)]
    fn synthesise<S: Simd>(
        &self,
        simd: S,
        set: &LineSet,
        window: Window,
        spectrum: &mut [f32],
        lines: *mut f32,
        (line_buf, fft): (&mut [f32], &mut [f32]),
    ) {
        let Window { rows, cols, .. } = window;
        let stride = window.stride();
        for row in 0..rows {
            for col in (0..cols).step_by(LANES) {
                let src = spectrum.as_mut_ptr().wrapping_add(2 * (row * cols + col));
                let src = View { stride, ..View::packed::<LANES>(src) }.swapped();
                let line = View::packed::<LANES>(line_buf.as_mut_ptr());
                let to = lines.wrapping_add(2 * (window.entry(set, row) + col));
                for i in 0..set.shape[0] {
                    simd.prefetch(to.wrapping_add(i * set.row_stride()));
                    simd.prefetch(to.wrapping_add(i * set.row_stride() + LANES));
                }
                // SAFETY: `spectrum` holds n strides, `line` n elements; the rows written are
                // this window's own at this frequency.
                unsafe {
                    self.s.cols.run(simd, src, self.s.cols.len(), line.swapped(), fft.as_mut_ptr());
                    for i in 0..set.shape[0] {
                        let from = i * set.stride[0] * 2 * LANES;
                        let to = to.add(i * set.row_stride());
                        simd.store(to, simd.load(line.re.add(from)));
                        simd.store(to.add(LANES), simd.load(line.im.add(from)));
                    }
                }
            }
        }
    }
}

/// A matrix of vectors, each 16 real parts and 16 imaginary parts, rows of `width` entries.
fn vectors(re: *mut f32, width: usize, next: usize) -> Mat {
    Mat { re, im: LANES, rows: Axis::plain(2 * width), cols: Axis::lanes(2 * LANES), next, far: false }
}

/// Fills in the row frequencies above half of `n` of a real signal's spectrum: the conjugates of
/// those below. A matrix is `len` floats, in turns `run` real parts and `run` imaginary parts.
#[inline(always)]
fn mirror<S: Simd>(simd: S, n: usize, spectrum: &mut [f32], stride: usize, (len, run): (usize, usize)) {
    assert!(spectrum.len() >= (n - 1) * stride + len);
    let p = spectrum.as_mut_ptr();
    for k in n / 2 + 1..n {
        for at in (0..len).step_by(2 * run) {
            for e in (at..at + run).step_by(LANES) {
                // SAFETY: both frequencies are below n, and a matrix ends within its stride.
                unsafe {
                    let (from, to) = (p.add((n - k) * stride + e), p.add(k * stride + e));
                    simd.store(to, simd.load(from));
                    simd.store(to.add(run), simd.sub(simd.splat(0.0), simd.load(from.add(run))));
                }
            }
        }
    }
}

/// Working memory of one task.
struct Buffers {
    line: Scratch,
    fft: Scratch,
    /// Spectra of the two windows.
    spectra: [Scratch; 2],
    /// Spectrum of a chunk.
    kernel: Scratch,
    /// Of large products.
    sums: Scratch,
}

impl Buffers {
    /// Enough for any of `work`.
    fn new(c: &Columns<'_>, work: &[Work]) -> Self {
        let n = c.s.cols.len();
        let windows = |i: usize| work.iter().flat_map(|w| &w.blocks).map(move |b| b[i].stride()).max().unwrap_or(0);
        // With no columns the lines are the spectra.
        let spectra = [0, 1].map(|i| Scratch::take(if n == 1 { 0 } else { n * windows(i) }));
        let kernel = work.iter().flat_map(|w| &w.chunks).map(|&k| c.taps.stride(k)).max().unwrap_or(0);
        // In the products of `Apply` and of `Correlate`, which only exchange two sizes.
        let sums = |chunk: &Chunk, [_, to]: &[Window; 2]| {
            let used = c.s.lanes == Lanes::Channels && !c.s.depthwise;
            let apply = Shape { m: to.rows, k: chunk.rows, n: chunk.cols, real: false };
            if used { apply.sums_len().max(Shape { m: apply.k, k: apply.m, ..apply }.sums_len()) } else { 0 }
        };
        let products = work.iter().flat_map(|w| w.chunks.iter().map(move |k| (w, k)));
        let products = products.flat_map(|(w, k)| w.blocks.iter().map(move |b| sums(k, b)));
        let mut kernel = Scratch::take(n * kernel);
        if !c.taps.vectors {
            // No product writes to the padding of a matrix by rows, but its inverse transform is made along with that of
            // entries that count, as one complex signal.
            kernel.fill(0.0);
        }
        Self {
            sums: Scratch::take(products.max().unwrap_or(0)),
            line: Scratch::take(2 * n * LANES),
            fft: Scratch::take(c.s.cols.scratch_len()),
            spectra,
            kernel,
        }
    }
}

/// Floats from a frequency's lines to those of the one that the same thread comes to next: they are taken in turn.
fn turn(set: &LineSet) -> usize {
    rayon::current_num_threads() * set.bin_stride()
}

/// The lines of a window of a series at the frequency that a thread comes to after `bin`, if they lie side by side.
fn ahead<'a>(set: &LineSet, window: Window, bin: usize, lines: &'a [f32]) -> &'a [f32] {
    let from = bin * set.bin_stride() + turn(set) + 2 * window.entry(set, 0);
    let whole = set.shape[0] == 1 && window.cols == set.planes.width();
    lines.get(from..from + 2 * window.rows * window.cols).filter(|_| whole).unwrap_or_default()
}

struct Apply<'a> {
    c: &'a Columns<'a>,
    wt: &'a [f32],
    from: &'a [f32],
    to: Shared,
    bin: usize,
    work: &'a Work,
    buffers: &'a mut Buffers,
}

impl Kernel for Apply<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (c, s, taps) = (self.c, self.c.s, self.c.taps);
        let n = s.cols.len();
        // The spectrum of a real signal is its own mirror image at these frequencies.
        let half = if s.own_mirror(self.bin) { n / 2 + 1 } else { n };
        // That of a row is real there.
        let real = n == 1 && s.own_mirror(self.bin);
        let Buffers { line, fft, spectra: [x, y], kernel, sums } = self.buffers;
        let lines = self.from[self.bin * c.from.bin_stride()..].as_ptr();
        // SAFETY: frequency `bin` of the output lines: what the windows have of it is this task's.
        let out = unsafe { self.to.at(self.bin * c.to.bin_stride()) };
        for (i, &[from, to]) in self.work.blocks.iter().enumerate() {
            let (a, a_step) = c.analyse(simd, c.from, from, lines, x, (line, fft));
            let (target, t_step) = if n == 1 {
                let y = vectors(out.wrapping_add(2 * to.entry(c.to, 0)), c.to.planes.width(), turn(c.to));
                // A sum of several products is read again.
                (Mat { far: c.to.far() && self.work.chunks.len() == 1, ..y }, 0)
            } else {
                (vectors(y.as_mut_ptr(), to.cols, to.stride()), to.stride())
            };
            for &chunk in &self.work.chunks {
                if i == 0 || self.work.chunks.len() > 1 {
                    taps.spectrum(simd, s, self.wt, self.bin, chunk, kernel, (line, fft));
                }
                for k in 0..half {
                    let w = taps.matrix(chunk, kernel, k);
                    let x = Mat { re: a.re.wrapping_add(k * a_step), ..a };
                    let y = Mat { re: target.re.wrapping_add(k * t_step), ..target };
                    // SAFETY: the matrices have these shapes by construction; y is a buffer of
                    // its own.
                    unsafe {
                        if s.depthwise {
                            multiply(simd, s.lanes, to.rows, to.cols, x, w, y);
                        } else if s.lanes == Lanes::Channels {
                            let shape = Shape { m: to.rows, k: chunk.rows, n: chunk.cols, real };
                            let x = Mat { re: x.re.add(x.cols.at(chunk.row)), ..x };
                            let y = Mat { re: y.re.add(y.cols.at(chunk.col - to.col)), ..y };
                            let ahead = [ahead(c.from, from, self.bin, self.from), &[]];
                            if chunk.row == 0 {
                                cgemm::<S, false, false>(simd, shape, x, w, y, sums, ahead);
                            } else {
                                cgemm::<S, false, true>(simd, shape, x, w, y, sums, ahead);
                            }
                        } else {
                            let w = if taps.conjugate { w.t() } else { w };
                            let shape = Shape { m: to.rows, k: from.rows, n: to.cols, real };
                            cgemm::<S, false, false>(simd, shape, w, x, y, &mut [], [&[]; 2]);
                        }
                    }
                }
            }
            if n > 1 {
                if half < n {
                    mirror(simd, n, y, to.stride(), (2 * to.rows * to.cols, LANES));
                }
                c.synthesise(simd, c.to, to, y, out, (line, fft));
            }
        }
        simd.fence();
    }
}

struct Correlate<'a> {
    c: &'a Columns<'a>,
    from: &'a [f32],
    to: &'a [f32],
    out: Shared,
    bin: usize,
    add: bool,
    work: &'a Work,
    buffers: &'a mut Buffers,
}

impl Kernel for Correlate<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (c, s, taps) = (self.c, self.c.s, self.c.taps);
        let n = s.cols.len();
        let half = if s.own_mirror(self.bin) { n / 2 + 1 } else { n };
        let real = n == 1 && s.own_mirror(self.bin);
        let Buffers { line, fft, spectra: [x, d], kernel: g, sums } = self.buffers;
        let x_lines = self.from[self.bin * c.from.bin_stride()..].as_ptr();
        let d_lines = self.to[self.bin * c.to.bin_stride()..].as_ptr();
        let last = self.work.blocks.len() - 1;
        for (i, &[from, to]) in self.work.blocks.iter().enumerate() {
            let (a, a_step) = c.analyse(simd, c.from, from, x_lines, x, (line, fft));
            let (b, b_step) = c.analyse(simd, c.to, to, d_lines, d, (line, fft));
            // Several chunks come with a single block, several blocks with a single chunk.
            for &chunk in &self.work.chunks {
                for k in 0..half {
                    let g = taps.matrix(chunk, g, k);
                    let x = Mat { re: a.re.wrapping_add(k * a_step), ..a };
                    let d = Mat { re: b.re.wrapping_add(k * b_step), ..b };
                    // SAFETY: as in `Apply`.
                    unsafe {
                        if s.depthwise {
                            multiply_sum(simd, s.lanes, to.rows, to.cols, d, x, g, i > 0);
                        } else if s.lanes == Lanes::Channels {
                            let shape = Shape { m: chunk.rows, k: to.rows, n: chunk.cols, real };
                            let x = Mat { re: x.re.add(x.cols.at(chunk.row)), ..x };
                            let d = Mat { re: d.re.add(d.cols.at(chunk.col - to.col)), ..d };
                            let sides = [(c.from, from, self.from), (c.to, to, self.to)];
                            let ahead = sides.map(|(set, window, lines)| ahead(set, window, self.bin, lines));
                            if i == 0 {
                                cgemm::<S, true, false>(simd, shape, x.t(), d, g, sums, ahead);
                            } else {
                                cgemm::<S, true, true>(simd, shape, x.t(), d, g, sums, ahead);
                            }
                        } else {
                            let shape = Shape { m: taps.rows, k: taps.width, n: to.cols, real };
                            if i == 0 {
                                cdot::<S, false>(simd, shape, d, x, g);
                            } else {
                                cdot::<S, true>(simd, shape, d, x, g);
                            }
                        }
                    }
                }
                if i == last {
                    if half < n {
                        let run = if taps.vectors { LANES } else { taps.size };
                        mirror(simd, n, g, taps.stride(chunk), (taps.stride(chunk) - 2 * LANES, run));
                    }
                    // SAFETY: this chunk at this frequency is this task's own.
                    unsafe { taps.lines(simd, s, g, self.bin, chunk, (self.out, self.add), (line, fft)) };
                }
            }
        }
    }
}

/// `y = w · x` elementwise, one weight a channel.
///
/// # Safety
/// x and y are rows×cols with columns in lanes, w holds a weight for each channel.
#[inline(always)]
unsafe fn multiply<S: Simd>(simd: S, lanes: Lanes, rows: usize, cols: usize, x: Mat, w: Mat, y: Mat) {
    for row in 0..rows {
        for col in (0..cols).step_by(LANES) {
            // SAFETY: the caller's contract.
            unsafe {
                let (wr, wi) = match lanes {
                    Lanes::Channels => {
                        (simd.load(w.re.add(w.cols.at(col))), simd.load(w.re.add(w.cols.at(col) + w.im)))
                    }
                    Lanes::Samples => (simd.splat(*w.re.add(row)), simd.splat(*w.re.add(row + w.im))),
                };
                let p = x.re.add(x.rows.at(row) + x.cols.at(col));
                let (xr, xi) = (simd.load(p), simd.load(p.add(x.im)));
                let q = y.re.add(y.rows.at(row) + y.cols.at(col));
                simd.store(q, simd.fnma(wi, xi, simd.mul(wr, xr)));
                simd.store(q.add(y.im), simd.fma(wi, xr, simd.mul(wr, xi)));
            }
        }
    }
}

/// A sum and the product of D with the conjugate of X at an entry. No closure: that would not be inlined, nor compiled for the
/// instructions it is made of.
///
/// # Safety
/// A vector must be readable at the entry of both.
#[inline(always)]
unsafe fn add_product<S: Simd>(
    simd: S,
    [d, x]: [Mat; 2],
    (row, col): (usize, usize),
    (re, im): (S::V, S::V),
) -> (S::V, S::V) {
    // SAFETY: the caller's contract.
    unsafe {
        let (p, q) = (d.re.add(d.rows.at(row) + d.cols.at(col)), x.re.add(x.rows.at(row) + x.cols.at(col)));
        let (dr, di) = (simd.load(p), simd.load(p.add(d.im)));
        let (xr, xi) = (simd.load(q), simd.load(q.add(x.im)));
        let re = simd.fma(di, xi, simd.fma(dr, xr, re));
        (re, simd.fnma(dr, xi, simd.fma(di, xr, im)))
    }
}

/// `g = Σ_n d · conj(x)`, one sum a channel; added to `g` if `add`.
///
/// # Safety
/// d and x are rows×cols with columns in lanes, g holds a sum for each channel.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // a matrix product's
unsafe fn multiply_sum<S: Simd>(simd: S, lanes: Lanes, rows: usize, cols: usize, d: Mat, x: Mat, g: Mat, add: bool) {
    // SAFETY: the caller's contract.
    unsafe {
        match lanes {
            Lanes::Channels => {
                for col in (0..cols).step_by(LANES) {
                    let p = g.re.add(g.cols.at(col));
                    let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                    if add {
                        (re, im) = (simd.load(p), simd.load(p.add(g.im)));
                    }
                    for row in 0..rows {
                        (re, im) = add_product(simd, [d, x], (row, col), (re, im));
                    }
                    simd.store(p, re);
                    simd.store(p.add(g.im), im);
                }
            }
            Lanes::Samples => {
                for row in 0..rows {
                    let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                    for col in (0..cols).step_by(LANES) {
                        (re, im) = add_product(simd, [d, x], (row, col), (re, im));
                    }
                    let (p, q) = (g.re.add(row), g.re.add(row + g.im));
                    *p = simd.sum(re) + if add { *p } else { 0.0 };
                    *q = simd.sum(im) + if add { *q } else { 0.0 };
                }
            }
        }
    }
}
