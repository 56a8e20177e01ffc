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
        ("texts in lists", repeated(&[Value::List(vec![Text("a")])]), &["|O"]),
        (
            "series",
            repeated(&[Value::ints([1]), Value::ints([1, 2])]),
            &["series of unequal lengths, which can only be"],
        ),
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

/// The length of a series, and one of its values.
fn length(i: usize) -> usize {
    5 + i * 7 % 4
}

fn value(i: usize, channel: usize, step: usize) -> f32 {
    (i * 31 + channel * 17 + step * 3) as f32 / 8.0
}

/// Series of some channels as arrays of objects; with `last`, the channels are the last axis.
fn series(n: usize, channels: Option<usize>, last: bool) -> Vec<u8> {
    let one = |i: usize| {
        let (c, l) = (channels.unwrap_or(1), length(i));
        let data: Vec<f32> = match last {
            false => (0..c * l).map(|at| value(i, at / l, at % l)).collect(),
            true => (0..c * l).map(|at| value(i, at % c, at / c)).collect(),
        };
        match (channels, last) {
            (None, _) => Value::f32s(&[l], &data),
            (_, false) => Value::f32s(&[c, l], &data),
            (_, true) => Value::f32s(&[l, c], &data),
        }
    };
    objects((0..n).map(one).collect())
}

#[test]
fn series_of_unequal_lengths_are_read_as_those_of_ts_files() {
    let n = 24;
    let labels = npy(&i32s("y", &[n], &(0..n as i32).map(|i| i % 2).collect::<Vec<_>>()));
    for channels in [None, Some(1), Some(3)] {
        let line = |i: usize| {
            let channel = |c: usize| (0..length(i)).map(|t| value(i, c, t).to_string()).collect::<Vec<_>>().join(",");
            (0..channels.unwrap_or(1)).map(channel).collect::<Vec<_>>().join(":") + &format!(":{}\n", i % 2)
        };
        let ts = "@classLabel true 0 1\n@data\n".to_owned() + &(0..n).map(line).collect::<String>();
        for &lengths in Lengths::ALL {
            let options = ReadOptions { lengths, ..Default::default() };
            let expected = open_with(&folder(&[("s.ts", ts.as_bytes())]), "s.ts", &options).unwrap();
            for last in [false, true].into_iter().filter(|last| channels.is_some() || !last) {
                let x = series(n, channels, last);
                let archive = zipped(&[("x.npy".to_owned(), x.clone()), ("y.npy".to_owned(), labels.clone())]);
                let files = folder(&[("s.npz", &archive), ("arrays/x.npy", &x), ("arrays/y.npy", &labels)]);
                for path in ["s.npz", "arrays", "arrays/x.npy"] {
                    let set = open_with(&files, path, &options).unwrap();
                    let bits = |set: &Dataset| set.train.x.data.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    assert_eq!(set.train.x.shape, expected.train.x.shape, "{path} {channels:?} {last}");
                    assert_eq!(bits(&set), bits(&expected), "{path} {channels:?} {last} {lengths:?}");
                    let notes = set.origin.notes.join("; ");
                    assert!(notes.contains("series are 5 to 8 long"), "{notes}");
                    // A model reads new series in the same way, also where they have other lengths.
                    let reading = set.reading.of_model(&set.read_as);
                    let found = open_inputs(&files.path().join("arrays/x.npy"), &reading).unwrap();
                    assert_eq!(found.x.shape[1..], set.train.x.shape[1..], "{path}");
                    assert_eq!(found.x.row(0).len(), set.train.x.row_len());
                }
            }
        }
    }
}

#[test]
fn series_of_equal_lengths_get_the_length_of_the_model() {
    let labels = npy(&i32s("y", &[24], &(0..24).map(|i| i % 2).collect::<Vec<_>>()));
    for (channels, last) in [(None, false), (Some(3), false), (Some(3), true)] {
        for &lengths in Lengths::ALL {
            let options = ReadOptions { lengths, ..Default::default() };
            let files = folder(&[("arrays/x.npy", &series(24, channels, last)), ("arrays/y.npy", &labels)]);
            let set = open_with(&files, "arrays", &options).unwrap();
            let reading = set.reading.of_model(&set.read_as);
            let all = open_inputs(&files.path().join("arrays/x.npy"), &reading).unwrap();
            // The first sample alone, and beside another one of its length.
            let other = (1..24).find(|&i| length(i) == length(0)).expect("the lengths recur");
            let data = |i: usize| -> Vec<f32> {
                let (l, c) = (length(i), channels.unwrap_or(1));
                (0..l * c).map(|j| if last { value(i, j % c, j / c) } else { value(i, j / l, j % l) }).collect()
            };
            let shape = match (channels, last) {
                (None, _) => vec![length(0)],
                (Some(c), false) => vec![c, length(0)],
                (Some(c), true) => vec![length(0), c],
            };
            for some in [vec![0], vec![0, other]] {
                let values = some.iter().map(|&i| Value::f32s(&shape, &data(i))).collect();
                let files = folder(&[("x.npy", &objects(values))]);
                let found = open_inputs(&files.path().join("x.npy"), &reading).unwrap();
                for (row, &i) in some.iter().enumerate() {
                    let bits = |row: &[f32]| row.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(found.x.row(row)), bits(all.x.row(i)), "{channels:?} {last} {lengths:?} {some:?}");
                }
            }
        }
    }
}

#[test]
fn series_that_numpy_wrote_are_read() {
    let files = folder(&[("t.npz", include_bytes!("../../../dashnas-fuzz/corpus/npz/series"))]);
    let set = open_with(&files, "t.npz", &ReadOptions::default()).unwrap();
    assert_eq!(set.train.x.shape[1..], [2, 6]);
    // Sample 1 begins with 6, each number stands in both channels, and it has four of six steps.
    let rows = [&set.train, &set.test].into_iter().flat_map(|split| (0..split.len()).map(|i| split.x.row(i)));
    let row = rows.into_iter().find(|row| row[0] == 6.0);
    assert_eq!(row.unwrap(), [6., 7., 8., 9., 0., 0., 6., 7., 8., 9., 0., 0.]);
}

#[test]
fn series_that_do_not_fit_together_are_refused_with_what_can_be_done() {
    let n = 12;
    let labels = npy(&i32s("y", &[n], &(0..n as i32).map(|i| i % 2).collect::<Vec<_>>()));
    let of = |shape: fn(usize) -> Vec<usize>| {
        let one = |i: usize| Value::f32s(&shape(i), &vec![1.0; shape(i).iter().product()]);
        objects((0..n).map(one).collect())
    };
    let mut holes = vec![Value::f32s(&[3], &[1.0; 3]); n];
    holes[7] = Value::f32s(&[4], &[1.0, f32::NAN, 2.0, 3.0]);
    let plain = ReadOptions::default();
    let cases: [(&str, Vec<u8>, ReadOptions, &[&str]); 8] = [
        ("both axes", of(|i| vec![2 + i % 2, 3 + i % 2]), plain.clone(), &["|O", "unequal length", "Parquet"]),
        ("three axes", of(|i| vec![2, 2, 3 + i % 2]), plain.clone(), &["|O", "unequal length"]),
        ("empty", of(|i| vec![i]), plain.clone(), &["sample 0 (from 0) has no values"]),
        (
            "holes",
            objects(holes.clone()),
            plain.clone(),
            &["the value at [1] of sample 7 (from 0) is missing", "fill-missing"],
        ),
        (
            "layout",
            of(|i| vec![2, 3 + i % 2]),
            ReadOptions { layout: Some(Layout::ChannelsLast), ..plain.clone() },
            &["`data.layout` is channels-last", "differ in length along their last axis"],
        ),
        (
            "channels",
            of(|i| vec![4 + 2 * (i % 2)]),
            ReadOptions { channels: Some(2), ..plain.clone() },
            &["`data.channels` is 2, but the series have 1 channel"],
        ),
        (
            "one length",
            of(|_| vec![4]),
            ReadOptions { lengths: Lengths::Truncate, ..plain.clone() },
            &["`data.lengths` has no effect on this data"],
        ),
        ("good", objects(holes), ReadOptions { fill_missing: Some(Fill::Linear), ..plain }, &[]),
    ];
    for (name, x, options, words) in cases {
        let archive = zipped(&[("x.npy".to_owned(), x), ("y.npy".to_owned(), labels.clone())]);
        let said = match open_with(&folder(&[("t.npz", &archive)]), "t.npz", &options) {
            Ok(set) => {
                assert!(words.is_empty(), "{name} was read: {:?}", set.train.x.shape);
                continue;
            }
            Err(error) => format!("{error} ({})", error.hint().unwrap_or_default()),
        };
        words.iter().for_each(|word| assert!(said.contains(word), "{name}: {said}"));
        assert!(!words.is_empty(), "{name}: {said}");
    }
    // A split in which all samples have one length is an array of numbers.
    let ragged = of(|i| vec![3 + i % 3]);
    let files = |test: Entry| {
        let all = [("x_train.npy", ragged.clone()), ("y_train.npy", labels.clone())];
        let test = [("x_test.npy", npy(&test)), ("y_test.npy", npy(&i32s("y_test", &[2], &[0, 1])))];
        let all: Vec<_> = all.into_iter().chain(test).map(|(name, bytes)| (name.to_owned(), bytes)).collect();
        open_with(&folder(&[("t.npz", &zipped(&all))]), "t.npz", &ReadOptions::default())
    };
    assert_eq!(files(ramp("x_test", &[2, 4])).unwrap().test.x.shape, [2, 1, 5]);
    let error = files(ramp("x_test", &[2, 2, 4])).unwrap_err().to_string();
    assert!(error.contains("`x_test`: its samples have other axes or channels than those of `x_train`"), "{error}");
}
