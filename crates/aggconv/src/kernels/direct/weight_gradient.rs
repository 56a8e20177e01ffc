//! The weight gradient of grouped direct convolution.

use super::{FlatLayout, tile};
use crate::ConvGeometry;
use crate::kernels::scratch::{Scratch, SharedPtr};
use crate::kernels::simd::{Isa, LANES, Simd, SimdKernel, dispatch};
use rayon::prelude::*;

/// The number of floats of packed operands that are held at a time.
const PACKED_FLOATS: usize = 1 << 20;

/// The number of rows of the weight gradient that one task computes.
const TASK_ROWS: usize = 48;

/// Computes the gradient of the weights from the input and the gradient of the output.
pub fn weight_gradient(g: &ConvGeometry, flat: &FlatLayout, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let isa = Isa::current();
    let (ci, co, all) = (g.c_in_per_group(), g.c_out_per_group(), g.taps.len());
    let (plane, out_plane) = (g.input[0] * g.input[1], flat.size[0] * flat.size[1]);
    let (phases, taps) = (flat.phases.len(), flat.taps.len());
    dw.fill(0.0);
    if taps == 0 {
        return;
    }
    // A single output channel does not fill a vector, so the positions are the vectors instead.
    let single = co == 1;
    let width = if single { LANES } else { co.next_multiple_of(LANES) };
    let dy_len = if single { flat.span } else { flat.span * width };
    let x_len = ci * phases * flat.len;
    let offsets: Vec<isize> = (0..ci)
        .flat_map(|c| flat.taps.iter().map(move |t| (c, t)))
        .map(|(c, t)| ((c * phases + t.phase) * flat.len + flat.margin) as isize + t.shift)
        .collect();
    for &o in &offsets {
        assert!(o >= 0 && o as usize + flat.span <= x_len);
    }
    let blocks = offsets.len().div_ceil(TASK_ROWS);
    // If there are few rows, the batch is divided as well. The number of parts depends only on the shape.
    let parts = (16 / blocks).clamp(1, g.batch);
    let chunk = (PACKED_FLOATS / (x_len + dy_len)).clamp(parts, g.batch.max(parts));
    let mut xs = Scratch::take(chunk * x_len);
    let mut dys = Scratch::take(chunk * dy_len);
    let mut sums = Scratch::take(parts * offsets.len() * width);
    for group in 0..g.groups {
        sums.fill(0.0);
        for start in (0..g.batch).step_by(chunk) {
            let len = chunk.min(g.batch - start);
            let packed = xs.par_chunks_exact_mut(x_len).zip(dys.par_chunks_exact_mut(dy_len)).take(len);
            packed.enumerate().for_each(|(n, (px, pd))| {
                let x = &x[((start + n) * g.c_in + group * ci) * plane..];
                for (j, p) in px.chunks_exact_mut(flat.len).enumerate() {
                    flat.pack_input(j % phases, &x[j / phases * plane..][..plane], p);
                }
                let dy = &dy[((start + n) * g.c_out + group * co) * out_plane..][..co * out_plane];
                if single {
                    pd.fill(0.0);
                    for (r, from) in dy.chunks_exact(flat.size[1]).enumerate() {
                        pd[r * flat.pitch..][..from.len()].copy_from_slice(from);
                    }
                } else {
                    dispatch(isa, TransposeOutput { flat, dy, width, out: pd });
                }
            });
            let shared = SharedPtr::new(&mut sums);
            let (xs, dys, offsets) = (&xs, &dys, &offsets);
            (0..parts * blocks).into_par_iter().for_each(|i| {
                let (part, block) = (i / blocks, i % blocks);
                let rows = block * TASK_ROWS..offsets.len().min((block + 1) * TASK_ROWS);
                // SAFETY: only this task writes to the rows `rows` of part `part`.
                let out = unsafe { shared.at((part * offsets.len() + rows.start) * width) };
                let samples = part * len / parts..(part + 1) * len / parts;
                dispatch(
                    isa,
                    OuterProducts {
                        x: &xs[samples.start * x_len..samples.end * x_len],
                        dy: &dys[samples.start * dy_len..samples.end * dy_len],
                        x_len,
                        dy_len,
                        span: if single { flat.span } else { (flat.size[0] - 1) * flat.pitch + flat.size[1] },
                        offsets: &offsets[rows],
                        sums: out,
                        width,
                        single,
                    },
                );
            });
        }
        for (k, part) in (0..offsets.len()).flat_map(|k| (0..parts).map(move |p| (k, p))) {
            let row = &sums[(part * offsets.len() + k) * width..][..width];
            let index = |o: usize| ((group * co + o) * ci + k / taps) * all + flat.taps[k % taps].index;
            if single {
                dw[index(0)] += row.iter().sum::<f32>();
            } else {
                row[..co].iter().enumerate().for_each(|(o, v)| dw[index(o)] += v);
            }
        }
    }
}

struct TransposeOutput<'a> {
    flat: &'a FlatLayout,
    dy: &'a [f32],
    width: usize,
    out: &'a mut [f32],
}

impl SimdKernel for TransposeOutput<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.flat.transpose_output(simd, self.dy, self.width, self.out);
    }
}

struct OuterProducts<'a> {
    x: &'a [f32],
    dy: &'a [f32],
    x_len: usize,
    dy_len: usize,
    span: usize,
    offsets: &'a [isize],
    sums: *mut f32,
    width: usize,
    single: bool,
}

impl SimdKernel for OuterProducts<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (x, dy) in self.x.chunks_exact(self.x_len).zip(self.dy.chunks_exact(self.dy_len)) {
            let (x, dy) = (x.as_ptr(), dy.as_ptr());
            // SAFETY: `weight_gradient` has checked that a span from every offset lies within the planes of a sample,
            // and `sums` points to the rows of this task.
            unsafe {
                if self.single {
                    tile::dots(simd, self.span, self.offsets, x, dy, self.sums);
                } else {
                    tile::outer(simd, self.span, self.offsets, x, dy, self.sums, self.width);
                }
            }
        }
    }
}
