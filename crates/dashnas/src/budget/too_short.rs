//! The refusal of a time limit that is too short, with one that is enough.

use dashnas_core::text::plural;

/// The fewest steps of the training that a time limit must leave time for, unless the configuration asks for fewer.
/// Their batches may be smaller than the configured ones, but no smaller than eight samples.
pub const MIN_TRAINING_STEPS: u64 = 50;
/// The largest fraction of a time limit that evaluation on the test split may take, unless all that is asked for fits.
pub const MOST_EVALUATION: f64 = 0.5;
/// The largest fraction of a time limit that is spent on timing steps.
pub const MEASURING_SHARE: f64 = 0.1;
/// Measured times vary: a limit that is called enough is longer than they say by this factor, so that it is not the
/// shortest one.
const MARGIN: f64 = 1.2;

/// A time limit is too short for one sensible training.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error(
    "a time limit of {} is too short: on this machine, reading the data and measuring take {}, the shortest training \
     ({} of {}) takes {}, and evaluating {} takes {}",
    time(*limit), time(*spent), plural(*steps as usize, "step"), plural(*batch, "sample"), time(*training),
    plural(*test, "test sample"), time(*evaluation)
)]
pub struct TooShort {
    /// The limit in seconds.
    pub limit: f64,
    /// A limit that is enough: the time of the shortest run by what was measured, with a margin.
    pub least: f64,
    /// Seconds of reading and measuring.
    pub spent: f64,
    /// Steps of the shortest training.
    pub steps: u64,
    /// Samples in a step.
    pub batch: usize,
    /// Seconds of this training.
    pub training: f64,
    /// Samples of the test split.
    pub test: usize,
    /// Seconds of evaluating them.
    pub evaluation: f64,
}

impl TooShort {
    /// A limit that is enough for a number of runs, as an option is given it.
    pub fn least_text(&self, runs: f64) -> String {
        let seconds = (self.least * runs).ceil() as u64;
        match (seconds / 60, seconds.is_multiple_of(60)) {
            (_, false) => format!("{seconds}s"),
            (minutes, true) if minutes < 120 => format!("{minutes}m"),
            (minutes, true) => format!("{}h", minutes.div_ceil(60)),
        }
    }

    /// A limit with a margin, in whole seconds, from two minutes on in whole minutes.
    pub(crate) fn rounded(seconds: f64) -> f64 {
        let seconds = MARGIN * seconds;
        let unit = if seconds < 120.0 { 1.0 } else { 60.0 };
        (seconds / unit).ceil().max(1.0) * unit
    }
}

/// Seconds in words.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
