//! Labels that no classifier can be trained on, and summaries.

use crate::tests::*;

fn labels(train: &[i32], test: &[i32]) -> Result<Dataset, DataError> {
    read(&with_targets(i32s("y_train", &[train.len()], train), i32s("y_test", &[test.len()], test)))
}

#[test]
fn labels_must_start_at_zero_without_gaps() {
    let error = labels(&[1, 2, 3, 2], &[1, 2]).unwrap_err();
    assert!(matches!(&error, DataError::LabelGap { largest: 3, missing, .. } if missing == &[0]), "{error}");
    assert!(error.to_string().contains("but 0 never occur"), "{error}");
    assert!(error.hint().unwrap().contains("return_inverse"));
    let error = labels(&[0, 5, 1, 5], &[0, 1]).unwrap_err();
    assert!(matches!(&error, DataError::LabelGap { largest: 5, missing, .. } if missing == &[2, 3, 4]), "{error}");
}

#[test]
fn an_enormous_label_costs_no_memory() {
    let error = labels(&[0, 1, i32::MAX, 2], &[0, 1]).unwrap_err();
    assert!(matches!(error, DataError::LabelGap { largest: 2_147_483_647, .. }), "{error}");
}

#[test]
fn negative_and_fractional_labels_are_refused() {
    let error = labels(&[0, 1, -1, 1], &[0, 1]).unwrap_err();
    assert!(error.to_string().contains("y_train[2] is -1"), "{error}");
    let halves = archive(&with_targets(f32s("y_train", &[4], &[0., 1., 0.5, 1.]), ramp("y_test", &[2])));
    let error = read_as(&halves, Some(TaskName::Classification)).unwrap_err();
    assert!(error.to_string().contains("y_train[2] is 0.5"), "{error}");
}

#[test]
fn there_must_be_two_classes_and_the_test_may_have_no_other() {
    let error = labels(&[0, 0, 0, 0], &[0, 0]).unwrap_err();
    assert!(matches!(error, DataError::SingleClass { label: 0, .. }), "{error}");
    let error = labels(&[0, 1, 0, 1], &[0, 2]).unwrap_err();
    assert!(matches!(error, DataError::UnseenClass { row: 1, label: 2, largest: 1, .. }), "{error}");
    assert!(error.to_string().contains("y_test[1] is class 2"), "{error}");
}

#[test]
fn bad_labels_are_named_by_their_places_in_the_files() {
    use crate::tests::readers::{folder, open_with};
    let n = 40;
    let labels =
        |at: usize, value: f32| -> Vec<f32> { (0..n).map(|i| if i == at { value } else { (i % 2) as f32 }).collect() };
    let masks =
        |at: usize| -> Vec<f32> { (0..n * 4).map(|i| if i == at * 4 + 3 { 2.0 } else { (i % 2) as f32 }).collect() };
    let words = |at: usize| {
        let word = |i: usize| if i == at { "odd" } else { ["1", "2"][i % 2] };
        (0..n).flat_map(|i| format!("{:\0<3}", word(i)).into_bytes()).collect::<Vec<u8>>()
    };
    let (x, classes, dense) =
        (ramp("signals", &[n, 1, 4]), Some(TaskName::Classification), Some(TaskName::DenseBinary));
    let npz = |arrays: &[Entry]| archive(arrays);
    // Each of the samples may be in the drawn test split or not: with and without others before it.
    for at in 0..n {
        type Case = (&'static str, Vec<u8>, Option<TaskName>, String);
        let mut weights = vec![1.0; n];
        weights[at.saturating_sub(1)] = if at == 0 { 1.0 } else { 0.0 };
        let weights = f32s("sample_weight", &[n], &weights);
        let table = |text: &str| {
            let row =
                |i: usize| format!("{i},{},{}\n", i * i % 7, if i == at { text.into() } else { (i % 2).to_string() });
            ("a,b,label\n".to_owned() + &(0..n).map(row).collect::<String>()).into_bytes()
        };
        let again = || f32s("signals", &x.shape, &(0..n * 4).map(|v| v as f32).collect::<Vec<_>>());
        let cases: [Case; 6] = [
            ("a.npz", npz(&[again(), f32s("labels", &[n], &labels(at, 0.5))]), classes, format!("labels[{at}] is 0.5")),
            ("a.npz", npz(&[again(), f32s("labels", &[n], &labels(at, -3.0))]), classes, format!("labels[{at}] is -3")),
            (
                "a.npz",
                npz(&[again(), f32s("labels", &[n], &labels(at, 0.5)), weights]),
                classes,
                format!("labels[{at}] is 0.5"),
            ),
            ("a.npz", npz(&[again(), f32s("masks", &[n, 1, 4], &masks(at))]), dense, format!("masks[{at}, 0, 3] is 2")),
            (
                "a.npz",
                npz(&[again(), entry("labels", "|S3", &[n], words(at))]),
                Some(TaskName::Regression),
                format!("labels[{at}] is `odd`"),
            ),
            (
                "a.csv",
                table("0.5"),
                Some(TaskName::MultiLabel),
                format!("the label of sample {} in the file is 0.5", at + 1),
            ),
        ];
        for (name, bytes, task, expected) in cases {
            let options = ReadOptions { task, ..Default::default() };
            let error = open_with(&folder(&[(name, &bytes)]), name, &options).map(|set| set.task).unwrap_err();
            assert!(error.to_string().contains(&expected), "{expected}: {error}");
        }
    }
    // Large labels among small ones are named with all their digits.
    for large in [1i64 << 40, (1 << 60) + 1] {
        let values: Vec<u8> = (0..8).flat_map(|i| (if i == 7 { large } else { i % 2 }).to_le_bytes()).collect();
        let files = folder(&[("a.npz", &npz(&[ramp("signals", &[8, 1, 4]), entry("labels", "<i8", &[8], values)]))]);
        let error = open_with(&files, "a.npz", &ReadOptions::default()).map(|set| set.task).unwrap_err().to_string();
        assert!(error.contains(&format!("labels in `labels` go up to {large}, but 2, 3, 4, 5, 6 never")), "{error}");
    }
    // Arrays of splits have their own names.
    let part = |y_train: &[f32], y_test: &[f32]| {
        let entries = [
            ramp("signals_train", &[4, 1, 4]),
            f32s("labels_train", &[4], y_train),
            ramp("signals_test", &[2, 1, 4]),
            f32s("labels_test", &[2], y_test),
        ];
        read_as(&archive(&entries), classes).map(|set| set.task).unwrap_err().to_string()
    };
    let cases = [
        (part(&[0., 1., 0.5, 1.], &[0., 1.]), "labels_train[2] is 0.5"),
        (part(&[0., 1., 0., 1.], &[0., 5.]), "labels_test[1] is class 5"),
        (part(&[0., 1., 0., 3.], &[0., 1.]), "labels in `labels_train` go up to 3"),
        (part(&[0., 0., 0., 0.], &[0., 0.]), "every label in `labels_train` is 0"),
        (part(&[0., 1., 0., 1.], &[0., f32::NAN]), "labels_test[1] is NaN"),
    ];
    for (error, expected) in cases {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    // A class of one sample is never in the drawn test split; one that is unknown to the training samples is in given ones.
    let text = "a,b,split,label\n".to_owned()
        + &(0..12)
            .map(|i| {
                format!(
                    "{i},{},{},{}\n",
                    i * i % 7,
                    ["train", "test"][i / 8],
                    ["u", "v", "w"][i / 11 * 2 + i % 2 * (1 - i / 11)]
                )
            })
            .collect::<String>();
    let error = open_with(&folder(&[("a.csv", text.as_bytes())]), "a.csv", &ReadOptions::default()).map(|set| set.task);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the label of sample 12 in the file is `w`, a class that does not occur"), "{error}");
}

#[test]
fn masks_must_be_binary() {
    let bytes = archive(&with_targets(ramp("y_train", &[4, 1, 4]), ramp("y_test", &[2, 1, 4])));
    let error = read_as(&bytes, Some(TaskName::DenseBinary)).unwrap_err();
    assert!(error.to_string().contains("y_train[0, 0, 2] is 2"), "{error}");
    let error = read_as(&bytes, Some(TaskName::Classification)).unwrap_err();
    assert!(matches!(error, DataError::KindMismatch { kind: "classification", .. }), "{error}");
}

#[test]
fn sets_made_in_memory_are_checked_too() {
    let task = TaskKind::Classification { classes: 2 };
    let set = Dataset::new("made", task, toy(&[0, 1, 1]), None, toy(&[0])).unwrap();
    assert_eq!(set.normalization, Normalization { input: vec![Scheme::PerChannel], target: Scheme::Identity });
    let error = set.with_classes(vec!["one".into()]).unwrap_err();
    assert_eq!(error.to_string(), "made: 1 class name for 2 classes");
    let error = Dataset::new("made", task, toy(&[0, 1, 2]), None, toy(&[0])).unwrap_err();
    assert!(matches!(error, DataError::UnseenClass { row: 2, label: 2, .. }), "{error}");
    let error = Dataset::new("made", TaskKind::Regression { outputs: 1 }, toy(&[0, 1]), None, toy(&[0])).unwrap_err();
    assert!(matches!(error, DataError::KindMismatch { .. }), "{error}");
    let files = crate::npz::load(Path::new("no/such/file.npz"), &Default::default()).unwrap_err();
    assert_eq!(files.to_string(), "no/such/file.npz: no such file");
}

#[test]
fn summaries_count_and_print() {
    let mut entries = with_targets(i32s("y_train", &[4], &[0, 1, 1, 1]), i32s("y_test", &[2], &[0, 1]));
    entries[0] = f32s("x_train", &[4, 1, 4], &[-2.0; 16]);
    let set = read(&entries).unwrap().with_classes(vec!["no".into(), "yes".into()]).unwrap();
    let summary = set.inspect().unwrap();
    assert_eq!(summary.majority_error, Some(0.5));
    assert_eq!(summary.summary.classes[1], inspect::ClassSummary { name: "yes".into(), train: 3, test: 1 });
    assert_eq!(summary.inputs, [inspect::Range { min: -2.0, max: -2.0, mean: -2.0 }]);
    insta::assert_snapshot!(summary.to_string(), @r"
    toy: classification into 2 classes
      format    NumPy archive (.npz)
      read      folder/toy.npz
      warning   channel 0 holds the value -2 in all training samples: nothing can be learnt from the inputs; check that the file was written whole
      columns   4
        input     2: x_test 2×1×4 f32, x_train 4×1×4 f32 (its name has the word `x`)
        label     2: y_test 2 i32, y_train 4 i32 (its name has the word `y`)
      inputs    1 channel of 4
      scaled    inputs to mean 0 and standard deviation 1, per channel
      loss      cross-entropy
      metric    error rate (lower is better)
      splits
        train  x 4×1×4                y 4              given
        test   x 2×1×4                y 2              given
      guessing  50.0 % error (always the most common class)
      classes
        no               train       1 ( 25.0 %)  test       1
        yes              train       3 ( 75.0 %)  test       1
      input ranges (training)
        channel 0    -2.00000 to -2.00000, mean -2.00000
    ");
    let json = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Inspection>(&json).unwrap(), summary);
}

#[test]
fn summaries_of_labels_and_fields() {
    let y = [1, 1, 0, 1, 0, 0, 0, 1];
    let set = read(&with_targets(u8s("y_train", &[4, 2], &y), u8s("y_test", &[2, 2], &[1, 1, 0, 0]))).unwrap();
    let counts: Vec<_> = set.summary().classes.iter().map(|c| (c.train, c.test)).collect();
    assert_eq!(counts, [(1, 1), (3, 1)]);
    assert_eq!(set.inspect().unwrap().majority_error, None);
    let set = read(&with_targets(ramp("y_train", &[4, 2, 4]), ramp("y_test", &[2, 2, 4]))).unwrap();
    assert_eq!(set.inspect().unwrap().targets, Some(inspect::Range { min: 0.0, max: 31.0, mean: 15.5 }));
}
