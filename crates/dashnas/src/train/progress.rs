//! The steps of a stage, as its events show them.

use dashnas_core::stage::Stage;

/// The steps of a stage before its next training and in total. The trainings of a stage share them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StageProgress {
    /// The stage.
    pub stage: Stage,
    /// Steps that the stage has taken in earlier trainings.
    pub done: u64,
    /// Steps of the whole stage if nothing ends early.
    pub total: u64,
}
