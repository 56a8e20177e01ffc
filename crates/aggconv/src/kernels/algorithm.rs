//! The algorithms that compute a convolution.

use crate::ConvGeometry;
use serde::{Deserialize, Serialize};

/// An algorithm that computes a convolution. Which one is fastest depends on the shape: see
/// [`select`](super::select()).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The definition, as nested loops. The reference for tests.
    Naive,
    /// Tap by tap, vectorized along rows.
    Direct,
    /// By the discrete Fourier transform (Eq. 4).
    Fourier,
}

impl Algorithm {
    /// All algorithms, for tests and benchmarks.
    pub const ALL: &'static [Algorithm] = &[Algorithm::Naive, Algorithm::Direct, Algorithm::Fourier];

    /// The name under which it is serialized and selected.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Naive => "naive",
            Algorithm::Direct => "direct",
            Algorithm::Fourier => "fourier",
        }
    }

    /// Whether this algorithm can compute this geometry.
    pub fn supports(self, geometry: &ConvGeometry) -> bool {
        match self {
            Algorithm::Naive | Algorithm::Direct => true,
            // Without a reachable tap there is nothing to transform.
            Algorithm::Fourier => !geometry.taps.reachable(geometry.input).is_empty(),
        }
    }
}
