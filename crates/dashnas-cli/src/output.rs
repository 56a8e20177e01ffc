//! Standard output.

use crate::exit_code::Code;
use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, Write};

/// Writes a result to standard output. It is no error if the reader closes the pipe early (`| head`).
///
/// # Errors
/// A [`Failure`] if standard output cannot be written, such as to a full disk.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => {
            result.map_err(|error| Failure::new(Code::Files, format!("cannot write to standard output: {error}"), None))
        }
    }
}

/// Writes a text beside a result, to standard error. It is lost if that is closed.
pub fn aside(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Writes a value to standard output as a line of JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json_line(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::new(Code::Other, format!("cannot write JSON: {error}"), None))?;
    print(&(text + "\n"))
}

/// Writes a value to standard output as indented JSON.
///
/// # Errors
/// As [`print`].
pub fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Code::Other, format!("cannot write JSON: {error}"), None))?;
    print(&(text + "\n"))
}
