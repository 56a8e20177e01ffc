//! The assignment of candidate weights to the taps of the mixed kernel.

use crate::kernels::simd::LANES;
use crate::{KernelSpace, TapSet};
use std::ops::Range;
use std::sync::Arc;

/// Marks a weight whose tap cannot reach the input and is therefore not used.
const UNREACHABLE: u32 = u32::MAX;

/// The map from the flat weights of a space to the taps of its mixed kernel, for one input size.
///
/// With T flat weights for each pair of channels and U taps, the mixed kernel is `m[u] = Σ_{(i,t) → u} c_i · w[t]`,
/// where weight t belongs to candidate i.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MixPlan {
    taps: Arc<TapSet>,
    /// The tap of each flat weight, or [`UNREACHABLE`].
    targets: Vec<u32>,
    /// The range of flat weights of each candidate.
    blocks: Vec<Range<usize>>,
}

/// Consecutive weights of a candidate that lie in one vector of [`LANES`].
pub(super) struct Section<'a> {
    /// The index of the candidate.
    pub candidate: usize,
    /// The index of the first weight.
    pub start: usize,
    /// The taps of the weights, or an index past the end of the taps for weights that cannot reach the input.
    pub targets: &'a [u32],
}

impl MixPlan {
    /// Creates the plan of a space in `dims` dimensions (1 or 2) for inputs of the given height and width. The height
    /// is 1 in one dimension.
    ///
    /// # Panics
    /// If `dims` is not 1 or 2, or 2 in a causal space, or if the input is empty: the callers check all of it.
    pub fn new(space: &KernelSpace, dims: usize, input: [usize; 2]) -> Self {
        assert!(input[0] > 0 && input[1] > 0, "an empty input has no reachable taps");
        let lattices: Vec<TapSet> = space.candidates().iter().map(|&c| space.taps(c, dims)).collect();
        let taps = TapSet::union(&lattices).reachable(input);
        let mut targets = Vec::with_capacity(space.weights_per_channel_pair(dims));
        let mut blocks = Vec::with_capacity(lattices.len());
        for lattice in &lattices {
            let start = targets.len();
            targets.extend(lattice.offsets().iter().map(|&o| taps.position(o).map_or(UNREACHABLE, |u| u as u32)));
            blocks.push(start..targets.len());
        }
        Self { taps: Arc::new(taps), targets, blocks }
    }

    /// The taps of the mixed kernel: the reachable union. It is never empty, because every kernel has a tap at the output position.
    pub fn taps(&self) -> &Arc<TapSet> {
        &self.taps
    }

    /// T, the number of flat weights for each pair of channels.
    pub fn weights(&self) -> usize {
        self.targets.len()
    }

    /// The number of candidates, |K|·|D|.
    pub fn candidates(&self) -> usize {
        self.blocks.len()
    }

    /// The range of flat weights of each candidate, in order.
    pub fn blocks(&self) -> &[Range<usize>] {
        &self.blocks
    }

    /// The tap to which a flat weight is added, or `None` if it cannot reach the input.
    pub fn target(&self, weight: usize) -> Option<usize> {
        Some(self.targets[weight]).filter(|&u| u != UNREACHABLE).map(|u| u as usize)
    }

    /// The weights of all candidates with their taps, in order, divided at the ends of vectors of weights.
    pub(super) fn sections(&self) -> Vec<Section<'_>> {
        let mut sections = Vec::new();
        for (candidate, block) in self.blocks.iter().enumerate() {
            let mut start = block.start;
            while start < block.end {
                let end = block.end.min((start / LANES + 1) * LANES);
                sections.push(Section { candidate, start, targets: &self.targets[start..end] });
                start = end;
            }
        }
        sections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lattices_collapse_and_trim() {
        let space = KernelSpace::for_1d();
        let plan = MixPlan::new(&space, 1, [1, 1000]);
        assert_eq!((plan.weights(), plan.candidates()), (220, 20));
        // Four lattices of 19 taps share the center, and dilations 1 and 7, or 3 and 15, share a few more.
        assert!(plan.taps().len() <= 4 * 19 && plan.taps().len() < 75, "{}", plan.taps().len());
        // On an input of length 1, only the center remains, once for each candidate.
        let tiny = MixPlan::new(&space, 1, [1, 1]);
        assert_eq!(tiny.taps().offsets(), &[[0, 0]]);
        assert_eq!((0..220).filter(|&t| tiny.target(t).is_some()).count(), 20);
    }

    #[test]
    fn every_weight_goes_to_its_own_offset() {
        let space = KernelSpace::baby();
        let plan = MixPlan::new(&space, 2, [4, 9]);
        for (candidate, block) in space.candidates().iter().zip(plan.blocks()) {
            let lattice = TapSet::lattice(candidate.k, candidate.d, 2);
            for (&offset, t) in lattice.offsets().iter().zip(block.clone()) {
                match plan.target(t) {
                    Some(u) => assert_eq!(plan.taps().offsets()[u], offset),
                    None => assert!(offset[0].abs() >= 4 || offset[1].abs() >= 9),
                }
            }
        }
    }
}
