//! The three transforms by name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A transform of series into features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// ROCKET (Dempster, Petitjean and Webb 2020): kernels with random weights, lengths, dilations and padding.
    Rocket,
    /// MiniRocket (Dempster, Schmidt and Webb 2021): 84 fixed kernels of length 9; their biases come from the data.
    MiniRocket,
    /// MultiRocket (Tan, Dempster, Bergmeir and Webb 2022): the kernels of MiniRocket on the series and on its
    /// differences, with four features for each bias.
    MultiRocket,
}

impl Kind {
    /// All transforms, in the order of their publication.
    pub const ALL: [Self; 3] = [Self::Rocket, Self::MiniRocket, Self::MultiRocket];

    /// Returns the name as its authors write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rocket => "ROCKET",
            Self::MiniRocket => "MiniRocket",
            Self::MultiRocket => "MultiRocket",
        }
    }

    /// Returns the smallest number of steps of a series: the largest kernel with the dilation 1 must fit into it, and
    /// MultiRocket also needs this for the differences, which have one step less.
    pub fn min_length(self) -> usize {
        match self {
            Self::Rocket => 11,
            Self::MiniRocket => 9,
            Self::MultiRocket => 10,
        }
    }

    /// Returns the number of kernels that the authors use. A kernel of MiniRocket or MultiRocket is a convolution with
    /// a bias. The number of features is twice this for ROCKET, about this for MiniRocket, and about eight times this
    /// for MultiRocket.
    pub fn default_kernels(self) -> usize {
        match self {
            Self::Rocket | Self::MiniRocket => 10_000,
            Self::MultiRocket => 6250,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
