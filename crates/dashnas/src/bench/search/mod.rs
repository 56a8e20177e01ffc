//! Measures whether the search decides anything: searched networks against random ones of the same space, trained in
//! the same way (Li and Talwalkar 2019; Yang et al. 2020).
//!
//! | module | contents |
//! |---|---|
//! | [`plan`] | the networks of a bench |
//! | [`settings`] | its size, and the configuration of each of its runs |
//! | [`runner`] | trains the networks, side by side if asked to, and resumes an interrupted bench |
//! | [`record`] | the result of one network |
//! | [`document`] | all results and their statistics, as `bench.json` keeps them |
//! | [`statistics`] | percentiles, ratios, rank correlations and agreement |
//! | [`signals`] | the quantities that are known before a network is trained |
//! | [`calibration`] | the cross entropy after temperature scaling |
//! | `notes` | what must be known besides the figures |
//! | `measure` | the loss on the test split |
//! | `short_trials` | trials of a fraction of the length |
//! | `supernet` | the losses of the networks as paths of a supernet |
//! | [`load`] | the files of a bench, for its report |
//! | `folder` | the folder of a bench |
//! | `pool` | work side by side |

pub mod calibration;
pub mod document;
pub mod error;
mod folder;
pub mod load;
mod measure;
mod notes;
pub mod plan;
mod pool;
pub mod record;
pub mod runner;
pub mod settings;
mod short_trials;
pub mod signals;
pub mod statistics;
mod supernet;
