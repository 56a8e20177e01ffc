//! Sums and means of whole activations (feature maps), multi-threaded: the operations of a network between its
//! convolutions and normalizations.
//!
//! The functions in this module compute on plain slices, without tensors or autodiff. [`ext`] provides them as Burn
//! backend operations, and [`ops`] as functions of Burn tensors.
//!
//! Each function reads and writes its operands once and is bound by memory bandwidth. The division of work depends only
//! on the shape, so results are bit-identical for any number of threads and any vector width.

pub mod ext;
mod flex;
pub mod ops;
mod slices;

pub use slices::{add, add_assign, mean, mean_backward};
