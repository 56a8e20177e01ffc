//! Resolves a path to the file that defines the item, through imports, re-exports and globs, and across crates.

use crate::names::{Binding, Names, Namespace};
use crate::tree::Tree;
use crate::uses::Path;
use std::collections::HashMap;

/// The meaning of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A module: its index.
    Module(usize),
    /// An item.
    Item {
        /// The index of the file that defines it.
        file: usize,
        /// Its name in that file.
        name: String,
    },
    /// An item of a crate outside the workspace.
    External,
}

/// The place where a path is written.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'s> {
    /// The index of the module.
    pub module: usize,
    /// The names that the enclosing blocks define, outermost block first.
    pub blocks: &'s [Names],
}

/// Resolves the paths of all crates of a tree.
pub struct Resolver<'t> {
    tree: &'t Tree,
    /// For each package, the root modules of the libraries that it can name.
    libraries: Vec<HashMap<String, usize>>,
}

/// The look-ups in progress. A look-up that depends on itself finds nothing, so cyclic imports end.
type Pending = Vec<(usize, String, Option<Namespace>)>;

impl<'t> Resolver<'t> {
    /// `libraries` holds, for each package, the root modules of the libraries that it can name, keyed by name.
    pub fn new(tree: &'t Tree, libraries: Vec<HashMap<String, usize>>) -> Resolver<'t> {
        Resolver { tree, libraries }
    }

    /// The tree whose paths are resolved.
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    /// Returns all possible meanings of `path`; none if it is a single unknown name. Without a namespace, the last name
    /// is looked up in all namespaces.
    pub fn resolve(&self, scope: Scope, path: &Path, namespace: Option<Namespace>) -> Vec<Target> {
        self.path(scope, path, namespace, &mut Pending::new())
    }

    /// Resolves the call `name!`: to a macro of the module, or else of the nearest enclosing module that has one.
    pub fn resolve_macro(&self, scope: Scope, name: &str) -> Vec<Target> {
        let path = Path { absolute: false, segments: vec![name.to_owned()], line: 0 };
        let mut module = Some(scope.module);
        let mut blocks = scope.blocks;
        while let Some(number) = module {
            let found = self.resolve(Scope { module: number, blocks }, &path, Some(Namespace::Macro));
            if !found.is_empty() {
                return found;
            }
            module = self.tree.modules[number].parent;
            blocks = &[];
        }
        Vec::new()
    }

    fn path(&self, scope: Scope, path: &Path, namespace: Option<Namespace>, pending: &mut Pending) -> Vec<Target> {
        let here = &self.tree.modules[scope.module];
        let Some(first) = path.segments.first() else { return vec![Target::Module(here.root)] };
        let mut rest = &path.segments[1..];
        let mut targets = if path.absolute {
            self.library(here.package, first)
        } else {
            match first.as_str() {
                "crate" => vec![Target::Module(here.root)],
                "self" | "super" => {
                    let mut module = scope.module;
                    let mut up = first == "super";
                    loop {
                        if up {
                            module = self.tree.modules[module].parent.unwrap_or(module);
                        }
                        match rest.first() {
                            Some(name) if name == "super" => (rest, up) = (&rest[1..], true),
                            _ => break vec![Target::Module(module)],
                        }
                    }
                }
                name => {
                    let wanted = if rest.is_empty() { namespace } else { Some(Namespace::Type) };
                    let found = self.in_scope(scope, name, wanted, pending);
                    match wanted {
                        None | Some(Namespace::Type) if found.is_empty() => self.library(here.package, name),
                        _ => found,
                    }
                }
            }
        };
        if targets.is_empty() && !rest.is_empty() {
            return vec![Target::External];
        }
        for (position, name) in rest.iter().enumerate() {
            let wanted = if position + 1 == rest.len() { namespace } else { Some(Namespace::Type) };
            targets = targets.into_iter().flat_map(|target| self.member(target, name, wanted, pending)).collect();
        }
        targets
    }

    /// Returns the root module of the library that has this name in the package.
    fn library(&self, package: usize, name: &str) -> Vec<Target> {
        self.libraries[package].get(name).map(|&root| Target::Module(root)).into_iter().collect()
    }

    /// Resolves `target::name`. Variants and associated items count as their type or trait.
    fn member(&self, target: Target, name: &str, wanted: Option<Namespace>, pending: &mut Pending) -> Vec<Target> {
        let Target::Module(module) = target else { return vec![target] };
        let mut found = self.in_module(module, name, wanted, pending);
        if found.is_empty() && wanted.is_some() {
            found = self.in_module(module, name, None, pending);
        }
        if found.is_empty() {
            // A macro in the module defines the name, or a glob imports it from a crate outside the workspace.
            let scope = Scope { module, blocks: &[] };
            let names = &self.tree.modules[module].names;
            let external = names.globs().iter().any(|glob| {
                let targets = self.path(scope, glob, Some(Namespace::Type), pending);
                targets.is_empty() || targets.contains(&Target::External)
            });
            let file = self.tree.modules[module].file;
            found.push(if external { Target::External } else { Target::Item { file, name: name.to_owned() } });
        }
        found
    }

    /// Resolves the first name of a path: in the innermost block that has it, or else in the module.
    fn in_scope(&self, scope: Scope, name: &str, wanted: Option<Namespace>, pending: &mut Pending) -> Vec<Target> {
        for (depth, names) in scope.blocks.iter().enumerate().rev() {
            let inside = Scope { module: scope.module, blocks: &scope.blocks[..=depth] };
            // Blocks take the highest indices in `pending`, so they cannot be confused with modules. They are those of
            // one scope throughout a look-up, because a look-up that has reached a module never returns to a block.
            let found = self.guarded(usize::MAX - depth, names, inside, name, wanted, pending);
            if !found.is_empty() {
                return found;
            }
        }
        self.in_module(scope.module, name, wanted, pending)
    }

    fn in_module(&self, module: usize, name: &str, wanted: Option<Namespace>, pending: &mut Pending) -> Vec<Target> {
        let scope = Scope { module, blocks: &[] };
        self.guarded(module, &self.tree.modules[module].names, scope, name, wanted, pending)
    }

    /// Looks up `name`, unless the same look-up is in progress. `place` identifies `names` among the look-ups.
    fn guarded(
        &self,
        place: usize,
        names: &Names,
        scope: Scope,
        name: &str,
        wanted: Option<Namespace>,
        pending: &mut Pending,
    ) -> Vec<Target> {
        let key = (place, name.to_owned(), wanted);
        if pending.contains(&key) {
            return Vec::new();
        }
        pending.push(key);
        let mut found = self.among(names, scope, name, wanted, pending);
        if found.is_empty() {
            found = self.among_globs(names, scope, name, wanted, pending);
        }
        pending.pop();
        found
    }

    /// Looks up `name` among definitions and single imports.
    fn among(
        &self,
        names: &Names,
        scope: Scope,
        name: &str,
        wanted: Option<Namespace>,
        pending: &mut Pending,
    ) -> Vec<Target> {
        let mut found = Vec::new();
        let item = |module: usize| Target::Item { file: self.tree.modules[module].file, name: name.to_owned() };
        for binding in names.get(name) {
            match binding {
                Binding::Item(spaces) if wanted.is_none_or(|wanted| spaces.contains(&wanted)) => {
                    found.push(item(scope.module));
                }
                Binding::ExportedMacro(module) if wanted.is_none_or(|wanted| wanted == Namespace::Macro) => {
                    found.push(item(*module));
                }
                Binding::Module(module) if wanted.is_none_or(|wanted| wanted == Namespace::Type) => {
                    found.push(Target::Module(*module));
                }
                Binding::Import(path) => {
                    let targets = self.path(scope, path, wanted, pending);
                    if targets.is_empty() {
                        found.push(Target::External);
                    }
                    found.extend(targets);
                }
                _ => {}
            }
        }
        found
    }

    /// Looks up `name` among glob imports.
    fn among_globs(
        &self,
        names: &Names,
        scope: Scope,
        name: &str,
        wanted: Option<Namespace>,
        pending: &mut Pending,
    ) -> Vec<Target> {
        let mut found = Vec::new();
        for glob in names.globs() {
            for target in self.path(scope, glob, Some(Namespace::Type), pending) {
                if let Target::Module(module) = target {
                    found.extend(self.in_module(module, name, wanted, pending));
                }
            }
        }
        found
    }
}
