//! DASH (Shen, Khodak, Talwalkar, NeurIPS 2022) as a library: a data set in, a network whose
//! convolution kernels fit it out.

pub mod config;
pub mod data;
pub mod event;
pub mod metric;
pub mod outcome;
pub mod task;
