//! Transposes between rows in memory and vectors.

use super::{LANES, Simd};

/// Loads 16 rows and transposes them: vector j holds element j of each row. Missing rows, and the elements from index
/// `n` ≤ 16 on, are 0.
///
/// # Safety
/// `n` floats must be readable at every row.
#[inline(always)]
pub unsafe fn load_transposed<S: Simd>(simd: S, n: usize, row: impl Fn(usize) -> Option<*const f32>) -> [S::V; LANES] {
    let zero = simd.splat(0.0);
    let mut rows = [zero; LANES];
    // Every row is assigned here; otherwise the zeros above would be stored first.
    for (lane, v) in rows.iter_mut().enumerate() {
        *v = match row(lane) {
            // SAFETY: the caller's contract.
            Some(p) => unsafe { if n == LANES { simd.load(p) } else { simd.load_partial(p, n) } },
            None => zero,
        };
    }
    simd.transpose(rows)
}

/// Transposes 16 vectors and stores them as rows: the reverse of [`load_transposed`]. Only the first `n` ≤ 16 elements
/// of each row are written, and missing rows are skipped.
///
/// # Safety
/// `n` floats must be writable at every row.
#[inline(always)]
pub unsafe fn store_transposed<S: Simd>(
    simd: S,
    n: usize,
    vectors: [S::V; LANES],
    row: impl Fn(usize) -> Option<*mut f32>,
) {
    for (lane, v) in simd.transpose(vectors).into_iter().enumerate() {
        if let Some(p) = row(lane) {
            // SAFETY: the caller's contract.
            unsafe { if n == LANES { simd.store(p, v) } else { simd.store_partial(p, v, n) } };
        }
    }
}
