//! `dashnas bench`: training steps, predictions and the paper's figures, timed on this machine; and the search against
//! random kernels.

pub mod figures;
pub mod infer;
mod plot;
pub mod search;
mod search_plot;
mod search_text;
pub mod step;
