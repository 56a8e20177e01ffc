//! The limits of this workspace, and what exceeds them.

use crate::edges::Edge;
use crate::graph::{self, Graph};
use crate::structure::Structure;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The maximum number of lines of a file.
pub const FILE_LINES: usize = 600;
/// The maximum number of lines of a function, from `fn` to the closing brace.
pub const FUNCTION_LINES: usize = 100;
/// The maximum number of levels of files inside a crate.
pub const LEVELS: usize = 10;
/// The maximum number of upward re-exports in all crates together. A re-export is upward if the re-exported file
/// imports, directly or indirectly, the file that re-exports it.
pub const UPWARD_REEXPORTS: usize = 5;

/// Finds the files and functions that are too long.
pub fn lengths(structure: &Structure) -> Vec<String> {
    let mut found = Vec::new();
    for file in &structure.files {
        let path = file.path.display();
        if file.lines > FILE_LINES {
            found.push(format!("{path}: {} lines, more than {FILE_LINES}", file.lines));
        }
        for function in file.functions.iter().filter(|function| function.lines > FUNCTION_LINES) {
            let (name, line, lines) = (&function.name, function.line, function.lines);
            found.push(format!("{path}:{line}: the function {name} has {lines} lines, more than {FUNCTION_LINES}"));
        }
    }
    found
}

/// Finds the crates with too many levels, and lists the upward re-exports if there are too many.
pub fn levels(structure: &Structure) -> Vec<String> {
    let mut found = Vec::new();
    for (package, measured) in structure.packages.iter().zip(&structure.crates) {
        if measured.levels > LEVELS {
            found.push(format!("{} has {} levels of files, more than {LEVELS}", package.name, measured.levels));
        }
    }
    let upward: Vec<usize> = structure.crates.iter().flat_map(|measured| measured.upward.iter().copied()).collect();
    if upward.len() > UPWARD_REEXPORTS {
        let mut text = format!("{} upward re-exports, more than {UPWARD_REEXPORTS}:", upward.len());
        for edge in upward {
            let _ = write!(text, "\n  {}", structure.show(&structure.edges[edge]));
        }
        found.push(text);
    }
    found
}

/// Finds the cycles of files inside a crate and the cycles of top-level modules, with the names that cause each edge.
pub fn cycles(structure: &Structure) -> Vec<String> {
    let mut found = Vec::new();
    let mut graph: Graph = vec![BTreeSet::new(); structure.files.len()];
    for edge in structure.edges.iter().filter(|edge| !edge.is_reexport()) {
        graph[edge.from].insert(edge.to);
    }
    for (package, measured) in structure.packages.iter().zip(&structure.crates) {
        for cycle in &measured.cycles {
            let files = cycle.len();
            let mut text =
                format!("{}: {files} files form an import cycle; the shortest path around it:", package.name);
            for pair in graph::shortest_cycle(&graph, cycle).windows(2) {
                let edge = structure.edges.iter().find(|edge| (edge.from, edge.to) == (pair[0], pair[1]));
                text.extend(edge.map(|edge| format!("\n    {}", structure.show(edge))));
            }
            let inside = |edge: &&Edge| cycle.contains(&edge.from) && cycle.contains(&edge.to);
            if files > 2 {
                text.push_str("\n  every edge of the cycle:");
                for edge in structure.edges.iter().filter(inside).filter(|edge| !edge.is_reexport()) {
                    let _ = write!(text, "\n    {}", structure.show(edge));
                }
            }
            found.push(text);
        }
    }
    found.extend(structure.top_modules.cycles.iter().map(|cycle| top_module_cycle(structure, cycle)));
    found
}

/// Describes a cycle of top-level modules with the edges between them; edges inside a module are left out.
fn top_module_cycle(structure: &Structure, cycle: &[usize]) -> String {
    let top_modules = &structure.top_modules;
    let name = |module: usize| {
        let (package, name) = &top_modules.names[module];
        format!("{}::{name}", structure.packages[*package].name)
    };
    let names: Vec<String> = cycle.iter().map(|&module| name(module)).collect();
    let path: Vec<String> = graph::shortest_cycle(&top_modules.graph, cycle).into_iter().map(name).collect();
    let mut text = format!(
        "{} top-level modules form an import cycle: {}\n  the shortest path around it: {}",
        cycle.len(),
        names.join(", "),
        path.join(" -> ")
    );
    for edge in structure.edges.iter().filter(|edge| !edge.is_reexport()) {
        let ends = (top_modules.of_file.get(&edge.from), top_modules.of_file.get(&edge.to));
        if let (Some(from), Some(to)) = ends
            && from != to
            && cycle.contains(from)
            && cycle.contains(to)
        {
            let _ = write!(text, "\n    {}", structure.show(edge));
        }
    }
    text
}
