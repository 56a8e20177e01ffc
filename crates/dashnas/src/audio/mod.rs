//! Sound: sampling rates and log-mel spectrograms.

mod logmel;
mod resample;

pub use logmel::{LogMel, LogMelSettings};
pub use resample::{resample, resampled};
