//! Tables as people have them: files of reported cases, and more of their kinds.

use crate::groups::{GroupKind, distinct};
use crate::tests::readers::{folder, open_with};
use crate::tests::*;
use dashnas_formats::account::ColumnRole;
use std::collections::BTreeSet;
use std::path::PathBuf;

type Outcome = Result<Dataset, DataError>;

fn with(set: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions::default();
    set(&mut options);
    options
}

/// Refuses anything but an error that says all of these words, also in its hint.
fn refused(outcome: Outcome, words: &[&str]) {
    let error = match outcome {
        Ok(set) => panic!("it was read: {}", set.inspect().unwrap()),
        Err(error) => error,
    };
    let text = format!("{error} / {}", error.hint().unwrap_or_default());
    words.iter().for_each(|word| assert!(text.contains(word), "`{text}` does not say `{word}`"));
}

/// What was read: the number of inputs of a sample, of samples, and the classes.
fn read(outcome: Outcome, inputs: usize, samples: usize, classes: &[&str]) -> Dataset {
    let set = outcome.unwrap_or_else(|e| panic!("{e} / {:?}", e.hint()));
    let n: usize = [Some(&set.train), set.val.as_ref(), Some(&set.test)].iter().flatten().map(|s| s.len()).sum();
    let width: usize = set.train.x.shape[1..].iter().product();
    let said = set.inspect().unwrap().to_string();
    assert_eq!((width, n), (inputs, samples), "{said}");
    if !classes.is_empty() {
        assert_eq!(set.classes.as_deref().unwrap_or_default(), classes, "{said}");
    }
    set
}

fn warned(set: &Dataset, word: &str) {
    assert!(set.origin.warnings.iter().any(|warning| warning.contains(word)), "{word}: {:?}", set.origin.warnings);
}

fn role(set: &Dataset, name: &str) -> ColumnRole {
    set.origin.columns.iter().find(|column| column.name == name).unwrap_or_else(|| panic!("no column {name}")).role
}

const ACTIVITIES: [&str; 3] = ["running", "sitting", "walking"];

/// A case: its folder, the file, the options, and what is right.
struct Case(&'static str, &'static str, ReadOptions, fn(Outcome));

/// Cases of the text of tables.
fn cases_of_text() -> Vec<Case> {
    let plain = ReadOptions::default;
    vec![
        Case("01-csv-decimal-comma", "data.csv", plain(), |outcome| {
            let set = read(outcome, 24, 60, &ACTIVITIES);
            assert!(set.train.x.data.iter().all(|v| v.abs() < 4.0));
            assert_eq!(set.reading.decimal.as_deref(), Some(","));
        }),
        Case("03-csv-shuffled-index", "data.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            assert_eq!((set.train.x.shape[2], role(&set, "")), (24, ColumnRole::Id));
        }),
        Case("05-csv-trailing-comma", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &ACTIVITIES);
        }),
        Case("07-csv-class-none", "data.csv", plain(), |outcome| {
            warned(&read(outcome, 24, 60, &["left", "none", "right"]), "`none`");
        }),
        Case("09-csv-label-leading-zeros", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &["001", "002", "010"]);
        }),
        Case("10-csv-labels-that-are-equal-numbers", "data.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            assert_eq!(set.classes.as_deref().unwrap(), ["01", "1", "1.0", "A1"]);
            warned(&set, "differ only in their spelling");
        }),
        Case("12-csv-label-large-int", "data.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            assert_eq!(set.classes.unwrap(), ["100000001", "100000002", "100000009", "100000010"]);
        }),
        Case("14-csv-utf16", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &ACTIVITIES);
        }),
        Case("15-csv-windows-1252", "data.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            let names = set.classes.unwrap().concat();
            assert!(names.contains('’') && names.contains('€'), "{names}");
        }),
        Case("17-csv-missing-spellings", "data.csv", plain(), |outcome| refused(outcome, &["data.csv:", "missing"])),
        Case("17-csv-missing-spellings", "data.csv", with(|o| o.fill_missing = Some(Fill::Linear)), |outcome| {
            let set = read(outcome, 24, 60, &ACTIVITIES);
            assert!(set.origin.notes.iter().any(|note| note.starts_with("filled")), "{:?}", set.origin.notes);
        }),
        Case("19-csv-sep-line", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &ACTIVITIES);
        }),
        Case("20-csv-comment-lines", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &ACTIVITIES);
        }),
        Case("21-csv-integer-header", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &ACTIVITIES);
        }),
        Case("29-csv-bom-crlf-quotes", "données.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            assert_eq!(set.train.len() + set.test.len(), 60);
        }),
        Case("31-csv-duplicate-header", "data.csv", plain(), |outcome| refused(outcome, &["columns", "both named"])),
        Case("139-csv-single-quotes", "data.csv", plain(), |outcome| {
            read(outcome, 24, 60, &ACTIVITIES);
        }),
        Case("140-csv-line-of-units", "data.csv", plain(), |outcome| refused(outcome, &["data.csv:2", "units"])),
        Case("143-csv-empty-lines-and-total", "data.csv", plain(), |outcome| {
            refused(outcome, &["last row", "no sample"]);
        }),
    ]
}

/// Cases of the roles of columns.
fn cases_of_roles() -> Vec<Case> {
    let plain = ReadOptions::default;
    vec![
        Case("23-csv-bool-features", "data.csv", plain(), |outcome| {
            read(outcome, 26, 60, &ACTIVITIES);
        }),
        Case("24-csv-subject-and-activity", "data.csv", plain(), |outcome| {
            let set = read(outcome, 24, 60, &ACTIVITIES);
            assert_eq!((role(&set, "subject"), set.groups.is_some()), (ColumnRole::Group, true));
        }),
        Case("25-csv-many-classes", "data.csv", plain(), |outcome| {
            assert_eq!(outcome.unwrap().task, TaskKind::Classification { classes: 1100 });
        }),
        Case("28-csv-one-sample-class", "data.csv", plain(), |outcome| {
            warned(&read(outcome, 24, 60, &["rare", "running", "sitting", "walking"]), "`rare`");
        }),
        Case("34-csv-unix-time-column", "data.csv", plain(), |outcome| {
            let set = read(outcome, 24, 60, &ACTIVITIES);
            assert_eq!(role(&set, "timestamp"), ColumnRole::Time);
            warned(&set, "Unix times in seconds");
        }),
        Case("49-parquet-empty-row-group", "data.parquet", plain(), |outcome| {
            read(outcome, 24, 60, &[]);
        }),
        Case("52-parquet-large-int-label", "data.parquet", plain(), |outcome| {
            let names = ["9007199254740993", "9007199254740994", "9007199254740995"];
            read(outcome, 24, 60, &names);
        }),
        Case("54-parquet-bool-label", "data.parquet", plain(), |outcome| {
            read(outcome, 24, 60, &["false", "true"]);
        }),
        Case("122-csv-multilabel-columns", "data.csv", plain(), |outcome| {
            refused(outcome, &["`is_fast`, `is_loud`", "data.targets"]);
        }),
        Case(
            "122-csv-multilabel-columns",
            "data.csv",
            with(|o| o.targets = Some("is_fast,is_loud".into())),
            |outcome| {
                let set = read(outcome, 24, 60, &["is_fast", "is_loud"]);
                assert_eq!(set.task, TaskKind::MultiLabel { labels: 2 });
            },
        ),
        Case("123-csv-long-recording", "stream.csv", plain(), |outcome| {
            warned(&outcome.unwrap(), "time steps of a recording");
        }),
        Case("125-kaggle-train-test", "train.csv", plain(), |outcome| {
            let set = read(outcome, 24, 60, &[]);
            warned(&set, "test.csv has no labels");
        }),
        Case("128-csv-split-column", "data.csv", plain(), |outcome| {
            let set = read(outcome, 24, 60, &ACTIVITIES);
            assert_eq!((set.val.is_some(), set.origin.drawn, role(&set, "split")), (true, None, ColumnRole::Split));
        }),
        Case("130-csv-label-and-its-code", "two.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            assert_eq!((set.train.x.shape[2], role(&set, "label")), (24, ColumnRole::LeftOut));
        }),
        Case("130-csv-label-and-its-code", "har.csv", plain(), |outcome| {
            let set = outcome.unwrap();
            assert_eq!((set.train.x.shape[2], role(&set, "activity_id")), (24, ColumnRole::LeftOut));
            warned(&set, "`activity_id`");
        }),
    ]
}

fn case_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/cases")
}

/// Runs all checks and says which failed, all at once.
fn all<T>(cases: impl IntoIterator<Item = T>, name: impl Fn(&T) -> String, check: impl Fn(T)) {
    let mut failed = Vec::new();
    for case in cases {
        let name = name(&case);
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(case))).is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "wrong: {failed:#?}");
}

#[test]
fn reported_cases_come_out_right() {
    all(
        cases_of_text().into_iter().chain(cases_of_roles()),
        |Case(folder, file, options, _)| format!("{folder}/{file} {:?} {:?}", options.targets, options.fill_missing),
        |Case(folder, file, options, right)| right(open(&case_folder().join(folder).join(file), &options)),
    );
}

#[test]
fn new_data_goes_by_the_names_of_its_columns() {
    let folder = case_folder().join("116-predict-other-columns");
    let set = open(&folder.join("train.csv"), &ReadOptions::default()).unwrap();
    let reading = set.reading.of_model(&set.read_as);
    let [new, shuffled] = ["new.csv", "shuffled.csv"].map(|name| open_inputs(&folder.join(name), &reading).unwrap().x);
    assert_eq!(new, shuffled);
    assert_eq!(new.shape, [60, 1, 24]);
}

/// A table of 40 rows: measurements `a` to `d`, more columns, and the label.
fn rows(names: &str, more: impl Fn(usize) -> String) -> String {
    let value = |i: usize, c: usize| ((i * 7919 + c * 104_729 + i * i * (31 + c)) % 2003) as f64 / 100.0 - 10.0;
    let row = |i: usize| {
        let values: Vec<String> = (0..4).map(|c| value(i, c).to_string()).collect();
        format!("{},{}\n", values.join(","), more(i))
    };
    format!("a,b,c,d,{names}\n") + &(0..40).map(row).collect::<String>()
}

#[test]
fn more_columns_that_are_no_inputs() {
    let shuffled = |i: usize| i * 17 % 40;
    let label = |i: usize| ["x", "y", "z"][i % 3];
    let cases: Vec<(&str, String, usize, ColumnRole)> = vec![
        ("Unnamed: 0", rows("Unnamed: 0,label", |i| format!("{},{}", shuffled(i), label(i))), 4, ColumnRole::Id),
        ("id", rows("id,label", |i| format!("{},{}", 1000 + shuffled(i) * 7, label(i))), 4, ColumnRole::Id),
        ("sample_id", rows("sample_id,label", |i| format!("s{i},{}", label(i))), 4, ColumnRole::Id),
        ("trial_id", rows("trial_id,label", |i| format!("{},{}", 90 - i, label(i))), 4, ColumnRole::Id),
        ("date", rows("date,label", |i| format!("2024-01-{:02},{}", i % 28 + 1, label(i))), 4, ColumnRole::Time),
        ("when", rows("when,label", |i| format!("{}.5,{}", 1_600_000_000 + i, label(i))), 4, ColumnRole::Time),
        (
            "t_ms",
            rows("t_ms,label", |i| format!("{},{}", 1_600_000_000_000u64 + i as u64, label(i))),
            4,
            ColumnRole::Time,
        ),
        ("time", rows("time,label", |i| format!("{},{}", i as f64 * 0.02, label(i))), 4, ColumnRole::Time),
        ("code", rows("code,label", |i| format!("{},{}", 7 - i % 3, label(i))), 4, ColumnRole::LeftOut),
        ("code", rows("code,label", |i| format!("{},{}", (i % 3) as f64 / 4.0, label(i))), 4, ColumnRole::LeftOut),
        (
            "code",
            rows("code,label", |i| format!("{},{}", 4_000_000_000u64 + i as u64 % 3, label(i))),
            4,
            ColumnRole::LeftOut,
        ),
        ("patient_id", rows("patient_id,label", |i| format!("{},{}", i / 4, label(i))), 4, ColumnRole::Group),
        ("Subject ID", rows("Subject ID,label", |i| format!("{},{}", i / 4, label(i))), 4, ColumnRole::Group),
        (
            "sample_weight",
            rows("sample_weight,label", |i| format!("{},{}", i % 2 + 1, label(i))),
            4,
            ColumnRole::Weight,
        ),
        ("empty", rows("empty,label", |i| format!(",{}", label(i))), 4, ColumnRole::LeftOut),
        ("note", rows("note,label", |i| format!("\"n, {i}\",{}", label(i))), 4, ColumnRole::LeftOut),
        ("on", rows("on,label", |i| format!("{},{}", i % 7 == 0, label(i))), 5, ColumnRole::Input),
        ("e", rows("e,label", |i| format!("{},{}", i % 5, label(i))), 5, ColumnRole::Input),
    ];
    all(
        cases,
        |(name, text, ..)| format!("{name}: {}", text.lines().nth(2).unwrap_or("")),
        |(name, text, inputs, expected)| {
            let files = folder(&[("t.csv", text.as_bytes())]);
            let set = read(open_with(&files, "t.csv", &ReadOptions::default()), inputs, 40, &["x", "y", "z"]);
            assert_eq!(role(&set, name), expected, "{}", set.inspect().unwrap());
            let silent =
                ["note", "on", "e", "patient_id", "Subject ID", "id", "Unnamed: 0", "sample_id", "sample_weight"];
            assert!(silent.contains(&name) || !set.origin.warnings.is_empty());
        },
    );
}

#[test]
fn more_spellings_of_tables() {
    let label = |i: usize| ["x", "y"][i % 2];
    let base = rows("label", |i| label(i).into());
    let comma = base.replace(',', ";").replace('.', ",");
    let read_as = |text: &str| text.as_bytes().to_vec();
    let utf16: Vec<u8> = [0xfe, 0xff].into_iter().chain(base.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    let lines = |f: fn(&str) -> String| base.lines().map(f).collect::<Vec<_>>().join("\n");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("plain.csv", read_as(&base)),
        ("comma.csv", read_as(&comma)),
        ("tabs.tsv", read_as(&base.replace(',', "\t"))),
        ("bars.txt", read_as(&base.replace(',', "|"))),
        ("old_mac.csv", read_as(&base.replace('\n', "\r"))),
        ("windows.csv", read_as(&base.replace('\n', "\r\n"))),
        ("utf16.csv", utf16.clone()),
        ("utf16.txt", utf16),
        ("comments.csv", read_as(&format!("# made by x\n#\n\n{base}"))),
        ("commented_header.csv", read_as(&format!("#{base}"))),
        ("trailing.csv", read_as(&lines(|line| format!("{line},")))),
        (
            "trailing_rows.csv",
            read_as(&lines(|line| if line.starts_with('a') { line.into() } else { format!("{line},") })),
        ),
        (
            "row_names.csv",
            read_as(&lines(|line| if line.starts_with('a') { line.into() } else { format!("r,{line}") })),
        ),
        (
            "quoted.csv",
            read_as(&lines(|line| line.split(',').map(|f| format!("\"{f}\"")).collect::<Vec<_>>().join(","))),
        ),
        ("single.csv", read_as(&lines(|line| line.split(',').map(|f| format!("'{f}'")).collect::<Vec<_>>().join(",")))),
        ("spaced.csv", read_as(&base.replace(',', ", "))),
        ("blank.csv", read_as(&base.replace("\na", "\n\n\na").replacen("x\n", "x\n\n,,,,\n", 1))),
        ("empty_end.csv", read_as(&format!("{base},,,,\n,,,,\n"))),
    ];
    let plain = folder(&[("t.csv", base.as_bytes())]);
    let expected = read(open_with(&plain, "t.csv", &ReadOptions::default()), 4, 40, &["x", "y"]);
    all(
        files,
        |(name, _)| (*name).to_owned(),
        |(name, bytes)| {
            let files = folder(&[(name, &bytes[..])]);
            let set = read(open_with(&files, name, &ReadOptions::default()), 4, 40, &["x", "y"]);
            assert_eq!((set.train.x, set.train.y), (expected.train.x.clone(), expected.train.y.clone()));
        },
    );
}

#[test]
fn more_tables_that_are_refused() {
    let label = |i: usize| ["x", "y"][i % 2];
    let base = rows("label", |i| label(i).into());
    let after_header = |line: &str| base.replacen('\n', &format!("\n{line}\n"), 1);
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("units", after_header("mV,mV,s,kg,-"), &["t.csv:2", "units"]),
        ("units in brackets", after_header("[V],[V],[s],[kg],"), &["t.csv:2", "units"]),
        ("total", base.clone() + "Total,,,,\n", &["t.csv:42", "no sample"]),
        ("sum", base.clone() + "1,2,3,4,Sum\n", &["t.csv:42", "`Sum`"]),
        ("footer", base.clone() + "Source: the laboratory\n", &["t.csv:42", "1 field", "5"]),
        ("misspelled", base.replacen("\n-10", "\n1o", 1), &["t.csv:2: column a", "`1o`"]),
        ("missing", base.replacen("\n-10,", "\n,", 1), &["t.csv:2: column a", "missing"]),
        ("missing label", base.replacen(",x\n", ",NA\n", 1), &["t.csv:2: column label", "`NA`", "class"]),
        (
            "mixed",
            base.replace("a,b", "\"a\",b").replace(",x\n", ",\"1,5\"\n").replace(",y\n", ",\"1,234.5\"\n"),
            &["decimal"],
        ),
        (
            "unclear",
            rows("e,label", |i| format!("\"{},{:03}\",{}", i % 9 + 1, i * 7, label(i))),
            &["`e`", "data.decimal"],
        ),
        (
            "two labels",
            rows("class,target", |i| format!("{},{}", label(i), i % 5)),
            &["`class` and `target`", "data.targets"],
        ),
    ];
    all(
        cases,
        |(name, ..)| (*name).to_owned(),
        |(_, text, words)| {
            let files = folder(&[("t.csv", text.as_bytes())]);
            refused(open_with(&files, "t.csv", &ReadOptions::default()), words);
        },
    );
}

#[test]
fn every_role_can_be_set() {
    let text =
        rows("u,v,w,kind,other", |i| format!("{},{},{},k{},{}", i % 7, i / 10, ["tr", "test"][i / 30], i % 2, i % 4));
    let files = folder(&[("t.csv", text.as_bytes())]);
    let options = with(|o| {
        o.inputs = Some("[x], a, ?".replace("[x], ", ""));
        o.targets = Some("kind".into());
        o.group = Some("v".into());
        o.split = Some("w".into());
        o.ignore = Some("o*".into());
    });
    let set = read(open_with(&files, "t.csv", &options), 5, 40, &["k0", "k1"]);
    assert_eq!((set.train.len(), set.test.len(), set.origin.drawn), (30, 10, None));
    assert_eq!(
        ["u", "v", "other"].map(|name| role(&set, name)),
        [ColumnRole::Input, ColumnRole::Group, ColumnRole::LeftOut]
    );
    // Numbers together.
    let options = with(|o| {
        (o.targets, o.ignore) = (Some("d,u".into()), Some("v,w,kind,other".into()));
    });
    let set = open_with(&files, "t.csv", &options).unwrap();
    assert_eq!((set.task, set.reading.targets.as_deref()), (TaskKind::Regression { outputs: 2 }, Some("d,u")));
    for (key, wrong) in [("inputs", "zz"), ("ignore", "zz*"), ("split", "kind"), ("group", "a,zz")] {
        let options = with(|o| {
            o.targets = Some("kind".into());
            *match key {
                "inputs" => &mut o.inputs,
                "ignore" => &mut o.ignore,
                "split" => &mut o.split,
                _ => &mut o.group,
            } = Some(wrong.into());
        });
        let outcome = open_with(
            &files,
            "t.csv",
            &if key == "split" {
                with(|o| (o.split, o.targets) = (Some("kind".into()), Some("other".into())))
            } else {
                options
            },
        );
        assert!(outcome.is_err(), "{key}");
    }
}

#[test]
fn several_columns_make_groups_of_their_values() {
    // Pairs of a person and a day, each of five rows; inputs `a` number the rows.
    let row = |i: usize| format!("{i}.5,{},p{},{},{}\n", i * 7 % 5, i / 20, i / 5 % 4, ["x", "y"][i % 2]);
    let text = "a,b,person_name,day,label\n".to_owned() + &(0..80).map(row).collect::<String>();
    let files = folder(&[("t.csv", text.as_bytes())]);
    for (group, size) in [("person_name,day", 5), ("day,person_name", 5), ("p*, d?y", 5), ("person_name", 20)] {
        let options = with(|o| (o.group, o.ignore) = (Some(group.into()), (size == 20).then(|| "day".into())));
        let set = read(open_with(&files, "t.csv", &options), 2, 80, &["x", "y"]);
        let units =
            |split: &Split| (0..split.len()).map(|i| split.x.row(i)[0] as usize / size).collect::<BTreeSet<_>>();
        let (train, test) = (units(&set.train), units(&set.test));
        assert!(train.is_disjoint(&test) && train.len() + test.len() == 80 / size, "{group}: {train:?} {test:?}");
        let groups = set.groups.as_ref().unwrap();
        assert_eq!(distinct(groups.train.as_deref().unwrap()), train.len(), "{group}");
        assert_eq!(distinct(groups.test.as_deref().unwrap()), test.len(), "{group}");
        assert_eq!(groups.are, GroupKind::Groups);
        let noted = set.origin.notes.iter().any(|note| note.contains("on different sides"));
        assert_eq!(noted, size == 5, "{group}: {:?}", set.origin.notes);
        assert_eq!(set.reading.group.as_deref().map(|g| g.contains(',')), Some(size == 5));
    }
    let missing = text.replace("45.5,0,p2,1,y", "45.5,0,p2,,y");
    let options = with(|o| o.group = Some("person_name,day".into()));
    refused(
        open_with(&folder(&[("t.csv", missing.as_bytes())]), "t.csv", &options),
        &["t.csv:47", "day", "group is missing"],
    );
}

#[test]
fn a_folder_of_parts_is_one_table() {
    let label = |i: usize| ["x", "y"][i % 2];
    let base = rows("label", |i| label(i).into());
    let (head, body) = base.split_once('\n').unwrap();
    let lines: Vec<&str> = body.lines().collect();
    let part = |range: std::ops::Range<usize>| format!("{head}\n{}\n", lines[range].join("\n"));
    let parts = [part(0..10), part(10..25), part(25..40)];
    let files = folder(&[
        ("p/part-0001.csv", parts[0].as_bytes()),
        ("p/part-0002.csv", parts[1].as_bytes()),
        ("p/part-0003.csv", parts[2].as_bytes()),
        ("hf/train-00000-of-00002.csv", parts[0].as_bytes()),
        ("hf/train-00001-of-00002.csv", parts[1].as_bytes()),
        ("hf/test-00000-of-00001.csv", parts[2].as_bytes()),
        ("two/one.csv", parts[0].as_bytes()),
        ("two/other.csv", b"p,q,label\n1,2,x\n3,4,y\n"),
        ("whole.csv", base.as_bytes()),
    ]);
    let whole = open_with(&files, "whole.csv", &ReadOptions::default()).unwrap();
    let set = read(open_with(&files, "p", &ReadOptions::default()), 4, 40, &["x", "y"]);
    assert_eq!((set.train.x, set.test.x), (whole.train.x, whole.test.x));
    let set = read(open_with(&files, "hf", &ReadOptions::default()), 4, 40, &["x", "y"]);
    assert_eq!((set.train.len(), set.test.len()), (25, 15));
    refused(open_with(&files, "two", &ReadOptions::default()), &["several data sets"]);
    let broken = parts[1].replacen(",x\n", ",\n", 1);
    let files = folder(&[("p/1.csv", parts[0].as_bytes()), ("p/2.csv", broken.as_bytes())]);
    refused(open_with(&files, "p", &ReadOptions::default()), &["2.csv:", "label is missing"]);
}

#[test]
fn columns_are_divided_into_the_channels_that_are_given() {
    for (columns, channels) in [(4, 4), (6, 6), (64, 8), (30, 30), (6, 2)] {
        let header: String = (0..columns).map(|c| format!("c{c},")).collect();
        let row = |i: usize| (0..columns).map(|c| format!("{}.5,", i * 7 % 11 + 10 * c)).collect::<String>();
        let rows: String = (0..24).map(|i| format!("{}{}\n", row(i), ["u", "v"][i % 2])).collect();
        let files = folder(&[("a.csv", format!("{header}label\n{rows}").as_bytes())]);
        let options = ReadOptions { channels: Some(channels), ..Default::default() };
        let set = open_with(&files, "a.csv", &options).unwrap();
        assert_eq!(set.train.x.shape[1..], [channels, columns / channels], "{columns}");
        assert!(!set.origin.notes.join("; ").contains("channels"), "{:?}", set.origin.notes);
        let found = open_inputs(&files.path().join("a.csv"), &set.reading.of_model(&set.read_as)).unwrap();
        assert_eq!(found.x.shape[1..], [channels, columns / channels], "{columns}");
    }
}

#[test]
fn lists_are_channels() {
    let line = |i: usize| {
        let list = |k: usize| (0..5 + k).map(|t| ((i * t + k) % 7).to_string()).collect::<Vec<_>>().join(",");
        format!(
            "{{\"u\": [{}], \"n\": [[{}], [{}]], \"label\": \"{}\"}}\n",
            list(0),
            list(0),
            list(1),
            ["x", "y"][i % 2]
        )
    };
    let text: String = (0..20).map(line).collect();
    let files = folder(&[("t.jsonl", text.as_bytes())]);
    for in_memory in [0, u64::MAX] {
        let set = open_with(&files, "t.jsonl", &with(|o| o.in_memory = Some(in_memory))).unwrap();
        assert_eq!(set.train.x.shape, [16, 3, 6]);
        assert_eq!(set.train.x.fetch(0).unwrap()[5], 0.0);
    }
    let broken = text.replacen("[0,", "[\"a\",", 1);
    let files = folder(&[("t.jsonl", broken.as_bytes())]);
    assert!(open_with(&files, "t.jsonl", &ReadOptions::default()).is_err());
}

#[test]
fn what_is_probably_a_mistake_is_a_warning() {
    let label = |i: usize| ["x", "y"][i % 2];
    let twice = rows("label", |i| label(i).into());
    let (head, body) = twice.split_once('\n').unwrap();
    let cases: Vec<(&str, String)> = vec![
        (
            "hundred times",
            rows("e,label", |i| format!("{},{}", if i == 7 { 99_999.0 } else { 1.5 + i as f64 % 3.0 }, label(i))),
        ),
        ("rise or fall", rows("e,label", |i| format!("{}.5,{}", i * 3, label(i)))),
        ("occurs once", rows("e,label", |i| format!("{},{}", i * 7919 % 1009 * 3, label(i)))),
        ("comes with one value of the label", rows("e,label", |i| format!("{},{}", i % 10, label(i)))),
        ("both sides of the split", format!("{head}\n{body}{body}")),
        ("taken for quantities", rows("target", |i| (i % 30).to_string())),
        ("spelling", rows("label", |i| ["Yes", "yes", "no"][i % 3].into())),
        ("look like numbers", rows("e,label", |i| format!("{i}%,{}", label(i)))),
        ("without any value", rows("e,label", |i| format!("NA,{}", label(i)))),
        ("guessed", rows("e,f", |i| format!("{},{}", i % 5, i % 3))),
        ("one sample", rows("label", |i| if i == 3 { "z".into() } else { label(i).into() })),
    ];
    all(
        cases,
        |(word, _)| (*word).to_owned(),
        |(word, text)| {
            let files = folder(&[("t.csv", text.as_bytes())]);
            warned(&open_with(&files, "t.csv", &ReadOptions::default()).unwrap(), word);
        },
    );
    let files = folder(&[("t.csv", twice.as_bytes())]);
    let set = open_with(&files, "t.csv", &ReadOptions::default()).unwrap();
    assert!(set.origin.warnings.is_empty(), "{:?}", set.origin.warnings);
}

#[test]
fn words_beside_numbers_are_no_sequences() {
    let open = |text: String| open_with(&folder(&[("t.csv", text.as_bytes())]), "t.csv", &ReadOptions::default());
    let words = rows("status,label", |i| format!("{},c{}", ["complete", "incomplete"][i / 2 % 2], i % 2));
    let set = read(open(words), 4, 40, &["c0", "c1"]);
    assert_eq!(role(&set, "status"), ColumnRole::LeftOut);
    let letters = rows("p,q,r,s,t,u,v,w,label", |i| {
        let of: Vec<&str> = (0..8).map(|k| ["T", "F"][(i >> (k % 5)) % 2]).collect();
        format!("{},c{}", of.join(","), i % 2)
    });
    warned(&read(open(letters), 4, 40, &["c0", "c1"]), "one letter each");
    let strand = |i: usize| -> String { (0..12).map(|k| ['A', 'C', 'G', 'T'][(i * 7 + k * k) % 4]).collect() };
    refused(open(rows("oligo,label", |i| format!("{},c{}", strand(i), i % 2))), &["oligo", "nucleotides", "inputs"]);
    let named = rows("sequence,label", |i| format!("{},c{}", strand(i), i % 2));
    warned(&read(open(named), 48, 40, &["c0", "c1"]), "left out beside sequences");
    refused(
        open(rows("gender,result", |i| format!("{},{}", ["M", "F"][i / 2 % 2], i % 2))),
        &["not clear which column is the label", "gender", "result"],
    );
}
