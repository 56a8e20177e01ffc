//! Hyperparameter tuning between search and retraining (§3.3, A.5.2): a grid, or asynchronous successive halving, on a
//! validation split of the training data, with a subset of the data and fewer epochs.
//!
//! | module | contents |
//! |---|---|
//! | `size` | how many trials, steps and samples a tuning has |
//! | `source` | the interface of what decides which trials there are |
//! | `grid`, `asha_trials` | its two implementations |
//! | `recorder` | what the trial pool needs from the recorder of a run |
//! | `channel` | messages between the thread of a trial and that of the run |
//! | `runner` | trains and scores one trial |
//! | `trial_pool` | runs trials side by side |
//! | `tuner` | the tuning of one network |

mod asha_trials;
pub(crate) mod channel;
mod grid;
pub(crate) mod recorder;
mod runner;
pub(crate) mod size;
pub(crate) mod source;
pub(crate) mod trial_pool;
pub(crate) mod tuner;
