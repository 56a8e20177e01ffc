//! The transforms by name.

use serde::{Deserialize, Serialize};

/// A transform of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// Scales each channel of each sample to mean 0 and standard deviation 1 over its own points.
    StandardizeSamples,
    /// Projects images onto the sphere, each with a random rotation of its own (Cohen et al. 2018; the Spherical task),
    /// on a grid of 60 polar angles and 60 azimuths.
    Spherical,
    /// Turns images into series, row after row: the sequential image tasks of the paper's speed test (A.3).
    Flatten,
    /// Permutes the points of every sample in the same random order.
    Permute,
}

impl Transform {
    /// Every transform.
    pub const ALL: [Transform; 4] =
        [Transform::StandardizeSamples, Transform::Spherical, Transform::Flatten, Transform::Permute];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Transform::StandardizeSamples => "standardize-samples",
            Transform::Spherical => "spherical",
            Transform::Flatten => "flatten",
            Transform::Permute => "permute",
        }
    }
}
