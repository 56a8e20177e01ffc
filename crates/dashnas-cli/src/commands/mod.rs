//! One module a subcommand.

mod bench;
mod config;
pub mod export;
pub mod infer;
mod inspect;
pub mod predict;
pub mod report;
mod run;
pub mod shell;
mod source;
mod stages;
pub mod status;
pub mod tasks;

use crate::args::{BenchCommand, Cli, Command};
use crate::failure::{Code, Failure};
use crate::interrupt::Interrupt;
use crate::progress::{Progress, Verbosity};

/// Runs the subcommand.
///
/// # Errors
/// Whatever the user has to be told, with its exit code.
pub fn dispatch(cli: &Cli) -> Result<(), Failure> {
    let verbosity = match (cli.quiet, cli.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    match &cli.command {
        Command::Run(args) => run::run(args, verbosity),
        Command::Search(args) => run::search(args, verbosity),
        Command::Tune(args) => stages::tune(args, verbosity),
        Command::Train(args) => stages::train(args, verbosity),
        Command::Evaluate(args) => stages::evaluate(args, verbosity),
        Command::Report(args) => report::report(args, verbosity),
        Command::Status(args) => status::status(args),
        Command::Inspect(args) => inspect::inspect(args, verbosity),
        Command::Bench(BenchCommand::Step(args)) => bench::step(args, verbosity),
        Command::Bench(BenchCommand::Figures(args)) => bench::figures(args, verbosity),
        Command::Bench(BenchCommand::Infer(args)) => infer::infer(args, verbosity),
        Command::Predict(args) => predict::predict(args, verbosity),
        Command::Export(args) => export::export(args, verbosity),
        Command::Tasks(args) => tasks::list(args),
        Command::Fetch(args) => tasks::fetch(args, verbosity),
        Command::Config(args) => config::config(args),
        Command::Completions(args) => shell::completions(args),
        Command::Man(args) => shell::man(args),
    }
}

/// What every command that computes in steps starts with: its threads, progress, and Ctrl-C, which the steps ask for.
fn prepare(threads: Option<u16>, verbosity: Verbosity) -> Result<Progress, Failure> {
    begin(threads, verbosity)?;
    Ok(Progress::new(verbosity, Interrupt::listen()))
}

/// The same for a command that nothing asks whether to stop: Ctrl-C ends it at once.
fn start(threads: Option<u16>, verbosity: Verbosity) -> Result<Progress, Failure> {
    begin(threads, verbosity)?;
    Ok(Progress::new(verbosity, Interrupt::default()))
}

fn begin(threads: Option<u16>, verbosity: Verbosity) -> Result<(), Failure> {
    crate::logging::start(verbosity);
    dashnas::check_environment().map_err(|e| Failure::new(Code::Other, e.to_string(), None))?;
    // This thread is one of them: a step is hundreds of short parallel sections, and handing each to threads that sleep,
    // only to wait for them, would take longer than some of them do.
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or(0).into())
        .use_current_thread()
        .build_global()
        .map_err(|error| {
            let wanted = threads.map_or("the".to_owned(), |n| n.to_string());
            Failure::new(Code::Other, format!("cannot start {wanted} threads: {error}"), None)
        })
}
