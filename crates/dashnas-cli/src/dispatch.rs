//! Hands the parsed command line to its subcommand.

use crate::cli::{BenchCommand, Cli, Command};
use crate::commands::{bench, config, evaluate, export, inspect, predict, report, run, shell, stages, status, tasks};
use crate::failure::Failure;
use crate::help;

/// Runs the subcommand.
///
/// # Errors
/// A [`Failure`] with its message, hint and exit code.
pub fn dispatch(cli: &Cli) -> Result<(), Failure> {
    let verbosity = cli.verbosity();
    match &cli.command {
        Command::Run(args) => run::run(args, verbosity),
        Command::Search(args) => run::search(args, verbosity),
        Command::Tune(args) => stages::tune(args, verbosity),
        Command::Train(args) => stages::train(args, verbosity),
        Command::Evaluate(args) => evaluate::evaluate(args, verbosity),
        Command::Report(args) => report::report(args, verbosity),
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
