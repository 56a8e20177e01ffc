//! Measures all packages of a workspace.

use crate::edges::{self, Edge, PackageUse};
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::manifest::{self, Package};
use crate::resolve::Resolver;
use crate::sizes::{self, Function};
use crate::tree::Tree;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// The number of names that are shown for an edge.
const NAMES_SHOWN: usize = 6;

/// The measurements of a workspace.
#[derive(Debug)]
pub struct Structure {
    /// The packages.
    pub packages: Vec<Package>,
    /// The files of all packages.
    pub files: Vec<File>,
    /// The import edges between files, including those between packages.
    pub edges: Vec<Edge>,
    /// The uses of other packages, file by file.
    pub package_uses: Vec<PackageUse>,
    /// The measurements of each package, in the order of `packages`.
    pub crates: Vec<Crate>,
    /// The import graph of the top-level modules of all packages.
    pub top_modules: TopModules,
}

/// A file.
#[derive(Debug)]
pub struct File {
    /// Relative to the workspace.
    pub path: PathBuf,
    /// The index of its package.
    pub package: usize,
    /// The number of lines.
    pub lines: usize,
    /// Its level inside its package, from 1; none for a file of tests, benchmarks or examples.
    pub level: Option<usize>,
    /// Its functions.
    pub functions: Vec<Function>,
}

/// The measurements of one package.
#[derive(Debug)]
pub struct Crate {
    /// The number of levels.
    pub levels: usize,
    /// The number of edges between its files, without those that only re-export.
    pub edges: usize,
    /// The cycles, each as indices of files.
    pub cycles: Vec<Vec<usize>>,
    /// The re-exports from a file that the re-exported file imports, as indices of [`Structure::edges`].
    pub upward: Vec<usize>,
}

/// The top-level modules of all packages. A top-level module is a file directly in `src`, or a directory there with
/// everything below it.
#[derive(Debug)]
pub struct TopModules {
    /// For each module, the index of its package and its name.
    pub names: Vec<(usize, String)>,
    /// The module of each file that belongs to a library or a binary.
    pub of_file: HashMap<usize, usize>,
    /// The edges between modules, without re-exports.
    pub graph: Graph,
    /// The number of levels over all packages.
    pub levels: usize,
    /// The cycles, each as indices of modules.
    pub cycles: Vec<Vec<usize>>,
}

impl Structure {
    /// Shows an edge with the names that cause it: `a.rs -> b.rs: Name (line 3)`.
    pub fn show(&self, edge: &Edge) -> String {
        let used = if edge.is_reexport() { &edge.reexports } else { &edge.uses };
        let mut names: Vec<String> =
            used.iter().take(NAMES_SHOWN).map(|name| format!("{} (line {})", name.name, name.line)).collect();
        if used.len() > NAMES_SHOWN {
            names.push(format!("{} more", used.len() - NAMES_SHOWN));
        }
        let kind = if edge.is_reexport() { "re-exports " } else { "" };
        let (from, to) = (self.files[edge.from].path.display(), self.files[edge.to].path.display());
        format!("{from} -> {to}: {kind}{}", names.join(", "))
    }
}

/// Measures the workspace in this directory.
pub fn measure(workspace: &Path) -> Result<Structure, Error> {
    let packages = manifest::packages(workspace)?;
    let mut tree = Tree::default();
    let mut roots = Vec::new();
    for (number, package) in packages.iter().enumerate() {
        let mut read = |root: &PathBuf| tree.read_crate(workspace, &package.directory.join(root), number);
        roots.push(package.library_root.as_ref().map(&mut read).transpose()?);
        for root in &package.binary_roots {
            read(root)?;
        }
        for path in sources(workspace, &package.directory)? {
            tree.read(workspace, &path, number)?;
        }
    }
    let resolver = Resolver::new(&tree, libraries(&packages, &roots));
    let (edges, package_uses) = edges::edges(&resolver, &tree);
    let crates_and_levels = (0..packages.len()).map(|number| measure_crate(&tree, &edges, number));
    let (crates, levels): (Vec<_>, Vec<_>) = crates_and_levels.unzip();
    let top_modules = top_modules(&packages, &tree, &edges);
    let files = tree.files.iter().enumerate().map(|(number, file)| File {
        path: file.path.clone(),
        package: file.package,
        lines: file.lines,
        level: (!file.modules.is_empty()).then(|| levels[file.package][number]),
        functions: sizes::functions(&file.syntax),
    });
    Ok(Structure { files: files.collect(), packages, edges, package_uses, crates, top_modules })
}

/// Returns the root modules of the libraries that each package can name: all libraries of the workspace under their own
/// names, and renamed dependencies under the new names too.
fn libraries(packages: &[Package], roots: &[Option<usize>]) -> Vec<HashMap<String, usize>> {
    let root_of = |name: &str| packages.iter().position(|package| package.name == name).and_then(|found| roots[found]);
    let own = |package: &Package| root_of(&package.name).map(|root| (package.library.clone(), root));
    packages
        .iter()
        .map(|package| {
            let renamed = package.dependencies.iter().filter_map(|dependency| {
                let name = packages.iter().find(|found| found.name == dependency.package)?;
                let plain = dependency.alias == dependency.package.replace('-', "_");
                let alias = if plain { name.library.clone() } else { dependency.alias.clone() };
                Some((alias, root_of(&dependency.package)?))
            });
            packages.iter().filter_map(own).chain(renamed).collect()
        })
        .collect()
}

/// Lists the Rust files of a package: its source, tests, benchmarks and examples.
fn sources(workspace: &Path, package: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for directory in ["src", "tests", "benches", "examples"] {
        walk(workspace, &package.join(directory), &mut found)?;
    }
    let build = package.join("build.rs");
    if workspace.join(&build).is_file() {
        found.push(build);
    }
    found.sort();
    Ok(found)
}

fn walk(workspace: &Path, directory: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let path = workspace.join(directory);
    if !path.is_dir() {
        return Ok(());
    }
    let fail = |source| Error::Read { path: path.clone(), source };
    for entry in std::fs::read_dir(&path).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let child = directory.join(entry.file_name());
        if entry.path().is_dir() {
            walk(workspace, &child, found)?;
        } else if child.extension().is_some_and(|end| end == "rs") {
            found.push(child);
        }
    }
    Ok(())
}

/// Measures one package. Also returns the level of every file; files of other packages have level 1.
fn measure_crate(tree: &Tree, edges: &[Edge], package: usize) -> (Crate, Vec<usize>) {
    let inside = |file: usize| tree.files[file].package == package;
    let own: Vec<usize> = (0..edges.len()).filter(|&edge| inside(edges[edge].from) && inside(edges[edge].to)).collect();
    let (reexports, uses): (Vec<usize>, Vec<usize>) = own.iter().partition(|&&edge| edges[edge].is_reexport());
    let mut graph: Graph = vec![BTreeSet::new(); tree.files.len()];
    for &edge in &uses {
        graph[edges[edge].from].insert(edges[edge].to);
    }
    let cycles = graph::cycles(&graph);
    let ends: Vec<(usize, usize)> = reexports.iter().map(|&edge| (edges[edge].from, edges[edge].to)).collect();
    let upward = graph::add_downward(&mut graph, &ends).into_iter().map(|position| reexports[position]).collect();
    let levels = graph::levels(&graph);
    let highest = (0..levels.len()).filter(|&file| inside(file)).map(|file| levels[file]).max().unwrap_or(0);
    (Crate { levels: highest, edges: uses.len(), cycles, upward }, levels)
}

/// Returns the name of the top-level module of a file: `data` for `src/data.rs` and everything in `src/data`.
fn top_module_name(package: &Package, path: &Path) -> String {
    let path = path.strip_prefix(&package.directory).unwrap_or(path);
    let path = path.strip_prefix("src").unwrap_or(path);
    let first = path.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let first = first.unwrap_or_default();
    first.strip_suffix(".rs").unwrap_or(&first).to_owned()
}

fn top_modules(packages: &[Package], tree: &Tree, edges: &[Edge]) -> TopModules {
    let mut names: Vec<(usize, String)> = Vec::new();
    let mut of_file = HashMap::new();
    for (number, file) in tree.files.iter().enumerate().filter(|(_, file)| !file.modules.is_empty()) {
        let name = (file.package, top_module_name(&packages[file.package], &file.path));
        let module = names.iter().position(|found| *found == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        });
        of_file.insert(number, module);
    }
    let mut graph: Graph = vec![BTreeSet::new(); names.len()];
    let mut reexports = Vec::new();
    for edge in edges {
        let (Some(&from), Some(&to)) = (of_file.get(&edge.from), of_file.get(&edge.to)) else { continue };
        if from == to {
            continue;
        }
        if edge.is_reexport() {
            reexports.push((from, to));
        } else {
            graph[from].insert(to);
        }
    }
    let cycles = graph::cycles(&graph);
    let mut whole = graph.clone();
    graph::add_downward(&mut whole, &reexports);
    let levels = graph::levels(&whole).into_iter().max().unwrap_or(0);
    TopModules { names, of_file, graph, levels, cycles }
}
