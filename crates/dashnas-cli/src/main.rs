//! The `dashnas` command: a data set in, a searched, tuned and trained network out.
//!
//! Results go to standard output, everything else to standard error. Exit codes are those of
//! [`exit_code::Code`].

mod args;
mod cli;
mod commands;
mod dispatch;
mod exit_code;
mod failure;
mod help;
mod hints;
mod interrupt;
mod label;
mod logging;
mod observers;
mod output;
mod progress;
mod results;
mod verbosity;

use std::process::ExitCode;

fn main() -> ExitCode {
    // clap itself prints usage errors and exits with code 2.
    let cli = help::parse();
    match dispatch::dispatch(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code as u8)
        }
    }
}
