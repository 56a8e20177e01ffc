//! Values that a forward pass saves for the backward pass.

use super::fourier::SavedSpectra;

/// Values derived from the input in the forward pass that the backward pass would otherwise compute again.
#[derive(Debug)]
pub struct SavedInput(pub(super) SavedSpectra);
