//! One module a subcommand.

mod config;
mod inspect;
mod source;

use crate::args::{Cli, Command};
use crate::failure::Failure;

/// Runs the subcommand.
///
/// # Errors
/// Whatever the user has to be told, with its exit code.
pub fn dispatch(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Config(args) => config::config(args),
        Command::Inspect(args) => inspect::inspect(args),
        _ => unimplemented!(),
    }
}
