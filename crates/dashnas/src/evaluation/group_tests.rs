//! Tests of intervals and comparisons where samples of one group are alike.

use crate::evaluation::judge::{OnTest, SampleGroups};
use crate::record::paired::{IntervalMethod, Judgement, NoInterval, PairedTest};
use dashnas_core::rng::{Seed, Stream};
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::groups::GroupKind;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use rand::RngExt;

/// Numbers of groups of unequal sizes, 12 of 150 samples.
fn groups() -> Vec<u32> {
    (0..150).map(|i| if i < 96 { i % 12 } else { i * i % 5 }).collect()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() < tolerance, "{found}, not {expected}");
}

#[test]
fn intervals_and_tests_of_groups_are_those_of_numpy() {
    let numbers = groups();
    let n = numbers.len();
    let column = |value: &dyn Fn(usize) -> f32| Array::new(vec![n, 1, 1], (0..n).map(value).collect());
    let by = |task, metric, truth: &Targets, network: &Array, plain: &Array| {
        let groups = Some(SampleGroups { are: GroupKind::Recordings, numbers: &numbers });
        OnTest { task, metric, truth, weights: None, groups, seed: 5 }.judge(network, Some(plain), None)
    };
    // Errors whose sizes depend on the group. 400 000 draws of the groups in NumPy, with the same correction by SciPy.
    let network = column(&|i| (i * 37 % 101) as f32 / 101.0 + 0.3 * (numbers[i] % 4) as f32);
    let plain = column(&|i| (i * 53 % 97) as f32 / 97.0 + 0.25 * (numbers[i] * 7 % 5) as f32);
    let zeros = Targets::Values(Array::new(vec![n, 1], vec![0.0; n]));
    let found = by(TaskKind::Regression { outputs: 1 }, Metric::Mae, &zeros, &network, &plain);
    let interval = found.interval.expect("there are 12 groups");
    assert_eq!(
        (interval.by, interval.method()),
        (IntervalMethod::ClusterBootstrap, "bootstrap over 12 recordings".into())
    );
    near(interval.low, 0.6302, 0.012);
    near(interval.high, 1.1153, 0.02);
    let paired = found.plain.expect("there are 12 groups");
    assert_eq!((paired.test, paired.groups.map(|groups| groups.number)), (PairedTest::ClusterBootstrap, Some(12)));
    near(paired.p, 0.4668, 0.03);
    // A metric that is no mean: 20 000 draws.
    let label = |i: usize| f32::from(i * 5 % 7 < 3);
    let score = |i: usize| (i * 37 % 101) as f32 / 101.0 + (0.3 + 0.05 * numbers[i] as f32) * label(i);
    let truth = Targets::Values(Array::new(vec![n, 1], (0..n).map(label).collect()));
    let task = TaskKind::MultiLabel { labels: 1 };
    let found = by(task, Metric::OneMinusAuroc, &truth, &column(&score), &column(&score));
    let interval = found.interval.expect("there are 12 groups");
    near(interval.low, 0.0714, 0.01);
    near(interval.high, 0.2099, 0.01);
    assert_eq!(found.plain.map(|paired| paired.p), Some(1.0), "equal networks");
}

/// Errors of two equally good networks on groups with a common share of errors each, `u⁴` of a uniform `u`: a fifth on
/// average. Returns the true classes, which are all 0, and the predictions.
fn alike(groups: usize, size: usize, rng: &mut Stream) -> (Targets, [Array; 2]) {
    let n = groups * size;
    let mut network = || {
        let mut logits = Vec::with_capacity(2 * n);
        for _ in 0..groups {
            let share = rng.random::<f64>().powi(4);
            for _ in 0..size {
                logits.extend(if rng.random::<f64>() < share { [0.0, 1.0] } else { [1.0, 0.0] });
            }
        }
        Array::new(vec![n, 2, 1], logits)
    };
    let predictions = [network(), network()];
    (Targets::Classes(vec![0; n]), predictions)
}

/// The share of simulations whose interval holds the true error rate, and the share that shows a difference where there is
/// none.
fn simulated(groups: usize, grouped: bool, seed: u64) -> [f64; 2] {
    const SIZE: usize = 30;
    const TIMES: u64 = 200;
    let numbers: Vec<u32> = (0..groups * SIZE).map(|i| (i / SIZE) as u32).collect();
    let (mut covered, mut shown) = (0, 0);
    for time in 0..TIMES {
        let mut rng = Seed(seed).stream("test/groups", &[time]);
        let (truth, [network, plain]) = alike(groups, SIZE, &mut rng);
        let (task, metric) = (TaskKind::Classification { classes: 2 }, Metric::ZeroOneError);
        let of = grouped.then_some(SampleGroups { are: GroupKind::Groups, numbers: &numbers });
        let found = OnTest { task, metric, truth: &truth, weights: None, groups: of, seed: time }.judge(
            &network,
            Some(&plain),
            None,
        );
        covered += u32::from(found.interval.is_some_and(|of| of.low <= 0.2 && 0.2 <= of.high));
        shown += u32::from(found.plain.is_some_and(|paired| paired.shows_difference()));
    }
    [covered, shown].map(|count| f64::from(count) / TIMES as f64)
}

#[test]
fn intervals_of_groups_hold_the_true_value_and_tests_rarely_show_what_is_not_there() {
    for groups in [8, 20] {
        let [covered, shown] = simulated(groups, true, 1);
        assert!(covered > 0.85 && shown < 0.1, "{groups} groups: {covered} covered, {shown} shown");
        // As if the samples were independent, which is what the groups are for.
        let [covered, shown] = simulated(groups, false, 1);
        assert!(covered < 0.6 && shown > 0.4, "{groups} groups taken for samples: {covered} covered, {shown} shown");
    }
}

#[test]
fn few_groups_and_groups_of_one_sample_are_told_apart() {
    let task = TaskKind::Classification { classes: 2 };
    let judged = |numbers: &[u32], wrong: usize| -> Judgement {
        let n = numbers.len();
        let truth = Targets::Classes(vec![0; n]);
        let row = |i: usize| if i < wrong { [0.0, 1.0] } else { [1.0, 0.0] };
        let network = Array::new(vec![n, 2, 1], (0..n).flat_map(row).collect());
        let plain = Array::new(vec![n, 2, 1], [0.0, 1.0].repeat(n));
        let groups = Some(SampleGroups { are: GroupKind::Recordings, numbers });
        OnTest { task, metric: Metric::ZeroOneError, truth: &truth, weights: None, groups, seed: 1 }.judge(
            &network,
            Some(&plain),
            Some(&[0.0, 1.0]),
        )
    };
    let few: Vec<u32> = (0..40).map(|i| i % 4).collect();
    let found = judged(&few, 3);
    assert_eq!((found.interval, found.no_interval), (None, Some(NoInterval::FewGroups)));
    assert_eq!((found.plain_interval, found.plain, found.against_guessing), (None, None, None));
    assert_eq!(found.too_few_groups().map(|groups| groups.words()).as_deref(), Some("4 recordings"));
    assert_eq!(found.guessing, Some(1.0));
    // Each sample by itself: as without groups.
    let single: Vec<u32> = (0..40).collect();
    let found = judged(&single, 3);
    assert_eq!((found.groups, found.interval.map(|of| of.by)), (None, Some(IntervalMethod::Wilson)));
    // Without an error in any group, the groups count as samples: Wilson's interval of 0 of 10.
    let ten: Vec<u32> = (0..40).map(|i| i % 10).collect();
    let interval = judged(&ten, 0).interval.expect("there are 10 groups");
    assert_eq!((interval.by, interval.groups.map(|groups| groups.number)), (IntervalMethod::Wilson, Some(10)));
    near(interval.low, 0.0, 1e-12);
    near(interval.high, 0.277_532_799_862_889, 1e-12);
    let shown = judged(&ten, 3).plain.expect("there are 10 groups");
    assert!(shown.shows_difference() && judged(&ten, 40).plain.is_some_and(|paired| paired.p == 1.0), "{shown:?}");
}
