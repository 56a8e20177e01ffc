//! The interface through which a training reports its events, learns that it is to stop, and keeps its state.
//!
//! The recorder of a run writes to the run directory, and that of a tuning trial sends everything to the thread of the
//! run. The training loop knows neither of them.

use crate::budget::pace::PacerState;
use crate::checkpoint::snapshot::SavedTraining;
use crate::error::Error;
use crate::record::event::{Event, Observer};
use dashnas_core::stage::Stage;

/// Takes the events of a training and keeps its state.
pub(crate) trait Recorder: Observer {
    /// Hands over the saved state of a training that was interrupted, at most once.
    fn take_saved(&mut self, stage: Stage, trial: Option<usize>) -> Option<SavedTraining>;

    /// Whether the training should save its state now.
    fn checkpoint_due(&self) -> bool;

    /// Saves the state of the training.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written; the state saved before is still there then.
    fn save(&mut self, training: &SavedTraining) -> Result<(), Error>;

    /// What the pace of an interrupted training had decided, if that was kept.
    fn pace(&self, stage: Stage, trial: Option<usize>) -> Option<PacerState>;

    /// Keeps what the pace of a training has decided. It is written with the next checkpoint.
    fn keep_pace(&mut self, stage: Stage, trial: Option<usize>, pace: PacerState);
}

/// Passes events on and keeps no state, for short trainings outside a run.
pub(crate) struct DetachedRecorder<'a> {
    observer: &'a mut dyn Observer,
}

impl<'a> DetachedRecorder<'a> {
    /// A recorder that tells an observer of the events.
    pub fn new(observer: &'a mut dyn Observer) -> Self {
        Self { observer }
    }
}

impl Observer for DetachedRecorder<'_> {
    fn event(&mut self, event: &Event) {
        self.observer.event(event);
    }

    fn cancelled(&self) -> bool {
        self.observer.cancelled()
    }
}

impl Recorder for DetachedRecorder<'_> {
    fn take_saved(&mut self, _: Stage, _: Option<usize>) -> Option<SavedTraining> {
        None
    }

    fn checkpoint_due(&self) -> bool {
        false
    }

    fn save(&mut self, _: &SavedTraining) -> Result<(), Error> {
        Ok(())
    }

    fn pace(&self, _: Stage, _: Option<usize>) -> Option<PacerState> {
        None
    }

    fn keep_pace(&mut self, _: Stage, _: Option<usize>, _: PacerState) {}
}
