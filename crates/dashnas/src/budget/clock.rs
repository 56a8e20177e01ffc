//! The clock of a run, which tests can replace by one that they move themselves.

use std::time::Instant;

/// A source of the time that a run has taken.
pub trait Clock: Sync {
    /// Seconds of work since the run began, summed over all the processes that worked on it.
    fn seconds(&self) -> f64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy)]
pub struct WallClock {
    started: Instant,
    earlier_seconds: f64,
}

impl WallClock {
    /// A clock that started at an instant, after `earlier_seconds` of work in earlier processes.
    pub fn new(started: Instant, earlier_seconds: f64) -> Self {
        Self { started, earlier_seconds }
    }

    /// The same clock, put forward by a number of seconds.
    pub fn ahead(self, seconds: f64) -> Self {
        Self { earlier_seconds: self.earlier_seconds + seconds, ..self }
    }
}

impl Clock for WallClock {
    fn seconds(&self) -> f64 {
        self.earlier_seconds + self.started.elapsed().as_secs_f64()
    }
}
