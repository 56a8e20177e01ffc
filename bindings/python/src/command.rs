//! The command `dashnas`.

use pyo3::prelude::*;
use std::ffi::OsString;
use std::panic;

/// The exit code of a program of Rust that has panicked.
const PANICKED: u8 = 101;

/// Runs a command line, the name of the program first, and returns its exit code. It belongs to a process of its own, in
/// which nothing else computes.
#[pyfunction]
pub fn command(py: Python<'_>, command_line: Vec<OsString>) -> u8 {
    // A panic has been printed when it arrives here.
    py.detach(|| panic::catch_unwind(|| dashnas_cli::run(command_line)).unwrap_or(PANICKED))
}
