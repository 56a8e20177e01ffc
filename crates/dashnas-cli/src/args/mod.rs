//! Options that several subcommands share. The other options are defined beside their subcommand.

pub mod common;
pub mod flags;
pub mod limits;
pub mod numbers;
pub mod reading;
pub mod settings;
