//! Recordings that are cut into windows.

use crate::groups::{GroupKind, distinct};
use crate::tests::readers::{folder, open_with, wav};
use crate::tests::*;
use dashnas_formats::options::{Span, SplitBy, WindowLabel};
use dashnas_formats::places::{Place, Times};
use tempfile::TempDir;

fn options(window: &str, stride: &str, set: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions {
        window: Some(window.parse().unwrap()),
        stride: (!stride.is_empty()).then(|| stride.parse().unwrap()),
        ..Default::default()
    };
    set(&mut options);
    options
}

/// A table of recordings: the name, the first time, and the label of each step. The inputs count the steps of all.
fn table(recordings: &[(&str, f64, &str)]) -> String {
    let mut text = "rec,time,a,b,label\n".to_owned();
    let mut n = 0;
    for (name, start, labels) in recordings {
        for (i, label) in labels.chars().enumerate() {
            let label = if label == '-' { String::new() } else { label.to_string() };
            text += &format!("{name},{},{n}.25,{},{label}\n", start + i as f64 * 0.5, (n * 7) % 5);
            n += 1;
        }
    }
    text
}

/// Two recordings at two steps a second, and one at one.
fn rates() -> String {
    let slow = (0..12).map(|i| format!("s,{i},{i}.5,{},{}\n", i % 3, ["a", "b"][i % 2])).collect::<String>();
    table(&[("r", 0.0, "abababababab"), ("q", 0.0, "abababababab")]) + &slow
}

fn file(text: &str) -> TempDir {
    folder(&[("r.csv", text.as_bytes())])
}

/// The whole part of the first value of each sample, which is the number of its first step, and its class.
fn samples(set: &Dataset, split: &Split) -> Vec<(usize, String)> {
    let Targets::Classes(classes) = &split.y else { panic!("classes") };
    let name =
        |class: u32| set.classes.as_ref().map_or_else(|| class.to_string(), |names| names[class as usize].clone());
    (0..split.len()).map(|i| (split.x.row(i)[0] as usize, name(classes[i]))).collect()
}

fn said(result: Result<Dataset, DataError>) -> String {
    match result {
        Ok(set) => [set.origin.notes, set.origin.warnings].concat().join("; "),
        Err(error) => format!("{error} / {}", error.hint().unwrap_or_default()),
    }
}

#[test]
fn each_recording_is_cut_and_held_out_as_a_whole() {
    let text = table(&[("r", 0.0, "aaaaabbbbb"), ("s", 0.0, "bbbbbaaaaa"), ("t", 0.0, "aabbaabb"), ("u", 0.0, "ab")]);
    let group = |o: &mut ReadOptions| o.group = Some("rec".into());
    for in_memory in [None, Some(0)] {
        let set = open_with(&file(&text), "r.csv", &ReadOptions { in_memory, ..options("4", "2", group) }).unwrap();
        assert_eq!(set.train.x.shape[1..], [2, 4]);
        let mut train = set.train.clone();
        train.x.load().unwrap();
        let mut test = set.test.clone();
        test.x.load().unwrap();
        let mut all = [samples(&set, &train), samples(&set, &test)].concat();
        all.sort();
        let expected = [
            (0, "a"),
            (2, "a"),
            (4, "b"),
            (6, "b"),
            (10, "b"),
            (12, "b"),
            (14, "a"),
            (16, "a"),
            (20, "a"),
            (22, "b"),
            (24, "a"),
        ];
        assert_eq!(all, expected.map(|(start, class)| (start, class.to_owned())));
        // Channel b of the first window, step by step.
        let row = (0..train.x.rows()).map(|i| train.x.row(i)).find(|row| row[0] == 12.25 || row[0] == 2.25).unwrap();
        let n = row[0] as usize;
        assert_eq!(row[..4], [n, n + 1, n + 2, n + 3].map(|v| v as f32 + 0.25));
        assert_eq!(row[4..], [n, n + 1, n + 2, n + 3].map(|v| (v * 7 % 5) as f32));
        // No recording is on both sides.
        let recording = |start: usize| {
            if start < 10 {
                'r'
            } else if start < 20 {
                's'
            } else {
                't'
            }
        };
        let side =
            |split| samples(&set, split).iter().map(|s| recording(s.0)).collect::<std::collections::BTreeSet<_>>();
        assert!(side(&train).is_disjoint(&side(&test)) && set.groups.is_some());
        let said = said(Ok(set));
        assert!(said.contains("4 recordings of 30 time steps in all (15.0 s at 2 steps a second)"), "{said}");
        assert!(said.contains("11 windows of 4 steps, one every 2 steps"), "{said}");
        assert!(said.contains("1 recording without a window") && said.contains("2 time steps in no window"), "{said}");
    }
}

/// The only training recording is divided into blocks of two steps, which no window crosses either.
#[test]
fn windows_span_no_gap_and_no_change_of_the_split() {
    // Every case: the table, the options, and the first steps and classes of training and test.
    type Case = (&'static str, String, ReadOptions, &'static [(usize, &'static str)], &'static [(usize, &'static str)]);
    let rows = |lines: &[&str]| format!("rec,time,a,b,label,split\n{}\n", lines.join("\n"));
    let gap = rows(&[
        "r,0,0,1,a,train",
        "r,1,1,0,a,train",
        "r,2,2,1,b,train",
        "r,9,3,0,b,train",
        "r,10,4,1,b,train",
        "r,11,5,5,a,test",
        "r,12,6,1,a,test",
        "r,13,7,0,b,test",
    ]);
    // The same rows in another order.
    let mut lines: Vec<&str> = gap.lines().skip(1).collect();
    lines.reverse();
    lines.swap(1, 4);
    let shuffled = rows(&lines);
    let set = |o: &mut ReadOptions| (o.group, o.time) = (Some("rec".into()), Some("time".into()));
    let cases: [Case; 3] = [
        ("gap", gap.clone(), options("2", "1", set), &[(0, "a"), (3, "b")], &[(5, "a"), (6, "a")]),
        ("sorted", shuffled, options("2", "1", set), &[(0, "a"), (3, "b")], &[(5, "a"), (6, "a")]),
        (
            "end",
            gap,
            options("2", "1", |o| {
                set(o);
                o.window_label = WindowLabel::End;
            }),
            &[(0, "a"), (3, "b")],
            &[(5, "a"), (6, "b")],
        ),
    ];
    for (name, text, options, train, test) in cases {
        let set = open_with(&file(&text), "r.csv", &options).unwrap_or_else(|e| panic!("{name}: {e} {:?}", e.hint()));
        let own = |expected: &[(usize, &str)]| expected.iter().map(|(i, c)| (*i, (*c).to_owned())).collect::<Vec<_>>();
        assert_eq!(samples(&set, &set.train), own(train), "{name}");
        assert_eq!(samples(&set, &set.test), own(test), "{name}");
        let said = said(Ok(set));
        assert!(said.contains("1 gap of more than 4 median steps, the first in recording `r` before step 3"), "{said}");
    }
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let text = |recordings: &[(&str, f64, &str)]| table(recordings);
    let plain = || options("4", "", |_| ());
    let timed = |group: bool| {
        options("4", "", |o| {
            o.time = Some("time".into());
            o.group = group.then(|| "rec".into());
            o.ignore = (!group).then(|| "rec".into());
        })
    };
    let cases: [(&str, String, ReadOptions, &[&str]); 13] = [
        ("long", text(&[("r", 0.0, "abab")]), options("9", "", |_| ()), &["9 time steps in a row", "has 4"]),
        ("seconds", text(&[("r", 0.0, "abab")]).replace("time", "q"), options("2s", "", |_| ()), &["rate", "--"]),
        ("unlabeled", text(&[("r", 0.0, "----ab")]), plain(), &["none of its 1 window has a label"]),
        ("sides", text(&[("r", 0.0, "aaaaaaaaaaaabbbb")]), plain(), &["class `b` occurs there", "data.split"]),
        ("one window", text(&[("r", 0.0, "aaabb")]), plain(), &["cannot be divided so"]),
        (
            "few",
            text(&[("r", 0.0, "aaaabbbb"), ("s", 0.0, "cccc")]),
            timed(true),
            &["2 recordings cannot be divided", "more recordings"],
        ),
        (
            "twice",
            text(&[("r", 0.0, "abab"), ("s", 1.5, "abab")]),
            timed(false),
            &["time is that of row 5", "data.group"],
        ),
        (
            "mixed",
            text(&[("r", 0.0, "abababababab"), ("s", 0.25, "abababababab")]),
            timed(false),
            &["falls back", "r.csv:14", "data.group"],
        ),
        (
            "rates",
            rates(),
            options("2s", "", |o| (o.group, o.time) = (Some("rec".into()), Some("time:s".into()))),
            &["`s` has 1 step a second, most have 2"],
        ),
        (
            "by time",
            text(&[("r", 0.0, "abababababab"), ("s", 0.0, "abababababab")]),
            options("4", "", |o| (o.group, o.split_by) = (Some("rec".into()), SplitBy::Time)),
            &["divided by whole recordings", "data.split-by"],
        ),
        (
            "folds",
            text(&[("r", 0.0, "abababababababab")]),
            options("2", "", |o| (o.ignore, o.folds) = (Some("rec".into()), Some(3))),
            &["one recording cannot be divided into folds"],
        ),
        (
            "weights",
            text(&[("r", 0.0, "abababababab"), ("s", 0.0, "abababababab")]),
            options("4", "", |o| (o.group, o.weight) = (Some("rec".into()), Some("time".into()))),
            &["weights of time steps are not used"],
        ),
        (
            "no window",
            text(&[("r", 0.0, "ab")]),
            ReadOptions { stride: Some(Span::Steps(2)), ..Default::default() },
            &["data.stride"],
        ),
    ];
    for (name, text, options, words) in cases {
        let said = said(open_with(&file(&text), "r.csv", &options)).replace("no rate is", "rate --");
        let words = words.iter().filter(|word| **word != "--");
        words.for_each(|word| assert!(said.contains(word), "{name}: `{said}` does not say `{word}`"));
    }
    let arrays = folder(&[(
        "a.npz",
        &archive(&with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]))),
    )]);
    let said = said(open_with(&arrays, "a.npz", &plain()));
    assert!(said.contains("windows cannot be cut from this format"), "{said}");
}

#[test]
fn time_steps_without_a_label_are_counted() {
    // The labels of one of four recordings, the rule, and what is said.
    let cases = [
        ("aabbaabb", WindowLabel::Majority, None),
        (
            "aab-aabb",
            WindowLabel::Majority,
            Some("1 of 32 time steps without a label: a window most of whose steps have none would"),
        ),
        (
            "---baabb",
            WindowLabel::Majority,
            Some("3 of 32 time steps without a label: 1 window most of whose steps have none left out"),
        ),
        (
            "aab-aabb",
            WindowLabel::End,
            Some("1 of 32 time steps without a label: 1 window whose last step has none left out"),
        ),
        (
            "aab-????",
            WindowLabel::End,
            Some("5 of 32 time steps without a label: 2 windows whose last step has none left out"),
        ),
    ];
    for (labels, rule, expected) in cases {
        let text = table(&[("r", 0.0, labels), ("s", 0.0, "aaaabbbb"), ("t", 0.0, "bbbbaaaa"), ("u", 0.0, "aaaabbbb")]);
        let set = |o: &mut ReadOptions| (o.group, o.window_label) = (Some("rec".into()), rule);
        let notes = open_with(&file(&text), "r.csv", &options("4", "", set)).unwrap().origin.notes;
        let found = notes.iter().find(|note| note.contains("without a label"));
        assert_eq!(found.is_some(), expected.is_some(), "{labels}: {notes:?}");
        expected.into_iter().for_each(|word| assert!(found.unwrap().starts_with(word), "{labels}: {found:?}"));
    }
}

#[test]
fn a_single_recording_is_divided_by_time() {
    let text = table(&[("r", 0.0, &"aabb".repeat(50))]);
    let set = open_with(&file(&text), "r.csv", &options("4", "2", |_| ())).unwrap();
    let (train, test) = (samples(&set, &set.train), samples(&set, &set.test));
    assert!(train.iter().all(|(start, _)| start + 4 <= 160) && test.iter().all(|(start, _)| *start >= 160));
    assert_eq!(test.len(), 19);
    // Ten blocks of 16 steps, of which validation keeps each whole.
    let groups = set.groups.as_ref().expect("recordings are groups");
    let numbers = (groups.train.as_deref().map(distinct), groups.test.as_deref().map(distinct));
    assert_eq!((numbers, groups.blocks, train.len()), ((Some(10), Some(1)), 10, 10 * 7));
    assert_eq!(groups.are, GroupKind::Recordings);
    let said = said(Ok(set));
    assert!(said.contains("from step 160 (time 80) on, is the test split"), "{said}");
}

#[test]
fn targets_of_windows_may_be_numbers() {
    let mut text = "time,a,y\n".to_owned();
    (0..100).for_each(|i| text += &format!("{i},{},{}\n", (i * 7) % 11, i as f64 * 0.25));
    let targets = |o: &mut ReadOptions| o.targets = Some("y".into());
    for (rule, first) in [(WindowLabel::Majority, 0.375), (WindowLabel::End, 0.75)] {
        let options = ReadOptions { window_label: rule, ..options("4", "", targets) };
        let set = open_with(&file(&text), "r.csv", &options).unwrap();
        assert_eq!(set.task, TaskKind::Regression { outputs: 1 });
        let Targets::Values(values) = &set.train.y else { panic!("numbers") };
        assert_eq!((values.data[0], set.train.x.shape.clone()), (first, vec![20, 1, 4]));
    }
}

#[test]
fn new_recordings_are_cut_in_the_same_way() {
    let text = table(&[("r", 0.0, "aaaabbbb"), ("s", 0.0, "bbbbaaaa"), ("t", 0.0, "aabbaabb")]);
    let set = |o: &mut ReadOptions| (o.group, o.time) = (Some("rec".into()), Some("time:s".into()));
    let set = open_with(&file(&text), "r.csv", &options("2s", "1s", set)).unwrap();
    let reading = set.reading.of_model(&set.read_as);
    assert_eq!((reading.window, reading.stride, reading.rate), (Some(Span::Steps(4)), Some(Span::Steps(2)), Some(2.0)));
    // A card keeps them as text.
    let reading: ReadOptions = serde_json::from_str(&serde_json::to_string(&reading).unwrap()).unwrap();
    let new = "b,rec,a,time\n1,x,10,5\n2,x,11,5.5\n3,x,12,6\n4,x,13,6.5\n5,x,14,7\n9,y,20,0\n9,y,21,0.5\n9,y,22,1\n9,y,23,1.5\n";
    let found = open_inputs(&file(new).path().join("r.csv"), &reading).unwrap();
    assert_eq!(found.x.shape, [2, 2, 4]);
    assert_eq!(found.x.row(1), [20.0, 21.0, 22.0, 23.0, 9.0, 9.0, 9.0, 9.0]);
    let windows = found.windows.unwrap();
    let place = |recording| Place { recording, start: 0, end: 4 };
    assert_eq!(windows.splits, [vec![place(0), place(1)]]);
    let named: Vec<(&str, usize)> = windows.recordings.iter().map(|r| (r.name.as_str(), r.steps)).collect();
    assert_eq!(named, [("x", 5), ("y", 4)]);
    assert_eq!(windows.recordings[1].times, Some(Times::Numbers(vec![0.0, 0.5, 1.0, 1.5])));
    assert_eq!(windows.recordings[1].rows, Some(vec![5, 6, 7, 8]));
    // At another rate, without its group, without its times.
    let slow = (0..8).map(|i| format!("{i},{i},x,{}\n", 2 * i)).collect::<String>();
    let slow = format!("a,b,rec,time\n{slow}");
    let error = open_inputs(&file(&slow).path().join("r.csv"), &reading).unwrap_err();
    assert!(error.to_string().contains("steps a second, but the recordings of the training data have 2"), "{error}");
    let alone = "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n";
    let found = open_inputs(&file(alone).path().join("r.csv"), &reading).unwrap();
    assert_eq!((found.x.rows(), found.windows.unwrap().recordings.len()), (2, 1));
    let warnings = found.origin.warnings.join("; ");
    assert!(
        warnings.contains("`rec`, which tells recordings apart") && warnings.contains("`time` of times"),
        "{warnings}"
    );
}

#[test]
fn durations_need_times_whose_unit_is_known() {
    let tens: fn(i64) -> String = |i| (i * 20).to_string();
    let unix: fn(i64) -> String = |i| (1_700_000_000_000 + i * 20).to_string();
    let dates: fn(i64) -> String = |i| format!("2024-01-31T10:00:{:02}.{:02}", i / 50, i % 50 * 2);
    type Case = (&'static str, fn(i64) -> String, Option<&'static str>, Result<&'static str, &'static [&'static str]>);
    let cases: [Case; 11] = [
        ("t_ms", tens, None, Ok("milliseconds")),
        ("Time (ms)", tens, Some("0"), Ok("milliseconds")),
        ("t", tens, Some("t:ms"), Ok("milliseconds")),
        ("t", tens, Some("0:msec"), Ok("milliseconds")),
        ("t:ms", tens, Some("t:ms"), Ok("milliseconds")),
        ("clock", unix, Some("clock"), Ok("Unix times in milliseconds")),
        ("timestamp", unix, None, Ok("Unix times in milliseconds")),
        ("time_s", unix, None, Ok("Unix times in milliseconds")),
        ("when", dates, Some("when"), Ok("")),
        ("when", dates, Some("when:ms"), Err(&["`when` holds dates"])),
        ("t", tens, None, Err(&["unit of the times in column `t` is not known", "from 0 to 780", "`t:ms`"])),
    ];
    for (name, time, asked, expected) in cases {
        let row =
            |i: i64| format!("{},{}.5,r{},{}\n", time(i % 40), i * 7 % 11, i / 40, ["u", "v"][i as usize / 5 % 2]);
        let text = format!("{name},a,rec,label\n") + &(0..160).map(row).collect::<String>();
        let set = |o: &mut ReadOptions| (o.group, o.time) = (Some("rec".into()), asked.map(Into::into));
        let result = open_with(&file(&text), "r.csv", &options("0.2s", "100ms", set));
        match (&result, expected) {
            (Ok(set), Ok(unit)) => {
                assert_eq!(set.train.x.shape[1..], [1, 10], "{name} {asked:?}");
                let account = set.origin.columns.iter().find(|column| column.name == name).unwrap();
                assert!(account.reason.contains(unit), "{name}: {}", account.reason);
            }
            (Err(_), Err(_)) => {}
            _ => panic!("{name} {asked:?}: {}", said(result)),
        }
        let said = said(result);
        expected.err().into_iter().flatten().for_each(|word| assert!(said.contains(word), "{name}: `{said}`"));
    }
    // In time steps, the unit need not be known.
    let said =
        said(open_with(&file(&table(&[("r", 0.0, &"aaaabbbb".repeat(10))])), "r.csv", &options("4", "", |_| ())));
    assert!(said.contains("the unit of the times in column `time` is not known"), "{said}");
}

/// Three subjects of two sessions each, of 16 steps, in each of which the clock begins anew; `a` counts the steps of all.
fn sessions() -> String {
    let row =
        |i: usize| format!("{i}.25,{},{},s{},{},{}\n", i % 16, i * 7 % 5, i / 32, i / 16 % 2, ["u", "v"][i / 4 % 2]);
    "a,time,b,subject,session,label\n".to_owned() + &(0..96).map(row).collect::<String>()
}

#[test]
fn recordings_are_told_apart_by_several_columns() {
    // The group, the recording, the time, and what is said; how many recordings and units there are, of so many steps.
    type Case =
        (&'static str, Option<&'static str>, Option<&'static str>, &'static [&'static str], Option<(usize, usize)>);
    let cases: [Case; 7] = [
        (
            "subject,session",
            None,
            Some("time"),
            &["rows with equal values in `subject` and `session`", "`data.recording`"],
            Some((6, 16)),
        ),
        ("s*", None, None, &["6 recordings of 96"], Some((6, 16))),
        ("subject", Some("session"), Some("time"), &["6 recordings of 96"], Some((6, 32))),
        ("subject", Some("session"), None, &["6 recordings of 96"], Some((6, 32))),
        (
            "subject",
            None,
            None,
            &["column `session` stays the same for 16 rows", "set `data.recording`"],
            Some((3, 32)),
        ),
        (
            "subject",
            None,
            Some("time"),
            &["falls back", "name the column that tells recordings apart with `data.recording`"],
            None,
        ),
        ("subject", Some("subject"), None, &["cannot be both group and recording"], None),
    ];
    for (group, recording, time, words, found) in cases {
        let options = options("4", "", |o| {
            (o.group, o.recording, o.time) = (Some(group.into()), recording.map(Into::into), time.map(Into::into));
            o.ignore = time.is_none().then(|| "time".into());
        });
        let result = open_with(&file(&sessions()), "r.csv", &options);
        assert_eq!(result.is_ok(), found.is_some(), "{group} {recording:?}");
        if let (Ok(set), Some((recordings, unit))) = (&result, found) {
            let all = format!("{recordings} recordings of 96 time steps");
            assert!(set.origin.notes.iter().any(|note| note.contains(&all)), "{group} {recording:?}");
            let units =
                |split| samples(set, split).iter().map(|s| s.0 / unit).collect::<std::collections::BTreeSet<_>>();
            let (train, test) = (units(&set.train), units(&set.test));
            assert!(train.is_disjoint(&test) && train.len() + test.len() == 96 / unit, "{group}: {train:?} {test:?}");
            // The summary counts what is held out, and names it.
            let summary = set.summary();
            let [trained, tested] = summary.recordings.expect("windows of groups");
            assert_eq!((trained.number + tested.number, tested.names.len()), (recordings, tested.number), "{group}");
            assert_eq!(summary.test_groups.map(|groups| groups.number), Some(test.len()), "{group}");
        }
        let said = said(result);
        words.iter().for_each(|word| assert!(said.contains(word), "{group}: `{said}` does not say `{word}`"));
    }
    let without = ReadOptions { recording: Some("session".into()), ..Default::default() };
    let said = said(open_with(&file(&sessions()), "r.csv", &without));
    assert!(said.contains("`data.recording` is set, but `data.window` is not"), "{said}");
}

#[test]
fn new_recordings_are_told_apart_by_the_same_columns() {
    let set = |o: &mut ReadOptions| (o.group, o.recording) = (Some("subject".into()), Some("session".into()));
    let set = open_with(&file(&sessions()), "r.csv", &options("4", "", set)).unwrap();
    let reading = set.reading.of_model(&set.read_as);
    let names = |text: &str| {
        let found = open_inputs(&file(text).path().join("r.csv"), &reading).unwrap();
        let names: Vec<String> = found.windows.unwrap().recordings.into_iter().map(|r| r.name).collect();
        (names.join(" "), found.origin.warnings.join("; "))
    };
    let row = |i: usize| format!("{},{},{},x,{}\n", i * 3 % 8, i % 8, i % 3, i / 8);
    let new = "a,time,b,subject,session\n".to_owned() + &(0..16).map(row).collect::<String>();
    assert_eq!(names(&new), ("x/0 x/1".into(), String::new()));
    let (found, warnings) = names(&new.replace("subject", "person"));
    assert_eq!(found, "0 1");
    assert!(warnings.contains("no column `subject`") && warnings.contains("`session` alone"), "{warnings}");
}

#[test]
fn parts_and_files_of_splits_are_recordings() {
    let [a, b, c] = ["aaaabbbb", "bbbbaaaa", "abababab"].map(|labels| table(&[("r", 0.0, labels)]));
    let parts = folder(&[("p/1.csv", a.as_bytes()), ("p/2.csv", b.as_bytes()), ("p/3.csv", c.as_bytes())]);
    let ignore = |o: &mut ReadOptions| o.ignore = Some("rec".into());
    let set = open_with(&parts, "p", &options("4", "", ignore)).unwrap();
    assert_eq!((set.train.len() + set.test.len(), set.groups.and_then(|g| Some(g.train?.len()))), (6, Some(4)));
    let given = folder(&[("x_train.csv", a.as_bytes()), ("x_test.csv", c.as_bytes())]);
    let set = open_with(&given, "x_train.csv", &options("4", "2", ignore)).unwrap();
    assert_eq!((samples(&set, &set.train).len(), set.test.len()), (2, 3));
}

#[test]
fn folders_of_sound_are_cut_into_samples() {
    let names = ["a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"];
    let sound: Vec<Vec<u8>> = (0..4).map(|k| wav(8000, 1000, 100.0 * f64::from(k + 1))).collect();
    let files: Vec<(&str, &[u8])> = names.iter().zip(&sound).map(|(name, bytes)| (*name, &bytes[..])).collect();
    let files = folder(&files);
    let rate = |o: &mut ReadOptions| o.audio_rate = 8000;
    let set = open_with(&files, ".", &options("50ms", "200", rate)).unwrap();
    assert_eq!((set.train.x.shape.clone(), set.test.len()), (vec![8, 1, 400], 8), "a recording of each class");
    let wave = |k: usize, i: usize| (std::f64::consts::TAU * 100.0 * k as f64 * i as f64 / 8000.0).sin() * 20_000.0;
    let first = set.train.x.row(0);
    let is = |k: usize| (0..400).all(|i| (f64::from(first[i]) * 32_768.0 - wave(k, i)).abs() < 1.5);
    assert!((1..=4).any(is), "{first:?}");
    let found = open_inputs(files.path(), &set.reading.of_model(&set.read_as)).unwrap();
    let windows = found.windows.unwrap();
    assert_eq!((windows.recordings.len(), windows.splits[0].len()), (4, 16));
    assert_eq!(windows.recordings[0].times, Some(Times::Rate(8000.0)));
}

#[test]
fn annotations_label_records_that_have_no_other_label() {
    let header = |name: &str| format!("{name} 1 100 400\n{name}.dat 16 200(0)/mV 16 0 0 0 0 lead\n").into_bytes();
    let signal: Vec<u8> = (0..400i16).flat_map(i16::to_le_bytes).collect();
    // Rhythm N from the beginning, AFIB from sample 200 on.
    let rhythm = |code: u16, at: u16, text: &str| {
        let mut out = (code << 10 | at).to_le_bytes().to_vec();
        out.extend((63u16 << 10 | text.len() as u16).to_le_bytes());
        out.extend(text.as_bytes());
        out.extend(vec![0; text.len() % 2]);
        out
    };
    let atr = [rhythm(28, 0, "(N"), rhythm(28, 200, "(AFIB"), vec![0, 0]].concat();
    let all: Vec<(String, Vec<u8>)> = ["r1", "r2", "r3"]
        .iter()
        .flat_map(|n| {
            [(format!("{n}.hea"), header(n)), (format!("{n}.dat"), signal.clone()), (format!("{n}.atr"), atr.clone())]
        })
        .collect();
    let files: Vec<(&str, &[u8])> = all.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let files = folder(&files);
    let set = open_with(&files, ".", &options("1s", "", |_| ())).unwrap();
    assert_eq!(set.classes.as_deref(), Some(&["AFIB".to_owned(), "N".to_owned()][..]));
    assert_eq!((set.train.len(), set.test.len()), (8, 4));
    let classes: Vec<String> = samples(&set, &set.test).into_iter().map(|s| s.1).collect();
    assert_eq!(classes, ["N", "N", "AFIB", "AFIB"]);
    let without = said(open_with(&files, ".", &ReadOptions::default()));
    assert!(
        without.contains("3 records have annotations of time steps") && without.contains("data.window"),
        "{without}"
    );
    let (fourth, table) = (header("r4"), b"r1,x\nr2,y\nr3,x\nr4,y\n");
    let mut files: Vec<(&str, &[u8])> = all.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    files.extend([("r4.hea", &fourth[..]), ("r4.dat", &signal[..]), ("REFERENCE.csv", &table[..])]);
    let unused = said(open_with(&folder(&files), ".", &ReadOptions::default()));
    assert!(unused.contains("3 records have annotations") && unused.contains("not used without"), "{unused}");
}
