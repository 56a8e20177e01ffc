//! A transform as a sequence of passes.

use super::SignalView;
use super::butterfly::{Butterfly, CompositeRadix, Radix2, Radix3, Radix4, Radix5, Radix8};
use super::length::factor;
use crate::kernels::simd::{Arithmetic, LANES, Simd};

/// One pass: `m` twiddle groups of butterflies of the given radix over `s` interleaved sub-transforms.
#[derive(Debug, Clone)]
struct Pass {
    radix: usize,
    m: usize,
    s: usize,
    /// `exp(−2πi·p·k/(r·m))` as (re, im) for p < m and 1 ≤ k < r.
    twiddles: Vec<f32>,
}

/// A transform of a fixed length: its passes and their twiddle factors.
#[derive(Debug, Clone)]
pub struct FftPlan {
    n: usize,
    passes: Vec<Pass>,
}

impl FftPlan {
    /// Prepares length `n ≥ 1`, a product of powers of 2, 3 and 5 (see [`good_length`](super::good_length)).
    ///
    /// # Panics
    /// If `n` has another prime factor: lengths come from `good_length`.
    pub fn new(n: usize) -> Self {
        let mut left = n;
        let mut s = 1;
        let mut passes = Vec::new();
        for r in factor(n).expect("lengths come from good_length") {
            let m = left / r;
            let mut twiddles = Vec::with_capacity(2 * m * (r - 1));
            for p in 0..m {
                for k in 1..r {
                    let a = -2.0 * std::f64::consts::PI * ((p * k) % left) as f64 / left as f64;
                    twiddles.extend([a.cos() as f32, a.sin() as f32]);
                }
            }
            passes.push(Pass { radix: r, m, s, twiddles });
            left = m;
            s *= r;
        }
        Self { n, passes }
    }

    /// The length of the transform.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.n
    }

    /// The number of floats of scratch memory that [`FftPlan::run`] needs.
    pub fn scratch_len(&self) -> usize {
        4 * LANES * self.n
    }

    /// Transforms `src` to `dst`. Elements of `src` from index `valid` on are taken as 0 and not read.
    ///
    /// # Safety
    /// `src` must be readable for `valid` elements, `dst` writable for `n`, and `scratch` writable for
    /// [`FftPlan::scratch_len`] floats; `scratch` must not overlap the others. `src` and `dst` may be the same memory
    /// only if there are at least two passes, that is, if n is neither 1 nor a radix.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, simd: S, src: SignalView, valid: usize, dst: SignalView, scratch: *mut f32) {
        // SAFETY: the caller's contract.
        unsafe { self.run_lanes::<S, LANES>(simd, src, valid, dst, scratch) }
    }

    /// As [`FftPlan::run`], for `W` signals, a multiple of the lanes of a register. The real and the imaginary parts
    /// are `W` floats each, and the scratch memory shrinks in proportion.
    ///
    /// # Safety
    /// The requirements of [`FftPlan::run`] apply.
    #[inline(always)]
    pub unsafe fn run_lanes<S: Simd, const W: usize>(
        &self,
        simd: S,
        src: SignalView,
        valid: usize,
        dst: SignalView,
        scratch: *mut f32,
    ) {
        // SAFETY: the caller's contract. The ping-pong buffers are disjoint halves of `scratch`, and a pass never reads
        // the buffer that it writes.
        unsafe {
            let half = [SignalView::packed::<W>(scratch), SignalView::packed::<W>(scratch.add(2 * W * self.n))];
            self.run_ping_pong::<S, W>(simd, src, valid, half, Some(dst), &mut || ());
        }
    }

    /// The number of passes, at least one. Each writes all of its elements to a buffer other than its input.
    pub fn steps(&self) -> usize {
        self.passes.len().max(1)
    }

    /// The number of butterflies of all passes.
    pub fn butterflies(&self) -> usize {
        self.passes.iter().map(|pass| pass.m * pass.s).sum()
    }

    /// As [`FftPlan::run_lanes`], with passes that alternate between the two ping-pong `buffers`. The last pass writes
    /// to `dst` if it is given. `prefetch` is called with each butterfly, to request the data of the next transform in
    /// small pieces while memory is idle.
    ///
    /// # Safety
    /// `src` must be readable for `valid` elements, and all others must be writable for n. None may overlap, except
    /// that `src` may lie in the second buffer, and `dst` in a buffer that the last pass does not read.
    #[inline(always)]
    pub unsafe fn run_ping_pong<S: Simd, const W: usize>(
        &self,
        simd: S,
        src: SignalView,
        valid: usize,
        buffers: [SignalView; 2],
        dst: Option<SignalView>,
        prefetch: &mut impl FnMut(),
    ) {
        let to = |i: usize| dst.filter(|_| i + 1 == self.steps()).unwrap_or(buffers[i % 2]);
        // SAFETY: the caller's contract; a pass never reads the buffer that it writes.
        unsafe {
            if self.passes.is_empty() {
                let (register, dst) = (simd.register(), to(0));
                for lane in (0..W).step_by(S::Register::WIDTH) {
                    for (from, to) in [(src.re, dst.re), (src.im, dst.im)] {
                        register.store(
                            to.add(lane),
                            if valid > 0 { register.load(from.add(lane)) } else { register.splat(0.0) },
                        );
                    }
                }
                return;
            }
            let mut from = src;
            for (i, pass) in self.passes.iter().enumerate() {
                let to = to(i);
                let valid = if i == 0 { valid.min(self.n) } else { self.n };
                match pass.radix {
                    2 => run_pass::<S, Radix2, W, 2>(simd, pass, from, valid, to, prefetch),
                    3 => run_pass::<S, Radix3, W, 3>(simd, pass, from, valid, to, prefetch),
                    4 => run_pass::<S, Radix4, W, 4>(simd, pass, from, valid, to, prefetch),
                    5 => run_pass::<S, Radix5, W, 5>(simd, pass, from, valid, to, prefetch),
                    6 => {
                        run_pass::<S, CompositeRadix<Radix2, Radix3, 2, 3>, W, 6>(simd, pass, from, valid, to, prefetch)
                    }
                    9 => {
                        run_pass::<S, CompositeRadix<Radix3, Radix3, 3, 3>, W, 9>(simd, pass, from, valid, to, prefetch)
                    }
                    10 => run_pass::<S, CompositeRadix<Radix2, Radix5, 2, 5>, W, 10>(
                        simd, pass, from, valid, to, prefetch,
                    ),
                    _ => run_pass::<S, Radix8, W, 8>(simd, pass, from, valid, to, prefetch),
                }
                from = to;
            }
        }
    }
}

#[inline(always)]
unsafe fn run_pass<S: Simd, B: Butterfly<R>, const W: usize, const R: usize>(
    simd: S,
    pass: &Pass,
    src: SignalView,
    valid: usize,
    dst: SignalView,
    prefetch: &mut impl FnMut(),
) {
    let (m, s) = (pass.m, pass.s);
    // The distance between the inputs, and between the outputs, of a butterfly.
    let (from, to) = (s * m * src.stride, s * dst.stride);
    let simd = simd.register();
    for p in 0..m {
        // SAFETY: every input index q + s·(p + m·k) that is read is below `valid`, and every output index q + s·(R·p +
        // k) is below n (the contract of `run`). A register reaches no further than W.
        unsafe {
            let (mut sr, mut si) = (src.re.add(s * p * src.stride), src.im.add(s * p * src.stride));
            let (mut dr, mut di) = (dst.re.add(s * R * p * dst.stride), dst.im.add(s * R * p * dst.stride));
            let twiddles = (p > 0).then(|| pass.twiddles.as_ptr().add(2 * p * (R - 1)));
            for q in 0..s {
                let first = q + s * p;
                // Inputs from this index on are 0.
                let inputs =
                    if first + s * m * (R - 1) < valid { R } else { valid.saturating_sub(first).div_ceil(s * m) };
                for lane in (0..W).step_by(S::Register::WIDTH) {
                    let (sr, si) = (sr.wrapping_add(lane), si.wrapping_add(lane));
                    let (dr, di) = (dr.wrapping_add(lane), di.wrapping_add(lane));
                    butterfly::<S::Register, B, R>(simd, (sr, si, from), inputs, twiddles, (dr, di, to));
                }
                prefetch();
                (sr, si) = (sr.wrapping_add(src.stride), si.wrapping_add(src.stride));
                (dr, di) = (dr.wrapping_add(dst.stride), di.wrapping_add(dst.stride));
            }
        }
    }
}

/// One butterfly with its twiddle factors, if any, on real and imaginary parts with a uniform stride.
///
/// # Safety
/// `inputs` elements must be readable, R elements writable, and R − 1 pairs of twiddle factors readable.
#[inline(always)]
unsafe fn butterfly<S: Arithmetic, B: Butterfly<R>, const R: usize>(
    simd: S,
    (sr, si, from): (*mut f32, *mut f32, usize),
    inputs: usize,
    twiddles: Option<*const f32>,
    (dr, di, to): (*mut f32, *mut f32, usize),
) {
    let zero = simd.splat(0.0);
    let mut x = [(zero, zero); R];
    // SAFETY: the caller's contract.
    unsafe {
        if inputs == R {
            for (k, x) in x.iter_mut().enumerate() {
                *x = (simd.load(sr.add(k * from)), simd.load(si.add(k * from)));
            }
        } else {
            for (k, x) in x.iter_mut().enumerate() {
                if k < inputs {
                    *x = (simd.load(sr.add(k * from)), simd.load(si.add(k * from)));
                }
            }
        }
        let mut y = B::apply(simd, x);
        if let Some(twiddles) = twiddles {
            for (k, y) in y.iter_mut().enumerate().skip(1) {
                let t = twiddles.add(2 * (k - 1));
                let (c, d) = (simd.splat(*t), simd.splat(*t.add(1)));
                let (re, im) = *y;
                *y = (simd.fnma(im, d, simd.mul(re, c)), simd.fma(im, c, simd.mul(re, d)));
            }
        }
        for (k, &(re, im)) in y.iter().enumerate() {
            simd.store(dr.add(k * to), re);
            simd.store(di.add(k * to), im);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cost_per_point, good_length};
    use super::*;
    use crate::kernels::scratch::Scratch;
    use crate::kernels::simd::{Isa, SimdKernel, dispatch};

    struct Check(usize, usize);
    impl SimdKernel for Check {
        type Out = ();
        fn run<S: Simd>(self, simd: S) {
            let Check(n, valid) = self;
            let plan = FftPlan::new(n);
            let value = |i: usize, lane: usize, part: usize| ((i * 37 + lane * 11 + part * 5) % 23) as f32 / 11.0 - 1.0;
            let mut src = vec![f32::NAN; 2 * LANES * n];
            for i in 0..valid {
                for lane in 0..LANES {
                    (0..2).for_each(|part| src[(2 * i + part) * LANES + lane] = value(i, lane, part));
                }
            }
            let mut dst = vec![0.0; 2 * LANES * n];
            let mut work = Scratch::take(plan.scratch_len());
            let (from, to) =
                (SignalView::packed::<LANES>(src.as_mut_ptr()), SignalView::packed::<LANES>(dst.as_mut_ptr()));
            // SAFETY: the buffers have the lengths that the plan requires.
            unsafe { plan.run(simd, from, valid, to, work.as_mut_ptr()) };
            for k in 0..n {
                let lane = k % LANES;
                let (mut re, mut im) = (0f64, 0f64);
                for i in 0..valid {
                    let a = -2.0 * std::f64::consts::PI * ((i * k) % n) as f64 / n as f64;
                    let (x, y) = (f64::from(value(i, lane, 0)), f64::from(value(i, lane, 1)));
                    re += x * a.cos() - y * a.sin();
                    im += x * a.sin() + y * a.cos();
                }
                let got = (f64::from(dst[2 * k * LANES + lane]), f64::from(dst[(2 * k + 1) * LANES + lane]));
                // The rounding error grows with the square root of the length.
                let tolerance = 4e-7 * (n as f64).sqrt() * (1.0 + (n as f64).log2());
                assert!((got.0 - re).abs() < tolerance, "n {n} k {k}: re {} against {re}", got.0);
                assert!((got.1 - im).abs() < tolerance, "n {n} k {k}: im {} against {im}", got.1);
            }
        }
    }

    #[test]
    fn equals_the_definition_at_every_length() {
        for isa in [Isa::Scalar, Isa::Avx2, Isa::Avx512] {
            for n in (1..=130).chain([360, 1152]).filter(|&n| cost_per_point(n).is_finite()) {
                dispatch(isa, Check(n, n));
                dispatch(isa, Check(n, n / 2));
            }
        }
    }

    #[test]
    fn good_lengths_are_long_enough_and_smooth() {
        for min in 1..3000 {
            let n = good_length(min, 3.0);
            assert!(n >= min && n <= min.next_power_of_two() && cost_per_point(n).is_finite());
        }
    }
}
