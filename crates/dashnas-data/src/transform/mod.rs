//! Transforms of a data set's inputs (and of the targets of dense tasks) after it is read.
//!
//! They are part of the task, not of a run: the numbers that they draw (the rotations of the spherical projection, the
//! order of a permutation) are the same whatever the seed of the run, so that runs can be compared.
//! [`preprocess::apply`](crate::preprocess::apply) applies them to a whole data set.

pub mod arrays;
pub mod kind;
mod permute;
mod seed;
mod spherical;
mod standardize;
pub mod window;

pub use crate::transform::arrays::{inputs, shape};
pub use crate::transform::kind::Transform;
pub use crate::transform::permute::order;
pub use crate::transform::standardize::standardize;
pub use crate::transform::window::starts;
