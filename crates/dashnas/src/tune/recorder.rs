//! What the trial pool needs from the recorder of a run.

use crate::checkpoint::snapshot::SavedTraining;
use crate::error::Error;
use crate::record::trial::Trial;
use crate::train::recorder::Recorder;
use dashnas_core::stage::Stage;

/// Keeps the results of tuning trials, and the states of several that run side by side.
pub(crate) trait TuningRecorder: Recorder {
    /// A trial of a stage that is finished, with its result.
    fn finished_trial(&self, stage: Stage, number: usize) -> Option<Trial>;

    /// Keeps the result of a finished trial.
    fn add_trial(&mut self, stage: Stage, trial: Trial);

    /// Sets the number of steps that the stage has taken.
    fn set_steps(&mut self, steps: u64);

    /// Notes why a stage ran fewer trials than it could have.
    fn note_tuning_end(&mut self, stage: Stage, reason: &str);

    /// Saves the states of the running trials.
    ///
    /// # Errors
    /// [`Error::File`] if they cannot be written; the states saved before are still there then.
    fn save_trials(&mut self, trainings: &[&SavedTraining]) -> Result<(), Error>;
}

#[cfg(test)]
impl TuningRecorder for crate::train::recorder::DetachedRecorder<'_> {
    fn finished_trial(&self, _: Stage, _: usize) -> Option<Trial> {
        None
    }

    fn add_trial(&mut self, _: Stage, _: Trial) {}

    fn set_steps(&mut self, _: u64) {}

    fn note_tuning_end(&mut self, _: Stage, _: &str) {}

    fn save_trials(&mut self, _: &[&SavedTraining]) -> Result<(), Error> {
        Ok(())
    }
}
