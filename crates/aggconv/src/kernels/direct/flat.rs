//! A layout of planes in which every tap is one constant shift.
//!
//! With stride s, the tap at offset o = f·s + p reads phase p of the input at the output position plus f. Each phase
//! that is read is copied to a plane of the output's size whose rows are `pitch` floats apart. The zeros between two
//! rows serve as the padding of both. Element (r, c) lies at `margin + r·pitch + c`, and a tap at f = (f_r, f_c) reads
//! `f_r·pitch + f_c` floats further. Results at the positions between rows are discarded.

use crate::ConvGeometry;
use crate::kernels::simd::{LANES, Simd, load_transposed};

/// A tap that can touch the input.
#[derive(Debug, Clone, Copy)]
pub struct Tap {
    /// Its index among the taps of the geometry.
    pub index: usize,
    /// The index in [`FlatLayout::phases`] of the phase that it reads.
    pub phase: usize,
    /// The number of floats from an output position to the element that the tap reads.
    pub shift: isize,
}

/// The flat layout of one plane.
#[derive(Debug, Clone)]
pub struct FlatLayout {
    /// Rows and columns of a plane: the size of the output.
    pub size: [usize; 2],
    /// The number of floats from one row to the next.
    pub pitch: usize,
    /// The number of floats before element (0, 0).
    pub margin: usize,
    /// The number of floats from element (0, 0) to the end of the last row, rounded up to whole vectors.
    pub span: usize,
    /// The number of floats of a plane, including its margins.
    pub len: usize,
    /// The phases of the input that are read.
    pub phases: Vec<[usize; 2]>,
    /// The taps that can touch the input.
    pub taps: Vec<Tap>,
    stride: [usize; 2],
    input: [usize; 2],
}

impl FlatLayout {
    /// The layout for a geometry.
    pub fn new(g: &ConvGeometry) -> Self {
        let size = g.output();
        let split = |o: i32, s: usize| (o.div_euclid(s as i32), o.rem_euclid(s as i32) as usize);
        let near = |f: i32, n: usize| (f.unsigned_abs() as usize) < n;
        let mut phases = Vec::new();
        let mut found = Vec::new();
        let mut reach = [0, 0];
        for (index, &[dr, dc]) in g.taps.offsets().iter().enumerate() {
            let ((fr, pr), (fc, pc)) = (split(dr, g.stride[0]), split(dc, g.stride[1]));
            if !near(fr, size[0]) || !near(fc, size[1]) || pr >= g.input[0] || pc >= g.input[1] {
                continue;
            }
            reach = [reach[0].max(fr.unsigned_abs() as usize), reach[1].max(fc.unsigned_abs() as usize)];
            let phase = phases.iter().position(|&p| p == [pr, pc]).unwrap_or_else(|| {
                phases.push([pr, pc]);
                phases.len() - 1
            });
            found.push((index, phase, fr as isize, fc as isize));
        }
        let pitch = size[1] + reach[1];
        let margin = (reach[0] * pitch + reach[1]).next_multiple_of(LANES);
        let span = ((size[0] - 1) * pitch + size[1]).next_multiple_of(LANES);
        // An odd number of cache lines, so that the planes of different channels do not compete for the same cache
        // sets.
        let mut len = (2 * margin + span).next_multiple_of(LANES);
        if len.is_multiple_of(2 * LANES) {
            len += LANES;
        }
        let taps = found
            .into_iter()
            .map(|(index, phase, fr, fc)| Tap { index, phase, shift: fr * pitch as isize + fc })
            .collect();
        Self { size, pitch, margin, span, len, phases, taps, stride: g.stride, input: g.input }
    }

    /// The number of input rows and columns in phase `p`.
    fn extent(&self, p: usize) -> [usize; 2] {
        let [a, b] = self.phases[p];
        [(self.input[0] - a).div_ceil(self.stride[0]), (self.input[1] - b).div_ceil(self.stride[1])]
    }

    /// Copies phase `p` of an input plane to its flat plane and writes zeros around it.
    pub fn pack_input(&self, p: usize, plane: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        self.copy_input(p, plane, out);
    }

    /// As [`pack_input`](Self::pack_input), for a flat plane that already contains the zeros.
    pub fn copy_input(&self, p: usize, plane: &[f32], out: &mut [f32]) {
        let ([a, b], [rows, cols]) = (self.phases[p], self.extent(p));
        for r in 0..rows.min(self.size[0]) {
            let from = &plane[(r * self.stride[0] + a) * self.input[1] + b..];
            let to = &mut out[self.margin + r * self.pitch..][..cols];
            if self.stride[1] == 1 {
                to.copy_from_slice(&from[..cols]);
            } else {
                to.iter_mut().zip(from.iter().step_by(self.stride[1])).for_each(|(t, f)| *t = *f);
            }
        }
    }

    /// Copies an output plane to its flat plane and writes zeros around it.
    pub fn pack_output(&self, plane: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        self.copy_output(plane, out);
    }

    /// As [`pack_output`](Self::pack_output), for a flat plane that already contains the zeros.
    pub fn copy_output(&self, plane: &[f32], out: &mut [f32]) {
        for (r, from) in plane.chunks_exact(self.size[1]).enumerate() {
            out[self.margin + r * self.pitch..][..self.size[1]].copy_from_slice(from);
        }
    }

    /// Copies flat output positions (without margin) to an output plane and adds `bias`.
    pub fn unpack_output(&self, flat: &[f32], bias: f32, plane: &mut [f32]) {
        for (r, to) in plane.chunks_exact_mut(self.size[1]).enumerate() {
            let from = &flat[r * self.pitch..][..self.size[1]];
            to.iter_mut().zip(from).for_each(|(t, f)| *t = f + bias);
        }
    }

    /// Copies flat positions of phase `p` (without margin) to their elements of the input plane.
    pub fn unpack_input(&self, p: usize, flat: &[f32], plane: &mut [f32]) {
        let ([a, b], [rows, cols]) = (self.phases[p], self.extent(p));
        for r in 0..rows {
            let from = &flat[r * self.pitch..][..cols];
            let to = &mut plane[(r * self.stride[0] + a) * self.input[1] + b..];
            if self.stride[1] == 1 {
                to[..cols].copy_from_slice(from);
            } else {
                to.iter_mut().step_by(self.stride[1]).zip(from).for_each(|(t, f)| *t = *f);
            }
        }
    }

    /// Transposes the output planes of one sample: `out[position][channel]`, with `width` floats for each flat
    /// position. Channels beyond the planes and positions between rows are 0.
    #[inline(always)]
    pub fn transpose_output<S: Simd>(&self, simd: S, planes: &[f32], width: usize, out: &mut [f32]) {
        let plane = self.size[0] * self.size[1];
        let channels = planes.len() / plane;
        if self.pitch > self.size[1] || channels < width || out.len() > plane * width {
            out.fill(0.0);
        }
        for c in (0..channels).step_by(LANES) {
            let some = LANES.min(channels - c);
            for r in 0..self.size[0] {
                let mut q = 0;
                while q < self.size[1] {
                    let n = LANES.min(self.size[1] - q);
                    let at = &mut out[(r * self.pitch + q) * width + c..][..(n - 1) * width + LANES];
                    let row =
                        |i: usize| (i < some).then(|| planes[(c + i) * plane + r * self.size[1] + q..][..n].as_ptr());
                    // SAFETY: n floats are readable there.
                    let vectors = unsafe { load_transposed(simd, n, row) };
                    for (i, v) in vectors.into_iter().enumerate().take(n) {
                        // SAFETY: `at` holds n rows, and of the last one only the part that is written.
                        unsafe { simd.store(at.as_mut_ptr().add(i * width), v) };
                    }
                    q += n;
                }
            }
        }
    }
}
