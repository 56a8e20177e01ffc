//! `dashnas status`: the state of a run or of a cross-validation, from another terminal.

use crate::failure::Failure;
use crate::output;
use clap::Args;
use dashnas::run::folds::Folds;
use dashnas::run_dir::dir::RunDir;
use dashnas_report::status::{FoldsStatus, State, Status};
use serde::Serialize;
use std::fmt::Display;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

/// The time between two lines or screens of `--watch`.
const PERIOD: Duration = Duration::from_secs(2);
/// Clears a terminal and goes to its first line.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The run directory, or the folder of a cross-validation.
    pub run: PathBuf,
    /// Print JSON; with --watch, one line each time.
    #[arg(long)]
    pub json: bool,
    /// Print the state every two seconds, until the run ends.
    #[arg(short, long)]
    pub watch: bool,
}

/// Prints the state, once or repeatedly.
pub fn status(args: &StatusArgs) -> Result<(), Failure> {
    if Folds::is_at(&args.run) {
        return print(args, || Ok(FoldsStatus::read(&args.run)?), |status| status.state);
    }
    let dir = RunDir::open(&args.run)?;
    print(args, || Ok(Status::read(&dir)?), |status| status.state)
}

/// Prints what is read, once, or repeatedly while its state is that of a running one.
fn print<S: Serialize + Display>(
    args: &StatusArgs,
    read: impl Fn() -> Result<S, Failure>,
    state: impl Fn(&S) -> State,
) -> Result<(), Failure> {
    if !args.watch {
        let status = read()?;
        return if args.json { output::print_json(&status) } else { output::print(&status.to_string()) };
    }
    let terminal = std::io::stdout().is_terminal();
    loop {
        let status = read()?;
        if args.json {
            output::print_json_line(&status)?;
        } else {
            let clear = if terminal { CLEAR } else { "" };
            output::print(&format!("{clear}{status}\n"))?;
        }
        if state(&status) != State::Running {
            return Ok(());
        }
        // Nothing has to be cleaned up, so Ctrl-C may end the process immediately.
        std::thread::sleep(PERIOD);
    }
}
