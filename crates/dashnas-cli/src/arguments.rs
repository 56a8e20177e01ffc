//! The command line as it was given.

use std::ffi::OsString;
use std::sync::OnceLock;

static ARGUMENTS: OnceLock<Vec<OsString>> = OnceLock::new();

/// Keeps the command line for [`given`].
pub fn keep(command_line: Vec<OsString>) {
    // There is only one.
    let _ = ARGUMENTS.set(command_line);
}

/// The command line, the name of the program first.
pub fn given() -> impl Iterator<Item = String> {
    ARGUMENTS.get().into_iter().flatten().map(|argument| argument.to_string_lossy().into_owned())
}
