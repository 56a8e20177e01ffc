//! The layers of this workspace, and the check that a crate uses only crates below it.

use crate::structure::Structure;
use std::collections::BTreeSet;

/// The layers from the bottom up. Crates of the same layer do not use each other. A new crate needs a layer here.
pub const LAYERS: [&[&str]; 11] = [
    &["aggconv", "dashnas-testing"],
    &["dashnas-core"],
    &["dashnas-formats", "dashnas-rocket"],
    &["dashnas-data"],
    &["dashnas-tasks"],
    &["dashnas-nn"],
    &["dashnas"],
    &["dashnas-methods"],
    &["dashnas-report"],
    &["dashnas-cli", "dashnas-fuzz"],
    &["dashnas-python"],
];

/// Crates for development only: they use no crate of the layers, and no crate uses them.
pub const TOOLS: [&str; 1] = ["dashnas-structure"];

/// Finds every use of a crate that is not below the user, every crate without a layer, and every crate of the lists
/// that does not exist.
pub fn violations(structure: &Structure, layers: &[&[&str]], tools: &[&str]) -> Vec<String> {
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let mut found = Vec::new();
    for package in &structure.packages {
        if layer(&package.name).is_none() && !tools.contains(&package.name.as_str()) {
            found.push(format!(
                "the crate {} has no layer: add it to crates/structure/src/layers.rs, above every crate that it uses",
                package.name
            ));
        }
    }
    for name in layers.iter().copied().flatten().chain(tools) {
        if !structure.packages.iter().any(|package| package.name == *name) {
            found.push(format!("the crate {name} has a layer but does not exist"));
        }
    }
    let allowed = |from: &str, to: &str| match (layer(from), layer(to)) {
        (Some(from), Some(to)) => to < from,
        // A crate without a layer has been reported already.
        _ => !tools.contains(&from) && !tools.contains(&to),
    };
    let mut wrong = BTreeSet::new();
    for package in &structure.packages {
        let manifest = package.directory.join("Cargo.toml");
        for dependency in &package.dependencies {
            let known = structure.packages.iter().any(|found| found.name == dependency.package);
            if known && !allowed(&package.name, &dependency.package) {
                wrong.insert((package.name.clone(), dependency.package.clone(), manifest.display().to_string()));
            }
        }
    }
    for used in &structure.package_uses {
        let file = &structure.files[used.file];
        let (from, to) = (&structure.packages[file.package].name, &structure.packages[used.package].name);
        if !allowed(from, to) {
            wrong.insert((from.clone(), to.clone(), format!("{}:{}", file.path.display(), used.line)));
        }
    }
    found.extend(
        wrong.into_iter().map(|(from, to, place)| format!("{from} uses {to}, which is not below it ({place})")),
    );
    found
}
