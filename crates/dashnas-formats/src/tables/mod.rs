//! Tables of one sample a row: CSV, and the columns that every table has.

pub(crate) mod columns;
pub mod csv;
pub(crate) mod read;
pub(crate) mod roles;
pub mod table;
