//! Transforms of real signals: two of them make one complex signal.
//!
//! Real signals come in *sides*, sixteen of them each, one in each vector lane. Where a register holds sixteen lanes, two
//! sides become the real and the imaginary part of sixteen complex signals; where it holds eight, the halves of one
//! side become those of eight. So nothing is computed for want of a second side, and eight complex signals at a time take
//! half the memory, which decides whether a transform of a thousand points stays in the second-level cache.

use super::super::simd::{Arithmetic, LANES, Simd};
use super::fft::{Plan, View};
use std::ops::Range;

/// Whether the two real signals of a complex one are the halves of a vector. Asked in constants, so that only one of the
/// two ways is compiled.
const fn halves<S: Simd>() -> bool {
    2 * <S::Part as Arithmetic>::WIDTH == LANES
}

/// Floats of an element of the complex signals.
const fn element<S: Simd>() -> usize {
    if halves::<S>() { LANES } else { 2 * LANES }
}

/// Floats of working memory that [`forward`] and [`inverse`] need: two signals, between which the steps go to and fro.
/// No more, lest a transform of a thousand points leaves the second-level cache.
pub fn buffer_len<S: Simd>(plan: &Plan) -> usize {
    element::<S>() * 2 * plan.len()
}

/// As [`buffer_len`], with a place for `used` elements that [`forward`] only reads.
pub fn buffer_len_apart<S: Simd>(plan: &Plan, used: usize) -> usize {
    buffer_len::<S>(plan) + element::<S>() * used
}

/// Transforms of one or two (`sides`) times sixteen real signals, times 2, at the frequencies 0 ..= n/2: the imaginary
/// parts times `sign`, which is 1 or −1 for their conjugates.
///
/// `fill` is asked for every side's signals, `used` vectors of sixteen, from there on zero. What it does not write is
/// whatever is in the buffer: in one of [`buffer_len_apart`], what it wrote before. `place` says where the sixteen real and
/// then the sixteen imaginary parts of a side go at a frequency: two cache lines, written past the caches if they are
/// `far`.
///
/// # Safety
/// The buffer has the length that [`buffer_len`] or [`buffer_len_apart`] says; 32 floats, from the start of a cache line on,
/// must be writable at each place; `simd`'s instructions are there.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // all of them distinct and typed
pub unsafe fn forward<S: Simd, A: FnMut()>(
    simd: S,
    plan: &Plan,
    (used, sides): (usize, usize),
    (sign, far): (f32, bool),
    buffer: &mut [f32],
    mut fill: impl FnMut(usize, &mut [f32]),
    place: impl Fn(usize, usize) -> *mut f32,
    ahead: impl Fn(Range<usize>) -> A,
) {
    let n = plan.len();
    let (len, signal) = (buffer_len::<S>(plan), element::<S>() * used);
    assert!((1..=2).contains(&sides) && used <= n && buffer.len() >= len);
    // From the first of two places the steps go to the second and back; one apart is behind them.
    let at = if buffer.len() >= len + signal { len } else { 0 };
    let first = buffer.as_mut_ptr();
    let places = [element::<S>() * n, 0].map(|at| first.wrapping_add(at));
    let spectrum = places[(plan.steps() - 1) % 2].cast_const();
    let input = first.wrapping_add(at);
    // SAFETY (of both below): within the buffer (asserted), borrowed while it is filled.
    let half = |i: usize| unsafe { std::slice::from_raw_parts_mut(input.add(i * LANES * used), LANES * used) };
    let mirror = |k: usize| if k == 0 { 0 } else { n - k };
    if const { halves::<S>() } {
        const HALF: usize = LANES / 2;
        let part = simd.part();
        for side in 0..sides {
            fill(side, half(0));
            let src = View { re: input, im: input.wrapping_add(HALF), stride: LANES };
            // SAFETY: `input` holds `used` elements, both places n (asserted); they are disjoint, but for the input in the
            // second of them, which has been read when that is written.
            unsafe {
                let places = places.map(View::packed::<HALF>);
                plan.run_steps::<S, HALF>(simd, src, used, places, None, &mut ahead(side..side + 1));
            }
            let sign = part.splat(sign);
            for k in 0..n / 2 + 1 {
                // SAFETY: k and its mirror image are below n; the caller's contract for the place.
                unsafe {
                    let z = spectrum.add(LANES * k);
                    let c = spectrum.add(LANES * mirror(k));
                    let (zr, zi) = (part.load(z), part.load(z.add(HALF)));
                    let (cr, ci) = (part.load(c), part.load(c.add(HALF)));
                    let p = place(side, k);
                    part.put(far, p, part.add(zr, cr));
                    part.put(far, p.add(HALF), part.add(zi, ci));
                    part.put(far, p.add(LANES), part.mul(sign, part.sub(zi, ci)));
                    part.put(far, p.add(LANES + HALF), part.mul(sign, part.sub(cr, zr)));
                }
            }
        }
        return;
    }
    fill(0, half(0));
    if sides == 2 {
        fill(1, half(1));
    } else {
        half(1).fill(0.0);
    }
    let src = View { re: input, im: input.wrapping_add(LANES * used), stride: LANES };
    // SAFETY: as above.
    unsafe {
        let places = places.map(View::packed::<LANES>);
        plan.run_steps::<S, LANES>(simd, src, used, places, None, &mut ahead(0..sides));
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
            simd.put(far, p, simd.add(zr, cr));
            simd.put(far, p.add(LANES), simd.mul(sign, simd.sub(zi, ci)));
            if sides == 2 {
                let p = place(1, k);
                simd.put(far, p, simd.add(zi, ci));
                simd.put(far, p.add(LANES), simd.mul(sign, simd.sub(cr, zr)));
            }
        }
    }
}

/// The unscaled inverse: from frequencies 0 ..= n/2 to the real signals of one or two `sides`.
///
/// `source` says where the sixteen real and then the sixteen imaginary parts of a side lie at a frequency; `CONJUGATE`
/// takes the conjugates of what is there. `take` is given every side's signals: the first of their vectors of sixteen,
/// and the floats from one to the next.
///
/// # Safety
/// The buffer has the length that [`buffer_len`] says; 32 floats must be readable at each source;
/// `simd`'s instructions are there. The signals that `take` is given are n vectors, to be read while it runs.
#[inline(always)]
pub unsafe fn inverse<S: Simd, const CONJUGATE: bool, B: FnMut()>(
    simd: S,
    plan: &Plan,
    sides: usize,
    buffer: &mut [f32],
    source: impl Fn(usize, usize) -> *const f32,
    mut take: impl FnMut(usize, *const f32, usize),
    ahead: impl Fn(Range<usize>) -> B,
) {
    let n = plan.len();
    assert!((1..=2).contains(&sides) && buffer.len() >= buffer_len::<S>(plan));
    let spectrum = buffer.as_mut_ptr();
    let places = [element::<S>() * n, 0].map(|at| spectrum.wrapping_add(at));
    let signal = places[(plan.steps() - 1) % 2].cast_const();
    if const { halves::<S>() } {
        const HALF: usize = LANES / 2;
        let part = simd.part();
        for side in 0..sides {
            for k in 0..n / 2 + 1 {
                // SAFETY: the caller's contract; k is below n.
                unsafe {
                    let p = source(side, k);
                    let (ar, br) = (part.load(p), part.load(p.add(HALF)));
                    let (ai, bi) = (part.load(p.add(LANES)), part.load(p.add(LANES + HALF)));
                    join::<S::Part, CONJUGATE>(part, n, k, (ar, ai), (br, bi), spectrum);
                }
            }
            let src = View::packed::<HALF>(spectrum).swapped();
            // SAFETY: two places of n elements each (asserted), of which a step reads one and writes the other.
            unsafe {
                let places = places.map(|p| View::packed::<HALF>(p).swapped());
                plan.run_steps::<S, HALF>(simd, src, n, places, None, &mut ahead(side..side + 1));
            }
            take(side, signal, LANES);
        }
        return;
    }
    for k in 0..n / 2 + 1 {
        // SAFETY: as above.
        unsafe {
            let zero = (simd.splat(0.0), simd.splat(0.0));
            let at = |side: usize| {
                let p = source(side, k);
                (simd.load(p), simd.load(p.add(LANES)))
            };
            let (a, b) = (at(0), if sides == 2 { at(1) } else { zero });
            join::<S, CONJUGATE>(simd, n, k, a, b, spectrum);
        }
    }
    let src = View::packed::<LANES>(spectrum).swapped();
    // SAFETY: as above.
    unsafe {
        let places = places.map(|p| View::packed::<LANES>(p).swapped());
        plan.run_steps::<S, LANES>(simd, src, n, places, None, &mut ahead(0..sides));
    }
    for side in 0..sides {
        take(side, signal.wrapping_add(side * LANES), 2 * LANES);
    }
}

/// Frequency `k` of two real signals to those of the complex signal `a + ib`, at k and at n − k.
///
/// # Safety
/// `out` holds n elements, k is below n.
#[inline(always)]
unsafe fn join<A: Arithmetic, const CONJUGATE: bool>(
    simd: A,
    n: usize,
    k: usize,
    (ar, ai): (A::V, A::V),
    (br, bi): (A::V, A::V),
    out: *mut f32,
) {
    // The conjugate of a signal's spectrum is the spectrum of the conjugate's mirror image.
    let (here, there) = if CONJUGATE { ((n - k) % n, k) } else { (k, (n - k) % n) };
    // SAFETY: k and n − k (mod n) are below n.
    unsafe {
        let z = out.add(2 * A::WIDTH * here);
        let c = out.add(2 * A::WIDTH * there);
        // At the frequencies that are their own mirror image the imaginary parts are 0, but for rounding: what is
        // stored last stays.
        simd.store(c, simd.add(ar, bi));
        simd.store(c.add(A::WIDTH), simd.sub(br, ai));
        simd.store(z, simd.sub(ar, bi));
        simd.store(z.add(A::WIDTH), simd.add(ai, br));
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scratch::Scratch;
    use super::super::super::simd::{Isa, Kernel, dispatch};
    use super::*;
    use std::f64::consts::TAU;

    /// Transforms `sides` of `used` of `n` elements and back, one way or the other.
    struct Check {
        n: usize,
        used: usize,
        sides: usize,
        sign: f32,
        /// Whether the signals have a place of their own.
        apart: bool,
    }

    impl Kernel for Check {
        type Out = ();
        fn run<S: Simd>(self, simd: S) {
            let Check { n, used, sides, sign, apart } = self;
            let plan = Plan::new(n);
            let value = |side: usize, i: usize, lane: usize| ((i * 37 + lane * 11 + side * 5) % 23) as f32 / 11.0 - 1.0;
            let bins = n / 2 + 1;
            let mut lines = Scratch::take(2 * bins * 2 * LANES);
            lines.fill(f32::NAN);
            let mut buffer = Scratch::take(buffer_len_apart::<S>(&plan, if apart { used } else { 0 }));
            buffer.fill(f32::NAN);
            let fill = |side: usize, t: &mut [f32]| {
                for (i, t) in t.chunks_exact_mut(LANES).take(used).enumerate() {
                    t.iter_mut().enumerate().for_each(|(lane, t)| *t = value(side, i, lane));
                }
            };
            let to = lines.as_mut_ptr();
            let place = |side: usize, k: usize| to.wrapping_add((side * bins + k) * 2 * LANES);
            // SAFETY: a buffer of the length asked for, a place for each side and frequency.
            unsafe { forward(simd, &plan, (used, sides), (sign, apart), &mut buffer, fill, place, |_| || ()) };
            // Rounding grows like the root of the length.
            let tolerance = 1e-6 * (n as f64).sqrt() * (1.0 + (n as f64).log2());
            for side in 0..sides {
                for (k, line) in lines[side * bins * 2 * LANES..].chunks_exact(2 * LANES).take(bins).enumerate() {
                    for lane in [k % LANES, (k + 8) % LANES] {
                        let (mut re, mut im) = (0f64, 0f64);
                        for i in 0..used {
                            let (x, a) = (f64::from(value(side, i, lane)), TAU * ((i * k) % n) as f64 / n as f64);
                            re += 2.0 * x * a.cos();
                            im -= 2.0 * x * a.sin();
                        }
                        let got = (f64::from(line[lane]), f64::from(sign * line[LANES + lane]));
                        assert!((got.0 - re).abs() < tolerance, "n {n} side {side} k {k}: {} against {re}", got.0);
                        assert!((got.1 - im).abs() < tolerance, "n {n} side {side} k {k}: {} against {im}", got.1);
                    }
                }
            }
            buffer.fill(f32::NAN);
            let from = lines.as_ptr();
            let source = |side: usize, k: usize| from.wrapping_add((side * bins + k) * 2 * LANES);
            let mut taken = 0;
            let take = |side: usize, signal: *const f32, next: usize| {
                assert_eq!(side, taken);
                taken += 1;
                for i in 0..n {
                    for lane in 0..LANES {
                        // SAFETY: n vectors were given.
                        let got = unsafe { *signal.add(i * next + lane) } / (2 * n) as f32;
                        let want = if i < used { value(side, i, lane) } else { 0.0 };
                        assert!(f64::from(got - want).abs() < tolerance, "n {n} side {side} at {i}: {got}, not {want}");
                    }
                }
            };
            // SAFETY: as above.
            unsafe {
                if sign < 0.0 {
                    inverse::<S, true, _>(simd, &plan, sides, &mut buffer, source, take, |_| || ());
                } else {
                    inverse::<S, false, _>(simd, &plan, sides, &mut buffer, source, take, |_| || ());
                }
            }
            assert_eq!(taken, sides);
        }
    }

    #[test]
    fn one_or_two_sides_there_and_back_at_every_length() {
        for isa in Isa::ALL.iter().copied().filter(|isa| isa.available()) {
            for n in (1..=40).chain([90, 96, 360, 1152]).filter(|&n| super::super::fft::cost_per_point(n).is_finite()) {
                for (sides, sign) in [(1, 1.0), (2, -1.0), (2, 1.0), (1, -1.0)] {
                    for used in [n, n.div_ceil(2)] {
                        for apart in [false, true] {
                            dispatch(isa, Check { n, used, sides, sign, apart });
                        }
                    }
                }
            }
        }
    }
}
