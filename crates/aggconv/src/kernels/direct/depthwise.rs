//! Direct depthwise convolution. A plane is copied once to the padded layout of `flat`, and everything that depends on
//! it is computed while it is in the cache.

use super::FlatLayout;
use super::tile;
use crate::ConvGeometry;
use crate::kernels::Gradients;
use crate::kernels::scratch::{Scratch, SharedPtr};
use crate::kernels::simd::{Isa, LANES, Simd, SimdKernel, dispatch};
use crate::kernels::sums::sum;
use rayon::prelude::*;

/// The taps of one phase of the input, for all channels.
struct PhaseTaps {
    /// Indices into `FlatLayout::taps`.
    taps: Vec<usize>,
    /// The offsets of their operands in a flat plane of the output gradient.
    offsets: Vec<isize>,
}

/// The number of contiguous floats of output planes that one task should process. The small planes of one channel lie
/// far apart, and the hardware prefetcher does not follow from one to the next, so a task takes a block of neighboring
/// channels.
const BLOCK_FLOATS: usize = 1024;

/// The maximum number of channels in a block.
const MAX_BLOCK_CHANNELS: usize = 8;

/// The minimum number of tasks into which the gradients are divided.
const MIN_TASKS: usize = 32;

/// The layout that all planes share.
struct DepthwiseLayout<'a> {
    g: &'a ConvGeometry,
    flat: FlatLayout,
    isa: Isa,
    /// The offsets of the taps' operands in the flat planes of the input's phases.
    offsets: Vec<isize>,
    phases: Vec<PhaseTaps>,
}

impl<'a> DepthwiseLayout<'a> {
    pub(super) fn new(g: &'a ConvGeometry) -> Self {
        let flat = FlatLayout::new(g);
        let offsets: Vec<isize> =
            flat.taps.iter().map(|t| (t.phase * flat.len + flat.margin) as isize + t.shift).collect();
        let phases: Vec<PhaseTaps> = (0..flat.phases.len())
            .map(|p| {
                let taps: Vec<usize> = (0..flat.taps.len()).filter(|&t| flat.taps[t].phase == p).collect();
                let offsets = taps.iter().map(|&t| flat.margin as isize - flat.taps[t].shift).collect();
                PhaseTaps { taps, offsets }
            })
            .collect();
        // The ranges that the tiles access are checked here, once for all planes.
        let all = flat.phases.len() * flat.len;
        assert!(offsets.iter().all(|&o| o >= 0 && o as usize + flat.span <= all));
        let back = phases.iter().flat_map(|p| &p.offsets);
        assert!(back.into_iter().all(|&o| o >= 0 && o as usize + flat.span <= flat.len));
        Self { g, flat, isa: Isa::current(), offsets, phases }
    }

    /// The number of floats of the flat planes of an input plane.
    fn input_len(&self) -> usize {
        self.flat.phases.len() * self.flat.len
    }

    /// The weights of the given indices into `FlatLayout::taps`, channel by channel.
    fn weights(&self, w: &[f32], taps: impl Iterator<Item = usize> + Clone) -> Vec<f32> {
        let channel = |w: &[f32]| taps.clone().map(|t| w[self.flat.taps[t].index]).collect::<Vec<_>>();
        w.chunks_exact(self.g.taps.len()).flat_map(channel).collect()
    }

    fn plane(&self) -> usize {
        self.g.input[0] * self.g.input[1]
    }

    fn out_plane(&self) -> usize {
        self.flat.size[0] * self.flat.size[1]
    }

    /// Flat planes that are 0 outside the elements of a plane.
    fn zeros(&self, len: usize) -> Scratch {
        let mut planes = Scratch::take(len);
        planes.fill(0.0);
        planes
    }

    fn pack_input(&self, x: &[f32], planes: &mut [f32]) {
        for (p, out) in planes.chunks_exact_mut(self.flat.len).enumerate() {
            self.flat.copy_input(p, x, out);
        }
    }

    /// Computes `out[q] = Σ_t weights[t] · planes[offsets[t] + q]` for all flat positions.
    fn correlate(&self, weights: &[f32], offsets: &[isize], planes: &[f32], out: &mut [f32]) {
        assert!(weights.len() == offsets.len() && out.len() >= self.flat.span);
        dispatch(self.isa, SingleRow { span: self.flat.span, weights, offsets, planes, out });
    }
}

/// Computes `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let l = DepthwiseLayout::new(g);
    let (plane, out_plane, taps) = (l.plane(), l.out_plane(), l.flat.taps.len());
    let weights = l.weights(w, 0..taps);
    let buffers = || (l.zeros(l.input_len()), Scratch::take(l.flat.span));
    y.par_chunks_mut(out_plane).with_min_len(8).enumerate().for_each_init(buffers, |(planes, out), (i, y)| {
        let c = i % g.c_out;
        l.pack_input(&x[i * plane..][..plane], planes);
        l.correlate(&weights[c * taps..][..taps], &l.offsets, planes, out);
        l.flat.unpack_output(out, bias.map_or(0.0, |b| b[c]), y);
    });
}

/// Computes the gradients of [`forward`].
pub fn backward(g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], grads: Gradients<'_>) {
    let l = DepthwiseLayout::new(g);
    let (plane, out_plane, all, taps) = (l.plane(), l.out_plane(), g.taps.len(), l.flat.taps.len());
    let (wants_x, mut dx) = (grads.x.is_some(), grads.x);
    let (wants_w, wants_bias) = (grads.w.is_some(), grads.bias.is_some());
    if let Some(dx) = dx.as_deref_mut().filter(|_| l.phases.len() < g.stride[0] * g.stride[1]) {
        dx.fill(0.0); // for phases that no tap reads
    }
    let mut nothing = [];
    let dx = SharedPtr::new(dx.unwrap_or(&mut nothing));
    let weights: Vec<_> = l.phases.iter().map(|phase| l.weights(w, phase.taps.iter().copied())).collect();
    // Blocks of channels. If there are few of them, the batch is divided as well. The division depends only on the
    // shape.
    let block = BLOCK_FLOATS.div_ceil(out_plane).min(MAX_BLOCK_CHANNELS);
    let blocks = g.c_in.div_ceil(block);
    let parts = MIN_TASKS.div_ceil(blocks).min(g.batch);
    // Sums `[part][channel][tap][lane]`.
    let mut sums = Scratch::take(if wants_w { parts * g.c_in * taps * LANES } else { 0 });
    let shared = SharedPtr::new(&mut sums);
    let buffers = || {
        let (input, output) = (l.zeros(l.input_len()), l.zeros(l.flat.len));
        (input, output, Scratch::take(l.flat.span))
    };
    let task = |(px, pd, out): &mut (Scratch, Scratch, Scratch), i: usize| -> Vec<f64> {
        let (channels, part) = (i / parts * block..g.c_in.min((i / parts + 1) * block), i % parts);
        let floats = if wants_w { taps * LANES } else { 0 };
        // SAFETY: only this task uses the sums of these channels and this part.
        let own = unsafe {
            let start = shared.at((part * g.c_in + channels.start) * floats);
            std::slice::from_raw_parts_mut(start, channels.len() * floats)
        };
        own.fill(0.0);
        let mut totals = vec![0f64; channels.len()];
        for n in part * g.batch / parts..(part + 1) * g.batch / parts {
            for (i, c) in channels.clone().enumerate() {
                let at = n * g.c_in + c;
                let dy = &dy[at * out_plane..][..out_plane];
                l.flat.copy_output(dy, pd);
                if wants_bias {
                    totals[i] += sum(dy);
                }
                if wants_w {
                    l.pack_input(&x[at * plane..][..plane], px);
                    let (dy, sums) = (&pd[l.flat.margin..][..l.flat.span], &mut own[i * floats..][..floats]);
                    dispatch(l.isa, DotProducts { offsets: &l.offsets, planes: px, dy, sums });
                }
                if wants_x {
                    // SAFETY: only this task writes to plane `at` of the input gradient.
                    let dx = unsafe { std::slice::from_raw_parts_mut(dx.at(at * plane), plane) };
                    for (p, (phase, weights)) in l.phases.iter().zip(&weights).enumerate() {
                        let taps = phase.taps.len();
                        l.correlate(&weights[c * taps..][..taps], &phase.offsets, pd, out);
                        l.flat.unpack_input(p, out, dx);
                    }
                }
            }
        }
        totals
    };
    let totals: Vec<Vec<f64>> = (0..blocks * parts).into_par_iter().map_init(buffers, task).collect();
    if let Some(db) = grads.bias {
        for (db, parts) in db.chunks_mut(block).zip(totals.chunks_exact(parts)) {
            let total = |i: usize| parts.iter().map(|part| part[i]).sum::<f64>();
            db.iter_mut().enumerate().for_each(|(i, db)| *db = total(i) as f32);
        }
    }
    if let Some(dw) = grads.w {
        dw.fill(0.0);
        for (c, dw) in dw.chunks_exact_mut(all).enumerate() {
            for (t, tap) in l.flat.taps.iter().enumerate() {
                let part = |p: usize| sums[((p * g.c_in + c) * taps + t) * LANES..][..LANES].iter().sum::<f32>();
                dw[tap.index] = (0..parts).map(part).sum();
            }
        }
    }
}

struct SingleRow<'a> {
    span: usize,
    weights: &'a [f32],
    offsets: &'a [isize],
    planes: &'a [f32],
    out: &'a mut [f32],
}

impl SimdKernel for SingleRow<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // SAFETY: `DepthwiseLayout::new` has checked the offsets, and `DepthwiseLayout::correlate` the lengths.
        unsafe {
            tile::correlate_row(
                simd,
                self.span,
                self.weights,
                self.offsets,
                self.planes.as_ptr(),
                self.out.as_mut_ptr(),
            );
        }
    }
}

struct DotProducts<'a> {
    offsets: &'a [isize],
    planes: &'a [f32],
    dy: &'a [f32],
    sums: &'a mut [f32],
}

impl SimdKernel for DotProducts<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        assert!(self.sums.len() == self.offsets.len() * LANES);
        // SAFETY: `DepthwiseLayout::new` has checked the offsets for a span, which is the length of `dy`.
        unsafe {
            let (x, dy) = (self.planes.as_ptr(), self.dy.as_ptr());
            tile::dots(simd, self.dy.len(), self.offsets, x, dy, self.sums.as_mut_ptr());
        }
    }
}
