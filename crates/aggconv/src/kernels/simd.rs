//! Sixteen `f32` lanes on every machine: AVX-512, AVX2 + FMA, or portable code.
//!
//! Kernels are written once, generic over [`Simd`], and reached through [`dispatch`], which
//! compiles them for each instruction set and enters the one the processor has. The vector is
//! always 16 wide so that memory layouts do not depend on the machine.

#[cfg(target_arch = "x86_64")]
mod x86;

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
    /// [`Arithmetic::stream`] of what is `far`, else `store`.
    ///
    /// # Safety
    /// As for either.
    #[inline(always)]
    unsafe fn put(self, far: bool, p: *mut f32, v: Self::V) {
        // SAFETY: the caller's contract.
        unsafe { if far { self.stream(p, v) } else { self.store(p, v) } }
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

/// Brings floats near piece by piece, with each of `times` calls: what is asked for all at once is waited for.
#[inline(always)]
pub fn bring<S: Simd>(simd: S, floats: &[f32], times: usize) -> impl FnMut() {
    let mut pieces = floats.chunks(floats.len().div_ceil(times.max(1)).next_multiple_of(LANES).max(LANES));
    move || {
        for line in pieces.next().into_iter().flat_map(|piece| piece.chunks(LANES)) {
            simd.prefetch(line.as_ptr());
        }
    }
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
