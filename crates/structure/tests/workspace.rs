//! Enforces the structure of this workspace. With `--nocapture` it prints the figures.

use dashnas_structure::structure::{Structure, measure};
use dashnas_structure::{layers, limits, report};
use std::path::Path;
use std::sync::OnceLock;

fn structure() -> &'static Structure {
    static STRUCTURE: OnceLock<Structure> = OnceLock::new();
    STRUCTURE.get_or_init(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let structure =
            measure(&workspace).unwrap_or_else(|error| panic!("the workspace could not be measured: {error}"));
        println!("{}", report::figures(&structure));
        structure
    })
}

/// Fails with all findings at once.
#[track_caller]
fn expect_none(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n\n"));
}

#[test]
fn crates_use_only_crates_below_them() {
    expect_none(&layers::violations(structure(), &layers::LAYERS, &layers::TOOLS));
}

#[test]
fn files_and_top_level_modules_form_no_cycles() {
    expect_none(&limits::cycles(structure()));
}

#[test]
fn files_and_functions_are_short() {
    expect_none(&limits::lengths(structure()));
}

#[test]
fn levels_are_few() {
    expect_none(&limits::levels(structure()));
}
