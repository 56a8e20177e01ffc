//! The splits of a data set, and dividing samples into splits.

use crate::targets::Targets;
use dashnas_formats::array::Array;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

/// Inputs with their targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Inputs, N×C×L or N×C×H×W.
    pub x: Array,
    /// Targets, one row per sample.
    pub y: Targets,
}

impl Split {
    /// Number of samples N.
    pub fn len(&self) -> usize {
        self.x.rows()
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples at `indices`, in that order; an index may be repeated.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select(&self, indices: &[usize]) -> Self {
        Self { x: self.x.select(indices), y: self.y.select(indices) }
    }
}

/// Divides samples into training and validation indices, each ascending; about `fraction` of the samples go to
/// validation. Class targets are stratified: each class contributes its own rounded share, every class with two or
/// more samples is on both sides, and a class with one sample stays in training. Other targets are drawn uniformly,
/// with at least one sample on each side if there are two.
///
/// With `groups`, one number per sample, groups are never divided; classes are stratified as far as the groups allow it. If
/// no group is small enough to come near the fraction, the one that comes nearest and leaves every class in training goes
/// to validation. Validation is empty only if there is no such group or, without groups, if no class (or, without classes,
/// the data set) has a second sample.
///
/// The result depends on the targets, the groups, `fraction` and `seed` alone. A `fraction` of 0 or
/// less (or NaN) leaves validation empty.
pub fn split_validation(y: &Targets, groups: Option<&[u32]>, fraction: f64, seed: u64) -> (Vec<usize>, Vec<usize>) {
    split_by(y.rows(), y.classes(), groups, fraction, seed)
}

/// Divides `n` samples as [`split_validation`] does, stratified by `strata` if given.
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

/// Divides samples by their times: about `fraction` of them, the last ones, go to the second part. Samples of the same
/// time stay together, and so do those of one group, which has the time of its last sample. Both parts are ascending,
/// and the second is empty only if there is one time (or group) in all.
pub fn split_by_time(times: &[f64], groups: Option<&[u32]>, fraction: f64) -> (Vec<usize>, Vec<usize>) {
    let n = times.len();
    if fraction.is_nan() || fraction <= 0.0 {
        return ((0..n).collect(), Vec::new());
    }
    // The time of each sample, or of its group.
    let mut last: HashMap<u32, f64> = HashMap::new();
    for (&group, &time) in groups.into_iter().flatten().zip(times) {
        let of_group = last.entry(group).or_insert(time);
        *of_group = of_group.max(time);
    }
    let time = |i: usize| groups.map_or(times[i], |groups| last[&groups[i]]) + 0.0;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&a, &b| time(b).total_cmp(&time(a)).then(a.cmp(&b)));
    let wanted = n as f64 * fraction;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for block in order.chunk_by(|&a, &b| time(a) == time(b)) {
        let nearer = (second.len() + block.len()) as f64 - wanted < wanted - second.len() as f64;
        // Whatever is before the first block that stays is also in the first part.
        let taken = first.is_empty() && (nearer || second.is_empty()) && second.len() + block.len() < n;
        if taken { second.extend_from_slice(block) } else { first.extend_from_slice(block) }
    }
    first.sort_unstable();
    second.sort_unstable();
    (first, second)
}

/// Divides samples into folds of equal size, as far as that is possible, and gives the number of the fold of each
/// sample, from 0. Each class has its share of every fold, and groups are not divided. Samples without which a class
/// would be empty are in no fold.
pub(crate) fn folds(
    n: usize,
    strata: Option<&[u32]>,
    groups: Option<&[u32]>,
    folds: usize,
    seed: u64,
) -> Vec<Option<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut of = vec![None; n];
    let strata = strata.map_or_else(|| vec![0; n], <[u32]>::to_vec);
    let classes: Vec<usize> = members(&strata).iter().map(Vec::len).collect();
    let folds = folds.max(1);
    let Some(groups) = groups else {
        // The classes are dealt one after another, so that the folds do not differ by more than one.
        let mut next = 0;
        for mut class in members(&strata) {
            class.shuffle(&mut rng);
            for i in class.iter().copied().filter(|_| class.len() > 1) {
                of[i] = Some(next % folds);
                next += 1;
            }
        }
        return of;
    };
    let mut units: Vec<Vec<usize>> = members(groups).into_iter().filter(|group| !group.is_empty()).collect();
    units.shuffle(&mut rng);
    units.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let mut held = vec![vec![0usize; classes.len()]; folds];
    for group in units {
        let mut counts = vec![0usize; classes.len()];
        group.iter().for_each(|&i| counts[strata[i] as usize] += 1);
        if counts.iter().zip(&classes).any(|(&count, &all)| count > 0 && count == all) {
            continue;
        }
        // The fold in which the shares of the classes remain the most equal.
        let rise = |fold: &Vec<usize>| -> f64 {
            let of_class = |c: usize| {
                let (had, gets) = (fold[c] as f64, counts[c] as f64);
                ((had + gets).powi(2) - had.powi(2)) / classes[c].max(1) as f64
            };
            (0..classes.len()).map(of_class).sum()
        };
        let best = (0..folds).min_by(|&a, &b| rise(&held[a]).total_cmp(&rise(&held[b]))).unwrap_or(0);
        held[best].iter_mut().zip(&counts).for_each(|(had, gets)| *had += gets);
        group.iter().for_each(|&i| of[i] = Some(best));
    }
    of
}

/// The indices of each number.
fn members(numbers: &[u32]) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); numbers.iter().max().map_or(0, |&m| m as usize + 1)];
    for (i, &number) in numbers.iter().enumerate() {
        members[number as usize].push(i);
    }
    members
}

/// Moves groups in random order to validation as long as that brings the share of every class, and the size of the whole,
/// nearer to `fraction` (by the sum of the squared differences, each in proportion to its number), and every class keeps a
/// sample in training. Of each class that validation lacks then, it gets the group that changes the shares the least, if
/// it remains the smaller part.
fn whole_groups(
    groups: &[u32],
    strata: Option<&[u32]>,
    fraction: f64,
    rng: &mut ChaCha8Rng,
) -> (Vec<usize>, Vec<usize>) {
    let mut kept: Vec<Vec<usize>> = members(groups).into_iter().filter(|g| !g.is_empty()).collect();
    kept.shuffle(rng);
    let classes: Vec<usize> = strata.map_or_else(|| vec![groups.len()], |s| members(s).iter().map(Vec::len).collect());
    let stratum = |i: usize| strata.map_or(0, |s| s[i] as usize);
    // The samples of each class that are held out with a group; `None` if training would lose a class.
    let with = |group: &[usize], held: &[usize]| {
        let mut after = held.to_vec();
        group.iter().for_each(|&i| after[stratum(i)] += 1);
        let emptied = after.iter().zip(held).zip(&classes).any(|((after, before), all)| after > before && after == all);
        (!emptied).then_some(after)
    };
    // How far the numbers of samples held out are from the fraction.
    let distance = |held: &[usize]| -> f64 {
        let of = |held: usize, all: usize| (held as f64 - all as f64 * fraction).powi(2) / all.max(1) as f64;
        let total = of(held.iter().sum(), groups.len());
        held.iter().zip(&classes).map(|(&held, &all)| of(held, all)).sum::<f64>() + total
    };
    let mut held = vec![0; classes.len()];
    let mut moved: Vec<Vec<usize>> = Vec::new();
    kept.retain_mut(|group| match with(group, &held).filter(|after| distance(after) < distance(&held)) {
        Some(after) => {
            held = after;
            moved.push(std::mem::take(group));
            false
        }
        None => true,
    });
    for class in 0..classes.len() {
        if held[class] > 0 || classes[class] == 0 {
            continue;
        }
        let fits = |group: &Vec<usize>| {
            let after = with(group, &held).filter(|after| after[class] > 0)?;
            (2 * after.iter().sum::<usize>() <= groups.len() || moved.is_empty()).then(|| distance(&after))
        };
        let nearest = (0..kept.len()).filter_map(|g| Some((g, fits(&kept[g])?))).min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((g, _)) = nearest {
            kept[g].iter().for_each(|&i| held[stratum(i)] += 1);
            moved.push(kept.remove(g));
        }
    }
    (kept.concat(), moved.concat())
}

/// Draws `keep` of the given rows, ascending: each stratum in proportion, and at least one row of every stratum if
/// `keep` allows it.
pub fn draw(rows: &[usize], strata: Option<&[u32]>, keep: usize, rng: &mut impl Rng) -> Vec<usize> {
    let of: Vec<u32> = rows.iter().map(|&row| strata.map_or(0, |s| s[row])).collect();
    // The rows of a stratum are spread evenly over the queue; the first row of each precedes all others.
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

/// Numbers the names from 0 in the order of their first appearance.
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
