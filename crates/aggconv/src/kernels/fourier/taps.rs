//! The kernel's side: spectra from sparse taps, gradients at sparse taps.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch};
use super::cgemm::{Axis, Mat};
use super::fft::View;
use super::{Lanes, Setup, padded};
use crate::ConvGeometry;
use rayon::prelude::*;

/// cos and sin of 2π·k·offset/N for every stored frequency k and every offset.
pub fn phases(n: usize, offsets: impl Iterator<Item = i32> + Clone) -> Vec<[f32; 2]> {
    let angle = |j: usize| 2.0 * std::f64::consts::PI * j as f64 / n as f64;
    let roots: Vec<[f32; 2]> = (0..n).map(|j| [angle(j).cos() as f32, angle(j).sin() as f32]).collect();
    let at = |k: usize, o: i32| roots[(k as i64 * i64::from(o)).rem_euclid(n as i64) as usize];
    (0..n / 2 + 1).flat_map(|k| offsets.clone().map(move |o| at(k, o)).collect::<Vec<_>>()).collect()
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

    /// The weights as `[kept tap][entry]`.
    pub fn gather(&self, s: &Setup, g: &ConvGeometry, w: &[f32]) -> Scratch {
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

    /// Floats from one row frequency to the next in a kernel spectrum.
    pub fn spectrum_stride(&self) -> usize {
        2 * self.size + 2 * LANES
    }

    /// The matrix at a row frequency of a spectrum.
    pub fn matrix(&self, spectrum: &mut [f32], k: usize) -> Mat {
        let next = self.spectrum_stride();
        let re = spectrum[k * next..].as_mut_ptr();
        if self.vectors {
            Mat { re, im: LANES, rows: Axis::plain(2 * LANES), cols: Axis::lanes(2 * LANES * self.rows), next }
        } else {
            Mat { re, im: self.size, rows: Axis::plain(self.width), cols: Axis::plain(1), next }
        }
    }

    /// Where a vector of entries lies in a row frequency of a spectrum.
    #[inline(always)]
    fn view(&self, spectrum: *mut f32, v: usize) -> View {
        let stride = self.spectrum_stride();
        if self.vectors {
            let re = spectrum.wrapping_add(2 * LANES * (v % self.width / LANES * self.rows + v / self.width));
            View { re, im: re.wrapping_add(LANES), stride }
        } else {
            let re = spectrum.wrapping_add(v);
            View { re, im: re.wrapping_add(self.size), stride }
        }
    }

    /// Floats of the weight gradient's lines for one column frequency.
    pub fn lines_len(&self) -> usize {
        self.groups.len() * 2 * self.size
    }

    /// The kernel's spectrum at column frequency `k`: a matrix ([`Taps::matrix`]) for each row
    /// frequency.
    #[inline(always)]
    pub fn spectrum<S: Simd>(&self, simd: S, s: &Setup, wt: &[f32], k: usize, out: &mut [f32]) {
        let n = s.cols.len();
        assert!(wt.len() >= s.kept.len() * self.size && out.len() >= n * self.spectrum_stride());
        let mut buf = Scratch::take(2 * n * LANES + s.cols.scratch_len());
        let (line, work) = buf.split_at_mut(2 * n * LANES);
        line.fill(0.0);
        let sign = if self.conjugate { -1.0 } else { 1.0 };
        let phases = &s.phases[k * s.kept.len()..][..s.kept.len()];
        for v in (0..self.size).step_by(LANES) {
            for (row, range) in &self.groups {
                let (mut re, mut im) = (simd.splat(0.0), simd.splat(0.0));
                for t in range.clone() {
                    let [c, d] = phases[t];
                    // SAFETY: vector v of tap t lies within `wt` (asserted).
                    let x = unsafe { simd.load(wt.as_ptr().add(t * self.size + v)) };
                    re = simd.fma(x, simd.splat(c), re);
                    im = simd.fma(x, simd.splat(sign * d), im);
                }
                let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                // SAFETY: `at` is an element of `line`.
                unsafe {
                    simd.store(line.as_mut_ptr().add(at), re);
                    simd.store(line.as_mut_ptr().add(at + LANES), im);
                }
            }
            let mut src = View::packed(line.as_mut_ptr());
            let mut dst = self.view(out.as_mut_ptr(), v);
            if !self.conjugate {
                (src, dst) = (src.swapped(), dst.swapped());
            }
            // SAFETY: `line` and `work` have the plan's lengths, `out` holds n strides (asserted).
            unsafe { s.cols.run(simd, src, n, dst, work.as_mut_ptr()) };
        }
    }

    /// From the weight gradient's spectrum at one column frequency (layout of
    /// [`Taps::spectrum`]) to its lines: at each distinct row offset real parts, imaginary parts;
    /// added to what is there if `add`.
    #[inline(always)]
    pub fn lines<S: Simd>(&self, simd: S, s: &Setup, spectrum: &mut [f32], out: *mut f32, add: bool) {
        let n = s.cols.len();
        assert!(spectrum.len() >= n * self.spectrum_stride());
        let mut buf = Scratch::take(2 * n * LANES + s.cols.scratch_len());
        let (line, work) = buf.split_at_mut(2 * n * LANES);
        for v in (0..self.size).step_by(LANES) {
            let src = self.view(spectrum.as_mut_ptr(), v);
            // SAFETY: as in `spectrum`; the caller grants `lines_len` floats at `out`.
            unsafe {
                s.cols.run(simd, src, n, View::packed(line.as_mut_ptr()), work.as_mut_ptr());
                for (i, (row, _)) in self.groups.iter().enumerate() {
                    let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                    let to = out.add(i * 2 * self.size + v);
                    for (from, to) in [(at, to), (at + LANES, to.add(self.size))] {
                        let v = simd.load(line.as_ptr().add(from));
                        simd.store(to, if add { simd.add(v, simd.load(to)) } else { v });
                    }
                }
            }
        }
    }

    /// From the lines at every column frequency to the weight gradient.
    pub fn scatter(&self, s: &Setup, g: &ConvGeometry, lines: &[f32], scale: f32, dw: &mut [f32]) {
        assert_eq!(lines.len(), s.bins() * self.lines_len());
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
        let (all, size) = (self.position.len(), self.taps.size);
        let mut weights = [None; LANES];
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = self.taps.weight(self.v + i));
        for t in (0..all).step_by(LANES) {
            let n = LANES.min(all - t);
            let mut rows = [simd.splat(0.0); LANES];
            for (r, weight) in rows.iter_mut().zip(weights) {
                if let Some(i) = weight {
                    let from = &self.w[i * all + t..][..n];
                    // SAFETY: `from` holds n floats.
                    *r =
                        unsafe { if n == LANES { simd.load(from.as_ptr()) } else { simd.load_some(from.as_ptr(), n) } };
                }
            }
            for (c, to) in simd.transpose(rows).into_iter().zip(&self.position[t..t + n]) {
                if let Some(to) = to {
                    // SAFETY: vector v of each kept tap is within the output and this task's own.
                    unsafe { simd.store(self.out.at(to * size + self.v), c) };
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
        let (bins, count) = (s.bins(), s.kept.len());
        let mut weights = [None; LANES];
        weights.iter_mut().enumerate().for_each(|(i, w)| *w = taps.weight(self.v + i));
        for (i, (_, range)) in taps.groups.iter().enumerate() {
            // Eight taps at a time share what is read of the lines.
            for first in range.clone().step_by(8) {
                let some = (range.end - first).min(8);
                let mut sums = [simd.splat(0.0); 8];
                for k in 0..bins {
                    // SAFETY: within `lines` (length asserted).
                    let (re, im) = unsafe {
                        let p = self.lines.as_ptr().add(k * taps.lines_len() + i * 2 * taps.size + self.v);
                        (simd.load(p), simd.load(p.add(taps.size)))
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
                    let mut lanes = [0.0; LANES];
                    // SAFETY: 16 floats.
                    unsafe { simd.store(lanes.as_mut_ptr(), sum) };
                    for (weight, value) in weights.iter().zip(lanes) {
                        if let Some(i) = weight {
                            // SAFETY: a weight's gradient is within `dw`, this entry's alone.
                            unsafe { *self.dw.at(i * self.all + s.kept[t]) = value * self.scale };
                        }
                    }
                }
            }
        }
    }
}
