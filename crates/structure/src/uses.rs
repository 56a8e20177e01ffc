//! Paths without their syntax, and the split of a `use` declaration into one path for each imported name.

use syn::UseTree;

/// A path without generic arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Whether it starts with `::`, and so with the name of a crate.
    pub absolute: bool,
    /// Its names, including `crate`, `self` and `super`.
    pub segments: Vec<String>,
    /// The line of its last name, from 1.
    pub line: usize,
}

impl Path {
    /// Converts a path of the syntax tree.
    pub fn new(path: &syn::Path) -> Path {
        Path {
            absolute: path.leading_colon.is_some(),
            segments: path.segments.iter().map(|segment| segment.ident.to_string()).collect(),
            line: path.segments.last().map_or(0, |segment| segment.ident.span().start().line),
        }
    }
}

/// One import of a `use` declaration: a single name, or all names of a module (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The imported item; for `*` the module.
    pub path: Path,
    /// The name under which it is imported; none for `*` and for `as _`.
    pub name: Option<String>,
    /// Whether it is a glob import (`*`).
    pub glob: bool,
}

/// Splits a `use` tree into its imports.
pub fn imports(absolute: bool, tree: &UseTree) -> Vec<Import> {
    let mut found = Vec::new();
    collect(absolute, &mut Vec::new(), tree, &mut found);
    found
}

fn collect(absolute: bool, prefix: &mut Vec<String>, tree: &UseTree, found: &mut Vec<Import>) {
    let mut add = |last: Option<&proc_macro2::Ident>, name: Option<String>, line: usize| {
        let mut segments = prefix.clone();
        // `use a::{self}` imports `a`, but `use self::b` begins with the module itself.
        segments.extend(last.map(ToString::to_string).filter(|last| last != "self" || prefix.is_empty()));
        let name = name.or_else(|| segments.last().cloned()).filter(|name| name != "_");
        found.push(Import { path: Path { absolute, segments, line }, name, glob: false });
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            collect(absolute, prefix, &path.tree, found);
            prefix.pop();
        }
        UseTree::Name(name) => add(Some(&name.ident), None, name.ident.span().start().line),
        UseTree::Rename(rename) => {
            add(Some(&rename.ident), Some(rename.rename.to_string()), rename.ident.span().start().line);
        }
        UseTree::Glob(glob) => {
            let line = glob.star_token.spans[0].start().line;
            let path = Path { absolute, segments: prefix.clone(), line };
            found.push(Import { path, name: None, glob: true });
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(absolute, prefix, tree, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_renames_and_globs() {
        let item: syn::ItemUse = syn::parse_str("use crate::{a::{self, B as C},\n super::d::*, e::F as _};").unwrap();
        let found: Vec<_> = imports(false, &item.tree)
            .into_iter()
            .map(|found| (found.path.segments.join("::"), found.name, found.glob, found.path.line))
            .collect();
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            found,
            [
                ("crate::a".to_owned(), name("a"), false, 1),
                ("crate::a::B".to_owned(), name("C"), false, 1),
                ("crate::super::d".to_owned(), None, true, 2),
                ("crate::e::F".to_owned(), None, false, 2),
            ]
        );
    }
}
