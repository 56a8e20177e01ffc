//! Vectors of sixteen `f32` lanes on every machine: AVX-512, AVX2 with FMA, or portable code.
//!
//! A kernel is written once, generic over [`Simd`], and run through [`dispatch`], which compiles it for each
//! instruction set and selects the one of the processor. A vector always has 16 lanes, so that memory layouts do not
//! depend on the machine.

mod dispatch;
mod isa;
mod portable;
mod prefetch;
mod transpose;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use dispatch::vectorized;
pub use dispatch::{SimdKernel, dispatch};
pub use isa::Isa;
pub use prefetch::prefetcher;
pub use transpose::{load_transposed, store_transposed};
pub(crate) use vector::padded;
pub use vector::{Arithmetic, LANES, Simd};
