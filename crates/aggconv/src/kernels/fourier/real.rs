//! Transforms of real signals: two real signals form one complex signal.
//!
//! The real signals come in groups of sixteen, one signal in each vector lane, and one or two groups are transformed
//! together. Where a register holds sixteen lanes, the two groups become the real and the imaginary parts of sixteen
//! complex signals. Where it holds eight, the two halves of one group become those of eight complex signals. A single
//! group then wastes no work, and eight complex signals take half the memory, which decides whether a transform of a
//! thousand points stays in the second-level cache.

use super::fft::{FftPlan, SignalView};
use crate::kernels::simd::{Arithmetic, LANES, Simd};
use std::ops::Range;

/// Whether the two real signals of a complex signal are the halves of a vector. It is evaluated in constants, so that
/// only one of the two variants is compiled.
const fn splits_vectors<S: Simd>() -> bool {
    2 * <S::Register as Arithmetic>::WIDTH == LANES
}

/// The number of floats of one element of the complex signals.
const fn element_len<S: Simd>() -> usize {
    if splits_vectors::<S>() { LANES } else { 2 * LANES }
}

/// The number of floats of scratch memory that [`forward`] and [`inverse`] need: the two ping-pong buffers of the
/// passes. It is as small as possible, so that a transform of a thousand points stays in the second-level cache.
pub fn buffer_len<S: Simd>(plan: &FftPlan) -> usize {
    element_len::<S>() * 2 * plan.len()
}

/// As [`buffer_len`], with a separate input of `used` elements that [`forward`] only reads.
pub fn buffer_len_separate<S: Simd>(plan: &FftPlan, used: usize) -> usize {
    buffer_len::<S>(plan) + element_len::<S>() * used
}

/// Computes the transforms, times 2, of `count` (one or two) groups of sixteen real signals at the frequencies 0 ..=
/// n/2. The imaginary parts are multiplied by `sign`, which is 1, or −1 for the conjugates.
///
/// `fill` writes the signals of each group: `used` vectors of sixteen, followed by implied zeros. Elements that it does
/// not write have unspecified values, or, in a buffer of [`buffer_len_separate`], the values that it wrote before.
/// `place` returns where the sixteen real parts, followed by the sixteen imaginary parts, of a group go at a frequency:
/// two cache lines, which are written with non-temporal stores if `non_temporal`. `prefetch` returns the function that
/// is called with each butterfly of the given groups.
///
/// # Safety
/// The buffer must have the length of [`buffer_len`] or [`buffer_len_separate`]. 32 floats, aligned to a cache line,
/// must be writable at each place. The processor must support the instructions of `simd`.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // all of them distinct and typed
pub unsafe fn forward<S: Simd, A: FnMut()>(
    simd: S,
    plan: &FftPlan,
    (used, count): (usize, usize),
    (sign, non_temporal): (f32, bool),
    buffer: &mut [f32],
    mut fill: impl FnMut(usize, &mut [f32]),
    place: impl Fn(usize, usize) -> *mut f32,
    prefetch: impl Fn(Range<usize>) -> A,
) {
    let n = plan.len();
    let (len, signal) = (buffer_len::<S>(plan), element_len::<S>() * used);
    assert!((1..=2).contains(&count) && used <= n && buffer.len() >= len);
    // The passes alternate between the two ping-pong buffers, beginning with the first. A separate input lies behind
    // them.
    let at = if buffer.len() >= len + signal { len } else { 0 };
    let first = buffer.as_mut_ptr();
    let buffers = [element_len::<S>() * n, 0].map(|at| first.wrapping_add(at));
    let spectrum = buffers[(plan.steps() - 1) % 2].cast_const();
    let input = first.wrapping_add(at);
    // SAFETY (of both uses below): within the buffer, as asserted, and borrowed only while it is filled.
    let half = |i: usize| unsafe { std::slice::from_raw_parts_mut(input.add(i * LANES * used), LANES * used) };
    let mirror = |k: usize| if k == 0 { 0 } else { n - k };
    if const { splits_vectors::<S>() } {
        const HALF: usize = LANES / 2;
        let register = simd.register();
        for index in 0..count {
            fill(index, half(0));
            let src = SignalView { re: input, im: input.wrapping_add(HALF), stride: LANES };
            // SAFETY: `input` holds `used` elements and each ping-pong buffer n, as asserted. They are disjoint, except
            // that the input may lie in the second buffer, which is written only after the input has been read.
            unsafe {
                let buffers = buffers.map(SignalView::packed::<HALF>);
                plan.run_ping_pong::<S, HALF>(simd, src, used, buffers, None, &mut prefetch(index..index + 1));
            }
            let sign = register.splat(sign);
            for k in 0..n / 2 + 1 {
                // SAFETY: k and n − k are below n, and the caller guarantees the destination.
                unsafe {
                    let z = spectrum.add(LANES * k);
                    let c = spectrum.add(LANES * mirror(k));
                    let (zr, zi) = (register.load(z), register.load(z.add(HALF)));
                    let (cr, ci) = (register.load(c), register.load(c.add(HALF)));
                    let p = place(index, k);
                    register.store_hinted(non_temporal, p, register.add(zr, cr));
                    register.store_hinted(non_temporal, p.add(HALF), register.add(zi, ci));
                    register.store_hinted(non_temporal, p.add(LANES), register.mul(sign, register.sub(zi, ci)));
                    register.store_hinted(non_temporal, p.add(LANES + HALF), register.mul(sign, register.sub(cr, zr)));
                }
            }
        }
        return;
    }
    fill(0, half(0));
    if count == 2 {
        fill(1, half(1));
    } else {
        half(1).fill(0.0);
    }
    let src = SignalView { re: input, im: input.wrapping_add(LANES * used), stride: LANES };
    // SAFETY: as above.
    unsafe {
        let buffers = buffers.map(SignalView::packed::<LANES>);
        plan.run_ping_pong::<S, LANES>(simd, src, used, buffers, None, &mut prefetch(0..count));
    }
    let sign = simd.splat(sign);
    for k in 0..n / 2 + 1 {
        // SAFETY: as above.
        unsafe {
            let z = spectrum.add(2 * LANES * k);
            let c = spectrum.add(2 * LANES * mirror(k));
            let (zr, zi) = (simd.load(z), simd.load(z.add(LANES)));
            let (cr, ci) = (simd.load(c), simd.load(c.add(LANES)));
            let p = place(0, k);
            simd.store_hinted(non_temporal, p, simd.add(zr, cr));
            simd.store_hinted(non_temporal, p.add(LANES), simd.mul(sign, simd.sub(zi, ci)));
            if count == 2 {
                let p = place(1, k);
                simd.store_hinted(non_temporal, p, simd.add(zi, ci));
                simd.store_hinted(non_temporal, p.add(LANES), simd.mul(sign, simd.sub(cr, zr)));
            }
        }
    }
}

/// Computes the unscaled inverse: from the frequencies 0 ..= n/2 to the real signals of `count` (one or two) groups.
///
/// `source` returns where the sixteen real parts, followed by the sixteen imaginary parts, of a group lie at a
/// frequency. `CONJUGATE` takes the conjugates of these values. `take` receives the signals of each group: a pointer to
/// the first vector of sixteen, and the number of floats from one vector to the next.
///
/// # Safety
/// The buffer must have the length of [`buffer_len`]. 32 floats must be readable at each source. The processor must
/// support the instructions of `simd`. The signals that `take` receives are n vectors, which may be read only while it
/// runs.
#[inline(always)]
pub unsafe fn inverse<S: Simd, const CONJUGATE: bool, B: FnMut()>(
    simd: S,
    plan: &FftPlan,
    count: usize,
    buffer: &mut [f32],
    source: impl Fn(usize, usize) -> *const f32,
    mut take: impl FnMut(usize, *const f32, usize),
    prefetch: impl Fn(Range<usize>) -> B,
) {
    let n = plan.len();
    assert!((1..=2).contains(&count) && buffer.len() >= buffer_len::<S>(plan));
    let spectrum = buffer.as_mut_ptr();
    let buffers = [element_len::<S>() * n, 0].map(|at| spectrum.wrapping_add(at));
    let signal = buffers[(plan.steps() - 1) % 2].cast_const();
    if const { splits_vectors::<S>() } {
        const HALF: usize = LANES / 2;
        let register = simd.register();
        for index in 0..count {
            for k in 0..n / 2 + 1 {
                // SAFETY: the caller's contract; k is below n.
                unsafe {
                    let p = source(index, k);
                    let (ar, br) = (register.load(p), register.load(p.add(HALF)));
                    let (ai, bi) = (register.load(p.add(LANES)), register.load(p.add(LANES + HALF)));
                    join::<S::Register, CONJUGATE>(register, n, k, (ar, ai), (br, bi), spectrum);
                }
            }
            let src = SignalView::packed::<HALF>(spectrum).swapped();
            // SAFETY: two ping-pong buffers of n elements each, as asserted; each pass reads one and writes the other.
            unsafe {
                let buffers = buffers.map(|p| SignalView::packed::<HALF>(p).swapped());
                plan.run_ping_pong::<S, HALF>(simd, src, n, buffers, None, &mut prefetch(index..index + 1));
            }
            take(index, signal, LANES);
        }
        return;
    }
    for k in 0..n / 2 + 1 {
        // SAFETY: as above.
        unsafe {
            let zero = (simd.splat(0.0), simd.splat(0.0));
            let at = |index: usize| {
                let p = source(index, k);
                (simd.load(p), simd.load(p.add(LANES)))
            };
            let (a, b) = (at(0), if count == 2 { at(1) } else { zero });
            join::<S, CONJUGATE>(simd, n, k, a, b, spectrum);
        }
    }
    let src = SignalView::packed::<LANES>(spectrum).swapped();
    // SAFETY: as above.
    unsafe {
        let buffers = buffers.map(|p| SignalView::packed::<LANES>(p).swapped());
        plan.run_ping_pong::<S, LANES>(simd, src, n, buffers, None, &mut prefetch(0..count));
    }
    for index in 0..count {
        take(index, signal.wrapping_add(index * LANES), 2 * LANES);
    }
}

/// Combines frequency `k` of the two real signals a and b into the frequencies k and n − k of the complex signal
/// `a + ib`.
///
/// # Safety
/// `out` must hold n elements, and k must be below n.
#[inline(always)]
unsafe fn join<A: Arithmetic, const CONJUGATE: bool>(
    simd: A,
    n: usize,
    k: usize,
    (ar, ai): (A::V, A::V),
    (br, bi): (A::V, A::V),
    out: *mut f32,
) {
    // The conjugate of a spectrum is the spectrum of the reversed conjugate signal.
    let (here, there) = if CONJUGATE { ((n - k) % n, k) } else { (k, (n - k) % n) };
    // SAFETY: k and n − k (mod n) are below n.
    unsafe {
        let z = out.add(2 * A::WIDTH * here);
        let c = out.add(2 * A::WIDTH * there);
        // At the self-conjugate frequencies, the imaginary parts are 0 except for rounding, and both stores go to the
        // same element: the second one decides.
        simd.store(c, simd.add(ar, bi));
        simd.store(c.add(A::WIDTH), simd.sub(br, ai));
        simd.store(z, simd.sub(ar, bi));
        simd.store(z.add(A::WIDTH), simd.add(ai, br));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scratch::Scratch;
    use super::super::super::simd::{Isa, SimdKernel, dispatch};
    use super::*;
    use std::f64::consts::TAU;

    /// Transforms `count` groups of signals, `used` of whose `n` elements are not zero, forward and back.
    struct Check {
        n: usize,
        used: usize,
        count: usize,
        sign: f32,
        /// Whether the signals have a buffer of their own.
        separate: bool,
    }

    impl SimdKernel for Check {
        type Out = ();
        fn run<S: Simd>(self, simd: S) {
            let Check { n, used, count, sign, separate } = self;
            let plan = FftPlan::new(n);
            let value =
                |index: usize, i: usize, lane: usize| ((i * 37 + lane * 11 + index * 5) % 23) as f32 / 11.0 - 1.0;
            let bins = n / 2 + 1;
            let mut lines = Scratch::take(2 * bins * 2 * LANES);
            lines.fill(f32::NAN);
            let mut buffer = Scratch::take(buffer_len_separate::<S>(&plan, if separate { used } else { 0 }));
            buffer.fill(f32::NAN);
            let fill = |index: usize, t: &mut [f32]| {
                for (i, t) in t.chunks_exact_mut(LANES).take(used).enumerate() {
                    t.iter_mut().enumerate().for_each(|(lane, t)| *t = value(index, i, lane));
                }
            };
            let to = lines.as_mut_ptr();
            let place = |index: usize, k: usize| to.wrapping_add((index * bins + k) * 2 * LANES);
            // SAFETY: a buffer of the required length, and a destination for each group and frequency.
            unsafe { forward(simd, &plan, (used, count), (sign, separate), &mut buffer, fill, place, |_| || ()) };
            // The rounding error grows with the square root of the length.
            let tolerance = 1e-6 * (n as f64).sqrt() * (1.0 + (n as f64).log2());
            for index in 0..count {
                for (k, line) in lines[index * bins * 2 * LANES..].chunks_exact(2 * LANES).take(bins).enumerate() {
                    for lane in [k % LANES, (k + 8) % LANES] {
                        let (mut re, mut im) = (0f64, 0f64);
                        for i in 0..used {
                            let (x, a) = (f64::from(value(index, i, lane)), TAU * ((i * k) % n) as f64 / n as f64);
                            re += 2.0 * x * a.cos();
                            im -= 2.0 * x * a.sin();
                        }
                        let got = (f64::from(line[lane]), f64::from(sign * line[LANES + lane]));
                        assert!((got.0 - re).abs() < tolerance, "n {n} index {index} k {k}: {} against {re}", got.0);
                        assert!((got.1 - im).abs() < tolerance, "n {n} index {index} k {k}: {} against {im}", got.1);
                    }
                }
            }
            buffer.fill(f32::NAN);
            let from = lines.as_ptr();
            let source = |index: usize, k: usize| from.wrapping_add((index * bins + k) * 2 * LANES);
            let mut taken = 0;
            let take = |index: usize, signal: *const f32, next: usize| {
                assert_eq!(index, taken);
                taken += 1;
                for i in 0..n {
                    for lane in 0..LANES {
                        // SAFETY: n vectors were passed.
                        let got = unsafe { *signal.add(i * next + lane) } / (2 * n) as f32;
                        let want = if i < used { value(index, i, lane) } else { 0.0 };
                        assert!(
                            f64::from(got - want).abs() < tolerance,
                            "n {n} index {index} at {i}: {got}, not {want}"
                        );
                    }
                }
            };
            // SAFETY: as above.
            unsafe {
                if sign < 0.0 {
                    inverse::<S, true, _>(simd, &plan, count, &mut buffer, source, take, |_| || ());
                } else {
                    inverse::<S, false, _>(simd, &plan, count, &mut buffer, source, take, |_| || ());
                }
            }
            assert_eq!(taken, count);
        }
    }

    #[test]
    fn one_or_two_groups_round_trip_at_every_length() {
        for isa in Isa::ALL.iter().copied().filter(|isa| isa.available()) {
            for n in (1..=40).chain([90, 96, 360, 1152]).filter(|&n| super::super::fft::cost_per_point(n).is_finite()) {
                for (count, sign) in [(1, 1.0), (2, -1.0), (2, 1.0), (1, -1.0)] {
                    for used in [n, n.div_ceil(2)] {
                        for separate in [false, true] {
                            dispatch(isa, Check { n, used, count, sign, separate });
                        }
                    }
                }
            }
        }
    }
}
