//! Weights, times and places of samples, and the divisions that they lead to.

use crate::split::{folds, split_by_time};
use crate::tests::readers::{folder, open_with};
use crate::tests::*;
use dashnas_formats::account::ColumnRole;
use dashnas_formats::options::SplitBy;
use dashnas_formats::sample_facts::{Counting, Places};

/// A table of 40 rows of three inputs, more columns before the label, and a label.
fn table(names: &str, more: impl Fn(usize) -> String) -> String {
    let row =
        |i: usize| format!("{}.5,{}.25,{},{},{}\n", i * 7 % 40, i * i % 37, i % 9, more(i), ["x", "y"][i / 2 % 2]);
    format!("a,b,c,{names},label\n") + &(0..40).map(row).collect::<String>()
}

fn options(set: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions::default();
    set(&mut options);
    options
}

fn refused(files: &tempfile::TempDir, name: &str, options: &ReadOptions, words: &[&str]) {
    let error = open_with(files, name, options).expect_err("it is refused");
    let text = format!("{error} / {}", error.hint().unwrap_or_default());
    words.iter().for_each(|word| assert!(text.contains(word), "`{text}` does not say `{word}`"));
}

/// The numbers of rows of the samples of a split.
fn rows(places: &Option<Places>) -> Vec<u64> {
    match places {
        Some(Places::Numbers { at, .. }) => at.iter().map(|place| place.1).collect(),
        places => panic!("{places:?}"),
    }
}

#[test]
fn weights_are_read_with_their_samples_and_bad_ones_refused_by_row() {
    let weight = |i: usize| if i % 10 == 3 { "0".to_owned() } else { format!("{}", i + 1) };
    for (name, options) in [("sample_weight", options(|_| ())), ("w", options(|o| o.weight = Some("w".into())))] {
        let files = folder(&[("t.csv", table(name, weight).as_bytes())]);
        let set = open_with(&files, "t.csv", &options).unwrap();
        assert_eq!(set.train.len() + set.test.len(), 36, "samples of weight 0 are left out");
        for (facts, split) in [(&set.facts.train, &set.train), (&set.facts.test, &set.test)] {
            let of_rows: Vec<f32> = rows(&facts.places).iter().map(|&row| row as f32).collect();
            assert_eq!(facts.weights.as_deref(), Some(&of_rows[..]));
            // The first input tells the row.
            let first = |row: f32| ((row as usize - 1) * 7 % 40) as f32 + 0.5;
            assert!((0..split.len()).all(|i| split.x.row(i)[0] == first(of_rows[i])));
        }
        let said = set.inspect().unwrap().to_string();
        assert!(said.contains("weights from 1 to 40") && said.contains("4 samples of weight 0"), "{said}");
        assert!(set.origin.columns.iter().any(|c| c.role == ColumnRole::Weight && c.name == name));
        assert!(set.origin.warnings.is_empty(), "{:?}", set.origin.warnings);
    }
    let bad = [
        ("-1", "t.csv:7: column sample_weight", "negative"),
        ("", "t.csv:7: column sample_weight", "missing"),
        ("NaN", "t.csv:7: column sample_weight", "missing"),
    ];
    for (text, place, reason) in bad {
        let weight = |i: usize| if i == 5 { text.to_owned() } else { "1".into() };
        let files = folder(&[("t.csv", table("sample_weight", weight).as_bytes())]);
        refused(&files, "t.csv", &options(|_| ()), &[place, reason]);
    }
    let zero = folder(&[("t.csv", table("sample_weight", |_| "0".into()).as_bytes())]);
    refused(&zero, "t.csv", &options(|_| ()), &["all samples are 0"]);
    let text = |i: usize| if i == 5 { "heavy".to_owned() } else { "1".into() };
    let text = folder(&[("t.csv", table("w", text).as_bytes())]);
    refused(&text, "t.csv", &options(|o| o.weight = Some("w".into())), &["t.csv:7", "`heavy` is not a number"]);
    refused(&text, "t.csv", &options(|o| o.weight = Some("v".into())), &["no weight column `v`"]);
}

#[test]
fn weights_beside_files_and_in_other_formats() {
    let image = |v: u8| [b"P5 2 2 255\n".to_vec(), vec![v, 1, 2, 3]].concat();
    let names: Vec<String> = (0..20).map(|i| format!("i{i}.pgm")).collect();
    let images: Vec<Vec<u8>> = (0..20).map(|i| image(i as u8 * 10)).collect();
    let row = |i: usize| format!("i{i}.pgm,{},{}\n", ["x", "y"][i % 2], i + 1);
    let labels = format!("file,label,sample_weight\n{}", (0..20).map(row).collect::<String>());
    let mut all: Vec<(&str, &[u8])> = names.iter().zip(&images).map(|(n, i)| (&n[..], &i[..])).collect();
    all.push(("labels.csv", labels.as_bytes()));
    let files = folder(&all);
    let set = open_with(&files, ".", &options(|_| ())).unwrap();
    let Some(Places::Names(test)) = &set.facts.test.places else { panic!("{:?}", set.facts.test.places) };
    let weights = set.facts.test.weights.as_deref().unwrap();
    assert!(!test.is_empty());
    for (name, &weight) in test.iter().zip(weights) {
        assert_eq!(*name, format!("i{}.pgm", weight as usize - 1));
    }
    // What has no weights cannot be asked for them.
    let ts = "@problemName t\n@classLabel true a b\n@data\n1,2,3:a\n2,3,4:b\n3,4,5:a\n4,5,6:b\n";
    let files = folder(&[("t.ts", ts.as_bytes())]);
    refused(
        &files,
        "t.ts",
        &options(|o| o.weight = Some("w".into())),
        &["`data.weight` is `w`", "no names in this format"],
    );
    refused(&files, "t.ts", &options(|o| o.split_by = SplitBy::Time), &["their times are not known"]);
    let set = open_with(&files, "t.ts", &options(|_| ())).unwrap();
    let all = [rows(&set.facts.train.places), rows(&set.facts.test.places)].concat();
    assert_eq!(std::collections::BTreeSet::from_iter(all), (1..=4).collect());
}

#[test]
fn arrays_have_weights_and_indices() {
    let npy = |descr: &str, shape: &str, data: &[u8]| {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    };
    let floats = |values: Vec<f32>| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let x = npy("<f4", "(20, 1, 4)", &floats((0..80).map(|v| v as f32).collect()));
    let y = npy("<i4", "(20,)", &(0..20).flat_map(|i: i32| (i % 2).to_le_bytes()).collect::<Vec<u8>>());
    let weights = |bad: f32| npy("<f4", "(20, 1)", &floats((0..20).map(|i| if i == 7 { bad } else { 1.0 }).collect()));
    let files = |w: &[u8]| folder(&[("x.npy", &x), ("y.npy", &y), ("sample_weight.npy", w)]);
    let good = files(&weights(5.0));
    let set = open_with(&good, ".", &options(|_| ())).unwrap();
    let Some(Places::Numbers { sources, counting, .. }) = &set.facts.test.places else { panic!("numbers") };
    assert_eq!((sources[0].array.as_deref(), *counting), (Some("x"), Counting::Indices));
    for facts in [&set.facts.train, &set.facts.test] {
        for (&i, &w) in rows(&facts.places).iter().zip(facts.weights.as_deref().unwrap()) {
            assert_eq!(w, if i == 7 { 5.0 } else { 1.0 });
        }
    }
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        refused(&files(&weights(bad)), ".", &options(|_| ()), &["sample 7", "weights are finite"]);
    }
    let short = npy("<f4", "(19,)", &floats(vec![1.0; 19]));
    refused(&files(&short), ".", &options(|_| ()), &["weight_all", "19"]);
    let matrix = npy("<f4", "(20, 2)", &floats(vec![1.0; 40]));
    refused(&files(&matrix), ".", &options(|_| ()), &["sample_weight", "20×2"]);
}

#[test]
fn several_arrays_make_groups_of_their_values() {
    let n = 48;
    let (subject, session) = (|i: usize| i / 8, |i: usize| i / 4 % 2);
    let ints = |name: &'static str, of: &dyn Fn(usize) -> usize| {
        i32s(name, &[n], &(0..n).map(|i| of(i) as i32).collect::<Vec<_>>())
    };
    let words = (0..n).flat_map(|i| [b's', b'0' + session(i) as u8]).collect();
    let entries = [
        ramp("x", &[n, 1, 4]),
        ints("y", &|i| i % 2),
        ints("who", &subject),
        entry("session", "|S2", &[n], words),
        ints("a,b", &subject),
    ];
    let npy: Vec<(String, Vec<u8>)> = entries.iter().map(|e| (format!("folder/{}.npy", e.name), npy(e))).collect();
    let doubles = |of: &dyn Fn(usize) -> usize| (0..n).map(|i| of(i) as f64).collect::<Vec<_>>();
    let mat = crate::tests::matlab::file(&[
        crate::tests::readers::matrix("x", &[n as i32, 4], &(0..n * 4).map(|v| v as f64).collect::<Vec<_>>()),
        crate::tests::readers::matrix("y", &[n as i32, 1], &doubles(&|i| i % 2)),
        crate::tests::readers::matrix("who", &[n as i32, 1], &doubles(&subject)),
        crate::tests::readers::matrix("session", &[n as i32, 1], &doubles(&session)),
    ]);
    let mut files: Vec<(&str, Vec<u8>)> = vec![("s.npz", archive(&entries)), ("s.mat", mat)];
    files.extend(npy.iter().map(|(name, bytes)| (&name[..], bytes.clone())));
    let files = folder(&files.iter().map(|(name, bytes)| (*name, &bytes[..])).collect::<Vec<_>>());
    // The groups that are asked for, and the number of groups.
    let cases: [(&str, &str, usize); 6] = [
        ("s.npz", "who", 6),
        ("s.npz", "who, session", 12),
        ("s.mat", "session,who", 12),
        ("folder", "who,session", 12),
        // A name may hold a comma.
        ("s.npz", "a,b", 6),
        ("s.npz", "Who,Session", 12),
    ];
    for (name, group, count) in cases {
        let set = open_with(&files, name, &options(|o| o.group = Some(group.into()))).unwrap();
        let id = |row: u64| (subject(row as usize), if count == 12 { session(row as usize) } else { 0 });
        let of = |facts| rows(facts).into_iter().map(id).collect::<std::collections::BTreeSet<_>>();
        let (train, test) = (of(&set.facts.train.places), of(&set.facts.test.places));
        assert!(train.is_disjoint(&test) && train.len() + test.len() == count, "{name}, {group}: {train:?} {test:?}");
        let notes = set.origin.notes.join("; ");
        assert_eq!(notes.contains("are one group; samples that share one of them only"), count == 12, "{notes}");
        let as_group = set.origin.columns.iter().filter(|column| column.role == ColumnRole::Group).count();
        assert_eq!(as_group, if count == 12 { 2 } else { 1 }, "{:?}", set.origin.columns);
    }
    refused(
        &files,
        "s.npz",
        &options(|o| o.group = Some("who,nowhere".into())),
        &["groups (an array named nowhere, as `data.group` says)"],
    );
}

#[test]
fn the_last_samples_in_time_are_the_test_split() {
    // The times are shuffled, and three samples share the one at the boundary.
    let time = |i: usize| {
        let at = i * 17 % 40;
        format!("2024-02-{:02} 10:00", if (31..34).contains(&at) { 17 } else { at / 2 + 1 })
    };
    let files = folder(&[("t.csv", table("when", time).as_bytes())]);
    let by_time = options(|o| o.split_by = SplitBy::Time);
    let set = open_with(&files, "t.csv", &by_time).unwrap();
    let day = |row: u64| time(row as usize - 1);
    let (train, test) = (rows(&set.facts.train.places), rows(&set.facts.test.places));
    let last = train.iter().map(|&row| day(row)).max().unwrap();
    assert!(test.iter().all(|&row| day(row) > last), "{last} {test:?}");
    assert!((6..=11).contains(&test.len()), "{}", test.len());
    let said = set.summary().to_string();
    assert!(said.contains("the last in time"), "{said}");
    refused(
        &files,
        "t.csv",
        &options(|o| (o.split_by, o.time) = (SplitBy::Time, Some("label".into()))),
        &["`x` is not a time"],
    );
    let plain = folder(&[("t.csv", table("d", |i| i.to_string()).as_bytes())]);
    refused(&plain, "t.csv", &by_time, &["`data.time`"]);
    let named = options(|o| (o.split_by, o.time) = (SplitBy::Time, Some("d".into())));
    assert_eq!(rows(&open_with(&plain, "t.csv", &named).unwrap().facts.test.places), (33..=40).collect::<Vec<_>>());
}

#[test]
fn what_stays_together_in_time_is_said() {
    // The day of each of 40 samples, their group, the size of the test split, and what is said.
    type Case = (fn(usize) -> usize, Option<fn(usize) -> usize>, usize, &'static [&'static str]);
    let cases: [Case; 4] = [
        (|i| i, None, 8, &["last 8 of 40 samples in time (20 %) are held out as one"]),
        (|i| i / 10, None, 10, &["as one, because samples of one time stay together"]),
        (|i| i, Some(|i| i / 10), 10, &["as one, because samples of one time and groups stay together"]),
        (|i| i, Some(|i| i % 5), 8, &["7 of the 8 test samples are not later than all training samples"]),
    ];
    for (day, group, size, words) in cases {
        let text =
            |i: usize| format!("2024-{:02}-{:02},g{}", day(i) / 28 + 1, day(i) % 28 + 1, group.map_or(0, |of| of(i)));
        let files = folder(&[("t.csv", table("when,subject", text).as_bytes())]);
        let set = |o: &mut ReadOptions| {
            (o.split_by, o.ignore) = (SplitBy::Time, group.is_none().then(|| "subject".into()));
        };
        let set = open_with(&files, "t.csv", &options(set)).unwrap();
        let notes = set.origin.notes.join("; ");
        assert_eq!(set.test.len(), size, "{notes}");
        assert_eq!(
            notes.contains("because") || notes.contains("not later"),
            words[0].contains("because") || words[0].contains("not later"),
            "{notes}"
        );
        words.iter().for_each(|word| assert!(notes.contains(word), "`{notes}` does not say `{word}`"));
    }
}

#[test]
fn times_and_groups_are_not_divided() {
    let times: Vec<f64> = (0..20).map(|i| (i / 3) as f64).collect();
    let (first, second) = split_by_time(&times, None, 0.2);
    assert_eq!((first.len(), second), (15, vec![15, 16, 17, 18, 19]));
    // Group 1 ends last, although it also has the first sample.
    let groups: Vec<u32> = (0..20).map(|i| if i == 0 || i >= 17 { 1 } else { 0 }).collect();
    assert_eq!(split_by_time(&times, Some(&groups), 0.2).1, [0, 17, 18, 19]);
    // Even a share that is too large leaves something to train on, and a small one something to test on.
    assert_eq!(split_by_time(&times, None, 0.999).0, [0, 1, 2]);
    assert_eq!(split_by_time(&times, None, 0.001).1, [18, 19]);
    assert!(split_by_time(&[1.0; 4], None, 0.5).1.is_empty());
}

#[test]
fn folds_hold_every_sample_once_and_their_share_of_every_class() {
    let strata: Vec<u32> = (0..103).map(|i| if i == 50 { 2 } else { u32::from(i % 4 == 0) }).collect();
    let of = folds(103, Some(&strata), None, 5, 3);
    assert_eq!(of, folds(103, Some(&strata), None, 5, 3));
    assert_ne!(of, folds(103, Some(&strata), None, 5, 4));
    assert_eq!(of[50], None, "the only sample of its class is always trained on");
    for fold in 0..5 {
        let members: Vec<usize> = (0..103).filter(|&i| of[i] == Some(fold)).collect();
        let ones = members.iter().filter(|&&i| strata[i] == 1).count();
        assert!((20..=21).contains(&members.len()) && (5..=6).contains(&ones), "{} {ones}", members.len());
    }
    let groups: Vec<u32> = (0..103).map(|i| (i / 7) as u32).collect();
    let of = folds(103, Some(&strata), Some(&groups), 5, 3);
    let alone = groups[50];
    for i in 0..103 {
        assert_eq!(of[i].is_none(), groups[i] == alone, "{i}");
        assert!(i == 0 || groups[i] != groups[i - 1] || of[i] == of[i - 1], "groups are whole");
    }
    let sizes: Vec<usize> = (0..5).map(|fold| of.iter().filter(|f| **f == Some(fold)).count()).collect();
    assert!(sizes.iter().all(|n| (14..=28).contains(n)), "{sizes:?}");
}

#[test]
fn each_fold_is_the_test_split_once() {
    let files = folder(&[("t.csv", table("d", |i| (i * i).to_string()).as_bytes())]);
    let mut tested = Vec::new();
    for fold in 1..=4 {
        let set = open_with(&files, "t.csv", &options(|o| (o.folds, o.fold) = (Some(4), Some(fold)))).unwrap();
        assert_eq!((set.train.len(), set.test.len()), (30, 10));
        assert!(set.summary().to_string().contains(&format!("fold {fold} of 4")));
        tested.extend(rows(&set.facts.test.places));
    }
    tested.sort_unstable();
    assert_eq!(tested, (1..=40).collect::<Vec<_>>());
    let groups = folder(&[("t.csv", table("group", |i| (i % 3).to_string()).as_bytes())]);
    refused(&groups, "t.csv", &options(|o| o.folds = Some(5)), &["3 groups", "5 folds"]);
    let split = folder(&[("t.csv", table("split", |i| ["train", "test"][i % 2].into()).as_bytes())]);
    refused(&split, "t.csv", &options(|o| o.folds = Some(5)), &["there is a test split", "`data.ignore`"]);
    let without = ["has no effect: there is a test split", "leave out"];
    refused(&split, "t.csv", &options(|o| o.test_fraction = 0.4), &without);
    refused(&split, "t.csv", &options(|o| o.split_seed = Some(1)), &without);
}
