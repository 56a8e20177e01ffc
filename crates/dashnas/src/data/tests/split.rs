//! Dividing samples.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_division_is_a_partition_with_every_class_on_both_sides(
        labels in prop::collection::vec(0u32..5, 1..60),
        fraction in 0.01f64..0.99,
        seed in any::<u64>(),
    ) {
        let (train, val) = split_validation(&toy(&labels).y, None, fraction, seed);
        let mut all = [&train[..], &val[..]].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        for class in 0..5 {
            let count = |part: &[usize]| part.iter().filter(|&&i| labels[i] == class).count();
            let (t, v) = (count(&train), count(&val));
            match t + v {
                0 => {}
                1 => prop_assert_eq!((t, v), (1, 0)),
                n => {
                    prop_assert!(t > 0 && v > 0);
                    // Rounded, or moved by the rule that both sides have one.
                    prop_assert!((v as f64 - n as f64 * fraction).abs() <= 1.0);
                }
            }
        }
    }

    #[test]
    fn groups_stay_whole_and_every_class_is_trained_on(
        samples in prop::collection::vec((0u32..4, 0u32..6), 2..60),
        fraction in 0.05f64..0.6,
        seed in any::<u64>(),
    ) {
        let (labels, groups): (Vec<u32>, Vec<u32>) = samples.into_iter().unzip();
        let (train, val) = split_validation(&Targets::Classes(labels.clone()), Some(&groups), fraction, seed);
        let mut all = [&train[..], &val[..]].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        for &i in &val {
            prop_assert!(train.iter().all(|&j| groups[j] != groups[i]), "group {} is on both sides", groups[i]);
        }
        for class in 0..4 {
            prop_assert!(!labels.contains(&class) || train.iter().any(|&i| labels[i] == class));
        }
    }
}

#[test]
fn the_seed_decides() {
    let split = toy(&[0, 1].repeat(50));
    assert_eq!(split_validation(&split.y, None, 0.2, 1), split_validation(&split.y, None, 0.2, 1));
    assert_ne!(split_validation(&split.y, None, 0.2, 1), split_validation(&split.y, None, 0.2, 2));
    assert_eq!(split_validation(&split.y, None, 0.0, 1).1, Vec::<usize>::new());
}

#[test]
fn real_targets_are_divided_by_number() {
    let values = Array::new(vec![10, 1], vec![0.0; 10]);
    let split = Split { x: Array::new(vec![10, 1, 1], vec![0.0; 10]), y: Targets::Values(values) };
    for (fraction, expected) in [(0.001, 1), (0.24, 2), (0.5, 5), (0.999, 9), (3.0, 9)] {
        assert_eq!(split_validation(&split.y, None, fraction, 7).1.len(), expected, "{fraction}");
    }
}

#[test]
fn selected_rows_keep_input_and_target_together() {
    let picked = toy(&[0, 1, 2, 1]).select(&[2, 0, 2]);
    assert_eq!(picked.x.shape, [3, 1, 4]);
    assert_eq!(picked.x.data, [8., 9., 10., 11., 0., 1., 2., 3., 8., 9., 10., 11.]);
    assert_eq!(picked.y, Targets::Classes(vec![2, 0, 2]));
    assert_eq!(Array::new(vec![3, 2], (0..6).map(|v| v as f32).collect()).select(&[1]).data, [2.0, 3.0]);
}
