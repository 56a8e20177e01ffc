//! Buffers for the bytes of pages. A large buffer that is freed goes back to the operating system, and a new one is cleared by
//! it page by page, which takes longer than unpacking what is written there.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use std::sync::{Arc, Mutex, PoisonError};

/// Largest buffer that is kept.
const LARGEST: usize = 2 << 20;
/// Most buffers that are kept for each thread.
const MOST: usize = 24;

/// Buffers that are not in use.
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// Lends a buffer of this length, which holds anything.
    ///
    /// # Errors
    /// [`ParquetError::General`] if there is no memory for it.
    pub fn lend(self: &Arc<Self>, len: usize) -> Result<Lent> {
        // A poisoned lock is harmless, because buffers may hold anything.
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        if bytes.len() < len {
            let more = len - bytes.len();
            bytes.try_reserve_exact(more).map_err(|e| ParquetError::General(e.to_string()))?;
            bytes.resize(len, 0);
        }
        Ok(Lent { bytes, len, owner: self.clone() })
    }

    /// Takes a buffer back.
    fn give_back(&self, bytes: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.capacity() <= LARGEST && kept.len() < MOST * rayon::current_num_threads() {
            kept.push(bytes);
        }
    }
}

/// A buffer that goes back to its owner when it is dropped.
#[derive(Debug)]
pub(super) struct Lent {
    bytes: Vec<u8>,
    len: usize,
    owner: Arc<Buffers>,
}

impl Lent {
    /// The bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// The same as shared bytes; the buffer goes back when the last of them is dropped.
    pub fn share(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.owner.give_back(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_used_again_unless_they_are_large() {
        let buffers = Arc::new(Buffers::default());
        let mut lent = buffers.lend(1000).expect("memory");
        lent.bytes_mut().fill(7);
        let shared = lent.share();
        let part = shared.slice(2..5);
        drop(shared);
        assert_eq!((&part[..], buffers.0.lock().expect("no panic").len()), (&[7; 3][..], 0));
        drop(part);
        assert_eq!(buffers.0.lock().expect("no panic").len(), 1);
        let again = buffers.lend(20).expect("memory");
        assert_eq!((again.as_ref(), buffers.0.lock().expect("no panic").len()), (&[7; 20][..], 0));
        drop(buffers.lend(LARGEST + 1).expect("memory"));
        assert_eq!(buffers.0.lock().expect("no panic").len(), 0);
        let many: Vec<Lent> =
            (0..1 + MOST * rayon::current_num_threads()).map(|_| buffers.lend(1).expect("memory")).collect();
        drop(many);
        assert_eq!(buffers.0.lock().expect("no panic").len(), MOST * rayon::current_num_threads());
        assert!(buffers.lend(usize::MAX).is_err());
    }
}
