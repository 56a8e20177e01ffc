//! The interface of vectors of sixteen `f32` lanes.

/// The number of lanes of a vector.
pub const LANES: usize = 16;

/// Rounds a number of floats up to whole vectors.
pub(crate) fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// Arithmetic on the lanes of one vector. Every method is `inline(always)`, because it must be inlined into a function
/// that is compiled for the instruction set, as [`dispatch`](super::dispatch()) ensures.
pub trait Arithmetic: Copy {
    /// A vector of `f32`.
    type V: Copy;
    /// The number of its lanes.
    const WIDTH: usize;

    /// A vector whose lanes are all `v`.
    fn splat(self, v: f32) -> Self::V;
    /// Loads a vector.
    ///
    /// # Safety
    /// `WIDTH` floats must be readable at `p`.
    unsafe fn load(self, p: *const f32) -> Self::V;
    /// Stores a vector.
    ///
    /// # Safety
    /// `WIDTH` floats must be writable at `p`.
    unsafe fn store(self, p: *mut f32, v: Self::V);
    /// Stores a vector with a non-temporal store, which bypasses the caches, where the processor supports it. It is
    /// meant for whole cache lines that are not read again soon. Other threads see the values after [`Simd::fence`].
    ///
    /// # Safety
    /// `WIDTH` floats must be writable at `p`, whose address must be a multiple of the size of a vector.
    #[inline(always)]
    unsafe fn store_non_temporal(self, p: *mut f32, v: Self::V) {
        // SAFETY: the caller's contract.
        unsafe { self.store(p, v) }
    }
    /// Stores a vector, with a non-temporal store if `non_temporal`.
    ///
    /// # Safety
    /// The requirements of the chosen store apply.
    #[inline(always)]
    unsafe fn store_hinted(self, non_temporal: bool, p: *mut f32, v: Self::V) {
        // SAFETY: the caller's contract.
        unsafe { if non_temporal { self.store_non_temporal(p, v) } else { self.store(p, v) } }
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
    /// The registers that make up a vector, for code that would exceed the register file with whole vectors. Their
    /// arithmetic equals that of the vector, lane by lane.
    type Register: Arithmetic;
    /// The largest tile of complex accumulators that fits the register file: rows × columns of vectors.
    const COMPLEX_TILE: (usize, usize);
    /// The largest tile of real accumulators if the rows are packed operands that are broadcast: rows × vectors.
    const PACKED_TILE: (usize, usize);
    /// The largest tile of real accumulators if each row has an address of its own: rows × vectors.
    const STRIDED_TILE: (usize, usize);
    /// Whether eight accumulators and their operands fit the register file.
    const EIGHT_ACCUMULATORS: bool;

    /// The arithmetic of the registers.
    fn register(self) -> Self::Register;
    /// Prefetches the cache line at `p` into the second-level cache. Any address is allowed.
    #[inline(always)]
    fn prefetch(self, _p: *const f32) {}
    /// Orders the non-temporal stores of a task before its later stores.
    #[inline(always)]
    fn fence(self) {}
    /// Loads the first `n` ≤ 16 lanes; the other lanes are 0.
    ///
    /// # Safety
    /// `n` floats must be readable at `p`.
    #[inline(always)]
    unsafe fn load_partial(self, p: *const f32, n: usize) -> Self::V {
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
    unsafe fn store_partial(self, p: *mut f32, v: Self::V, n: usize) {
        let mut a = [0f32; LANES];
        // SAFETY: the caller's contract; n ≤ 16.
        unsafe {
            self.store(a.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(a.as_ptr(), p, n.min(LANES));
        }
    }
    /// The lanes of `x` where the lane of `v` is not ≤ 0 (NaN included), and 0 elsewhere: a ReLU if `x` is `v`.
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
    /// Adds up the lanes in a fixed order.
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
