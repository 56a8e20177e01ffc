//! Augmentation, compared with results by hand and with the expected distributions.

use crate::config::sections::AugmentConfig;
use crate::problem::augment::batches::AugmentedBatches;
use crate::problem::augment::grid_move::{GridMove, MoveBounds};
use crate::problem::augment::sampling::balanced_weights;
use crate::problem::samples::Samples;
use burn::tensor::{Device, Tensor};
use dashnas_core::rng::Seed;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::loss::BatchTarget;
use proptest::prelude::*;

const OFF: AugmentConfig = AugmentConfig { crop: 0, flip: false, shift: 0, amplitude: 0.0, mixup: 0.0, balance: false };

fn moved(grid_move: GridMove, plane: &[f32], size: [usize; 2]) -> Vec<f32> {
    let mut out = Vec::new();
    grid_move.apply(plane, size, -1.0, &mut out);
    out
}

#[test]
fn moves_by_hand() {
    let plane = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    assert_eq!(moved(GridMove::default(), &plane, [2, 3]), plane);
    assert_eq!(moved(GridMove { flip: true, ..GridMove::default() }, &plane, [2, 3]), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
    assert_eq!(
        moved(GridMove { crop: [1, -1], ..GridMove::default() }, &plane, [2, 3]),
        [-1.0, 4.0, 5.0, -1.0, -1.0, -1.0]
    );
    assert_eq!(moved(GridMove { roll: 1, ..GridMove::default() }, &plane, [1, 6]), [6.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
}

proptest! {
    #[test]
    fn a_roll_and_a_flip_lose_nothing(h in 1usize..6, w in 1usize..9, roll in 0usize..9, flip: bool) {
        let plane: Vec<f32> = (0..h * w).map(|v| v as f32).collect();
        let mut out = moved(GridMove { crop: [0, 0], flip, roll: roll % w }, &plane, [h, w]);
        out.sort_by(f32::total_cmp);
        prop_assert_eq!(out, plane);
    }

    #[test]
    fn drawn_moves_keep_to_their_bounds(h in 1usize..6, w in 1usize..9, crop in 0usize..4, shift in 0usize..4, seed: u64) {
        let bounds = MoveBounds { crop, shift, flip: true };
        let grid_move = GridMove::draw(bounds, [h, w], &mut Seed(seed).stream("t", &[]));
        prop_assert!(grid_move.crop[0].unsigned_abs() <= crop.min(h - 1));
        prop_assert!(grid_move.crop[1].unsigned_abs() <= crop.min(w - 1));
        prop_assert!(grid_move.roll <= shift || w - grid_move.roll <= shift);
        prop_assert_eq!(moved(grid_move, &vec![0.0; h * w], [h, w]).len(), h * w);
    }
}

fn samples(y: Targets, n: usize) -> Samples {
    Samples::new(Split { x: Array::new(vec![n, 1, 2, 4], (0..n * 8).map(|v| v as f32 + 1.0).collect()), y })
}

fn floats(t: Tensor<4>) -> Vec<f32> {
    t.into_data().try_to_vec::<f32>().unwrap()
}

#[test]
fn the_random_stream_decides_and_off_changes_nothing() {
    let device = Device::flex();
    let set = samples(Targets::Classes(vec![0, 1, 0]), 3);
    let rows = [2, 0];
    let draw = |config: AugmentConfig, seed| {
        let batches = AugmentedBatches { samples: &set, config: &config };
        floats(batches.batch(&rows, &mut Seed(seed).stream("t", &[]), &device).unwrap().0)
    };
    assert_eq!(draw(OFF, 1), floats(set.batch(&rows, &device).unwrap().0));
    let all = AugmentConfig { crop: 1, flip: true, shift: 2, amplitude: 0.2, mixup: 0.4, balance: false };
    assert_eq!(draw(all.clone(), 1), draw(all.clone(), 1));
    assert_ne!(draw(all.clone(), 1), draw(all, 2));
}

#[test]
fn a_field_moves_with_its_input_and_points_from_outside_are_unknown() {
    let device = Device::flex();
    let x = Array::new(vec![1, 1, 2, 4], (0..8).map(|v| v as f32 + 1.0).collect());
    let samples = Samples::new(Split { y: Targets::Values(x.clone()), x });
    let batches = AugmentedBatches { samples: &samples, config: &AugmentConfig { crop: 1, flip: true, ..OFF } };
    let mut unknown = 0;
    for seed in 0..20 {
        let (x, target) = batches.batch(&[0], &mut Seed(seed).stream("t", &[]), &device).unwrap();
        let x = floats(x);
        match target {
            BatchTarget::Values(y) => assert_eq!(y.into_data().try_to_vec::<f32>().unwrap(), x),
            BatchTarget::Known { values, known } => {
                unknown += 1;
                // The fill value of the input is 0, and so are the unknown targets.
                assert_eq!(values.into_data().try_to_vec::<f32>().unwrap(), x);
                let known: Vec<f32> = known.into_data().try_to_vec().unwrap();
                assert!(known.iter().zip(&x).all(|(k, x)| (*k == 0.0) == (*x == 0.0)));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(unknown > 5, "{unknown} of 20 crops moved");
}

#[test]
fn mixup_mixes_inputs_and_targets_with_the_same_share() {
    let device = Device::flex();
    let y = Array::new(vec![4, 1], vec![1.0, 9.0, 17.0, 25.0]);
    let samples = samples(Targets::Values(y), 4);
    let batches = AugmentedBatches { samples: &samples, config: &AugmentConfig { mixup: 1.0, ..OFF } };
    let (x, target) = batches.batch(&[0, 1, 2, 3], &mut Seed(5).stream("t", &[]), &device).unwrap();
    let BatchTarget::Values(y) = target else { panic!("values") };
    let (x, y) = (floats(x), y.into_data().try_to_vec::<f32>().unwrap());
    // The target is the first point of the input, and so it is for the mixture.
    for i in 0..4 {
        assert!((x[8 * i] - y[i]).abs() < 1e-4, "{x:?} {y:?}");
    }
    assert_ne!(y, [1.0, 9.0, 17.0, 25.0]);
}

#[test]
fn balanced_sampling_draws_every_class_equally_often() {
    let labels: Vec<u32> = (0..1000)
        .map(|i| {
            if i < 900 {
                0
            } else if i < 990 {
                1
            } else {
                2
            }
        })
        .collect();
    let x = Array::new(vec![1000, 1, 1], vec![0.0; 1000]);
    let samples = Samples::new(Split { x, y: Targets::Classes(labels.clone()) });
    let batches = AugmentedBatches { samples: &samples, config: &AugmentConfig { balance: true, ..OFF } };
    let indices: Vec<usize> = (0..1000).collect();
    let order = batches.order(&indices, 3000, &mut Seed(1).stream("t", &[]));
    let mut counts = [0usize; 3];
    order.iter().for_each(|&i| counts[labels[i] as usize] += 1);
    // 1000 each; the standard deviation is 26.
    assert!(counts.iter().all(|&c| c.abs_diff(1000) < 130), "{counts:?}");
    let first: std::collections::BTreeSet<_> = order.iter().filter(|&&i| labels[i] == 0).take(900).collect();
    assert_eq!(first.len(), 900, "all samples of a class are drawn before one is drawn again");
    assert_eq!(balanced_weights(&labels, None, 3), [1000.0 / 2700.0, 1000.0 / 270.0, 1000.0 / 30.0]);
}
