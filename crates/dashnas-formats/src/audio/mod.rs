//! Sound: resampling and log-mel spectrograms.

pub mod logmel;
pub mod resample;

pub use crate::audio::logmel::{LogMel, LogMelSettings};
pub use crate::audio::resample::{resample, resampled_len};
