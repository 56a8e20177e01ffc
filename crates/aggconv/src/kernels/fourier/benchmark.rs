//! The two operations that dominate the Fourier path, in isolation, for benchmarks.

use super::cgemm::cgemm;
use super::fft::{FftPlan, SignalView, good_length};
use super::matrix::{AxisStride, ComplexMatrix, ProductShape};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::{Isa, LANES, Simd, SimdKernel, dispatch};

/// A complex transform of sixteen signals, one in each vector lane.
pub struct Transform {
    plan: FftPlan,
    signal: Scratch,
    spectrum: Scratch,
    work: Scratch,
}

impl Transform {
    /// Creates a transform of the fastest length that is at least `n`. The signals are zero.
    pub fn new(n: usize) -> Self {
        let plan = FftPlan::new(good_length(n.max(1), 3.0));
        let [signal, spectrum] = [0, 1].map(|_| {
            let mut s = Scratch::take(2 * LANES * plan.len());
            s.fill(0.0);
            s
        });
        Self { signal, spectrum, work: Scratch::take(plan.scratch_len()), plan }
    }

    /// The length of the transform.
    #[allow(clippy::len_without_is_empty)] // never empty
    pub fn len(&self) -> usize {
        self.plan.len()
    }

    /// Transforms the signals once.
    pub fn run(&mut self) {
        dispatch(Isa::current(), self);
    }
}

impl SimdKernel for &mut Transform {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let n = self.plan.len();
        let (from, to) = (
            SignalView::packed::<LANES>(self.signal.as_mut_ptr()),
            SignalView::packed::<LANES>(self.spectrum.as_mut_ptr()),
        );
        // SAFETY: the three buffers have the lengths that the plan requires.
        unsafe { self.plan.run(simd, from, n, to, self.work.as_mut_ptr()) };
    }
}

/// A complex matrix product over channels, as it is computed at each frequency: `[m, k] · [k, n]`.
pub struct Contraction {
    shape: ProductShape,
    a: Scratch,
    b: Scratch,
    c: Scratch,
    sums: Scratch,
}

impl Contraction {
    /// Creates a product of these sizes; `k` and `n` are rounded up to whole vectors. The matrices are zero.
    pub fn new(m: usize, k: usize, n: usize) -> Self {
        let shape = ProductShape { m, k: k.next_multiple_of(LANES), n: n.next_multiple_of(LANES), real: false };
        let zeros = |rows: usize, cols: usize| {
            let mut s = Scratch::take(2 * rows * cols);
            s.fill(0.0);
            s
        };
        let sums = Scratch::take(shape.gauss_scratch_len());
        Self { shape, a: zeros(m, shape.k), b: zeros(shape.k, shape.n), c: zeros(m, shape.n), sums }
    }

    /// The nominal number of floating-point operations of a product: 8 for each complex multiply-add.
    pub fn flop(&self) -> u64 {
        8 * (self.shape.m * self.shape.k * self.shape.n) as u64
    }

    /// The number of floating-point operations that are executed: 6 for each complex multiply-add where the product
    /// consists of three real products.
    pub fn arithmetic(&self) -> u64 {
        self.flop() / 8 * self.shape.operations()
    }

    /// Computes the product once.
    pub fn run(&mut self) {
        dispatch(Isa::current(), self);
    }
}

impl SimdKernel for &mut Contraction {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let ProductShape { k, n, .. } = self.shape;
        let rows = |s: &mut Scratch, width: usize| ComplexMatrix {
            re: s.as_mut_ptr(),
            im: LANES,
            rows: AxisStride::uniform(2 * width),
            cols: AxisStride::in_lanes(2 * LANES),
            prefetch_offset: 0,
            non_temporal: false,
        };
        let (a, c) = (rows(&mut self.a, k), rows(&mut self.c, n));
        // The layout of a kernel spectrum: panels of vectors, column by column.
        let panels = (AxisStride::uniform(2 * LANES), AxisStride::in_lanes(2 * LANES * k));
        let b = ComplexMatrix {
            re: self.b.as_mut_ptr(),
            im: LANES,
            rows: panels.0,
            cols: panels.1,
            prefetch_offset: 0,
            non_temporal: false,
        };
        // SAFETY: the matrices have these shapes, consist of whole vectors and lie in three separate buffers.
        unsafe { cgemm::<S, false, false>(simd, self.shape, a, b, c, &mut self.sums, [&[]; 2]) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The benchmarks time what the convolution computes: checked with a transform of ones and a product of ones.
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
        // (1 + i)² = 2i, added 32 times.
        assert_eq!((p.c[0], p.c[LANES]), (0.0, 64.0));
    }
}
