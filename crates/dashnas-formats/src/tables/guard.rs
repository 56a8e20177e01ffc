//! Damaged files may make a library panic.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What errors of the libraries begin with.
const HEADS: [&str; 7] = [
    "Parquet error: ",
    "Parquet argument error: ",
    "EOF: ",
    "Arrow: ",
    "Ipc error: ",
    "Parser error: ",
    "Invalid argument error: ",
];

/// Calls a library on data from a file; a panic in it is an error.
pub(crate) fn guard<T, E: Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|e| {
            let text = e.to_string();
            // The libraries put their own names before what they say.
            let mut said = text.as_str();
            while let Some(rest) = HEADS.iter().find_map(|head| said.strip_prefix(head)) {
                said = rest;
            }
            said.to_owned()
        }),
        Err(_) => Err("it is damaged".into()),
    }
}
