//! A clock that tests move.

use super::Clock;
use std::cell::Cell;

/// Stands still unless moved.
#[derive(Debug, Default)]
pub struct FakeClock(Cell<f64>);

impl FakeClock {
    /// Lets time pass.
    pub fn advance(&self, seconds: f64) {
        self.0.set(self.0.get() + seconds);
    }
}

impl Clock for FakeClock {
    fn seconds(&self) -> f64 {
        self.0.get()
    }
}
