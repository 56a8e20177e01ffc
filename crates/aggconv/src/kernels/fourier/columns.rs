//! One column frequency at a time: column transforms, products over channels, and back.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch};
use super::cgemm::{Axis, Mat, Shape, cdot, cgemm};
use super::fft::View;
use super::lines::LineSet;
use super::taps::Taps;
use super::{Lanes, Setup};
use rayon::prelude::*;

/// Floats of spectra that a block of the batch may take: about a core's second-level cache.
const BLOCK: usize = 1 << 18;

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

/// A part of the batch: rows `start..start + len` of the planes' matrices (columns if samples
/// are in the lanes).
#[derive(Clone, Copy)]
struct Block {
    start: usize,
    len: usize,
}

impl Columns<'_> {
    /// `to = kernel · from` at every column frequency.
    pub fn apply(&self, wt: &[f32], from: &[f32], to: &mut [f32]) {
        assert_eq!(from.len(), self.from.len());
        assert_eq!(to.len(), self.to.len());
        let to = Shared::new(to);
        (0..self.s.bins()).into_par_iter().for_each(|bin| {
            dispatch(self.s.isa, Apply { c: self, wt, from, to, bin });
        });
    }

    /// The lines of the weight gradient at every column frequency, from the lines of the input
    /// (`from`) and of the output gradient (`to`); added to `out` if `add`.
    pub fn correlate(&self, from: &[f32], to: &[f32], out: &mut [f32], add: bool) {
        assert_eq!(from.len(), self.from.len());
        assert_eq!(to.len(), self.to.len());
        assert_eq!(out.len(), self.s.bins() * self.taps.lines_len());
        let out = Shared::new(out);
        (0..self.s.bins()).into_par_iter().for_each(|bin| {
            dispatch(self.s.isa, Correlate { c: self, from, to, out, bin, add });
        });
    }

    fn blocks(&self) -> impl Iterator<Item = Block> + use<> {
        let batch = match self.s.lanes {
            Lanes::Channels => self.from.planes.rows,
            Lanes::Samples => self.from.planes.width(),
        };
        let per_sample = 2 * self.s.cols.len() * (self.from.planes.size() + self.to.planes.size()) / batch;
        let unit = if self.s.lanes == Lanes::Samples { LANES } else { 1 };
        let mut step = (BLOCK / per_sample.max(1)).clamp(6.min(batch), batch);
        // Blocks of like size.
        step = batch.div_ceil(batch.div_ceil(step)).next_multiple_of(unit);
        if self.s.cols.len() == 1 {
            step = batch; // the lines are the spectra: nothing is gained by blocks
        }
        (0..batch).step_by(step).map(move |start| Block { start, len: step.min(batch - start) })
    }

    /// The matrix of a block of a set's planes: (rows, padded columns).
    fn shape(&self, set: &LineSet, block: Block) -> (usize, usize) {
        match self.s.lanes {
            Lanes::Channels => (block.len, set.planes.width()),
            Lanes::Samples => (set.planes.rows, block.len),
        }
    }

    /// Where entry (row, 0) of a block is among all entries.
    fn entry(&self, set: &LineSet, block: Block, row: usize) -> usize {
        match self.s.lanes {
            Lanes::Channels => (block.start + row) * set.planes.width(),
            Lanes::Samples => row * set.planes.width() + block.start,
        }
    }

    /// Floats from one row frequency to the next in a block's spectrum.
    fn stride(&self, set: &LineSet, block: Block) -> usize {
        let (rows, cols) = self.shape(set, block);
        2 * rows * cols + 2 * LANES
    }

    /// Column transforms of a block of lines. The result is a matrix per row frequency; returned
    /// are the matrix of frequency 0 and the distance to the next.
    #[inline(always)]
    fn analyse<S: Simd>(
        &self,
        simd: S,
        set: &LineSet,
        block: Block,
        lines: *const f32,
        buf: &mut [f32],
        work: &mut Work,
    ) -> (Mat, usize) {
        let (rows, cols) = self.shape(set, block);
        if self.s.cols.len() == 1 {
            let re = lines.cast_mut().wrapping_add(2 * self.entry(set, block, 0));
            return (vectors(re, set.planes.width(), 0), 0);
        }
        let stride = self.stride(set, block);
        assert!(buf.len() >= stride * self.s.cols.len());
        let (h, step) = (set.shape[0], set.stride[0]);
        for row in 0..rows {
            for col in (0..cols).step_by(LANES) {
                let at = self.entry(set, block, row) + col;
                let mut src = View { stride: set.row_stride(), ..View::packed(lines.cast_mut().wrapping_add(2 * at)) };
                // The rows are far apart: no hardware prefetcher follows.
                for i in 0..h {
                    simd.prefetch(src.re.wrapping_add(i * src.stride + 2 * LANES));
                    simd.prefetch(src.re.wrapping_add(i * src.stride + 3 * LANES));
                }
                let mut valid = h;
                if step > 1 {
                    valid = (h - 1) * step + 1;
                    work.line[..valid * 2 * LANES].fill(0.0);
                    let line = View::packed(work.line.as_mut_ptr());
                    for i in 0..h {
                        // SAFETY: row i of the lines; element i·step < valid ≤ n of `line`.
                        unsafe {
                            simd.store(line.re.add(i * step * 2 * LANES), simd.load(src.re.add(i * src.stride)));
                            simd.store(line.im.add(i * step * 2 * LANES), simd.load(src.im.add(i * src.stride)));
                        }
                    }
                    src = line;
                }
                let dst = View { stride, ..View::packed(buf.as_mut_ptr().wrapping_add(2 * (row * cols + col))) };
                // SAFETY: source as above; `buf` holds n strides (asserted).
                unsafe { self.s.cols.run(simd, src, valid, dst, work.fft.as_mut_ptr()) };
            }
        }
        (vectors(buf.as_mut_ptr(), cols, stride), stride)
    }

    /// Inverse column transforms of a block's spectrum to the rows that the lines have.
    #[inline(always)]
    fn synthesise<S: Simd>(
        &self,
        simd: S,
        set: &LineSet,
        block: Block,
        spectrum: &mut [f32],
        lines: *mut f32,
        work: &mut Work,
    ) {
        let (rows, cols) = self.shape(set, block);
        let stride = self.stride(set, block);
        for row in 0..rows {
            for col in (0..cols).step_by(LANES) {
                let src = spectrum.as_mut_ptr().wrapping_add(2 * (row * cols + col));
                let src = View { stride, ..View::packed(src) }.swapped();
                let line = View::packed(work.line.as_mut_ptr());
                let to = lines.wrapping_add(2 * (self.entry(set, block, row) + col));
                for i in 0..set.shape[0] {
                    simd.prefetch(to.wrapping_add(i * set.row_stride()));
                    simd.prefetch(to.wrapping_add(i * set.row_stride() + LANES));
                }
                // SAFETY: `spectrum` holds n strides, `line` n elements; the rows written are
                // this block's own at this frequency.
                unsafe {
                    self.s.cols.run(simd, src, self.s.cols.len(), line.swapped(), work.fft.as_mut_ptr());
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
    Mat { re, im: LANES, rows: Axis::plain(2 * width), cols: Axis::lanes(2 * LANES), next }
}

/// Working memory of one task.
struct Work {
    line: Scratch,
    fft: Scratch,
}

impl Work {
    fn new(s: &Setup) -> Self {
        Self { line: Scratch::take(2 * s.cols.len() * LANES), fft: Scratch::take(s.cols.scratch_len()) }
    }
}

struct Apply<'a> {
    c: &'a Columns<'a>,
    wt: &'a [f32],
    from: &'a [f32],
    to: Shared,
    bin: usize,
}

impl Kernel for Apply<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (c, s, taps) = (self.c, self.c.s, self.c.taps);
        let n = s.cols.len();
        let mut kernel = Scratch::take(n * taps.spectrum_stride());
        taps.spectrum(simd, s, self.wt, self.bin, &mut kernel);
        let mut work = Work::new(s);
        let largest = c.blocks().next().map_or(0, |b| c.stride(c.from, b));
        let mut x = Scratch::take(if n == 1 { 0 } else { n * largest });
        let largest = c.blocks().next().map_or(0, |b| c.stride(c.to, b));
        let mut y = Scratch::take(if n == 1 { 0 } else { n * largest });
        let lines = self.from[self.bin * c.from.bin_stride()..].as_ptr();
        // SAFETY: frequency `bin` of the output lines, which is this task's own.
        let out = unsafe { self.to.at(self.bin * c.to.bin_stride()) };
        for block in c.blocks() {
            let (a, a_step) = c.analyse(simd, c.from, block, lines, &mut x, &mut work);
            let (rows, cols) = c.shape(c.to, block);
            let (target, t_step) = if n == 1 {
                (vectors(out.wrapping_add(2 * c.entry(c.to, block, 0)), c.to.planes.width(), 0), 0)
            } else {
                (vectors(y.as_mut_ptr(), cols, c.stride(c.to, block)), c.stride(c.to, block))
            };
            for k in 0..n {
                let w = taps.matrix(&mut kernel, k);
                let x = Mat { re: a.re.wrapping_add(k * a_step), ..a };
                let y = Mat { re: target.re.wrapping_add(k * t_step), ..target };
                // SAFETY: the matrices have these shapes by construction; y is a buffer of its own.
                unsafe {
                    if s.depthwise {
                        multiply(simd, s.lanes, rows, cols, x, w, y);
                    } else if s.lanes == Lanes::Channels {
                        let shape = Shape { m: rows, k: taps.rows, n: cols };
                        cgemm::<S, false, false>(simd, shape, x, w, y);
                    } else {
                        let w = if taps.conjugate { w.t() } else { w };
                        let shape = Shape { m: rows, k: c.from.planes.rows, n: cols };
                        cgemm::<S, false, false>(simd, shape, w, x, y);
                    }
                }
            }
            if n > 1 {
                c.synthesise(simd, c.to, block, &mut y, out, &mut work);
            }
        }
    }
}

struct Correlate<'a> {
    c: &'a Columns<'a>,
    from: &'a [f32],
    to: &'a [f32],
    out: Shared,
    bin: usize,
    add: bool,
}

impl Kernel for Correlate<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (c, s, taps) = (self.c, self.c.s, self.c.taps);
        let n = s.cols.len();
        let mut g = Scratch::take(n * taps.spectrum_stride());
        g.fill(0.0);
        let mut work = Work::new(s);
        let largest = c.blocks().next().map_or(0, |b| c.stride(c.from, b));
        let mut x = Scratch::take(if n == 1 { 0 } else { n * largest });
        let largest = c.blocks().next().map_or(0, |b| c.stride(c.to, b));
        let mut d = Scratch::take(if n == 1 { 0 } else { n * largest });
        let x_lines = self.from[self.bin * c.from.bin_stride()..].as_ptr();
        let d_lines = self.to[self.bin * c.to.bin_stride()..].as_ptr();
        for block in c.blocks() {
            let (a, a_step) = c.analyse(simd, c.from, block, x_lines, &mut x, &mut work);
            let (b, b_step) = c.analyse(simd, c.to, block, d_lines, &mut d, &mut work);
            let (rows, cols) = c.shape(c.to, block);
            for k in 0..n {
                let g = taps.matrix(&mut g, k);
                let x = Mat { re: a.re.wrapping_add(k * a_step), ..a };
                let d = Mat { re: b.re.wrapping_add(k * b_step), ..b };
                // SAFETY: as in `Apply`.
                unsafe {
                    if s.depthwise {
                        multiply_sum(simd, s.lanes, rows, cols, d, x, g);
                    } else if s.lanes == Lanes::Channels {
                        let shape = Shape { m: taps.rows, k: rows, n: cols };
                        cgemm::<S, true, true>(simd, shape, x.t(), d, g);
                    } else {
                        let shape = Shape { m: taps.rows, k: taps.width, n: cols };
                        cdot::<S, true>(simd, shape, d, x, g);
                    }
                }
            }
        }
        // SAFETY: frequency `bin` of the gradient's lines, which is this task's own.
        let out = unsafe { self.out.at(self.bin * taps.lines_len()) };
        taps.lines(simd, s, &mut g, out, self.add);
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

/// `g += Σ_n d · conj(x)`, one sum a channel.
///
/// # Safety
/// d and x are rows×cols with columns in lanes, g holds a sum for each channel.
#[inline(always)]
unsafe fn multiply_sum<S: Simd>(simd: S, lanes: Lanes, rows: usize, cols: usize, d: Mat, x: Mat, g: Mat) {
    // SAFETY: the caller's contract.
    unsafe {
        let product = |row: usize, col: usize, re: &mut S::V, im: &mut S::V| {
            let (p, q) = (d.re.add(d.rows.at(row) + d.cols.at(col)), x.re.add(x.rows.at(row) + x.cols.at(col)));
            let (dr, di) = (simd.load(p), simd.load(p.add(d.im)));
            let (xr, xi) = (simd.load(q), simd.load(q.add(x.im)));
            *re = simd.fma(di, xi, simd.fma(dr, xr, *re));
            *im = simd.fnma(dr, xi, simd.fma(di, xr, *im));
        };
        match lanes {
            Lanes::Channels => {
                for col in (0..cols).step_by(LANES) {
                    let p = g.re.add(g.cols.at(col));
                    let (mut re, mut im) = (simd.load(p), simd.load(p.add(g.im)));
                    (0..rows).for_each(|row| product(row, col, &mut re, &mut im));
                    simd.store(p, re);
                    simd.store(p.add(g.im), im);
                }
            }
            Lanes::Samples => {
                for row in 0..rows {
                    let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                    (0..cols).step_by(LANES).for_each(|col| product(row, col, &mut re, &mut im));
                    *g.re.add(row) += simd.sum(re);
                    *g.re.add(row + g.im) += simd.sum(im);
                }
            }
        }
    }
}
