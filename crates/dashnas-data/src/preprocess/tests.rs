//! Transforms on small sets.

use crate::dataset::Dataset;
use crate::preprocess::apply;
use crate::split::Split;
use crate::targets::Targets;
use crate::transform::{Transform, order, standardize, starts};
use dashnas_core::task::TaskKind;
use dashnas_formats::array::Array;

fn images(task: TaskKind, y: impl Fn(usize) -> Targets) -> Dataset {
    let split = |n: usize| {
        let x = (0..n * 12).map(|v| (v * v % 31) as f32).collect();
        Split { x: Array::new(vec![n, 1, 3, 4], x), y: y(n) }
    };
    Dataset::new("set", task, split(4), None, split(2)).unwrap()
}

fn classes(n: usize) -> Targets {
    Targets::Classes((0..n as u32).map(|i| i % 2).collect())
}

const TWO: TaskKind = TaskKind::Classification { classes: 2 };

#[test]
fn flatten_and_permute_make_the_sequential_tasks() {
    let set = images(TWO, classes);
    let flat = apply(set.clone(), None, &[Transform::Flatten]).unwrap();
    assert_eq!(flat.train.x.shape, [4, 1, 12]);
    assert_eq!(flat.train.x.data, set.train.x.data);
    let permuted = apply(set.clone(), None, &[Transform::Flatten, Transform::Permute]).unwrap();
    let order = order(12);
    for i in 0..4 {
        let want: Vec<f32> = order.iter().map(|&p| set.train.x.row(i)[p]).collect();
        assert_eq!(permuted.train.x.row(i), want);
    }
    assert_eq!(permuted.test.x.row(0)[0], set.test.x.row(0)[order[0]], "the same order in every split");
}

#[test]
fn standardized_samples_have_mean_0_and_deviation_1() {
    let set = apply(images(TWO, classes), None, &[Transform::StandardizeSamples]).unwrap();
    for i in 0..4 {
        let row = set.train.x.row(i);
        let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / 12.0;
        let variance = row.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / 12.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");
    }
    let mut constant = [7.0; 5];
    standardize(&mut constant);
    assert_eq!(constant, [0.0; 5]);
}

#[test]
fn a_value_can_stand_for_what_is_not_known() {
    let task = TaskKind::DenseRegression { channels: 1 };
    let field = |n: usize| {
        Targets::Values(Array::new(
            vec![n, 1, 3, 4],
            (0..n * 12).map(|v| if v % 5 == 0 { -1.0 } else { 2.0 }).collect(),
        ))
    };
    let set = apply(images(task, field), Some(-1.0), &[]).unwrap();
    let y = set.train.y.values().unwrap();
    assert!((0..48).all(|v| y.data[v].is_nan() == (v % 5 == 0)));
    let all = |n: usize| Targets::Values(Array::new(vec![n, 1, 3, 4], vec![-1.0; n * 12]));
    assert!(apply(images(task, all), Some(-1.0), &[]).is_err(), "nothing would be known");
}

#[test]
fn a_transform_that_does_not_fit_says_so() {
    let series = {
        let split = |n: usize| Split { x: Array::new(vec![n, 1, 3], vec![0.5; n * 3]), y: classes(n) };
        Dataset::new("mine", TWO, split(4), None, split(2)).unwrap()
    };
    let error = apply(series, None, &[Transform::Spherical]).unwrap_err().to_string();
    assert_eq!(error, "mine: the transform spherical takes images, N×C×H×W; the inputs are [4, 1, 3]");
}

#[test]
fn windows_begin_as_published() {
    assert_eq!(starts(3000, 1000, 500).collect::<Vec<_>>(), [0, 500, 1000, 1500]);
    assert_eq!(starts(1000, 1000, 500).count(), 0);
    assert_eq!(starts(1001, 1000, 500).count(), 1);
    assert_eq!(starts(10, 1000, 500).count(), 0);
}
