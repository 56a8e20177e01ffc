//! The search space `S_{AggConv_{K,D}}`: the kernel sizes and dilations that are mixed (Eq. 1).

use crate::TapSet;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// One operation of the space: `Conv_{k,d}`, a convolution of kernel size k and dilation d.
///
/// It is displayed and parsed as `k,d` (for example `15,7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "RawCandidate")]
pub struct Candidate {
    /// The kernel size along each axis, which is odd.
    pub k: usize,
    /// The dilation along each axis, at least 1.
    pub d: usize,
}

impl Candidate {
    /// Creates `Conv_{k,d}`.
    ///
    /// # Errors
    /// If `k` is even, if `d` is zero, or if the offset of a tap would exceed an `i32`.
    pub fn new(k: usize, d: usize) -> Result<Self, SpaceError> {
        if k.is_multiple_of(2) {
            return Err(SpaceError::EvenKernelSize(k));
        }
        if d == 0 {
            return Err(SpaceError::ZeroDilation);
        }
        match (k / 2).checked_mul(d) {
            Some(radius) if i32::try_from(radius).is_ok() => Ok(Self { k, d }),
            _ => Err(SpaceError::TooWide { k, d }),
        }
    }

    /// The span of the taps along one axis, `(k − 1)·d + 1`.
    pub fn receptive_field(self) -> usize {
        self.k.saturating_sub(1) * self.d + 1
    }

    /// The number of taps of the kernel in `dims` dimensions: `k^dims`.
    pub fn taps(self, dims: usize) -> usize {
        // `dims` is 1 or 2 everywhere in this crate.
        self.k.pow(dims as u32)
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.k, self.d)
    }
}

impl FromStr for Candidate {
    type Err = SpaceError;

    fn from_str(s: &str) -> Result<Self, SpaceError> {
        let syntax = || SpaceError::Syntax(s.to_owned());
        let (k, d) = s.split_once(',').ok_or_else(syntax)?;
        Self::new(k.trim().parse().map_err(|_| syntax())?, d.trim().parse().map_err(|_| syntax())?)
    }
}

/// The reasons why kernel sizes and dilations do not form a space.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpaceError {
    /// K is empty.
    #[error("the space has no kernel sizes: at least one is needed")]
    NoKernelSizes,
    /// D is empty.
    #[error("the space has no dilations: at least one is needed")]
    NoDilations,
    /// A kernel has no center tap.
    #[error("kernel size {0} is not odd: only odd kernels have a center")]
    EvenKernelSize(usize),
    /// A dilation is zero, which would put every tap on the same element.
    #[error("dilation 0 is not defined: the smallest dilation is 1")]
    ZeroDilation,
    /// A kernel size is listed twice.
    #[error("kernel size {0} is listed twice")]
    DuplicateKernelSize(usize),
    /// A dilation is listed twice.
    #[error("dilation {0} is listed twice")]
    DuplicateDilation(usize),
    /// Taps lie further than `i32::MAX` from the center.
    #[error("kernel size {k} with dilation {d} reaches too far: the limit is {max} from the center", max = i32::MAX)]
    TooWide {
        /// The kernel size.
        k: usize,
        /// The dilation.
        d: usize,
    },
    /// The text does not have the form `k,d`.
    #[error("{0:?} is not a kernel size and a dilation, such as \"15,7\"")]
    Syntax(String),
}

/// The kernel sizes K and the dilations D of an `AggConv_{K,D}`.
///
/// Its |K|·|D| candidates are ordered k-major: candidate `i = i_k·|D| + i_d` is `Conv_{K[i_k], D[i_d]}`. Architecture
/// parameters, mixing coefficients and the blocks of the flat weight tensor all have this order.
///
/// ```
/// # use aggconv::KernelSpace;
/// let space = KernelSpace::new([3, 5], [1, 2])?;
/// let names: Vec<String> = space.candidates().iter().map(|c| c.to_string()).collect();
/// assert_eq!(names, ["3,1", "3,2", "5,1", "5,2"]);
/// assert_eq!(space.support(), 9);
/// # Ok::<(), aggconv::SpaceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawSpace", into = "RawSpace")]
pub struct KernelSpace {
    kernel_sizes: Vec<usize>,
    dilations: Vec<usize>,
    candidates: Vec<Candidate>,
    /// Whether the kernels see no later positions.
    causal: bool,
}

impl KernelSpace {
    /// Creates the space of all pairs of the given kernel sizes and dilations, in the given order.
    ///
    /// # Errors
    /// If a list is empty or contains duplicates, if a kernel size is even, or if a dilation is zero.
    pub fn new(
        kernel_sizes: impl IntoIterator<Item = usize>,
        dilations: impl IntoIterator<Item = usize>,
    ) -> Result<Self, SpaceError> {
        let kernel_sizes: Vec<usize> = kernel_sizes.into_iter().collect();
        let dilations: Vec<usize> = dilations.into_iter().collect();
        if kernel_sizes.is_empty() {
            return Err(SpaceError::NoKernelSizes);
        }
        if dilations.is_empty() {
            return Err(SpaceError::NoDilations);
        }
        if let Some(k) = first_duplicate(&kernel_sizes) {
            return Err(SpaceError::DuplicateKernelSize(k));
        }
        if let Some(d) = first_duplicate(&dilations) {
            return Err(SpaceError::DuplicateDilation(d));
        }
        let mut candidates = Vec::with_capacity(kernel_sizes.len() * dilations.len());
        for &k in &kernel_sizes {
            for &d in &dilations {
                candidates.push(Candidate::new(k, d)?);
            }
        }
        Ok(Self { kernel_sizes, dilations, candidates, causal: false })
    }

    /// Creates the space by the rule of §3.3: `K = {3 + step·(p−1) | 1 ≤ p ≤ p_max}` and
    /// `D = {2^q − 1 | 1 ≤ q ≤ q_max}`.
    ///
    /// # Errors
    /// If the resulting sets do not form a space: if `p_max` or `q_max` is 0, or if `step` is odd or 0.
    pub fn from_rule(step: usize, p_max: usize, q_max: usize) -> Result<Self, SpaceError> {
        // 2^q − 1 fits the tap offsets for q ≤ 30. The first larger q is rejected as too wide.
        let dilations = (1..=q_max.min(31)).map(|q| if q < 31 { (1usize << q) - 1 } else { usize::MAX });
        Self::new((0..p_max).map(|p| step.saturating_mul(p).saturating_add(3)), dilations)
    }

    /// The paper's space for one-dimensional tasks: K = {3, 7, 11, 15, 19}, D = {1, 3, 7, 15}.
    pub fn for_1d() -> Self {
        Self::from_rule(4, 5, 4).expect("the paper's constants make a space")
    }

    /// The paper's space for two-dimensional tasks: K = {3, 5, 7, 9}, D = {1, 3, 7, 15}.
    pub fn for_2d() -> Self {
        Self::from_rule(2, 4, 4).expect("the paper's constants make a space")
    }

    /// The space of the paper's BABY DASH baseline, which is that of DARTS: K = {3, 5}, D = {1, 2}.
    pub fn baby() -> Self {
        Self::new([3, 5], [1, 2]).expect("the paper's constants make a space")
    }

    /// The same space with causal kernels, which see the output position and those before it. Only one-dimensional layers
    /// can have them.
    ///
    /// # Errors
    /// If the offset of a tap would exceed an `i32`.
    pub fn causal(mut self) -> Result<Self, SpaceError> {
        let reaches = |c: &&Candidate| i32::try_from(c.receptive_field() - 1).is_err();
        if let Some(&Candidate { k, d }) = self.candidates.iter().find(reaches) {
            return Err(SpaceError::TooWide { k, d });
        }
        self.causal = true;
        Ok(self)
    }

    /// Whether the kernels see no later positions.
    pub fn is_causal(&self) -> bool {
        self.causal
    }

    /// The taps of a kernel in `dims` dimensions, in the row-major order of its weights.
    ///
    /// # Panics
    /// If `dims` is not 1 or 2, or if the space is causal and `dims` is 2: layers check both.
    pub fn taps(&self, candidate: Candidate, dims: usize) -> TapSet {
        if self.causal {
            assert!(dims == 1, "a causal space has one dimension");
            return TapSet::causal(candidate.k, candidate.d);
        }
        TapSet::lattice(candidate.k, candidate.d, dims)
    }

    /// K, in order.
    pub fn kernel_sizes(&self) -> &[usize] {
        &self.kernel_sizes
    }

    /// D, in order.
    pub fn dilations(&self) -> &[usize] {
        &self.dilations
    }

    /// The largest kernel size.
    pub fn largest_kernel_size(&self) -> usize {
        self.kernel_sizes.iter().copied().max().unwrap_or(1)
    }

    /// Whether a kernel is a part of the weights that all kernel sizes of a dilation share: its size is at most the
    /// largest one, and its dilation is in the space.
    pub fn shares(&self, candidate: Candidate) -> bool {
        candidate.k <= self.largest_kernel_size() && self.dilations.contains(&candidate.d)
    }

    /// All candidates `Conv_{k,d}` in k-major order.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The number of candidates, |K|·|D|.
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Always false: a space has at least one candidate.
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The index of `Conv_{k,d}`, if it is in the space.
    pub fn index_of(&self, candidate: Candidate) -> Option<usize> {
        self.candidates.iter().position(|&c| c == candidate)
    }

    /// The widest receptive field, `D̄ = max (k−1)·d + 1`: the side of the dense mixed kernel.
    pub fn support(&self) -> usize {
        self.candidates.iter().map(|c| c.receptive_field()).max().unwrap_or(1)
    }

    /// The number of weights of one pair of channels over all candidates: `T = Σ k^dims`. In one dimension this is the
    /// paper's K̄.
    pub fn weights_per_channel_pair(&self, dims: usize) -> usize {
        self.candidates.iter().map(|c| c.taps(dims)).sum()
    }
}

fn first_duplicate(values: &[usize]) -> Option<usize> {
    values.iter().enumerate().find(|&(i, v)| values[..i].contains(v)).map(|(_, &v)| v)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpace {
    kernel_sizes: Vec<usize>,
    dilations: Vec<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    causal: bool,
}

impl TryFrom<RawSpace> for KernelSpace {
    type Error = SpaceError;

    fn try_from(raw: RawSpace) -> Result<Self, SpaceError> {
        let space = Self::new(raw.kernel_sizes, raw.dilations)?;
        if raw.causal { space.causal() } else { Ok(space) }
    }
}

impl From<KernelSpace> for RawSpace {
    fn from(space: KernelSpace) -> Self {
        Self { kernel_sizes: space.kernel_sizes, dilations: space.dilations, causal: space.causal }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCandidate {
    k: usize,
    d: usize,
}

impl TryFrom<RawCandidate> for Candidate {
    type Error = SpaceError;

    fn try_from(raw: RawCandidate) -> Result<Self, SpaceError> {
        Self::new(raw.k, raw.d)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_spaces() {
        let one = KernelSpace::for_1d();
        assert_eq!(one.kernel_sizes(), [3, 7, 11, 15, 19]);
        assert_eq!(one.dilations(), [1, 3, 7, 15]);
        assert_eq!((one.len(), one.support()), (20, 271));
        assert_eq!(one.weights_per_channel_pair(1), 4 * 55, "K̄ = |D|·ΣK");
        let two = KernelSpace::for_2d();
        assert_eq!(two.kernel_sizes(), [3, 5, 7, 9]);
        assert_eq!((two.len(), two.support()), (16, 121));
        assert_eq!(two.weights_per_channel_pair(2), 4 * (9 + 25 + 49 + 81));
        assert_eq!(KernelSpace::baby().support(), 9);
    }

    #[test]
    fn candidates_are_k_major() {
        let space = KernelSpace::for_1d();
        for (ik, &k) in space.kernel_sizes().iter().enumerate() {
            for (id, &d) in space.dilations().iter().enumerate() {
                let candidate = Candidate { k, d };
                assert_eq!(space.candidates()[ik * 4 + id], candidate);
                assert_eq!(space.index_of(candidate), Some(ik * 4 + id));
            }
        }
        assert_eq!(space.index_of(Candidate { k: 5, d: 1 }), None);
    }

    #[test]
    fn invalid_spaces_are_rejected_with_the_value() {
        let bad = |k: &[usize], d: &[usize]| KernelSpace::new(k.to_vec(), d.to_vec()).unwrap_err();
        assert_eq!(bad(&[], &[1]), SpaceError::NoKernelSizes);
        assert_eq!(bad(&[3], &[]), SpaceError::NoDilations);
        assert_eq!(bad(&[3, 4], &[1]), SpaceError::EvenKernelSize(4));
        assert_eq!(bad(&[0], &[1]), SpaceError::EvenKernelSize(0));
        assert_eq!(bad(&[3], &[1, 0]), SpaceError::ZeroDilation);
        assert_eq!(bad(&[3, 5, 3], &[1]), SpaceError::DuplicateKernelSize(3));
        assert_eq!(bad(&[3], &[2, 7, 7]), SpaceError::DuplicateDilation(7));
        assert_eq!(bad(&[5], &[usize::MAX]), SpaceError::TooWide { k: 5, d: usize::MAX });
        assert_eq!(KernelSpace::from_rule(2, 2, 40).unwrap_err(), SpaceError::TooWide { k: 3, d: usize::MAX });
    }

    #[test]
    fn candidates_parse_what_they_display() {
        for candidate in KernelSpace::for_2d().candidates() {
            assert_eq!(candidate.to_string().parse(), Ok(*candidate));
        }
        assert_eq!(" 15, 7".parse(), Ok(Candidate { k: 15, d: 7 }));
        assert_eq!("15x7".parse::<Candidate>(), Err(SpaceError::Syntax("15x7".into())));
        assert_eq!("4,1".parse::<Candidate>(), Err(SpaceError::EvenKernelSize(4)));
    }

    #[test]
    fn serde_rejects_what_new_rejects() {
        let space = KernelSpace::baby();
        let json = serde_json::to_string(&space).unwrap();
        assert_eq!(json, r#"{"kernel_sizes":[3,5],"dilations":[1,2]}"#);
        assert_eq!(serde_json::from_str::<KernelSpace>(&json).unwrap(), space);
        let err = serde_json::from_str::<KernelSpace>(r#"{"kernel_sizes":[3,6],"dilations":[1]}"#).unwrap_err();
        assert!(err.to_string().contains("kernel size 6 is not odd"), "{err}");
        assert!(serde_json::from_str::<Candidate>(r#"{"k":2,"d":1}"#).is_err());
    }
}
