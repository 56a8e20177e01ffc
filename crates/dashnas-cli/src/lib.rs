//! The `dashnas` command: a data set in, a searched, tuned and trained network out.
//!
//! Results go to standard output, everything else to standard error. The exit codes are listed under `--help`. The program
//! `dashnas` and the Python package run the same [`run`].

mod args;
mod arguments;
mod cli;
mod commands;
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
mod text_table;
mod verbosity;

use crate::cli::{BenchCommand, Cli, Command};
use crate::commands::{
    bench, compare, config, evaluate, export, inspect, predict, report, run as run_command, shell, stages, status,
    tasks,
};
use crate::failure::Failure;
use std::ffi::OsString;
use std::io::Write;

/// Runs a command line, the first of whose arguments is the name of the program, and returns the exit code.
///
/// It belongs to a process of its own: it takes over Ctrl-C and the threads of the process, and may be called once.
pub fn run(command_line: Vec<OsString>) -> u8 {
    let code = match help::parse(&command_line) {
        Ok(cli) => {
            arguments::keep(command_line);
            match dispatch(&cli) {
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

/// Runs the subcommand.
///
/// # Errors
/// A [`Failure`] with its message, hint and exit code.
fn dispatch(cli: &Cli) -> Result<(), Failure> {
    let verbosity = cli.verbosity();
    match &cli.command {
        Command::Run(args) => run_command::run(args, verbosity),
        Command::Search(args) => run_command::search(args, verbosity),
        Command::Tune(args) => stages::tune(args, verbosity),
        Command::Train(args) => stages::train(args, verbosity),
        Command::Evaluate(args) => evaluate::evaluate(args, verbosity),
        Command::Report(args) => report::report(args, verbosity),
        Command::Compare(args) => compare::compare(args, verbosity),
        Command::Status(args) => status::status(args),
        Command::Inspect(args) => inspect::inspect(args, verbosity),
        Command::Bench(BenchCommand::Step(args)) => bench::step::step(args, verbosity),
        Command::Bench(BenchCommand::Figures(args)) => bench::figures::figures(args, verbosity),
        Command::Bench(BenchCommand::Infer(args)) => bench::infer::infer(args, verbosity),
        Command::Bench(BenchCommand::Search(args)) => bench::search::search(args, verbosity),
        Command::Predict(args) => predict::predict(args, verbosity),
        Command::Export(args) => export::export(args, verbosity),
        Command::Tasks(args) => tasks::list(args),
        Command::Fetch(args) => tasks::fetch(args, verbosity),
        Command::Config(args) => config::config(args),
        Command::Completions(args) => shell::completions(args, help::command()),
        Command::Man(args) => shell::man(args, help::command()),
    }
}
