//! DASH (Shen, Khodak, Talwalkar, NeurIPS 2022) as a library: a data set in, a network whose
//! convolution kernels fit it out.
//!
//! | in the paper | here |
//! |---|---|
//! | §3.1 topology and operations decoupled | [`backbone`], [`network`] |
//! | §3.2 the mixed operation | the crate `aggconv` |
//! | Algorithm 1, search | [`search`], [`architecture`] |
//! | §3.3 tuning and retraining | [`tune`], [`retrain`], [`train`], [`optim`], [`loss`] |
//! | §4 evaluation | [`metric`], [`problem`] |
//! | A.5.2 hyperparameters | [`config`] |
//! | all of it over a run directory | [`pipeline`], [`run_dir`], [`event`], [`outcome`] |
//! | what comes of it | [`model`], [`artefact`], [`predict`], [`export`] |

pub mod architecture;
pub mod artefact;
pub mod asha;
pub mod audio;
pub mod augment;
pub mod backbone;
pub mod bench;
pub mod budget;
pub mod checkpoint;
pub mod config;
mod crew;
pub mod darcy;
pub mod data;
mod digest;
pub mod environment;
pub mod error;
pub mod evaluation;
pub mod event;
pub mod export;
pub mod fetch;
#[cfg(test)]
mod fuzz;
mod host;
pub mod journal;
pub mod loss;
pub mod metric;
pub mod model;
pub mod network;
pub mod optim;
pub mod outcome;
pub mod pickle;
pub mod pipeline;
pub mod predict;
pub mod preview;
pub mod problem;
pub mod report;
pub mod retrain;
pub mod rng;
pub mod run_dir;
mod running;
pub mod samples;
pub mod search;
pub mod select;
pub mod status;
pub mod task;
pub mod tasks;
pub mod tensorboard;
pub mod train;
pub mod transform;
pub mod tune;

pub use aggconv::kernels::check_environment;
pub use error::Error;
