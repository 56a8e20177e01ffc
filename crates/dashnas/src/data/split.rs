//! Parts of a data set and how they are divided further.

use super::{Array, Targets};
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

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
/// With `groups`, one number a sample, whole groups go to one side or the other; where none is small enough to
/// come near the share, the smallest that leaves every class in training goes to validation. Validation is empty
/// only if there is no such group, or no class (or without classes: no) second sample.
///
/// The outcome depends on the targets, the groups, `fraction` and `seed` alone. A `fraction` of 0 or
/// less (or NaN) leaves validation empty.
pub fn split_validation(y: &Targets, groups: Option<&[u32]>, fraction: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    split_by(y.rows(), y.classes(), groups, fraction, seed)
}

/// [`split_validation`] of `n` samples by the classes to stratify by, if any.
pub(crate) fn split_by(
    n: usize,
    strata: Option<&[u32]>,
    groups: Option<&[u32]>,
    fraction: f64,
    seed: u64,
) -> (Vec<usize>, Vec<usize>) {
    if fraction.is_nan() || fraction <= 0.0 {
        return ((0..n).collect(), Vec::new());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (mut train, mut val) = match groups {
        Some(groups) => whole_groups(groups, strata, fraction, &mut rng),
        None => {
            let (mut train, mut val) = (Vec::new(), Vec::new());
            for mut stratum in strata.map_or_else(|| vec![(0..n).collect()], members) {
                stratum.shuffle(&mut rng);
                let n = stratum.len();
                let take = if n < 2 { 0 } else { ((n as f64 * fraction).round() as usize).clamp(1, n - 1) };
                val.extend_from_slice(&stratum[..take]);
                train.extend_from_slice(&stratum[take..]);
            }
            (train, val)
        }
    };
    train.sort_unstable();
    val.sort_unstable();
    (train, val)
}

/// The indices that have each number.
fn members(numbers: &[u32]) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); numbers.iter().max().map_or(0, |&m| m as usize + 1)];
    for (i, &number) in numbers.iter().enumerate() {
        members[number as usize].push(i);
    }
    members
}

/// Takes groups in random order into validation while that brings it nearer to its share, and
/// while every class keeps a sample in training.
fn whole_groups(
    groups: &[u32],
    strata: Option<&[u32]>,
    fraction: f64,
    rng: &mut ChaCha8Rng,
) -> (Vec<usize>, Vec<usize>) {
    let mut order: Vec<Vec<usize>> = members(groups).into_iter().filter(|g| !g.is_empty()).collect();
    order.shuffle(rng);
    let mut left: Vec<usize> = strata.map_or_else(|| vec![groups.len()], |s| members(s).iter().map(Vec::len).collect());
    let stratum = |i: usize| strata.map_or(0, |s| s[i] as usize);
    // What is left of each class without a group; `None` if that is nothing of some class.
    let without = |group: &[usize], left: &[usize]| {
        let mut after = left.to_vec();
        group.iter().for_each(|&i| after[stratum(i)] -= 1);
        let emptied = after.iter().zip(left).any(|(&after, &before)| after == 0 && before > 0);
        (!emptied).then_some(after)
    };
    let wanted = groups.len() as f64 * fraction;
    let (mut held, mut kept) = (Vec::new(), Vec::new());
    let mut taken = 0;
    for group in order {
        let nearer = (taken + group.len()) as f64 - wanted < wanted - taken as f64;
        match without(&group, &left).filter(|_| nearer) {
            Some(after) => {
                left = after;
                taken += group.len();
                held.push(group);
            }
            None => kept.push(group),
        }
    }
    if held.is_empty() {
        let free = (0..kept.len()).filter(|&g| without(&kept[g], &left).is_some());
        held.extend(free.min_by_key(|&g| kept[g].len()).map(|g| kept.remove(g)));
    }
    (kept.concat(), held.concat())
}

/// Draws `keep` of some rows, ascending: each stratum in proportion, and at least one row of every stratum as
/// long as there is room.
pub(crate) fn draw(rows: &[usize], strata: Option<&[u32]>, keep: usize, rng: &mut impl Rng) -> Vec<usize> {
    let of: Vec<u32> = rows.iter().map(|&row| strata.map_or(0, |s| s[row])).collect();
    // A stratum's rows lie evenly over the queue, the first of each before everything else.
    let mut queue = Vec::with_capacity(rows.len());
    for mut stratum in members(&of) {
        stratum.shuffle(rng);
        let n = stratum.len() as f64;
        let place = |i: usize| if i == 0 { -1.0 / n } else { (i as f64 + 0.5) / n };
        queue.extend(stratum.into_iter().enumerate().map(|(i, at)| (place(i), rows[at])));
    }
    queue.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut drawn: Vec<usize> = queue.into_iter().take(keep).map(|(_, row)| row).collect();
    drawn.sort_unstable();
    drawn
}

/// Numbers for names, from 0 in the order of first appearance.
pub(crate) fn groups_of(names: &[String]) -> Vec<u32> {
    let mut numbers = HashMap::new();
    names
        .iter()
        .map(|name| {
            let next = numbers.len() as u32;
            *numbers.entry(name.as_str()).or_insert(next)
        })
        .collect()
}
