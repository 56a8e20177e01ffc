//! Limits of memory: what may be in memory at all, and which inputs stay in a file.

use crate::error::DataError;
use crate::options::ReadOptions;
use dashnas_core::memory;
use std::path::Path;

/// Refuses an array of `elements` float32 numbers that would take more memory than the options allow.
///
/// # Errors
/// [`DataError::TooLarge`].
pub(crate) fn check_memory(path: &Path, what: &str, elements: u128, options: &ReadOptions) -> Result<(), DataError> {
    check_bytes(path, what, elements.saturating_mul(4), options.max_bytes)
}

/// Refuses an array that would take more bytes than the limit.
///
/// # Errors
/// [`DataError::TooLarge`].
pub(crate) fn check_bytes(path: &Path, what: &str, bytes: u128, limit: u64) -> Result<(), DataError> {
    if bytes <= u128::from(limit) {
        return Ok(());
    }
    Err(DataError::TooLarge { path: path.into(), array: what.into(), bytes, limit })
}

/// Bytes of inputs (as float32) above which they stay in their file, where the options do not say: a quarter of the
/// memory that is free now.
fn default_in_memory() -> u64 {
    memory::available().map_or(4 << 30, |bytes| bytes / 4)
}

/// Returns whether an array of `elements` float32 numbers is larger than `in_memory` bytes and so stays in a file.
pub(crate) fn stays_in_file(elements: u128, in_memory: Option<u64>) -> bool {
    elements.saturating_mul(4) > u128::from(in_memory.unwrap_or_else(default_in_memory))
}
