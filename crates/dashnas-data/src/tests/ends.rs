//! Samples that keep their lengths: what follows the end is NaN, whatever the format.

use crate::tests::readers::{folder, open_with};
use crate::tests::*;
use crate::transform::kind::Transform;
use dashnas_formats::ends;

const NAN: f32 = f32::NAN;

fn masked() -> ReadOptions {
    ReadOptions { lengths: Lengths::Mask, ..Default::default() }
}

/// An archive whose two training samples of two channels have four values and two.
fn archived(x_train: &[f32]) -> Vec<u8> {
    archive(&[
        f32s("x_train", &[2, 2, 4], x_train),
        i32s("y_train", &[2], &[0, 1]),
        f32s("x_test", &[1, 2, 4], &[1., 2., 3., NAN, 4., 5., 6., NAN]),
        i32s("y_test", &[1], &[1]),
    ])
}

fn load(bytes: &[u8], options: &ReadOptions) -> Result<Dataset, DataError> {
    crate::npz::load_from(Cursor::new(bytes), Path::new("folder/toy.npz"), options)
}

#[test]
fn arrays_may_be_filled_up_with_nan() {
    let bytes = archived(&[1., 2., 3., 4., 5., 6., 7., 8., 1., 2., NAN, NAN, 3., 4., NAN, NAN]);
    let set = load(&bytes, &masked()).unwrap();
    assert_eq!([0, 1].map(|i| ends::length(set.train.x.row(i), 4)), [4, 2]);
    assert_eq!(ends::length(set.test.x.row(0), 4), 3);
    assert!(set.origin.notes.iter().any(|n| n.contains("2 to 4 long: kept")), "{:?}", set.origin.notes);
    // Without the option the same values are missing.
    let error = load(&bytes, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("x_train[1, 0, 2]"), "{error}");
}

#[test]
fn what_is_missing_before_the_end_is_refused_or_filled() {
    let bytes = archived(&[1., 2., 3., 4., 5., NAN, 7., 8., 1., 2., NAN, NAN, NAN, 4., NAN, NAN]);
    let error = load(&bytes, &masked()).unwrap_err().to_string();
    assert!(error.contains("x_train[0, 1, 1]"), "{error}");
    for (how, expected) in [(Fill::Linear, [6., 4.]), (Fill::Zero, [0., 0.]), (Fill::Mean, [20. / 3., 4.])] {
        let set = load(&bytes, &ReadOptions { fill_missing: Some(how), ..masked() }).unwrap();
        assert_eq!([set.train.x.row(0)[5], set.train.x.row(1)[4]], expected, "{how:?}");
        assert_eq!([0, 1].map(|i| ends::length(set.train.x.row(i), 4)), [4, 2], "{how:?}");
        assert!(set.origin.notes.iter().any(|n| n.starts_with("filled 2 missing values")), "{:?}", set.origin.notes);
    }
}

#[test]
fn a_sample_without_values_is_refused() {
    let bytes = archived(&[1., 2., 3., 4., 5., 6., 7., 8., NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN]);
    let error = load(&bytes, &masked()).unwrap_err().to_string();
    assert!(error.contains("x_train[1] has no values"), "{error}");
}

#[test]
fn targets_after_the_end_are_unknown() {
    let x = [1., 2., 3., 4., 5., 6., NAN, NAN];
    let y = [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 9., 9.];
    let entries = [
        f32s("x_train", &[2, 1, 4], &x),
        f32s("y_train", &[2, 1, 4], &y),
        f32s("x_test", &[2, 1, 4], &x),
        f32s("y_test", &[2, 1, 4], &y),
    ];
    let set = load(&archive(&entries), &masked()).unwrap();
    assert_eq!(set.task, TaskKind::DenseRegression { channels: 1 });
    for split in [&set.train, &set.test] {
        let Targets::Values(y) = &split.y else { panic!("values") };
        assert_eq!(y.row(0), [0.5, 1.5, 2.5, 3.5]);
        assert_eq!(y.row(1)[..2], [4.5, 5.5]);
        assert!(y.row(1)[2..].iter().all(|v| v.is_nan()));
    }
}

#[test]
fn lists_sequences_and_series_keep_their_lengths() {
    let files: [(&str, &str, [usize; 2]); 4] = [
        (
            "a.jsonl",
            "{\"v\":[1,2,3],\"y\":\"a\"}\n{\"v\":[4],\"y\":\"b\"}\n{\"v\":[5,6],\"y\":\"a\"}\n{\"v\":[1,1,1],\"y\":\"b\"}\n",
            [3, 1],
        ),
        ("a.fasta", ">s1 a\nACGT\n>s2 b\nAC\n>s3 a\nACG\n>s4 b\nACGG\n", [4, 2]),
        (
            "a.csv",
            "sequence,y\nACGTACGTACGTACGTACGTACGT,a\nACGTACGTACGTACGTACGT,b\nTGCATGCATGCATGCATGCATGCA,a\nCCGTCCGTCCGTCCGTCCGTCCGT,b\n",
            [24, 20],
        ),
        ("a_TRAIN.ts", "@classLabel true a b\n@data\n1,2,3:4,5:a\n1,2:1,2:b\n3,3,3:3,3,3:a\n2,1:2,1:b\n", [3, 2]),
    ];
    for (name, text, expected) in files {
        let folder = folder(&[(name, text.as_bytes())]);
        let options = ReadOptions { test_fraction: 0.5, ..masked() };
        let set = open_with(&folder, name, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let width = set.train.x.shape[2];
        let mut found: Vec<usize> = [&set.train, &set.test]
            .iter()
            .flat_map(|split| (0..split.len()).map(|i| ends::length(split.x.row(i), width)))
            .collect();
        found.sort_unstable();
        assert_eq!([found[3], found[0]], expected, "{name}");
        assert!(set.origin.notes.iter().any(|n| n.contains("kept, and masked up to")), "{:?}", set.origin.notes);
    }
}

/// Channels of one sample end together: a shorter one is padded.
#[test]
fn a_shorter_channel_is_padded_to_its_sample() {
    let text = "@classLabel true a b\n@data\n1,2,3:4,5:a\n1:1,2:b\n3,3,3:3,3,3:a\n";
    let folder = folder(&[("a_TRAIN.ts", text.as_bytes()), ("a_TEST.ts", text.as_bytes())]);
    let set = open_with(&folder, "a_TRAIN.ts", &masked()).unwrap();
    assert_eq!(set.train.x.row(0), [1., 2., 3., 4., 5., 0.]);
    assert_eq!(set.train.x.row(1)[..2], [1., 0.]);
    assert_eq!(ends::length(set.train.x.row(1), 3), 2);
}

#[test]
fn transforms_that_move_positions_are_refused() {
    let bytes = archived(&[1., 2., 3., 4., 5., 6., 7., 8., 1., 2., NAN, NAN, 3., 4., NAN, NAN]);
    let apply = |transform| crate::preprocess::apply(load(&bytes, &masked()).unwrap(), None, &[transform]);
    let error = apply(Transform::Permute).unwrap_err().to_string();
    assert!(error.contains("moves the ends of samples"), "{error}");
    // Samples are standardized by the values that they have.
    let set = apply(Transform::StandardizeSamples).unwrap();
    let row = set.train.x.row(1);
    assert_eq!((row[0], row[1], row[4], row[5]), (-1.0, 1.0, -1.0, 1.0));
    assert_eq!(ends::length(row, 4), 2);
}
