//! Convolution through the discrete Fourier transform (Eq. 4), without ever holding a spectrum.
//!
//! With N_h×N_w the transform size and W̃[k] = Σ_o w[o]·exp(2πi k·o/N), the correlation is
//! Ŷ[k] = W̃[k]·X̂[k], its input gradient conj(W̃)·Ŷ' and its weight gradient Σ_n Ŷ'·conj(X̂): for
//! each frequency a small complex matrix product over channels (or batch). Four things make it
//! fast:
//!
//! - N need only reach n + max|offset| over the taps that can touch the input: what wraps around
//!   lands outside the crop.
//! - Sixteen planes are transformed at once, one in each vector lane ([`fft`]).
//! - Only row transforms are stored ([`lines`]). For one column frequency at a time, [`columns`]
//!   transforms the columns, multiplies and transforms back, all within the cache. Column
//!   frequencies are independent, so they are also the unit of parallel work, and no sum depends
//!   on the number of threads.
//! - The kernel is sparse: its spectrum comes from its taps, and the weight gradient is computed
//!   at its taps only ([`taps`]).

mod cgemm;
mod columns;
mod fft;
mod lines;
mod taps;

use super::simd::{Isa, LANES};
use super::{Gradients, scratch::Scratch};
use crate::{ConvGeometry, TapSet};
use columns::Columns;
use lines::{LineSet, Planes};
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

fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

impl Setup {
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

    fn planes(&self, g: &ConvGeometry, total: usize, (start, len): (usize, usize)) -> Planes {
        Planes::new(self.lanes, g.batch, total, start, len)
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

/// `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let s = Setup::new(g);
    for [ci, co] in s.groups(g) {
        let (xp, yp) = (s.planes(g, g.c_in, ci), s.planes(g, g.c_out, co));
        let xl = LineSet::new(&s, xp, g.input, [1, 1]);
        let yl = LineSet::new(&s, yp, g.output(), g.stride);
        let taps = Taps::new(&s, g, ci, co, false);
        let wt = taps.gather(&s, g, w);
        let mut x1 = Scratch::take(xl.len());
        let mut y1 = Scratch::take(yl.len());
        xl.analyse(&s, x, &mut x1);
        Columns { s: &s, from: &xl, to: &yl, taps: &taps }.apply(&wt, &x1, &mut y1);
        // `analyse` leaves a factor 2.
        let scale = 0.5 / (s.rows.len() * s.cols.len()) as f32;
        yl.synthesise(&s, &y1, scale, bias, y);
    }
}

/// The gradients of [`forward`].
pub fn backward(g: &ConvGeometry, x: &[f32], w: &[f32], dy: &[f32], mut grads: Gradients<'_>) {
    if let Some(db) = grads.bias {
        super::bias_gradient(g, dy, db);
    }
    if grads.x.is_none() && grads.w.is_none() {
        return;
    }
    let s = Setup::new(g);
    if let Some(dw) = &mut grads.w {
        dw.fill(0.0); // unreachable taps have gradient 0
    }
    for [ci, co] in s.groups(g) {
        let (xp, yp) = (s.planes(g, g.c_in, ci), s.planes(g, g.c_out, co));
        let xl = LineSet::new(&s, xp, g.input, [1, 1]);
        let yl = LineSet::new(&s, yp, g.output(), g.stride);
        let mut d1 = Scratch::take(yl.len());
        yl.analyse(&s, dy, &mut d1);
        let points = (s.rows.len() * s.cols.len()) as f32;
        if let Some(dx) = &mut grads.x {
            let taps = Taps::new(&s, g, ci, co, true);
            let wt = taps.gather(&s, g, w);
            let mut dx1 = Scratch::take(xl.len());
            Columns { s: &s, from: &yl, to: &xl, taps: &taps }.apply(&wt, &d1, &mut dx1);
            xl.synthesise(&s, &dx1, 0.5 / points, None, dx);
        }
        if let Some(dw) = &mut grads.w {
            let taps = Taps::new(&s, g, ci, co, false);
            let mut x1 = Scratch::take(xl.len());
            xl.analyse(&s, x, &mut x1);
            let mut g1 = Scratch::take(s.bins() * taps.lines_len());
            Columns { s: &s, from: &xl, to: &yl, taps: &taps }.correlate(&x1, &d1, &mut g1);
            taps.scatter(&s, g, &g1, 0.25 / points, dw);
        }
    }
}
