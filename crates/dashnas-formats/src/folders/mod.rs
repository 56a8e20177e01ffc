//! Folders of samples in files of their own, with labels in a file beside them or by the names of folders.

mod classes;
mod file_names;
mod known;
mod label_file;
mod label_table;
pub mod labels;
pub(crate) mod masks;
mod paths;
mod record_lists;
mod recordings;
pub(crate) mod samples;
mod targets;
pub(crate) mod unread;
