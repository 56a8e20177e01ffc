//! Arrays of Python objects.

use crate::tests::readers::{folder, open_with};
use crate::tests::*;
use dashnas_formats::pickle::write::Value;

/// An array of objects as a file.
fn objects(values: Vec<Value>) -> Vec<u8> {
    Value::Objects(vec![values.len()], values).npy()
}

fn repeated(values: &[Value]) -> Vec<u8> {
    objects((0..12).map(|i| values[i % values.len()].clone()).collect())
}

#[test]
fn objects_of_numpy_are_labels_groups_and_weights() {
    let files = folder(&[("t.npz", include_bytes!("../../../dashnas-fuzz/corpus/npz/objects"))]);
    let set = open_with(&files, "t.npz", &ReadOptions::default()).unwrap();
    assert_eq!(set.classes.as_deref(), Some(&["no".to_owned(), "yés".to_owned()][..]));
    assert!(set.origin.drawn.unwrap().grouped);
    assert!(set.facts.train.weights.unwrap().contains(&2.5));
    let left_out = set.origin.columns.iter().find(|column| column.name.starts_with("pieces")).unwrap();
    assert!(left_out.name.contains("|O"), "{left_out:?}");
}

#[test]
fn objects_are_texts_or_numbers() {
    use Value::{Int, Text};
    let x = npy(&ramp("x", &[12, 1, 4]));
    let whole = |n: i64| Int(n);
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("texts", repeated(&[Text("a"), Text("b"), Text("c")]), &["classification into 3 classes"]),
        ("numbers", repeated(&[whole(0), whole(1)]), &["classification into 2 classes"]),
        ("mixed", repeated(&[Text("a"), whole(7)]), &["classification into 2 classes"]),
        ("missing", repeated(&[Text("a"), Text("")]), &["the label of sample 1 (from 0) is empty"]),
        ("dictionaries", repeated(&[Value::Dict(vec![("a", whole(1))])]), &["|O"]),
        ("lists", repeated(&[Value::List(vec![whole(1)])]), &["|O"]),
    ];
    for (name, y, words) in cases {
        let archive = zipped(&[("x.npy".to_owned(), x.clone()), ("y.npy".to_owned(), y.clone())]);
        let files = folder(&[("t.npz", &archive), ("arrays/x.npy", &x), ("arrays/y.npy", &y)]);
        for path in ["t.npz", "arrays", "arrays/x.npy"] {
            let said = match open_with(&files, path, &ReadOptions::default()) {
                Ok(set) => set.task.to_string(),
                Err(error) => error.to_string(),
            };
            for word in words {
                assert!(said.contains(word), "{name} in {path}: {said}");
            }
        }
    }
}
