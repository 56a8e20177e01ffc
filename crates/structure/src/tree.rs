//! Reads the modules of a crate and their files.

use crate::attributes;
use crate::error::{Error, read};
use crate::names::{Binding, Names};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use syn::{Item, ItemMod};

/// A module: a file, or an inline `mod name { … }`.
#[derive(Debug)]
pub struct Module {
    /// The index of the package.
    pub package: usize,
    /// The index of its file.
    pub file: usize,
    /// The index of the root module of its crate.
    pub root: usize,
    /// The index of the parent module; none for a root.
    pub parent: Option<usize>,
    /// The names that it defines or imports.
    pub names: Names,
    /// The inline modules, by line and column of their `mod`.
    pub inline: HashMap<(usize, usize), usize>,
}

/// A source file.
pub struct SourceFile {
    /// The path relative to the workspace.
    pub path: PathBuf,
    /// The index of the package.
    pub package: usize,
    /// The number of lines.
    pub lines: usize,
    /// The syntax tree.
    pub syntax: Rc<syn::File>,
    /// The indices of the modules that this file is. There are several if two crate roots share the file, and there is
    /// none for a file of tests, benchmarks or examples.
    pub modules: Vec<usize>,
}

/// All modules and files that have been read.
#[derive(Default)]
pub struct Tree {
    /// The modules, by index.
    pub modules: Vec<Module>,
    /// The files, by index.
    pub files: Vec<SourceFile>,
    by_path: HashMap<PathBuf, usize>,
}

/// The directories in which the files of child modules are looked for.
struct Children {
    /// The directory for `mod name;`.
    directory: PathBuf,
    /// The directory that `#[path]` is relative to.
    path_base: PathBuf,
}

/// The place of a module that is being read.
#[derive(Clone, Copy)]
struct Place {
    package: usize,
    file: usize,
    root: Option<usize>,
    parent: Option<usize>,
}

impl Tree {
    /// Reads a file, unless it has been read before, and returns its index. `path` is relative to `workspace`.
    pub fn read(&mut self, workspace: &Path, path: &Path, package: usize) -> Result<usize, Error> {
        if let Some(&file) = self.by_path.get(path) {
            return Ok(file);
        }
        let text = read(&workspace.join(path))?;
        let syntax = syn::parse_file(&text).map_err(|error| Error::Syntax {
            path: path.to_owned(),
            line: error.span().start().line,
            message: error.to_string(),
        })?;
        let (lines, modules) = (text.lines().count(), Vec::new());
        self.files.push(SourceFile { path: path.to_owned(), package, lines, syntax: Rc::new(syntax), modules });
        self.by_path.insert(path.to_owned(), self.files.len() - 1);
        Ok(self.files.len() - 1)
    }

    /// Reads a crate from its root file on and returns the index of the root module.
    pub fn read_crate(&mut self, workspace: &Path, path: &Path, package: usize) -> Result<usize, Error> {
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        let file = self.read(workspace, path, package)?;
        let children = Children { path_base: directory.clone(), directory };
        self.file_module(workspace, Place { package, file, root: None, parent: None }, &children)
    }

    fn file_module(&mut self, workspace: &Path, place: Place, children: &Children) -> Result<usize, Error> {
        let syntax = self.files[place.file].syntax.clone();
        let module = self.module(workspace, place, &syntax.items, children)?;
        self.files[place.file].modules.push(module);
        Ok(module)
    }

    fn module(&mut self, workspace: &Path, place: Place, items: &[Item], children: &Children) -> Result<usize, Error> {
        let number = self.modules.len();
        let root = place.root.unwrap_or(number);
        self.modules.push(Module {
            package: place.package,
            file: place.file,
            root,
            parent: place.parent,
            names: Names::of(items),
            inline: HashMap::new(),
        });
        let inside = Place { root: Some(root), parent: Some(number), ..place };
        for item in items {
            match item {
                Item::Mod(item) if !attributes::test_only(&item.attrs) => {
                    if let Some(child) = self.child(workspace, inside, item, children)? {
                        self.modules[number].names.add(item.ident.to_string(), Binding::Module(child));
                    }
                }
                // `#[macro_export]` defines a macro at the crate root, whatever module contains it.
                Item::Macro(item) if item.attrs.iter().any(|found| found.path().is_ident("macro_export")) => {
                    if let Some(name) = item.ident.as_ref().filter(|_| number != root) {
                        self.modules[root].names.add(name.to_string(), Binding::ExportedMacro(number));
                    }
                }
                _ => {}
            }
        }
        Ok(number)
    }

    /// Reads the module that `mod name { … }` or `mod name;` declares. There is none if the declaration has a `cfg` and
    /// its file does not exist.
    fn child(
        &mut self,
        workspace: &Path,
        place: Place,
        item: &ItemMod,
        children: &Children,
    ) -> Result<Option<usize>, Error> {
        let name = item.ident.to_string();
        let name = name.trim_start_matches("r#");
        let path = attributes::path(&item.attrs);
        if let Some((_, items)) = &item.content {
            let directory = children.directory.join(path.as_deref().unwrap_or(name));
            let inside = Children { path_base: directory.clone(), directory };
            let module = self.module(workspace, place, items, &inside)?;
            let start = item.mod_token.span.start();
            if let Some(parent) = place.parent {
                self.modules[parent].inline.insert((start.line, start.column), module);
            }
            return Ok(Some(module));
        }
        let (file, directory) = match &path {
            Some(path) => {
                let file = normal(&children.path_base.join(path));
                let directory = file.parent().unwrap_or(Path::new("")).to_owned();
                (file, directory)
            }
            None => {
                let flat = children.directory.join(format!("{name}.rs"));
                let deep = children.directory.join(name).join("mod.rs");
                (if workspace.join(&flat).is_file() { flat } else { deep }, children.directory.join(name))
            }
        };
        if !workspace.join(&file).is_file() {
            if item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg")) {
                return Ok(None);
            }
            return Err(Error::MissingModule { path: self.files[place.file].path.clone(), name: name.to_owned() });
        }
        let path_base = file.parent().unwrap_or(Path::new("")).to_owned();
        let number = self.read(workspace, &file, place.package)?;
        self.file_module(workspace, Place { file: number, ..place }, &Children { directory, path_base }).map(Some)
    }
}

/// Resolves `.` and `..` in a path.
fn normal(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                parts.pop();
            }
            std::path::Component::CurDir => {}
            part => parts.push(part),
        }
    }
    parts
}
