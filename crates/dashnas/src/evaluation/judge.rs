//! Comparisons on the test split: of the networks of a run with each other and with guessing.

use crate::record::paired::{Judgement, Paired, PairedTest};
use dashnas_core::math::argmax;
use dashnas_core::metric::{self, MetricError, Predictions, Scale, Truth};
use dashnas_core::rng::{Seed, Stream};
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use rand::RngExt;

/// The number of draws of the test samples.
const DRAWS: usize = 2000;
/// The fewest draws that a probability is estimated from.
const FEWEST: usize = 200;
/// Most numbers that are read for the draws of a metric that is no mean over the samples.
const WORK: usize = 20_000_000;

/// Predictions `[samples, outputs, positions]` of test samples with their targets.
#[derive(Clone, Copy)]
pub(super) struct OnTest<'a> {
    /// The task.
    pub task: TaskKind,
    /// The metric.
    pub metric: Metric,
    /// The targets.
    pub truth: &'a Targets,
    /// The weights of the samples, if they have any.
    pub weights: Option<&'a [f32]>,
    /// The seed of the draws.
    pub seed: u64,
}

impl OnTest<'_> {
    /// Compares a network with the plain one and with constant predictions. What is not defined is left out.
    pub fn judge(&self, network: &Array, plain: Option<&Array>, guess: &[f32]) -> Judgement {
        let positions = network.row_len() / guess.len().max(1);
        let row: Vec<f32> = guess.iter().flat_map(|&value| std::iter::repeat_n(value, positions)).collect();
        let guesses = Array::new(network.shape.clone(), row.repeat(network.rows()));
        let all: Vec<usize> = (0..network.rows()).collect();
        Judgement {
            plain: plain.and_then(|plain| self.compare(network, plain)),
            guessing: self.value(&guesses, &all).ok(),
            against_guessing: self.compare(network, &guesses),
        }
    }

    /// Tests whether two networks are equally good.
    fn compare(&self, a: &Array, b: &Array) -> Option<Paired> {
        // Equal weights change nothing.
        let weighted = self.weights.is_some_and(|weights| weights.iter().any(|w| *w != weights[0]));
        if let (Targets::Classes(labels), Metric::ZeroOneError, false) = (self.truth, self.metric, weighted) {
            let right = |of: &Array, row: usize| argmax(of.row(row)) == labels[row] as usize;
            let only = |a: &Array, b: &Array| (0..labels.len()).filter(|&i| right(a, i) && !right(b, i)).count();
            return Some(Paired { test: PairedTest::Mcnemar, p: mcnemar(only(a, b), only(b, a)) });
        }
        let mut rng = Seed(self.seed).stream("evaluate/paired", &[]);
        let p = match self.differences(a, b) {
            Some(differences) => bootstrap(&differences, &mut rng),
            None => self.redrawn(a, b, &mut rng),
        };
        p.map(|p| Paired { test: PairedTest::Bootstrap, p })
    }

    /// The difference of the errors of two networks on each sample, with its weight, where the metric is the mean of
    /// errors of samples. A sample without an error is left out.
    fn differences(&self, a: &Array, b: &Array) -> Option<Vec<(f64, f64)>> {
        let by_points = match self.metric {
            Metric::ZeroOneError | Metric::Mae => true,
            Metric::RelativeL2 | Metric::ContactMae => false,
            Metric::OneMinusF1 | Metric::OneMinusAuroc | Metric::OneMinusMap => return None,
        };
        let difference = |row: usize| {
            let points = match self.truth {
                Targets::Values(values) if by_points => values.row(row).iter().filter(|v| !v.is_nan()).count(),
                _ => 1,
            };
            let weight = self.weights.map_or(1.0, |weights| f64::from(weights[row])) * points as f64;
            let alone = Self { weights: None, ..*self };
            Some((alone.value(a, &[row]).ok()? - alone.value(b, &[row]).ok()?, weight))
        };
        Some((0..a.rows()).filter_map(difference).collect())
    }

    /// The probability by draws of the samples, on each of which the metric is computed anew; `None` if that would take
    /// long, or if the metric is undefined on most draws.
    fn redrawn(&self, a: &Array, b: &Array, rng: &mut Stream) -> Option<f64> {
        let n = a.rows();
        let draws = (WORK / (2 * a.data.len()).max(1)).min(DRAWS);
        if draws < FEWEST {
            return None;
        }
        let mut found = Vec::with_capacity(draws);
        for _ in 0..draws {
            let rows: Vec<usize> = (0..n).map(|_| rng.random_range(0..n)).collect();
            if let (Ok(a), Ok(b)) = (self.value(a, &rows), self.value(b, &rows)) {
                found.push(a - b);
            }
        }
        (found.len() >= FEWEST).then(|| two_sided(&found))
    }

    /// The metric of some rows.
    fn value(&self, predictions: &Array, rows: &[usize]) -> Result<f64, MetricError> {
        let outputs = self.task.outputs();
        let shape = [rows.len(), outputs, predictions.row_len() / outputs.max(1)];
        let scores: Vec<f32> = rows.iter().flat_map(|&row| predictions.row(row)).copied().collect();
        let weights: Option<Vec<f32>> = self.weights.map(|w| rows.iter().map(|&row| w[row]).collect());
        let predictions = Predictions::new(&scores, shape, Scale::Logits)?.weighted(weights.as_deref())?;
        match self.truth.select(rows) {
            Targets::Classes(labels) => metric::evaluate(self.metric, &predictions, Truth::Classes(&labels)),
            Targets::Values(values) => metric::evaluate(self.metric, &predictions, Truth::Values(&values.data)),
        }
    }
}

/// What is guessed for every sample, one score for each output: the most common class, the share of each label, or the
/// mean of the known training targets.
pub fn guess(task: TaskKind, train: &Targets) -> Vec<f32> {
    let outputs = task.outputs();
    let values = match train {
        Targets::Classes(labels) => {
            let mut counts = vec![0u32; outputs];
            labels.iter().for_each(|&label| counts[label as usize] += 1);
            // Only their order matters to the error rate, and as logits they give each class its share.
            return counts.into_iter().map(|n| f64::from(n).max(0.5).ln() as f32).collect();
        }
        Targets::Values(values) => values,
    };
    let positions = values.row_len() / outputs.max(1);
    let mean = |output: usize| {
        let of_output = |row: usize| &values.row(row)[output * positions..(output + 1) * positions];
        let known = (0..values.rows()).flat_map(of_output).filter(|v| !v.is_nan());
        let (sum, count) = known.fold((0.0, 0u64), |(sum, count), &v| (sum + f64::from(v), count + 1));
        sum / count.max(1) as f64
    };
    let score = |output: usize| match task {
        TaskKind::MultiLabel { .. } | TaskKind::DenseBinary { .. } => {
            let share = mean(output).clamp(1e-6, 1.0 - 1e-6);
            (share / (1.0 - share)).ln() as f32
        }
        _ => mean(output) as f32,
    };
    (0..outputs).map(score).collect()
}

/// The exact test of McNemar, two-sided: `only_a` samples are right by one network only, `only_b` by the other one only.
fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    let n = (only_a + only_b) as f64;
    let ln_choose = |k: f64| libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    let terms = (0..=only_a.min(only_b)).map(|k| (ln_choose(k as f64) - n * std::f64::consts::LN_2).exp());
    (2.0 * terms.sum::<f64>()).min(1.0)
}

/// The probability by draws of samples, of each of which the difference and its weight are given; `None` for fewer than
/// two.
fn bootstrap(differences: &[(f64, f64)], rng: &mut Stream) -> Option<f64> {
    let n = differences.len();
    if n < 2 {
        return None;
    }
    let draws = (WORK / n).clamp(FEWEST, DRAWS);
    let drawn = |rng: &mut Stream| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for _ in 0..n {
            let (difference, weight) = differences[rng.random_range(0..n)];
            sum += difference * weight;
            weights += weight;
        }
        if weights > 0.0 { sum / weights } else { 0.0 }
    };
    let found: Vec<f64> = (0..draws).map(|_| drawn(rng)).collect();
    Some(two_sided(&found))
}

/// Twice the share of draws on the rarer side of zero.
fn two_sided(draws: &[f64]) -> f64 {
    let share = |side: fn(&f64) -> bool| (draws.iter().filter(|d| side(d)).count() + 1) as f64;
    let rarer = share(|d| *d <= 0.0).min(share(|d| *d >= 0.0));
    (2.0 * rarer / (draws.len() + 1) as f64).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mcnemar_is_the_binomial_test() {
        // By hand: the sums of binomial coefficients over powers of two.
        let cases = [
            (0, 0, 1.0),
            (3, 3, 1.0),
            (1, 5, 2.0 * (1.0 + 6.0) / 64.0),
            (6, 0, 2.0 / 64.0),
            (2, 12, 2.0 * (1.0 + 14.0 + 91.0) / 16384.0),
            (4, 3, 1.0),
            (10, 20, 2.0 * 53_009_102.0 / 1_073_741_824.0),
        ];
        for (a, b, expected) in cases {
            assert!((mcnemar(a, b) - expected).abs() < 1e-11, "{a} {b}: {} and {expected}", mcnemar(a, b));
        }
        assert!(mcnemar(400_000, 600_000) < 1e-300, "large numbers do not overflow");
    }

    #[test]
    fn a_bootstrap_of_means_has_the_probability_of_their_normal_distribution() {
        // 400 differences of mean 0.1 and deviation 1: the mean is 2 standard errors from 0, so p is near 0.0455.
        let n = 400;
        let raw: Vec<f64> = (0..n).map(|i| f64::from(i % 20) - 9.5).collect();
        let deviation = (raw.iter().map(|v| v * v).sum::<f64>() / f64::from(n)).sqrt();
        let at = |shift: f64| -> f64 {
            let all: Vec<(f64, f64)> = raw.iter().map(|v| (v / deviation + shift, 1.0)).collect();
            bootstrap(&all, &mut Seed(1).stream("test", &[])).expect("enough")
        };
        assert!((at(0.1) - 0.0455).abs() < 0.02, "{}", at(0.1));
        assert!((at(0.05) - 0.317).abs() < 0.05, "{}", at(0.05));
        assert!(at(0.0) > 0.9 && at(1.0) < 0.002, "{} {}", at(0.0), at(1.0));
        assert_eq!(at(0.1), at(0.1), "the draws are seeded");
        assert_eq!(bootstrap(&[(0.0, 1.0); 5], &mut Seed(1).stream("test", &[])), Some(1.0), "equal networks");
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
        let by = |metric| OnTest { task, metric, truth: &truth, weights: None, seed: 3 };
        let judge = |metric, wrong| by(metric).judge(&predictions(0), Some(&predictions(wrong)), &guess);
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

    #[test]
    fn guesses_are_means_of_the_known_targets() {
        let values = |shape: &[usize], data: &[f32]| Targets::Values(Array::new(shape.to_vec(), data.to_vec()));
        assert_eq!(
            guess(TaskKind::Regression { outputs: 2 }, &values(&[2, 2], &[1.0, f32::NAN, 3.0, 8.0])),
            [2.0, 8.0]
        );
        let field = values(&[1, 1, 4], &[1.0, 2.0, 3.0, 6.0]);
        assert_eq!(guess(TaskKind::DenseRegression { channels: 1 }, &field), [3.0]);
        let labels = guess(TaskKind::MultiLabel { labels: 1 }, &values(&[4, 1], &[1.0, 0.0, 0.0, 0.0]));
        assert!((labels[0] - (1.0f32 / 3.0).ln()).abs() < 1e-6, "{labels:?}");
    }
}
