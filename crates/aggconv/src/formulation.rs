//! The formulations of AggConv: those of the paper, for comparison, and the fastest one.

use crate::kernels::{self, Algorithm};
use crate::mix::{self, Dilation, MixPlan};
use crate::{ConvGeometry, KernelSpace, TapSet};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A way to compute `AggConv_{K,D}`. All formulations compute the same function, up to rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Formulation {
    /// The kernels are added on the union of their taps, without those that cannot reach the input. The sum is
    /// convolved once, by the algorithm that is fastest for the shape.
    #[default]
    Auto,
    /// Eq. 2: |K|·|D| convolutions, followed by their weighted sum.
    MixedResults,
    /// Eq. 3: the dense mixed kernel of side D̄ by zero padding, followed by one direct convolution.
    MixedWeights,
    /// Eq. 3 with the kernels dilated by Kronecker products (technique 3).
    MixedWeightsKronecker,
    /// Eq. 4: the dense mixed kernel by zero padding, followed by one convolution through the Fourier transform.
    Fourier,
    /// Eq. 4 with the kernels dilated by Kronecker products: the paper's DASH.
    FourierKronecker,
}

impl Formulation {
    /// All formulations, for tests and benchmarks.
    pub const ALL: &'static [Formulation] = &[
        Formulation::Auto,
        Formulation::MixedResults,
        Formulation::MixedWeights,
        Formulation::MixedWeightsKronecker,
        Formulation::Fourier,
        Formulation::FourierKronecker,
    ];

    /// The name under which it is displayed, parsed and serialized.
    pub fn name(self) -> &'static str {
        match self {
            Formulation::Auto => "auto",
            Formulation::MixedResults => "mixed-results",
            Formulation::MixedWeights => "mixed-weights",
            Formulation::MixedWeightsKronecker => "mixed-weights-kronecker",
            Formulation::Fourier => "fourier",
            Formulation::FourierKronecker => "fourier-kronecker",
        }
    }

    /// The way in which the formulation dilates kernels, if it builds the dense kernel.
    pub fn dilation(self) -> Option<Dilation> {
        match self {
            Formulation::Auto | Formulation::MixedResults => None,
            Formulation::MixedWeights | Formulation::Fourier => Some(Dilation::Zeropad),
            Formulation::MixedWeightsKronecker | Formulation::FourierKronecker => Some(Dilation::Kronecker),
        }
    }

    /// The convolutions that compute an AggConv, one for each candidate or a single one: `geometry` with the taps of
    /// each convolution.
    pub fn convolutions(self, space: &KernelSpace, dims: usize, geometry: &ConvGeometry) -> Vec<ConvGeometry> {
        let with = |taps: TapSet| ConvGeometry { taps: Arc::new(taps), ..geometry.clone() };
        match (self, self.dilation()) {
            (Formulation::MixedResults, _) => space.candidates().iter().map(|&c| with(space.taps(c, dims))).collect(),
            (_, Some(_)) => vec![with(mix::dense_taps(space, dims))],
            (_, None) => {
                let taps = MixPlan::new(space, dims, geometry.input).taps().clone();
                vec![ConvGeometry { taps, ..geometry.clone() }]
            }
        }
    }

    /// The algorithm that a formulation uses for a geometry.
    pub fn algorithm(self, geometry: &ConvGeometry) -> Algorithm {
        match self {
            Formulation::Auto => kernels::select(geometry),
            Formulation::MixedResults | Formulation::MixedWeights | Formulation::MixedWeightsKronecker => {
                Algorithm::Direct
            }
            Formulation::Fourier | Formulation::FourierKronecker => Algorithm::Fourier,
        }
    }
}

impl fmt::Display for Formulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The error for a name that does not belong to a [`Formulation`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown formulation {0:?}: expected one of auto, mixed-results, mixed-weights, mixed-weights-kronecker, fourier, fourier-kronecker"
)]
pub struct UnknownFormulation(pub String);

impl FromStr for Formulation {
    type Err = UnknownFormulation;

    fn from_str(s: &str) -> Result<Self, UnknownFormulation> {
        Self::ALL.iter().copied().find(|m| m.name() == s).ok_or_else(|| UnknownFormulation(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_formulation_has_its_convolutions() {
        let space = KernelSpace::new([3, 5], [1, 3]).unwrap();
        let taps = Arc::new(TapSet::lattice(1, 1, 1));
        let g = ConvGeometry { batch: 2, c_in: 3, c_out: 4, groups: 1, input: [1, 5], stride: [1, 1], taps };
        let taps = |formulation: Formulation| -> Vec<usize> {
            formulation.convolutions(&space, 1, &g).iter().map(|g| g.taps.len()).collect()
        };
        assert_eq!(taps(Formulation::MixedResults), [3, 3, 5, 5]);
        assert_eq!(taps(Formulation::MixedWeights), [13], "the dense kernel of side (5 - 1) * 3 + 1");
        assert_eq!(taps(Formulation::FourierKronecker), [13]);
        assert_eq!(taps(Formulation::Auto), [7], "-3 to 3: +-6 is out of reach");
    }

    #[test]
    fn names_agree_everywhere() {
        for &formulation in Formulation::ALL {
            assert_eq!(formulation.to_string().parse(), Ok(formulation));
            assert_eq!(serde_json::to_string(&formulation).unwrap(), format!("\"{formulation}\""));
            assert!(UnknownFormulation(String::new()).to_string().contains(formulation.name()));
        }
        assert_eq!("dash".parse::<Formulation>(), Err(UnknownFormulation("dash".into())));
    }
}
