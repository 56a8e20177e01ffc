//! The inner loops, over contiguous values of one channel, sixteen at a time; the order of every
//! operation is fixed, so the width of the machine's vectors does not show in the result.

use crate::kernels::simd::{LANES, Simd};

/// This many terms of a lane are added in `f32` before their sum is added in `f64`: few enough
/// that their roundings stay near that of one product.
const RUN_LENGTH: usize = 16;

/// Two sums at a time, each in [`LANES`] partial sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairSums {
    /// Of the current run.
    run: [[f32; LANES]; 2],
    /// TermPair of a lane in it.
    terms: usize,
    /// Of the runs before.
    whole: [[f64; LANES]; 2],
}

// The loops take what they do as a trait's method, not as a closure: that is inlined for sure, and the instructions it is
// made of into it.

/// Two terms of a sum made of values less their `centre`: both are 0 where all three are.
trait TermPair {
    fn centre(&self) -> f32;
    fn of<S: Simd>(&self, simd: S, centre: S::V, x: S::V, y: S::V) -> [S::V; 2];
}

/// x − shift and (x − shift)².
struct Moments(f32);

impl TermPair for Moments {
    #[inline(always)]
    fn centre(&self) -> f32 {
        self.0
    }

    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, centre: S::V, x: S::V, _: S::V) -> [S::V; 2] {
        let x = simd.sub(x, centre);
        [x, simd.mul(x, x)]
    }
}

/// g and g·(x − μ).
struct Masked<'a, const RELU: bool>(&'a ChannelAffine);

impl<const RELU: bool> TermPair for Masked<'_, RELU> {
    #[inline(always)]
    fn centre(&self) -> f32 {
        self.0.mean
    }

    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, centre: S::V, x: S::V, dy: S::V) -> [S::V; 2] {
        let centred = simd.sub(x, centre);
        let g = self.0.masked::<S, RELU>(simd, centred, dy);
        [g, simd.mul(g, centred)]
    }
}

impl PairSums {
    /// Adds Σ (x − shift) and Σ (x − shift)².
    #[inline(always)]
    pub(super) fn moments<S: Simd>(&mut self, simd: S, prefetch_offset: usize, x: &[f32], shift: f32) {
        self.add(simd, prefetch_offset, x, x, Moments(shift));
    }

    /// Adds Σ g and Σ g·(x − μ), where g is `dy`, masked where a ReLU was flat.
    #[inline(always)]
    pub(super) fn gradient<S: Simd>(
        &mut self,
        simd: S,
        prefetch_offset: usize,
        line: &ChannelAffine,
        relu: bool,
        x: &[f32],
        dy: &[f32],
    ) {
        if relu {
            self.add(simd, prefetch_offset, x, dy, Masked::<true>(line))
        } else {
            self.add(simd, prefetch_offset, x, dy, Masked::<false>(line))
        }
    }

    /// Adds the two terms of every pair of values. Those that lie `prefetch_offset` floats on are brought near meanwhile.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, prefetch_offset: usize, x: &[f32], y: &[f32], terms: impl TermPair) {
        assert_eq!(x.len(), y.len());
        let (mut p, mut q) = (x.as_ptr(), y.as_ptr());
        let (mut whole, rest) = (x.len() / LANES, x.len() % LANES);
        let centre = simd.splat(terms.centre());
        while whole > 0 {
            let n = whole.min(RUN_LENGTH - self.terms);
            // SAFETY: n of the `whole` vectors that are left in both.
            unsafe {
                let [mut first, mut second] = [0, 1].map(|i| simd.load(self.run[i].as_ptr()));
                for _ in 0..n {
                    simd.prefetch(p.wrapping_add(prefetch_offset));
                    if p != q {
                        simd.prefetch(q.wrapping_add(prefetch_offset));
                    }
                    let [a, b] = terms.of(simd, centre, simd.load(p), simd.load(q));
                    (first, second) = (simd.add(first, a), simd.add(second, b));
                    (p, q) = (p.add(LANES), q.add(LANES));
                }
                simd.store(self.run[0].as_mut_ptr(), first);
                simd.store(self.run[1].as_mut_ptr(), second);
            }
            self.count(n);
            whole -= n;
        }
        if rest > 0 {
            let centres = [terms.centre(); LANES];
            // SAFETY: the `rest` of both; arrays of 16.
            unsafe {
                let centre = simd.load_partial(centres.as_ptr(), rest);
                let sums = terms.of(simd, centre, simd.load_partial(p, rest), simd.load_partial(q, rest));
                for (run, v) in self.run.iter_mut().zip(sums) {
                    simd.store(run.as_mut_ptr(), simd.add(simd.load(run.as_ptr()), v));
                }
            }
            self.count(1);
        }
    }

    /// Counts terms of the current run and ends it when it is full.
    #[inline(always)]
    fn count(&mut self, terms: usize) {
        self.terms += terms;
        if self.terms == RUN_LENGTH {
            self.end();
        }
    }

    #[inline(always)]
    fn end(&mut self) {
        for (whole, run) in self.whole.iter_mut().zip(&self.run) {
            whole.iter_mut().zip(run).for_each(|(whole, run)| *whole += f64::from(*run));
        }
        self.run = Default::default();
        self.terms = 0;
    }

    /// Both sums, the lanes added pairwise.
    #[inline(always)]
    pub(super) fn total(mut self) -> [f64; 2] {
        self.end();
        self.whole.map(|mut lanes| {
            let mut n = LANES;
            while n > 1 {
                n /= 2;
                for i in 0..n {
                    lanes[i] += lanes[i + n];
                }
            }
            lanes[0]
        })
    }
}

/// What normalization is within one channel: `scale · (x − mean) + beta`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChannelAffine {
    pub(super) mean: f32,
    /// γ / √(σ² + ε).
    pub(super) scale: f32,
    pub(super) beta: f32,
    /// 1 / √(σ² + ε).
    pub(super) inverse_std: f64,
}

impl ChannelAffine {
    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, centred: S::V) -> S::V {
        // Not fused: the same bits without such an instruction.
        simd.add(simd.mul(centred, simd.splat(self.scale)), simd.splat(self.beta))
    }

    /// `dy` where the ReLU passes its argument on; NaN passes.
    #[inline(always)]
    fn masked<S: Simd, const RELU: bool>(&self, simd: S, centred: S::V, dy: S::V) -> S::V {
        if RELU { simd.rectify(self.value(simd, centred), dy) } else { dy }
    }
}

/// What is written for the values of one channel.
pub(super) trait ChannelRule: Sync {
    /// Writes `out` for the values x; the gradient of the output, if it matters, is `dy`, or what is in its place. What
    /// lies `prefetch_offset` floats on is brought near meanwhile.
    fn apply<S: Simd>(
        &self,
        simd: S,
        prefetch_offset: usize,
        relu: bool,
        x: &[f32],
        dy: Option<&[f32]>,
        out: &mut [f32],
    );
}

/// The output.
impl ChannelRule for ChannelAffine {
    #[inline(always)]
    fn apply<S: Simd>(
        &self,
        simd: S,
        prefetch_offset: usize,
        relu: bool,
        x: &[f32],
        dy: Option<&[f32]>,
        out: &mut [f32],
    ) {
        if relu {
            write_elements(simd, prefetch_offset, x, dy, out, Output::<true>(self))
        } else {
            write_elements(simd, prefetch_offset, x, dy, out, Output::<false>(self))
        }
    }
}

/// What is written for two values.
trait ElementMap {
    fn of<S: Simd>(&self, simd: S, x: S::V, y: S::V) -> S::V;
}

/// The output for x.
struct Output<'a, const RELU: bool>(&'a ChannelAffine);

impl<const RELU: bool> ElementMap for Output<'_, RELU> {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::V, _: S::V) -> S::V {
        let value = self.0.value(simd, simd.sub(x, simd.splat(self.0.mean)));
        if RELU { simd.rectify(value, value) } else { value }
    }
}

/// What the gradient of the input is within one channel:
/// `scale · (g − mean − projection · (x − line.mean))`.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputSlope {
    pub(super) line: ChannelAffine,
    /// ∂β / M.
    pub(super) mean: f32,
    /// ∂γ / (M · √(σ² + ε)).
    pub(super) projection: f32,
}

/// The gradient of x for x and that of its output.
struct Input<'a, const RELU: bool>(&'a InputSlope);

impl<const RELU: bool> ElementMap for Input<'_, RELU> {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::V, dy: S::V) -> S::V {
        let InputSlope { line, mean, projection } = self.0;
        let centred = simd.sub(x, simd.splat(line.mean));
        let g = line.masked::<S, RELU>(simd, centred, dy);
        let projected = simd.mul(simd.splat(*projection), centred);
        simd.mul(simd.splat(line.scale), simd.sub(simd.sub(g, simd.splat(*mean)), projected))
    }
}

/// The gradient of the input.
impl ChannelRule for InputSlope {
    #[inline(always)]
    fn apply<S: Simd>(
        &self,
        simd: S,
        prefetch_offset: usize,
        relu: bool,
        x: &[f32],
        dy: Option<&[f32]>,
        out: &mut [f32],
    ) {
        if relu {
            write_elements(simd, prefetch_offset, x, dy, out, Input::<true>(self))
        } else {
            write_elements(simd, prefetch_offset, x, dy, out, Input::<false>(self))
        }
    }
}

/// `out = f(x, y)`, y being what is there where none is given, by whole vectors, of which the last overlaps the one before
/// it: planes may be short, and a rest, one by one, would be most of the work.
#[inline(always)]
fn write_elements<S: Simd>(
    simd: S,
    prefetch_offset: usize,
    x: &[f32],
    y: Option<&[f32]>,
    out: &mut [f32],
    f: impl ElementMap,
) {
    let n = out.len();
    assert!(x.len() == n && y.is_none_or(|y| y.len() == n));
    let (x, out) = (x.as_ptr(), out.as_mut_ptr());
    let y = y.map_or(out.cast_const(), <[f32]>::as_ptr);
    // SAFETY: all have n values, and every access ends there or before.
    unsafe {
        if n < LANES {
            return simd.store_partial(out, f.of(simd, simd.load_partial(x, n), simd.load_partial(y, n)), n);
        }
        // Before what it is made of is overwritten.
        let end = f.of(simd, simd.load(x.add(n - LANES)), simd.load(y.add(n - LANES)));
        let mut i = 0;
        while i + LANES < n {
            simd.prefetch(x.wrapping_add(i + prefetch_offset));
            simd.prefetch(out.wrapping_add(i + prefetch_offset));
            if y != out.cast_const() {
                simd.prefetch(y.wrapping_add(i + prefetch_offset));
            }
            simd.store(out.add(i), f.of(simd, simd.load(x.add(i)), simd.load(y.add(i))));
            i += LANES;
        }
        simd.store(out.add(n - LANES), end);
    }
}
