//! Parts of a data set and how they are divided further.

use super::{Array, Targets};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// Inputs with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Inputs, N×C×L or N×C×H×W.
    pub x: Array,
    /// Targets, one row a sample.
    pub y: Targets,
}

impl Split {
    /// Number of samples N.
    pub fn len(&self) -> usize {
        self.x.rows()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples at `indices`, in that order; an index may come more than once.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { x: self.x.select(indices), y: self.y.select(indices) }
    }
}

/// Divides the samples of some targets into training and validation indices, each ascending: about `fraction` of the
/// samples go to validation. Class targets are stratified: each class gives its own rounded share,
/// and every class with two or more samples is on both sides; a class with one sample stays in
/// training. Other targets are drawn uniformly, at least one sample on each side if there are two.
///
/// The outcome depends on the targets, `fraction` and `seed` alone. A `fraction` of 0 or less
/// (or NaN) leaves validation empty.
pub fn split_validation(targets: &Targets, fraction: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    if fraction.is_nan() || fraction <= 0.0 {
        return ((0..targets.rows()).collect(), Vec::new());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let groups = match targets {
        Targets::Classes(labels) => {
            let classes = labels.iter().max().map_or(0, |&m| m as usize + 1);
            let mut groups = vec![Vec::new(); classes];
            for (i, &label) in labels.iter().enumerate() {
                groups[label as usize].push(i);
            }
            groups
        }
        Targets::Values(_) => vec![(0..targets.rows()).collect::<Vec<_>>()],
    };
    let (mut train, mut val) = (Vec::new(), Vec::new());
    for mut group in groups {
        group.shuffle(&mut rng);
        let n = group.len();
        let take = if n < 2 { 0 } else { ((n as f64 * fraction).round() as usize).clamp(1, n - 1) };
        val.extend_from_slice(&group[..take]);
        train.extend_from_slice(&group[take..]);
    }
    train.sort_unstable();
    val.sort_unstable();
    (train, val)
}

/// A uniform sample without replacement of `fraction` of the indices `0..n`, ascending; at least
/// one index if `n` is not 0, all of them if `fraction` is 1 or more.
pub fn subsample<R: Rng + ?Sized>(n: usize, fraction: f64, rng: &mut R) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..n).collect();
    let take = ((n as f64 * fraction).round() as usize).clamp(n.min(1), n);
    if take < n {
        let (chosen, _) = indices.partial_shuffle(rng, take);
        let mut chosen = chosen.to_vec();
        chosen.sort_unstable();
        return chosen;
    }
    indices
}
