//! The `dashnas` command: a data set in, a searched, tuned and trained network out.
//!
//! Results go to standard output, everything else to standard error. The exit codes are listed under `--help`. The program
//! `dashnas` and the Python package run the same [`run`].

mod args;
mod arguments;
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

use std::ffi::OsString;
use std::io::Write;

/// Runs a command line, the first of whose arguments is the name of the program, and returns the exit code.
///
/// It belongs to a process of its own: it takes over Ctrl-C and the threads of the process, and may be called once.
pub fn run(command_line: Vec<OsString>) -> u8 {
    let code = match help::parse(&command_line) {
        Ok(cli) => {
            arguments::keep(command_line);
            match dispatch::dispatch(&cli) {
                Ok(()) => 0,
                Err(failure) => {
                    failure.print();
                    failure.code as u8
                }
            }
        }
        Err(error) => {
            // There is nowhere left to report that the terminal is closed.
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(exit_code::Code::Usage as u8)
        }
    };
    // A process that is not Rust's own does not do that at its end.
    let _ = std::io::stdout().flush();
    code
}
