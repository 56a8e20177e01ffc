//! The training loop that the search, tuning trials, retraining and the plain backbone share.
//!
//! | module | contents |
//! |---|---|
//! | [`schedule`] | the learning rate over the epochs |
//! | `plan` | the hyperparameters and the length of one training |
//! | `retraining` | the size of retraining |
//! | `recorder` | the interface through which a training reports and keeps its state |
//! | `compute_slot` | the threads on which the trials that run side by side compute |
//! | `progress` | the steps of a stage, for events |
//! | `fit` | the loop itself |

pub(crate) mod compute_slot;
pub(crate) mod fit;
pub(crate) mod plan;
pub(crate) mod progress;
pub(crate) mod recorder;
pub(crate) mod retraining;
pub mod schedule;
