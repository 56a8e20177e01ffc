//! `dashnas bench`: training steps, predictions and the paper's figures, timed on this machine.

pub mod figures;
pub mod infer;
mod plot;
pub mod step;
