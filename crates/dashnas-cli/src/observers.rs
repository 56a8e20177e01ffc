//! The observers that the command attaches to a run: progress on standard error, `status.json` and TensorBoard's files;
//! and the report of a finished run.

use crate::progress::Progress;
use dashnas::record::event::{Event, Observer, RunStart};
use dashnas::run_dir::dir::RunDir;
use dashnas_report::StatusWriter;
use dashnas_report::page;

/// The observers of a run.
pub struct Observers {
    /// The bar and lines on standard error.
    pub progress: Progress,
    status: StatusWriter,
}

impl Observers {
    /// Observers that show this progress.
    pub fn new(progress: Progress) -> Self {
        Self { progress, status: StatusWriter::default() }
    }

    /// Writes the report of a finished run. The run has succeeded without it, so a failure is a warning.
    pub fn report(&mut self, dir: &RunDir) {
        if let Err(e) = page::write_into(dir) {
            self.progress.event(&Event::Warning { message: format!("could not write the report: {e}") });
        }
    }
}

impl Observer for Observers {
    fn attached(&mut self, run: &RunStart<'_>) {
        self.progress.attached(run);
        self.status.attached(run);
    }

    fn time_added(&mut self, seconds: f64) {
        self.status.time_added(seconds);
    }

    fn event(&mut self, event: &Event) {
        self.progress.event(event);
        self.status.event(event);
    }

    fn cancelled(&self) -> bool {
        self.progress.cancelled()
    }
}
