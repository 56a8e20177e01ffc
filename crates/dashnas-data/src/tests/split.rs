//! Dividing samples into splits.

use crate::groups::{GroupKind, Groups};
use crate::split::draw;
use crate::tests::readers::{folder, open_with};
use crate::tests::*;
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
        let (train, val) = split_validation(&toy(&labels).y, None, fraction, seed);
        let mut all = [&train[..], &val[..]].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
        let twice = (0..5).any(|class| labels.iter().filter(|&&l| l == class).count() > 1);
        prop_assert_eq!(val.is_empty(), !twice);
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
        // Validation is empty only where every group has all samples of some class.
        let (labels, groups) = (&labels, &groups);
        let spare = |group: u32| {
            let of = |class: u32| (0..labels.len()).filter(move |&i| labels[i] == class);
            (0..4).all(|class| of(class).count() == 0 || of(class).any(|i| groups[i] != group))
        };
        prop_assert_eq!(val.is_empty(), !groups.iter().any(|&g| spare(g)));
    }

    #[test]
    fn a_drawn_part_has_its_size_and_every_class_in_proportion(
        labels in prop::collection::vec(0u32..6, 1..80),
        share in 0.0f64..1.0,
        seed in any::<u64>(),
    ) {
        let rows: Vec<usize> = (0..labels.len()).filter(|i| i % 5 != 3).collect();
        let keep = (rows.len() as f64 * share) as usize;
        let drawn = draw(&rows, Some(&labels), keep, &mut ChaCha8Rng::seed_from_u64(seed));
        prop_assert_eq!(drawn.len(), keep);
        prop_assert!(drawn.is_sorted_by(|a, b| a < b) && drawn.iter().all(|row| rows.contains(row)));
        let count = |part: &[usize], class| part.iter().filter(|&&i| labels[i] == class).count();
        let classes = (0..6).filter(|&class| count(&rows, class) > 0).count();
        for class in (0..6).filter(|_| keep >= classes) {
            let (all, part) = (count(&rows, class), count(&drawn, class));
            prop_assert!(all == 0 || part > 0, "class {} was lost", class);
            // Those that have one for the sake of being there cost the others less than one each.
            prop_assert!((part as f64 - all as f64 * keep as f64 / rows.len() as f64).abs() <= classes as f64);
        }
    }
}

#[test]
fn groups_are_stratified() {
    // Subjects of one class each, of classes side by side, and a class that few subjects have.
    let pure = |i: u32| vec![i / 5];
    let mixed = |i: u32| vec![0, 1, 1, (i + 1) % 3];
    let rare = |i: u32| if i == 3 || i == 9 { vec![0, 0, 2] } else { vec![0, 1, 0] };
    for of_subject in [&pure as &dyn Fn(u32) -> Vec<u32>, &mixed, &rare] {
        let samples =
            || (0..15).flat_map(|i| of_subject(i).repeat(1 + i as usize % 2).into_iter().map(move |c| (i, c)));
        let (subjects, labels): (Vec<u32>, Vec<u32>) = samples().unzip();
        for seed in 0..20 {
            let (_, val) = split_validation(&Targets::Classes(labels.clone()), Some(&subjects), 0.2, seed);
            for class in 0..3 {
                let all = labels.iter().filter(|&&l| l == class).count() as f64;
                let share = val.iter().filter(|&&i| labels[i] == class).count() as f64 / all;
                assert!((0.1..=0.7).contains(&share), "{share} of class {class} with seed {seed}");
            }
            assert!((0.12..=0.35).contains(&(val.len() as f64 / labels.len() as f64)), "{} samples", val.len());
        }
    }
}

#[test]
fn groups_that_are_all_too_large_give_the_smallest_that_can_be_spared() {
    // Two equal groups; then one that alone has class 1, and of the other two the smaller one.
    let equal = Targets::Classes([0, 1].repeat(10));
    let groups: Vec<u32> = (0..20).map(|i| u32::from(i >= 10)).collect();
    assert_eq!(split_validation(&equal, Some(&groups), 0.2, 1).1.len(), 10);
    let labels = Targets::Classes([vec![0; 8], vec![0; 5], vec![1; 3]].concat());
    let groups = [vec![0; 8], vec![1; 5], vec![2; 3]].concat();
    assert_eq!(split_validation(&labels, Some(&groups), 0.1, 1).1, (8..13).collect::<Vec<_>>());
    assert!(split_validation(&labels, Some(&[0; 16]), 0.2, 1).1.is_empty(), "the only group");
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

#[test]
fn the_first_training_samples_keep_every_class_and_their_groups() {
    let set = || {
        let task = TaskKind::Classification { classes: 3 };
        let set = Dataset::new("toy", task, toy(&[0, 1, 0, 2, 1]), None, toy(&[2, 1])).unwrap();
        let names = [4, 0, 4, 7, 0].map(|group: u32| group.to_string());
        Dataset { groups: Some(Groups::new(GroupKind::Groups, [Some(&names), None, None])), ..set }
    };
    let four = set().with_train_samples(4).unwrap();
    assert_eq!(four.train, toy(&[0, 1, 0, 2]));
    assert_eq!((four.test.len(), four.groups.and_then(|groups| groups.train)), (2, Some(vec![0, 1, 0, 2])));
    assert_eq!(four.origin.notes, ["only the first 4 of 5 training samples are used"]);
    for all in [5, 100] {
        assert_eq!(set().with_train_samples(all).unwrap(), set());
    }
    let error = set().with_classes(["a", "b", "c"].map(str::to_owned).to_vec()).unwrap().with_train_samples(3);
    let error = error.unwrap_err();
    assert_eq!(error.to_string(), "toy: none of the first 3 training samples is of class c");
    assert!(error.hint().is_some_and(|hint| hint.starts_with("set `task.train-samples` to 4 or more")));
}

#[test]
fn a_test_split_follows_its_own_seed_if_it_has_one() {
    let rows: String = (0..40).map(|i| format!("{i}.5,{}.25,{}\n", i * i, ["x", "y"][i % 2])).collect();
    let files = folder(&[("t.csv", format!("a,b,label\n{rows}").as_bytes())]);
    let test_of = |seed, split_seed| {
        let options = ReadOptions { seed, split_seed, ..Default::default() };
        let set = open_with(&files, "t.csv", &options).expect("a table");
        (set.test.x.data.to_vec(), set.origin.drawn.expect("it is drawn").seed)
    };
    assert_eq!(test_of(1, Some(7)), test_of(2, Some(7)));
    assert_eq!(test_of(7, None), test_of(2, Some(7)));
    assert_ne!(test_of(1, None).0, test_of(2, None).0);
}
