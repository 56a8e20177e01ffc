//! Measures the structure of a workspace's source: which file imports which, whether the files of a crate import each
//! other in cycles, whether a crate uses a crate above it, how many levels there are, and how long files and functions
//! are. The test `tests/workspace.rs` enforces the limits of this workspace; the binary `dashnas-structure` prints the
//! same measurements for any workspace.
//!
//! A file counts as one module, including its inline modules. There is an edge from file A to file B if a path in A
//! resolves to an item that B defines. The path may be in a `use`, an expression, a type, a pattern, an attribute or
//! the tokens of a macro call, and it may pass through any number of re-exports. A `mod` declaration makes no edge, and
//! neither does code under `#[cfg(test)]`, because tests may use anything. Method calls are not resolved.
//!
//! An edge that consists of re-exports alone (`pub use`) does not count in cycles, so a `mod.rs` may re-export the
//! items of its children. It is an upward re-export if the child imports the `mod.rs`; their number is limited.
//!
//! | step | module |
//! |---|---|
//! | read the packages and their dependencies | [`manifest`] |
//! | read the modules, the files and the names that they define | [`tree`], [`names`], [`uses`] |
//! | resolve a path to the file that defines the item | [`resolve`] |
//! | collect the paths of a file, and the edges between files | [`references`], [`tokens`], [`edges`] |
//! | find cycles and levels | [`graph`] |
//! | measure functions | [`sizes`] |
//! | measure a workspace | [`structure`] |
//! | check the limits | [`layers`], [`limits`] |
//! | print the measurements | [`report`] |

pub mod attributes;
pub mod edges;
pub mod error;
pub mod graph;
pub mod layers;
pub mod limits;
pub mod manifest;
pub mod names;
pub mod references;
pub mod report;
pub mod resolve;
pub mod sizes;
pub mod structure;
pub mod tokens;
pub mod tree;
pub mod uses;
