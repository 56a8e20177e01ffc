//! Scratch memory that is reused between calls and never zeroed again.
//!
//! A training step allocates the same few buffers thousands of times, and touching fresh pages would cost more than the
//! arithmetic. Small buffers are returned to a list of the thread when they are dropped; large buffers keep their pages
//! (`arena`). Tensors that the kernels create use this memory, too ([`Scratch::into_bytes`]).

#[cfg(all(unix, not(miri)))]
mod arena;
mod buffer;
mod cache_line;
mod shared;

pub use buffer::Scratch;
pub use shared::SharedPtr;
