//! The data sets that dashnas knows by name: the ten tasks of the DASH paper with their files and settings, and the Darcy
//! flow problems that it generates. This crate knows data sets, but nothing of networks or runs.
//!
//! | module | contents |
//! |---|---|
//! | [`source`] | resolves a name: the built-in data set, a task, or a path |
//! | [`recipes`] | the ten tasks as recipes: files, preparation, split and settings |
//! | [`paper_results`] | the results that the paper reports for them |
//! | [`fetch`] | downloads the files of a task |
//! | [`darcy`] | generates Darcy flow problems |

pub mod darcy;
pub mod fetch;
pub mod paper_results;
pub mod recipes;
pub mod source;

pub use crate::darcy::DarcyConfig;
pub use crate::recipes::Recipe;
pub use crate::source::{DataSource, SourceError};
