//! Sums and means of whole activations ("feature maps"): what a network does between its
//! convolutions and normalizations, on all threads.
//!
//! The functions here compute on plain slices, without tensors or autodiff; [`ext`] makes them
//! Burn backend operations, [`ops`] functions of Burn tensors.
//!
//! Each of them reads and writes its operands once, and memory is what it waits for. Work is
//! divided by the shape alone, so results are the same bits whatever the number of threads and the
//! width of the vectors.

pub mod ext;
mod flex;
pub mod ops;
mod slices;

pub use slices::{add, add_assign, mean, mean_backward};
