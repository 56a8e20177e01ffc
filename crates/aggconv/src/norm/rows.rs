//! The inner loops over contiguous values of one channel, sixteen at a time. The order of all operations is fixed, so
//! the results do not depend on the vector width of the machine.

use crate::kernels::simd::{LANES, Simd};

/// The number of terms of a lane that are added in `f32` before their sum is added in `f64`. It is so small that the
/// rounding error stays near that of a single product.
const RUN_LENGTH: usize = 16;

/// Two sums at a time, each in [`LANES`] partial sums.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PairSums {
    /// The partial sums of the current run.
    run: [[f32; LANES]; 2],
    /// The number of terms of a lane in the current run.
    terms: usize,
    /// The partial sums of the previous runs.
    whole: [[f64; LANES]; 2],
}

// The loops take their operation as a method of a trait and not as a closure, because only then inlining, and with it
// the compilation for the instruction set, is guaranteed.

/// Two terms of a sum of values minus their `center`. Both terms are 0 where all three values are 0.
trait TermPair {
    fn center(&self) -> f32;
    fn of<S: Simd>(&self, simd: S, center: S::V, x: S::V, y: S::V) -> [S::V; 2];
}

/// x − shift and (x − shift)².
struct Moments(f32);

impl TermPair for Moments {
    #[inline(always)]
    fn center(&self) -> f32 {
        self.0
    }

    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, center: S::V, x: S::V, _: S::V) -> [S::V; 2] {
        let x = simd.sub(x, center);
        [x, simd.mul(x, x)]
    }
}

/// g and g·(x − μ).
struct Masked<'a, const RELU: bool>(&'a ChannelAffine);

impl<const RELU: bool> TermPair for Masked<'_, RELU> {
    #[inline(always)]
    fn center(&self) -> f32 {
        self.0.mean
    }

    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, center: S::V, x: S::V, dy: S::V) -> [S::V; 2] {
        let centered = simd.sub(x, center);
        let g = self.0.masked::<S, RELU>(simd, centered, dy);
        [g, simd.mul(g, centered)]
    }
}

impl PairSums {
    /// Adds Σ (x − shift) and Σ (x − shift)².
    #[inline(always)]
    pub(super) fn moments<S: Simd>(&mut self, simd: S, prefetch_offset: usize, x: &[f32], shift: f32) {
        self.add(simd, prefetch_offset, x, x, Moments(shift));
    }

    /// Adds Σ g and Σ g·(x − μ), where g is `dy`, set to 0 where a ReLU was inactive.
    #[inline(always)]
    pub(super) fn gradient<S: Simd>(
        &mut self,
        simd: S,
        prefetch_offset: usize,
        affine: &ChannelAffine,
        relu: bool,
        x: &[f32],
        dy: &[f32],
    ) {
        if relu {
            self.add(simd, prefetch_offset, x, dy, Masked::<true>(affine))
        } else {
            self.add(simd, prefetch_offset, x, dy, Masked::<false>(affine))
        }
    }

    /// Adds the two terms of every pair of values, and prefetches the values that lie `prefetch_offset` floats further.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, prefetch_offset: usize, x: &[f32], y: &[f32], terms: impl TermPair) {
        assert_eq!(x.len(), y.len());
        let (mut p, mut q) = (x.as_ptr(), y.as_ptr());
        let (mut whole, rest) = (x.len() / LANES, x.len() % LANES);
        let center = simd.splat(terms.center());
        while whole > 0 {
            let n = whole.min(RUN_LENGTH - self.terms);
            // SAFETY: n of the `whole` vectors that remain in both slices.
            unsafe {
                let [mut first, mut second] = [0, 1].map(|i| simd.load(self.run[i].as_ptr()));
                for _ in 0..n {
                    simd.prefetch(p.wrapping_add(prefetch_offset));
                    if p != q {
                        simd.prefetch(q.wrapping_add(prefetch_offset));
                    }
                    let [a, b] = terms.of(simd, center, simd.load(p), simd.load(q));
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
            let centers = [terms.center(); LANES];
            // SAFETY: the last `rest` values of both slices, and arrays of 16 floats.
            unsafe {
                let center = simd.load_partial(centers.as_ptr(), rest);
                let sums = terms.of(simd, center, simd.load_partial(p, rest), simd.load_partial(q, rest));
                for (run, v) in self.run.iter_mut().zip(sums) {
                    simd.store(run.as_mut_ptr(), simd.add(simd.load(run.as_ptr()), v));
                }
            }
            self.count(1);
        }
    }

    /// Counts the terms of the current run and ends the run when it is full.
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

    /// Returns both sums, with the lanes added pairwise.
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

/// The normalization of one channel: `scale · (x − mean) + beta`.
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
    fn value<S: Simd>(&self, simd: S, centered: S::V) -> S::V {
        // Not a fused multiply-add, so that processors without that instruction give the same bits.
        simd.add(simd.mul(centered, simd.splat(self.scale)), simd.splat(self.beta))
    }

    /// `dy` where the ReLU is active or its argument is NaN, and 0 elsewhere.
    #[inline(always)]
    fn masked<S: Simd, const RELU: bool>(&self, simd: S, centered: S::V, dy: S::V) -> S::V {
        if RELU { simd.rectify(self.value(simd, centered), dy) } else { dy }
    }
}

/// The function that maps the values of one channel to its result.
pub(super) trait ChannelRule: Sync {
    /// Writes `out` for the values `x`. The gradient of the output, if it matters, is `dy`, or the previous contents of
    /// `out`. The values that lie `prefetch_offset` floats further are prefetched.
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

/// Computes the output.
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

/// The function that maps two values to their result.
trait ElementMap {
    fn of<S: Simd>(&self, simd: S, x: S::V, y: S::V) -> S::V;
}

/// Maps x to the output.
struct Output<'a, const RELU: bool>(&'a ChannelAffine);

impl<const RELU: bool> ElementMap for Output<'_, RELU> {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::V, _: S::V) -> S::V {
        let value = self.0.value(simd, simd.sub(x, simd.splat(self.0.mean)));
        if RELU { simd.rectify(value, value) } else { value }
    }
}

/// The gradient of the input of one channel: `scale · (g − mean − projection · (x − affine.mean))`.
#[derive(Debug, Clone, Copy)]
pub(super) struct InputSlope {
    pub(super) affine: ChannelAffine,
    /// ∂β / M.
    pub(super) mean: f32,
    /// ∂γ / (M · √(σ² + ε)).
    pub(super) projection: f32,
}

/// Maps x and the gradient of the output to the gradient of x.
struct Input<'a, const RELU: bool>(&'a InputSlope);

impl<const RELU: bool> ElementMap for Input<'_, RELU> {
    #[inline(always)]
    fn of<S: Simd>(&self, simd: S, x: S::V, dy: S::V) -> S::V {
        let InputSlope { affine, mean, projection } = self.0;
        let centered = simd.sub(x, simd.splat(affine.mean));
        let g = affine.masked::<S, RELU>(simd, centered, dy);
        let projected = simd.mul(simd.splat(*projection), centered);
        simd.mul(simd.splat(affine.scale), simd.sub(simd.sub(g, simd.splat(*mean)), projected))
    }
}

/// Computes the gradient of the input.
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

/// Computes `out = f(x, y)`, where y is the previous contents of `out` if none is given. It uses whole vectors, the
/// last of which overlaps the one before it, because planes may be short and single values would then dominate the
/// time.
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
    // SAFETY: all slices have n values, and every access ends there or before.
    unsafe {
        if n < LANES {
            return simd.store_partial(out, f.of(simd, simd.load_partial(x, n), simd.load_partial(y, n)), n);
        }
        // Computed before its operands are overwritten.
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
