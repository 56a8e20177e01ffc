//! The ground floor of dashnas: the small types and functions that every layer shares. It
//! knows nothing of files' formats, networks or runs.
//!
//! | module | contents |
//! |---|---|
//! | [`task`] | kinds of tasks, losses and metrics |
//! | [`names`] | presets, backbones, tuners and class weights, as a configuration names them |
//! | [`hyperparameters`] | the hyperparameters of training |
//! | [`stage`] | the stages of a run |
//! | [`score`] | the score of a network on held-out data |
//! | [`metric`] | computing metrics from predictions and targets |
//! | [`math`] | softmax, argmax, entropy, greatest common divisor |
//! | [`rng`] | random streams: one seed, one stream a purpose |
//! | [`digest`] | checksums |
//! | [`files`] | files that are written whole or not at all |
//! | [`memory`] | total, available and resident memory |
//! | [`text`] | numbers, durations and plurals as text |
//! | [`auto`] | `Option` written as `"auto"` |

pub mod auto;
pub mod digest;
pub mod files;
pub mod hyperparameters;
pub mod math;
pub mod memory;
pub mod metric;
pub mod names;
pub mod rng;
pub mod score;
pub mod stage;
pub mod task;
pub mod text;

pub use crate::hyperparameters::Hyperparameters;
pub use crate::rng::Seed;
pub use crate::score::Score;
pub use crate::stage::Stage;
pub use crate::task::{Loss, Metric, TaskKind};
