//! Row spectra that are saved for the backward pass.

use crate::kernels::scratch::Scratch;

/// The row spectra of an input, one buffer for each group of channels, saved from the forward to the backward pass.
#[derive(Debug)]
pub struct SavedSpectra(pub(super) Vec<Scratch>);
