//! The statistics of intervals and of paired tests, as functions of numbers.

use dashnas_core::rng::Stream;
use rand::RngExt;

/// The number of draws of the test samples.
pub(super) const DRAWS: usize = 2000;
/// The number of draws of groups, whose percentiles lie further out.
pub(super) const GROUP_DRAWS: usize = 10_000;
/// The fewest draws that a probability is estimated from.
pub(super) const FEWEST: usize = 200;
/// Most numbers that are read for the draws of a metric.
pub(super) const WORK: usize = 20_000_000;
/// The percentile 97.5 of the normal distribution.
pub(super) const NORMAL: f64 = 1.959_963_984_540_054;
/// The probability beyond each end of an interval.
pub(super) const TAIL: f64 = 0.025;
/// The number of degrees of freedom from which Student's distribution is taken for the normal one.
const NEARLY_NORMAL: usize = 10_000;

/// The exact test of McNemar, two-sided: `only_a` samples are right by one network only, `only_b` by the other one only.
pub(super) fn mcnemar(only_a: usize, only_b: usize) -> f64 {
    let n = (only_a + only_b) as f64;
    let ln_choose = |k: f64| libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    let terms = (0..=only_a.min(only_b)).map(|k| (ln_choose(k as f64) - n * std::f64::consts::LN_2).exp());
    (2.0 * terms.sum::<f64>()).min(1.0)
}

/// The means of draws of samples or groups, of each of which a value and its weight are given; `None` for fewer than two.
pub(super) fn means(values: &[(f64, f64)], most: usize, rng: &mut Stream) -> Option<Vec<f64>> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let draws = (WORK / n).clamp(FEWEST, most);
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
pub(super) fn wilson(wrong: f64, n: f64) -> Option<[f64; 2]> {
    if n < 1.0 {
        return None;
    }
    let (p, square) = (wrong / n, NORMAL * NORMAL);
    let center = p + square / (2.0 * n);
    let half = NORMAL * (p * (1.0 - p) / n + square / (4.0 * n * n)).sqrt();
    let ends = [center - half, center + half];
    Some(ends.map(|end| (end / (1.0 + square / n)).clamp(0.0, 1.0)))
}

/// The quantiles `tail` and `1 − tail` of some draws.
pub(super) fn percentiles(mut draws: Vec<f64>, tail: f64) -> [f64; 2] {
    draws.sort_by(f64::total_cmp);
    let last = draws.len().saturating_sub(1) as f64;
    [tail, 1.0 - tail].map(|share| {
        let at = share * last;
        let (low, high) = (draws[at.floor() as usize], draws[at.ceil() as usize]);
        low + (high - low) * at.fract()
    })
}

/// Twice the share of draws on the rarer side of zero.
pub(super) fn two_sided(draws: &[f64]) -> f64 {
    let share = |side: fn(&f64) -> bool| (draws.iter().filter(|d| side(d)).count() + 1) as f64;
    let rarer = share(|d| *d <= 0.0).min(share(|d| *d >= 0.0));
    (2.0 * rarer / (draws.len() + 1) as f64).min(1.0)
}

/// The number of samples of equal weight that tell as much as these with their weights (Kish 1965).
pub(super) fn effective(weights: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = weights.fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// The probability beyond each end of a percentile interval of draws of `n` groups. The draws of few groups vary less than
/// the metric does, by the factor √((n − 1) / n), and the quantiles of Student's distribution lie further out than those of
/// the normal one: the percentiles are moved outward by as much (Hesterberg 2015, the expanded percentile interval).
pub(super) fn expanded_tail(n: usize) -> f64 {
    beyond(student_quantile(n - 1) * (n as f64 / (n - 1) as f64).sqrt())
}

/// A two-sided probability from draws of `n` groups, corrected as [`expanded_tail`]: it is 5 % where the expanded interval
/// ends at 0.
pub(super) fn corrected(p: f64, n: usize) -> f64 {
    let z = root(0.0, 40.0, |z| 2.0 * beyond(z) > p);
    1.0 - student(z * ((n - 1) as f64 / n as f64).sqrt(), n - 1)
}

/// The percentile 97.5 of Student's distribution.
pub fn student_quantile(freedom: usize) -> f64 {
    root(0.0, 20.0, |t| student(t, freedom) < 1.0 - 2.0 * TAIL)
}

/// The probability that a number of the standard normal distribution exceeds `z`.
fn beyond(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// The probability that a number of Student's distribution lies between −t and t (Abramowitz and Stegun 26.7.3 and 26.7.4).
fn student(t: f64, freedom: usize) -> f64 {
    if freedom >= NEARLY_NORMAL {
        return 1.0 - 2.0 * beyond(t);
    }
    let angle = (t / (freedom as f64).sqrt()).atan();
    let (sine, square) = (angle.sin(), angle.cos().powi(2));
    let odd = freedom % 2 == 1;
    // The terms of the series have the factors 2/3, 4/5, … or 1/2, 3/4, …
    let first = if odd { angle.cos() } else { 1.0 };
    let (mut term, mut sum) = (first, if freedom == 1 { 0.0 } else { first });
    let mut k = if odd { 2.0 } else { 1.0 };
    while k + 1.0 < freedom as f64 {
        term *= k / (k + 1.0) * square;
        sum += term;
        k += 2.0;
    }
    if odd { std::f64::consts::FRAC_2_PI * (angle + sine * sum) } else { sine * sum }
}

/// The point up to which a condition holds, by bisection.
fn root(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::rng::Seed;

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
            two_sided(&means(&all, DRAWS, &mut Seed(1).stream("test", &[])).expect("enough"))
        };
        assert!((at(0.1) - 0.0455).abs() < 0.02, "{}", at(0.1));
        assert!((at(0.05) - 0.317).abs() < 0.05, "{}", at(0.05));
        assert!(at(0.0) > 0.9 && at(1.0) < 0.002, "{} {}", at(0.0), at(1.0));
        assert_eq!(at(0.1), at(0.1), "the draws are seeded");
        let equal = means(&[(0.0, 1.0); 5], DRAWS, &mut Seed(1).stream("test", &[])).expect("enough");
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
    fn few_groups_widen_intervals_as_the_distributions_of_scipy_say() {
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-7, "{found}, not {expected}");
        // `scipy.stats.t.ppf(0.975, freedom)`.
        for (freedom, expected) in [
            (1, 12.706_204_736_174_694),
            (2, 4.302_652_729_749_462),
            (3, 3.182_446_305_283_707_8),
            (4, 2.776_445_105_197_794),
            (7, 2.364_624_251_592_784),
            (19, 2.093_024_054_408_308_7),
            (30, 2.042_272_456_301_237_8),
            (199, 1.971_956_544_251_753_3),
            (9_999, 1.960_201_263_621_357),
            (NEARLY_NORMAL, NORMAL),
        ] {
            near(student_quantile(freedom), expected);
        }
        // `1 - 2 * scipy.stats.t.sf(t, freedom)`.
        for (t, freedom, expected) in [
            (1.0, 1, 0.5),
            (2.0, 2, 0.816_496_580_927_726),
            (2.5, 5, 0.945_509_900_657_623_7),
            (0.3, 8, 0.228_175_518_317_501_27),
            (3.1, 41, 0.996_508_270_365_516_9),
        ] {
            near(student(t, freedom), expected);
        }
        // `norm.cdf(-t.ppf(0.975, n - 1) * sqrt(n / (n - 1)))` and `2 * t.sf(norm.isf(p / 2) * sqrt((n - 1) / n), n - 1)`.
        for (n, expected) in [(5, 0.000_954_100_5), (6, 0.002_431_803_2), (12, 0.010_756_614_9), (50, 0.021_179_411_2)]
        {
            near(expanded_tail(n), expected);
        }
        for (p, n, expected) in [
            (0.05, 5, 0.154_465_916_9),
            (0.001, 5, 0.042_256_942_3),
            (0.05, 12, 0.087_347_866_5),
            (0.3, 20, 0.325_096_733_0),
            (0.01, 1000, 0.010_180_333_3),
            (1.0, 7, 1.0),
        ] {
            near(corrected(p, n), expected);
        }
        near(corrected(2.0 * expanded_tail(8), 8), 0.05);
    }
}
