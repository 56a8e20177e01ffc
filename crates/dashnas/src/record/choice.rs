//! How the kernels of a run were chosen.

use dashnas_nn::architecture::Architecture;
use serde::{Deserialize, Serialize};

/// A weight of a kernel below this multiple of an equal share is no preference.
const PREFERENCE: f64 = 1.5;

/// What came of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchResult {
    /// It found kernels that it prefers.
    Searched,
    /// It prefers no kernels: a race cannot tell its winner from the plain network, or a supernet prefers no kernel in at
    /// least half of its layers.
    Undecided,
    /// The plain network won the race.
    Plain,
    /// There was no search.
    NotSearched,
    /// The configuration gives the kernels.
    Given,
}

/// How the kernels of a network were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by")]
pub enum KernelChoice {
    /// They won a race of networks; the record of the race says how sure that is.
    Race,
    /// They are the most probable ones of the supernet.
    Supernet {
        /// The probability of the chosen kernel in each layer.
        shares: Vec<f64>,
        /// The probability of each kernel before the search.
        chance: f64,
    },
    /// The configuration gives them.
    Given,
    /// There was no search, so that they are those of the plain network.
    NotSearched,
}

impl KernelChoice {
    /// The choice of an architecture by what a run directory has: whether there was a race, and whether a supernet was
    /// trained. A layer of the supernet had this many kernels.
    pub fn of(architecture: &Architecture, given: bool, race: bool, supernet: bool, candidates: usize) -> Self {
        match (given, race, supernet) {
            (true, ..) => KernelChoice::Given,
            (_, true, _) => KernelChoice::Race,
            (.., true) => KernelChoice::Supernet {
                shares: architecture.probabilities.clone(),
                chance: 1.0 / candidates.max(1) as f64,
            },
            _ => KernelChoice::NotSearched,
        }
    }

    /// Whether the search prefers none of the kernels of a layer to the others.
    pub fn undecided(&self, layer: usize) -> bool {
        match self {
            KernelChoice::Supernet { shares, chance } => {
                shares.get(layer).is_some_and(|share| *share < PREFERENCE * chance)
            }
            _ => false,
        }
    }

    /// The number of layers that are undecided, and the number of all; `None` if the search was no supernet.
    pub fn undecided_layers(&self) -> Option<[usize; 2]> {
        match self {
            KernelChoice::Supernet { shares, .. } => {
                Some([(0..shares.len()).filter(|&layer| self.undecided(layer)).count(), shares.len()])
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_is_hardly_more_probable_than_chance_is_no_preference() {
        let choice = KernelChoice::Supernet { shares: vec![0.053, 0.4, 0.074], chance: 0.05 };
        assert_eq!((0..4).map(|layer| choice.undecided(layer)).collect::<Vec<_>>(), [true, false, true, false]);
        assert_eq!((choice.undecided_layers(), KernelChoice::Race.undecided_layers()), (Some([2, 3]), None));
    }
}
