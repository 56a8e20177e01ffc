//! Fuzzing of every reader; the documentation of the crate describes it.

mod memory;
mod models;
mod mutate;
mod runner;
mod targets;
