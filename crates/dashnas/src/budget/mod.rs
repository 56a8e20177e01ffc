//! Time, memory, size and speed as limits that the user sets and the run keeps.
//!
//! [`plan`] turns a time limit and measured prices into numbers of steps, [`pace`] keeps each
//! training to its share while the machine does what it likes. [`memory`] tells what a step takes
//! before it is tried.

mod clock;
pub mod fit;
mod keep;
mod ladder;
pub(crate) mod limits;
pub mod memory;
pub mod pace;
pub mod plan;
pub mod probe;
mod words;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

pub use clock::{Clock, WallClock};
pub use keep::Budget;
