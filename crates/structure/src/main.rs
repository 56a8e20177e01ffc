//! `dashnas-structure [DIRECTORY] [--edges [PREFIX]]`: prints the structure of a workspace and everything
//! that exceeds its limits.

use dashnas_structure::{layers, limits, report, structure};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
Usage: dashnas-structure [DIRECTORY] [--edges [PREFIX]]

Prints the figures of the workspace in DIRECTORY (default: .) after everything that
exceeds its limits: import cycles with the names that cause them, uses of crates that
are not below, long files and functions. Exits with 1 if there is any.

  --edges [PREFIX]  Print the import edges from and to the files whose paths start
                    with PREFIX instead (default: all files)";

fn main() -> ExitCode {
    let mut directory = PathBuf::from(".");
    let mut edges = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--edges" => edges = Some(PathBuf::from(arguments.next().unwrap_or_default())),
            "-h" | "--help" => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            flag if flag.starts_with('-') => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
            path => directory = PathBuf::from(path),
        }
    }
    let structure = match structure::measure(&directory) {
        Ok(structure) => structure,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    if let Some(prefix) = edges {
        print!("{}", report::edges(&structure, &prefix));
        return ExitCode::SUCCESS;
    }
    let mut found = layers::violations(&structure, &layers::LAYERS, &layers::TOOLS);
    found.extend(limits::cycles(&structure));
    found.extend(limits::levels(&structure));
    found.extend(limits::lengths(&structure));
    for finding in &found {
        println!("{finding}\n");
    }
    print!("{}", report::figures(&structure));
    if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
