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

/// Reads new data by a model that was trained on `trained`, with settings that are given for the new data.
fn given(trained: &str, new: &str, settings: &[(&str, &str)]) -> Result<LabeledInputs, String> {
    let files = folder(&[("set.csv", trained.as_bytes()), ("new.csv", new.as_bytes())]);
    let set = open(&files.path().join("set.csv"), &ReadOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    let known =
        KnownTargets { task: set.task, classes: set.classes.as_deref(), unknown: None, transforms: &set.transforms };
    let reading = with(set.reading.of_model(&set.read_as), settings);
    open_labeled(&files.path().join("new.csv"), &reading, known)
        .map_err(|error| format!("{error} ({})", error.hint().unwrap_or_default()))
}

/// Options with settings that are given for new data.
fn with(mut options: ReadOptions, settings: &[(&str, &str)]) -> ReadOptions {
    for &(key, value) in settings {
        let place = match key {
            "targets" => &mut options.targets,
            "group" => &mut options.group,
            "split" => &mut options.split,
            "weight" => &mut options.weight,
            "time" => &mut options.time,
            "ignore" => &mut options.ignore,
            _ => panic!("{key}"),
        };
        *place = Some(value.to_owned());
        options.given.push(key.to_owned());
    }
    options
}

#[test]
fn the_labels_that_are_given_are_scored() {
    let one = many("kind", &["cat", "dog"]);
    let new = "a,b,c,kind,truth,number\n1,2,3,cat,dog,1\n4,5,6,dog,dog,0\n";
    for wanted in ["truth", "4", "-2", "tru*"] {
        // The other number would be an unknown column.
        let new = new.replace(",number", "").replace(",1\n", "\n").replace(",0\n", "\n");
        let wanted = if wanted == "-2" { "-1" } else { wanted };
        let found = given(&one, &new, &[("targets", wanted)]).unwrap_or_else(|e| panic!("{wanted}: {e}"));
        assert_eq!(found.y, Targets::Classes(vec![1, 1]), "{wanted}");
    }
    let refused = [
        (vec![("targets", "nope")], "there is no label column `nope` (columns: a, b, c, kind, truth, number)"),
        (vec![("targets", "a"), ("ignore", "number")], "column `a` cannot be label: it is an input of the model"),
        (vec![("targets", "truth")], "column `number` was not in the table"),
        (vec![("ignore", "kind,number")], "it has no labels that the model could be scored on"),
    ];
    for (settings, expected) in refused {
        let error = given(&one, new, &settings).map(|found| found.y).unwrap_err();
        assert!(error.contains(expected), "{settings:?}: {error}");
    }
}

#[test]
fn several_outputs_are_scored_on_as_many_columns_in_the_order_of_the_training() {
    let row = |i: usize| format!("{i}.5,{},-{i}.25,{}.5,{}.25\n", i * i, i * 3, 7 * i);
    let trained = "a,b,c,y1,y2\n".to_owned() + &(0..12).map(row).collect::<String>();
    let files = folder(&[("set.csv", trained.as_bytes())]);
    let options = ReadOptions { targets: Some("y1,y2".into()), ..ReadOptions::default() };
    let set = open(&files.path().join("set.csv"), &options).unwrap();
    let known = KnownTargets { task: set.task, classes: None, unknown: None, transforms: &set.transforms };
    let new = folder(&[("new.csv", b"a,b,c,y2,y1,z1,z2\n1,2,3,10,20,30,40\n4,5,6,11,21,31,41\n")]);
    let cases = [
        ("y2,y1", "z*", Ok([20., 10., 21., 11.])),
        ("y*", "z*", Ok([20., 10., 21., 11.])),
        ("z1,z2", "y*", Ok([30., 40., 31., 41.])),
        ("z2,z1", "y1,y2", Ok([40., 30., 41., 31.])),
        ("z1", "z2", Err("names 1 column, but the model was trained on 2 columns of labels (`y1`, `y2`)")),
    ];
    for (targets, ignore, expected) in cases {
        let reading = with(set.reading.of_model(&set.read_as), &[("targets", targets), ("ignore", ignore)]);
        match (open_labeled(&new.path().join("new.csv"), &reading, known), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found.y.values().unwrap().data, expected, "{targets}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{targets}: {error}"),
            (found, expected) => panic!("{targets}: {:?}, not {expected:?}", found.map(|found| found.y)),
        }
    }
}

#[test]
fn what_is_ignored_is_no_weight() {
    let trained = many("kind", &["cat", "dog"]);
    let new = "a,b,c,kind,sample_weight\n1,2,3,cat,2\n4,5,6,dog,1\n";
    let weighted = given(&trained, new, &[("weight", "sample_weight")]).unwrap();
    assert_eq!(weighted.weights, Some(vec![2.0, 1.0]));
    for ignore in ["sample_weight", "sample_*", "-1"] {
        let found = given(&trained, new, &[("ignore", ignore)]).unwrap_or_else(|e| panic!("{ignore}: {e}"));
        assert_eq!(found.weights, None, "{ignore}");
    }
    // A model of a table with weights.
    let trained = trained.replace('\n', ",1.5\n").replace("kind,1.5", "kind,sample_weight");
    assert_eq!(given(&trained, new, &[]).unwrap().weights, Some(vec![2.0, 1.0]));
    assert_eq!(given(&trained, new, &[("ignore", "sample_weight")]).unwrap().weights, None);
    let both = given(&trained, new, &[("ignore", "sample_weight"), ("weight", "sample_weight")]);
    let error = both.map(|found| found.weights).unwrap_err();
    assert!(error.contains("column `sample_weight` cannot be both ignored and weight"), "{error}");
}

#[test]
fn names_that_are_given_for_new_data_must_be_there() {
    let trained = many("kind", &["cat", "dog"]);
    let new = "a,b,c,kind\n1,2,3,cat\n4,5,6,dog\n";
    for key in ["group", "split", "weight", "time", "ignore"] {
        for (value, expected) in [("nope", "column `nope`"), ("b", "it is an input of the model")] {
            let error = given(&trained, new, &[(key, value)]).map(|found| found.y).unwrap_err();
            assert!(error.contains(expected), "{key} {value}: {error}");
        }
    }
    // Arrays, with and without names.
    let x = Array::new(vec![4, 1, 4], (0..16).map(|v| v as f32).collect());
    let set = folder(&[]);
    let split = || crate::split::Split { x: x.clone(), y: Targets::Classes(vec![0, 1, 0, 1]) };
    let task = TaskKind::Classification { classes: 2 };
    let data = Dataset::new("set", task, split(), None, split()).unwrap();
    let path = set.path().join("set.npz");
    crate::npz::save(&data, &path).unwrap();
    let read = open(&path, &ReadOptions::default()).unwrap();
    for key in ["targets", "group", "split", "weight", "time", "ignore"] {
        let reading = with(read.reading.of_model(&read.read_as), &[(key, "nope")]);
        let error = open_inputs(&path, &reading).map(|found| found.x).unwrap_err().to_string();
        assert!(error.contains("nope"), "{key}: {error}");
    }
}

#[test]
fn columns_of_a_file_of_labels_can_be_ignored() {
    let table = "file,label,split,sample_weight\n1,x,train,1\n2,y,train,1\n3,x,test,2\n4,y,test,1\n";
    let files = folder(&[
        ("labels.csv", table.as_bytes()),
        ("1.pgm", b"P5 2 2 255\n1234"),
        ("2.pgm", b"P5 2 2 255\n1235"),
        ("3.pgm", b"P5 2 2 255\n1236"),
        ("4.pgm", b"P5 2 2 255\n1237"),
    ]);
    let set = open(files.path(), &ReadOptions::default()).unwrap();
    let known = KnownTargets { task: set.task, classes: set.classes.as_deref(), unknown: None, transforms: &[] };
    let read = |settings: &[(&str, &str)]| {
        let reading = with(set.reading.of_model(&set.read_as), settings);
        open_labeled(files.path(), &reading, known).map_err(|error| error.to_string())
    };
    type Case<'a> = (&'a [(&'a str, &'a str)], usize, Option<Vec<f32>>);
    let cases: [Case<'_>; 4] = [
        (&[], 2, Some(vec![2., 1.])),
        (&[("ignore", "split")], 4, Some(vec![1., 1., 2., 1.])),
        (&[("ignore", "sample_*")], 2, None),
        (&[("ignore", "split, -1")], 4, None),
    ];
    for (settings, rows, weights) in cases {
        let found = read(settings).unwrap_or_else(|e| panic!("{settings:?}: {e}"));
        assert_eq!((found.x.rows(), found.weights), (rows, weights), "{settings:?}");
    }
    let refused: [(&[(&str, &str)], &str); 3] = [
        (&[("ignore", "nope")], "there is no ignored column `nope`"),
        (&[("ignore", "file")], "the column of the names of the files cannot be ignored"),
        (&[("ignore", "split"), ("split", "split")], "cannot be both left out and split"),
    ];
    for (settings, expected) in refused {
        let error = read(settings).map(|found| found.y).unwrap_err();
        assert!(error.contains(expected), "{settings:?}: {error}");
    }
    // Training data as well, without the drawing of a split.
    let options = ReadOptions { ignore: Some("split,sample_weight".into()), ..ReadOptions::default() };
    let error = open(files.path(), &ReadOptions { ignore: Some("nope".into()), ..ReadOptions::default() });
    assert!(error.unwrap_err().to_string().contains("there is no ignored column `nope`"));
    let read = dashnas_formats::readers::read(files.path(), &options, true).unwrap();
    assert!(read.parts.len() == 1 && read.parts[0].facts.weights.is_none());
}

#[test]
fn a_column_of_splits_that_does_not_divide_new_data_is_said() {
    let header = "a,b,c,kind,split\n";
    let split = |i: usize| if i.is_multiple_of(3) { "test" } else { "train" };
    let row = |i: usize| format!("{i}.5,{},-0.25,{},{}\n", i * i, ["cat", "dog"][i / 3 % 2], split(i));
    let trained = header.to_owned() + &(0..24).map(row).collect::<String>();
    let new = |splits: [&str; 2]| format!("{header}1,2,3,cat,{}\n4,5,6,dog,{}\n", splits[0], splits[1]);
    let all = "all rows are used, although the training data was divided by a column of splits: ";
    let cases = [
        (["train", "test"], 1, ""),
        (["test", "test"], 2, ""),
        (["", "test"], 2, "the split is missing"),
        (["", ""], 2, "the split is missing"),
        (["foo", "bar"], 2, "`foo` is not the name of a split"),
        (["train", "holdout"], 2, "`holdout` is not the name of a split"),
        (["0", "1"], 2, "`0` is not the name of a split"),
        (["train", "val"], 2, "column `split` names no row of the test split"),
    ];
    for (splits, rows, expected) in cases {
        let found = given(&trained, &new(splits), &[]).unwrap_or_else(|e| panic!("{splits:?}: {e}"));
        assert_eq!(found.x.rows(), rows, "{splits:?}");
        let said = found.origin.warnings.join("\n");
        let good = if expected.is_empty() { said.is_empty() } else { said.contains(all) && said.contains(expected) };
        assert!(good, "{splits:?}: {said}");
        // Nothing is said of a column that is left out, and what is asked for is refused.
        let ignored = given(&trained, &new(splits), &[("ignore", "split")]).unwrap();
        assert_eq!((ignored.x.rows(), ignored.origin.warnings.len()), (2, 0), "{splits:?}");
        match given(&trained, &new(splits), &[("split", "split")]) {
            Ok(found) => assert!(expected.is_empty() && found.x.rows() == rows, "{splits:?}"),
            Err(error) => assert!(!expected.is_empty() && error.contains(expected), "{splits:?}: {error}"),
        }
    }
}

/// New arrays with labels, as a model of classes with these names reads them.
fn arrays(names: Option<&[&str]>, entries: Vec<Entry>) -> Result<(Vec<u32>, String), String> {
    let names: Option<Vec<String>> = names.map(|names| names.iter().map(ToString::to_string).collect());
    let task = TaskKind::Classification { classes: names.as_ref().map_or(2, Vec::len) };
    let known = KnownTargets { task, classes: names.as_deref(), unknown: None, transforms: &[] };
    let mut all = vec![ramp("x", &[4, 1, 4])];
    all.extend(entries);
    let files = folder(&[("new.npz", &archive(&all))]);
    let found = open_labeled(&files.path().join("new.npz"), &ReadOptions::default(), known);
    let found = found.map_err(|error| format!("{error} ({})", error.hint().unwrap_or_default()))?;
    Ok((found.y.classes().unwrap().to_vec(), found.origin.warnings.join("; ")))
}

#[test]
fn numbers_of_classes_go_by_their_names_where_both_sides_have_names() {
    let texts = |name, values: &[&str]| {
        entry(name, "|S4", &[values.len()], values.iter().flat_map(|v| format!("{v:\0<4}").into_bytes()).collect())
    };
    let y = |labels: [i32; 4]| i32s("y", &[4], &labels);
    let pets: Option<&[&str]> = Some(&["cat", "dog"]);
    type Case<'a> = (&'a str, Option<&'a [&'a str]>, Vec<Entry>, Result<([u32; 4], &'a str), &'a str>);
    let cases: Vec<Case<'_>> = vec![
        ("other order", pets, vec![y([0, 1, 0, 1]), texts("classes", &["dog", "cat"])], Ok(([1, 0, 1, 0], ""))),
        ("from 1", pets, vec![y([1, 2, 2, 1]), texts("class_names", &["dog", "cat"])], Ok(([1, 0, 0, 1], ""))),
        ("no names", pets, vec![y([0, 1, 1, 1])], Ok(([0, 1, 1, 1], "0 for `cat`, 1 for `dog`"))),
        (
            "new names",
            None,
            vec![y([0, 1, 1, 1]), texts("classes", &["dog", "cat"])],
            Ok(([0, 1, 1, 1], "the new files name the classes, but the training data did not")),
        ),
        ("values", Some(&["3", "7"]), vec![y([7, 3, 3, 7])], Ok(([1, 0, 0, 1], ""))),
        ("texts", pets, vec![texts("y", &["dog", "cat", "cat", "cat"])], Ok(([1, 0, 0, 0], ""))),
        (
            "one-hot",
            pets,
            vec![i32s("y", &[4, 2], &[1, 0, 0, 1, 1, 0, 1, 0]), texts("classes", &["dog", "cat"])],
            Ok(([1, 0, 1, 1], "")),
        ),
        ("no name", pets, vec![y([0, 1, 3, 1]), texts("classes", &["dog", "cat"])], Err("the labels do not number")),
        ("unknown", pets, vec![y([0, 1, 0, 1]), texts("classes", &["cat", "cow"])], Err("`cow`, which is no class")),
        ("texts for numbers", None, vec![texts("y", &["dog", "cat", "cat", "cat"])], Err("`dog`, which is no class")),
        ("another value", Some(&["3", "7"]), vec![y([0, 1, 0, 1])], Err("the label `0`, which is no class")),
        (
            "names for columns",
            pets,
            vec![i32s("y", &[4, 2], &[1, 0, 0, 1, 1, 0, 1, 0]), texts("classes", &["dog", "cat", "cow"])],
            Err("the labels do not number"),
        ),
    ];
    for (name, known, entries, expected) in cases {
        match (arrays(known, entries), expected) {
            (Ok((found, warnings)), Ok((classes, words))) => {
                assert_eq!(found, classes, "{name}");
                assert!(warnings.contains(words) && words.is_empty() == warnings.is_empty(), "{name}: {warnings}");
            }
            (Err(error), Err(words)) => assert!(error.contains(words), "{name}: {error}"),
            (found, expected) => panic!("{name}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn listed_classes_may_be_counted_from_1() {
    let names = entry("classes", "|S3", &[2], b"catdog".to_vec());
    let labels: Vec<i32> = (0..12).map(|i| 1 + i % 2).collect();
    let set = read(&[ramp("x", &[12, 1, 4]), i32s("y", &[12], &labels), names]).unwrap();
    assert_eq!(set.classes.as_deref(), Some(&["cat".to_owned(), "dog".to_owned()][..]));
    assert!(set.origin.notes.iter().any(|note| note.contains("from 1: 1 is `cat`")), "{:?}", set.origin.notes);
}
