//! Finds the convolution kernels that fit a data set and trains the network made of them, as in DASH (Shen, Khodak
//! and Talwalkar, "Efficient Architecture Search for Diverse Tasks", NeurIPS 2022).
//!
//! A [`Run`] takes a [`Dataset`] and a [`Config`] and works in a directory of its own: it searches the kernels, tunes
//! the hyperparameters, retrains the network and evaluates it on the test split. An [`Observer`] follows it by its
//! [`Event`]s and may stop it; a run that was stopped can be resumed, with bit-identical results. The trained
//! [`Model`] can be loaded, used and exported without this crate.
//!
//! ```
//! use dashnas::{Config, Dataset, Model, Run};
//! use dashnas_core::names::Preset;
//! use dashnas_core::task::TaskKind;
//! use dashnas_data::split::Split;
//! use dashnas_data::targets::Targets;
//! use dashnas_formats::array::Array;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Series of one channel and 16 positions. The class says whether the fourth value is positive.
//! let split = |samples: usize| {
//!     let x: Vec<f32> = (0..samples * 16).map(|i| (i * 7919 % 97) as f32 / 97.0 - 0.5).collect();
//!     let classes = x.chunks(16).map(|series| u32::from(series[3] > 0.0)).collect();
//!     Split { x: Array::new(vec![samples, 1, 16], x), y: Targets::Classes(classes) }
//! };
//! let task = TaskKind::Classification { classes: 2 };
//! let data = Dataset::new("signs", task, split(40), None, split(10))?;
//!
//! // Only a few steps, without tuning and without the plain backbone beside it.
//! let mut config = Config::preset(Preset::Quick);
//! (config.search.min_steps, config.search.max_steps) = (0, 2);
//! (config.retrain.min_steps, config.retrain.max_steps) = (0, 2);
//! (config.tune.enabled, config.baseline.enabled) = (false, false);
//!
//! let folder = tempfile::tempdir()?;
//! let directory = folder.path().join("run");
//! let mut events = Vec::new();
//! let outcome = Run::start(&config, "signs", &data, &directory, &mut events)?.all()?;
//! println!("test error {:?} with the kernels {:?}", outcome.test, outcome.architecture);
//! assert!(!events.is_empty());
//!
//! let model = Model::load(&directory)?;
//! assert_eq!(model.card().architecture.kernels, outcome.architecture);
//! # Ok(())
//! # }
//! ```
//!
//! # From the paper to the code
//!
//! | in the paper | in the code |
//! |---|---|
//! | §3.1 topology and operations decoupled | `dashnas_nn`: `backbone`, `network` |
//! | §3.2 the mixed operation | the crate `aggconv` |
//! | Algorithm 1, search | `stages::search`, `stages::select`, `train` (not in the paper: the race, `stages::race`, `race`) |
//! | §3.3 tuning | `tune`, [`asha`] |
//! | §3.3 retraining | `stages::retrain`, `train`; `dashnas_nn`: `optim`, `loss` |
//! | §4 evaluation | [`evaluation`], [`problem`]; `dashnas_core`: `metric` |
//! | A.5.2 hyperparameters | [`config`] |
//!
//! # Modules
//!
//! | module | contents |
//! |---|---|
//! | [`config`] | the configuration: presets, files, overrides and checks |
//! | [`problem`] | a data set with its loss, its metric and its validation split |
//! | [`budget`] | limits on time and memory |
//! | `train` | the training loop |
//! | `stages`, `race`, `tune` | search, selection of kernels, retraining and tuning |
//! | [`asha`] | asynchronous successive halving |
//! | [`evaluation`] | the results on the test split |
//! | [`record`], [`run_dir`], [`checkpoint`] | what a run reports and keeps in its directory |
//! | [`run`] | the whole pipeline |
//! | [`bench`](mod@bench) | measurements of speed |
//!
//! The crate knows nothing of reports, of the command or of Python, which are built on it.

pub mod asha;
pub mod bench;
pub mod budget;
pub mod checkpoint;
pub mod config;
pub mod error;
pub mod evaluation;
#[cfg(test)]
mod example_network;
pub mod problem;
pub(crate) mod race;
pub mod record;
pub mod run;
pub mod run_dir;
pub(crate) mod stages;
pub mod train;
pub(crate) mod tune;

pub use crate::config::Config;
pub use crate::error::Error;
pub use crate::record::event::{Event, Observer};
pub use crate::run::pipeline::Run;
pub use aggconv::kernels::check_environment;
pub use dashnas_data::dataset::Dataset;
pub use dashnas_nn::model::Model;
