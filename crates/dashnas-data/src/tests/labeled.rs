//! New labeled data, on which a model is scored.

use crate::labeled::{KnownTargets, LabeledInputs, open_labeled};
use crate::tests::readers::folder;
use crate::tests::*;
use dashnas_core::task::TaskKind;

/// Reads new data by a model of the task that was trained on `trained`.
fn scored(trained: &str, new: &[(&str, &[u8])], options: ReadOptions) -> Result<LabeledInputs, DataError> {
    let files = folder(&[("set.csv", trained.as_bytes())]);
    let set = open(&files.path().join("set.csv"), &options).unwrap_or_else(|e| panic!("{e}"));
    let known =
        KnownTargets { task: set.task, classes: set.classes.as_deref(), unknown: None, transforms: &set.transforms };
    let files = folder(new);
    open_labeled(&files.path().join(new[0].0), &set.reading.of_model(&set.read_as), known)
}

fn table(label: &str, rows: &[(&str, [f32; 3])]) -> String {
    let rows = rows.iter().map(|(name, [a, b, c])| format!("{a},{b},{c},{name}\n"));
    format!("a,b,c,{label}\n") + &rows.collect::<String>()
}

/// Six rows for each of the labels.
fn many(label: &str, names: &[&str]) -> String {
    let rows: Vec<(&str, [f32; 3])> =
        (0..6 * names.len()).map(|i| (names[i % names.len()], [i as f32 + 0.5, (i * i) as f32, -0.25])).collect();
    table(label, &rows)
}

#[test]
fn classes_go_by_their_names_and_not_by_their_order() {
    let trained = many("kind", &["cat", "dog", "eel"]);
    // Of three classes two occur, the later one first; a new file alone would number them 0 and 1.
    let new = "kind,c,a,b\neel,3,1,2\ndog,6,4,5\neel,9,7,8\n";
    let found = scored(&trained, &[("new.csv", new.as_bytes())], ReadOptions::default()).unwrap();
    assert_eq!(found.y, Targets::Classes(vec![2, 1, 2]));
    assert_eq!(found.x.data, [1., 2., 3., 4., 5., 6., 7., 8., 9.]);
    // Numbers that are the names of classes are no positions either, however they are stored.
    let trained = many("label", &["3", "5", "7"]);
    let found = scored(&trained, &[("new.csv", b"a,b,c,label\n1,2,3,7\n4,5,6,3\n")], ReadOptions::default()).unwrap();
    assert_eq!(found.y, Targets::Classes(vec![2, 0]));
}

#[test]
fn labels_that_the_model_cannot_be_scored_on_are_named() {
    let trained = many("kind", &["cat", "dog"]);
    let cases = [
        (
            "a,b,c,kind\n1,2,3,cat\n4,5,6,cow\n",
            "sample 2 in the file has the label `cow`, which is no class of the model (`cat`, `dog`)",
        ),
        ("a,b,c,kind\n1,2,3,cat\n4,5,6,Dog\n", "write it as in the training data, `dog`"),
        ("a,b,c\n1,2,3\n4,5,6\n", "it has no labels that the model could be scored on"),
        ("a,b,c,kind\n1,2,3,cat\n4,5,6,\n", "the label is missing"),
        ("a,b,c,kind\n1,2,x,cat\n4,5,6,dog\n", "`x` is not a number"),
    ];
    for (new, expected) in cases {
        let error = scored(&trained, &[("new.csv", new.as_bytes())], ReadOptions::default()).unwrap_err();
        let said = format!("{error} ({})", error.hint().unwrap_or_default());
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn another_column_of_labels_can_be_named() {
    let files = folder(&[("set.csv", many("kind", &["cat", "dog"]).as_bytes())]);
    let set = open(&files.path().join("set.csv"), &ReadOptions::default()).unwrap();
    let known = KnownTargets { task: set.task, classes: set.classes.as_deref(), unknown: None, transforms: &[] };
    let new = folder(&[("new.csv", b"a,b,c,truth\n1,2,3,dog\n4,5,6,cat\n")]);
    let options = ReadOptions { targets: Some("truth".into()), ..set.reading.of_model(&set.read_as) };
    let found = open_labeled(&new.path().join("new.csv"), &options, known).unwrap();
    assert_eq!(found.y, Targets::Classes(vec![1, 0]));
}

#[test]
fn labels_of_several_outputs_and_numbers_are_those_of_the_model() {
    let list = |labels: &str| format!("\"[{labels}]\"");
    let trained = [list("'cat', 'dog'"), list("'dog'"), list("'cat', 'eel'"), list("'eel', 'dog'")];
    let lists = many("label", &trained.each_ref().map(String::as_str));
    // `cat` does not occur, and `eel` comes before `dog`.
    let new =
        format!("a,b,c,label\n1,2,3,{}\n4,5,6,{}\n4,5,6,{}\n", list("'eel', 'dog'"), list("'dog'"), list("'eel'"));
    let found = scored(&lists, &[("new.csv", new.as_bytes())], ReadOptions::default()).unwrap();
    assert_eq!(found.y.values().unwrap().data, [0., 1., 1., 0., 1., 0., 0., 0., 1.]);
    let numbers = many("y", &["1.5", "2.25", "-3.75"]);
    // Whole numbers in the new file do not make classes of them.
    let found = scored(&numbers, &[("new.csv", b"a,b,c,y\n1,2,3,1\n4,5,6,2\n")], ReadOptions::default()).unwrap();
    assert_eq!(found.y.values().unwrap().data, [1., 2.]);
}

#[test]
fn weights_count_and_leave_no_sample_out() {
    let trained = many("kind", &["cat", "dog"]);
    let new = "a,b,c,kind,sample_weight\n1,2,3,cat,2\n4,5,6,dog,0\n7,8,9,dog,0.5\n";
    let options = ReadOptions { weight: Some("sample_weight".into()), ..ReadOptions::default() };
    let known = KnownTargets {
        task: TaskKind::Classification { classes: 2 },
        classes: Some(&["cat".to_owned(), "dog".to_owned()]),
        unknown: None,
        transforms: &[],
    };
    let files = folder(&[("set.csv", trained.as_bytes()), ("new.csv", new.as_bytes())]);
    let set = open(&files.path().join("set.csv"), &ReadOptions::default()).unwrap();
    let reading = ReadOptions { weight: options.weight, ..set.reading.of_model(&set.read_as) };
    let found = open_labeled(&files.path().join("new.csv"), &reading, known).unwrap();
    assert_eq!((found.weights, found.x.rows()), (Some(vec![2.0, 0.0, 0.5]), 3));
}

#[test]
fn arrays_and_images_find_their_labels_beside_them() {
    let set = folder(&[]);
    let split = |n: usize| crate::split::Split {
        x: Array::new(vec![n, 1, 4], (0..4 * n).map(|v| v as f32).collect()),
        y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()),
    };
    let task = TaskKind::Classification { classes: 2 };
    let data = Dataset::new("set", task, split(6), None, split(4)).unwrap();
    let path = set.path().join("set.npz");
    crate::npz::save(&data, &path).unwrap();
    let read = open(&path, &ReadOptions::default()).unwrap();
    let known = KnownTargets { task, classes: read.classes.as_deref(), unknown: None, transforms: &[] };
    let found = open_labeled(&path, &read.reading.of_model(&read.read_as), known).unwrap();
    // The test split, as for a prediction.
    assert_eq!((found.x.data, found.y), (data.test.x.data, data.test.y));
}
