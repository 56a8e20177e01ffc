//! Samples in files of their own: images, and sound as log-mel spectrograms.

pub(crate) mod images;
pub mod sound;
