//! Tables that were once understood wrongly without a word. Each must be understood, refused or warned of.

use crate::tests::readers::{folder, open_with};
use crate::tests::*;

/// What is said of a file: the account of the data set, or the error with its hint.
pub(super) fn said(files: &[(&str, &[u8])], path: &str, options: &ReadOptions) -> String {
    match open_with(&folder(files), path, options) {
        Ok(set) => set.inspect().unwrap().to_string(),
        Err(error) => format!("{error}\n  hint {}\n", error.hint().unwrap_or_default()),
    }
}

/// Checks that all words are said, and none that begins with `!`.
pub(super) fn check(name: &str, said: &str, words: &[&str]) {
    for word in words {
        match word.strip_prefix('!') {
            Some(unwanted) => assert!(!said.contains(unwanted), "{name}: `{unwanted}` in\n{said}"),
            None => assert!(said.contains(word), "{name}: no `{word}` in\n{said}"),
        }
    }
}

/// A number without order.
fn noise(i: usize) -> f32 {
    ((i * 7919 + i * i * 31 + 13) % 1009) as f32 / 101.0
}

/// A table of three measurements with further columns.
fn table(rows: usize, names: &str, more: impl Fn(usize) -> String) -> Vec<u8> {
    let row = |i: usize| format!("{},{},{},{}\n", noise(i), noise(i + 50), noise(i + 777), more(i));
    (format!("a,b,c,{names}\n") + &(0..rows).map(row).collect::<String>()).into_bytes()
}

fn tables(cases: Vec<(&str, Vec<u8>, &[&str])>) {
    for (name, text, words) in cases {
        check(name, &said(&[("t.csv", &text)], "t.csv", &ReadOptions::default()), words);
    }
}

#[test]
fn columns_of_splits_divide_the_rows_or_are_refused() {
    let with = |name: &str, value: fn(usize) -> String| {
        table(40, &format!("label,{name}"), |i| format!("{},{}", ["x", "y"][i % 2], value(i)))
    };
    let word = |train: &'static str, test: &'static str| {
        table(40, "label,set", |i| format!("{},{}", ["x", "y"][i % 2], if i % 5 == 0 { test } else { train }))
    };
    let divided: &[&str] = &["divides the rows", "given", "1 channel of 3", "!drawn"];
    tables(vec![
        ("is_test", with("is_test", |i| (i % 5 == 0).to_string()), divided),
        ("is_train 0/1", with("is_train", |i| u8::from(i % 5 != 0).to_string()), divided),
        ("train", with("train", |i| ["True", "False"][usize::from(i % 5 == 0)].into()), divided),
        ("test mask", with("test_mask", |i| u8::from(i % 5 == 0).to_string()), divided),
        ("any name", with("purpose", |i| ["train", "test"][usize::from(i % 5 == 0)].into()), divided),
        ("Kaggle", with("Usage", |i| ["Training", "PublicTest", "PrivateTest"][i % 3].into()), divided),
        ("training set", word("training set", "test set"), divided),
        ("holdout", word("train", "holdout"), &["t.csv:2: column set: `holdout` is not the name of a split", "hint"]),
        ("fit and eval", word("fit", "eval"), &["`eval` is not the name of a split"]),
        ("missing", with("split", |i| ["train", "test", ""][i % 3].into()), &["t.csv:4", "the split is missing"]),
        ("numbers", with("split", |i| (i % 2).to_string()), &["t.csv:2", "`0` is not the name of a split"]),
        (
            "test as a measurement",
            with("test", |i| (i % 3 % 2).to_string()),
            &["not clear whether column `test` divides"],
        ),
        ("two", with("is_test,is_train", |i| format!("{},{}", i % 2, 1 - i % 2)), &["could both divide the rows"]),
        ("a number called set", with("set", |i| (i * 7 % 23).to_string()), &["4: a, b, c, set", "drawn"]),
        ("a number called train", with("train", |i| (i * 7 % 23).to_string()), &["4: a, b, c, train", "drawn"]),
        ("one word", with("purpose", |_| "train".into()), &["1 channel of 3", "drawn"]),
    ]);
    let text = with("test", |i| (i % 3 % 2).to_string());
    for (options, words) in [
        (ReadOptions { split: Some("test".into()), ..ReadOptions::default() }, &["divides the rows", "1 channel of 3"]),
        (ReadOptions { inputs: Some("a,b,test".into()), ..ReadOptions::default() }, &["3: a, b, test", "drawn"]),
        (ReadOptions { ignore: Some("test".into()), ..ReadOptions::default() }, &["`data.ignore` names it", "drawn"]),
    ] {
        check("test", &said(&[("t.csv", &text)], "t.csv", &options), words);
    }
}

#[test]
fn groups_are_found_and_complete() {
    let with = |name: &str, value: fn(usize) -> String| {
        table(48, &format!("{name},label"), |i| format!("{},{}", value(i), ["x", "y"][i % 2]))
    };
    let of_four: fn(usize) -> String = |i| (100 + i / 4).to_string();
    tables(vec![
        ("user", with("user", of_four), &["group     1: user", "in whole groups", "1 channel of 3", "!warning"]),
        ("pid", with("pid", of_four), &["group     1: pid"]),
        ("session", with("session", of_four), &["group     1: session", "`session` is taken for the group"]),
        ("file", with("filename", |i| format!("f{}.wav", i / 4)), &["group     1: filename", "taken for the group"]),
        ("once", with("session", |i| (1000 - i * 3).to_string()), &["id        1: session", "each value occurs once"]),
        (
            "trials of persons",
            with("trial,subject", |i| format!("{},{}", i % 4, i / 8)),
            &["group     1: subject", "left out  1: trial", "1 channel of 3", "!could be the group"],
        ),
        ("a number of persons", with("Subject Number", of_four), &["group     1: Subject Number"]),
        ("a batch", with("batch", of_four), &["`batch` may name what samples belong to"]),
        ("another identifier", with("house_id", of_four), &["`house_id` may name what samples belong to"]),
        ("text identifiers", with("cow_id", |i| format!("c{}", i / 4)), &["`cow_id` may name what samples belong to"]),
        ("a word", with("COVID", |i| (i % 3 % 2).to_string()), &["4: a, b, c, COVID", "!warning"]),
        (
            "missing",
            with("subject", |i| if i == 9 { String::new() } else { (i / 4).to_string() }),
            &["t.csv:11: column subject: the group is missing"],
        ),
        (
            "the label",
            with("group", |i| format!("g{}", i % 2)),
            &["the group `group` is the same as the label `label`"],
        ),
    ]);
    let spelled = with("subject", |i| format!("{}{}", i / 4, [".0", ""][i % 2]));
    let set = open_with(&folder(&[("t.csv", &spelled)]), "t.csv", &ReadOptions::default()).unwrap();
    assert_eq!(set.summary().groups.unwrap() + set.test.len() / 4, 12);
}

#[test]
fn times_and_steps_are_said() {
    let day = |i: usize| format!("2020{:02}{:02}", i * 5 % 12 + 1, i * 11 % 28 + 1);
    let signal = |i: usize| format!("{:.4},{:.4}", (i as f32 / 9.0).sin(), (i as f32 / 7.0).cos() + noise(i) / 50.0);
    let steps = |names: &str, more: &dyn Fn(usize) -> String| {
        let rows = (0..600).map(|i| format!("{},{}\n", signal(i), more(i))).collect::<String>();
        (format!("ax,ay,{names}\n") + &rows).into_bytes()
    };
    let (recording, label) = ("time steps of a recording", |i: usize| ["x", "y", "z"][i / 100 % 3]);
    tables(vec![
        (
            "dates",
            table(40, "date,label", |i| format!("{},{}", day(i), i % 2)),
            &["column `date` holds dates", "channel of 3"],
        ),
        (
            "dates",
            table(40, "when,label", |i| format!("{},{}", day(i), i % 2)),
            &["column `when` holds dates", "channel of 3"],
        ),
        (
            "amounts",
            table(40, "paid,label", |i| format!("{},{}", 20_000_000 + i * 173 % 40 * 991, i % 2)),
            &["4: a, b, c, paid"],
        ),
        (
            "a time",
            table(40, "time,label", |i| format!("{},{}", i * 37 % 40, i % 2)),
            &["inputs are named like times: `time`"],
        ),
        (
            "no time",
            steps("label", &|i| label(i).into()),
            &[recording, "change little from row to row", "100 rows on average"],
        ),
        (
            "several",
            steps("frame,label", &|i| format!("{},{}", i % 200, label(i))),
            &[recording, "`frame` rises and begins anew", "time      1: frame", "channel of 2"],
        ),
        (
            "persons",
            steps("subject,t,label", &|i| format!("{},{},{}", i / 150, i % 150, label(i))),
            &[recording, "group"],
        ),
        (
            "a slow quantity",
            steps("t,target", &|i| format!("{i},{:.4}", (i as f32 / 20.0).sin())),
            &[recording, "`target` changes little from row to row"],
        ),
        (
            "joined labels",
            table(40, "label", |i| ["cat;dog", "cat", "dog"][i % 3].into()),
            &["`cat;dog` joins the names"],
        ),
        ("sorted by class", table(600, "label", |i| (i / 200).to_string()), &["channel of 3", "!time steps"]),
    ]);
}

#[test]
fn values_that_are_no_plain_numbers_are_said() {
    let with = |value: fn(usize) -> String| table(40, "e,label", |i| format!("{},{}", value(i), ["x", "y"][i % 2]));
    let semicolons = |value: fn(usize) -> String| {
        let rows =
            (0..40).map(|i| format!("{};{};{}\n", value(i), value(i + 7), ["x", "y"][i % 2])).collect::<String>();
        format!("a;b;label\n{rows}").into_bytes()
    };
    let thousand: fn(usize) -> String = |i| format!("{}.{}", i % 9 + 1, 100 + i * 7);
    tables(vec![
        (
            "below",
            with(|i| if i % 3 > 0 { "<0.5".into() } else { noise(i).to_string() }),
            &["look like numbers: `e` (`<0.5`)"],
        ),
        (
            "not detected",
            with(|i| if i % 3 > 0 { "nd".into() } else { noise(i).to_string() }),
            &["some of the values are numbers: `e` (`nd`)"],
        ),
        ("infinite", with(|i| if i % 3 > 0 { "inf".into() } else { noise(i).to_string() }), &["`e` (`inf`)"]),
        ("Excel", with(|i| format!("\"=\"\"{}\"\"\"", noise(i))), &["4: a, b, c, e", "!warning"]),
        ("vectors", with(|i| format!("\"[{}, {i}]\"", noise(i))), &["look like numbers: `e` (`["]),
        ("codes", with(|i| format!("{}{}", ["A", "B"][i / 2 % 2], i % 7)), &["left out  1: e", "!warning"]),
        ("pixels", with(|i| format!("{} 2 {}", i, i + 1)), &["t.csv:2: column e: a cell holds several numbers"]),
        ("libsvm", (0..9).map(|i| format!("{} 1:0.5 3:{i}\n", i % 2)).collect::<String>().into_bytes(), &["libsvm"]),
        ("times of day", with(|i| format!("1{}:30", i % 9)), &["channel of 3", "!libsvm"]),
        ("spaces", (0..9).map(|i| format!("u{i} {i} x\n")).collect::<String>().into_bytes(), &["separated by spaces"]),
        ("thousands", semicolons(thousand), &["not clear whether the point in column `a`", "`1.100` 1100"]),
        ("fractions", semicolons(|i| format!("{:.3}", noise(i) / 10.0)), &["channel of 2", "!not clear"]),
        ("two digits", semicolons(|i| format!("{:.2}", noise(i) + 1.0)), &["channel of 2", "!not clear"]),
    ]);
    for (decimal, most) in [(",", 9000.0), (".", 0.0)] {
        let options = ReadOptions { decimal: Some(decimal.into()), ..ReadOptions::default() };
        let set = open_with(&folder(&[("t.csv", &semicolons(thousand))]), "t.csv", &options).unwrap();
        let largest = set.train.x.data.iter().copied().fold(0.0, f32::max);
        assert_eq!(largest > 1000.0, most > 0.0, "{decimal}: {largest}");
    }
}

#[test]
fn lists_are_labels_channels_or_refused() {
    let lines = |value: &dyn Fn(usize) -> String| {
        (0..40)
            .map(|i| format!("{{\"x\":[{},{},{i}],{}}}\n", noise(i), noise(i + 9), value(i)))
            .collect::<String>()
            .into_bytes()
    };
    let nested = |outer: usize, inner: usize| {
        lines(&|i| {
            let list = format!("[{}]", vec![i.to_string(); inner].join(","));
            format!("\"s\":[{}],\"label\":{}", vec![list; outer].join(","), i % 2)
        })
    };
    let only = |key: &str| ReadOptions { inputs: Some(key.into()), ..ReadOptions::default() };
    let last = ReadOptions { layout: Some(Layout::ChannelsLast), ..only("s") };
    let cases: Vec<(&str, Vec<u8>, ReadOptions, &[&str])> = vec![
        (
            "texts",
            lines(&|i| format!("\"label\":{}", ["[\"a\"]", "[\"a\",\"b, c\"]", "[]"][i % 3])),
            only("x"),
            &["multi-label classification with 2 labels", "b, c"],
        ),
        ("numbers", lines(&|i| format!("\"label\":{}", ["[3]", "[3,7]"][i % 2])), only("x"), &["2 labels"]),
        ("vectors", lines(&|i| format!("\"label\":[{}.5,{i}]", i % 3)), only("x"), &["regression of 2 values"]),
        (
            "objects",
            lines(&|i| format!("\"label\":{{\"a\":{}}}", i % 2)),
            only("x"),
            &["t.jsonl:1", "the label is an object"],
        ),
        ("unclear", lines(&|i| format!("\"label\":[{i},3]")), only("x"), &["t.jsonl:1", "several labels or a vector"]),
        (
            "empty",
            lines(&|i| format!("\"y\":[{}],\"label\":{}", ["1", ""][i / 5 % 2], i % 2)),
            only("x,y"),
            &["t.jsonl:6: column y: the list is empty"],
        ),
        (
            "missing",
            lines(&|i| format!("\"y\":[1,{}],\"label\":{}", ["2", "null"][i / 5 % 2], i % 2)),
            only("x,y"),
            &["t.jsonl:6: column y: value 2 of the list is missing"],
        ),
        ("time first", nested(96, 3), only("s"), &["96 channels of 3", "set `data.layout` to channels-last"]),
        ("time first, as asked", nested(96, 3), last, &["3 channels of 96", "!warning"]),
        ("channels first", nested(3, 96), only("s"), &["3 channels of 96", "!warning"]),
    ];
    for (name, text, options, words) in cases {
        check(name, &said(&[("t.jsonl", &text)], "t.jsonl", &options), words);
    }
}
