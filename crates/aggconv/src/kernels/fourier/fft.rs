//! Complex discrete Fourier transforms of 16 signals at once, one in each vector lane.
//!
//! Signals side by side need no shuffles, so every butterfly is plain vector arithmetic. The
//! passes are Stockham's (no bit reversal), radices 2 to 6, 8, 9 and 10. The transform is
//! `X[k] = Σ_j x[j]·exp(−2πi·jk/N)`; the inverse (unscaled) is the same with real and imaginary
//! parts exchanged on both sides.

#![allow(clippy::needless_range_loop)] // butterflies index several arrays alike

use super::super::simd::{Arithmetic, LANES, Simd};
use std::sync::Mutex;

/// One pass: `m` twiddle groups of radix `r` butterflies over `s` interleaved sub-transforms.
#[derive(Debug, Clone)]
struct Pass {
    radix: usize,
    m: usize,
    s: usize,
    /// `exp(−2πi·p·k/(r·m))` as (re, im) for p < m, 1 ≤ k < r.
    twiddles: Vec<f32>,
}

/// A transform length prepared for use.
#[derive(Debug, Clone)]
pub struct Plan {
    n: usize,
    passes: Vec<Pass>,
}

/// Where one complex 16-lane signal lies: element `i` at `re + i·stride`, `im + i·stride`.
#[derive(Clone, Copy)]
pub struct View {
    /// Real parts.
    pub re: *mut f32,
    /// Imaginary parts.
    pub im: *mut f32,
    /// Floats from one element to the next.
    pub stride: usize,
}

impl View {
    /// Elements of `W` real parts, then `W` imaginary parts.
    pub fn packed<const W: usize>(p: *mut f32) -> Self {
        // `wrapping_add` leaves the validity of the address to whoever uses the view.
        Self { re: p, im: p.wrapping_add(W), stride: 2 * W }
    }
    /// With real and imaginary parts exchanged.
    pub fn swapped(self) -> Self {
        Self { re: self.im, im: self.re, stride: self.stride }
    }
}

/// Relative cost of one point in a pass of the radix, from measurements: mostly loads and stores,
/// so few large passes beat many small ones.
fn pass_cost(radix: usize) -> f64 {
    match radix {
        10 => 2.3,
        9 => 2.2,
        8 => 1.8,
        6 => 1.6,
        5 => 1.6,
        4 => 1.3,
        3 => 1.2,
        _ => 1.0,
    }
}

/// The radices of a pass.
const RADICES: [usize; 8] = [10, 9, 8, 6, 5, 4, 3, 2];

/// The cheapest radices of a transform of length `n`, or `None` if it has a prime factor above 5.
fn factor(n: usize) -> Option<Vec<usize>> {
    /// Tries radices from `RADICES[from]` on: (cost, radices in descending order).
    fn best(n: usize, from: usize) -> Option<(f64, Vec<usize>)> {
        if n == 1 {
            return Some((0.0, Vec::new()));
        }
        let mut found: Option<(f64, Vec<usize>)> = None;
        for (i, &r) in RADICES.iter().enumerate().skip(from).filter(|(_, r)| n.is_multiple_of(**r)) {
            if let Some((cost, mut rest)) = best(n / r, i) {
                let cost = cost + pass_cost(r);
                if found.as_ref().is_none_or(|f| cost < f.0) {
                    rest.insert(0, r);
                    found = Some((cost, rest));
                }
            }
        }
        found
    }
    best(n, 0).map(|(_, radices)| radices)
}

/// Relative cost of a point of a transform of length `n`; infinite if `n` has a prime factor
/// above 5.
pub fn cost_per_point(n: usize) -> f64 {
    factor(n).map_or(f64::INFINITY, |r| r.into_iter().map(pass_cost).sum())
}

/// The length from `min` up that makes `n · (cost of a transform + weight)` least; `weight` is
/// what else is done for each frequency, in the units of a radix-2 pass.
pub fn good_length(min: usize, weight: f64) -> usize {
    /// Lengths found before: layers ask for the same few in every step.
    static FOUND: Mutex<Vec<(usize, f64, usize)>> = Mutex::new(Vec::new());
    let found = || FOUND.lock().unwrap_or_else(|e| e.into_inner());
    if let Some(&(.., n)) = found().iter().find(|f| (f.0, f.1) == (min, weight)) {
        return n;
    }
    let n = find_good_length(min, weight);
    found().push((min, weight, n));
    n
}

fn find_good_length(min: usize, weight: f64) -> usize {
    let cost = |n: usize| n as f64 * (cost_per_point(n) + weight);
    (min..=min.next_power_of_two())
        .map(|n| (n, cost(n)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(min.next_power_of_two(), |(n, _)| n)
}

impl Plan {
    /// Prepares length `n ≥ 1`, a product of powers of 2, 3 and 5 (see [`good_length`]).
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

    /// The length.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.n
    }

    /// Floats of working memory that [`Plan::run`] needs.
    pub fn scratch_len(&self) -> usize {
        4 * LANES * self.n
    }

    /// Transforms `src` to `dst`; elements of `src` from `valid` on are taken as 0 and not read.
    ///
    /// # Safety
    /// `src` must be readable for `valid` elements, `dst` writable for `n`, `scratch` for
    /// [`Plan::scratch_len`] floats; `scratch` must not overlap the others. `src` and `dst` may
    /// be the same memory only if there are at least two passes (n is not 1 or a radix).
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, simd: S, src: View, valid: usize, dst: View, scratch: *mut f32) {
        // SAFETY: the caller's contract.
        unsafe { self.run_lanes::<S, LANES>(simd, src, valid, dst, scratch) }
    }

    /// [`Plan::run`] of `W` signals, a multiple of a part's lanes: real parts and imaginary parts are `W` floats each, and
    /// of the scratch memory it needs as large a share.
    ///
    /// # Safety
    /// As for [`Plan::run`].
    #[inline(always)]
    pub unsafe fn run_lanes<S: Simd, const W: usize>(
        &self,
        simd: S,
        src: View,
        valid: usize,
        dst: View,
        scratch: *mut f32,
    ) {
        // SAFETY: the caller's contract; ping and pong are disjoint halves of `scratch`, and a
        // pass never reads the buffer it writes.
        unsafe {
            let half = [View::packed::<W>(scratch), View::packed::<W>(scratch.add(2 * W * self.n))];
            self.run_steps::<S, W>(simd, src, valid, half, Some(dst), &mut || ());
        }
    }

    /// The steps of a transform, at least one: each writes all of its elements to a place of its own.
    pub fn steps(&self) -> usize {
        self.passes.len().max(1)
    }

    /// Butterflies of all steps.
    pub fn butterflies(&self) -> usize {
        self.passes.iter().map(|pass| pass.m * pass.s).sum()
    }

    /// [`Plan::run_lanes`] with the steps writing to one of `places` and the other in turn, the last to `dst` if it is given.
    /// With each butterfly `ahead` is called, to ask for what comes next in small pieces: memory is idle meanwhile.
    ///
    /// # Safety
    /// `src` must be readable for `valid` elements, all others writable for n, and none overlap but `src` and the second
    /// place, and `dst` and any that is not read by the last step.
    #[inline(always)]
    pub unsafe fn run_steps<S: Simd, const W: usize>(
        &self,
        simd: S,
        src: View,
        valid: usize,
        places: [View; 2],
        dst: Option<View>,
        ahead: &mut impl FnMut(),
    ) {
        let to = |i: usize| dst.filter(|_| i + 1 == self.steps()).unwrap_or(places[i % 2]);
        // SAFETY: the caller's contract: a pass never reads what it writes.
        unsafe {
            if self.passes.is_empty() {
                let (part, dst) = (simd.part(), to(0));
                for lane in (0..W).step_by(S::Part::WIDTH) {
                    for (from, to) in [(src.re, dst.re), (src.im, dst.im)] {
                        part.store(to.add(lane), if valid > 0 { part.load(from.add(lane)) } else { part.splat(0.0) });
                    }
                }
                return;
            }
            let mut from = src;
            for (i, pass) in self.passes.iter().enumerate() {
                let to = to(i);
                let valid = if i == 0 { valid.min(self.n) } else { self.n };
                match pass.radix {
                    2 => pass_r::<S, Radix2, W, 2>(simd, pass, from, valid, to, ahead),
                    3 => pass_r::<S, Radix3, W, 3>(simd, pass, from, valid, to, ahead),
                    4 => pass_r::<S, Radix4, W, 4>(simd, pass, from, valid, to, ahead),
                    5 => pass_r::<S, Radix5, W, 5>(simd, pass, from, valid, to, ahead),
                    6 => pass_r::<S, Product<Radix2, Radix3, 2, 3>, W, 6>(simd, pass, from, valid, to, ahead),
                    9 => pass_r::<S, Product<Radix3, Radix3, 3, 3>, W, 9>(simd, pass, from, valid, to, ahead),
                    10 => pass_r::<S, Product<Radix2, Radix5, 2, 5>, W, 10>(simd, pass, from, valid, to, ahead),
                    _ => pass_r::<S, Radix8, W, 8>(simd, pass, from, valid, to, ahead),
                }
                from = to;
            }
        }
    }
}

/// A complex number in each lane.
type C<S> = (<S as Arithmetic>::V, <S as Arithmetic>::V);

/// A transform of length `R` in registers.
trait Butterfly<const R: usize> {
    fn apply<S: Arithmetic>(simd: S, x: [C<S>; R]) -> [C<S>; R];
}

#[inline(always)]
unsafe fn pass_r<S: Simd, B: Butterfly<R>, const W: usize, const R: usize>(
    simd: S,
    pass: &Pass,
    src: View,
    valid: usize,
    dst: View,
    ahead: &mut impl FnMut(),
) {
    let (m, s) = (pass.m, pass.s);
    // Between the inputs, and between the outputs, of a butterfly.
    let (from, to) = (s * m * src.stride, s * dst.stride);
    let simd = simd.part();
    for p in 0..m {
        // SAFETY: every input index q + s·(p + m·k) read is below `valid`, every output index
        // q + s·(R·p + k) below n (contract of `run`); a part reaches no further than W.
        unsafe {
            let (mut sr, mut si) = (src.re.add(s * p * src.stride), src.im.add(s * p * src.stride));
            let (mut dr, mut di) = (dst.re.add(s * R * p * dst.stride), dst.im.add(s * R * p * dst.stride));
            let twiddles = (p > 0).then(|| pass.twiddles.as_ptr().add(2 * p * (R - 1)));
            for q in 0..s {
                let first = q + s * p;
                // Inputs from this one on are 0.
                let inputs =
                    if first + s * m * (R - 1) < valid { R } else { valid.saturating_sub(first).div_ceil(s * m) };
                for lane in (0..W).step_by(S::Part::WIDTH) {
                    let (sr, si) = (sr.wrapping_add(lane), si.wrapping_add(lane));
                    let (dr, di) = (dr.wrapping_add(lane), di.wrapping_add(lane));
                    butterfly::<S::Part, B, R>(simd, (sr, si, from), inputs, twiddles, (dr, di, to));
                }
                ahead();
                (sr, si) = (sr.wrapping_add(src.stride), si.wrapping_add(src.stride));
                (dr, di) = (dr.wrapping_add(dst.stride), di.wrapping_add(dst.stride));
            }
        }
    }
}

/// One butterfly with its twiddles, if any, on real and imaginary parts a distance apart.
///
/// # Safety
/// `inputs` elements must be readable, R writable, and R − 1 pairs of twiddles readable.
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

#[inline(always)]
fn add<S: Arithmetic>(s: S, a: C<S>, b: C<S>) -> C<S> {
    (s.add(a.0, b.0), s.add(a.1, b.1))
}
#[inline(always)]
fn sub<S: Arithmetic>(s: S, a: C<S>, b: C<S>) -> C<S> {
    (s.sub(a.0, b.0), s.sub(a.1, b.1))
}
/// `a + i·b`
#[inline(always)]
fn add_i<S: Arithmetic>(s: S, a: C<S>, b: C<S>) -> C<S> {
    (s.sub(a.0, b.1), s.add(a.1, b.0))
}
/// `a − i·b`
#[inline(always)]
fn sub_i<S: Arithmetic>(s: S, a: C<S>, b: C<S>) -> C<S> {
    (s.add(a.0, b.1), s.sub(a.1, b.0))
}
/// `k·a + b`, k real
#[inline(always)]
fn axpy<S: Arithmetic>(s: S, k: f32, a: C<S>, b: C<S>) -> C<S> {
    let k = s.splat(k);
    (s.fma(a.0, k, b.0), s.fma(a.1, k, b.1))
}
#[inline(always)]
fn scale<S: Arithmetic>(s: S, k: f32, a: C<S>) -> C<S> {
    let k = s.splat(k);
    (s.mul(a.0, k), s.mul(a.1, k))
}

struct Radix2;
impl Butterfly<2> for Radix2 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 2]) -> [C<S>; 2] {
        [add(s, x[0], x[1]), sub(s, x[0], x[1])]
    }
}

struct Radix3;
impl Butterfly<3> for Radix3 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 3]) -> [C<S>; 3] {
        const SIN60: f32 = 0.866_025_4;
        let t = add(s, x[1], x[2]);
        let d = scale(s, SIN60, sub(s, x[1], x[2]));
        let m = axpy(s, -0.5, t, x[0]);
        [add(s, x[0], t), sub_i(s, m, d), add_i(s, m, d)]
    }
}

struct Radix4;
impl Butterfly<4> for Radix4 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 4]) -> [C<S>; 4] {
        let (a, b) = (add(s, x[0], x[2]), sub(s, x[0], x[2]));
        let (c, d) = (add(s, x[1], x[3]), sub(s, x[1], x[3]));
        [add(s, a, c), sub_i(s, b, d), sub(s, a, c), add_i(s, b, d)]
    }
}

struct Radix5;
impl Butterfly<5> for Radix5 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 5]) -> [C<S>; 5] {
        const C1: f32 = 0.309_017;
        const S1: f32 = 0.951_056_5;
        const C2: f32 = -0.809_017;
        const S2: f32 = 0.587_785_25;
        let (a, b) = (add(s, x[1], x[4]), add(s, x[2], x[3]));
        let (c, d) = (sub(s, x[1], x[4]), sub(s, x[2], x[3]));
        let m1 = axpy(s, C2, b, axpy(s, C1, a, x[0]));
        let m2 = axpy(s, C1, b, axpy(s, C2, a, x[0]));
        let n1 = axpy(s, S2, d, scale(s, S1, c));
        let n2 = axpy(s, -S1, d, scale(s, S2, c));
        [add(s, x[0], add(s, a, b)), sub_i(s, m1, n1), sub_i(s, m2, n2), add_i(s, m2, n2), add_i(s, m1, n1)]
    }
}

struct Radix8;
impl Butterfly<8> for Radix8 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 8]) -> [C<S>; 8] {
        const H: f32 = std::f32::consts::FRAC_1_SQRT_2;
        let e = Radix4::apply(s, [x[0], x[2], x[4], x[6]]);
        let o = Radix4::apply(s, [x[1], x[3], x[5], x[7]]);
        // o1·exp(−iπ/4) = H·(re + im, im − re); o3·exp(−3iπ/4) = H·(im − re, −re − im).
        let o1 = scale(s, H, (s.add(o[1].0, o[1].1), s.sub(o[1].1, o[1].0)));
        let o3 = scale(s, H, (s.sub(o[3].1, o[3].0), s.add(o[3].0, o[3].1)));
        let o3 = (o3.0, s.sub(s.splat(0.0), o3.1));
        [
            add(s, e[0], o[0]),
            add(s, e[1], o1),
            sub_i(s, e[2], o[2]),
            add(s, e[3], o3),
            sub(s, e[0], o[0]),
            sub(s, e[1], o1),
            add_i(s, e[2], o[2]),
            sub(s, e[3], o3),
        ]
    }
}

/// A transform of length `R = P·Q` from those of lengths P and Q, in registers (Cooley and Tukey).
struct Product<A, B, const P: usize, const Q: usize>(std::marker::PhantomData<(A, B)>);

/// cos and sin of −2πj/R for the radices made of two, R = 6, 9, 10.
#[inline(always)]
fn root(r: usize, j: usize) -> (f32, f32) {
    const R6: [(f32, f32); 3] = [(1.0, 0.0), (0.5, -0.866_025_4), (-0.5, -0.866_025_4)];
    const R9: [(f32, f32); 5] = [
        (1.0, 0.0),
        (0.766_044_44, -0.642_787_6),
        (0.173_648_18, -0.984_807_7),
        (-0.5, -0.866_025_4),
        (-0.939_692_6, -0.342_020_14),
    ];
    const R10: [(f32, f32); 5] = [
        (1.0, 0.0),
        (0.809_017, -0.587_785_25),
        (0.309_017, -0.951_056_5),
        (-0.309_017, -0.951_056_5),
        (-0.809_017, -0.587_785_25),
    ];
    match r {
        6 => R6[j],
        9 => R9[j],
        _ => R10[j],
    }
}

impl<A: Butterfly<P>, B: Butterfly<Q>, const P: usize, const Q: usize, const R: usize> Butterfly<R>
    for Product<A, B, P, Q>
{
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; R]) -> [C<S>; R] {
        // Input j = P·b + a, output k = Q·c + d: transforms of length Q over b, twiddles
        // exp(−2πi·a·d/R), transforms of length P over a.
        let mut y = x;
        let mut inner = [[x[0]; Q]; P];
        for a in 0..P {
            let mut t = [x[0]; Q];
            for b in 0..Q {
                t[b] = x[P * b + a];
            }
            inner[a] = B::apply(s, t);
        }
        for d in 0..Q {
            let mut t = [x[0]; P];
            for a in 0..P {
                t[a] = inner[a][d];
                if a * d > 0 {
                    let (c, e) = root(R, a * d);
                    let (c, e) = (s.splat(c), s.splat(e));
                    let (re, im) = t[a];
                    t[a] = (s.fnma(im, e, s.mul(re, c)), s.fma(im, c, s.mul(re, e)));
                }
            }
            let t = A::apply(s, t);
            for c in 0..P {
                y[Q * c + d] = t[c];
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scratch::Scratch;
    use super::super::super::simd::{Isa, Kernel, dispatch};
    use super::*;

    struct Check(usize, usize);
    impl Kernel for Check {
        type Out = ();
        fn run<S: Simd>(self, simd: S) {
            let Check(n, valid) = self;
            let plan = Plan::new(n);
            let value = |i: usize, lane: usize, part: usize| ((i * 37 + lane * 11 + part * 5) % 23) as f32 / 11.0 - 1.0;
            let mut src = vec![f32::NAN; 2 * LANES * n];
            for i in 0..valid {
                for lane in 0..LANES {
                    (0..2).for_each(|part| src[(2 * i + part) * LANES + lane] = value(i, lane, part));
                }
            }
            let mut dst = vec![0.0; 2 * LANES * n];
            let mut work = Scratch::take(plan.scratch_len());
            let (from, to) = (View::packed::<LANES>(src.as_mut_ptr()), View::packed::<LANES>(dst.as_mut_ptr()));
            // SAFETY: buffers of the lengths that the plan asks for.
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
                // Rounding grows like the root of the length.
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
