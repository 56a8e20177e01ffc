//! Sixteen `f32` lanes on every machine: AVX-512, AVX2 + FMA, or portable code.
//!
//! Kernels are written once, generic over [`Simd`], and reached through [`dispatch`], which
//! compiles them for each instruction set and enters the one the processor has. The vector is
//! always 16 wide so that memory layouts do not depend on the machine.

use std::sync::OnceLock;

/// Lanes of a vector.
pub const LANES: usize = 16;

/// An instruction set that the kernels are compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Portable code, vectorised by the compiler for the target's baseline.
    Scalar,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl Isa {
    /// Every instruction set, the narrowest first.
    pub const ALL: &'static [Isa] = &[Isa::Scalar, Isa::Avx2, Isa::Avx512];

    /// The environment variable that forces one.
    pub(super) const VARIABLE: &'static str = "AGGCONV_ISA";

    /// The name it is asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this processor has it.
    pub fn available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The instruction set in use: the best available one, or the one that the environment
    /// variable `AGGCONV_ISA` (`scalar`, `avx2`, `avx512`) names if the processor has it.
    /// Read once.
    pub fn current() -> Isa {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let available = || Isa::ALL.iter().copied().filter(|isa| isa.available());
            let asked = std::env::var(Self::VARIABLE).ok();
            let asked = asked.and_then(|name| available().find(|isa| isa.name() == name));
            asked.or(available().next_back()).unwrap_or(Isa::Scalar)
        })
    }
}

/// Arithmetic on the lanes of one vector. Every method is `inline(always)`: it must end up inside a
/// function compiled for the instruction set, which is what [`dispatch`] sees to.
pub trait Arithmetic: Copy {
    /// A vector of `f32`.
    type V: Copy;
    /// Its lanes.
    const WIDTH: usize;

    /// All lanes `v`.
    fn splat(self, v: f32) -> Self::V;
    /// # Safety
    /// `WIDTH` floats must be readable at `p`.
    unsafe fn load(self, p: *const f32) -> Self::V;
    /// # Safety
    /// `WIDTH` floats must be writable at `p`.
    unsafe fn store(self, p: *mut f32, v: Self::V);
    /// As `store`, past the caches where the processor can: for whole cache lines of what is not read again soon. Other
    /// threads see them after [`Simd::fence`].
    ///
    /// # Safety
    /// As for `store`; `p` must be the address of a vector, a multiple of its size.
    #[inline(always)]
    unsafe fn stream(self, p: *mut f32, v: Self::V) {
        // SAFETY: the caller's contract.
        unsafe { self.store(p, v) }
    }
    /// `a + b`
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a − b`
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b`
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a · b + c`
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `c − a · b`
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
}

/// Vectors of 16 lanes.
pub trait Simd: Arithmetic + Send + Sync {
    /// The registers that a vector is made of, for code that would not fit the register file with
    /// whole vectors. Lane by lane its arithmetic is that of the whole.
    type Part: Arithmetic;
    /// Complex accumulators of 16 lanes that fit the register file: rows × columns of a tile.
    const TILE: (usize, usize);
    /// Real accumulators of a tile: rows × vectors, when rows are the broadcast operand …
    const WIDE: (usize, usize);
    /// … and when the rows come from as many addresses.
    const TALL: (usize, usize);
    /// Whether eight vectors and what they are made from fit the register file.
    const EIGHT: bool;

    /// The parts' arithmetic.
    fn part(self) -> Self::Part;
    /// Asks for the cache line at `p` to be brought near; any address is allowed.
    #[inline(always)]
    fn prefetch(self, _p: *const f32) {}
    /// Ends a task's streamed stores: those after it are seen after them.
    #[inline(always)]
    fn fence(self) {}
    /// The first `n` ≤ 16 lanes from memory, the others 0.
    ///
    /// # Safety
    /// `n` floats must be readable at `p`.
    #[inline(always)]
    unsafe fn load_some(self, p: *const f32, n: usize) -> Self::V {
        let mut a = [0f32; LANES];
        // SAFETY: the caller's contract; n ≤ 16.
        unsafe {
            std::ptr::copy_nonoverlapping(p, a.as_mut_ptr(), n.min(LANES));
            self.load(a.as_ptr())
        }
    }
    /// Stores the first `n` ≤ 16 lanes.
    ///
    /// # Safety
    /// `n` floats must be writable at `p`.
    #[inline(always)]
    unsafe fn store_some(self, p: *mut f32, v: Self::V, n: usize) {
        let mut a = [0f32; LANES];
        // SAFETY: the caller's contract; n ≤ 16.
        unsafe {
            self.store(a.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(a.as_ptr(), p, n.min(LANES));
        }
    }
    /// Lanes of `x` where those of `v` are not ≤ 0, NaN among them, and 0 elsewhere.
    fn rectify(self, v: Self::V, x: Self::V) -> Self::V;
    /// Transposes 16 vectors: lane j of vector i of the result is lane i of vector j.
    #[inline(always)]
    fn transpose(self, v: [Self::V; LANES]) -> [Self::V; LANES] {
        let (mut a, mut b) = ([[0f32; LANES]; LANES], [[0f32; LANES]; LANES]);
        let mut out = v;
        for (a, v) in a.iter_mut().zip(v) {
            // SAFETY: `a` holds exactly 16 floats.
            unsafe { self.store(a.as_mut_ptr(), v) };
        }
        for i in 0..LANES {
            for j in 0..LANES {
                b[i][j] = a[j][i];
            }
        }
        for (v, b) in out.iter_mut().zip(&b) {
            // SAFETY: `b` holds exactly 16 floats.
            *v = unsafe { self.load(b.as_ptr()) };
        }
        out
    }
    /// The sum of the lanes, in a fixed order.
    #[inline(always)]
    fn sum(self, v: Self::V) -> f32 {
        let mut a = [0f32; LANES];
        // SAFETY: `a` holds exactly 16 floats.
        unsafe { self.store(a.as_mut_ptr(), v) };
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                a[i] += a[i + half];
            }
            half /= 2;
        }
        a[0]
    }
}

/// Element by element what lies row by row: vector j holds element j of each of 16 rows, 0 for a row that there is not
/// and for the elements from `n` ≤ 16 on.
///
/// # Safety
/// `n` floats must be readable at every row.
#[inline(always)]
pub unsafe fn load_rows<S: Simd>(simd: S, n: usize, row: impl Fn(usize) -> Option<*const f32>) -> [S::V; LANES] {
    let zero = simd.splat(0.0);
    let mut rows = [zero; LANES];
    // Every row is written, or the zeros above would be.
    for (lane, v) in rows.iter_mut().enumerate() {
        *v = match row(lane) {
            // SAFETY: the caller's contract.
            Some(p) => unsafe { if n == LANES { simd.load(p) } else { simd.load_some(p, n) } },
            None => zero,
        };
    }
    simd.transpose(rows)
}

/// The reverse of [`load_rows`]: the first `n` ≤ 16 elements of every row that there is.
///
/// # Safety
/// `n` floats must be writable at every row.
#[inline(always)]
pub unsafe fn store_rows<S: Simd>(simd: S, n: usize, vectors: [S::V; LANES], row: impl Fn(usize) -> Option<*mut f32>) {
    for (lane, v) in simd.transpose(vectors).into_iter().enumerate() {
        if let Some(p) = row(lane) {
            // SAFETY: the caller's contract.
            unsafe { if n == LANES { simd.store(p, v) } else { simd.store_some(p, v, n) } };
        }
    }
}

/// Portable lanes.
#[derive(Clone, Copy)]
pub struct Scalar;

impl Simd for Scalar {
    type Part = Self;
    const TILE: (usize, usize) = (1, 1);
    const WIDE: (usize, usize) = (2, 1);
    const TALL: (usize, usize) = (2, 1);
    const EIGHT: bool = false;

    #[inline(always)]
    fn part(self) -> Self {
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
        // Not `mul_add`: without a fused instruction that is a library call.
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| c[i] - a[i] * b[i])
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Arithmetic, Simd};
    use std::arch::x86_64::*;

    /// Eight lanes from entry 8 − n on are the first n.
    const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

    /// Two 256-bit vectors. Only [`super::dispatch`] makes one, after detection.
    #[derive(Clone, Copy)]
    pub struct Avx2(pub(super) ());

    // SAFETY of every block below: an `Avx2` exists only where the features were detected.
    impl Simd for Avx2 {
        type Part = Half;
        const TILE: (usize, usize) = (3, 1);
        const WIDE: (usize, usize) = (6, 1);
        const TALL: (usize, usize) = (6, 1);
        const EIGHT: bool = false;

        #[inline(always)]
        fn part(self) -> Half {
            Half(())
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
        unsafe fn load_some(self, p: *const f32, n: usize) -> Self::V {
            unsafe { (load_some8(p, n.min(8)), load_some8(p.wrapping_add(8), n.saturating_sub(8).min(8))) }
        }
        /// In pieces of powers of two: masked stores are slow on some processors.
        #[inline(always)]
        unsafe fn store_some(self, p: *mut f32, v: Self::V, n: usize) {
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
            // Four 8×8 blocks.
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
        unsafe fn stream(self, p: *mut f32, v: Self::V) {
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

    /// One of the two 256-bit vectors of an [`Avx2`], which alone makes one.
    #[derive(Clone, Copy)]
    pub struct Half(());

    // SAFETY of every block below: a `Half` exists only where the features were detected.
    impl Arithmetic for Half {
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
        unsafe fn stream(self, p: *mut f32, v: Self::V) {
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
    unsafe fn load_some8(p: *const f32, n: usize) -> __m256 {
        // SAFETY: eight of the masks from entry 8 − n on; lanes that are masked out are not accessed.
        unsafe { _mm256_maskload_ps(p, _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast())) }
    }

    /// # Safety
    /// AVX2 must be available.
    #[inline(always)]
    unsafe fn transpose8(v: [__m256; 8]) -> [__m256; 8] {
        // SAFETY: register arithmetic; the caller grants the feature.
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

    /// One 512-bit vector. Only [`super::dispatch`] makes one, after detection.
    #[derive(Clone, Copy)]
    pub struct Avx512(pub(super) ());

    // SAFETY of every block below: an `Avx512` exists only where the features were detected.
    impl Simd for Avx512 {
        type Part = Self;
        const TILE: (usize, usize) = (6, 2);
        const WIDE: (usize, usize) = (8, 3);
        const TALL: (usize, usize) = (6, 4);
        const EIGHT: bool = true;

        #[inline(always)]
        fn part(self) -> Self {
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
        unsafe fn load_some(self, p: *const f32, n: usize) -> Self::V {
            unsafe { _mm512_maskz_loadu_ps(((1u32 << n.min(16)) - 1) as u16, p) }
        }
        #[inline(always)]
        unsafe fn store_some(self, p: *mut f32, v: Self::V, n: usize) {
            unsafe { _mm512_mask_storeu_ps(p, ((1u32 << n.min(16)) - 1) as u16, v) }
        }
        #[inline(always)]
        fn rectify(self, v: Self::V, x: Self::V) -> Self::V {
            unsafe { _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NLE_UQ>(v, _mm512_setzero_ps()), x) }
        }
        #[inline(always)]
        fn transpose(self, v: [Self::V; 16]) -> [Self::V; 16] {
            unsafe {
                // 4×4 blocks within the quarters of a register …
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
                // … then the quarters: b[4g + i] holds in quarter q column 4q + i of rows 4g..4g+4.
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
        unsafe fn stream(self, p: *mut f32, v: Self::V) {
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
}

/// Code generic over the instruction set.
pub trait Kernel {
    /// What it returns.
    type Out;
    /// Runs it. Implementations and all they call must be `inline(always)`.
    fn run<S: Simd>(self, simd: S) -> Self::Out;
}

/// Runs a kernel compiled for `isa`, or portably if the processor lacks it.
#[inline]
pub fn dispatch<K: Kernel>(isa: Isa, kernel: K) -> K::Out {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx2,fma")]
        fn avx512<K: Kernel>(kernel: K) -> K::Out {
            kernel.run(x86::Avx512(()))
        }
        #[target_feature(enable = "avx2,fma")]
        fn avx2<K: Kernel>(kernel: K) -> K::Out {
            kernel.run(x86::Avx2(()))
        }
        match isa {
            // SAFETY: the features were detected just now (the detection is cached).
            Isa::Avx512 if isa.available() => return unsafe { avx512(kernel) },
            // SAFETY: as above.
            Isa::Avx2 if isa.available() => return unsafe { avx2(kernel) },
            _ => {}
        }
    }
    let _ = isa;
    kernel.run(Scalar)
}

/// Runs `f`, and what it inlines, compiled for the vectors of this machine: for plain loops, whose order of operations,
/// and so whose result, is the same at every width.
pub(crate) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    struct Call<F>(F);

    impl<R, F: FnOnce() -> R> Kernel for Call<F> {
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
    use super::*;

    struct Check;
    impl Kernel for Check {
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
                // SAFETY: n floats of an array's end are read, and n of its start written to.
                unsafe {
                    simd.store(some.as_mut_ptr(), simd.load_some(a[1].as_ptr().add(LANES - n), n));
                    simd.store_some(put.as_mut_ptr(), v, n);
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
