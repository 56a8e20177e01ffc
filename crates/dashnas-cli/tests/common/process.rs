//! What tests share that start the command as a process, in a folder, and look at what it leaves there. A test that uses it
//! names its path: in `common` it would be unused code of the other tests.

use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The command with these arguments, in a folder.
pub fn dashnas(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dashnas"));
    command.current_dir(folder).args(args).env("DASHNAS_CACHE", folder.join("cache"));
    command
}

/// What it prints, and how it ends.
pub fn output(folder: &Path, args: &[&str]) -> Output {
    dashnas(folder, args).output().expect("the command starts")
}

/// A JSON file.
pub fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))).expect("JSON")
}

/// The rows of a table of two classes: eight numbers and the class, separated by commas.
pub fn rows() -> impl Iterator<Item = String> {
    (0..48usize).map(|i| {
        let value = |t: usize| if t.is_multiple_of(2 + i % 2) { 1.0 } else { ((i * 8 + t) as f64).sin() * 0.2 };
        let values: Vec<String> = (0..8).map(|t| format!("{:.4}", value(t))).collect();
        format!("{},{}", values.join(","), ["even", "odd"][i % 2])
    })
}
