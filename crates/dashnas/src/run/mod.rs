//! A run of the whole pipeline in a directory: what starts, plans, records and resumes it.
//!
//! | module | contents |
//! |---|---|
//! | [`pipeline`] | [`pipeline::Run`]: search, tuning, retraining and evaluation, together or one by one |
//! | [`preview`] | the size of a run before it starts |
//! | [`source`] | the data set of a run, by the name that the user gave |
//! | [`folds`] | a run for each fold of a cross-validation |
//! | [`kernels`] | kernels that are given instead of searched |
//! | [`load`] | the files of a run directory, for reports |
//! | [`results`] | the results of single stages |
//! | `limits`, `probe` | limits on time, memory, size and speed, and the measurements that they need |
//! | `journal` | the event log and the checkpoints |
//! | `card` | the description of the trained model |
//! | `remarks` | what a result suggests to do |
//! | `resolved` | the values that a run decided where its configuration has `"auto"` |

mod card;
pub mod folds;
mod journal;
pub mod kernels;
mod limits;
pub mod load;
pub mod pipeline;
pub mod preview;
mod probe;
mod remarks;
mod resolved;
pub mod results;
pub mod source;
