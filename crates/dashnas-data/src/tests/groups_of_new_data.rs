//! Groups of new data that is scored.

use crate::labeled::{KnownTargets, LabeledInputs, open_labeled};
use crate::tests::readers::{folder, matrix, open_with};
use crate::tests::*;
use std::sync::Arc;

/// Settings that are given for new data, by their keys.
type Given<'a> = &'a [(&'a str, &'a str)];

/// The groups and some words of the warnings, or of the error.
type Found<'a> = Result<(&'a [u32], &'a str), &'a str>;

/// The groups of new data as a model reads it that was trained on the first of the files, and the warnings.
fn groups(files: &[(&str, &[u8])], trained: &ReadOptions, given: Given<'_>) -> Result<(Vec<u32>, String), String> {
    let [(first, _), .., (new, _)] = files else { panic!("two files") };
    // Files that lie together may belong together.
    let train = folder(&files[..1]);
    let set = open_with(&train, first, trained).unwrap_or_else(|e| panic!("{e}"));
    let known =
        KnownTargets { task: set.task, classes: set.classes.as_deref(), unknown: None, transforms: &set.transforms };
    let mut reading = set.reading.of_model(&set.read_as);
    for &(key, value) in given {
        let place = match key {
            "group" => &mut reading.group,
            "recording" => &mut reading.recording,
            "ignore" => &mut reading.ignore,
            "targets" => &mut reading.targets,
            _ => panic!("{key}"),
        };
        *place = Some(value.to_owned());
        reading.given.push(key.to_owned());
    }
    let folder = folder(&files[1..]);
    let found: LabeledInputs = open_labeled(&folder.path().join(new), &reading, known)
        .map_err(|error| format!("{error} ({})", error.hint().unwrap_or_default()))?;
    let groups = found.groups.and_then(|groups| groups.test).unwrap_or_default();
    assert!(groups.is_empty() || groups.len() == found.x.rows());
    Ok((groups, found.origin.warnings.join("; ")))
}

/// A table of 24 samples of 6 subjects, half of them at each of two sites.
fn table() -> String {
    let row = |i: usize| {
        let (subject, site) = (i / 4, ["a", "b"][i % 2]);
        format!("{i}.5,{},-0.25,s{subject},{site},{}\n", i * i % 7, ["cat", "dog"][i / 2 % 2])
    };
    "u,v,w,subject,site,class\n".to_owned() + &(0..24).map(row).collect::<String>()
}

fn by(group: &str) -> ReadOptions {
    ReadOptions { group: Some(group.into()), ..ReadOptions::default() }
}

/// The rows of a table in text, whose first row names the columns: a column of numbers if all its cells are numbers.
fn columns(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let rows: Vec<Vec<&str>> = lines.collect();
    names.iter().enumerate().map(|(c, &name)| (name, rows.iter().map(|row| row[c]).collect())).collect()
}

/// The same table in every format.
fn formats(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
    let columns = columns(text);
    let number = |cell: &str| cell.parse::<f64>().ok();
    let numeric = |cells: &[&str]| cells.iter().all(|cell| number(cell).is_some());
    let array = |(name, cells): &(&str, Vec<&str>)| {
        let array: ArrayRef = match numeric(cells) {
            true => Arc::new(cells.iter().map(|cell| number(cell)).collect::<Float64Array>()),
            false => Arc::new(cells.iter().map(Some).collect::<StringArray>()),
        };
        ((*name).to_owned(), array)
    };
    let batch = RecordBatch::try_from_iter(columns.iter().map(array)).unwrap();
    let mut parquet = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let line = |row: usize| {
        let cell = |(name, cells): &(&str, Vec<&str>)| match numeric(cells) {
            true => format!("\"{name}\": {}", cells[row]),
            false => format!("\"{name}\": \"{}\"", cells[row]),
        };
        format!("{{{}}}\n", columns.iter().map(cell).collect::<Vec<_>>().join(", "))
    };
    let lines: String = (0..columns[0].1.len()).map(line).collect();
    vec![("csv", text.as_bytes().to_vec()), ("parquet", parquet.into_inner().unwrap()), ("jsonl", lines.into_bytes())]
}

#[test]
fn samples_of_tables_are_scored_by_their_groups() {
    let new = "class,site,u,subject,v,w\ncat,a,1,s9,2,3\ndog,a,1,s8,2,3\ndog,b,1,s9,2,3\ncat,b,1,s8,2,3\n";
    // The group of the training, what is given for the new data, and the groups.
    let cases: [(&str, Given<'_>, &[u32]); 8] = [
        ("subject", &[], &[0, 1, 0, 1]),
        ("site", &[], &[0, 0, 1, 1]),
        ("subject,site", &[], &[0, 1, 2, 3]),
        ("subject", &[("group", "site")], &[0, 0, 1, 1]),
        ("subject", &[("group", "sub*")], &[0, 1, 0, 1]),
        ("subject", &[("group", "site, subject")], &[0, 1, 2, 3]),
        ("subject", &[("ignore", "subject")], &[]),
        ("subject,site", &[("ignore", "site")], &[0, 1, 0, 1]),
    ];
    for ((format, trained), (_, new)) in formats(&table()).into_iter().zip(formats(new)) {
        let [set, other] = ["set", "new"].map(|name| format!("{name}.{format}"));
        let files = [(&set[..], &trained[..]), (&other, &new)];
        for (group, given, expected) in cases {
            let (found, said) = groups(&files, &by(group), given).unwrap_or_else(|e| panic!("{set} {group}: {e}"));
            assert_eq!((&found[..], &said[..]), (expected, ""), "{set} {group} {given:?}");
        }
        // Its own name makes a column the group as well.
        assert_eq!(groups(&files, &ReadOptions::default(), &[]).unwrap().0, [0, 1, 0, 1]);
    }
}

#[test]
fn groups_are_found_without_a_header() {
    let no_header = |text: &str| text.split_once('\n').map_or(String::new(), |(_, rows)| rows.to_owned());
    let new = "u,v,w,subject,site,class\n1,2,3,s9,a,cat\n1,2,3,s8,a,dog\n4,2,3,s9,b,dog\n";
    let options = ReadOptions { header: Some(false), targets: Some("5".into()), ..by("3") };
    let both = [("set.csv", no_header(&table())), ("new.csv", no_header(new))];
    let [(a, set), (b, rows)] = &both;
    let files = [(*a, set.as_bytes()), (*b, rows.as_bytes())];
    assert_eq!(groups(&files, &options, &[]).unwrap(), (vec![0, 1, 0], String::new()));
}

#[test]
fn groups_that_new_tables_lack_are_said() {
    let trained = table();
    let cases: [(&str, &str, Given<'_>, Found<'_>); 6] = [
        (
            "subject",
            "u,v,w,class\n1,2,3,cat\n4,5,6,dog\n",
            &[],
            Ok((&[], "there is no column `subject` of groups: every sample counts by itself")),
        ),
        (
            "subject,site",
            "u,v,w,subject,class\n1,2,3,s1,cat\n4,5,6,s1,dog\n",
            &[],
            Ok((&[0, 0], "there is no column `site` of groups: the groups are those of `subject` alone")),
        ),
        (
            "subject",
            "u,v,w,subject,class\n1,2,3,s1,cat\n4,5,6,,dog\n",
            &[],
            Err("the group is missing (write the group, drop these rows"),
        ),
        (
            "subject",
            "u,v,w,subject,class\n1,2,3,s1,cat\n4,5,6,s2,dog\n",
            &[("group", "class")],
            Err("column `class` cannot be both label and group"),
        ),
        (
            "subject",
            "u,v,w,subject,class\n1,2,3,s1,cat\n4,5,6,s2,dog\n",
            &[("group", "who")],
            Err("there is no group column `who`"),
        ),
        (
            "subject",
            "u,v,w,subject,class\n1,2,3,cat,cat\n4,5,6,dog,dog\n",
            &[("targets", "subject")],
            Ok((&[], "there is no column `subject` of groups")),
        ),
    ];
    for (group, new, given, expected) in cases {
        let files = [("set.csv", trained.as_bytes()), ("new.csv", new.as_bytes())];
        match (groups(&files, &by(group), given), expected) {
            (Ok((found, said)), Ok((expected, words))) => {
                assert!(found == expected && said.contains(words), "{new}: {found:?} {said}");
            }
            (Err(error), Err(words)) => assert!(error.contains(words), "{new}: {error}"),
            (found, expected) => panic!("{new}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn a_column_that_tells_recordings_apart_is_no_other_group() {
    let row = |i: usize| {
        let (subject, session, class) = (i / 48, i / 24 % 2, i / 12 % 2);
        format!("s{subject},{session},{}.5,{},{}\n", i * i % 11, i * 3 % 7, ["a", "b"][class])
    };
    let text = "subject,session,u,v,act\n".to_owned() + &(0..288).map(row).collect::<String>();
    let files = [("set.csv", text.as_bytes()), ("new.csv", text.as_bytes())];
    let trained = ReadOptions {
        window: Some("6".parse().unwrap()),
        stride: Some("6".parse().unwrap()),
        recording: Some("session".into()),
        ..by("subject")
    };
    let distinct = |given| {
        let (found, _) = groups(&files, &trained, given).unwrap_or_else(|e| panic!("{given:?}: {e}"));
        found.into_iter().collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((distinct(&[]), distinct(&[("group", "subject")])), (6, 6));
    assert_eq!(distinct(&[("group", "session"), ("recording", "subject")]), 2);
    // New recordings of one group alone are still counted by groups.
    let one: String = text.lines().take(97).map(|line| line.to_owned() + "\n").collect();
    let (found, _) = groups(&[files[0], ("new.csv", one.as_bytes())], &trained, &[]).unwrap();
    assert_eq!(found.iter().max(), Some(&1));
    let one: String = text.lines().take(49).map(|line| line.to_owned() + "\n").collect();
    let (found, _) = groups(&[files[0], ("new.csv", one.as_bytes())], &trained, &[]).unwrap();
    assert_eq!(found, [0; 8], "two sessions of one subject");
    let refused: [(Given<'_>, &str); 6] = [
        (&[("ignore", "subject")], "column `subject` cannot be both group and ignored (it is the group as in"),
        (&[("ignore", "session")], "column `session` cannot be both recording and ignored"),
        (&[("group", "session")], "column `session` cannot be both recording and group (it is the recording as in"),
        (&[("group", "subject,session")], "column `session` cannot be both recording and group"),
        (&[("recording", "subject")], "column `subject` cannot be both group and recording"),
        (&[("recording", "act")], "column `act` cannot be both label and recording"),
    ];
    for (given, expected) in refused {
        let error = groups(&files, &trained, given).unwrap_err();
        assert!(error.contains(expected), "{given:?}: {error}");
    }
}

/// Arrays of 24 samples with these groups in every format: 6 subjects, 2 sites, and others of which there are 3.
fn arrays(names: &[&'static str]) -> Vec<(&'static str, Vec<u8>)> {
    let of = |name: &str, i: usize| match name {
        "subject" => i / 4,
        "site" => i % 2,
        "y" => i / 2 % 2,
        _ => i % 3,
    };
    let numbers = |name: &str| (0..24).map(|i| of(name, i) as i32).collect::<Vec<i32>>();
    let names: Vec<&'static str> = ["y"].into_iter().chain(names.iter().copied()).collect();
    let npz = names.iter().map(|&name| i32s(name, &[24], &numbers(name)));
    let npz: Vec<Entry> = [ramp("x", &[24, 1, 4])].into_iter().chain(npz).collect();
    let mut h5 = hdf5_pure::FileBuilder::new();
    h5.create_dataset("x").with_f32_data(&(0..96).map(|v| v as f32).collect::<Vec<_>>()).with_shape(&[24, 1, 4]);
    let mut mat = vec![matrix("x", &[24, 4], &(0..96).map(f64::from).collect::<Vec<_>>())];
    for name in names {
        h5.create_dataset(name).with_i32_data(&numbers(name)).with_shape(&[24]);
        // MATLAB counts from 1.
        let counted: Vec<f64> = numbers(name).into_iter().map(|v| f64::from(v) + 1.0).collect();
        mat.push(matrix(name, &[24, 1], &counted));
    }
    vec![("npz", archive(&npz)), ("h5", h5.finish().unwrap()), ("mat", matlab::file(&mat))]
}

#[test]
fn arrays_that_are_named_as_groups_are_groups_and_no_others_are() {
    // The name of `group_label` is that of labels as well, that of `target_id` of labels only, that of `signal` of inputs.
    let names = ["subject", "site", "group_label", "target_id", "signal"];
    let cases: [(&str, usize); 7] = [
        ("subject", 6),
        ("site", 2),
        ("group_label", 3),
        ("subject,site", 12),
        ("site, group_label", 6),
        ("target_id", 3),
        ("site,signal", 6),
    ];
    for (format, set) in arrays(&names[..3]) {
        let name = format!("set.{format}");
        let files = folder(&[(&name, &set)]);
        let error = open_with(&files, &name, &ReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains("one array of groups (") && error.contains("could be it; `data.group` says which)"));
        // A prediction needs no groups.
        assert_eq!(open_inputs(&files.path().join(&name), &ReadOptions::default()).unwrap().x.rows(), 24, "{name}");
    }
    for (group, count) in cases {
        let named: Vec<&str> =
            names.into_iter().filter(|name| names[..3].contains(name) || group.contains(name)).collect();
        for (format, set) in arrays(&named) {
            let name = format!("set.{format}");
            let files = folder(&[(&name, &set)]);
            let set = open_with(&files, &name, &by(group)).unwrap_or_else(|e| panic!("{name} {group}: {e}"));
            assert_eq!(set.groups.map(|groups| groups.names.len()), Some(count), "{name} {group}");
            assert_eq!(set.task, TaskKind::Classification { classes: 2 }, "{name} {group}");
        }
    }
}

#[test]
fn new_arrays_are_scored_by_those_of_their_groups_that_are_there() {
    let missing = "there is no array `site` of groups: ";
    let cases: [(&str, &[&'static str], Given<'_>, usize, &str); 7] = [
        ("subject,site", &["subject", "site"], &[], 12, ""),
        ("subject", &["subject", "site"], &[("group", "subject,site")], 12, ""),
        ("subject", &["subject", "site"], &[("group", "site")], 2, ""),
        ("target_id", &["target_id", "site"], &[], 3, ""),
        ("subject,site", &["subject"], &[], 6, missing),
        ("site", &["subject"], &[], 0, missing),
        ("subject", &["subject"], &[], 6, ""),
    ];
    for (group, names, given, count, words) in cases {
        let trained = if group == "target_id" { names } else { &["subject", "site", "group_label"] };
        for ((format, set), (_, new)) in arrays(trained).into_iter().zip(arrays(names)) {
            let [old, other] = ["set", "new"].map(|name| format!("{name}.{format}"));
            let files = [(&old[..], &set[..]), (&other, &new)];
            let (found, said) = groups(&files, &by(group), given).unwrap_or_else(|e| panic!("{old} {group}: {e}"));
            let found = found.into_iter().collect::<std::collections::BTreeSet<_>>().len();
            assert_eq!(found, count, "{old} {group} {names:?} {given:?}");
            assert!(said.contains(words) && said.is_empty() == words.is_empty(), "{old}: {said}");
        }
    }
    for ((format, set), (_, new)) in arrays(&["subject"]).into_iter().zip(arrays(&["subject"])) {
        let [old, other] = ["set", "new"].map(|name| format!("{name}.{format}"));
        let files = [(&old[..], &set[..]), (&other, &new)];
        let error = groups(&files, &by("subject"), &[("group", "subject,site")]).unwrap_err();
        assert!(error.contains("groups (an array named site"), "{old}: {error}");
    }
}
