//! Buffers of floats.

#[cfg(all(unix, not(miri)))]
use super::arena::ArenaBlock;
use super::cache_line::CacheLine;
use burn::tensor::Bytes;
use burn_std::{AccessError, AccessPolicy, AllocationController, AllocationProperty};
use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

/// The memory of a buffer.
enum Memory {
    /// From the allocator, with one more cache line than needed, for the alignment.
    Heap(Vec<CacheLine>),
    /// From the arena of large buffers.
    #[cfg(all(unix, not(miri)))]
    Arena(ArenaBlock),
}

impl Memory {
    /// Allocates `lines` cache lines.
    fn new(lines: usize) -> Self {
        // Only Unix can reserve addresses without memory and release memory without its addresses.
        #[cfg(all(unix, not(miri)))]
        if lines >= SMALL_LINES
            && let Some(block) = ArenaBlock::new(lines)
        {
            return Self::Arena(block);
        }
        Self::Heap(vec![[0.0; 16]; lines + 1])
    }

    /// The number of cache lines.
    fn len(&self) -> usize {
        self.floats().len() / 16
    }

    /// The number of floats before the first aligned cache line.
    fn skipped(lines: &[CacheLine]) -> usize {
        // `f32`s are aligned to their size, so the result is below 16.
        lines.as_ptr().cast::<f32>().align_offset(64)
    }

    /// The floats of all aligned cache lines.
    fn floats(&self) -> &[f32] {
        match self {
            Self::Heap(lines) => &lines.as_flattened()[Self::skipped(lines)..][..16 * lines.len().saturating_sub(1)],
            #[cfg(all(unix, not(miri)))]
            Self::Arena(block) => block.floats(),
        }
    }

    /// The floats of all aligned cache lines, for writing.
    fn floats_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Heap(lines) => {
                let (skipped, floats) = (Self::skipped(lines), 16 * lines.len().saturating_sub(1));
                &mut lines.as_flattened_mut()[skipped..][..floats]
            }
            #[cfg(all(unix, not(miri)))]
            Self::Arena(block) => block.floats_mut(),
        }
    }
}

/// The number of cache lines below which a buffer is small (256 KiB).
const SMALL_LINES: usize = 1 << 12;

/// The maximum number of small buffers that a thread keeps.
const THREAD_BUFFERS: usize = 24;

thread_local! {
    /// Small buffers for the duration of a call. Each of many small tasks takes them, so they come from a list of the
    /// thread, without a lock.
    static THREAD_LOCAL_BUFFERS: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// A 64-byte aligned buffer of floats with unspecified contents.
pub struct Scratch {
    memory: Memory,
    len: usize,
    /// Whether the buffer is returned to the thread.
    own: bool,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Scratch {
    /// Takes `len` floats for the duration of a call. Their values are unspecified.
    pub fn take(len: usize) -> Self {
        let need = len.div_ceil(16);
        if need >= SMALL_LINES {
            return Self::take_long_lived(len);
        }
        // A small buffer may be larger than needed, because finding one is worth more than the memory. A thread that
        // ends has no list.
        let found = THREAD_LOCAL_BUFFERS.try_with(|small| {
            let mut small = small.borrow_mut();
            let fits = small.iter().enumerate().filter(|(_, b)| (need..=need * 4 + 64).contains(&b.len()));
            let found = fits.min_by_key(|(_, b)| b.len()).map(|(i, _)| i);
            found.map(|i| small.swap_remove(i))
        });
        let memory = found.ok().flatten().unwrap_or_else(|| Memory::new(need));
        Self { memory, len, own: true }
    }

    /// Takes `len` floats for longer than a call: no more memory than needed, and never from the list of the thread.
    pub fn take_long_lived(len: usize) -> Self {
        Self { memory: Memory::new(len.div_ceil(16)), len, own: false }
    }

    /// Converts the buffer to the storage of a tensor.
    pub fn into_bytes(self) -> Bytes {
        let bytes = self.len * size_of::<f32>();
        // SAFETY: the buffer holds this many bytes, and all of them are initialized.
        unsafe { Bytes::from_controller(Box::new(Storage(self)), bytes) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // An empty buffer is useless and would take the place of another one.
        if !self.own || self.memory.len() == 0 {
            return;
        }
        let memory = std::mem::replace(&mut self.memory, Memory::Heap(Vec::new()));
        // Buffers that do not fit are freed, as all of them are when the thread ends.
        let _ = THREAD_LOCAL_BUFFERS.try_with(|small| {
            let mut small = small.borrow_mut();
            if small.len() == THREAD_BUFFERS {
                small.remove(0);
            }
            small.push(memory);
        });
    }
}

/// A buffer that is owned by a tensor.
struct Storage(Scratch);

impl AllocationController for Storage {
    /// The alignment that the elements need, not the larger one of the buffer, because a copy is allocated with it.
    fn alloc_align(&self) -> usize {
        align_of::<f32>()
    }

    fn property(&self) -> AllocationProperty {
        AllocationProperty::Other
    }

    unsafe fn memory_mut(&mut self, _: AccessPolicy) -> Result<&mut [MaybeUninit<u8>], AccessError> {
        let floats: &mut [f32] = &mut self.0;
        // SAFETY: the bytes of `floats`, with the same borrow; the caller writes only initialized bytes.
        Ok(unsafe { std::slice::from_raw_parts_mut(floats.as_mut_ptr().cast(), size_of_val(floats)) })
    }

    fn memory(&self, _: AccessPolicy) -> Result<&[MaybeUninit<u8>], AccessError> {
        let floats: &[f32] = &self.0;
        // SAFETY: the bytes of `floats`, with the same borrow.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_and_long_enough() {
        for len in [0, 1, 16, 17, 1000, 1 << 18, (1 << 20) + 3] {
            for mut s in [Scratch::take(len), Scratch::take_long_lived(len)] {
                assert_eq!(s.len(), len);
                assert!((s.as_ptr() as usize).is_multiple_of(64));
                s.fill(1.0);
            }
        }
    }

    #[test]
    fn a_buffer_can_be_the_storage_of_a_tensor() {
        let mut s = Scratch::take_long_lived(20);
        s.iter_mut().enumerate().for_each(|(i, v)| *v = i as f32);
        let mut bytes = s.into_bytes();
        assert_eq!(bytes.len(), 80);
        bytes[..4].copy_from_slice(&7f32.to_ne_bytes());
        assert_eq!(bytes[..8], [7f32.to_ne_bytes(), 1f32.to_ne_bytes()].concat());
        assert_eq!(bytes.clone()[76..], 19f32.to_ne_bytes());
    }
}
