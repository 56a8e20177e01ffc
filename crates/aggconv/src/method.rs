//! The ways of computing an AggConv: the paper's, to compare with, and the best.

use crate::kernels::{self, Algorithm};
use crate::mix::{self, Dilation, MixPlan};
use crate::{ConvGeometry, KernelSpace, TapSet};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A way of computing `AggConv_{K,D}`. All compute the same function, to rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The kernels are added up on the union of their taps, less those out of reach, and
    /// convolved once by the algorithm that fits the shape.
    #[default]
    Auto,
    /// Eq. 2: |K|·|D| convolutions, then their weighted sum.
    MixedResults,
    /// Eq. 3: the dense mixed kernel of side D̄ by zero padding, then one direct convolution.
    MixedWeights,
    /// Eq. 3 with the kernels dilated by Kronecker products (technique 3).
    MixedWeightsKronecker,
    /// Eq. 4: the dense mixed kernel by zero padding, then one convolution through the Fourier
    /// transform.
    Fourier,
    /// Eq. 4 with the kernels dilated by Kronecker products: the paper's DASH.
    FourierKronecker,
}

impl Method {
    /// Every method, for tests and benchmarks that try each.
    pub const ALL: &'static [Method] = &[
        Method::Auto,
        Method::MixedResults,
        Method::MixedWeights,
        Method::MixedWeightsKronecker,
        Method::Fourier,
        Method::FourierKronecker,
    ];

    /// The name it is displayed as, parsed from and serialized to.
    pub fn name(self) -> &'static str {
        match self {
            Method::Auto => "auto",
            Method::MixedResults => "mixed-results",
            Method::MixedWeights => "mixed-weights",
            Method::MixedWeightsKronecker => "mixed-weights-kronecker",
            Method::Fourier => "fourier",
            Method::FourierKronecker => "fourier-kronecker",
        }
    }

    /// How the method dilates kernels, if it builds the dense one.
    pub fn dilation(self) -> Option<Dilation> {
        match self {
            Method::Auto | Method::MixedResults => None,
            Method::MixedWeights | Method::Fourier => Some(Dilation::Zeropad),
            Method::MixedWeightsKronecker | Method::FourierKronecker => Some(Dilation::Kronecker),
        }
    }

    /// The convolutions that an AggConv is computed by, one for each candidate or a single one: `geometry` with the
    /// taps of each in place of its own.
    pub fn convolutions(self, space: &KernelSpace, dims: usize, geometry: &ConvGeometry) -> Vec<ConvGeometry> {
        let with = |taps: TapSet| ConvGeometry { taps: Arc::new(taps), ..geometry.clone() };
        match (self, self.dilation()) {
            (Method::MixedResults, _) => {
                space.candidates().iter().map(|c| with(TapSet::lattice(c.k, c.d, dims))).collect()
            }
            (_, Some(_)) => vec![with(mix::dense_taps(space, dims))],
            (_, None) => {
                let taps = MixPlan::new(space, dims, geometry.input).taps().clone();
                vec![ConvGeometry { taps, ..geometry.clone() }]
            }
        }
    }

    /// The kernel that a method asks for on a geometry.
    pub fn algorithm(self, geometry: &ConvGeometry) -> Algorithm {
        match self {
            Method::Auto => kernels::select(geometry),
            Method::MixedResults | Method::MixedWeights | Method::MixedWeightsKronecker => Algorithm::Direct,
            Method::Fourier | Method::FourierKronecker => Algorithm::Fourier,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no [`Method`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown method {0:?}: expected one of auto, mixed-results, mixed-weights, mixed-weights-kronecker, fourier, fourier-kronecker"
)]
pub struct UnknownMethod(pub String);

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(s: &str) -> Result<Self, UnknownMethod> {
        Self::ALL.iter().copied().find(|m| m.name() == s).ok_or_else(|| UnknownMethod(s.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_method_has_its_convolutions() {
        let space = KernelSpace::new([3, 5], [1, 3]).unwrap();
        let taps = Arc::new(TapSet::lattice(1, 1, 1));
        let g = ConvGeometry { batch: 2, c_in: 3, c_out: 4, groups: 1, input: [1, 5], stride: [1, 1], taps };
        let taps = |method: Method| -> Vec<usize> {
            method.convolutions(&space, 1, &g).iter().map(|g| g.taps.len()).collect()
        };
        assert_eq!(taps(Method::MixedResults), [3, 3, 5, 5]);
        assert_eq!(taps(Method::MixedWeights), [13], "the dense kernel of side (5 - 1) * 3 + 1");
        assert_eq!(taps(Method::FourierKronecker), [13]);
        assert_eq!(taps(Method::Auto), [7], "-3 to 3: +-6 is out of reach");
    }

    #[test]
    fn names_agree_everywhere() {
        for &method in Method::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{method}\""));
            assert!(UnknownMethod(String::new()).to_string().contains(method.name()));
        }
        assert_eq!("dash".parse::<Method>(), Err(UnknownMethod("dash".into())));
    }
}
