//! Every hyperparameter of the pipeline (appendix A.5.2 of the paper and the details of the published runs).
//!
//! A configuration is layered: a preset, then a TOML file, then single overrides such as command-line options; see
//! [`Config::load`]. A value that follows from the data (the paper's rules by dimension and kind of task) is `None` in
//! [`Config`] and `"auto"` in TOML. The methods of [`Config`] that take [`Facts`] apply the rule, and
//! [`Config::resolve`] replaces every `"auto"` by its value.
//!
//! | file | contents |
//! |---|---|
//! | `sections` | the structs of the sections |
//! | `keys` | every key with its description |
//! | `preset` | the three presets |
//! | `layers` | reading files and overrides |
//! | `rules` | the values of `"auto"` |
//! | `validate` | the ranges of the values |
//! | `unused` | settings that the strategy of the search does not use |
//! | `print` | a configuration as a commented TOML file |
//! | `schedule` | milestones in epochs |
//! | `error` | errors in a configuration |
//! | `words` | what the parser says of a value, in words |

pub mod error;
pub mod keys;
pub mod layers;
mod preset;
mod print;
pub mod rules;
pub mod schedule;
pub mod sections;
mod unused;
mod validate;
mod words;

pub use crate::config::error::ConfigError;
pub use crate::config::keys::{KEYS, Key};
pub use crate::config::layers::Override;
pub use crate::config::rules::Facts;
pub use crate::config::schedule::milestone_epochs;
pub use crate::config::sections::{
    AshaConfig, AugmentConfig, BackboneConfig, BaselineConfig, BudgetConfig, Config, RetrainConfig, SearchConfig,
    SpaceConfig, TaskConfig, TuneConfig,
};
