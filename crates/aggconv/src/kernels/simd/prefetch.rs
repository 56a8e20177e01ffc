//! Software prefetch of contiguous memory.

use super::{LANES, Simd};

/// Returns a function that prefetches `floats` piece by piece, in equal shares over `times` calls. Requesting
/// everything at once would stall.
#[inline(always)]
pub fn prefetcher<S: Simd>(simd: S, floats: &[f32], times: usize) -> impl FnMut() {
    let mut pieces = floats.chunks(floats.len().div_ceil(times.max(1)).next_multiple_of(LANES).max(LANES));
    move || {
        for line in pieces.next().into_iter().flat_map(|piece| piece.chunks(LANES)) {
            simd.prefetch(line.as_ptr());
        }
    }
}
