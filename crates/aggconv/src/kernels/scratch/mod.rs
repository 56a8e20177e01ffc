//! Memory that is reused between calls and never zeroed again.
//!
//! A training step asks for the same few buffers thousands of times; fresh pages cost more than
//! the arithmetic done on them. Small buffers are returned to the thread when dropped, large ones keep their pages
//! ([`arena`]). Tensors that the kernels make take their memory from there too ([`Scratch::into_bytes`]).

#[cfg(all(unix, not(miri)))]
mod arena;

#[cfg(all(unix, not(miri)))]
use arena::Block;
use burn::tensor::Bytes;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty};
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

/// Sixteen floats: as much as a cache line, and a vector at its widest.
type Line = [f32; 16];

/// Memory for a buffer.
enum Memory {
    /// From the allocator: one line more than there are, which start at the next cache line.
    Heap(Vec<Line>),
    /// Of the addresses that large buffers share.
    #[cfg(all(unix, not(miri)))]
    Block(Block),
}

impl Memory {
    /// Of so many lines.
    fn new(lines: usize) -> Self {
        // Only Unix gives addresses without memory, and takes memory back without the addresses.
        #[cfg(all(unix, not(miri)))]
        if lines >= SMALL
            && let Some(block) = Block::new(lines)
        {
            return Self::Block(block);
        }
        Self::Heap(vec![[0.0; 16]; lines + 1])
    }

    /// Lines.
    fn len(&self) -> usize {
        self.floats().len() / 16
    }

    /// Floats before the first cache line's start.
    fn skipped(lines: &[Line]) -> usize {
        // `f32`s are aligned to their size, so there is an answer below 16.
        lines.as_ptr().cast::<f32>().align_offset(64)
    }

    /// The floats of all lines, from the start of a cache line on.
    fn floats(&self) -> &[f32] {
        match self {
            Self::Heap(lines) => &lines.as_flattened()[Self::skipped(lines)..][..16 * lines.len().saturating_sub(1)],
            #[cfg(all(unix, not(miri)))]
            Self::Block(block) => block.floats(),
        }
    }

    /// As [`Memory::floats`].
    fn floats_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Heap(lines) => {
                let (skipped, floats) = (Self::skipped(lines), 16 * lines.len().saturating_sub(1));
                &mut lines.as_flattened_mut()[skipped..][..floats]
            }
            #[cfg(all(unix, not(miri)))]
            Self::Block(block) => block.floats_mut(),
        }
    }
}

/// Lines of a small buffer (256 KiB).
const SMALL: usize = 1 << 12;

/// Small buffers that a thread keeps for itself.
const OWN: usize = 24;

thread_local! {
    /// Small buffers for the time of a call, taken by every one of many small tasks: from a list of the thread's own,
    /// without a lock.
    static SMALL_ONES: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// A 64-byte aligned buffer of floats with unspecified contents.
pub struct Scratch {
    memory: Memory,
    len: usize,
    /// Whether it goes back to the thread.
    own: bool,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Scratch {
    /// `len` floats for the time of a call; their values are whatever the last user left.
    pub fn take(len: usize) -> Self {
        let need = len.div_ceil(16);
        if need >= SMALL {
            return Self::take_long(len);
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

    /// Like [`take`](Self::take), for long: no more than is needed, and nothing of the thread's own.
    pub fn take_long(len: usize) -> Self {
        Self { memory: Memory::new(len.div_ceil(16)), len, own: false }
    }

    /// The buffer as a tensor's storage.
    pub fn into_bytes(self) -> Bytes {
        let bytes = self.len * size_of::<f32>();
        // SAFETY: the buffer holds as many bytes, all of them initialized.
        unsafe { Bytes::from_controller(Box::new(Storage(self)), bytes) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // An empty one is no use, and would cost another its place.
        if !self.own || self.memory.len() == 0 {
            return;
        }
        let memory = std::mem::replace(&mut self.memory, Memory::Heap(Vec::new()));
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
