//! Comparisons on the test split: of the networks of a run with each other and with guessing.

use crate::evaluation::statistics::{
    DRAWS, FEWEST, GROUP_DRAWS, TAIL, WORK, corrected, effective, expanded_tail, mcnemar, means, percentiles,
    student_quantile, two_sided, wilson,
};
use crate::record::paired::{
    FEWEST_GROUPS, GroupCount, Interval, IntervalMethod, Judgement, NoInterval, Paired, PairedTest,
};
use dashnas_core::math::argmax;
use dashnas_core::metric::{self, MetricError, Predictions, Scale, Truth};
use dashnas_core::rng::{Seed, Stream};
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::groups::GroupKind;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use rand::RngExt;

/// The parts of the samples that are left out in turn.
const PARTS: usize = 20;

/// Test samples with their targets, on which networks are scored and compared.
#[derive(Debug, Clone, Copy)]
pub struct OnTest<'a> {
    /// The task.
    pub task: TaskKind,
    /// The metric.
    pub metric: Metric,
    /// The targets.
    pub truth: &'a Targets,
    /// The weights of the samples, if they have any.
    pub weights: Option<&'a [f32]>,
    /// The groups of the samples, if they have any.
    pub groups: Option<SampleGroups<'a>>,
    /// The seed of the draws of a bootstrap.
    pub seed: u64,
}

/// The groups of some samples, which are alike within a group.
#[derive(Debug, Clone, Copy)]
pub struct SampleGroups<'a> {
    /// What the groups are.
    pub are: GroupKind,
    /// The number of the group of each sample.
    pub numbers: &'a [u32],
}

/// Groups with more samples than one, which are drawn as a whole.
struct Clusters {
    count: GroupCount,
    /// The samples of each group.
    rows: Vec<Vec<usize>>,
}

impl OnTest<'_> {
    /// Compares the predictions `[samples, outputs, positions]` of a network with those of the plain one and with constant
    /// ones. What is not defined is left out.
    pub(super) fn judge(&self, network: &Array, plain: Option<&Array>, guess: Option<&[f32]>) -> Judgement {
        let guesses = guess.map(|guess| {
            let positions = network.row_len() / guess.len().max(1);
            let row: Vec<f32> = guess.iter().flat_map(|&value| std::iter::repeat_n(value, positions)).collect();
            Array::new(network.shape.clone(), row.repeat(network.rows()))
        });
        let clusters = self.clusters();
        let clusters = clusters.as_ref();
        let compare = |other: &Array| self.compare(network, other, clusters);
        let interval = self.interval(network, clusters);
        Judgement {
            groups: clusters.map(|clusters| clusters.count),
            interval: interval.ok(),
            no_interval: interval.err(),
            plain_interval: plain.and_then(|plain| self.interval(plain, clusters).ok()),
            plain: plain.and_then(compare),
            guessing: guesses.as_ref().and_then(|guesses| self.metric(guesses).ok()),
            against_guessing: guesses.as_ref().and_then(compare),
        }
    }

    /// The groups, unless every sample is one by itself.
    fn clusters(&self) -> Option<Clusters> {
        let SampleGroups { are, numbers } = self.groups?;
        // In the order of their first samples.
        let mut places = std::collections::HashMap::new();
        let mut rows: Vec<Vec<usize>> = Vec::new();
        // A sample without a known target shows nothing.
        let known = |row: usize| match self.truth {
            Targets::Classes(_) => true,
            Targets::Values(values) => values.row(row).iter().any(|v| !v.is_nan()),
        };
        for (row, number) in numbers.iter().enumerate().filter(|(row, _)| known(*row)) {
            let place = *places.entry(number).or_insert(rows.len());
            if place == rows.len() {
                rows.push(Vec::new());
            }
            rows[place].push(row);
        }
        let count = GroupCount { number: rows.len(), are };
        rows.iter().any(|rows| rows.len() > 1).then_some(Clusters { count, rows })
    }

    /// Whether the metric is the share of samples that count alike.
    fn counts(&self) -> bool {
        // Equal weights change nothing.
        let weighted = self.weights.is_some_and(|weights| weights.iter().any(|w| *w != weights[0]));
        self.is_share() && !weighted
    }

    /// Whether the metric is the share of samples, which may have weights.
    fn is_share(&self) -> bool {
        matches!(self.truth, Targets::Classes(_)) && self.metric == Metric::ZeroOneError
    }

    /// The weight of a sample.
    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// The 95 % interval of the metric of a network, or why there is none.
    fn interval(&self, network: &Array, clusters: Option<&Clusters>) -> Result<Interval, NoInterval> {
        let n = network.rows();
        let value = self.metric(network).map_err(|_| NoInterval::Undefined)?;
        let interval = |[low, high]: [f64; 2], by| Interval { low, high, by, groups: clusters.map(|c| c.count) };
        if clusters.is_some_and(|clusters| clusters.rows.len() < FEWEST_GROUPS) {
            return Err(NoInterval::FewGroups);
        }
        if self.counts() && clusters.is_none() {
            let ends = wilson((value * n as f64).round(), n as f64).ok_or(NoInterval::Undefined)?;
            return Ok(interval(ends, IntervalMethod::Wilson));
        }
        let mut rng = Seed(self.seed).stream("evaluate/interval", &[]);
        let draws = match (self.errors(network), clusters) {
            (Some(errors), None) => means(&errors.into_iter().flatten().collect::<Vec<_>>(), DRAWS, &mut rng),
            (Some(errors), Some(clusters)) => means(&by_group(&errors, clusters)?, GROUP_DRAWS, &mut rng),
            (None, _) => self.redrawn(n, clusters, network.data.len(), &mut rng, |rows| self.value(network, rows).ok()),
        };
        let Some(draws) = draws else {
            return Ok(interval(self.jackknife(network, value, clusters, &mut rng)?, IntervalMethod::Jackknife));
        };
        let tail = clusters.map_or(TAIL, |clusters| expanded_tail(clusters.rows.len()));
        let [low, high] = percentiles(draws, tail);
        // Where all samples have one error, as if none is wrong, they draw nothing else.
        if low == high {
            let n = match clusters {
                None => effective((0..n).map(|row| self.weight(row))),
                // As if the samples of a group told no more than one of them does.
                Some(clusters) => {
                    effective(clusters.rows.iter().map(|rows| rows.iter().map(|&r| self.weight(r)).sum()))
                }
            };
            let ends = self.is_share().then(|| wilson(value * n, n)).flatten();
            return ends.map(|ends| interval(ends, IntervalMethod::Wilson)).ok_or(NoInterval::NoSpread);
        }
        Ok(interval(
            [low, high],
            if clusters.is_some() { IntervalMethod::ClusterBootstrap } else { IntervalMethod::Bootstrap },
        ))
    }

    /// The interval by leaving out one of [`PARTS`] parts of the samples or groups at a time. The parts are drawn, since
    /// samples may be in an order that repeats. Of few groups, each is a part.
    fn jackknife(
        &self,
        network: &Array,
        value: f64,
        clusters: Option<&Clusters>,
        rng: &mut Stream,
    ) -> Result<[f64; 2], NoInterval> {
        let n = clusters.map_or(network.rows(), |clusters| clusters.rows.len());
        let parts = if clusters.is_some() && n < 2 * PARTS { n } else { PARTS };
        if n < 2 * PARTS && clusters.is_none() {
            return Err(NoInterval::Undefined);
        }
        if network.data.len().saturating_mul(parts) > 10 * WORK {
            return Err(NoInterval::TooLarge);
        }
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, rng.random_range(0..=last));
        }
        let without = |part: usize| {
            let kept = order.iter().enumerate().filter(|(i, _)| i % parts != part).map(|(_, &unit)| unit);
            let rows: Vec<usize> = match clusters {
                None => kept.collect(),
                Some(clusters) => kept.flat_map(|group| clusters.rows[group].iter().copied()).collect(),
            };
            self.value(network, &rows).ok()
        };
        let found: Vec<f64> = (0..parts).map(without).collect::<Option<_>>().ok_or(NoInterval::Undefined)?;
        let mean = found.iter().sum::<f64>() / parts as f64;
        let squares: f64 = found.iter().map(|v| (v - mean).powi(2)).sum();
        let half = student_quantile(parts - 1) * (squares * (parts - 1) as f64 / parts as f64).sqrt();
        Ok([(value - half).max(0.0), value + half])
    }

    /// Tests whether two networks are equally good; `None` if there are too few groups, or if that would take long.
    fn compare(&self, a: &Array, b: &Array, clusters: Option<&Clusters>) -> Option<Paired> {
        if clusters.is_some_and(|clusters| clusters.rows.len() < FEWEST_GROUPS) {
            return None;
        }
        if let (Targets::Classes(labels), true, None) = (self.truth, self.counts(), clusters) {
            let right = |of: &Array, row: usize| argmax(of.row(row)) == labels[row] as usize;
            let only = |a: &Array, b: &Array| (0..labels.len()).filter(|&i| right(a, i) && !right(b, i)).count();
            return Some(Paired { test: PairedTest::Mcnemar, p: mcnemar(only(a, b), only(b, a)), groups: None });
        }
        let mut rng = Seed(self.seed).stream("evaluate/paired", &[]);
        let draws = match self.errors(a).zip(self.errors(b)) {
            Some((a, b)) => {
                // Both have an error on the samples whose targets are known.
                let differences: Vec<Option<(f64, f64)>> =
                    a.into_iter().zip(b).map(|(a, b)| a.zip(b).map(|(a, b)| (a.0 - b.0, a.1))).collect();
                match clusters {
                    None => means(&differences.into_iter().flatten().collect::<Vec<_>>(), DRAWS, &mut rng),
                    Some(clusters) => means(&by_group(&differences, clusters).ok()?, GROUP_DRAWS, &mut rng),
                }
            }
            None => {
                let difference = |rows: &[usize]| Some(self.value(a, rows).ok()? - self.value(b, rows).ok()?);
                self.redrawn(a.rows(), clusters, 2 * a.data.len(), &mut rng, difference)
            }
        };
        let p = two_sided(&draws?);
        Some(match clusters {
            None => Paired { test: PairedTest::Bootstrap, p, groups: None },
            Some(clusters) => {
                let p = corrected(p, clusters.rows.len());
                Paired { test: PairedTest::ClusterBootstrap, p, groups: Some(clusters.count) }
            }
        })
    }

    /// The error of a network on each sample, with its weight, where the metric is the mean of errors of samples. `None`
    /// for a sample without an error.
    fn errors(&self, of: &Array) -> Option<Vec<Option<(f64, f64)>>> {
        let by_points = match self.metric {
            Metric::ZeroOneError | Metric::Mae => true,
            Metric::RelativeL2 | Metric::ContactMae => false,
            Metric::OneMinusF1 | Metric::OneMinusAuroc | Metric::OneMinusMap => return None,
        };
        let alone = Self { weights: None, ..*self };
        let error = |row: usize| {
            let points = match self.truth {
                Targets::Values(values) if by_points => values.row(row).iter().filter(|v| !v.is_nan()).count(),
                _ => 1,
            };
            Some((alone.value(of, &[row]).ok()?, self.weight(row) * points as f64))
        };
        Some((0..of.rows()).map(error).collect())
    }

    /// What is computed from draws of `n` samples or of the groups anew, where each reads some numbers; `None` if that would
    /// take long, or if it is undefined on most draws.
    fn redrawn(
        &self,
        n: usize,
        clusters: Option<&Clusters>,
        numbers: usize,
        rng: &mut Stream,
        compute: impl Fn(&[usize]) -> Option<f64>,
    ) -> Option<Vec<f64>> {
        let draws = (WORK / numbers.max(1)).min(DRAWS);
        if draws < FEWEST {
            return None;
        }
        let mut rows = Vec::with_capacity(n);
        let draw = |_| {
            rows.clear();
            match clusters {
                None => rows.extend((0..n).map(|_| rng.random_range(0..n))),
                Some(Clusters { rows: groups, .. }) => {
                    (0..groups.len()).for_each(|_| rows.extend(&groups[rng.random_range(0..groups.len())]));
                }
            }
            compute(&rows)
        };
        let found: Vec<f64> = (0..draws).filter_map(draw).collect();
        (found.len() >= FEWEST).then_some(found)
    }

    /// The metric of predictions `[samples, outputs, positions]`.
    pub(super) fn metric(&self, predictions: &Array) -> Result<f64, MetricError> {
        let outputs = self.task.outputs();
        let shape = [predictions.rows(), outputs, predictions.row_len() / outputs.max(1)];
        let predictions = Predictions::new(&predictions.data, shape, Scale::Logits)?.weighted(self.weights)?;
        match self.truth {
            Targets::Classes(labels) => metric::evaluate(self.metric, &predictions, Truth::Classes(labels)),
            Targets::Values(values) => metric::evaluate(self.metric, &predictions, Truth::Values(&values.data)),
        }
    }

    /// The metric of some rows.
    fn value(&self, predictions: &Array, rows: &[usize]) -> Result<f64, MetricError> {
        let weights: Option<Vec<f32>> = self.weights.map(|w| rows.iter().map(|&row| w[row]).collect());
        let some = OnTest { truth: &self.truth.select(rows), weights: weights.as_deref(), groups: None, ..*self };
        some.metric(&predictions.select(rows))
    }
}

/// The mean of the values of each group and its weight, of the samples that have a value.
///
/// # Errors
/// [`NoInterval::FewGroups`] if few groups have such samples.
fn by_group(values: &[Option<(f64, f64)>], clusters: &Clusters) -> Result<Vec<(f64, f64)>, NoInterval> {
    let sums = clusters.rows.iter().map(|rows| {
        let known = rows.iter().filter_map(|&row| values[row]);
        known.fold((0.0, 0.0), |(sum, weights), (value, weight)| (sum + value * weight, weights + weight))
    });
    let means: Vec<(f64, f64)> = sums.filter(|sums| sums.1 > 0.0).map(|(sum, weight)| (sum / weight, weight)).collect();
    if means.len() < FEWEST_GROUPS { Err(NoInterval::FewGroups) } else { Ok(means) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluation::statistics::NORMAL;
    use crate::record::guess::guess;

    #[test]
    fn intervals_of_other_metrics_are_those_of_scipy_within_the_noise_of_draws() {
        let n = 400;
        let near = |found: Interval, by, expected: [f64; 2], tolerance: f64| {
            let ends = [found.low, found.high];
            let fits = ends.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < tolerance);
            assert!(fits && found.by == by, "{found:?}, not {expected:?}");
        };
        // The mean of 400 errors, with and without weights: percentiles of 20 000 draws of NumPy.
        let task = TaskKind::Regression { outputs: 1 };
        let truth = Targets::Values(Array::new(vec![n, 1], vec![0.0; n]));
        let values = Array::new(vec![n, 1, 1], (0..n).map(|i| (i % 20) as f32 / 10.0).collect());
        let weights: Vec<f32> = (0..n).map(|i| 1.0 + (i % 3) as f32).collect();
        let by = |weights| OnTest { task, metric: Metric::Mae, truth: &truth, weights, groups: None, seed: 5 };
        near(by(None).interval(&values, None).expect("defined"), IntervalMethod::Bootstrap, [0.8938, 1.007], 0.006);
        near(
            by(Some(&weights)).interval(&values, None).expect("defined"),
            IntervalMethod::Bootstrap,
            [0.8894, 1.0106],
            0.006,
        );
        assert_eq!(by(None).interval(&values, None), by(None).interval(&values, None), "the draws are seeded");
        // Where no sample is wrong, draws have no width: Wilson's interval of as many samples as the weights are worth,
        // 120² / 300 = 48, and none of another metric.
        let right = Array::new(vec![60, 2, 1], [1.0, 0.0].repeat(60));
        let (truth, weights) = (Targets::Classes(vec![0; 60]), [1.0, 3.0].repeat(30));
        let alike = |metric| {
            let task = TaskKind::Classification { classes: 2 };
            OnTest { task, metric, truth: &truth, weights: Some(&weights), groups: None, seed: 7 }
                .interval(&right, None)
        };
        let expected = NORMAL * NORMAL / (48.0 + NORMAL * NORMAL);
        near(alike(Metric::ZeroOneError).expect("defined"), IntervalMethod::Wilson, [0.0, expected], 1e-9);
        assert_eq!(alike(Metric::OneMinusF1), Err(NoInterval::NoSpread));
        // The area under the ROC curve: percentiles of 4000 draws, and the jackknife that large sets get.
        let task = TaskKind::MultiLabel { labels: 1 };
        let label = |i: usize| f32::from((i * 7).is_multiple_of(3));
        let truth = Targets::Values(Array::new(vec![n, 1], (0..n).map(label).collect()));
        let score = |i: usize| ((i * 37) % 101) as f32 / 101.0 + 0.3 * label(i);
        let scores = Array::new(vec![n, 1, 1], (0..n).map(score).collect());
        let area = OnTest { task, metric: Metric::OneMinusAuroc, truth: &truth, weights: None, groups: None, seed: 5 };
        near(area.interval(&scores, None).expect("defined"), IntervalMethod::Bootstrap, [0.1975, 0.2944], 0.006);
        let left_out = area.jackknife(&scores, 0.244_529, None, &mut Seed(5).stream("test", &[]));
        let [low, high] = left_out.expect("enough samples");
        // 1.96 standard errors of 0.0249 on either side, of twenty parts: roughly.
        assert!((low - 0.1957).abs() < 0.025 && (high - 0.2933).abs() < 0.025, "{low} to {high}");
    }

    #[test]
    fn networks_are_told_apart_where_the_samples_show_it() {
        let (n, task) = (40, TaskKind::Classification { classes: 2 });
        let truth = Targets::Classes((0..n as u32).map(|i| u32::from(i % 4 == 0)).collect());
        // The first network is always right, the second one is wrong on the first `wrong` samples.
        let predictions = |wrong: usize| {
            let row = |i: usize| if i.is_multiple_of(4) != (i < wrong) { [0.0, 1.0] } else { [1.0, 0.0] };
            Array::new(vec![n, 2, 1], (0..n).flat_map(row).collect())
        };
        let guess = guess(task, &truth);
        assert!(guess[0] > guess[1], "three of four are of class 0");
        let by = |metric| OnTest { task, metric, truth: &truth, weights: None, groups: None, seed: 3 };
        let judge = |metric, wrong| by(metric).judge(&predictions(0), Some(&predictions(wrong)), Some(&guess));
        let error = judge(Metric::ZeroOneError, 3);
        let plain = error.plain.expect("defined");
        assert!(plain.test == PairedTest::Mcnemar && (plain.p - 0.25).abs() < 1e-12, "{plain:?}");
        assert_eq!(error.guessing, Some(0.25));
        assert!(error.against_guessing.is_some_and(|p| p.p < 0.01 && p.shows_difference()));
        assert!(judge(Metric::ZeroOneError, 9).plain.is_some_and(|p| (p.p - 2.0 / 512.0).abs() < 1e-12));
        // A metric that is no mean of the samples.
        let f1 = judge(Metric::OneMinusF1, 0).plain.expect("defined");
        assert_eq!((f1.test, f1.p), (PairedTest::Bootstrap, 1.0));
        assert!(judge(Metric::OneMinusF1, 20).plain.is_some_and(|p| p.shows_difference()));
    }
}
