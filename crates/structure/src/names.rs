//! Tables of the names that a module or a block defines or imports.

use crate::attributes;
use crate::uses::{self, Import, Path};
use std::collections::HashMap;
use syn::{Fields, Item, Visibility};

/// One of Rust's namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// Modules, types and traits.
    Type,
    /// Functions, constants and constructors.
    Value,
    /// Macros.
    Macro,
}

use Namespace::{Macro, Type, Value};

/// The meaning of a name.
#[derive(Debug, Clone)]
pub enum Binding {
    /// An item that is defined here, in these namespaces.
    Item(&'static [Namespace]),
    /// A child module: its index.
    Module(usize),
    /// A macro of the crate root that another module defines: the index of that module.
    ExportedMacro(usize),
    /// An import of this path.
    Import(Path),
}

/// The names of a module or a block. A name has several meanings if it is in several namespaces, or if it is defined
/// once for each platform.
#[derive(Debug, Clone, Default)]
pub struct Names {
    bindings: HashMap<String, Vec<Binding>>,
    globs: Vec<Path>,
}

impl Names {
    /// Collects the names of these items, without child modules and without items that are compiled in tests only.
    pub fn of<'i>(items: impl IntoIterator<Item = &'i Item>) -> Names {
        let mut names = Names::default();
        for item in items {
            if !attributes::test_only(attributes::of_item(item)) {
                names.add_item(item);
            }
        }
        names
    }

    /// Adds a name.
    pub fn add(&mut self, name: String, binding: Binding) {
        self.bindings.entry(name).or_default().push(binding);
    }

    /// Returns all meanings of `name`.
    pub fn get(&self, name: &str) -> &[Binding] {
        self.bindings.get(name).map_or(&[], Vec::as_slice)
    }

    /// The paths of the glob imports.
    pub fn globs(&self) -> &[Path] {
        &self.globs
    }

    /// Returns whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty() && self.globs.is_empty()
    }

    fn add_item(&mut self, item: &Item) {
        let (name, namespaces): (_, &'static [Namespace]) = match item {
            Item::Const(item) => (&item.ident, &[Value]),
            Item::Static(item) => (&item.ident, &[Value]),
            Item::Fn(item) => (&item.sig.ident, &[Value]),
            Item::Enum(item) => (&item.ident, &[Type]),
            Item::Trait(item) => (&item.ident, &[Type]),
            Item::TraitAlias(item) => (&item.ident, &[Type]),
            Item::Type(item) => (&item.ident, &[Type]),
            Item::Union(item) => (&item.ident, &[Type]),
            Item::Struct(item) if matches!(item.fields, Fields::Named(_)) => (&item.ident, &[Type]),
            Item::Struct(item) => (&item.ident, &[Type, Value]),
            Item::Macro(item) => match &item.ident {
                Some(name) => (name, &[Macro]),
                None => return,
            },
            Item::Use(item) => return self.add_imports(uses::imports(item.leading_colon.is_some(), &item.tree)),
            _ => return,
        };
        self.add(name.to_string(), Binding::Item(namespaces));
    }

    fn add_imports(&mut self, imports: Vec<Import>) {
        for import in imports {
            match import.name {
                _ if import.glob => self.globs.push(import.path),
                Some(name) => self.add(name, Binding::Import(import.path)),
                None => {}
            }
        }
    }
}

/// Returns whether a `use` with this visibility is a re-export.
pub fn reexports(visibility: &Visibility) -> bool {
    match visibility {
        Visibility::Inherited => false,
        Visibility::Restricted(restricted) => !restricted.path.is_ident("self"),
        Visibility::Public(_) => true,
    }
}
