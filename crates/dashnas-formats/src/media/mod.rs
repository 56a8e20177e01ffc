//! Samples in files of their own: images, and sound as log-mel spectrograms.

mod decode;
mod defect;
pub(crate) mod images;
mod jpeg;
pub(crate) mod mask_values;
pub mod sound;
mod tiff_directory;
mod wav;
