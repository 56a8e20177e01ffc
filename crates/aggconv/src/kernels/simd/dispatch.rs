//! Runs code that is compiled for each instruction set.

#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{Isa, Simd, portable::Scalar};

/// Code that is generic over the instruction set.
pub trait SimdKernel {
    /// The result.
    type Out;
    /// Runs the code. Implementations and everything that they call must be `inline(always)`.
    fn run<S: Simd>(self, simd: S) -> Self::Out;
}

/// Runs a kernel that is compiled for `isa`, or the portable version if the processor does not support `isa`.
#[inline]
pub fn dispatch<K: SimdKernel>(isa: Isa, kernel: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
        fn avx512<K: SimdKernel>(kernel: K) -> K::Out {
            kernel.run(x86::Avx512(()))
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<K: SimdKernel>(kernel: K) -> K::Out {
            kernel.run(x86::Avx2(()))
        }
        match isa {
            // SAFETY: the features were detected just now; the detection is cached.
            Isa::Avx512 if isa.available() => return unsafe { avx512(kernel) },
            // SAFETY: as above.
            Isa::Avx2 if isa.available() => return unsafe { avx2(kernel) },
            _ => {}
        }
    }
    let _ = isa;
    kernel.run(Scalar)
}

/// Runs `f`, and everything that is inlined into it, compiled for the vectors of this machine. It is meant for plain
/// loops, whose order of operations, and therefore whose result, is the same for every vector width.
pub(crate) fn vectorized<R>(f: impl FnOnce() -> R) -> R {
    struct Call<F>(F);

    impl<R, F: FnOnce() -> R> SimdKernel for Call<F> {
        type Out = R;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> R {
            (self.0)()
        }
    }

    dispatch(Isa::current(), Call(f))
}

#[cfg(test)]
mod tests {
    use super::super::LANES;
    use super::*;

    struct Check;
    impl SimdKernel for Check {
        type Out = ();
        fn run<S: Simd>(self, simd: S) {
            let a: [[f32; LANES]; LANES] = std::array::from_fn(|i| std::array::from_fn(|j| (i * LANES + j) as f32));
            // SAFETY: every array holds 16 floats.
            let t = unsafe { simd.transpose(std::array::from_fn(|i| simd.load(a[i].as_ptr()))) };
            for (i, t) in t.into_iter().enumerate() {
                let mut row = [0f32; LANES];
                // SAFETY: as above.
                unsafe { simd.store(row.as_mut_ptr(), t) };
                assert_eq!(row, std::array::from_fn(|j| a[j][i]));
            }
            // SAFETY: as above.
            let v = unsafe { simd.load(a[1].as_ptr()) };
            assert_eq!(simd.sum(v), (16..32).sum::<i32>() as f32);
            assert_eq!(simd.sum(simd.fnma(v, simd.splat(2.0), simd.splat(1.0))), 16.0 - 2.0 * 376.0);
            for n in 0..=LANES {
                let (mut some, mut put) = ([-1f32; LANES], [-1f32; LANES]);
                // SAFETY: n floats at the end of one array are read, and n at the start of another are written.
                unsafe {
                    simd.store(some.as_mut_ptr(), simd.load_partial(a[1].as_ptr().add(LANES - n), n));
                    simd.store_partial(put.as_mut_ptr(), v, n);
                }
                assert_eq!(some, std::array::from_fn(|i| if i < n { (32 - n + i) as f32 } else { 0.0 }));
                assert_eq!(put, std::array::from_fn(|i| if i < n { (16 + i) as f32 } else { -1.0 }));
            }
            let mut mask = [1f32; LANES];
            mask[..5].copy_from_slice(&[-2.0, -0.0, 0.0, f32::NAN, f32::MIN_POSITIVE]);
            // SAFETY: both arrays hold 16 floats.
            unsafe { simd.store(mask.as_mut_ptr(), simd.rectify(simd.load(mask.as_ptr()), v)) };
            assert_eq!(mask, std::array::from_fn(|i| if i < 3 { 0.0 } else { (16 + i) as f32 }));
        }
    }

    #[test]
    fn every_instruction_set_transposes_and_adds() {
        for isa in [Isa::Scalar, Isa::Avx2, Isa::Avx512] {
            dispatch(isa, Check);
        }
    }
}
