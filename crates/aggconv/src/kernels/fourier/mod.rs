//! Convolution through the discrete Fourier transform (Eq. 4), without ever holding the spectrum of a grid.
//!
//! With N_h×N_w the transform size and `W̃[k] = Σ_o w[o]·exp(2πi k·o/N)`, the correlation is
//! `Ŷ[k] = W̃[k]·X̂[k]`, its input gradient conj(W̃)·Ŷ' and its weight gradient Σ_n Ŷ'·conj(X̂): for
//! each frequency a small complex matrix product over channels (or batch). Five things make it
//! fast:
//!
//! - N need only reach n + max|offset| over the taps that can touch the input: what wraps around
//!   lands outside the crop.
//! - Sixteen planes are transformed at once, one in each vector lane (`fft`); two real signals make a complex one
//!   (`real`).
//! - Only row transforms are stored (`lines`). For one column frequency at a time, `columns`
//!   transforms the columns, multiplies and transforms back, all within the cache. Column
//!   frequencies are independent, so they are also the unit of parallel work, and no sum depends
//!   on the number of threads.
//! - Lines that are too many for the caches are written past them (`LineSet::far`).
//! - The kernel is sparse: its spectrum comes from its taps, and the weight gradient is computed
//!   at its taps only (`taps`).

mod cgemm;
mod columns;
mod fft;
mod lines;
pub mod parts;
mod real;
mod taps;

use super::simd::{Isa, LANES};
use super::{Gradients, scratch::Scratch};
use crate::{ConvGeometry, TapSet};
use columns::Columns;
use lines::{LineSet, Planes};
use std::sync::{Arc, Mutex};
use taps::Taps;

/// How 16 planes are put side by side, and with it which matrix dimension is the vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lanes {
    /// Neighbouring channels of a sample.
    Channels,
    /// Neighbouring samples of a channel: for few channels.
    Samples,
}

/// Everything about one group of channels that does not depend on the data.
struct Setup {
    isa: Isa,
    lanes: Lanes,
    depthwise: bool,
    rows: fft::Plan,
    cols: fft::Plan,
    /// Of the kept taps' column offsets: see [`taps::phases`].
    phases: Vec<[f32; 2]>,
    taps: TapSet,
    /// Positions of the kept taps among all taps.
    kept: Vec<usize>,
}

/// The transform size for a geometry with reachable taps of this radius.
fn size(g: &ConvGeometry, radius: [usize; 2]) -> [usize; 2] {
    let length = |axis: usize| fft::good_length(g.input[axis] + radius[axis], 3.0);
    [length(0), length(1)]
}

/// The channels of one call: (groups treated as one call each, input, output channels).
fn channels(g: &ConvGeometry) -> (usize, usize, usize) {
    if is_depthwise(g) { (1, g.c_in, g.c_out) } else { (g.groups, g.c_in_per_group(), g.c_out_per_group()) }
}

fn is_depthwise(g: &ConvGeometry) -> bool {
    g.groups == g.c_in && g.c_in == g.c_out
}

/// Padding is work: the layout with less of it.
fn layout(g: &ConvGeometry) -> Lanes {
    let (_, ci, co) = channels(g);
    let channels = g.batch * (padded(ci) + padded(co));
    let samples = padded(g.batch) * (ci + co);
    if channels <= samples { Lanes::Channels } else { Lanes::Samples }
}

/// What the cost of a convolution depends on.
pub(super) struct Sizes {
    /// Rows and columns of a transform.
    pub transform: [usize; 2],
    /// Relative cost of a point of each.
    pub passes: [f64; 2],
    /// Calls, each with its own:
    pub calls: usize,
    /// planes of the input,
    pub input: usize,
    /// of the output (padding included),
    pub output: usize,
    /// complex multiply-adds at a frequency,
    pub products: usize,
    /// entries of a kernel matrix,
    pub kernel: usize,
    /// taps that can touch the input.
    pub taps: usize,
}

/// The sizes for a geometry that has a tap in reach.
pub(super) fn sizes(g: &ConvGeometry) -> Sizes {
    let taps = g.taps.reachable(g.input);
    let transform = size(g, taps.radius());
    let (calls, ci, co) = channels(g);
    let (input, output, kernel) = match layout(g) {
        Lanes::Channels if is_depthwise(g) => (g.batch * padded(ci), g.batch * padded(co), padded(co)),
        Lanes::Channels => (g.batch * padded(ci), g.batch * padded(co), ci * padded(co)),
        Lanes::Samples if is_depthwise(g) => (padded(g.batch) * ci, padded(g.batch) * co, padded(co)),
        Lanes::Samples => (padded(g.batch) * ci, padded(g.batch) * co, padded(ci * co)),
    };
    let products = if is_depthwise(g) { output } else { output * ci };
    let passes = transform.map(fft::cost_per_point);
    Sizes { transform, passes, calls, input, output, products, kernel, taps: taps.len() }
}

/// Real operations for each complex multiply-add over channels.
pub(super) fn operations(g: &ConvGeometry) -> u64 {
    let (_, ci, co) = channels(g);
    let shape = cgemm::Shape { m: g.batch, k: ci, n: padded(co), real: false };
    if layout(g) == Lanes::Channels && !is_depthwise(g) { shape.operations() } else { 8 }
}

fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// What a [`Setup`] is made from.
#[derive(PartialEq)]
struct Key {
    input: [usize; 2],
    lanes: Lanes,
    depthwise: bool,
    taps: Arc<TapSet>,
}

/// The setups of the layers last used, the last one first: each step asks for the same again, and making one takes
/// longer than small layers themselves do.
static SETUPS: Mutex<Vec<(Key, Arc<Setup>)>> = Mutex::new(Vec::new());

/// Setups kept: more than a network has layers of different shapes.
const KEPT: usize = 64;

impl Setup {
    /// The setup for a geometry, made or found again.
    fn of(g: &ConvGeometry) -> Arc<Self> {
        let key = Key { input: g.input, lanes: layout(g), depthwise: is_depthwise(g), taps: g.taps.clone() };
        let setups = || SETUPS.lock().unwrap_or_else(|e| e.into_inner());
        let find = |setups: &mut Vec<(Key, Arc<Setup>)>| {
            let i = setups.iter().position(|(k, _)| *k == key)?;
            setups[..=i].rotate_right(1);
            Some(setups[0].1.clone())
        };
        if let Some(setup) = find(&mut setups()) {
            return setup;
        }
        // Not under the lock: it may take a while.
        let setup = Arc::new(Self::new(g));
        let mut setups = setups();
        if let Some(setup) = find(&mut setups) {
            return setup;
        }
        setups.truncate(KEPT - 1);
        setups.insert(0, (key, setup.clone()));
        setup
    }

    fn new(g: &ConvGeometry) -> Self {
        let taps = g.taps.reachable(g.input);
        let kept = (0..g.taps.len()).filter(|&i| taps.position(g.taps.offsets()[i]).is_some()).collect();
        let [nh, nw] = size(g, taps.radius());
        Self {
            isa: Isa::current(),
            lanes: layout(g),
            depthwise: is_depthwise(g),
            rows: fft::Plan::new(nw),
            cols: fft::Plan::new(nh),
            phases: taps::phases(nw, taps.offsets().iter().map(|o| o[1])),
            taps,
            kept,
        }
    }

    /// The channel ranges that are convolved apart: (start, length) of input and output channels.
    fn groups(&self, g: &ConvGeometry) -> Vec<[(usize, usize); 2]> {
        let (calls, ci, co) = channels(g);
        (0..calls).map(|i| [(i * ci, ci), (i * co, co)]).collect()
    }

    /// Frequencies of a transform, which scales by as much.
    fn points(&self) -> f32 {
        (self.rows.len() * self.cols.len()) as f32
    }

    /// Whether column frequency `k` is its own conjugate's.
    fn own_mirror(&self, k: usize) -> bool {
        k == 0 || 2 * k == self.rows.len()
    }

    /// Column frequencies that are stored: the rest are their conjugates.
    fn bins(&self) -> usize {
        self.rows.len() / 2 + 1
    }
}

/// Floats of lines that are held at a time. Larger batches are taken in parts, which bounds the
/// memory; smaller parts would transform the kernel too often to gain from a shared cache.
const PART: usize = 1 << 24;

/// One part of a batch, with its lines.
struct Part {
    x: std::ops::Range<usize>,
    y: std::ops::Range<usize>,
    x_lines: LineSet,
    y_lines: LineSet,
}

/// The parts of a batch for channel ranges `ci`, `co`; how many depends on the shape alone.
fn parts(s: &Setup, g: &ConvGeometry, ci: (usize, usize), co: (usize, usize), limit: usize) -> Vec<Part> {
    let lines = |batch: usize| {
        let planes = |total: usize, (start, len): (usize, usize)| Planes::new(s.lanes, batch, total, start, len);
        let x = LineSet::new(s, planes(g.c_in, ci), g.input, [1, 1]);
        (x, LineSet::new(s, planes(g.c_out, co), g.output(), g.stride))
    };
    let unit = if s.lanes == Lanes::Samples { LANES } else { 1 };
    let floats = |batch: usize| {
        let (x, y) = lines(batch);
        x.len() + y.len()
    };
    // Rows have a vector more than the samples need.
    let per_sample = (floats(2 * unit) - floats(unit)) / unit;
    let most = (limit.saturating_sub(floats(unit) - unit * per_sample) / per_sample).max(unit);
    let step = g.batch.div_ceil(g.batch.div_ceil(most)).next_multiple_of(unit);
    let (x_len, y_len) = (g.x_len() / g.batch, g.y_len() / g.batch);
    (0..g.batch)
        .step_by(step)
        .map(|start| {
            let end = g.batch.min(start + step);
            let (x_lines, y_lines) = lines(end - start);
            Part { x: start * x_len..end * x_len, y: start * y_len..end * y_len, x_lines, y_lines }
        })
        .collect()
}

/// The lines of an input, kept from the forward to the backward pass: of each group of channels.
#[derive(Debug)]
pub struct Kept(Vec<Scratch>);

/// `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    forward_within(g, x, w, bias, y, PART, None);
}

/// As [`forward`], with what [`backward`] can use instead of `x`: where an input is one row, so that its lines are its
/// transform and take no more than about twice its memory, and the batch is not divided.
pub fn forward_keeping(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) -> Option<Kept> {
    let mut kept = Vec::new();
    forward_within(g, x, w, bias, y, PART, (g.input[0] == 1).then_some(&mut kept));
    (!kept.is_empty()).then_some(Kept(kept))
}

fn forward_within(
    g: &ConvGeometry,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
    limit: usize,
    mut keep: Option<&mut Vec<Scratch>>,
) {
    let s = &*Setup::of(g);
    for [ci, co] in s.groups(g) {
        let taps = Taps::new(s, g, ci, co, false);
        let wt = taps.prepare(s, g, w);
        let parts = parts(s, g, ci, co, limit);
        // All groups have as many parts.
        let keep = keep.as_mut().filter(|_| parts.len() == 1);
        let mut last = None;
        for part in parts {
            let (xl, yl) = (&part.x_lines, &part.y_lines);
            let mut x1 = Scratch::take(xl.len());
            let mut y1 = Scratch::take(yl.len());
            xl.analyse(s, &x[part.x], &mut x1);
            Columns { s, from: xl, to: yl, taps: &taps }.apply(&wt, &x1, &mut y1);
            // `analyse` leaves a factor 2.
            yl.synthesise(s, &y1, 0.5 / s.points(), bias, &mut y[part.y]);
            last = Some(x1);
        }
        if let Some(keep) = keep {
            keep.extend(last);
        }
    }
}

/// The gradients of [`forward`]; `x` is not read if its lines were `kept`.
pub fn backward(g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], kept: Option<&Kept>, grads: Gradients<'_>) {
    backward_within(g, (x, kept), w, dy, grads, PART);
}

fn backward_within(
    g: &ConvGeometry,
    (x, kept): (&[f32], Option<&Kept>),
    w: &[f32],
    dy: &[f32],
    mut grads: Gradients<'_>,
    limit: usize,
) {
    if grads.x.is_none() && grads.w.is_none() {
        return grads.bias.into_iter().for_each(|db| super::bias_gradient(g, dy, db));
    }
    // The sums of the output's gradient are its transforms' frequency 0.
    let mut sums = vec![0f64; if grads.bias.is_some() { g.c_out } else { 0 }];
    let s = &*Setup::of(g);
    for (group, [ci, co]) in s.groups(g).into_iter().enumerate() {
        let kept = kept.map(|kept| &kept.0[group]);
        let divided = |limit: usize| parts(s, g, ci, co, limit);
        let mut parts = divided(limit);
        assert!(kept.is_none() || parts.len() == 1, "lines are kept of whole batches");
        if parts.len() > 1 && grads.w.is_some() {
            // The lines of the kernel's gradient are then held as a whole beside those of each part.
            let gradient = Taps::new(s, g, ci, co, false).lines_len(s);
            parts = divided(limit.saturating_sub(gradient / 2).max(limit / 2));
        }
        // A single part can be read again and again: a large kernel's gradient is then made for
        // some output channels at a time, which bounds what its lines take.
        let split = parts.len() == 1 && grads.w.is_some();
        let slices = if split { slices(s, g, ci, co) } else { vec![co] };
        if slices.len() > 1 {
            if let ([part], Some(dw)) = (&parts[..], &mut grads.w) {
                let made = kept.is_none().then(|| {
                    let mut x1 = Scratch::take(part.x_lines.len());
                    part.x_lines.analyse(s, x, &mut x1);
                    x1
                });
                let x1 = kept.or(made.as_ref()).expect("one or the other");
                for slice in slices {
                    let planes = Planes::new(s.lanes, g.batch, g.c_out, slice.0, slice.1);
                    let yl = LineSet::new(s, planes, g.output(), g.stride);
                    let mut d1 = Scratch::take(yl.len());
                    yl.analyse(s, dy, &mut d1);
                    if grads.bias.is_some() {
                        yl.add_sums(&d1, &mut sums);
                    }
                    let taps = Taps::new(s, g, ci, slice, false);
                    let mut g1 = Scratch::take(taps.lines_len(s));
                    Columns { s, from: &part.x_lines, to: &yl, taps: &taps }.correlate(x1, &d1, &mut g1, false);
                    taps.scatter(s, g, &g1, 0.25 / s.points(), dw);
                }
            }
            if grads.x.is_some() {
                let wanted = (grads.x.as_deref_mut(), None);
                input_and_weights(s, g, [ci, co], &parts, (x, kept, w, dy), wanted, None);
            }
        } else {
            let wanted = (grads.x.as_deref_mut(), grads.w.as_deref_mut());
            let sums = grads.bias.is_some().then_some(&mut sums[..]);
            input_and_weights(s, g, [ci, co], &parts, (x, kept, w, dy), wanted, sums);
        }
    }
    if let Some(db) = grads.bias {
        db.iter_mut().zip(sums).for_each(|(db, sum)| *db = sum as f32);
    }
}

/// The gradients of one group of channels, part by part of the batch; those of the bias are added to `sums`.
fn input_and_weights(
    s: &Setup,
    g: &ConvGeometry,
    [ci, co]: [(usize, usize); 2],
    parts: &[Part],
    (x, kept, w, dy): (&[f32], Option<&Scratch>, &[f32], &[f32]),
    (mut dx, dw): (Option<&mut [f32]>, Option<&mut [f32]>),
    mut sums: Option<&mut [f64]>,
) {
    let x_taps = Taps::new(s, g, ci, co, true);
    let wt = dx.is_some().then(|| x_taps.prepare(s, g, w));
    let w_taps = Taps::new(s, g, ci, co, false);
    let mut g1 = dw.is_some().then(|| Scratch::take(w_taps.lines_len(s)));
    for (i, part) in parts.iter().enumerate() {
        let (xl, yl) = (&part.x_lines, &part.y_lines);
        let mut d1 = Scratch::take(yl.len());
        yl.analyse(s, &dy[part.y.clone()], &mut d1);
        if let Some(sums) = &mut sums {
            yl.add_sums(&d1, sums);
        }
        let mut x1 = Scratch::take(xl.len());
        if let Some(g1) = &mut g1 {
            if kept.is_none() {
                xl.analyse(s, &x[part.x.clone()], &mut x1);
            }
            let lines = kept.unwrap_or(&x1);
            Columns { s, from: xl, to: yl, taps: &w_taps }.correlate(lines, &d1, g1, i > 0);
        }
        if let (Some(dx), Some(wt)) = (&mut dx, &wt) {
            Columns { s, from: yl, to: xl, taps: &x_taps }.apply(wt, &d1, &mut x1);
            xl.synthesise(s, &x1, 0.5 / s.points(), None, &mut dx[part.x.clone()]);
        }
    }
    if let (Some(dw), Some(g1)) = (dw, &g1) {
        w_taps.scatter(s, g, g1, 0.25 / s.points(), dw);
    }
}

/// Floats that the lines of a kernel's gradient may take (32 MiB).
const GRADIENT: usize = if cfg!(test) { 1 << 12 } else { 1 << 23 }; // small: so that tests have several

/// Output channels as (start, length), such that the lines of their kernels' gradient take about
/// [`GRADIENT`]; whole vectors of channels.
fn slices(s: &Setup, g: &ConvGeometry, ci: (usize, usize), (start, len): (usize, usize)) -> Vec<(usize, usize)> {
    let all = Taps::new(s, g, ci, (start, len), false).lines_len(s);
    if s.depthwise || s.lanes == Lanes::Samples || all <= GRADIENT {
        return vec![(start, len)];
    }
    let step = (len * GRADIENT / all / LANES).max(1) * LANES;
    (0..len).step_by(step).map(|i| (start + i, step.min(len - i))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::naive;
    use super::*;
    use std::sync::Arc;

    /// With small parts, blocks and chunks (see `columns`), against the definition.
    #[test]
    fn parts_and_chunks_add_up() {
        for (batch, c_in, c_out, groups) in [(5, 40, 52, 1), (37, 3, 2, 1), (7, 16, 16, 16), (40, 33, 16, 1)] {
            let taps = Arc::new(TapSet::union([&TapSet::lattice(3, 1, 2), &TapSet::lattice(3, 3, 2)]));
            let g = ConvGeometry { batch, c_in, c_out, groups, input: [7, 6], stride: [1, 2], taps };
            let values = |n: usize| (0..n).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect::<Vec<_>>();
            let (x, w, dy) = (values(g.x_len()), values(g.w_len()), values(g.y_len()));
            let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
            let (mut y, mut dx, mut dw) = (vec![0f64; g.y_len()], vec![0f64; g.x_len()], vec![0f64; g.w_len()]);
            naive::forward(&g, &wide(&x), &wide(&w), None, &mut y);
            naive::backward(&g, &wide(&x), &wide(&w), &wide(&dy), Some(&mut dx), Some(&mut dw), None);
            for limit in [1, 20_000, PART] {
                let (mut ya, mut xa, mut wa) = (vec![0f32; y.len()], vec![0f32; dx.len()], vec![0f32; dw.len()]);
                forward_within(&g, &x, &w, None, &mut ya, limit, None);
                let grads = Gradients { x: Some(&mut xa), w: Some(&mut wa), bias: None };
                backward_within(&g, (&x, None), &w, &dy, grads, limit);
                for (got, want) in [(&ya, &y), (&xa, &dx), (&wa, &dw)] {
                    let largest = want.iter().fold(0f64, |m, v| m.max(v.abs()));
                    for (a, b) in got.iter().zip(want) {
                        assert!((f64::from(*a) - b).abs() <= 1e-5 * largest, "{a} against {b} of {largest}");
                    }
                }
            }
        }
    }

    /// Lines that were kept take the place of the input, to the same bits; those of a divided batch or of grids are not.
    #[test]
    fn kept_lines_stand_for_the_input() {
        let geometry = |batch, [c_in, c_out]: [usize; 2], groups, input, stride| {
            let taps = Arc::new(TapSet::union([&TapSet::lattice(5, 1, 1), &TapSet::lattice(3, 4, 1)]));
            ConvGeometry { batch, c_in, c_out, groups, input, stride: [1, stride], taps }
        };
        let cases = [
            geometry(3, [40, 52], 1, [1, 19], 1),
            geometry(20, [3, 2], 1, [1, 50], 2),
            geometry(5, [16, 16], 16, [1, 11], 1),
            geometry(4, [8, 4], 2, [1, 23], 1),
        ];
        for g in &cases {
            let values = |n: usize| (0..n).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect::<Vec<_>>();
            let (x, w, dy) = (values(g.x_len()), values(g.w_len()), values(g.y_len()));
            let (mut y, mut z) = (vec![0f32; g.y_len()], vec![1f32; g.y_len()]);
            forward(g, &x, &w, None, &mut y);
            let kept = forward_keeping(g, &x, &w, None, &mut z).expect("a whole batch of rows");
            let gradients = |x: &[f32], kept: Option<&Kept>| {
                let (mut dx, mut dw, mut db) = (vec![0f32; g.x_len()], vec![0f32; g.w_len()], vec![0f32; g.c_out]);
                let wanted = Gradients { x: Some(&mut dx), w: Some(&mut dw), bias: Some(&mut db) };
                backward(g, x, &w, &dy, kept, wanted);
                let mut alone = vec![0f32; g.w_len()];
                backward(g, x, &w, &dy, kept, Gradients { x: None, w: Some(&mut alone), bias: None });
                [dx, dw, db, alone]
            };
            assert_eq!(y, z);
            assert_eq!(gradients(&x, None), gradients(&vec![f32::NAN; x.len()], Some(&kept)));
        }
        let grid = ConvGeometry { input: [2, 19], ..cases[0].clone() };
        let (x, w, mut y): (Vec<f32>, Vec<f32>, _) =
            (vec![0f32; grid.x_len()], vec![0f32; grid.w_len()], vec![0f32; grid.y_len()]);
        assert!(forward_keeping(&grid, &x, &w, None, &mut y).is_none());
        let mut none = Vec::new();
        let g = &cases[0];
        forward_within(g, &x[..g.x_len()], &w, None, &mut y[..g.y_len()], 1, Some(&mut none));
        assert!(none.is_empty());
    }
}
