//! Fields some of whose targets are not known.

use crate::labeled::{KnownTargets, open_labeled};
use crate::preprocess;
use crate::tests::readers::{folder, mask, open_with, png};
use crate::tests::unsaid_files::palette;
use crate::tests::*;
use dashnas_core::task::TaskKind;
use tempfile::TempDir;

/// Six images with the same mask.
fn masked(mask: &[u8]) -> TempDir {
    let image = png(4, 4, 7);
    let files: Vec<(String, &[u8])> =
        (0..6).flat_map(|i| [(format!("images/{i}.png"), &image[..]), (format!("masks/{i}.png"), mask)]).collect();
    folder(&files.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect::<Vec<_>>())
}

fn with(unknown: f64) -> ReadOptions {
    ReadOptions { unknown: Some(unknown), ..ReadOptions::default() }
}

/// The numbers of zeros, ones and unknown targets in the first sample.
fn counts(y: &Targets) -> [usize; 3] {
    let row = y.values().unwrap().row(0);
    let count = |test: fn(&f32) -> bool| row.iter().filter(|v| test(v)).count();
    [count(|v| *v == 0.0), count(|v| *v == 1.0), count(|v| v.is_nan())]
}

#[test]
fn unknown_pixels_of_masks_are_neither_background_nor_mask() {
    let value = |unknown: u8| move |x: u32, y: u32| if y == 3 { unknown } else { u8::from(x == 0) };
    let field: Vec<u8> = (0..16).map(|i| value(255)(i % 4, i / 4)).collect();
    let arrays = folder(&[("t.npz", &archive(&[ramp("x", &[6, 1, 4, 4]), u8s("y", &[6, 4, 4], &field.repeat(6))]))]);
    let cases = [
        (masked(&mask(4, 4, value(255))), ".", 255.0),
        (masked(&mask(4, 4, value(100))), ".", 100.0),
        (masked(&palette(value(3))), ".", 3.0),
        (arrays, "t.npz", 255.0),
    ];
    for (i, (files, path, unknown)) in cases.iter().enumerate() {
        let set = open_with(files, path, &with(*unknown)).unwrap_or_else(|e| panic!("{i}: {e}"));
        assert_eq!(set.task, TaskKind::DenseBinary { channels: 1 }, "{i}");
        assert_eq!((counts(&set.train.y), counts(&set.test.y)), ([9, 3, 4], [9, 3, 4]), "{i}");
        // The configuration is applied once more, to data that was not read from files.
        let again = preprocess::apply(set.clone(), Some(*unknown), &[]).unwrap();
        assert_eq!(counts(&again.train.y), [9, 3, 4], "{i}");
        let known = KnownTargets { task: set.task, classes: None, unknown: Some(*unknown), transforms: &[] };
        let found = open_labeled(&files.path().join(path), &set.reading.of_model(&set.read_as), known);
        assert_eq!(counts(&found.unwrap_or_else(|e| panic!("{i}: {e}")).y), [9, 3, 4], "{i}");
    }
    // Where masks are resized, what an unknown pixel contributes to is unknown.
    let options = ReadOptions { resize: Some([8, 8]), ..with(255.0) };
    let [zeros, ones, unknown] = counts(&open_with(&cases[0].0, ".", &options).unwrap().train.y);
    assert!(zeros > 24 && ones > 6 && unknown >= 16 && zeros + ones + unknown == 64, "{zeros} {ones} {unknown}");
}

#[test]
fn values_for_unknown_targets_that_do_not_fit_are_refused_or_said() {
    let three = masked(&mask(4, 4, |x, y| if y == 3 { 255 } else { u8::from(x == 0) }));
    let error = |options: ReadOptions| {
        let error = open_with(&three, ".", &options).unwrap_err();
        format!("{error} ({})", error.hint().unwrap_or_default())
    };
    let said = error(ReadOptions::default());
    assert!(said.contains("the values 0, 1 and 255") && said.contains("`task.unknown`"), "{said}");
    let said = error(with(1.0));
    assert!(said.contains("`task.unknown` is 1, but masks become 0 and 1"), "{said}");
    let quantities = ReadOptions { task: Some(TaskName::DenseRegression), resize: Some([8, 8]), ..with(255.0) };
    assert!(error(quantities).contains("cannot be resized"));
    let two = masked(&mask(4, 4, |x, _| u8::from(x == 0)));
    let set = open_with(&two, ".", &with(255.0)).unwrap();
    assert!(set.origin.warnings.iter().any(|w| w.contains("no target has the value 255")), "{:?}", set.origin.warnings);
    let classes = read(&with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]))).unwrap();
    let error = preprocess::apply(classes, Some(1.0), &[]).unwrap_err().to_string();
    assert!(error.contains("`task.unknown` is 1, but the targets are classes"), "{error}");
}
