//! Collects the import edges between files, with the names that cause them.

use crate::references::{self, Kind};
use crate::resolve::Resolver;
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// A name that causes an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedName {
    /// The name of the item.
    pub name: String,
    /// The line of its first use, from 1.
    pub line: usize,
}

/// An edge from a file to another file that it imports. Without `uses` it is a re-export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The index of the importing file.
    pub from: usize,
    /// The index of the imported file.
    pub to: usize,
    /// The names that the importing file uses.
    pub uses: Vec<UsedName>,
    /// The names that it re-exports with `pub use`.
    pub reexports: Vec<UsedName>,
}

impl Edge {
    /// Returns whether the file only re-exports.
    pub fn is_reexport(&self) -> bool {
        self.uses.is_empty()
    }
}

/// A use of another package in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageUse {
    /// The index of the file.
    pub file: usize,
    /// The index of the other package.
    pub package: usize,
    /// The line of the first use, from 1.
    pub line: usize,
}

/// Collects all edges between files, and the first use of each other package in each file.
pub fn edges(resolver: &Resolver, tree: &Tree) -> (Vec<Edge>, Vec<PackageUse>) {
    let mut edges: BTreeMap<(usize, usize), Edge> = BTreeMap::new();
    let mut packages: BTreeSet<PackageUse> = BTreeSet::new();
    for (from, file) in tree.files.iter().enumerate() {
        for reference in file.modules.iter().flat_map(|&module| references::references(resolver, module)) {
            let (to, name, line) = (reference.file, reference.name, reference.line);
            let package = tree.files[to].package;
            if package != file.package {
                packages.insert(PackageUse { file: from, package, line });
            }
            if reference.kind == Kind::Module {
                continue;
            }
            let edge =
                edges.entry((from, to)).or_insert_with(|| Edge { from, to, uses: Vec::new(), reexports: Vec::new() });
            let names = if reference.kind == Kind::Use { &mut edge.uses } else { &mut edge.reexports };
            match names.iter_mut().find(|found| found.name == name) {
                Some(found) => found.line = found.line.min(line),
                None => names.push(UsedName { name, line }),
            }
        }
    }
    let mut packages: Vec<PackageUse> = packages.into_iter().collect();
    packages.dedup_by_key(|found| (found.file, found.package));
    (edges.into_values().collect(), packages)
}
