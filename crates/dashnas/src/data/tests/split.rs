//! Dividing samples.

use super::*;
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

proptest! {
    #[test]
    fn a_division_is_a_partition_with_every_class_on_both_sides(
        labels in prop::collection::vec(0u32..5, 1..60),
        fraction in 0.01f64..0.99,
        seed in any::<u64>(),
    ) {
        let (train, val) = split_validation(&toy(&labels).y, fraction, seed);
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
    fn subsamples_are_distinct_and_of_the_size_asked(n in 0usize..50, fraction in 0.0f64..1.5, seed in any::<u64>()) {
        let chosen = subsample(n, fraction, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
        prop_assert!(chosen.iter().all(|&i| i < n));
        let expected = ((n as f64 * fraction).round() as usize).min(n).max(n.min(1));
        prop_assert_eq!(chosen.len(), expected);
    }
}

#[test]
fn the_seed_decides() {
    let split = toy(&[0, 1].repeat(50));
    assert_eq!(split_validation(&split.y, 0.2, 1), split_validation(&split.y, 0.2, 1));
    assert_ne!(split_validation(&split.y, 0.2, 1), split_validation(&split.y, 0.2, 2));
    assert_eq!(split_validation(&split.y, 0.0, 1).1, Vec::<usize>::new());
}

#[test]
fn real_targets_are_divided_by_number() {
    let values = Array::new(vec![10, 1], vec![0.0; 10]);
    let split = Split { x: Array::new(vec![10, 1, 1], vec![0.0; 10]), y: Targets::Values(values) };
    for (fraction, expected) in [(0.001, 1), (0.24, 2), (0.5, 5), (0.999, 9), (3.0, 9)] {
        assert_eq!(split_validation(&split.y, fraction, 7).1.len(), expected, "{fraction}");
    }
}

#[test]
fn every_index_is_as_likely() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut hits = [0u32; 10];
    for _ in 0..4000 {
        subsample(10, 0.3, &mut rng).into_iter().for_each(|i| hits[i] += 1);
    }
    // Binomial: 1200 expected, deviation √(4000·0.3·0.7) = 29; five of them.
    assert!(hits.iter().all(|&h| h.abs_diff(1200) < 145), "{hits:?}");
}

#[test]
fn selected_rows_keep_input_and_target_together() {
    let picked = toy(&[0, 1, 2, 1]).select(&[2, 0, 2]);
    assert_eq!(picked.x.shape, [3, 1, 4]);
    assert_eq!(picked.x.data, [8., 9., 10., 11., 0., 1., 2., 3., 8., 9., 10., 11.]);
    assert_eq!(picked.y, Targets::Classes(vec![2, 0, 2]));
    assert_eq!(Array::new(vec![3, 2], (0..6).map(|v| v as f32).collect()).select(&[1]).data, [2.0, 3.0]);
}
