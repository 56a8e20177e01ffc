//! Prints the measurements.

use crate::structure::Structure;
use std::fmt::Write;
use std::path::Path;

/// Prints the figures of each crate and of the whole workspace.
pub fn figures(structure: &Structure) -> String {
    let width = structure.packages.iter().map(|package| package.name.len()).max().unwrap_or(0).max(9);
    let mut text = format!("{:width$}  files   lines  levels  edges  cycles  upward re-exports\n", "crate");
    for (number, (package, measured)) in structure.packages.iter().zip(&structure.crates).enumerate() {
        let files: Vec<_> = structure.files.iter().filter(|file| file.package == number).collect();
        row(
            &mut text,
            width,
            &package.name,
            [
                files.len(),
                files.iter().map(|file| file.lines).sum(),
                measured.levels,
                measured.edges,
                measured.cycles.len(),
                measured.upward.len(),
            ],
        );
    }
    row(
        &mut text,
        width,
        "all",
        [
            structure.files.len(),
            structure.files.iter().map(|file| file.lines).sum(),
            structure.crates.iter().map(|measured| measured.levels).max().unwrap_or(0),
            structure.edges.iter().filter(|edge| !edge.is_reexport()).count(),
            structure.crates.iter().map(|measured| measured.cycles.len()).sum(),
            structure.crates.iter().map(|measured| measured.upward.len()).sum(),
        ],
    );
    let top_modules = &structure.top_modules;
    let _ = writeln!(
        text,
        "top-level modules: {}, {} edges, {} levels, {} cycles",
        top_modules.names.len(),
        top_modules.graph.iter().map(std::collections::BTreeSet::len).sum::<usize>(),
        top_modules.levels,
        top_modules.cycles.len()
    );
    if let Some(file) = structure.files.iter().max_by_key(|file| file.lines) {
        let _ = writeln!(text, "longest file: {} ({} lines)", file.path.display(), file.lines);
    }
    let functions = structure.files.iter().flat_map(|file| file.functions.iter().map(move |function| (file, function)));
    if let Some((file, function)) = functions.max_by_key(|(_, function)| function.lines) {
        let (path, line) = (file.path.display(), function.line);
        let _ = writeln!(text, "longest function: {} ({} lines, {path}:{line})", function.name, function.lines);
    }
    text
}

fn row(text: &mut String, width: usize, name: &str, [files, lines, levels, edges, cycles, upward]: [usize; 6]) {
    let _ = writeln!(text, "{name:width$}  {files:>5}  {lines:>6}  {levels:>6}  {edges:>6}  {cycles:>7}  {upward:>17}");
}

/// Prints every edge from and to the files whose paths start with `prefix`, file by file, with the level of each file.
pub fn edges(structure: &Structure, prefix: &Path) -> String {
    let mut text = String::new();
    for (number, file) in structure.files.iter().enumerate() {
        let Some(level) = file.level.filter(|_| file.path.starts_with(prefix)) else { continue };
        let _ = writeln!(text, "{} (level {level}, {} lines)", file.path.display(), file.lines);
        for edge in structure.edges.iter().filter(|edge| edge.from == number) {
            let _ = writeln!(text, "  {}", structure.show(edge));
        }
        for edge in structure.edges.iter().filter(|edge| edge.to == number) {
            let _ = writeln!(text, "  from {}", structure.show(edge));
        }
    }
    text
}
