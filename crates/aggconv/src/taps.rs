//! Sets of kernel taps: the offsets, relative to an output position, that a convolution reads.

/// A sorted set of distinct tap offsets `(row, column)`.
///
/// `Conv_{k,d}` with odd k has taps at `(j − (k−1)/2)·d` on each axis. The mixed kernel of `AggConv_{K,D}` has the
/// union of these lattices. A one-dimensional tap has row 0.
///
/// ```
/// use aggconv::TapSet;
///
/// let taps = TapSet::union([&TapSet::lattice(3, 1, 1), &TapSet::lattice(3, 2, 1)]);
/// assert_eq!(taps.offsets(), [[0, -2], [0, -1], [0, 0], [0, 1], [0, 2]]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TapSet {
    offsets: Vec<[i32; 2]>,
}

impl TapSet {
    /// Creates the set of the given offsets, sorted by row and then by column, without duplicates.
    pub fn new(mut offsets: Vec<[i32; 2]>) -> Self {
        offsets.sort_unstable();
        offsets.dedup();
        Self { offsets }
    }

    /// Creates the taps of `Conv_{k,d}` in `dims` dimensions (1 or 2), in the row-major order of its weight tensor.
    ///
    /// # Panics
    /// If `k` is even, if `d` is 0, or if `dims` is not 1 or 2: callers have a validated kernel space.
    pub fn lattice(k: usize, d: usize, dims: usize) -> Self {
        assert!(k % 2 == 1 && d > 0, "Conv_{{{k},{d}}} has no centered lattice");
        assert!(dims == 1 || dims == 2, "{dims} dimensions: only 1 and 2 are defined");
        let axis: Vec<i32> = (0..k as i32).map(|j| (j - (k as i32 - 1) / 2) * d as i32).collect();
        let rows: &[i32] = if dims == 2 { &axis } else { &[0] };
        let offsets = rows.iter().flat_map(|&r| axis.iter().map(move |&c| [r, c])).collect();
        Self { offsets }
    }

    /// Creates the taps of a causal `Conv_{k,d}` in one dimension, which see the output position and those before it: at
    /// `(j − (k−1))·d`, in the order of its weights.
    ///
    /// # Panics
    /// If `k` or `d` is 0, or if an offset exceeds an `i32`: callers have checked both.
    pub fn causal(k: usize, d: usize) -> Self {
        assert!(k > 0 && d > 0, "Conv_{{{k},{d}}} has no taps");
        assert!(i32::try_from((k - 1).saturating_mul(d)).is_ok(), "Conv_{{{k},{d}}} reaches too far");
        Self { offsets: (0..k as i32).map(|j| [0, (j - (k as i32 - 1)) * d as i32]).collect() }
    }

    /// Creates the taps of a patch of k positions on each axis in `dims` dimensions, which begins at the output position:
    /// at 0, …, k − 1, in the row-major order of its weight tensor.
    ///
    /// # Panics
    /// If k is 0 or exceeds an `i32`, or if `dims` is not 1 or 2: callers have checked them.
    pub fn patch(k: usize, dims: usize) -> Self {
        assert!(k > 0 && i32::try_from(k).is_ok(), "a patch of {k} positions");
        assert!(dims == 1 || dims == 2, "{dims} dimensions: only 1 and 2 are defined");
        let rows = if dims == 2 { k } else { 1 };
        Self { offsets: (0..rows as i32).flat_map(|r| (0..k as i32).map(move |c| [r, c])).collect() }
    }

    /// The union of several sets.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a TapSet>) -> Self {
        Self::new(sets.into_iter().flat_map(|s| s.offsets.iter().copied()).collect())
    }

    /// The sorted offsets.
    pub fn offsets(&self) -> &[[i32; 2]] {
        &self.offsets
    }

    /// The number of taps.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether the set has no taps.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Only the taps that can touch an input of this size: `|offset| ≤ n − 1` on each axis. All other taps read nothing
    /// but zero padding.
    pub fn reachable(&self, input: [usize; 2]) -> Self {
        let reach = |o: i32, n: usize| (o.unsigned_abs() as usize) < n;
        Self {
            offsets: self.offsets.iter().copied().filter(|&[r, c]| reach(r, input[0]) && reach(c, input[1])).collect(),
        }
    }

    /// The index of an offset in the sorted order.
    pub fn position(&self, offset: [i32; 2]) -> Option<usize> {
        self.offsets.binary_search(&offset).ok()
    }

    /// The largest `|offset|` on each axis.
    pub fn radius(&self) -> [usize; 2] {
        self.offsets
            .iter()
            .fold([0, 0], |[a, b], &[r, c]| [a.max(r.unsigned_abs() as usize), b.max(c.unsigned_abs() as usize)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lattice_is_centered_and_in_weight_order() {
        assert_eq!(TapSet::lattice(3, 7, 1).offsets(), &[[0, -7], [0, 0], [0, 7]]);
        let two = TapSet::lattice(3, 2, 2);
        assert_eq!(two.len(), 9);
        assert_eq!(two.offsets()[1], [-2, 0]);
        assert_eq!(two, TapSet::new(two.offsets().to_vec()), "row-major order is sorted order");
        assert_eq!(two.radius(), [2, 2]);
        assert_eq!(TapSet::patch(2, 2).offsets(), [[0, 0], [0, 1], [1, 0], [1, 1]]);
        assert_eq!(TapSet::patch(3, 1).offsets(), [[0, 0], [0, 1], [0, 2]]);
        let causal = TapSet::causal(3, 7);
        assert_eq!(causal.offsets(), &[[0, -14], [0, -7], [0, 0]]);
        assert_eq!(causal, TapSet::new(causal.offsets().to_vec()));
    }

    #[test]
    fn union_shares_taps_and_reachable_drops_what_only_sees_padding() {
        let (a, b) = (TapSet::lattice(3, 1, 1), TapSet::lattice(5, 3, 1));
        let u = TapSet::union([&a, &b]);
        assert_eq!(u.offsets().iter().map(|o| o[1]).collect::<Vec<_>>(), [-6, -3, -1, 0, 1, 3, 6]);
        assert_eq!(u.reachable([1, 4]).offsets().iter().map(|o| o[1]).collect::<Vec<_>>(), [-3, -1, 0, 1, 3]);
        assert_eq!(u.position([0, 3]), Some(5));
        assert_eq!(u.position([0, 2]), None);
    }
}
