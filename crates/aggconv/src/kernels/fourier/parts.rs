//! The two things that the Fourier path spends its time on, by themselves: for benchmarks.

use super::super::scratch::Scratch;
use super::super::simd::{Isa, Kernel, LANES, Simd, dispatch};
use super::cgemm::{Axis, Mat, Shape, cgemm};
use super::fft::{Plan, View, good_length};

/// A complex transform of sixteen signals, one in each vector lane.
pub struct Transform {
    plan: Plan,
    signal: Scratch,
    spectrum: Scratch,
    work: Scratch,
}

impl Transform {
    /// Of the best length from `n` up; the signals are zero.
    pub fn new(n: usize) -> Self {
        let plan = Plan::new(good_length(n.max(1), 3.0));
        let [signal, spectrum] = [0, 1].map(|_| {
            let mut s = Scratch::take(2 * LANES * plan.len());
            s.fill(0.0);
            s
        });
        Self { signal, spectrum, work: Scratch::take(plan.scratch_len()), plan }
    }

    /// The length.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.plan.len()
    }

    /// Transforms the signals once.
    pub fn run(&mut self) {
        dispatch(Isa::current(), self);
    }
}

impl Kernel for &mut Transform {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let n = self.plan.len();
        let (from, to) =
            (View::packed::<LANES>(self.signal.as_mut_ptr()), View::packed::<LANES>(self.spectrum.as_mut_ptr()));
        // SAFETY: three buffers of the lengths that the plan asks for.
        unsafe { self.plan.run(simd, from, n, to, self.work.as_mut_ptr()) };
    }
}

/// A complex matrix product over channels, as there is one at each frequency: `[m, k] · [k, n]`.
pub struct Contraction {
    shape: Shape,
    a: Scratch,
    b: Scratch,
    c: Scratch,
    sums: Scratch,
}

impl Contraction {
    /// Of these sizes, `k` and `n` rounded up to whole vectors; the matrices are zero.
    pub fn new(m: usize, k: usize, n: usize) -> Self {
        let shape = Shape { m, k: k.next_multiple_of(LANES), n: n.next_multiple_of(LANES), real: false };
        let zeros = |rows: usize, cols: usize| {
            let mut s = Scratch::take(2 * rows * cols);
            s.fill(0.0);
            s
        };
        let sums = Scratch::take(shape.sums_len());
        Self { shape, a: zeros(m, shape.k), b: zeros(shape.k, shape.n), c: zeros(m, shape.n), sums }
    }

    /// Floating-point operations of a product: 8 for each complex multiply-add, however it is made.
    pub fn flop(&self) -> u64 {
        8 * (self.shape.m * self.shape.k * self.shape.n) as u64
    }

    /// Those that it takes: 6, where it is made of three real products.
    pub fn arithmetic(&self) -> u64 {
        self.flop() / 8 * self.shape.operations()
    }

    /// Multiplies once.
    pub fn run(&mut self) {
        dispatch(Isa::current(), self);
    }
}

impl Kernel for &mut Contraction {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Shape { k, n, .. } = self.shape;
        let rows = |s: &mut Scratch, width: usize| Mat {
            re: s.as_mut_ptr(),
            im: LANES,
            rows: Axis::plain(2 * width),
            cols: Axis::lanes(2 * LANES),
            next: 0,
            far: false,
        };
        let (a, c) = (rows(&mut self.a, k), rows(&mut self.c, n));
        // As a kernel's spectrum lies: column by column of vectors.
        let panels = (Axis::plain(2 * LANES), Axis::lanes(2 * LANES * k));
        let b = Mat { re: self.b.as_mut_ptr(), im: LANES, rows: panels.0, cols: panels.1, next: 0, far: false };
        // SAFETY: the matrices have these shapes, of whole vectors, in three buffers.
        unsafe { cgemm::<S, false, false>(simd, self.shape, a, b, c, &mut self.sums, [&[]; 2]) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is timed is what the convolution does: a transform of ones, a product of ones.
    #[test]
    fn parts_compute() {
        let mut t = Transform::new(91);
        let n = t.len();
        assert!((91..=100).contains(&n));
        t.signal.chunks_exact_mut(2 * LANES).for_each(|v| v[..LANES].fill(1.0));
        t.run();
        assert!((t.spectrum[0] - n as f32).abs() < 1e-3 && t.spectrum[2 * LANES].abs() < 1e-3);

        let mut p = Contraction::new(5, 20, 16);
        assert_eq!((p.flop(), p.arithmetic()), (8 * 5 * 32 * 16, 8 * 5 * 32 * 16));
        let large = Contraction::new(6, 20, 16);
        assert_eq!((large.flop(), large.arithmetic()), (8 * 6 * 32 * 16, 6 * 6 * 32 * 16));
        p.a.fill(1.0);
        p.b.fill(1.0);
        p.run();
        // (1 + i)² = 2i, thirty-two times.
        assert_eq!((p.c[0], p.c[LANES]), (0.0, 64.0));
    }
}
