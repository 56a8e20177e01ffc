//! The `dashnas` command: a data set in, a searched, tuned and trained network out.
//!
//! Results go to standard output, everything else to standard error. Exit codes are those of
//! [`failure::Code`].

mod args;
mod commands;
mod failure;
mod help;
mod interrupt;
mod logging;
mod output;
mod plot;
mod progress;
mod read_args;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    // clap itself prints usage errors and exits with code 2.
    let cli = help::parse();
    match commands::dispatch(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code as u8)
        }
    }
}
