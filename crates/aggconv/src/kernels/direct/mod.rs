//! Convolution tap by tap, without a matrix of patches.
//!
//! In the layout of `flat` every tap of every channel is a constant shift, so that the
//! convolution is one matrix product whose right operand is read in place at those shifts:
//! forward `y[o][q] = Σ_(c,t) w[o][(c,t)] · x[c][q + shift(t)]`, backward the same with the
//! shifts negated; the weight gradient `Σ_q x[c][q + shift(t)] · dy[q][o]` has output channels
//! in the vectors. `tile` holds the register-blocked products.

mod depthwise;
mod flat;
mod tile;

use super::Gradients;
use super::scratch::{Scratch, Shared};
use super::simd::{Isa, Kernel, LANES, Simd, dispatch};
use crate::ConvGeometry;
pub(super) use flat::Flat;
use rayon::prelude::*;
use tile::Blocks;

/// Output positions p of one axis (a range) with `0 ≤ p·stride + offset < n`.
pub fn overlap(n: usize, out: usize, stride: usize, offset: i32) -> std::ops::Range<usize> {
    let (n, s, o) = (n as i64, stride as i64, i64::from(offset));
    let first = (-o).max(0).div_euclid(s) + i64::from((-o).max(0).rem_euclid(s) != 0);
    let end = if n - o <= 0 { 0 } else { (n - 1 - o) / s + 1 };
    let end = end.clamp(0, out as i64) as usize;
    (first as usize).min(end)..end
}

/// Rows of a block of packed weights on an instruction set.
fn block_rows(isa: Isa) -> usize {
    struct Rows;
    impl Kernel for Rows {
        type Out = usize;
        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> usize {
            S::WIDE.0
        }
    }
    dispatch(isa, Rows)
}

/// One product `out[m] = Σ_k weights[k][m] · planes[offsets[k]]` of a group of channels.
struct Product {
    /// Output channels.
    rows: usize,
    /// Blocks of rows, each `[k][row of the block]`.
    weights: Scratch,
    /// Where, from a group's first flat plane, the operand of position 0 lies.
    offsets: Vec<isize>,
}

impl Product {
    /// Packs weights given by (row, k).
    fn new(isa: Isa, rows: usize, offsets: Vec<isize>, weight: impl Fn(usize, usize) -> f32) -> Self {
        let depth = offsets.len();
        let mut weights = Scratch::take(rows * depth);
        let mut at = 0;
        for (m, size) in Blocks::new(rows, block_rows(isa)) {
            for (k, row) in weights[at..at + size * depth].chunks_exact_mut(size).enumerate() {
                row.iter_mut().enumerate().for_each(|(i, v)| *v = weight(m + i, k));
            }
            at += size * depth;
        }
        Self { rows, weights, offsets }
    }

    /// Computes the product for all positions.
    fn run(&self, isa: Isa, flat: &Flat, planes: &[f32], out: &mut [f32]) {
        // What `correlate` may touch: checked here once for all positions.
        for &o in &self.offsets {
            assert!(o >= 0 && o as usize + flat.span <= planes.len());
        }
        assert!(out.len() >= self.rows * flat.span);
        dispatch(isa, Correlate { product: self, span: flat.span, planes, out });
    }
}

struct Correlate<'a> {
    product: &'a Product,
    span: usize,
    planes: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for Correlate<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (p, x, out) = (self.product, self.planes.as_ptr(), self.out.as_mut_ptr());
        // SAFETY: `Product::run` has checked planes and output; the weights were packed in the
        // same blocks.
        unsafe {
            tile::correlate(simd, (p.rows, self.span), p.weights.as_ptr(), &p.offsets, x, out, self.span);
        }
    }
}

/// `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    if depthwise::applies(g) {
        return depthwise::forward(g, x, w, bias, y);
    }
    let isa = Isa::current();
    let flat = Flat::new(g);
    let (ci, co, all) = (g.c_in_per_group(), g.c_out_per_group(), g.taps.len());
    let (plane, out_plane) = (g.input[0] * g.input[1], flat.size[0] * flat.size[1]);
    let (phases, taps) = (flat.phases.len(), flat.taps.len());
    let offsets: Vec<isize> = (0..ci)
        .flat_map(|c| flat.taps.iter().map(move |t| (c, t)))
        .map(|(c, t)| ((c * phases + t.phase) * flat.len + flat.margin) as isize + t.shift)
        .collect();
    let weight = |o: usize, k: usize| w[(o * ci + k / taps) * all + flat.taps[k % taps].index];
    let products: Vec<_> = (0..g.groups)
        .into_par_iter()
        .map(|i| Product::new(isa, co, offsets.clone(), |m, k| weight(i * co + m, k)))
        .collect();
    y.par_chunks_mut(g.c_out * out_plane).zip(x.par_chunks(g.c_in * plane)).for_each(|(y, x)| {
        let mut planes = Scratch::take(ci * phases * flat.len);
        let mut out = Scratch::take(co * flat.span);
        for (i, product) in products.iter().enumerate() {
            for (j, p) in planes.chunks_exact_mut(flat.len).enumerate() {
                flat.pack_input(j % phases, &x[(i * ci + j / phases) * plane..][..plane], p);
            }
            product.run(isa, &flat, &planes, &mut out);
            for (m, out) in out.chunks_exact(flat.span).enumerate() {
                let o = i * co + m;
                flat.unpack_output(out, bias.map_or(0.0, |b| b[o]), &mut y[o * out_plane..][..out_plane]);
            }
        }
    });
}

/// The gradients of [`forward`].
pub fn backward(g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    if depthwise::applies(g) && (grads.x.is_some() || grads.w.is_some()) {
        return depthwise::backward(g, x, w, dy, grads);
    }
    if let Some(db) = grads.bias {
        super::bias_gradient(g, dy, db);
    }
    let flat = Flat::new(g);
    if let Some(dx) = grads.x {
        input_gradient(g, &flat, w, dy, dx);
    }
    if let Some(dw) = grads.w {
        weight_gradient(g, &flat, x, dy, dw);
    }
}

fn input_gradient(g: &ConvGeometry, flat: &Flat, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    let isa = Isa::current();
    let (ci, co, all) = (g.c_in_per_group(), g.c_out_per_group(), g.taps.len());
    let (plane, out_plane) = (g.input[0] * g.input[1], flat.size[0] * flat.size[1]);
    let phases = flat.phases.len();
    // Each phase of the input is reached by its own taps.
    let products: Vec<_> = (0..g.groups * phases)
        .into_par_iter()
        .map(|i| {
            let (group, phase) = (i / phases, i % phases);
            let taps: Vec<_> = flat.taps.iter().filter(|t| t.phase == phase).collect();
            let offsets = (0..co)
                .flat_map(|o| taps.iter().map(move |t| (o, t)))
                .map(|(o, t)| (o * flat.len + flat.margin) as isize - t.shift)
                .collect();
            Product::new(isa, ci, offsets, |c, k| {
                let o = group * co + k / taps.len();
                w[(o * ci + c) * all + taps[k % taps.len()].index]
            })
        })
        .collect();
    dx.par_chunks_mut(g.c_in * plane).zip(dy.par_chunks(g.c_out * out_plane)).for_each(|(dx, dy)| {
        let mut planes = Scratch::take(co * flat.len);
        let mut out = Scratch::take(ci * flat.span);
        if phases < g.stride[0] * g.stride[1] {
            dx.fill(0.0); // phases that no tap reads
        }
        for (i, product) in products.iter().enumerate() {
            let (group, phase) = (i / phases, i % phases);
            if phase == 0 {
                for (o, p) in planes.chunks_exact_mut(flat.len).enumerate() {
                    flat.pack_output(&dy[(group * co + o) * out_plane..][..out_plane], p);
                }
            }
            product.run(isa, flat, &planes, &mut out);
            for (c, out) in out.chunks_exact(flat.span).enumerate() {
                flat.unpack_input(phase, out, &mut dx[(group * ci + c) * plane..][..plane]);
            }
        }
    });
}

/// Floats of packed operands that are held at a time.
const CHUNK: usize = 1 << 20;

/// Rows of the weight gradient that one task computes.
const ROWS: usize = 48;

fn weight_gradient(g: &ConvGeometry, flat: &Flat, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let isa = Isa::current();
    let (ci, co, all) = (g.c_in_per_group(), g.c_out_per_group(), g.taps.len());
    let (plane, out_plane) = (g.input[0] * g.input[1], flat.size[0] * flat.size[1]);
    let (phases, taps) = (flat.phases.len(), flat.taps.len());
    dw.fill(0.0);
    if taps == 0 {
        return;
    }
    // One output channel leaves no vector of them: positions are the vector instead.
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
    let blocks = offsets.len().div_ceil(ROWS);
    // Few rows: split the batch too, into parts whose number depends on the shape alone.
    let parts = (16 / blocks).clamp(1, g.batch);
    let chunk = (CHUNK / (x_len + dy_len)).clamp(parts, g.batch.max(parts));
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
                    dispatch(isa, Transpose { flat, dy, width, out: pd });
                }
            });
            let shared = Shared::new(&mut sums);
            let (xs, dys, offsets) = (&xs, &dys, &offsets);
            (0..parts * blocks).into_par_iter().for_each(|i| {
                let (part, block) = (i / blocks, i % blocks);
                let rows = block * ROWS..offsets.len().min((block + 1) * ROWS);
                // SAFETY: rows `rows` of part `part`: this task's own.
                let out = unsafe { shared.at((part * offsets.len() + rows.start) * width) };
                let samples = part * len / parts..(part + 1) * len / parts;
                dispatch(
                    isa,
                    Outer {
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

struct Transpose<'a> {
    flat: &'a Flat,
    dy: &'a [f32],
    width: usize,
    out: &'a mut [f32],
}

impl Kernel for Transpose<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        self.flat.transpose_output(simd, self.dy, self.width, self.out);
    }
}

struct Outer<'a> {
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

impl Kernel for Outer<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (x, dy) in self.x.chunks_exact(self.x_len).zip(self.dy.chunks_exact(self.dy_len)) {
            let (x, dy) = (x.as_ptr(), dy.as_ptr());
            // SAFETY: `weight_gradient` has checked that every offset leaves a span within a
            // sample's planes; `sums` points at this task's rows.
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
