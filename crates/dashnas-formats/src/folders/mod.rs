//! Folders of samples in files of their own, with labels in a file beside them or by the names of folders.

pub mod labels;
pub(crate) mod masks;
mod paths;
pub(crate) mod samples;
