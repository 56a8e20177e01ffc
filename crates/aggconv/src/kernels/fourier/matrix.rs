//! Complex matrices in memory, and the sizes of their products.

use crate::kernels::simd::{LANES, padded};

/// The distance in memory between the indices of an axis: `step` for each index, but `chunk` for every 16 indices.
#[derive(Clone, Copy)]
pub struct AxisStride {
    pub(super) step: usize,
    pub(super) chunk: usize,
}

impl AxisStride {
    /// A uniform step.
    pub fn uniform(step: usize) -> Self {
        Self { step, chunk: step * LANES }
    }
    /// Indices in vector lanes; the vectors are `chunk` floats apart.
    pub fn in_lanes(chunk: usize) -> Self {
        Self { step: 1, chunk }
    }
    /// The offset of index `i`, in floats.
    #[inline(always)]
    pub fn at(self, i: usize) -> usize {
        i % LANES * self.step + i / LANES * self.chunk
    }
}

/// A complex matrix: entry (i, j) lies at `re + rows(i) + cols(j)`, and its imaginary part `im` floats further.
#[derive(Clone, Copy)]
pub struct ComplexMatrix {
    /// The first real part.
    pub re: *mut f32,
    /// The number of floats from a real part to its imaginary part.
    pub im: usize,
    /// The distance between rows.
    pub rows: AxisStride,
    /// The distance between columns.
    pub cols: AxisStride,
    /// The number of floats to the matrix of the same kind that is used next, which is prefetched.
    pub prefetch_offset: usize,
    /// Whether the matrix is written with non-temporal stores.
    pub non_temporal: bool,
}

impl ComplexMatrix {
    /// The transposed matrix.
    pub fn transposed(self) -> Self {
        Self { rows: self.cols, cols: self.rows, ..self }
    }
}

/// The sizes of a product: A is m×k and B is k×n, where n is a multiple of [`LANES`].
#[derive(Clone, Copy)]
pub struct ProductShape {
    /// Rows of A and C.
    pub m: usize,
    /// Columns of A, rows of B.
    pub k: usize,
    /// Columns of B and C.
    pub n: usize,
    /// Whether all imaginary parts are 0.
    pub real: bool,
}

impl ProductShape {
    /// Whether three real products are faster than four.
    fn uses_gauss(self) -> bool {
        self.m >= 6 && self.k.min(self.n) >= LANES
    }

    /// The number of real multiplications and additions for each complex multiply-add.
    pub fn operations(self) -> u64 {
        if self.uses_gauss() { 6 } else { 8 }
    }

    /// The number of floats of scratch memory for a product by Gauss's method; 0 where it brings no gain.
    pub fn gauss_scratch_len(self) -> usize {
        let ProductShape { m, k, n, .. } = self;
        if self.uses_gauss() { padded(m) * padded(k) + k * n } else { 0 }
    }
}
