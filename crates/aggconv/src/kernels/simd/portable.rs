//! Portable vectors.

use super::{Arithmetic, LANES, Simd};

/// A vector as an array of sixteen floats.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    type Register = Self;
    const COMPLEX_TILE: (usize, usize) = (1, 1);
    const PACKED_TILE: (usize, usize) = (2, 1);
    const STRIDED_TILE: (usize, usize) = (2, 1);
    const EIGHT_ACCUMULATORS: bool = false;

    #[inline(always)]
    fn register(self) -> Self {
        self
    }
    #[inline(always)]
    fn rectify(self, v: Self::V, x: Self::V) -> Self::V {
        std::array::from_fn(|i| if v[i] <= 0.0 { 0.0 } else { x[i] })
    }
}

impl Arithmetic for Scalar {
    type V = [f32; LANES];
    const WIDTH: usize = LANES;

    #[inline(always)]
    fn splat(self, v: f32) -> Self::V {
        [v; LANES]
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        // SAFETY: the caller's contract; `f32` arrays need only the alignment of `f32`.
        unsafe { p.cast::<[f32; LANES]>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::V) {
        // SAFETY: the caller's contract.
        unsafe { p.cast::<[f32; LANES]>().write(v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] - b[i])
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i] * b[i])
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // Not `mul_add`, which is a library call on processors without a fused instruction.
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| c[i] - a[i] * b[i])
    }
}
