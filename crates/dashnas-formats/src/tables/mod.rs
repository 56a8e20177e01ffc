//! Tables of one sample a row. Every format is read into the record batches of Apache Arrow, and one path leads from
//! there to samples.
//!
//! | modules | contents |
//! |---|---|
//! | `batches`, `sources`, `parts` | files that give record batches; several files as one table |
//! | [`csv`], `parquet`, `ipc`, `json_lines` | the formats |
//! | `arrow`, `number`, `moments`, `facts`, `chunk`, `row_major`, `load`, `table` | from record batches to columns, and the facts about them |
//! | `units`, `names`, `draft`, `roles`, `splits`, `groups`, `labels`, `inputs`, `suspect`, `steps`, `columns` | the role of each column |
//! | `samples`, `times`, `recordings`, `read` | from columns to samples, or to the windows of recordings |

mod arrow;
mod batches;
mod chunk;
pub(crate) mod columns;
pub mod csv;
pub(crate) mod draft;
mod facts;
pub(crate) mod groups;
mod guard;
mod inputs;
mod ipc;
mod json_lines;
mod label_lists;
pub(crate) mod labels;
pub(crate) mod load;
pub(crate) mod moments;
pub(crate) mod names;
pub(crate) mod number;
pub(crate) mod open;
mod parquet;
mod parts;
pub(crate) mod read;
mod recordings;
pub(crate) mod roles;
mod row_major;
mod samples;
pub(crate) mod sources;
pub(crate) mod splits;
mod steps;
mod suspect;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod times;
mod units;
