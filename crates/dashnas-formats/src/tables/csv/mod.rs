//! Separated values: commas, semicolons, tabs or bars, in any of the usual encodings. The crate `csv` splits the text
//! into fields; what is here decides how.

mod dialect;
pub(crate) mod encoding;
mod header;
pub(crate) mod rows;
pub(crate) mod source;

pub use rows::{Row, all};
