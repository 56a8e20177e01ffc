//! One module for each subcommand, with its options.

pub mod bench;
pub mod compare;
mod compare_text;
pub mod config;
pub mod evaluate;
pub mod export;
mod folds;
mod inputs;
pub mod inspect;
mod opened;
mod outputs;
pub mod predict;
pub mod report;
pub mod run;
mod scoring;
mod setup;
pub mod shell;
pub mod stages;
pub mod start;
pub mod status;
pub mod tasks;
mod written;
