//! The statistics of a bench, as pure functions. Errors and losses are better if they are lower; those of a network whose
//! training failed are infinite.

use dashnas_core::rng::Seed;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Resamples of the bootstrap.
pub const RESAMPLES: usize = 10_000;

/// The fraction of random networks that are worse than a network; ties count half.
fn rank(value: f64, random: &[f64]) -> f64 {
    let points = |other: &f64| match value.partial_cmp(other) {
        Some(Ordering::Less) => 1.0,
        Some(Ordering::Equal) => 0.5,
        _ => 0.0,
    };
    random.iter().map(points).sum::<f64>() / random.len() as f64
}

/// The percentage of random networks that are worse than a network of a group, ties counting half, on average over
/// the group. 50 is what a group of random networks reaches. `None` if one of the lists is empty, or if every training
/// failed, so that there is nothing to compare.
pub fn percentile(group: &[f64], random: &[f64]) -> Option<f64> {
    let trained = group.iter().chain(random).any(|value| value.is_finite());
    (trained && !group.is_empty() && !random.is_empty()).then(|| mean_rank(group, random))
}

/// The percentile of lists that are not empty.
fn mean_rank(group: &[f64], random: &[f64]) -> f64 {
    100.0 * group.iter().map(|&value| rank(value, random)).sum::<f64>() / group.len() as f64
}

/// The 95 % bootstrap interval of [`percentile`]: both lists are drawn anew, with replacement.
pub fn percentile_interval(group: &[f64], random: &[f64]) -> Option<[f64; 2]> {
    percentile(group, random)?;
    let mut stream = Seed(0).stream("bench/percentile", &[]);
    let mut draw =
        |values: &[f64]| -> Vec<f64> { values.iter().map(|_| values[stream.random_range(0..values.len())]).collect() };
    let mut drawn: Vec<f64> = Vec::with_capacity(RESAMPLES);
    for _ in 0..RESAMPLES {
        let (group, random) = (draw(group), draw(random));
        drawn.push(mean_rank(&group, &random));
    }
    drawn.sort_by(f64::total_cmp);
    Some([quantile(&drawn, 0.025)?, quantile(&drawn, 0.975)?])
}

/// A quantile of sorted values, interpolated between neighbors; `None` without values.
fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

/// The mean; `None` without values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The ratio of the mean errors of two groups, without the networks whose training failed. With `counted`, errors are
/// fractions of that number of samples, and both groups get half an error in one more sample, `(e + 1/2) / (n + 1)`, so
/// that no ratio is 0 or infinite.
pub fn ratio(group: &[f64], to: &[f64], counted: Option<usize>) -> Option<f64> {
    let smoothed = |values: &[f64]| {
        let finite = values.iter().filter(|v| v.is_finite());
        let of = |&error: &f64| match counted {
            Some(n) => (error * n as f64 + 0.5) / (n as f64 + 1.0),
            None => error,
        };
        mean(&finite.map(of).collect::<Vec<_>>())
    };
    let (group, to) = (smoothed(group)?, smoothed(to)?);
    (to > 0.0).then(|| group / to)
}

/// Kendall's rank correlation τ-b of pairs; `None` if one side has only one value.
pub fn kendall(pairs: &[(f64, f64)]) -> Option<f64> {
    let (mut concordance, mut differ) = (0i64, [0i64; 2]);
    for (i, a) in pairs.iter().enumerate() {
        for b in &pairs[i + 1..] {
            let order = |x: f64, y: f64| x.partial_cmp(&y).map_or(0, |order| order as i64);
            let (x, y) = (order(a.0, b.0), order(a.1, b.1));
            concordance += x * y;
            differ[0] += x.abs();
            differ[1] += y.abs();
        }
    }
    let scale = (differ[0] as f64 * differ[1] as f64).sqrt();
    (scale > 0.0).then(|| concordance as f64 / scale)
}

/// How often searches with different seeds choose alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The fraction of layers and pairs of seeds with the same kernel.
    pub kernel: f64,
    /// The fraction with the same kernel size.
    pub size: f64,
    /// The fraction with the same dilation.
    pub dilation: f64,
}

impl Agreement {
    /// The agreement of kernels `[k, d]` by layer; `None` for fewer than two seeds.
    pub fn of(seeds: &[&[[usize; 2]]]) -> Option<Self> {
        let layers = seeds.iter().map(|kernels| kernels.len()).min()?;
        let mut same = [0u64; 3];
        let mut pairs = 0u64;
        for (i, a) in seeds.iter().enumerate() {
            for b in &seeds[i + 1..] {
                for (a, b) in a.iter().zip(*b) {
                    same[0] += u64::from(a == b);
                    same[1] += u64::from(a[0] == b[0]);
                    same[2] += u64::from(a[1] == b[1]);
                }
                pairs += layers as u64;
            }
        }
        let [kernel, size, dilation] = same.map(|count| count as f64 / pairs as f64);
        (pairs > 0).then_some(Self { kernel, size, dilation })
    }

    /// The expected agreement of uniformly random kernels.
    pub fn by_chance(sizes: usize, dilations: usize) -> Self {
        let (size, dilation) = (1.0 / sizes.max(1) as f64, 1.0 / dilations.max(1) as f64);
        Self { kernel: size * dilation, size, dilation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_count_worse_networks_and_half_of_the_ties() {
        let random = [0.1, 0.2, 0.3, 0.4];
        assert_eq!(percentile(&[0.05], &random), Some(100.0));
        assert_eq!(percentile(&[0.2], &random), Some(62.5), "two are worse and one is equal");
        assert_eq!(percentile(&[0.5], &random), Some(0.0));
        assert_eq!(percentile(&[0.05, 0.2, 0.5], &random), Some((100.0 + 62.5) / 3.0));
        assert_eq!(percentile(&random, &random), Some(50.0));
        // Networks that failed are worse than all others and equal to each other.
        assert_eq!(percentile(&[0.5], &[0.1, f64::INFINITY]), Some(50.0));
        assert_eq!(percentile(&[f64::INFINITY], &[0.1, f64::INFINITY]), Some(25.0));
        assert_eq!((percentile(&[], &random), percentile(&[0.1], &[])), (None, None));
        // Where every training failed, there is nothing to compare.
        assert_eq!(percentile(&[f64::INFINITY; 2], &[f64::INFINITY; 3]), None);
        assert_eq!(percentile_interval(&[f64::INFINITY; 2], &[f64::INFINITY; 3]), None);
        assert_eq!(percentile(&[f64::INFINITY; 2], &[0.1, 0.2]), Some(0.0));
    }

    #[test]
    fn intervals_are_repeatable_and_contain_the_percentile() {
        let random = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
        let [low, high] = percentile_interval(&[0.15, 0.35], &random).expect("both lists have values");
        assert_eq!(percentile_interval(&[0.15, 0.35], &random), Some([low, high]));
        let mean = percentile(&[0.15, 0.35], &random).expect("both lists have values");
        assert!(low < mean && mean < high && low >= 0.0 && high <= 100.0, "{low} {mean} {high}");
        // The fraction of 8 draws above the only value is binomial with p = 7/8: 95 % of it is within 5/8 and 8/8.
        assert_eq!(percentile_interval(&[0.15], &random), Some([62.5, 100.0]));
        assert_eq!(percentile_interval(&[0.05], &random), Some([100.0, 100.0]));
        assert_eq!(percentile_interval(&[], &random), None);
    }

    #[test]
    fn quantiles_are_interpolated() {
        let values = [0.0, 1.0, 2.0, 4.0];
        assert_eq!([0.0, 0.5, 0.75, 1.0].map(|at| quantile(&values, at)), [0.0, 1.5, 2.5, 4.0].map(Some));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn ratios_of_counted_errors_are_smoothed() {
        // No error in 9 samples against 1 and 3: (0.5 / 10) / (2.5 / 10).
        let found = ratio(&[0.0], &[1.0 / 9.0, 3.0 / 9.0], Some(9)).expect("a ratio");
        assert!((found - 0.2).abs() < 1e-12, "{found}");
        assert_eq!(ratio(&[0.1, 0.3], &[0.4], None), Some(0.5));
        assert_eq!(ratio(&[0.1, f64::INFINITY], &[0.4, 0.0], None), Some(0.5));
        assert_eq!((ratio(&[], &[0.4], None), ratio(&[0.1], &[0.0], None)), (None, None));
    }

    #[test]
    fn rank_correlations_are_those_of_scipy() {
        let of = |x: &[f64], y: &[f64]| kendall(&x.iter().copied().zip(y.iter().copied()).collect::<Vec<_>>());
        let near = |found: Option<f64>, expected: f64| {
            assert!(found.is_some_and(|found| (found - expected).abs() < 1e-12), "{found:?}, not {expected}");
        };
        // scipy.stats.kendalltau of the same lists; the first is the example of its documentation.
        near(of(&[12.0, 2.0, 1.0, 12.0, 2.0], &[1.0, 4.0, 7.0, 1.0, 0.0]), -0.471_404_520_791_031_73);
        near(of(&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.0, 3.0, 2.0, 5.0, 4.0]), 0.6);
        near(of(&[1.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]), 5.0 / 30f64.sqrt());
        near(of(&[1.0, 2.0], &[2.0, 1.0]), -1.0);
        assert_eq!((of(&[1.0, 1.0], &[1.0, 2.0]), of(&[1.0], &[1.0]), of(&[], &[])), (None, None, None));
    }

    #[test]
    fn agreement_is_counted_over_layers_and_pairs_of_seeds() {
        let seeds: [&[[usize; 2]]; 3] = [&[[3, 1], [5, 1]], &[[3, 1], [5, 3]], &[[3, 3], [7, 3]]];
        let found = Agreement::of(&seeds).expect("three seeds");
        // Layer 1: kernel in one of three pairs, size in three, dilation in one. Layer 2: none, one and one.
        assert_eq!(found, Agreement { kernel: 1.0 / 6.0, size: 4.0 / 6.0, dilation: 2.0 / 6.0 });
        assert_eq!((Agreement::of(&seeds[..1]), Agreement::of(&[])), (None, None));
        assert_eq!(Agreement::by_chance(4, 2), Agreement { kernel: 0.125, size: 0.25, dilation: 0.5 });
    }
}
