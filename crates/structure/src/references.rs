//! Collects the paths of a file and resolves them to the files that define the items.

use crate::attributes;
use crate::names::{Names, Namespace, reexports};
use crate::resolve::{Resolver, Scope, Target};
use crate::tokens::{self, Mention, Shape};
use crate::tree::Module;
use crate::uses::{self, Path};
use std::collections::HashSet;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Expr, Ident, Item, Meta, Stmt};

/// A use of an item of another file, or of a module of another package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The index of the file that defines the item.
    pub file: usize,
    /// The name of the item in that file.
    pub name: String,
    /// The line of the use, from 1.
    pub line: usize,
    /// The kind of use.
    pub kind: Kind,
}

/// The kind of use of another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The item is imported or named.
    Use,
    /// The item is re-exported: `pub use`.
    ReExport,
    /// A module is named. Its items that are used have references of their own, so this counts for packages only.
    Module,
}

/// Attributes of the language, whose arguments contain no paths.
const BUILT_IN: [&str; 16] = [
    "allow",
    "cfg",
    "cfg_attr",
    "cold",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "forbid",
    "inline",
    "macro_export",
    "must_use",
    "path",
    "repr",
    "target_feature",
    "warn",
];

/// Collects the references of a module that is a file to other files.
pub fn references(resolver: &Resolver, module: usize) -> Vec<Reference> {
    let file = resolver.tree().modules[module].file;
    let mut visitor = Visitor { resolver, file, module, blocks: Vec::new(), locals: HashSet::new(), found: Vec::new() };
    visitor.visit_file(&resolver.tree().files[file].syntax.clone());
    visitor.found
}

struct Visitor<'r> {
    resolver: &'r Resolver<'r>,
    file: usize,
    module: usize,
    /// The names that the enclosing blocks define, outermost block first.
    blocks: Vec<Names>,
    /// The local variables of the enclosing function.
    locals: HashSet<String>,
    found: Vec<Reference>,
}

impl Visitor<'_> {
    /// Resolves a path. The package at its beginning counts as used even if it only re-exports the item.
    fn resolve(&mut self, path: &Path, namespace: Option<Namespace>) -> Vec<Target> {
        let scope = Scope { module: self.module, blocks: &self.blocks };
        let first = Path { segments: path.segments[..1].to_vec(), ..*path };
        let own = self.resolver.tree().files[self.file].package;
        for target in self.resolver.resolve(scope, &first, Some(Namespace::Type)) {
            if let Target::Module(module) = target {
                let Module { file, package, .. } = self.resolver.tree().modules[module];
                if package != own {
                    self.found.push(Reference { file, name: "*".to_owned(), line: path.line, kind: Kind::Module });
                }
            }
        }
        self.resolver.resolve(scope, path, namespace)
    }

    fn add(&mut self, targets: Vec<Target>, line: usize, kind: Kind) {
        for target in targets {
            let (file, name, kind) = match target {
                Target::Item { file, name } => (file, name, kind),
                Target::Module(module) => (self.resolver.tree().modules[module].file, "*".to_owned(), Kind::Module),
                Target::External => continue,
            };
            if file != self.file {
                self.found.push(Reference { file, name, line, kind });
            }
        }
    }

    fn named(&mut self, path: &Path, namespace: Option<Namespace>) {
        let targets = self.resolve(path, namespace);
        self.add(targets, path.line, Kind::Use);
    }

    /// Adds a path in the place of a value, unless it is a local variable.
    fn value(&mut self, path: &Path) {
        let variable = path.segments.len() == 1 && self.locals.contains(&path.segments[0]);
        if !variable {
            self.named(path, Some(Namespace::Value));
        }
    }

    fn mention(&mut self, mention: &Mention) {
        let Mention { path, shape } = mention;
        let single = path.segments.len() == 1;
        let lower = path.segments[0].starts_with(|first: char| first.is_lowercase() || first == '_');
        match shape {
            Shape::Macro if single => self.macro_name(path),
            Shape::Macro => self.named(path, Some(Namespace::Macro)),
            Shape::Call if single => self.named(path, Some(Namespace::Value)),
            Shape::Plain if single && lower => {}
            Shape::Call | Shape::Plain => self.named(path, None),
            Shape::Text => {
                for target in self.resolve(path, None) {
                    // The generated code calls functions of the module.
                    let target = match target {
                        Target::Module(module) => Target::Item {
                            file: self.resolver.tree().modules[module].file,
                            name: path.segments.last().cloned().unwrap_or_default(),
                        },
                        target => target,
                    };
                    self.add(vec![target], path.line, Kind::Use);
                }
            }
        }
    }

    fn macro_name(&mut self, path: &Path) {
        let scope = Scope { module: self.module, blocks: &self.blocks };
        let targets = self.resolver.resolve_macro(scope, &path.segments[0]);
        self.add(targets, path.line, Kind::Use);
    }

    /// Visits a function with its own set of local variables.
    fn function(&mut self, block: Option<&Block>, visit: impl FnOnce(&mut Self)) {
        let mut variables = Variables::default();
        if let Some(block) = block {
            variables.visit_block(block);
        }
        let outside = std::mem::replace(&mut self.locals, variables.found);
        visit(self);
        self.locals = outside;
    }
}

/// Returns whether an item with these attributes is compiled outside of tests.
fn counts(attributes: &[Attribute]) -> bool {
    !attributes::test_only(attributes)
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if counts(attributes::of_item(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast syn::ImplItem) {
        if counts(attributes::of_impl_item(item)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_trait_item(&mut self, item: &'ast syn::TraitItem) {
        if counts(attributes::of_trait_item(item)) {
            visit::visit_trait_item(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if counts(attributes::of_statement(statement)) {
            visit::visit_stmt(self, statement);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if counts(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        if counts(&variant.attrs) {
            visit::visit_variant(self, variant);
        }
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        if counts(&arm.attrs) {
            visit::visit_arm(self, arm);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if counts(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let start = item.mod_token.span.start();
        let inline = self.resolver.tree().modules[self.module].inline.get(&(start.line, start.column)).copied();
        if let Some(inline) = inline {
            let module = std::mem::replace(&mut self.module, inline);
            let blocks = std::mem::take(&mut self.blocks);
            visit::visit_item_mod(self, item);
            (self.module, self.blocks) = (module, blocks);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(Some(&item.block), |visitor| visit::visit_item_fn(visitor, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(Some(&item.block), |visitor| visit::visit_impl_item_fn(visitor, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(item.default.as_ref(), |visitor| visit::visit_trait_item_fn(visitor, item));
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        // The signature is visited before the body, so the parameters are known as variables in the body.
        let mut parameters = Variables::default();
        parameters.visit_signature(signature);
        self.locals.extend(parameters.found);
        visit::visit_signature(self, signature);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        let items = block.stmts.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            _ => None,
        });
        self.blocks.push(Names::of(items));
        visit::visit_block(self, block);
        self.blocks.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let kind = if reexports(&item.vis) { Kind::ReExport } else { Kind::Use };
        for import in uses::imports(item.leading_colon.is_some(), &item.tree) {
            let namespace = import.glob.then_some(Namespace::Type);
            for target in self.resolve(&import.path, namespace) {
                // The users of the re-exported names have edges of their own to the files that define the items.
                let target = match target {
                    Target::Module(module) if import.glob && kind == Kind::ReExport => {
                        Target::Item { file: self.resolver.tree().modules[module].file, name: "*".to_owned() }
                    }
                    target => target,
                };
                self.add(vec![target], import.path.line, kind);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.named(&Path::new(path), Some(Namespace::Type));
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, expression: &'ast syn::ExprPath) {
        self.value(&Path::new(&expression.path));
        if let Some(qualifier) = &expression.qself {
            self.visit_qself(qualifier);
        }
        visit::visit_path(self, &expression.path);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        // In `let plan = plan(x)` the call is to a function although `plan` is also a variable.
        if let Expr::Path(function) = &*call.func {
            self.named(&Path::new(&function.path), Some(Namespace::Value));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_pat_tuple_struct(&mut self, pattern: &'ast syn::PatTupleStruct) {
        self.named(&Path::new(&pattern.path), Some(Namespace::Value));
        visit::visit_path(self, &pattern.path);
        for element in &pattern.elems {
            self.visit_pat(element);
        }
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        // A pattern that is a constant or a unit struct has the syntax of a new variable.
        if is_constant(&pattern.ident) {
            let line = pattern.ident.span().start().line;
            let path = Path { absolute: false, segments: vec![pattern.ident.to_string()], line };
            self.named(&path, Some(Namespace::Value));
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let path = Path::new(&call.path);
        if path.segments.len() == 1 {
            self.macro_name(&path);
        } else {
            self.named(&path, Some(Namespace::Macro));
        }
        for mention in tokens::paths(&call.tokens) {
            self.mention(&mention);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if BUILT_IN.iter().any(|name| attribute.path().is_ident(name)) {
            return;
        }
        if let Meta::List(list) = &attribute.meta {
            for mention in tokens::attribute_paths(&list.tokens) {
                self.mention(&mention);
            }
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

fn is_constant(ident: &Ident) -> bool {
    ident.to_string().starts_with(char::is_uppercase)
}

/// Collects the variables that patterns introduce, including those of closures, without those of nested functions.
#[derive(Default)]
struct Variables {
    found: HashSet<String>,
}

impl<'ast> Visit<'ast> for Variables {
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        if !is_constant(&pattern.ident) {
            self.found.insert(pattern.ident.to_string());
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}
