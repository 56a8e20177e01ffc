//! Vectors of 256-bit and 512-bit registers.

use super::{Arithmetic, Simd};
use std::arch::x86_64::*;

/// The eight entries from index 8 − n on mask the first n lanes.
const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Two 256-bit registers. Only [`dispatch`](super::dispatch()) creates one, after feature detection.
#[derive(Clone, Copy)]
pub struct Avx2(pub(super) ());

// SAFETY of every block below: an `Avx2` exists only where the features were detected.
impl Simd for Avx2 {
    type Register = Avx2Register;
    const COMPLEX_TILE: (usize, usize) = (3, 1);
    const PACKED_TILE: (usize, usize) = (6, 1);
    const STRIDED_TILE: (usize, usize) = (6, 1);
    const EIGHT_ACCUMULATORS: bool = false;

    #[inline(always)]
    fn register(self) -> Avx2Register {
        Avx2Register(())
    }
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
    }
    #[inline(always)]
    fn fence(self) {
        unsafe { _mm_sfence() }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::V {
        unsafe { (load_partial8(p, n.min(8)), load_partial8(p.wrapping_add(8), n.saturating_sub(8).min(8))) }
    }
    /// The lanes are stored in pieces of powers of two, because masked stores are slow on some processors.
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: Self::V, n: usize) {
        unsafe {
            if n >= 16 {
                return self.store(p, v);
            }
            let (mut rest, mut p) = (v.0, p);
            if n & 8 != 0 {
                _mm256_storeu_ps(p, v.0);
                (rest, p) = (v.1, p.add(8));
            }
            let mut four = _mm256_castps256_ps128(rest);
            if n & 4 != 0 {
                _mm_storeu_ps(p, four);
                (four, p) = (_mm256_extractf128_ps::<1>(rest), p.add(4));
            }
            if n & 2 != 0 {
                _mm_storel_pd(p.cast(), _mm_castps_pd(four));
                (four, p) = (_mm_movehl_ps(four, four), p.add(2));
            }
            if n & 1 != 0 {
                _mm_store_ss(p, four);
            }
        }
    }
    #[inline(always)]
    fn rectify(self, v: Self::V, x: Self::V) -> Self::V {
        unsafe {
            let zero = _mm256_setzero_ps();
            let passed = (_mm256_cmp_ps::<_CMP_NLE_UQ>(v.0, zero), _mm256_cmp_ps::<_CMP_NLE_UQ>(v.1, zero));
            (_mm256_and_ps(passed.0, x.0), _mm256_and_ps(passed.1, x.1))
        }
    }
    #[inline(always)]
    fn transpose(self, v: [Self::V; 16]) -> [Self::V; 16] {
        // Transposes four 8×8 blocks.
        let mut out = v;
        for block in 0..4 {
            let (i, j) = (block / 2 * 8, block % 2 * 8);
            let half = |k: usize| if j == 0 { v[i + k].0 } else { v[i + k].1 };
            let t = unsafe { transpose8([half(0), half(1), half(2), half(3), half(4), half(5), half(6), half(7)]) };
            for (k, t) in t.into_iter().enumerate() {
                if i == 0 {
                    out[j + k].0 = t;
                } else {
                    out[j + k].1 = t;
                }
            }
        }
        out
    }
}

impl Arithmetic for Avx2 {
    type V = (__m256, __m256);
    const WIDTH: usize = 16;

    #[inline(always)]
    fn splat(self, v: f32) -> Self::V {
        unsafe { (_mm256_set1_ps(v), _mm256_set1_ps(v)) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        unsafe { (_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::V) {
        unsafe {
            _mm256_storeu_ps(p, v.0);
            _mm256_storeu_ps(p.add(8), v.1);
        }
    }
    #[inline(always)]
    unsafe fn store_non_temporal(self, p: *mut f32, v: Self::V) {
        unsafe {
            _mm256_stream_ps(p, v.0);
            _mm256_stream_ps(p.add(8), v.1);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { (_mm256_add_ps(a.0, b.0), _mm256_add_ps(a.1, b.1)) }
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { (_mm256_sub_ps(a.0, b.0), _mm256_sub_ps(a.1, b.1)) }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { (_mm256_mul_ps(a.0, b.0), _mm256_mul_ps(a.1, b.1)) }
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { (_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)) }
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { (_mm256_fnmadd_ps(a.0, b.0, c.0), _mm256_fnmadd_ps(a.1, b.1, c.1)) }
    }
}

/// One of the two 256-bit registers of an [`Avx2`], which alone creates it.
#[derive(Clone, Copy)]
pub struct Avx2Register(());

// SAFETY of every block below: an `Avx2Register` exists only where the features were detected.
impl Arithmetic for Avx2Register {
    type V = __m256;
    const WIDTH: usize = 8;

    #[inline(always)]
    fn splat(self, v: f32) -> Self::V {
        unsafe { _mm256_set1_ps(v) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        unsafe { _mm256_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::V) {
        unsafe { _mm256_storeu_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn store_non_temporal(self, p: *mut f32, v: Self::V) {
        unsafe { _mm256_stream_ps(p, v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm256_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm256_mul_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { _mm256_fnmadd_ps(a, b, c) }
    }
}

/// # Safety
/// AVX2 must be available, and n ≤ 8 floats readable at `p`.
#[inline(always)]
unsafe fn load_partial8(p: *const f32, n: usize) -> __m256 {
    // SAFETY: eight masks from entry 8 − n on are read, and masked lanes of `p` are not accessed.
    unsafe { _mm256_maskload_ps(p, _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast())) }
}

/// # Safety
/// AVX2 must be available.
#[inline(always)]
unsafe fn transpose8(v: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: register arithmetic; the caller guarantees the feature.
    unsafe {
        let mut a = v;
        for i in 0..4 {
            a[2 * i] = _mm256_unpacklo_ps(v[2 * i], v[2 * i + 1]);
            a[2 * i + 1] = _mm256_unpackhi_ps(v[2 * i], v[2 * i + 1]);
        }
        let mut b = a;
        for h in [0, 4] {
            b[h] = _mm256_shuffle_ps::<0x44>(a[h], a[h + 2]);
            b[h + 1] = _mm256_shuffle_ps::<0xEE>(a[h], a[h + 2]);
            b[h + 2] = _mm256_shuffle_ps::<0x44>(a[h + 1], a[h + 3]);
            b[h + 3] = _mm256_shuffle_ps::<0xEE>(a[h + 1], a[h + 3]);
        }
        let mut c = b;
        for i in 0..4 {
            c[i] = _mm256_permute2f128_ps::<0x20>(b[i], b[i + 4]);
            c[i + 4] = _mm256_permute2f128_ps::<0x31>(b[i], b[i + 4]);
        }
        c
    }
}

/// One 512-bit register. Only [`dispatch`](super::dispatch()) creates one, after feature detection.
#[derive(Clone, Copy)]
pub struct Avx512(pub(super) ());

// SAFETY of every block below: an `Avx512` exists only where the features were detected.
impl Simd for Avx512 {
    type Register = Self;
    const COMPLEX_TILE: (usize, usize) = (6, 2);
    const PACKED_TILE: (usize, usize) = (8, 3);
    const STRIDED_TILE: (usize, usize) = (6, 4);
    const EIGHT_ACCUMULATORS: bool = true;

    #[inline(always)]
    fn register(self) -> Self {
        self
    }
    #[inline(always)]
    fn prefetch(self, p: *const f32) {
        unsafe { _mm_prefetch::<_MM_HINT_T1>(p.cast()) }
    }
    #[inline(always)]
    fn fence(self) {
        unsafe { _mm_sfence() }
    }
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::V {
        unsafe { _mm512_maskz_loadu_ps(((1u32 << n.min(16)) - 1) as u16, p) }
    }
    #[inline(always)]
    unsafe fn store_partial(self, p: *mut f32, v: Self::V, n: usize) {
        unsafe { _mm512_mask_storeu_ps(p, ((1u32 << n.min(16)) - 1) as u16, v) }
    }
    #[inline(always)]
    fn rectify(self, v: Self::V, x: Self::V) -> Self::V {
        unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NLE_UQ>(v, _mm512_setzero_ps()), x) }
    }
    #[inline(always)]
    fn transpose(self, v: [Self::V; 16]) -> [Self::V; 16] {
        unsafe {
            // First, 4×4 blocks are transposed within the quarters of a register.
            let mut a = v;
            for i in 0..8 {
                a[2 * i] = _mm512_unpacklo_ps(v[2 * i], v[2 * i + 1]);
                a[2 * i + 1] = _mm512_unpackhi_ps(v[2 * i], v[2 * i + 1]);
            }
            let mut b = a;
            for h in [0, 4, 8, 12] {
                b[h] = _mm512_shuffle_ps::<0x44>(a[h], a[h + 2]);
                b[h + 1] = _mm512_shuffle_ps::<0xEE>(a[h], a[h + 2]);
                b[h + 2] = _mm512_shuffle_ps::<0x44>(a[h + 1], a[h + 3]);
                b[h + 3] = _mm512_shuffle_ps::<0xEE>(a[h + 1], a[h + 3]);
            }
            // Then the quarters are exchanged: quarter q of b[4g + i] holds column 4q + i of the rows 4g..4g+4.
            let mut out = b;
            for i in 0..4 {
                let lo = _mm512_shuffle_f32x4::<0x44>(b[i], b[4 + i]);
                let hi = _mm512_shuffle_f32x4::<0xEE>(b[i], b[4 + i]);
                let lo2 = _mm512_shuffle_f32x4::<0x44>(b[8 + i], b[12 + i]);
                let hi2 = _mm512_shuffle_f32x4::<0xEE>(b[8 + i], b[12 + i]);
                out[i] = _mm512_shuffle_f32x4::<0x88>(lo, lo2);
                out[4 + i] = _mm512_shuffle_f32x4::<0xDD>(lo, lo2);
                out[8 + i] = _mm512_shuffle_f32x4::<0x88>(hi, hi2);
                out[12 + i] = _mm512_shuffle_f32x4::<0xDD>(hi, hi2);
            }
            out
        }
    }
}

impl Arithmetic for Avx512 {
    type V = __m512;
    const WIDTH: usize = 16;

    #[inline(always)]
    fn splat(self, v: f32) -> Self::V {
        unsafe { _mm512_set1_ps(v) }
    }
    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::V {
        unsafe { _mm512_loadu_ps(p) }
    }
    #[inline(always)]
    unsafe fn store_non_temporal(self, p: *mut f32, v: Self::V) {
        unsafe { _mm512_stream_ps(p, v) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::V) {
        unsafe { _mm512_storeu_ps(p, v) }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_sub_ps(a, b) }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        unsafe { _mm512_mul_ps(a, b) }
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        unsafe { _mm512_fnmadd_ps(a, b, c) }
    }
}
