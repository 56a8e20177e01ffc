//! Working memory that is reused between calls and never zeroed again.
//!
//! A training step asks for the same few buffers thousands of times; fresh pages cost more than
//! the arithmetic done on them. Buffers are returned to a pool when dropped.

use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Sixteen floats on a cache line: gives buffers the alignment of the widest vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Idle buffers. The lock is held for a few comparisons at a time.
static POOL: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

/// Lines of idle buffers that are kept (128 MiB); beyond, the longest unused are freed.
const KEPT: usize = 1 << 21;

/// A 64-byte aligned buffer of floats with unspecified contents.
pub struct Scratch {
    lines: Vec<Line>,
    len: usize,
}

impl Scratch {
    /// At least `len` floats; their values are whatever the last user left.
    pub fn take(len: usize) -> Self {
        let need = len.div_ceil(16);
        let found = {
            let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
            let best = pool
                .iter()
                .enumerate()
                // A buffer much larger than asked for would be missed by whoever needs it.
                .filter(|(_, b)| b.len() >= need && b.len() <= need * 4 + 64)
                .min_by_key(|(_, b)| b.len())
                .map(|(i, _)| i);
            best.map(|i| pool.remove(i))
        };
        Self { lines: found.unwrap_or_else(|| vec![Line([0.0; 16]); need]), len }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        let mut pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
        pool.push(lines);
        let mut kept: usize = pool.iter().map(Vec::len).sum();
        while kept > KEPT {
            kept -= pool.remove(0).len();
        }
    }
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is exactly 16 floats with no padding and `len ≤ 16 · lines.len()`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as for `deref`; the borrow of `self` is unique.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// A pointer that parallel tasks may share when each writes only places of its own.
#[derive(Clone, Copy)]
pub struct Shared(*mut f32);

// SAFETY: sending the pointer is harmless; every dereference states why its place is not shared.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Shares a buffer for the time of one parallel section.
    pub fn new(slice: &mut [f32]) -> Self {
        Self(slice.as_mut_ptr())
    }
    /// The pointer, `offset` floats in.
    ///
    /// # Safety
    /// `offset` must lie within the buffer.
    #[inline(always)]
    pub unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's contract.
        unsafe { self.0.add(offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_long_enough_and_not_hoarded() {
        for len in [0, 1, 16, 17, 1000, 1 << 20] {
            let mut s = Scratch::take(len);
            assert_eq!(s.len(), len);
            assert!((s.as_ptr() as usize).is_multiple_of(64));
            s.fill(1.0);
        }
        let all: Vec<_> = (0..5).map(|_| Scratch::take(1 << 23)).collect();
        drop(all);
        let pool = POOL.lock().unwrap_or_else(|e| e.into_inner());
        assert!(pool.iter().map(Vec::len).sum::<usize>() <= KEPT);
    }
}
