//! Measures small made-up crates, each with one form of import.

use dashnas_structure::structure::{Structure, measure};
use dashnas_structure::{layers, limits};
use std::fs;

/// Measures a workspace made of these files.
fn workspace(files: &[(&str, &str)]) -> Structure {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    measure(directory.path()).unwrap()
}

/// Measures one crate with these files in `src`.
fn one(files: &[(&str, &str)]) -> Structure {
    let files: Vec<(String, &str)> = files.iter().map(|(path, text)| (format!("src/{path}"), *text)).collect();
    let mut all = vec![("Cargo.toml", "[package]\nname = \"one\"\n")];
    all.extend(files.iter().map(|(path, text)| (path.as_str(), *text)));
    workspace(&all)
}

/// Shows the edges as `a.rs -> b.rs: Name`, with `pub` before names that are re-exported.
fn edges(structure: &Structure) -> Vec<String> {
    let path = |file: usize| {
        let path = structure.files[file].path.display().to_string();
        path.trim_start_matches("src/").to_owned()
    };
    let names = |names: &[dashnas_structure::edges::UsedName], kind: &str| {
        names.iter().map(|name| format!("{kind}{}", name.name)).collect::<Vec<_>>()
    };
    let mut found: Vec<String> = structure
        .edges
        .iter()
        .map(|edge| {
            let names = [names(&edge.uses, ""), names(&edge.reexports, "pub ")].concat().join(", ");
            format!("{} -> {}: {names}", path(edge.from), path(edge.to))
        })
        .collect();
    found.sort();
    found
}

#[track_caller]
fn expect(files: &[(&str, &str)], expected: &[&str]) -> Structure {
    let structure = one(files);
    assert_eq!(edges(&structure), expected);
    structure
}

#[test]
fn a_declaration_is_no_import() {
    let structure =
        expect(&[("lib.rs", "pub mod a; pub mod b;"), ("a.rs", "pub fn f() {}"), ("b.rs", "use crate::a;")], &[]);
    assert_eq!(structure.crates[0].levels, 1);
}

#[test]
fn a_cycle_through_super_names_both_edges_and_their_lines() {
    let structure = expect(
        &[
            ("lib.rs", "mod room;"),
            ("room/mod.rs", "mod child;\nfn helper() {}\npub fn f() {\n    child::g();\n}"),
            ("room/child.rs", "pub fn g() {\n    super::helper();\n}"),
        ],
        &["room/child.rs -> room/mod.rs: helper", "room/mod.rs -> room/child.rs: g"],
    );
    let found = limits::cycles(&structure);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("one: 2 files form an import cycle"), "{}", found[0]);
    assert!(found[0].contains("src/room/child.rs -> src/room/mod.rs: helper (line 2)"), "{}", found[0]);
    assert!(found[0].contains("src/room/mod.rs -> src/room/child.rs: g (line 4)"), "{}", found[0]);
}

#[test]
fn a_path_through_a_facade_resolves_to_the_file_that_defines_the_item() {
    let structure = expect(
        &[
            ("lib.rs", "pub mod room; mod other; pub use room::Wide as Broad;"),
            ("room/mod.rs", "mod deep; pub use deep::*; pub(crate) use self::deep::Tall as High;"),
            ("room/deep.rs", "pub struct Wide; pub struct Tall; fn f() { crate::other::g(); }"),
            ("other.rs", "use crate::{Broad, room::High}; pub fn g() {}"),
        ],
        &[
            "lib.rs -> room/deep.rs: pub Wide",
            "other.rs -> room/deep.rs: Wide, Tall",
            "room/deep.rs -> other.rs: g",
            "room/mod.rs -> room/deep.rs: pub *, pub Tall",
        ],
    );
    assert_eq!(structure.crates[0].cycles.len(), 1);
    assert_eq!(structure.top_modules.cycles.len(), 1, "two top-level modules");
    assert_eq!(limits::cycles(&structure).len(), 2);
}

#[test]
fn a_re_export_alone_makes_no_cycle_but_is_upward() {
    let structure = expect(
        &[
            ("lib.rs", "mod room;"),
            ("room/mod.rs", "mod child; pub use child::Part; pub struct Whole;"),
            ("room/child.rs", "use super::Whole; pub struct Part(Whole);"),
        ],
        &["room/child.rs -> room/mod.rs: Whole", "room/mod.rs -> room/child.rs: pub Part"],
    );
    assert!(limits::cycles(&structure).is_empty());
    assert_eq!(structure.crates[0].upward.len(), 1);
    assert_eq!(structure.crates[0].levels, 2);
}

#[test]
fn a_re_export_that_is_used_too_makes_a_cycle() {
    let structure = expect(
        &[
            ("lib.rs", "mod room;"),
            ("room/mod.rs", "mod child; pub use child::Part; pub struct Whole { part: Part }"),
            ("room/child.rs", "use super::Whole; pub struct Part;"),
        ],
        &["room/child.rs -> room/mod.rs: Whole", "room/mod.rs -> room/child.rs: Part, pub Part"],
    );
    assert_eq!(limits::cycles(&structure).len(), 1);
}

#[test]
fn full_paths_count_wherever_they_stand() {
    expect(
        &[
            ("lib.rs", "mod a; mod calls; mod types; mod patterns; mod bounds; mod attributes; mod inner;"),
            (
                "a.rs",
                "pub fn f() {} pub struct T; pub enum E { One } pub trait B {} pub const C: u8 = 0; pub mod serde {}",
            ),
            ("calls.rs", "fn g() { let f = crate::a::f(); let _ = crate::a::E::One; }"),
            ("types.rs", "type X = Vec<Option<crate::a::T>>;"),
            ("patterns.rs", "fn g(x: u8) { match x { crate::a::C => {} _ => {} } }"),
            ("bounds.rs", "fn g<X: crate::a::B>() -> impl crate::a::B { <X as super::a::B>::h() }"),
            ("attributes.rs", "#[derive(D)] struct S { #[serde(with = \"crate::a::serde\")] x: u8 }"),
            ("inner.rs", "mod deep { fn g() { super::super::a::f(); } }"),
        ],
        &[
            "attributes.rs -> a.rs: serde",
            "bounds.rs -> a.rs: B",
            "calls.rs -> a.rs: f, E",
            "inner.rs -> a.rs: f",
            "patterns.rs -> a.rs: C",
            "types.rs -> a.rs: T",
        ],
    );
}

#[test]
fn tokens_of_macros_are_read() {
    expect(
        &[
            ("lib.rs", "mod a; mod calls; mod defines; mod user;"),
            ("a.rs", "pub fn f() {} pub struct T;"),
            ("calls.rs", "use super::a; fn g() { println!(\"{}\", vec![a::f(), 1].plan); }"),
            ("defines.rs", "macro_rules! m { () => { $crate::a::T } } pub(crate) use m;"),
            ("user.rs", "use crate::defines::m; fn g() { m!(); }"),
        ],
        &["calls.rs -> a.rs: f", "defines.rs -> a.rs: T", "user.rs -> defines.rs: m"],
    );
}

#[test]
fn a_macro_of_the_module_around_needs_no_import() {
    expect(
        &[("lib.rs", "mod room;"), ("room.rs", "macro_rules! m { () => {} } mod child;"), ("room/child.rs", "m!();")],
        &["room/child.rs -> room.rs: m"],
    );
}

#[test]
fn a_glob_counts_for_the_names_that_are_used() {
    let structure = expect(
        &[
            ("lib.rs", "mod room;"),
            ("room.rs", "mod a; mod b; mod user; pub use a::*; pub use b::*;"),
            ("room/a.rs", "pub struct A; pub fn value() {}"),
            ("room/b.rs", "pub struct B;"),
            ("room/user.rs", "use super::*; fn f(value: u8, a: A) { let _ = value; }"),
        ],
        &["room.rs -> room/a.rs: pub *", "room.rs -> room/b.rs: pub *", "room/user.rs -> room/a.rs: A"],
    );
    assert_eq!(structure.crates[0].cycles.len(), 0);
}

#[test]
fn renamed_imports_and_modules() {
    expect(
        &[
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "pub struct Wide; pub fn f() {}"),
            ("b.rs", "use crate::a::Wide as Broad; pub use crate::a as renamed;"),
            ("c.rs", "use crate::b::renamed::{self as again, f as g}; fn h() { use again::Wide; g(); }"),
        ],
        &["b.rs -> a.rs: Wide", "c.rs -> a.rs: f, Wide"],
    );
}

#[test]
fn imports_inside_functions() {
    expect(
        &[
            ("lib.rs", "mod a;\nmod b;"),
            ("a.rs", "pub enum E { One } pub mod deep { pub fn f() {} }"),
            ("b.rs", "fn g() { use crate::a::{E, deep}; use E::*; { deep::f(); } let _ = One; }"),
        ],
        &["b.rs -> a.rs: E, f"],
    );
}

#[test]
fn tests_may_look_anywhere() {
    let structure = expect(
        &[
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests;"),
            ("a.rs", "use crate::b::B; pub struct A; #[cfg(test)] mod tests { use crate::b::B; use super::*; }"),
            (
                "b.rs",
                "pub struct B; #[cfg(test)] use crate::a::A; #[test] fn t() { crate::a::A; } \
                      impl B { #[cfg(test)] fn t() { crate::a::A; } }",
            ),
            ("tests.rs", "use crate::a::A;"),
        ],
        &["a.rs -> b.rs: B"],
    );
    assert_eq!(structure.files.len(), 4, "their lengths count");
    assert_eq!(structure.files.iter().filter(|file| file.level.is_none()).count(), 1);
}

#[test]
fn a_file_that_path_names() {
    expect(
        &[
            ("lib.rs", "#[path = \"elsewhere/a.rs\"] mod a; mod b;"),
            ("elsewhere/a.rs", "mod deep; pub use deep::f;"),
            ("elsewhere/deep.rs", "pub fn f() {}"),
            ("b.rs", "mod inner { #[path = \"c.rs\"] pub mod c; } fn g() { crate::a::f(); inner::c::h(); }"),
            ("b/inner/c.rs", "pub fn h() {}"),
        ],
        &["b.rs -> b/inner/c.rs: h", "b.rs -> elsewhere/deep.rs: f", "elsewhere/a.rs -> elsewhere/deep.rs: pub f"],
    );
}

#[test]
fn what_a_macro_writes_belongs_to_the_file_that_calls_it() {
    expect(
        &[("lib.rs", "mod a; mod b;"), ("a.rs", "define! { pub struct Made; }"), ("b.rs", "use crate::a::Made;")],
        &["b.rs -> a.rs: Made"],
    );
}

#[test]
fn names_of_other_crates_lead_nowhere() {
    expect(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub use burn::tensor::Tensor; pub use burn::prelude::*;"),
            ("b.rs", "use crate::a::Tensor; use crate::a::Backend; fn f() { std::mem::drop(1); }"),
        ],
        &[],
    );
}

#[test]
fn a_variable_is_not_the_function_of_the_same_name() {
    expect(
        &[
            ("lib.rs", "mod room;"),
            ("room.rs", "mod a; pub use a::{plan, size}; fn f(plan: u8) { let size = size(plan); }"),
            ("room/a.rs", "pub fn plan() {} pub fn size() {}"),
        ],
        &["room.rs -> room/a.rs: size, pub plan, pub size"],
    );
}

#[test]
fn a_binary_imports_its_library() {
    let structure = expect(
        &[
            ("lib.rs", "pub mod a;"),
            ("a.rs", "pub fn f() {}"),
            ("main.rs", "mod args; fn main() { one::a::f(); args::g(); }"),
            ("args.rs", "pub fn g() {}"),
        ],
        &["main.rs -> a.rs: f", "main.rs -> args.rs: g"],
    );
    assert_eq!(structure.crates[0].levels, 2);
}

/// Measures a workspace of three crates: `top` uses an item of `the-bottom` that `middle` re-exports.
fn three(bottom: &str, dependencies: &str) -> Structure {
    let package = |name: &str, more: &str| format!("[package]\nname = \"{name}\"\n{more}");
    let depends = |on: &str| format!("[dependencies]\n{on} = {{ path = \"../{on}\" }}\n");
    workspace(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nexclude = [\"top\"]\n"),
        ("crates/the-bottom/Cargo.toml", &package("the-bottom", dependencies)),
        ("crates/the-bottom/src/lib.rs", bottom),
        ("crates/middle/Cargo.toml", &package("middle", &depends("the-bottom"))),
        ("crates/middle/src/lib.rs", "pub mod a;"),
        ("crates/middle/src/a.rs", "pub use the_bottom::Deep;"),
        ("top/Cargo.toml", &package("top", &depends("middle"))),
        ("top/src/lib.rs", "fn f(_: middle::a::Deep) {}"),
        ("top/tests/all.rs", "fn f() {}"),
    ])
}

const THREE: [&[&str]; 3] = [&["the-bottom"], &["middle"], &["top"]];

#[test]
fn arrows_across_crates() {
    let structure = three("pub struct Deep;", "");
    assert_eq!(
        edges(&structure),
        [
            "crates/middle/src/a.rs -> crates/the-bottom/src/lib.rs: pub Deep",
            "top/src/lib.rs -> crates/the-bottom/src/lib.rs: Deep",
        ]
    );
    assert_eq!(structure.top_modules.levels, 2);
    assert!(layers::violations(&structure, &THREE, &[]).is_empty());
}

#[test]
fn an_upward_dependency_is_found_in_the_manifest_and_in_the_code() {
    let manifest = three("pub struct Deep;", "[dependencies]\nmiddle = { path = \"../middle\" }\n");
    assert_eq!(
        layers::violations(&manifest, &THREE, &[]),
        ["the-bottom uses middle, which is not below it (crates/the-bottom/Cargo.toml)"]
    );
    let code = three("pub struct Deep;\nuse middle::a;", "[dev-dependencies]\nmiddle = { path = \"../middle\" }\n");
    assert_eq!(
        layers::violations(&code, &THREE, &[]),
        ["the-bottom uses middle, which is not below it (crates/the-bottom/src/lib.rs:2)"]
    );
}

#[test]
fn tests_may_depend_upward() {
    let bottom = "pub struct Deep; #[cfg(test)] mod tests { use middle::a; }";
    let structure = three(bottom, "[dev-dependencies]\nmiddle = { path = \"../middle\" }\n");
    assert!(layers::violations(&structure, &THREE, &[]).is_empty());
}

#[test]
fn crates_of_the_same_layer_and_tools_are_not_below() {
    let structure = three("pub struct Deep;", "");
    let beside: [&[&str]; 2] = [&["the-bottom", "middle"], &["top"]];
    // Each use is found in the manifest and in the code.
    assert_eq!(layers::violations(&structure, &beside, &[]).len(), 2);
    assert_eq!(layers::violations(&structure, &[&["the-bottom"], &["top"]], &["middle"]).len(), 4);
}

#[test]
fn every_crate_has_a_layer_and_every_layer_its_crate() {
    let structure = three("pub struct Deep;", "");
    let found = layers::violations(&structure, &[&["the-bottom"], &["middle"], &["roof"]], &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("the crate top has no layer: add it"), "{}", found[0]);
    assert_eq!(found[1], "the crate roof has a layer but does not exist");
}

#[test]
fn a_renamed_dependency() {
    let structure = workspace(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\"]\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\n[lib]\nname = \"library\"\n"),
        ("a/src/lib.rs", "pub struct A;"),
        ("b/Cargo.toml", "[package]\nname = \"b\"\n[dependencies]\nother = { package = \"a\", path = \"../a\" }\n"),
        ("b/src/lib.rs", "use other::A;"),
    ]);
    assert_eq!(edges(&structure), ["b/src/lib.rs -> a/src/lib.rs: A"]);
}

#[test]
fn long_files_and_functions() {
    let lines = |count: usize| "\n".repeat(count);
    let long = format!("fn long() {{{}}}\nfn short() {{{}}}", lines(100), lines(99));
    let structure = one(&[("lib.rs", &long), ("file.rs", &lines(601)), ("right.rs", &lines(600))]);
    assert_eq!(
        limits::lengths(&structure),
        ["src/lib.rs:1: the function long has 101 lines, more than 100", "src/file.rs: 601 lines, more than 600",]
    );
}

#[test]
fn too_many_levels() {
    let modules: String = (0..11).map(|level| format!("mod m{level};")).collect();
    let texts: Vec<(String, String)> = (0..11)
        .map(|level| {
            let below = if level == 0 { String::new() } else { format!("use crate::m{}::T as _;", level - 1) };
            (format!("m{level}.rs"), format!("{below} pub struct T;"))
        })
        .collect();
    let mut files = vec![("lib.rs", modules.as_str())];
    files.extend(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    assert_eq!(limits::levels(&one(&files)), ["one has 11 levels of files, more than 10"]);
    files.pop();
    let ten = modules.replace("mod m10;", "");
    files[0].1 = &ten;
    assert!(limits::levels(&one(&files)).is_empty());
}

#[test]
fn too_many_upward_re_exports() {
    let children: Vec<String> = (0..6).map(|child| format!("c{child}.rs")).collect();
    let root: String =
        (0..6).map(|child| format!("mod c{child}; pub use c{child}::C{child};")).collect::<String>() + "pub struct T;";
    let texts: Vec<String> = (0..6).map(|child| format!("pub struct C{child}(crate::T);")).collect();
    let mut files = vec![("lib.rs", root.as_str())];
    files.extend(children.iter().map(String::as_str).zip(texts.iter().map(String::as_str)));
    let found = limits::levels(&one(&files));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("6 upward re-exports, more than 5:"), "{}", found[0]);
    files.pop();
    let five = root.replace("mod c5; pub use c5::C5;", "");
    files[0].1 = &five;
    assert!(limits::levels(&one(&files)).is_empty());
}

#[test]
fn a_missing_module_is_an_error_unless_it_is_for_another_platform() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("src")).unwrap();
    fs::write(directory.path().join("Cargo.toml"), "[package]\nname = \"one\"\n").unwrap();
    fs::write(directory.path().join("src/lib.rs"), "mod gone;").unwrap();
    let error = measure(directory.path()).unwrap_err().to_string();
    assert!(error.ends_with("no file for `mod gone;`"), "{error}");
    fs::write(directory.path().join("src/lib.rs"), "#[cfg(windows)] mod gone;").unwrap();
    assert!(measure(directory.path()).is_ok());
    fs::write(directory.path().join("src/lib.rs"), "\nfn {").unwrap();
    let error = measure(directory.path()).unwrap_err().to_string();
    assert!(error.starts_with("src/lib.rs:2: "), "{error}");
}
