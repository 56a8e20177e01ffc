//! Access to disjoint parts of one buffer from several threads.

/// A pointer that parallel tasks may share if each of them writes only to places of its own.
#[derive(Clone, Copy)]
pub struct SharedPtr(*mut f32);

// SAFETY: sending the pointer is harmless; every dereference states why its place is not shared.
unsafe impl Send for SharedPtr {}

// SAFETY: as above.
unsafe impl Sync for SharedPtr {}

impl SharedPtr {
    /// Shares a buffer for the duration of one parallel section.
    pub fn new(slice: &mut [f32]) -> Self {
        Self(slice.as_mut_ptr())
    }
    /// The pointer at an offset in floats.
    ///
    /// # Safety
    /// `offset` must lie within the buffer.
    #[inline(always)]
    pub unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's contract.
        unsafe { self.0.add(offset) }
    }
}
