//! A clock that tests move.

use super::Clock;
use std::sync::Mutex;

/// Stands still unless moved.
#[derive(Debug, Default)]
pub struct FakeClock(Mutex<f64>);

impl FakeClock {
    /// Lets time pass.
    pub fn advance(&self, seconds: f64) {
        *self.0.lock().unwrap_or_else(|e| e.into_inner()) += seconds;
    }
}

impl Clock for FakeClock {
    fn seconds(&self) -> f64 {
        *self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}
