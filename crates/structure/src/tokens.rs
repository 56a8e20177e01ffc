//! Finds paths and functions among unparsed tokens: in macro calls, macro definitions and attributes.

use crate::uses::{self, Path};
use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use syn::UseTree;
use syn::parse::Parser;

/// The context of a path among tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Parentheses follow.
    Call,
    /// `!` follows.
    Macro,
    /// The path is a string in an attribute: `with = "path"`.
    Text,
    /// Any other context.
    Plain,
}

/// A path among tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The path.
    pub path: Path,
    /// Its context.
    pub shape: Shape,
}

/// A function among tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// The lines from `fn` to the closing brace.
    pub lines: usize,
}

/// Keywords that cannot begin a path. `crate`, `self` and `super` can.
const KEYWORDS: [&str; 37] = [
    "Self", "as", "async", "await", "box", "break", "const", "continue", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static",
    "struct", "trait", "true", "type", "unsafe", "use", "where", "while", "yield",
];

/// Keywords before the name of a new item.
const DEFINING: [&str; 8] = ["const", "enum", "fn", "let", "mod", "struct", "trait", "type"];

/// Keys of `serde` attributes whose strings are paths.
const PATH_KEYS: [&str; 10] = [
    "crate",
    "default",
    "deserialize_with",
    "from",
    "into",
    "remote",
    "serialize_with",
    "skip_serializing_if",
    "try_from",
    "with",
];

/// Finds the paths among the tokens of a macro call or a macro definition.
pub fn paths(tokens: &TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    collect(tokens, false, &mut found);
    found
}

/// Finds the paths among the tokens of an attribute, including those in strings.
pub fn attribute_paths(tokens: &TokenStream) -> Vec<Mention> {
    let mut found = Vec::new();
    collect(tokens, true, &mut found);
    found
}

fn collect(tokens: &TokenStream, texts: bool, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(group) => collect(&group.stream(), texts, found),
            TokenTree::Ident(ident) => {
                at += path(&tokens, at, ident, found);
                continue;
            }
            TokenTree::Literal(literal) if texts => {
                if let Some(path) = text_path(&tokens[..at], &literal.to_string(), literal.span().start().line) {
                    found.push(Mention { path, shape: Shape::Text });
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Reads the path that begins at `at`, if there is one, and returns the number of tokens read.
fn path(tokens: &[TokenTree], at: usize, first: &Ident, found: &mut Vec<Mention>) -> usize {
    let name = first.to_string();
    if !begins_path(tokens, at, &name) {
        return 1;
    }
    let (mut segments, mut line, mut end) = (vec![name], first.span().start().line, at + 1);
    while is_double_colon(tokens, end) {
        match tokens.get(end + 2) {
            Some(TokenTree::Ident(ident)) => {
                segments.push(ident.to_string());
                line = ident.span().start().line;
                end += 3;
            }
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                found.extend(grouped(&segments, group.stream()));
                return end + 3 - at;
            }
            _ => break,
        }
    }
    let single = segments.len() == 1;
    let shape = match tokens.get(end) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => Shape::Call,
        Some(TokenTree::Punct(punct)) if punct.as_char() == '!' && punct.spacing() == Spacing::Alone => Shape::Macro,
        // `name: …` is a field or a parameter.
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && single && !is_double_colon(tokens, end) => {
            return end - at;
        }
        _ => Shape::Plain,
    };
    let absolute = at >= 2 && is_double_colon(tokens, at - 2);
    found.push(Mention { path: Path { absolute, segments, line }, shape });
    end - at
}

fn begins_path(tokens: &[TokenTree], at: usize, name: &str) -> bool {
    let before = |back: usize| at.checked_sub(back).map(|at| &tokens[at]);
    let sign =
        |back: usize, wanted: char| matches!(before(back), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
    let defined = matches!(before(1), Some(TokenTree::Ident(word)) if DEFINING.contains(&word.to_string().as_str()));
    let field = sign(1, '.') && !sign(2, '.');
    let variable = sign(1, '$') && name != "crate";
    // Of `Wide::<f32>::new`, `Wide` has been found already.
    let associated = sign(1, ':') && sign(2, ':') && sign(3, '>');
    !(KEYWORDS.contains(&name) || defined || field || variable || associated || sign(1, '\''))
}

fn is_double_colon(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| match tokens.get(at) {
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' => Some(punct.spacing()),
        _ => None,
    };
    colon(at) == Some(Spacing::Joint) && colon(at + 1).is_some()
}

/// Finds the paths of `prefix::{…}`.
fn grouped(prefix: &[String], group: TokenStream) -> Vec<Mention> {
    let trees = syn::punctuated::Punctuated::<UseTree, syn::Token![,]>::parse_terminated.parse2(group);
    let imports = trees.into_iter().flatten().flat_map(|tree| uses::imports(false, &tree));
    imports
        .filter(|import| !import.glob)
        .map(|import| {
            let mut path = import.path;
            path.segments.retain(|segment| segment != "self");
            path.segments.splice(0..0, prefix.iter().cloned());
            Mention { path, shape: Shape::Plain }
        })
        .collect()
}

/// Reads the path in the string after `key =`.
fn text_path(before: &[TokenTree], literal: &str, line: usize) -> Option<Path> {
    let [.., TokenTree::Ident(key), TokenTree::Punct(equals)] = before else { return None };
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    if equals.as_char() != '=' || !PATH_KEYS.contains(&key.to_string().as_str()) {
        return None;
    }
    let path: syn::Path = syn::parse_str(text).ok()?;
    Some(Path { line, ..Path::new(&path) })
}

/// Finds the functions with a body among the tokens.
pub fn functions(tokens: &TokenStream) -> Vec<Function> {
    let mut found = Vec::new();
    collect_functions(tokens, &mut found);
    found
}

fn collect_functions(tokens: &TokenStream, found: &mut Vec<Function>) {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => collect_functions(&group.stream(), found),
            TokenTree::Ident(word) if word == "fn" => found.extend(function(&tokens[at..], word)),
            _ => {}
        }
    }
}

/// Reads the function at the first token, `fn`: a name or a macro variable follows, and later a body in braces.
fn function(tokens: &[TokenTree], word: &Ident) -> Option<Function> {
    let name = match &tokens[1..] {
        [TokenTree::Ident(name), ..] => name.to_string(),
        [TokenTree::Punct(dollar), TokenTree::Ident(name), ..] if dollar.as_char() == '$' => format!("${name}"),
        _ => return None,
    };
    let body = tokens
        .iter()
        .take_while(|token| !matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'))
        .find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        })?;
    let line = word.span().start().line;
    Some(Function { name, line, lines: body.span_close().end().line + 1 - line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Shape)> {
        let show = |found: Mention| (found.path.segments.join("::"), found.shape);
        paths(&text.parse().unwrap()).into_iter().map(show).collect()
    }

    fn expect(text: &str, expected: &[(&str, Shape)]) {
        assert_eq!(read(text), expected.iter().map(|(path, shape)| ((*path).to_owned(), *shape)).collect::<Vec<_>>());
    }

    #[test]
    fn paths_calls_and_macros() {
        expect("\"{}\", crate::a::b(super::C)", &[("crate::a::b", Shape::Call), ("super::C", Shape::Plain)]);
        expect(
            "vec![Wide::<f32>::new(), text!(1)]",
            &[("vec", Shape::Macro), ("Wide", Shape::Plain), ("f32", Shape::Plain), ("text", Shape::Macro)],
        );
    }

    #[test]
    fn no_path_begins_at_a_field_a_method_a_variable_or_a_new_name() {
        expect("x.plan.run()", &[("x", Shape::Plain)]);
        expect("Point { plan: 1 }", &[("Point", Shape::Plain)]);
        expect("$plan, fn plan() {}, 'plan", &[]);
        expect("0..plan", &[("plan", Shape::Plain)]);
        expect("$crate::plan", &[("crate::plan", Shape::Plain)]);
    }

    #[test]
    fn a_group_of_imports() {
        expect("use crate::a::{self, B};", &[("crate::a", Shape::Plain), ("crate::a::B", Shape::Plain)]);
    }

    #[test]
    fn paths_in_texts_of_attributes() {
        let tokens = "with = \"crate::a\", rename = \"b\", default = \"c\"".parse().unwrap();
        let found: Vec<_> = attribute_paths(&tokens)
            .into_iter()
            .filter(|found| found.shape == Shape::Text)
            .map(|found| found.path.segments.join("::"))
            .collect();
        assert_eq!(found, ["crate::a", "c"]);
    }

    #[test]
    fn functions_in_a_macro() {
        let tokens = "($n:ident) => { fn $n() {\n\n} fn two(f: fn(u8)) { fn three() {} } fn four(); };";
        let found = functions(&tokens.parse().unwrap());
        let found: Vec<_> = found.iter().map(|found| (found.name.as_str(), found.line, found.lines)).collect();
        assert_eq!(found, [("$n", 1, 3), ("two", 3, 1), ("three", 3, 1)]);
    }
}
