//! Comparisons on the test split: of the networks of a run with each other and with guessing.

use crate::record::paired::{Interval, IntervalMethod, Judgement, Paired, PairedTest};
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
/// The percentile 97.5 of the normal distribution.
const NORMAL: f64 = 1.959_963_984_540_054;
/// The parts of the samples that are left out in turn.
const PARTS: usize = 20;
/// The percentile 97.5 of Student's distribution with one degree of freedom less than there are parts.
const T_OF_PARTS: f64 = 2.093_024_054_408_263;
/// Most numbers that are read for the draws of a metric that is no mean over the samples.
const WORK: usize = 20_000_000;

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
    /// The seed of the draws of a bootstrap.
    pub seed: u64,
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
        Judgement {
            interval: self.interval(network),
            plain_interval: plain.and_then(|plain| self.interval(plain)),
            plain: plain.and_then(|plain| self.compare(network, plain)),
            guessing: guesses.as_ref().and_then(|guesses| self.metric(guesses).ok()),
            against_guessing: guesses.and_then(|guesses| self.compare(network, &guesses)),
        }
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

    /// The number of samples of equal weight that tell as much as these with their weights (Kish 1965).
    fn effective(&self, n: usize) -> f64 {
        let Some(weights) = self.weights else { return n as f64 };
        let (sum, squares) = weights.iter().map(|&w| f64::from(w)).fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        if squares > 0.0 { sum * sum / squares } else { 0.0 }
    }

    /// The 95 % interval of the metric of a network; `None` if it is not defined, or if that would take long.
    pub(super) fn interval(&self, network: &Array) -> Option<Interval> {
        let n = network.rows();
        let value = self.metric(network).ok()?;
        if self.counts() {
            let [low, high] = wilson((value * n as f64).round(), n as f64)?;
            return Some(Interval { low, high, by: IntervalMethod::Wilson });
        }
        let mut rng = Seed(self.seed).stream("evaluate/interval", &[]);
        let draws = match self.errors(network) {
            Some(errors) => means(&errors.into_iter().flatten().collect::<Vec<_>>(), &mut rng),
            None => self.redrawn(n, network.data.len(), &mut rng, |rows| self.value(network, rows).ok()),
        };
        if let Some(draws) = draws {
            let [low, high] = percentiles(draws);
            // Where all samples have one error, as if none is wrong, they draw nothing else.
            if low == high {
                let [low, high] = self.is_share().then(|| wilson(value * self.effective(n), self.effective(n)))??;
                return Some(Interval { low, high, by: IntervalMethod::Wilson });
            }
            return Some(Interval { low, high, by: IntervalMethod::Bootstrap });
        }
        let [low, high] = self.jackknife(network, value, &mut rng)?;
        Some(Interval { low, high, by: IntervalMethod::Jackknife })
    }

    /// The interval by leaving out one of [`PARTS`] parts of the samples at a time. The parts are drawn, since samples
    /// may be in an order that repeats.
    fn jackknife(&self, network: &Array, value: f64, rng: &mut Stream) -> Option<[f64; 2]> {
        let n = network.rows();
        if n < 2 * PARTS || network.data.len().saturating_mul(PARTS) > 10 * WORK {
            return None;
        }
        let mut order: Vec<usize> = (0..n).collect();
        for last in (1..n).rev() {
            order.swap(last, rng.random_range(0..=last));
        }
        let without = |part: usize| {
            let rows: Vec<usize> =
                order.iter().enumerate().filter(|(i, _)| i % PARTS != part).map(|(_, &r)| r).collect();
            self.value(network, &rows).ok()
        };
        let found: Vec<f64> = (0..PARTS).map(without).collect::<Option<_>>()?;
        let mean = found.iter().sum::<f64>() / PARTS as f64;
        let squares: f64 = found.iter().map(|v| (v - mean).powi(2)).sum();
        let error = (squares * (PARTS - 1) as f64 / PARTS as f64).sqrt();
        Some([(value - T_OF_PARTS * error).max(0.0), value + T_OF_PARTS * error])
    }

    /// Tests whether two networks are equally good.
    fn compare(&self, a: &Array, b: &Array) -> Option<Paired> {
        if let (Targets::Classes(labels), true) = (self.truth, self.counts()) {
            let right = |of: &Array, row: usize| argmax(of.row(row)) == labels[row] as usize;
            let only = |a: &Array, b: &Array| (0..labels.len()).filter(|&i| right(a, i) && !right(b, i)).count();
            return Some(Paired { test: PairedTest::Mcnemar, p: mcnemar(only(a, b), only(b, a)) });
        }
        let mut rng = Seed(self.seed).stream("evaluate/paired", &[]);
        let draws = match self.errors(a).zip(self.errors(b)) {
            Some((a, b)) => {
                // Both have an error on the samples whose targets are known.
                let both = a.into_iter().zip(b).filter_map(|(a, b)| a.zip(b));
                means(&both.map(|(a, b)| (a.0 - b.0, a.1)).collect::<Vec<_>>(), &mut rng)
            }
            None => {
                let difference = |rows: &[usize]| Some(self.value(a, rows).ok()? - self.value(b, rows).ok()?);
                self.redrawn(a.rows(), 2 * a.data.len(), &mut rng, difference)
            }
        };
        draws.map(|draws| Paired { test: PairedTest::Bootstrap, p: two_sided(&draws) })
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
            let weight = self.weights.map_or(1.0, |weights| f64::from(weights[row])) * points as f64;
            Some((alone.value(of, &[row]).ok()?, weight))
        };
        Some((0..of.rows()).map(error).collect())
    }

    /// What is computed from draws of `n` samples anew, where each reads some numbers; `None` if that would take long, or
    /// if it is undefined on most draws.
    fn redrawn(
        &self,
        n: usize,
        numbers: usize,
        rng: &mut Stream,
        compute: impl Fn(&[usize]) -> Option<f64>,
    ) -> Option<Vec<f64>> {
        let draws = (WORK / numbers.max(1)).min(DRAWS);
        if draws < FEWEST {
            return None;
        }
        let draw = |_| compute(&(0..n).map(|_| rng.random_range(0..n)).collect::<Vec<usize>>());
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
        let some = OnTest { truth: &self.truth.select(rows), weights: weights.as_deref(), ..*self };
        some.metric(&predictions.select(rows))
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

/// The means of draws of samples, of each of which a value and its weight are given; `None` for fewer than two.
fn means(values: &[(f64, f64)], rng: &mut Stream) -> Option<Vec<f64>> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let draws = (WORK / n).clamp(FEWEST, DRAWS);
    let drawn = |_| {
        let (mut sum, mut weights) = (0.0, 0.0);
        for _ in 0..n {
            let (value, weight) = values[rng.random_range(0..n)];
            sum += value * weight;
            weights += weight;
        }
        if weights > 0.0 { sum / weights } else { 0.0 }
    };
    Some((0..draws).map(drawn).collect())
}

/// Wilson's score interval of `wrong` of `n` samples; `None` without a sample.
fn wilson(wrong: f64, n: f64) -> Option<[f64; 2]> {
    if n < 1.0 {
        return None;
    }
    let (p, square) = (wrong / n, NORMAL * NORMAL);
    let center = p + square / (2.0 * n);
    let half = NORMAL * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let ends = [center - half, center + half];
    Some(ends.map(|end| (end / (1.0 + square / n)).clamp(0.0, 1.0)))
}

/// The percentiles 2.5 and 97.5 of some draws.
fn percentiles(mut draws: Vec<f64>) -> [f64; 2] {
    draws.sort_by(f64::total_cmp);
    let last = draws.len().saturating_sub(1) as f64;
    [0.025, 0.975].map(|share| {
        let at = share * last;
        let (low, high) = (draws[at.floor() as usize], draws[at.ceil() as usize]);
        low + (high - low) * at.fract()
    })
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
            two_sided(&means(&all, &mut Seed(1).stream("test", &[])).expect("enough"))
        };
        assert!((at(0.1) - 0.0455).abs() < 0.02, "{}", at(0.1));
        assert!((at(0.05) - 0.317).abs() < 0.05, "{}", at(0.05));
        assert!(at(0.0) > 0.9 && at(1.0) < 0.002, "{} {}", at(0.0), at(1.0));
        assert_eq!(at(0.1), at(0.1), "the draws are seeded");
        let equal = means(&[(0.0, 1.0); 5], &mut Seed(1).stream("test", &[])).expect("enough");
        assert_eq!(two_sided(&equal), 1.0, "equal networks");
    }

    #[test]
    fn the_interval_of_counts_is_that_of_wilson() {
        // `scipy.stats.binomtest(k, n).proportion_ci(method="wilson")`.
        let cases = [
            (0.0, 10.0, 0.0, 0.277_532_799_862_889),
            (3.0, 35.0, 0.029_582_368_266_970, 0.223_792_739_658_965),
            (31.0, 40.0, 0.624_969_032_576_898, 0.876_839_086_764_592),
            (10.0, 10.0, 0.722_467_200_137_111, 1.0),
            (1.0, 2.0, 0.094_531_205_734_231, 0.905_468_794_265_769),
            (52.0, 40_000.0, 0.000_991_565_237_829, 0.001_704_212_339_725),
        ];
        for (wrong, n, low, high) in cases {
            let found = wilson(wrong, n).expect("samples");
            assert!((found[0] - low).abs() < 1e-12 && (found[1] - high).abs() < 1e-12, "{wrong} of {n}: {found:?}");
        }
        assert_eq!(wilson(0.0, 0.0), None);
    }

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
        let by = |weights| OnTest { task, metric: Metric::Mae, truth: &truth, weights, seed: 5 };
        near(by(None).interval(&values).expect("defined"), IntervalMethod::Bootstrap, [0.8938, 1.007], 0.006);
        near(
            by(Some(&weights)).interval(&values).expect("defined"),
            IntervalMethod::Bootstrap,
            [0.8894, 1.0106],
            0.006,
        );
        assert_eq!(by(None).interval(&values), by(None).interval(&values), "the draws are seeded");
        // Where no sample is wrong, draws have no width: Wilson's interval of as many samples as the weights are worth,
        // 120² / 300 = 48, and none of another metric.
        let right = Array::new(vec![60, 2, 1], [1.0, 0.0].repeat(60));
        let (truth, weights) = (Targets::Classes(vec![0; 60]), [1.0, 3.0].repeat(30));
        let alike = |metric| {
            let task = TaskKind::Classification { classes: 2 };
            OnTest { task, metric, truth: &truth, weights: Some(&weights), seed: 7 }.interval(&right)
        };
        let expected = NORMAL * NORMAL / (48.0 + NORMAL * NORMAL);
        near(alike(Metric::ZeroOneError).expect("defined"), IntervalMethod::Wilson, [0.0, expected], 1e-9);
        assert_eq!(alike(Metric::OneMinusF1), None);
        // The area under the ROC curve: percentiles of 4000 draws, and the jackknife that large sets get.
        let task = TaskKind::MultiLabel { labels: 1 };
        let label = |i: usize| f32::from((i * 7).is_multiple_of(3));
        let truth = Targets::Values(Array::new(vec![n, 1], (0..n).map(label).collect()));
        let score = |i: usize| ((i * 37) % 101) as f32 / 101.0 + 0.3 * label(i);
        let scores = Array::new(vec![n, 1, 1], (0..n).map(score).collect());
        let area = OnTest { task, metric: Metric::OneMinusAuroc, truth: &truth, weights: None, seed: 5 };
        near(area.interval(&scores).expect("defined"), IntervalMethod::Bootstrap, [0.1975, 0.2944], 0.006);
        let [low, high] = area.jackknife(&scores, 0.244_529, &mut Seed(5).stream("test", &[])).expect("enough samples");
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
        let by = |metric| OnTest { task, metric, truth: &truth, weights: None, seed: 3 };
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
