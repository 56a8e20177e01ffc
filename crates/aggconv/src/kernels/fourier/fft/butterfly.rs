//! Transforms of a few points in registers.

#![allow(clippy::needless_range_loop)] // butterflies index several arrays alike

use crate::kernels::simd::Arithmetic;

/// A complex number in each lane.
pub type C<S> = (<S as Arithmetic>::V, <S as Arithmetic>::V);

/// A transform of length `R` in registers.
pub trait Butterfly<const R: usize> {
    fn apply<S: Arithmetic>(simd: S, x: [C<S>; R]) -> [C<S>; R];
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

pub struct Radix2;

impl Butterfly<2> for Radix2 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 2]) -> [C<S>; 2] {
        [add(s, x[0], x[1]), sub(s, x[0], x[1])]
    }
}

pub struct Radix3;

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

pub struct Radix4;

impl Butterfly<4> for Radix4 {
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; 4]) -> [C<S>; 4] {
        let (a, b) = (add(s, x[0], x[2]), sub(s, x[0], x[2]));
        let (c, d) = (add(s, x[1], x[3]), sub(s, x[1], x[3]));
        [add(s, a, c), sub_i(s, b, d), sub(s, a, c), add_i(s, b, d)]
    }
}

pub struct Radix5;

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

pub struct Radix8;

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

/// A transform of length `R = P·Q` from transforms of lengths P and Q, in registers (Cooley–Tukey).
pub struct CompositeRadix<A, B, const P: usize, const Q: usize>(std::marker::PhantomData<(A, B)>);

/// The twiddle factors cos and sin of −2πj/R for the composite radices R = 6, 9 and 10.
#[inline(always)]
fn twiddle(r: usize, j: usize) -> (f32, f32) {
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
    for CompositeRadix<A, B, P, Q>
{
    #[inline(always)]
    fn apply<S: Arithmetic>(s: S, x: [C<S>; R]) -> [C<S>; R] {
        // Input j = P·b + a, output k = Q·c + d: transforms of length Q over b, twiddle factors exp(−2πi·a·d/R),
        // transforms of length P over a.
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
                    let (c, e) = twiddle(R, a * d);
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
