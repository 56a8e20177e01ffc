//! The kernel's side: spectra from sparse taps, gradients at sparse taps.

use super::super::scratch::{Scratch, Shared};
use super::super::simd::{Kernel, LANES, Simd, dispatch};
use super::fft::View;
use super::{Lanes, Setup, padded};
use crate::ConvGeometry;
use rayon::prelude::*;

/// cos and sin of 2πj/N.
pub struct Roots(Vec<[f32; 2]>);

impl Roots {
    /// The N-th roots of unity.
    pub fn new(n: usize) -> Self {
        let angle = |j: usize| 2.0 * std::f64::consts::PI * j as f64 / n as f64;
        Self((0..n).map(|j| [angle(j).cos() as f32, angle(j).sin() as f32]).collect())
    }

    /// cos and sin of 2π·k·offset/N.
    #[inline(always)]
    pub fn at(&self, k: usize, offset: i32) -> [f32; 2] {
        self.0[(k as i64 * i64::from(offset)).rem_euclid(self.0.len() as i64) as usize]
    }
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
        Self { rows, width, cols, row_step, col_step, first: start * per, size, conjugate: transposed, groups }
    }

    /// The weight index (over all taps: times the number of taps) of a matrix entry.
    fn weight(&self, entry: usize) -> Option<usize> {
        let (r, c) = (entry / self.width, entry % self.width);
        (r < self.rows && c < self.cols).then(|| self.first + r * self.row_step + c * self.col_step)
    }

    /// The weights as `[kept tap][entry]`.
    pub fn gather(&self, s: &Setup, g: &ConvGeometry, w: &[f32]) -> Scratch {
        let (all, kept) = (g.taps.len(), s.kept.len());
        let mut out = Scratch::take(kept * self.size);
        let shared = Shared::new(&mut out);
        (0..self.size / LANES).into_par_iter().with_min_len(8).for_each(|v| {
            for e in v * LANES..(v + 1) * LANES {
                let weight = self.weight(e);
                for (t, &k) in s.kept.iter().enumerate() {
                    let value = weight.map_or(0.0, |i| w[i * all + k]);
                    // SAFETY: entry `e` of each tap is within `out` and belongs to this task.
                    unsafe { *shared.at(t * self.size + e) = value };
                }
            }
        });
        out
    }

    /// Floats from one row frequency to the next in a kernel spectrum.
    pub fn spectrum_stride(&self) -> usize {
        2 * self.size + LANES
    }

    /// Floats of the weight gradient's lines for one column frequency.
    pub fn lines_len(&self) -> usize {
        self.groups.len() * 2 * self.size
    }

    /// The kernel's spectrum at column frequency `k`: for each row frequency the matrix's real
    /// parts, then its imaginary parts.
    #[inline(always)]
    pub fn spectrum<S: Simd>(&self, simd: S, s: &Setup, wt: &[f32], k: usize, out: &mut [f32]) {
        let n = s.cols.len();
        assert!(wt.len() >= s.kept.len() * self.size && out.len() >= n * self.spectrum_stride());
        let mut buf = Scratch::take(2 * n * LANES + s.cols.scratch_len());
        let (line, work) = buf.split_at_mut(2 * n * LANES);
        line.fill(0.0);
        let sign = if self.conjugate { -1.0 } else { 1.0 };
        let phases: Vec<[f32; 2]> = s.taps.offsets().iter().map(|o| s.row_roots.at(k, o[1])).collect();
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
            let re = out.as_mut_ptr().wrapping_add(v);
            let mut src = View::packed(line.as_mut_ptr());
            let mut dst = View { re, im: re.wrapping_add(self.size), stride: self.spectrum_stride() };
            if !self.conjugate {
                (src, dst) = (src.swapped(), dst.swapped());
            }
            // SAFETY: `line` and `work` have the plan's lengths, `out` holds n strides (asserted).
            unsafe { s.cols.run(simd, src, n, dst, work.as_mut_ptr()) };
        }
    }

    /// From the weight gradient's spectrum at one column frequency (layout of
    /// [`Taps::spectrum`]) to its lines: at each distinct row offset real parts, imaginary parts.
    #[inline(always)]
    pub fn lines<S: Simd>(&self, simd: S, s: &Setup, spectrum: &mut [f32], out: *mut f32) {
        let n = s.cols.len();
        assert!(spectrum.len() >= n * self.spectrum_stride());
        let mut buf = Scratch::take(2 * n * LANES + s.cols.scratch_len());
        let (line, work) = buf.split_at_mut(2 * n * LANES);
        for v in (0..self.size).step_by(LANES) {
            let re = spectrum.as_mut_ptr().wrapping_add(v);
            let src = View { re, im: re.wrapping_add(self.size), stride: self.spectrum_stride() };
            // SAFETY: as in `spectrum`; the caller grants `lines_len` floats at `out`.
            unsafe {
                s.cols.run(simd, src, n, View::packed(line.as_mut_ptr()), work.as_mut_ptr());
                for (i, (row, _)) in self.groups.iter().enumerate() {
                    let at = i64::from(*row).rem_euclid(n as i64) as usize * 2 * LANES;
                    let to = out.add(i * 2 * self.size + v);
                    simd.store(to, simd.load(line.as_ptr().add(at)));
                    simd.store(to.add(self.size), simd.load(line.as_ptr().add(at + LANES)));
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
        let n = s.rows.len();
        for (i, (_, range)) in taps.groups.iter().enumerate() {
            for t in range.clone() {
                let mut sum = simd.splat(0.0);
                for k in 0..s.bins() {
                    let [c, d] = s.row_roots.at(k, s.taps.offsets()[t][1]);
                    // Frequency n − k adds the same again, unless it is k.
                    let weight = if k == 0 || 2 * k == n { 1.0 } else { 2.0 };
                    // SAFETY: within `lines` (length asserted).
                    unsafe {
                        let p = self.lines.as_ptr().add(k * taps.lines_len() + i * 2 * taps.size + self.v);
                        sum = simd.fma(simd.load(p), simd.splat(weight * c), sum);
                        sum = simd.fma(simd.load(p.add(taps.size)), simd.splat(weight * d), sum);
                    }
                }
                let mut lanes = [0.0; LANES];
                // SAFETY: 16 floats.
                unsafe { simd.store(lanes.as_mut_ptr(), sum) };
                for (lane, value) in lanes.iter().enumerate() {
                    if let Some(i) = taps.weight(self.v + lane) {
                        // SAFETY: a weight's gradient is within `dw` and belongs to this entry alone.
                        unsafe { *self.dw.at(i * self.all + s.kept[t]) = value * self.scale };
                    }
                }
            }
        }
    }
}
