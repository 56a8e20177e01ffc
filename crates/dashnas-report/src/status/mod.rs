//! The state of a run while it runs or afterwards.
//!
//! A [`StatusWriter`] observes the run and keeps `status.json` in the run directory up to date with a [`Live`] record;
//! [`Status::read`], in another process, combines that record with the run's log.

mod folds;
mod live;
mod summary;
mod text;
mod writer;

pub use folds::{FoldStatus, FoldsStatus};
pub use live::Live;
pub use summary::{Now, RaceStatus, StageStatus, State, Status};
pub use writer::StatusWriter;

#[cfg(test)]
mod tests;
