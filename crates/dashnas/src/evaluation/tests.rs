use crate::evaluation::*;
use dashnas_core::task::TaskKind;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;

fn split(x: &[usize], y: Targets) -> Split {
    Split { x: Array::new(x.to_vec(), (0..x.iter().product::<usize>()).map(|i| i as f32).collect()), y }
}

#[test]
fn confusion_counts_truth_in_rows_and_predictions_in_columns() {
    let truth = Targets::Classes(vec![0, 1, 1, 2]);
    let logits = [2.0, 0.0, 0.0, 0.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 9.0];
    let predictions = Array::new(vec![4, 3, 1], logits.to_vec());
    let task = TaskKind::Classification { classes: 3 };
    let Details::Classes { confusion } = Details::new(task, &truth, &predictions, None) else { panic!("classes") };
    assert_eq!(confusion, [vec![1, 0, 0], vec![1, 1, 0], vec![0, 0, 1]]);

    let worst = example::choose(task, &split(&[4, 1, 5], truth), &predictions, None).unwrap();
    assert_eq!(worst.iter().map(|e| e.row).collect::<Vec<_>>(), [2, 0, 1, 3]);
    let e = 1f64.exp();
    assert!((worst[0].error - (e + 2.0).ln()).abs() < 1e-12, "−ln 1/(e + 2): {}", worst[0].error);
    let Answer::Class { class: 0, probability } = worst[0].predicted else { panic!("{:?}", worst[0]) };
    assert!((probability - e / (e + 2.0)).abs() < 1e-12);
    assert_eq!(worst[0].input.values, [10.0, 11.0, 12.0, 13.0, 14.0]);
}

#[test]
fn label_scores_are_those_of_their_definitions() {
    // Label 0 has truth 1 1 0 0 and scores 2 −1 1 −3: 1 of 2 predicted ones is right, 1 of 2 true ones is found, and 3
    // of 4 pairs are in order.
    let truth = Targets::Values(Array::new(vec![4, 2], vec![1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
    let predictions = Array::new(vec![4, 2, 1], vec![2.0, -1.0, -1.0, -1.0, 1.0, -1.0, -3.0, -1.0]);
    let task = TaskKind::MultiLabel { labels: 2 };
    let Details::Labels { labels } = Details::new(task, &truth, &predictions, None) else { panic!("labels") };
    let l = &labels[0];
    assert_eq!((l.positives, l.precision, l.recall, l.f1, l.auroc), (2, Some(0.5), Some(0.5), Some(0.5), Some(0.75)));
    assert!((l.average_precision.expect("defined") - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-12);
    assert_eq!(
        labels[1],
        LabelScore { positives: 0, precision: None, recall: None, f1: None, auroc: None, average_precision: None }
    );
}

#[test]
fn output_scores_are_taken_output_by_output() {
    let truth = Targets::Values(Array::new(vec![2, 2, 2], vec![0.0, 2.0, 5.0, 5.0, 4.0, 6.0, 5.0, 5.0]));
    let predictions = Array::new(vec![2, 2, 2], vec![1.0, 2.0, 5.0, 5.0, 4.0, 3.0, 5.0, 7.0]);
    let task = TaskKind::DenseRegression { channels: 2 };
    let Details::Values { outputs, pairs } = Details::new(task, &truth, &predictions, None) else { panic!("values") };
    assert_eq!((outputs[0].mae, outputs[0].rmse), (Some(1.0), Some(2.5f64.sqrt())));
    assert_eq!(outputs[0].r2, Some(1.0 - 10.0 / 20.0));
    assert_eq!((outputs[1].mae, outputs[1].r2), (Some(0.5), None));
    assert_eq!(pairs.len(), 8);
    let chosen = example::choose(task, &split(&[2, 1, 2], truth), &predictions, None).unwrap();
    assert_eq!(chosen.len(), 2, "both samples are among the worst");
    assert!((chosen[0].error - (13f64 / 102.0).sqrt()).abs() < 1e-12, "{}", chosen[0].error);
}

#[test]
fn fields_have_a_median_and_a_best_sample_too() {
    let n = 7;
    let truth = Targets::Values(Array::new(vec![n, 1, 2, 2], vec![1.0; n * 4]));
    let predictions = Array::new(vec![n, 1, 4], (0..n * 4).map(|i| 1.0 + (i / 4) as f32).collect());
    let task = TaskKind::DenseRegression { channels: 1 };
    let chosen = example::choose(task, &split(&[n, 1, 2, 2], truth), &predictions, None).unwrap();
    let rows: Vec<(ErrorRank, usize)> = chosen.iter().map(|e| (e.rank, e.row)).collect();
    use ErrorRank::{Best, Median, Worst};
    assert_eq!(rows, [(Worst, 6), (Worst, 5), (Worst, 4), (Median, 3), (Best, 0)]);
}

#[test]
fn pictures_average_the_points_that_they_merge() {
    let long: Vec<f32> = (0..1024).map(|i| (i / 4) as f32 + [-1.0, 1.0, -2.0, 2.0][i % 4]).collect();
    let p = Picture::new([1, 1, 1024], &long);
    assert_eq!(p.shape, [1, 1, 256]);
    assert!(p.values.iter().enumerate().all(|(i, &v)| v == i as f32), "{:?}", &p.values[..8]);
    let p = Picture::new([5, 128, 96], &vec![0.12345678; 5 * 128 * 96]);
    assert_eq!((p.shape, p.original), ([3, 64, 64], [5, 128, 96]));
    assert!(p.values.iter().all(|&v| v == 0.1235), "four digits are kept");
    assert_eq!(p.channel(2).len(), 64 * 64);
    assert!(p.channel(3).is_empty());
}

const NAN: f32 = f32::NAN;

#[test]
fn unknown_targets_are_in_no_score() {
    // As in `label_scores_are_those_of_their_definitions`, with two more samples whose targets are unknown.
    let truth = Targets::Values(Array::new(vec![6, 1], vec![1.0, 1.0, NAN, 0.0, 0.0, NAN]));
    let predictions = Array::new(vec![6, 1, 1], vec![2.0, -1.0, 9.0, 1.0, -3.0, -9.0]);
    let task = TaskKind::MultiLabel { labels: 1 };
    let Details::Labels { labels } = Details::new(task, &truth, &predictions, None) else { panic!("labels") };
    let l = &labels[0];
    assert_eq!((l.positives, l.precision, l.recall, l.f1, l.auroc), (2, Some(0.5), Some(0.5), Some(0.5), Some(0.75)));
    let chosen = example::choose(task, &split(&[6, 1, 2], truth), &predictions, None).unwrap();
    assert_eq!(chosen.iter().map(|e| e.row).collect::<Vec<_>>(), [1, 3, 0, 4], "no sample without a known target");

    let truth = Targets::Values(Array::new(vec![2, 2, 2], vec![NAN, 2.0, NAN, NAN, 4.0, 6.0, NAN, NAN]));
    let predictions = Array::new(vec![2, 2, 2], vec![7.0, 3.0, 5.0, 5.0, 4.0, 3.0, 5.0, 7.0]);
    let task = TaskKind::DenseRegression { channels: 2 };
    let Details::Values { outputs, pairs } = Details::new(task, &truth, &predictions, None) else { panic!("values") };
    assert_eq!(outputs[0].mae, Some(4.0 / 3.0));
    assert_eq!(outputs[0].rmse, Some((10.0f64 / 3.0).sqrt()));
    assert_eq!(outputs[1], OutputScore { mae: None, rmse: None, r2: None }, "no target of it is known");
    assert_eq!(pairs, [[2.0, 3.0], [4.0, 4.0], [6.0, 3.0]]);
    let chosen = example::choose(task, &split(&[2, 1, 2], truth), &predictions, None).unwrap();
    assert_eq!(chosen.iter().map(|e| e.error).collect::<Vec<_>>(), [0.5, (9f64 / 52.0).sqrt()]);
    let Answer::Field { picture } = &chosen[0].truth else { panic!("a field") };
    assert!(picture.values[0].is_nan() && picture.values[1] == 2.0);
}

#[test]
fn an_evaluation_with_unknown_targets_can_be_read_back() {
    let truth = Targets::Values(Array::new(vec![1, 3], vec![NAN, 2.0, 3.0]));
    let predictions = Array::new(vec![1, 3, 1], vec![7.0, 3.0, 5.0]);
    let task = TaskKind::Regression { outputs: 3 };
    let details = Details::new(task, &truth, &predictions, None);
    let examples = example::choose(task, &split(&[1, 1, 2], truth), &predictions, None).unwrap();
    let searched = Assessment { metric: 1.5, details, curves: vec![], examples };
    let seen = Evaluation { classes: None, searched, baseline: None, judgement: None };
    let text = serde_json::to_string(&seen).expect("JSON");
    let back: Evaluation = serde_json::from_str(&text).expect("readable");
    assert_eq!(back.searched.details, seen.searched.details);
    let Answer::Values { values } = &back.searched.examples[0].truth else { panic!("values") };
    assert!(values[0].is_nan() && values[1..] == [2.0, 3.0], "{values:?}");
}

#[test]
fn pictures_average_known_values() {
    let p = Picture::new([1, 1, 512], &[&[1.0, NAN, NAN, NAN][..], &[2.0; 508]].concat());
    assert!(p.values[0] == 1.0 && p.values[1].is_nan() && p.values[2] == 2.0, "{:?}", &p.values[..3]);
}
