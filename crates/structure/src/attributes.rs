//! Reads the attributes that decide whether an item counts and which file a module is in.

use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, Stmt, TraitItem};

/// Returns whether the item is compiled in tests only: `#[test]`, `#[cfg(test)]` or `#[cfg(all(test, …))]`.
pub fn test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<Meta>().is_ok_and(|condition| requires_test(&condition))
    })
}

fn requires_test(condition: &Meta) -> bool {
    match condition {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => {
            let mut found = false;
            // Other conditions are skipped. The attribute compiles, so there is no error to report.
            let _ = list.parse_nested_meta(|meta| {
                found |= meta.path.is_ident("test");
                if meta.input.peek(syn::Token![=]) {
                    meta.value()?.parse::<Lit>()?;
                } else if meta.input.peek(syn::token::Paren) {
                    meta.input.parse::<proc_macro2::Group>()?;
                }
                Ok(())
            });
            found
        }
        _ => false,
    }
}

/// Returns the file that `#[path = "…"]` names.
pub fn path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

/// Returns the attributes of an item.
pub fn of_item(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::ForeignMod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::TraitAlias(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the attributes of an item in an `impl` block.
pub fn of_impl_item(item: &ImplItem) -> &[Attribute] {
    match item {
        ImplItem::Const(item) => &item.attrs,
        ImplItem::Fn(item) => &item.attrs,
        ImplItem::Type(item) => &item.attrs,
        ImplItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the attributes of an item in a trait.
pub fn of_trait_item(item: &TraitItem) -> &[Attribute] {
    match item {
        TraitItem::Const(item) => &item.attrs,
        TraitItem::Fn(item) => &item.attrs,
        TraitItem::Type(item) => &item.attrs,
        TraitItem::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns the attributes of a statement, if it has its own.
pub fn of_statement(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Item(item) => of_item(item),
        Stmt::Macro(call) => &call.attrs,
        Stmt::Expr(Expr::Block(block), _) => &block.attrs,
        Stmt::Expr(..) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(text: &str) -> Vec<Attribute> {
        let Item::Fn(item) = syn::parse_str(&format!("{text} fn f() {{}}")).unwrap() else { panic!() };
        item.attrs
    }

    #[test]
    fn only_conditions_that_require_a_test() {
        for text in
            ["#[test]", "#[cfg(test)]", "#[cfg(all(unix, test))]", "#[cfg(all(feature = \"x\", any(a, b), test))]"]
        {
            assert!(test_only(&attributes(text)), "{text}");
        }
        for text in ["", "#[cfg(not(test))]", "#[cfg(any(test, unix))]", "#[cfg(unix)]", "#[inline]"] {
            assert!(!test_only(&attributes(text)), "{text}");
        }
    }

    #[test]
    fn a_path() {
        assert_eq!(path(&attributes("#[path = \"other.rs\"]")), Some("other.rs".to_owned()));
        assert_eq!(path(&attributes("#[doc = \"other.rs\"]")), None);
    }
}
