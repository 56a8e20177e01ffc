//! Every metric against scikit-learn's figures (`fixtures/metrics_sklearn.py` made them), and the cases
//! where a metric must refuse.

use dashnas_core::metric::{MetricError, Predictions, Scale, Truth, evaluate};
use dashnas_core::task::Metric;
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scale: String,
    scores: Vec<f32>,
    shape: [usize; 3],
    classes: Option<Vec<u32>>,
    values: Option<Vec<f32>>,
    weights: Option<Vec<f32>>,
    expected: BTreeMap<String, f64>,
}

#[test]
fn agrees_with_scikit_learn() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/metrics_sklearn.json")).unwrap();
    let mut covered = BTreeSet::new();
    for case in &fixture.cases {
        let scale = if case.scale == "logits" { Scale::Logits } else { Scale::Probabilities };
        let predictions = Predictions::new(&case.scores, case.shape, scale).unwrap();
        let predictions = predictions.weighted(case.weights.as_deref()).unwrap();
        let truth = match (&case.classes, &case.values) {
            (Some(labels), None) => Truth::Classes(labels),
            (None, Some(values)) => Truth::Values(values),
            _ => panic!("{}: classes or values", case.name),
        };
        for (name, &expected) in &case.expected {
            let metric = Metric::ALL.into_iter().find(|m| m.name() == name).unwrap();
            let found = evaluate(metric, &predictions, truth).unwrap();
            assert!((found - expected).abs() < 1e-9, "{} {name}: {found}, scikit-learn {expected}", case.name);
            covered.insert(name.clone());
        }
    }
    // scikit-learn has no such metric; the tests of the PSICOV task check it.
    covered.insert(Metric::ContactMae.name().to_owned());
    assert_eq!(covered.len(), Metric::ALL.len(), "every metric is checked: {covered:?}");
}

#[test]
fn names_are_those_of_the_files() {
    for metric in Metric::ALL {
        assert_eq!(serde_json::to_string(&metric).unwrap(), format!("\"{}\"", metric.name()));
    }
}

#[test]
fn refuses_what_it_cannot_judge() {
    let scores = [0.2, 0.8, 0.6, 0.4];
    let new = |shape| Predictions::new(&scores, shape, Scale::Probabilities);
    assert!(matches!(new([3, 2, 1]), Err(MetricError::Shape { .. })));
    assert!(matches!(new([usize::MAX, 2, 2]), Err(MetricError::Shape { .. })));
    assert!(matches!(Predictions::new(&[], [0, 2, 1], Scale::Logits), Err(MetricError::Empty)));
    assert!(matches!(
        Predictions::new(&[0.0, f32::NAN], [2, 1, 1], Scale::Logits),
        Err(MetricError::NotFinite { index: 1, .. })
    ));

    let p = new([2, 2, 1]).unwrap();
    for weights in [&[1.0][..], &[1.0, f32::NAN], &[1.0, -0.5], &[f32::INFINITY, 1.0]] {
        assert!(p.weighted(Some(weights)).is_err(), "{weights:?}");
    }
    let nothing = p.weighted(Some(&[0.0, 0.0])).unwrap();
    assert!(matches!(
        evaluate(Metric::ZeroOneError, &nothing, Truth::Classes(&[0, 1])),
        Err(MetricError::Undefined { .. })
    ));
    assert!(matches!(evaluate(Metric::ZeroOneError, &p, Truth::Classes(&[0])), Err(MetricError::Shape { .. })));
    assert!(matches!(
        evaluate(Metric::ZeroOneError, &p, Truth::Classes(&[0, 2])),
        Err(MetricError::LabelOutOfRange { index: 1, label: 2, classes: 2 })
    ));
    assert!(matches!(
        evaluate(Metric::Mae, &p, Truth::Classes(&[0, 1])),
        Err(MetricError::Unsupported { metric: Metric::Mae, .. })
    ));
    assert!(matches!(
        evaluate(Metric::OneMinusAuroc, &p, Truth::Values(&[0.0, 0.5, 1.0, 1.0])),
        Err(MetricError::NotBinary { index: 1, .. })
    ));
    assert!(matches!(
        evaluate(Metric::OneMinusAuroc, &p, Truth::Values(&[1.0; 4])),
        Err(MetricError::Undefined { metric: Metric::OneMinusAuroc, .. })
    ));
    assert!(matches!(
        evaluate(Metric::OneMinusMap, &p, Truth::Values(&[0.0; 4])),
        Err(MetricError::Undefined { metric: Metric::OneMinusMap, .. })
    ));
    assert!(matches!(
        evaluate(Metric::RelativeL2, &p, Truth::Values(&[0.0; 4])),
        Err(MetricError::Undefined { metric: Metric::RelativeL2, .. })
    ));
}

#[test]
fn relative_l2_leaves_out_samples_that_are_zero() {
    let p = Predictions::new(&[1.0, 1.0, 3.0, 6.0], [2, 1, 2], Scale::Logits).unwrap();
    // ‖(3,6) − (3,4)‖ / ‖(3,4)‖ = 2/5, the first sample has no norm.
    let found = evaluate(Metric::RelativeL2, &p, Truth::Values(&[0.0, 0.0, 3.0, 4.0])).unwrap();
    assert!((found - 0.4).abs() < 1e-12, "{found}");
}

proptest! {
    /// The definition itself: the share of (positive, negative) pairs in the right order.
    #[test]
    fn auroc_counts_pairs(rows in prop::collection::vec((0u8..12, any::<bool>()), 2..60)) {
        let scores: Vec<f32> = rows.iter().map(|r| f32::from(r.0) - 6.0).collect();
        let truth: Vec<f32> = rows.iter().map(|r| f32::from(u8::from(r.1))).collect();
        let p = Predictions::new(&scores, [rows.len(), 1, 1], Scale::Logits).unwrap();
        let (mut won, mut pairs) = (0.0, 0.0);
        for a in rows.iter().filter(|r| r.1) {
            for b in rows.iter().filter(|r| !r.1) {
                pairs += 1.0;
                won += if a.0 > b.0 { 1.0 } else if a.0 == b.0 { 0.5 } else { 0.0 };
            }
        }
        match evaluate(Metric::OneMinusAuroc, &p, Truth::Values(&truth)) {
            Ok(found) => prop_assert!((found - (1.0 - won / pairs)).abs() < 1e-12),
            Err(error) => {
                let undefined = matches!(error, MetricError::Undefined { .. });
                prop_assert!(pairs == 0.0 && undefined);
            }
        }
    }

    /// No input makes a metric panic or leave [0, 1] (the errors that are shares).
    #[test]
    fn shares_stay_in_range(n in 1usize..8, k in 1usize..4, s in 1usize..5, seed in any::<u64>()) {
        let mut state = seed | 1;
        let mut next = || { state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); state >> 33 };
        let scores: Vec<f32> = (0..n * k * s).map(|_| (next() % 9) as f32 - 4.0).collect();
        let labels: Vec<u32> = (0..n * s).map(|_| (next() as usize % k) as u32).collect();
        let values: Vec<f32> = (0..n * k * s).map(|_| (next() % 2) as f32).collect();
        for scale in [Scale::Logits, Scale::Probabilities] {
            let p = Predictions::new(&scores, [n, k, s], scale).unwrap();
            for metric in [Metric::ZeroOneError, Metric::OneMinusF1, Metric::OneMinusAuroc, Metric::OneMinusMap] {
                for truth in [Truth::Classes(&labels), Truth::Values(&values)] {
                    match evaluate(metric, &p, truth) {
                        Ok(found) => prop_assert!((-1e-12..=1.0).contains(&found), "{metric:?} {found}"),
                        Err(error) => {
                            let undefined = matches!(error, MetricError::Undefined { .. });
                            prop_assert!(undefined, "{error}");
                        }
                    }
                }
            }
        }
    }
}

/// The published computation of the PSICOV task's score, as its code goes about it: maps averaged over both
/// triangles, everything that is nearer in the sequence than 24 or farther than 8 struck out, the mean of
/// what is left, and the mean of that over proteins.
#[test]
fn contact_mae_is_the_published_score() {
    let side = 40;
    let value = |sample: usize, i: usize, j: usize| ((sample * 31 + i * 17 + j * 7) % 23) as f32;
    let mut truth = Vec::new();
    let mut guess = Vec::new();
    for sample in 0..3 {
        for i in 0..side {
            for j in 0..side {
                let (a, b) = (i.min(j), i.max(j));
                truth.push(if (a + b) % 11 == 0 { f32::NAN } else { value(sample, a, b) });
                guess.push(value(sample + 1, i, j) * 0.7 - 1.0);
            }
        }
    }
    let mut scores = Vec::new();
    for sample in 0..3 {
        let at = |data: &[f32], i: usize, j: usize| f64::from(data[(sample * side + i) * side + j]);
        let mut kept = Vec::new();
        for p in 0..side {
            for q in 0..side {
                let y = at(&truth, p, q);
                if (q as i64) - (p as i64) < 24 || y > 8.0 || y.is_nan() {
                    continue;
                }
                let mean = ((at(&guess, p, q) + at(&guess, q, p)) / 2.0).max(0.01);
                kept.push((y - mean).abs());
            }
        }
        scores.push(kept.iter().sum::<f64>() / kept.len() as f64);
    }
    let want = scores.iter().sum::<f64>() / 3.0;
    let predictions = Predictions::new(&guess, [3, 1, side * side], Scale::Logits).unwrap();
    let got = evaluate(Metric::ContactMae, &predictions, Truth::Values(&truth)).unwrap();
    assert!((got - want).abs() < 1e-12, "{got} {want}");
    // A map that is not square has no diagonal.
    let flat = Predictions::new(&guess[..3], [1, 1, 3], Scale::Logits).unwrap();
    assert!(evaluate(Metric::ContactMae, &flat, Truth::Values(&truth[1..4])).is_err());
}

/// A sample of weight 2 is the same as two samples, and one of weight 0 the same as none; weights of 1 change no bit.
#[test]
fn weights_are_numbers_of_samples() {
    let (side, weights) = (25, [1.0f32, 2.0, 0.0, 1.0]);
    let width = side * side;
    let scores: Vec<f32> = (0..4 * width).map(|i| ((i * 37 % 19) as f32 - 9.0) / 4.0).collect();
    let truth: Vec<f32> = (0..4 * width).map(|i| f32::from(u8::from(i * i % 5 == 1))).collect();
    let repeated = |data: &[f32]| [0, 1, 1, 3].map(|s| data[s * width..(s + 1) * width].to_vec()).concat();
    let (many_scores, many_truth) = (repeated(&scores), repeated(&truth));
    let plain = Predictions::new(&scores, [4, 1, width], Scale::Logits).unwrap();
    let weighted = plain.weighted(Some(&weights)).unwrap();
    let many = Predictions::new(&many_scores, [4, 1, width], Scale::Logits).unwrap();
    for metric in Metric::ALL {
        let (truth, many_truth) = (Truth::Values(&truth), Truth::Values(&many_truth));
        let got = evaluate(metric, &weighted, truth).unwrap();
        let want = evaluate(metric, &many, many_truth).unwrap();
        assert!((got - want).abs() < 1e-12, "{}: {got} {want}", metric.name());
        let ones = evaluate(metric, &plain.weighted(Some(&[1.0; 4])).unwrap(), truth).unwrap();
        let bare = evaluate(metric, &plain, truth).unwrap();
        assert_eq!(ones.to_bits(), bare.to_bits(), "{}", metric.name());
    }
}

/// Leaving out what is not known is the same as never having had it.
#[test]
fn unknown_targets_are_left_out_of_every_metric() {
    let n = 60;
    let scores: Vec<f32> = (0..n).map(|i| ((i * 37 % 19) as f32 - 9.0) / 4.0).collect();
    let truth: Vec<f32> =
        (0..n).map(|i| if i % 7 == 3 { f32::NAN } else { f32::from(u8::from(i * i % 5 == 1)) }).collect();
    let kept: Vec<(f32, f32)> =
        scores.iter().copied().zip(truth.iter().copied()).filter(|(_, t)| !t.is_nan()).collect();
    let (few_scores, few_truth): (Vec<f32>, Vec<f32>) = kept.into_iter().unzip();
    let all = Predictions::new(&scores, [1, 1, n], Scale::Logits).unwrap();
    let few = Predictions::new(&few_scores, [1, 1, few_scores.len()], Scale::Logits).unwrap();
    for metric in [
        Metric::ZeroOneError,
        Metric::Mae,
        Metric::RelativeL2,
        Metric::OneMinusF1,
        Metric::OneMinusAuroc,
        Metric::OneMinusMap,
    ] {
        let got = evaluate(metric, &all, Truth::Values(&truth)).unwrap();
        let want = evaluate(metric, &few, Truth::Values(&few_truth)).unwrap();
        assert!((got - want).abs() < 1e-12, "{}: {got} {want}", metric.name());
    }
    let unknown = vec![f32::NAN; n];
    assert!(evaluate(Metric::Mae, &all, Truth::Values(&unknown)).is_err());
}
