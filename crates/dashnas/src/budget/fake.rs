//! A clock for tests, which moves only when it is told to.

use crate::budget::clock::Clock;
use std::sync::Mutex;

/// A clock that stands still until [`FakeClock::advance`] moves it.
#[derive(Debug, Default)]
pub struct FakeClock(Mutex<f64>);

impl FakeClock {
    /// Moves the clock forward by a number of seconds.
    pub fn advance(&self, seconds: f64) {
        *self.0.lock().unwrap_or_else(|e| e.into_inner()) += seconds;
    }
}

impl Clock for FakeClock {
    fn seconds(&self) -> f64 {
        *self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}
