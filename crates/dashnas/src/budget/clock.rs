//! Time, which tests may move by hand.

use std::time::Instant;

/// Tells how long a run has been at work.
pub trait Clock: Sync {
    /// Seconds of work since the run began, over all the processes that worked on it.
    fn seconds(&self) -> f64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    started: Instant,
    before: f64,
}

impl WallClock {
    /// A clock that began to run at an instant, after `before` seconds in earlier processes.
    pub fn new(started: Instant, before: f64) -> Self {
        Self { started, before }
    }

    /// The same clock, so many seconds ahead.
    pub fn ahead(self, seconds: f64) -> Self {
        Self { before: self.before + seconds, ..self }
    }
}

impl Clock for WallClock {
    fn seconds(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }
}
