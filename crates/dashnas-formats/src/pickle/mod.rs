//! Reads the Python pickles that data sets are published in: numbers, text, lists, dictionaries and NumPy arrays, of
//! protocols 0 to 5. Nothing is executed: a pickle that names any other class or function is refused with that name.
//!
//! Memory is bounded by the file: its bytes are kept once, arrays are ranges of them, and the number of objects is
//! limited.

mod error;
mod file;
mod globals;
mod machine;
mod object;
#[doc(hidden)]
pub mod write;

pub use crate::pickle::error::PickleError;
pub use crate::pickle::file::{Item, Pickle};

#[cfg(test)]
mod tests;
