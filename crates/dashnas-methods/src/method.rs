//! What a method of a comparison is.

use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas::record::event::Observer;
use dashnas::record::outcome::Outcome;
use dashnas_data::dataset::Dataset;
use std::path::Path;

/// The data and the budget that a method gets. They are the same for all methods of a comparison; only the seed differs
/// between the runs of one method.
#[derive(Debug, Clone, Copy)]
pub struct MethodInput<'a> {
    /// The settings that all methods share: the task, the lengths of search, tuning and retraining, and the limits. Its
    /// seed is that of the run.
    pub config: &'a Config,
    /// The name from which the data can be read again.
    pub source: &'a str,
    /// The data set.
    pub data: &'a Dataset,
}

/// A way from a data set to a trained network.
pub trait Method: Sync {
    /// The name on the command line and in files, which begins the names of its run directories.
    fn name(&self) -> &'static str;

    /// What it is, in a phrase.
    fn title(&self) -> &'static str;

    /// Where it is described: a publication, and for methods of the paper its section.
    fn source(&self) -> &'static str;

    /// Why the method cannot be used on this data or under these settings, as a sentence without its period that begins
    /// in lower case; `None` if it can.
    fn unsuited(&self, input: &MethodInput<'_>) -> Option<String>;

    /// Checks that the limits of the budget can be kept, before anything is made.
    ///
    /// # Errors
    /// [`Error::TimeLimit`] with a limit that is enough.
    fn check_limits(&self, input: &MethodInput<'_>) -> Result<(), Error>;

    /// Trains a network in a run directory and evaluates it on the test split. What an earlier process did there is
    /// kept: a run that was interrupted is resumed, and ends with the same bits.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer asked to stop; all others are the failure of this run.
    fn train(&self, input: &MethodInput<'_>, out: &Path, observer: &mut dyn Observer) -> Result<Outcome, Error>;
}
