//! Memory that is reused between calls and never zeroed again.
//!
//! A training step asks for the same few buffers thousands of times; fresh pages cost more than
//! the arithmetic done on them. Buffers are returned to a pool (small ones to the thread) when dropped. Tensors that the
//! kernels make take theirs from it too ([`Scratch::into_bytes`]).

use burn::tensor::Bytes;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty};
use memmap2::MmapMut;
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

/// Sixteen floats: as much as a cache line, and a vector at its widest.
type Line = [f32; 16];

/// Memory for a buffer, zero without having been touched: its pages come into being where they are first written to, by
/// all threads that work on it.
enum Memory {
    /// From the allocator: one line more than there are, which start at the next cache line.
    Heap(Vec<Line>),
    /// From the system: given back at once when it is dropped. The allocator would keep what tensors of some other size do
    /// not fit into, which was a quarter of the peak where layers differ much. And it may consist of large pages.
    Map(MmapMut),
}

/// Lines from which on memory is the system's (1 MiB).
const LARGE: usize = 1 << 14;

/// Lines from which on large pages are asked for (4 MiB): two of them at least.
const HUGE: usize = 1 << 16;

impl Memory {
    /// Of so many lines.
    fn new(lines: usize) -> Self {
        let map = || MmapMut::map_anon(lines * size_of::<Line>()).ok();
        match (lines >= LARGE && !cfg!(miri)).then(map).flatten() {
            Some(map) => {
                #[cfg(target_os = "linux")]
                if lines >= HUGE {
                    // The buffers' rows are far apart, often a page each: with small ones, their addresses would be
                    // looked up anew all the time. Where there are none, it stays at small ones.
                    let _ = map.advise(memmap2::Advice::HugePage);
                }
                Self::Map(map)
            }
            None => Self::Heap(vec![[0.0; 16]; lines + 1]),
        }
    }

    /// Lines.
    fn len(&self) -> usize {
        match self {
            Self::Heap(lines) => lines.len().saturating_sub(1),
            Self::Map(map) => map.len() / size_of::<Line>(),
        }
    }

    /// Floats before the first cache line's start.
    fn skipped(lines: &[Line]) -> usize {
        // `f32`s are aligned to their size, so there is an answer below 16.
        lines.as_ptr().cast::<f32>().align_offset(64)
    }

    /// The floats of all lines, from the start of a cache line on.
    fn floats(&self) -> &[f32] {
        match self {
            Self::Heap(lines) => &lines.as_flattened()[Self::skipped(lines)..][..16 * self.len()],
            // SAFETY: pages are aligned to more than floats are, and all bits are floats.
            Self::Map(map) => unsafe { std::slice::from_raw_parts(map.as_ptr().cast(), 16 * self.len()) },
        }
    }

    /// As [`Memory::floats`].
    fn floats_mut(&mut self) -> &mut [f32] {
        let floats = 16 * self.len();
        match self {
            Self::Heap(lines) => {
                let skipped = Self::skipped(lines);
                &mut lines.as_flattened_mut()[skipped..][..floats]
            }
            // SAFETY: as above; the borrow is unique.
            Self::Map(map) => unsafe { std::slice::from_raw_parts_mut(map.as_mut_ptr().cast(), floats) },
        }
    }
}

/// Lines of a small buffer (256 KiB).
const SMALL: usize = 1 << 12;

/// Lines by which idle buffers may raise the peak (4 MiB): a step asks for buffers of a few sizes in turn, and where none
/// of the wrong size may be kept, one is made in every step.
const SLACK: usize = 1 << 16;

/// Small buffers that a thread keeps for itself.
const OWN: usize = 24;

thread_local! {
    /// Small buffers for the time of a call, taken by every one of many small tasks: from a list of the thread's own,
    /// without a lock. They are left out of the pool's accounts.
    static SMALL_ONES: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// Every buffer that is idle, and how many lines are not.
struct Pool {
    /// The longest unused first.
    idle: Vec<Memory>,
    in_use: usize,
    /// The most that ever were in use.
    most: usize,
}

/// The lock is held for a few comparisons at a time.
static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), in_use: 0, most: 0 });

impl Pool {
    fn with<R>(f: impl FnOnce(&mut Pool) -> R) -> R {
        f(&mut POOL.lock().unwrap_or_else(|e| e.into_inner()))
    }

    /// The smallest idle buffer of `need` lines, at most `most`: a larger one would be missed by
    /// whoever needs it.
    fn take(&mut self, need: usize, most: usize) -> Option<Memory> {
        let fits = self.idle.iter().enumerate().filter(|(_, b)| (need..=most).contains(&b.len()));
        let found = fits.min_by_key(|(_, b)| b.len()).map(|(i, _)| i).map(|i| self.idle.remove(i));
        self.in_use += found.as_ref().map_or(need, Memory::len);
        self.most = self.most.max(self.in_use);
        if found.is_none() {
            self.trim();
        }
        found
    }

    fn put(&mut self, buffer: Memory) {
        self.in_use -= buffer.len();
        self.idle.push(buffer);
    }

    /// Idle buffers hardly raise the peak: what is idle and in use together is at most what once
    /// was in use, and [`SLACK`].
    fn trim(&mut self) {
        let mut idle: usize = self.idle.iter().map(Memory::len).sum();
        while idle > 0 && self.in_use + idle > self.most + SLACK {
            idle -= self.idle.remove(0).len();
        }
    }
}

/// A 64-byte aligned buffer of floats with unspecified contents.
pub struct Scratch {
    memory: Memory,
    len: usize,
    /// Whether it goes back to the thread and not to the pool.
    own: bool,
}

impl Scratch {
    /// `len` floats for the time of a call; their values are whatever the last user left.
    pub fn take(len: usize) -> Self {
        let need = len.div_ceil(16);
        if need >= SMALL {
            return Self::from_pool(len, need, need + need / 4);
        }
        // Small ones may be wasteful: finding one at all is worth more. A thread that ends has none.
        let found = SMALL_ONES.try_with(|small| {
            let mut small = small.borrow_mut();
            let fits = small.iter().enumerate().filter(|(_, b)| (need..=need * 4 + 64).contains(&b.len()));
            let found = fits.min_by_key(|(_, b)| b.len()).map(|(i, _)| i);
            found.map(|i| small.swap_remove(i))
        });
        let memory = found.ok().flatten().unwrap_or_else(|| Memory::new(need));
        Self { memory, len, own: true }
    }

    /// Like [`take`](Self::take), for long: of a size that wastes little.
    pub fn take_long(len: usize) -> Self {
        let need = len.div_ceil(16);
        Self::from_pool(len, need, need + need / 8)
    }

    fn from_pool(len: usize, need: usize, most: usize) -> Self {
        let found = Pool::with(|pool| pool.take(need, most));
        Self { memory: found.unwrap_or_else(|| Memory::new(need)), len, own: false }
    }

    /// The buffer as a tensor's storage, which returns to the pool when the tensor is dropped.
    pub fn into_bytes(self) -> Bytes {
        let bytes = self.len * size_of::<f32>();
        // SAFETY: the buffer holds as many bytes, all of them initialized.
        unsafe { Bytes::from_controller(Box::new(Storage(self)), bytes) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let memory = std::mem::replace(&mut self.memory, Memory::Heap(Vec::new()));
        if !self.own {
            return Pool::with(|pool| pool.put(memory));
        }
        // An empty one is no use, and would cost another its place.
        if memory.len() == 0 {
            return;
        }
        // What does not fit is freed, as is everything once the thread ends.
        let _ = SMALL_ONES.try_with(|small| {
            let mut small = small.borrow_mut();
            if small.len() == OWN {
                small.remove(0);
            }
            small.push(memory);
        });
    }
}

/// A buffer owned by a tensor.
struct Storage(Scratch);

impl AllocationController for Storage {
    /// What the elements need, not the more that there is: a copy is allocated with it.
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let floats: &mut [f32] = &mut self.0;
        // SAFETY: the bytes of `floats`, borrowed as long; the caller writes only initialized ones.
        Ok(unsafe { std::slice::from_raw_parts_mut(floats.as_mut_ptr().cast(), size_of_val(floats)) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let floats: &[f32] = &self.0;
        // SAFETY: the bytes of `floats`, borrowed as long.
        Ok(unsafe { std::slice::from_raw_parts(floats.as_ptr().cast(), size_of_val(floats)) })
    }
}

impl Deref for Scratch {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.memory.floats()[..self.len]
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [f32] {
        let len = self.len;
        &mut self.memory.floats_mut()[..len]
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
    fn buffers_are_aligned_and_long_enough() {
        for len in [0, 1, 16, 17, 1000, 1 << 18, (1 << 20) + 3] {
            for mut s in [Scratch::take(len), Scratch::take_long(len)] {
                assert_eq!(s.len(), len);
                assert!((s.as_ptr() as usize).is_multiple_of(64));
                s.fill(1.0);
            }
        }
    }

    #[test]
    fn idle_buffers_are_reused_and_hardly_raise_the_peak() {
        let mut pool = Pool { idle: Vec::new(), in_use: 0, most: 0 };
        let unit = SLACK / 50;
        let take = |pool: &mut Pool, n: usize| pool.take(n, n + n / 8).unwrap_or_else(|| Memory::new(n));
        let (a, b) = (take(&mut pool, 100 * unit), take(&mut pool, 200 * unit));
        pool.put(a);
        pool.put(b);
        assert_eq!((pool.in_use, pool.most, pool.idle.len()), (0, 300 * unit, 2));
        // The idle 100 serve; 200 would be too much.
        let c = take(&mut pool, 90 * unit);
        assert_eq!((c.len(), pool.idle.len()), (100 * unit, 1));
        // 50 are new, within the slack.
        let d = take(&mut pool, 50 * unit);
        assert_eq!((pool.in_use, pool.most, pool.idle.len()), (150 * unit, 300 * unit, 1));
        // 250 are new, and the idle 200 with them would be more than the peak.
        let e = take(&mut pool, 250 * unit);
        assert_eq!((pool.in_use, pool.most, pool.idle.len()), (400 * unit, 400 * unit, 0));
        [c, d, e].into_iter().for_each(|b| pool.put(b));
        assert_eq!((pool.in_use, pool.idle.len()), (0, 3));
    }

    #[test]
    fn a_buffer_can_be_the_storage_of_a_tensor() {
        let mut s = Scratch::take_long(20);
        s.iter_mut().enumerate().for_each(|(i, v)| *v = i as f32);
        let mut bytes = s.into_bytes();
        assert_eq!(bytes.len(), 80);
        bytes[..4].copy_from_slice(&7f32.to_ne_bytes());
        assert_eq!(bytes[..8], [7f32.to_ne_bytes(), 1f32.to_ne_bytes()].concat());
        assert_eq!(bytes.clone()[76..], 19f32.to_ne_bytes());
    }
}
