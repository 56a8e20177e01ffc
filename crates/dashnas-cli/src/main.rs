//! The program `dashnas`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dashnas_cli::run(std::env::args_os().collect()))
}
