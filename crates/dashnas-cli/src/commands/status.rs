//! `dashnas status`: the state of a run, from another terminal.

use crate::failure::Failure;
use crate::output;
use clap::Args;
use dashnas::run_dir::dir::RunDir;
use dashnas_report::status::{State, Status};
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
    /// The run directory.
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
    let dir = RunDir::open(&args.run)?;
    if !args.watch {
        let status = Status::read(&dir)?;
        return if args.json { output::print_json(&status) } else { output::print(&status.to_string()) };
    }
    let terminal = std::io::stdout().is_terminal();
    loop {
        let status = Status::read(&dir)?;
        if args.json {
            output::print_json_line(&status)?;
        } else {
            let clear = if terminal { CLEAR } else { "" };
            output::print(&format!("{clear}{status}\n"))?;
        }
        if status.state != State::Running {
            return Ok(());
        }
        // Nothing has to be cleaned up, so Ctrl-C may end the process immediately.
        std::thread::sleep(PERIOD);
    }
}
