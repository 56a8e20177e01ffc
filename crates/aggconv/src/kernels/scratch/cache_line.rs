//! The unit in which the sizes of buffers are counted.

/// Sixteen floats: one cache line, and one vector.
pub(super) type CacheLine = [f32; 16];
