//! A data set ready for the pipeline, and the quantities that stages compute on it.
//!
//! | file | contents |
//! |---|---|
//! | `setup` | normalized data, loss, metric and splits, decided once |
//! | `state` | [`Problem`]: the setup with the state of the budget |
//! | `samples` | normalized samples in batches |
//! | `augment` | augmented and class-balanced training batches |
//! | `held_out` | held-out samples to score on |
//! | `monitor` | the metric during a training |
//! | `backbone` | the graph of the backbone, and the check of given kernels |
//! | `build` | networks for a problem |
//! | `memory` | a problem made to fit into a memory limit |
//! | `eval_timing` | the time of an evaluation batch |

pub mod augment;
pub(crate) mod backbone;
pub mod build;
pub mod eval_timing;
pub mod held_out;
pub mod memory;
pub mod monitor;
pub mod samples;
pub mod setup;
pub mod state;

pub use crate::problem::held_out::HeldOut;
pub use crate::problem::setup::Setup;
pub use crate::problem::state::Problem;
