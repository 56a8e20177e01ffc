//! Reads the packages of a workspace and their dependencies from the `Cargo.toml` files.

use crate::error::{Error, read};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// One package.
#[derive(Debug, Clone)]
pub struct Package {
    /// `package.name`.
    pub name: String,
    /// The name of its library in code.
    pub library: String,
    /// The directory with `Cargo.toml`, relative to the workspace.
    pub directory: PathBuf,
    /// The root file of the library, relative to `directory`.
    pub library_root: Option<PathBuf>,
    /// The root files of the binaries, relative to `directory`.
    pub binary_roots: Vec<PathBuf>,
    /// The normal and build dependencies. Tests may use any crate, so their dependencies are left out.
    pub dependencies: Vec<Dependency>,
}

/// One dependency of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The name of its library in the code of the package.
    pub alias: String,
    /// The name of the package.
    pub package: String,
}

/// Reads all packages under `workspace`: the members, and the packages that `workspace.exclude` names, which are
/// workspaces of their own in the same repository. A single package counts as a workspace with one member.
pub fn packages(workspace: &Path) -> Result<Vec<Package>, Error> {
    let root = parse(&workspace.join("Cargo.toml"))?;
    let mut found = Vec::new();
    if root.contains_key("package") {
        found.push(package(workspace, Path::new(""))?);
    }
    if let Some(table) = root.get("workspace").and_then(Value::as_table) {
        for pattern in strings(table.get("members")).chain(strings(table.get("exclude"))) {
            for directory in expand(workspace, pattern)? {
                if workspace.join(&directory).join("Cargo.toml").is_file() {
                    found.push(package(workspace, &directory)?);
                }
            }
        }
    }
    Ok(found)
}

fn parse(path: &Path) -> Result<Table, Error> {
    read(path)?.parse().map_err(|error: toml::de::Error| Error::Manifest {
        path: path.to_owned(),
        message: error.message().to_owned(),
    })
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// Lists the directories that match a member pattern: `crates/*` or a plain path.
fn expand(workspace: &Path, pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let Some(parent) = pattern.strip_suffix("/*") else { return Ok(vec![PathBuf::from(pattern)]) };
    let path = workspace.join(parent);
    let fail = |source| Error::Read { path: path.clone(), source };
    let mut directories = Vec::new();
    for entry in std::fs::read_dir(&path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        if entry.path().is_dir() {
            directories.push(Path::new(parent).join(entry.file_name()));
        }
    }
    directories.sort();
    Ok(directories)
}

fn package(workspace: &Path, directory: &Path) -> Result<Package, Error> {
    let path = workspace.join(directory).join("Cargo.toml");
    let manifest = parse(&path)?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .ok_or_else(|| Error::Manifest { path: path.clone(), message: "package.name is missing".to_owned() })?
        .to_owned();
    let library = manifest.get("lib").and_then(|lib| lib.get("name")).and_then(Value::as_str);
    let path = manifest.get("lib").and_then(|lib| lib.get("path")).and_then(Value::as_str).unwrap_or("src/lib.rs");
    let directory_here = workspace.join(directory);
    Ok(Package {
        library: library.map_or_else(|| name.replace('-', "_"), str::to_owned),
        library_root: Some(PathBuf::from(path)).filter(|path| directory_here.join(path).is_file()),
        binary_roots: binaries(&directory_here, &manifest),
        dependencies: dependencies(&manifest),
        directory: directory.to_owned(),
        name,
    })
}

/// Lists the root files of binaries: those that the manifest names, and those that Cargo discovers.
fn binaries(directory: &Path, manifest: &Table) -> Vec<PathBuf> {
    let mut roots = vec![PathBuf::from("src/main.rs")];
    for binary in manifest.get("bin").and_then(Value::as_array).into_iter().flatten() {
        roots.extend(binary.get("path").and_then(Value::as_str).map(PathBuf::from));
    }
    if let Ok(entries) = std::fs::read_dir(directory.join("src/bin")) {
        for entry in entries.flatten() {
            let path = Path::new("src/bin").join(entry.file_name());
            roots.push(if entry.path().is_dir() { path.join("main.rs") } else { path });
        }
    }
    roots.retain(|root| root.extension().is_some_and(|end| end == "rs") && directory.join(root).is_file());
    roots.sort();
    roots.dedup();
    roots
}

fn dependencies(manifest: &Table) -> Vec<Dependency> {
    let mut found = Vec::new();
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(|targets| targets.values());
    for section in targets.filter_map(Value::as_table).chain([manifest]) {
        for kind in ["dependencies", "build-dependencies"] {
            for (alias, value) in section.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let package = value.get("package").and_then(Value::as_str).unwrap_or(alias);
                found.push(Dependency { alias: alias.replace('-', "_"), package: package.to_owned() });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_kind_but_those_for_tests() {
        let manifest = r#"
            [dependencies]
            a-b.workspace = true
            renamed = { package = "c", version = "1" }
            [target.'cfg(unix)'.dependencies]
            d = "1"
            [build-dependencies]
            e = "1"
            [dev-dependencies]
            f = "1"
        "#;
        let mut found: Vec<_> =
            dependencies(&manifest.parse().unwrap()).into_iter().map(|found| (found.alias, found.package)).collect();
        found.sort();
        let expected = [("a_b", "a-b"), ("d", "d"), ("e", "e"), ("renamed", "c")];
        assert_eq!(found, expected.map(|(alias, package)| (alias.to_owned(), package.to_owned())));
    }
}
