//! Measures the lengths of functions.

use crate::tokens;
use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Block, Signature};

pub use crate::tokens::Function;

/// Measures all functions with a body in a file, including those of tests, of traits and in the tokens of macros.
pub fn functions(file: &syn::File) -> Vec<Function> {
    let mut visitor = Visitor { found: Vec::new() };
    visitor.visit_file(file);
    visitor.found.sort_by_key(|function| function.line);
    visitor.found
}

struct Visitor {
    found: Vec<Function>,
}

impl Visitor {
    fn add(&mut self, signature: &Signature, body: &Block) {
        let line = |span: Span| span.start().line;
        let first = line(signature.fn_token.span);
        let lines = body.brace_token.span.close().end().line + 1 - first;
        self.found.push(Function { name: signature.ident.to_string(), line: first, lines });
    }
}

impl<'ast> Visit<'ast> for Visitor {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.found.extend(tokens::functions(&call.tokens));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_fn_to_the_closing_brace() {
        let text = "/// Doc.\n#[inline]\npub fn a(\n) {\n}\nimpl X {\nfn b() {}\n}\n\
                    mod tests {\nfn c() {\nfn d() {\n}\n}\n}\nproptest! {\nfn e() {\n\n}\n}\ntrait T { fn f(); }";
        let found = functions(&syn::parse_str(text).unwrap());
        let found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.line, found.lines)).collect();
        assert_eq!(found, [("a", 3, 3), ("b", 7, 1), ("c", 10, 4), ("d", 11, 2), ("e", 16, 3)]);
    }
}
