//! Files without labels, read with the options of a model.

use crate::tests::readers::folder;
use crate::tests::*;
use std::fs;

/// What the model trained on this file remembers.
fn remembered(name: &str, bytes: &[u8], options: ReadOptions) -> ReadOptions {
    let files = folder(&[(name, bytes)]);
    let set = open(&files.path().join(name), &options).unwrap_or_else(|e| panic!("{e}"));
    let kept = set.reading.of_model(&set.read_as);
    // As it goes through a model file.
    let again: ReadOptions = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
    assert_eq!(again, kept);
    again
}

fn inputs(name: &str, bytes: &[u8], reading: &ReadOptions) -> Result<Inputs, DataError> {
    open_inputs(&folder(&[(name, bytes)]).path().join(name), reading)
}

fn data(name: &str, text: &str, reading: &ReadOptions) -> Vec<f32> {
    inputs(name, text.as_bytes(), reading).unwrap_or_else(|e| panic!("{text}: {e}")).x.data
}

fn error(text: &str, reading: &ReadOptions) -> String {
    let error = inputs("new.csv", text.as_bytes(), reading).map(|i| i.x).unwrap_err();
    let message = error.to_string();
    message[message.rfind("new.csv").unwrap()..].to_owned()
        + &error.hint().map(|h| format!(" ({h})")).unwrap_or_default()
}

/// Twelve rows of three numbers, with a numeric label that only its few values betray, after `head`.
fn rows(head: &str, label_first: bool) -> String {
    let row = |i: usize| match label_first {
        true => format!("{},{i}.5,{},-{i}.25\n", i % 2 + 3, i * 2),
        false => format!("{i}.5,{},-{i}.25,{}\n", i * 2, i % 2 + 3),
    };
    head.to_owned() + &(0..12).map(row).collect::<String>()
}

#[test]
fn a_label_that_was_guessed_is_no_input_of_new_data() {
    let reading = remembered("set.csv", rows("a,b,c,state\n", false).as_bytes(), ReadOptions::default());
    assert_eq!((reading.targets.as_deref(), reading.header, reading.length), (Some("state"), Some(true), Some(3)));
    assert_eq!(data("new.csv", "a,b,c\n1,2,3\n4,5,6\n", &reading), [1., 2., 3., 4., 5., 6.]);
    // Few distinct whole numbers in the last column: in training that would be the label.
    assert_eq!(data("new.csv", "a,b,c\n1,2,7\n4,5,8\n1,2,7\n4,5,8\n", &reading).len(), 12);
    // With the label, in another order, with row numbers of any kind and with a column of text.
    let text = "note,id,state,c,a,b\nx y,7,4,3,1,2\nx z,5,4,6,4,5\n";
    assert_eq!(data("new.csv", text, &reading), [1., 2., 3., 4., 5., 6.]);
    // A label column without labels.
    let blank = inputs("new.csv", b"a,b,c,state\n1,2,3,\n4,5,6,\n", &reading).unwrap();
    assert_eq!((blank.x.data.len(), blank.labels), (6, None));
    let labeled = inputs("new.csv", rows("a,b,c,state\n", false).as_bytes(), &reading).unwrap();
    assert_eq!(labeled.labels.map(|l| l.len()), Some(12));
}

#[test]
fn the_test_rows_of_a_table_with_splits_are_predicted() {
    let row = |i: usize| format!("{i}.5,{},{},{}\n", i * 2, ["train", "test", "train"][i % 3], ["x", "y"][i % 2]);
    let text = "a,b,split,state\n".to_owned() + &(0..12).map(row).collect::<String>();
    let reading = remembered("set.csv", text.as_bytes(), ReadOptions::default());
    let found = inputs("new.csv", text.as_bytes(), &reading).unwrap();
    assert_eq!((found.x.data, found.rows), (vec![1.5, 2., 4.5, 8., 7.5, 14., 10.5, 20.], Some(vec![1, 4, 7, 10])));
    let chosen = found.chosen.unwrap();
    assert!(chosen.contains("4 of 12 samples") && chosen.contains("`data.ignore` split"), "{chosen}");
    assert_eq!(found.labels.unwrap(), ["y", "x", "y", "x"]);
    // All rows where the column is left out or absent, or does not say where each row belongs.
    let ignored = ReadOptions { ignore: Some("split".into()), ..reading.clone() };
    let partial = text.replacen("train", "", 1);
    let trained = text.replace("test", "train");
    let absent = text.lines().map(|l| l.split(',').take(2).collect::<Vec<_>>().join(",") + "\n").collect::<String>();
    for (text, reading) in [(&text, &ignored), (&partial, &reading), (&trained, &reading), (&absent, &reading)] {
        let found = inputs("new.csv", text.as_bytes(), reading).unwrap();
        assert_eq!((found.x.shape[0], found.rows, found.chosen), (12, None, None), "{text}");
    }
}

#[test]
fn columns_that_are_missing_or_strange_are_named() {
    let reading = remembered("set.csv", rows("a,b,c,state\n", false).as_bytes(), ReadOptions::default());
    assert!(
        error("a,c\n1,3\n4,6\n", &reading).starts_with("new.csv: it lacks column `b`, which the model was trained on")
    );
    let strange = error("a,b,c,mood\n1,2,3,1\n4,5,6,0\n", &reading);
    assert!(strange.starts_with("new.csv: column `mood` was not in the table"), "{strange}");
    let told = ReadOptions { targets: Some("mood".into()), ..reading.clone() };
    assert_eq!(data("new.csv", "a,b,c,mood\n1,2,3,1\n4,5,6,0\n", &told), [1., 2., 3., 4., 5., 6.]);
    // Without a header the first row would be lost; it must be said that there is none.
    let bare = error("1,2,3\n4,5,6\n7,8,9\n", &reading);
    assert!(bare.contains("lacks column `a`, `b`, `c`") && bare.contains("`data.header = false`"), "{bare}");
    let told = ReadOptions { header: Some(false), ..reading.clone() };
    assert_eq!(data("new.csv", "1,2,3\n4,5,6\n", &told), [1., 2., 3., 4., 5., 6.]);
    assert!(error("a,b,c\n1,2,x\n4,5,6\n", &reading).contains("`x` is not a number"));
}

#[test]
fn columns_that_are_named_for_new_data_stand_for_those_of_the_model() {
    let reading = remembered("set.csv", rows("a,b,c,state\n", false).as_bytes(), ReadOptions::default());
    let text = "c,state,q,a,b,p\n3,7,8,1,2,9\n6,8,8,4,5,9\n";
    // The inputs that are named, what is read, and what is said.
    type Case = (&'static str, Result<&'static [f32], &'static str>, &'static str);
    let cases: [Case; 6] = [
        ("c,b,a", Ok(&[1., 2., 3., 4., 5., 6.]), ""),
        ("?", Ok(&[1., 2., 3., 4., 5., 6.]), ""),
        ("p,q,a", Ok(&[9., 8., 1., 9., 8., 4.]), "`p` for `a`, `q` for `b`, `a` for `c`"),
        ("a,b,q", Ok(&[1., 2., 8., 4., 5., 8.]), "in the order of `data.inputs`: `q` for `c`"),
        ("-1,2", Err("`data.inputs` names 2 columns of inputs, but the model was trained on 3 (`a`, `b`, `c`)"), ""),
        ("p,q,state,a", Ok(&[9., 8., 1., 9., 8., 4.]), "`p` for `a`"),
    ];
    for (wanted, expected, words) in cases {
        let given = ReadOptions { inputs: Some(wanted.into()), given: vec!["inputs".into()], ..reading.clone() };
        match (inputs("new.csv", text.as_bytes(), &given), expected) {
            (Ok(found), Ok(expected)) => {
                assert_eq!(found.x.data, expected, "{wanted}");
                let said = found.origin.warnings.join("; ");
                assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{wanted}: {said}");
            }
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{wanted}: {error}"),
            (found, _) => panic!("{wanted}: {:?}", found.map(|found| found.x.data)),
        }
    }
}

#[test]
fn tables_without_a_header_go_by_their_width() {
    for first in [true, false] {
        let reading = remembered("set.csv", rows("", first).as_bytes(), ReadOptions::default());
        let label = if first { 0 } else { 3 };
        assert_eq!((reading.targets, reading.header), (Some(label.to_string()), Some(false)));
        let reading = remembered("set.csv", rows("", first).as_bytes(), ReadOptions::default());
        // The last, or first, column looks like a label, and is none.
        let text = "1,2,7\n4,5,8\n1,2,7\n4,5,8\n";
        assert_eq!(data("new.csv", text, &reading), [1., 2., 7., 4., 5., 8., 1., 2., 7., 4., 5., 8.]);
        let whole = inputs("new.csv", rows("", first).as_bytes(), &reading).unwrap();
        assert_eq!((whole.x.row(1), whole.labels.unwrap().len()), (&[1.5, 2.0, -1.25][..], 12));
        let wrong = error("1,2,3,4,5\n1,2,3,4,5\n", &reading);
        assert_eq!(
            wrong,
            "new.csv: it has 5 columns; the model was trained on 3 \
             (give those, in the same order, or all 4 of the training table)"
        );
    }
}

#[test]
fn of_the_tables_in_a_folder_the_one_with_the_columns_of_the_model_is_read() {
    let named = remembered("set.csv", rows("a,b,c,state\n", false).as_bytes(), ReadOptions::default());
    let bare = remembered("set.csv", rows("", false).as_bytes(), ReadOptions::default());
    let given = ReadOptions { inputs: Some("p,q,r".into()), given: vec!["inputs".into()], ..named.clone() };
    let arrays = ReadOptions { columns: None, ..named.clone() };
    let (samples, labeled) = ("c,b,a\n3,2,1\n6,5,4\n", "a,b,c,state\n1,2,3,3\n4,5,6,4\n");
    let patients = "patient,age,sex\n1,50,f\n2,60,m\n3,70,f\n";
    let json = "{\"code\":1,\"meaning\":\"x\"}\n";
    // The files, the options, and the file that is read; `None` where the folder is refused.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a ReadOptions, Option<&'a str>);
    let cases: [Case<'_>; 9] = [
        (&[("new.csv", samples), ("patients.csv", patients)], &named, Some("new.csv")),
        (&[("new.csv", labeled), ("codes.jsonl", json)], &named, Some("new.csv")),
        (
            &[("new_train.csv", labeled), ("new_test.csv", samples), ("patients.csv", patients)],
            &named,
            Some("new_test"),
        ),
        // What is wrong with another table does not matter.
        (&[("new.csv", samples), ("broken.csv", "a,\"b\n1,2\n")], &named, Some("new.csv")),
        (&[("new.csv", "1,2,3\n4,5,6\n"), ("wide.csv", "1,2,3,4,5,6\n1,2,3,4,5,6\n")], &bare, Some("new.csv")),
        (&[("new.csv", "p,q,r,s\n1,2,3,0\n4,5,6,0\n"), ("old.csv", labeled)], &given, Some("new.csv")),
        (&[("new.csv", samples), ("codes.jsonl", json)], &arrays, None),
        (&[("patients.csv", patients), ("codes.jsonl", json)], &named, None),
        (&[("new.csv", samples), ("old.csv", labeled), ("patients.csv", patients)], &named, None),
    ];
    for (texts, reading, expected) in cases {
        let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        let files = folder(&files);
        match (open_inputs(files.path(), reading), expected) {
            (Ok(found), Some(name)) => {
                assert_eq!(found.x.data, [1., 2., 3., 4., 5., 6.], "{texts:?}");
                let said = found.origin.warnings.join("; ");
                assert!(said.contains(name) && said.contains("columns of the model's inputs"), "{said}");
            }
            (Err(error), None) => assert!(error.to_string().contains("several data sets"), "{texts:?}: {error}"),
            (found, _) => panic!("{texts:?}: {:?}", found.map(|found| found.origin)),
        }
        // A run needs an answer.
        let refused = open(files.path(), &ReadOptions { header: None, ..reading.clone() });
        assert!(refused.is_err(), "{texts:?}");
    }
}

#[test]
fn channels_and_groups_are_as_in_training() {
    let row = |i: usize| format!("{i},1,2,{},p{},{}\n", i + 1, i % 4, ["x", "y"][i % 2]);
    let csv = "a,b,c,d,patient,activity\n".to_owned() + &(0..12).map(row).collect::<String>();
    let options = ReadOptions { channels: Some(2), targets: Some("activity".into()), ..Default::default() };
    let reading = remembered("set.csv", csv.as_bytes(), options);
    assert_eq!((reading.group.as_deref(), reading.length), (Some("patient"), Some(2)));
    let new = inputs("new.csv", b"a,b,c,d,patient\n1,2,3,4,p9\n5,6,7,8,p8\n", &reading).unwrap();
    assert_eq!((new.x.shape, new.x.data), (vec![2, 2, 2], vec![1., 2., 3., 4., 5., 6., 7., 8.]));
    // The same windows as rows of an array.
    let new = inputs("new.npy", &npy(&f32s("new", &[2, 4], &[1., 2., 3., 4., 5., 6., 7., 8.])), &reading).unwrap();
    assert_eq!(new.x.shape, [2, 2, 2]);
}

#[test]
fn a_model_of_arrays_takes_tables_of_its_width_only() {
    let set = archive(&with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1])));
    let reading = remembered("set.npz", &set, ReadOptions::default());
    assert_eq!((reading.channels, reading.length), (Some(1), Some(4)));
    // Four numbers of which the last looks like a label; and one more that is called so.
    assert_eq!(data("new.csv", "1,2,3,0\n4,5,6,1\n1,2,3,0\n4,5,6,1\n", &reading).len(), 16);
    assert_eq!(data("new.csv", "a,b,c,d,label\n1,2,3,0,1\n4,5,6,1,1\n", &reading).len(), 8);
    let wrong = error("a,b,c,d,e\n1,2,3,4,5\n5,6,7,8,9\n", &reading);
    assert!(
        wrong.contains("5 columns of numbers (`a`, `b`, `c`, `d`, `e`)") && wrong.contains("1 channel of 4"),
        "{wrong}"
    );
}

#[test]
fn lines_of_series_may_lack_their_label() {
    let line = |i: usize| format!("{}\t{i}.5\t2\t3\n", i % 2 + 1);
    let text: String = (0..12).map(line).collect();
    let reading = remembered("set.tsv", text.as_bytes(), ReadOptions::default());
    assert_eq!(reading.length, Some(3));
    assert_eq!(data("new.tsv", "1\t2\t3\n4\t5\t6\n", &reading), [1., 2., 3., 4., 5., 6.]);
    let labeled = inputs("new.tsv", text.as_bytes(), &reading).unwrap();
    assert_eq!((labeled.x.row(1), labeled.labels.unwrap().len()), (&[1.5, 2., 3.][..], 12));
}

#[test]
fn a_file_is_read_by_itself_and_samples_keep_their_names() {
    let array = |name: &'static str, first: f32| npy(&f32s(name, &[2, 1, 2], &[first, 1., 2., 3.]));
    let files = folder(&[
        ("x.npy", &array("x", 5.)),
        ("y.npy", &array("y", 6.)),
        ("A_TRAIN.csv", b"a,b\n1,2\n3,4\n"),
        ("A_TEST.csv", b"a,b\n5,6\n7,8\n"),
        ("s/one.fa", b">chr1 a\nACGT\n>chr2 b\nAC\n"),
        ("p/a.png", &crate::tests::readers::png(4, 4, 1)),
        ("p/deep/b.png", &crate::tests::readers::png(4, 4, 2)),
    ]);
    let read = |name: &str| open_inputs(&files.path().join(name), &ReadOptions::default()).unwrap();
    assert_eq!((read("x.npy").x.data[0], read("y.npy").x.data[0]), (5., 6.));
    assert_eq!((read("A_TRAIN.csv").x.data[0], read("A_TEST.csv").x.data[0]), (1., 5.));
    assert_eq!(read("A").x.data[0], 5.);
    let ids = |name: &str| read(name).ids.map(|ids| ids.join(" | "));
    assert_eq!(ids("s").as_deref(), Some("chr1 a | chr2 b"));
    assert_eq!(ids("p").as_deref(), Some("a.png | deep/b.png"));
    assert_eq!(ids("x.npy"), None);
    fs::remove_file(files.path().join("A_TEST.csv")).unwrap();
    assert_eq!(read("A").x.data[0], 1.);
}

#[test]
fn new_samples_that_are_cut_off_are_warned_of() {
    // The training data, whose samples have up to three or four values, and two new samples, of which the first is longer.
    let cases = [
        (
            "a.jsonl",
            "{\"v\":[1,2,3],\"y\":\"a\"}\n{\"v\":[4,1,1],\"y\":\"b\"}\n{\"v\":[5,6,1],\"y\":\"a\"}\n{\"v\":[1,1,1],\"y\":\"b\"}\n",
            "{\"v\":[1,2,3,4,5]}\n{\"v\":[1,2]}\n",
            "longer than the 3 values",
        ),
        ("a.fasta", ">s1 a\nACGT\n>s2 b\nAC\n>s3 a\nACG\n>s4 b\nACGG\n", ">s1\nACGTACGT\n>s2\nAC\n", "1 of 2 samples"),
        (
            "a.ts",
            "@classLabel true a b\n@data\n1,2,3:a\n1,2:b\n3,3,3:a\n2,1:b\n",
            "@classLabel true a b\n@data\n1,2,3,4:?\n1,2:?\n",
            "1 of 2 samples are longer than the 3 values that the model takes, and what follows is cut off (the longest has 4)",
        ),
    ];
    for (name, training, new, words) in cases {
        for (lengths, warned) in [(Lengths::Pad, true), (Lengths::Truncate, false)] {
            let reading = remembered(
                name,
                training.as_bytes(),
                ReadOptions { lengths, test_fraction: 0.5, ..Default::default() },
            );
            let said = |text: &str| inputs(name, text.as_bytes(), &reading).unwrap().origin.warnings.join("; ");
            assert_eq!(said(new).contains(words), warned, "{name}: {}", said(new));
            assert!(!said(training).contains("cut off"), "{name}: {}", said(training));
        }
    }
}
