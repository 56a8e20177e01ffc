//! Which tables beside samples in files of their own hold the labels.

use crate::tests::readers::{self, folder, open_with, png, wav};
use crate::tests::*;
use dashnas_formats::options::SplitBy;

/// Samples of one kind: eight in the folders of two classes, or beside each other.
fn samples(kind: &str, by_class: bool) -> Vec<(String, Vec<u8>)> {
    let edf = include_bytes!("../../../dashnas-fuzz/corpus/edf/plain");
    let names = (0..8).map(|i| match by_class {
        true => format!("{}/{i}.{kind}", ["cat", "dog"][i % 2]),
        false => format!("{i}.{kind}"),
    });
    let bytes = |i: usize| match kind {
        "png" => png(4, 4, i as u8),
        "wav" => wav(8000, 400, 200.0 + 10.0 * i as f64),
        "npy" => npy(&ramp("recording", &[2, 30])),
        _ => edf.to_vec(),
    };
    names.enumerate().map(|(i, name)| (name, bytes(i))).collect()
}

fn mask(i: u8) -> Vec<u8> {
    readers::mask(4, 4, |x, y| if x > y + u32::from(i % 2) { 255 } else { 0 })
}

/// The classes with the notes and warnings, or the error with its hint.
fn with(samples: &[(String, Vec<u8>)], tables: &[(&str, &str)]) -> Result<(Vec<String>, String), String> {
    let mut files: Vec<(&str, &[u8])> = samples.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    files.extend(tables.iter().map(|(name, text)| (*name, text.as_bytes())));
    let set = open_with(&folder(&files), ".", &ReadOptions::default())
        .map_err(|e| format!("{e} ({})", e.hint().unwrap_or_default()))?;
    let said = [&set.origin.notes[..], &set.origin.warnings].concat().join("; ");
    Ok((set.classes.unwrap_or_default(), said))
}

/// A table of the samples: `row` gives what follows their names.
fn table(samples: &[(String, Vec<u8>)], header: &str, row: impl Fn(usize) -> String) -> String {
    let rows = samples.iter().enumerate().map(|(i, (name, _))| format!("{name},{}\n", row(i)));
    format!("{header}\n{}", rows.collect::<String>())
}

fn predictions(samples: &[(String, Vec<u8>)]) -> String {
    let row = |(i, (name, _)): (usize, &(String, Vec<u8>))| format!("{i},{name},dog,0.25,0.75\n");
    format!("sample,id,class,p_cat,p_dog\n{}", samples.iter().enumerate().map(row).collect::<String>())
}

#[test]
fn predictions_beside_samples_are_never_their_labels() {
    for kind in ["png", "wav", "edf"] {
        let classes = samples(kind, true);
        for name in ["predictions.csv", "labels.csv"] {
            let (found, said) = with(&classes, &[(name, &predictions(&classes))]).unwrap();
            assert_eq!(found, ["cat", "dog"], "{kind}");
            assert!(said.contains(&format!("{name} is not read as labels")), "{said}");
        }
    }
    for kind in ["png", "wav", "edf"] {
        let flat = samples(kind, false);
        let error = with(&flat, &[("new.csv", &predictions(&flat))]).unwrap_err();
        assert!(error.contains("labels"), "{kind}: {error}");
        let labels = table(&flat, "file,label", |i| ["m", "n"][i % 2].into());
        let tables = [("labels.csv", &labels[..]), ("new.csv", &predictions(&flat))];
        assert_eq!(with(&flat, &tables).unwrap().0, ["m", "n"], "{kind}");
    }
    // Arrays beside predictions are no recordings.
    let arrays = [
        ("X.npy".to_owned(), npy(&ramp("X", &[12, 2, 8]))),
        ("y.npy".to_owned(), npy(&i32s("y", &[12], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]))),
    ];
    for (name, text) in [("predictions.csv", "sample,class,p_0,p_1\n0,1,0.25,0.75\n"), ("labels.csv", "0,no\n1,yes\n")]
    {
        let found = with(&arrays, &[(name, text)]);
        assert!(found.is_ok(), "{name}: {found:?}");
    }
}

#[test]
fn of_several_tables_one_must_say_that_it_holds_the_labels() {
    for kind in ["png", "wav", "edf", "npy"] {
        let flat = samples(kind, false);
        let labels = table(&flat, "file,label", |i| ["m", "n"][i % 2].into());
        let sizes = table(&flat, "file,width,height", |i| format!("{i},2"));
        let (found, said) = with(&flat, &[("a.csv", &sizes), ("b.csv", &labels)]).unwrap();
        assert_eq!(found, ["m", "n"], "{kind}");
        assert!(said.contains("a.csv names the files as well, and is not read"), "{said}");
        let error = with(&flat, &[("labels.csv", &labels), ("meta.csv", &labels)]).unwrap_err();
        assert!(error.contains("which of its tables holds the labels: labels.csv, meta.csv"), "{kind}: {error}");
    }
}

#[test]
fn a_table_of_few_files_is_asked_about() {
    let classes = samples("png", true);
    let some = table(&classes[..3], "file,label", |_| "blurred".into());
    let error = with(&classes, &[("checked.csv", &some)]).unwrap_err();
    assert!(error.contains("it names 3 of 8 files only") && error.contains("`cat`, `dog`"), "{error}");
    // Without classes, the other files have no labels.
    let flat = samples("png", false);
    let some = table(&flat[..4], "file,label", |i| ["m", "n"][i % 2].into());
    let (found, said) = with(&flat, &[("labels.csv", &some)]).unwrap();
    assert_eq!(found, ["m", "n"]);
    assert!(said.contains("4 files left out: not named by the labels"), "{said}");
    // Numbers that happen to be names of files do not name them.
    let (found, said) = with(&classes, &[("sizes.csv", "width,height\n2,2\n2,2\n2,2\n")]).unwrap();
    assert_eq!(found, ["cat", "dog"]);
    assert!(said.contains("sizes.csv names none of the files"), "{said}");
}

#[test]
fn files_to_predict_from_need_not_be_in_a_table() {
    let flat = samples("png", false);
    let labels = table(&flat[..3], "file,label", |_| "m".into());
    for tables in
        [&[("labels.csv", &labels[..])][..], &[("notes.csv", "a,b\nx,y\n")], &[("labels.csv", "gone.png,m\n")]]
    {
        let mut files: Vec<(&str, &[u8])> = flat.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        files.extend(tables.iter().map(|(name, text)| (*name, text.as_bytes())));
        let inputs = open_inputs(folder(&files).path(), &ReadOptions::default()).unwrap();
        assert_eq!(inputs.x.rows(), 8, "{tables:?}");
    }
}

#[test]
fn every_role_of_a_table_holds_for_the_files_that_it_names() {
    type Change = fn(&mut ReadOptions);
    type Row = fn(usize, &str) -> String;
    let plain: Change = |_| ();
    let csv: Row = |i, name| format!("{name},{},p{},{}", ["m", "n"][i % 2], i / 4, ["train", "train", "test"][i / 4]);
    type Case = (&'static str, &'static str, &'static str, Row, Change, &'static [&'static str]);
    let cases: [Case; 9] = [
        (
            "roles",
            "labels.csv",
            "file,label,patient,split\n",
            csv,
            plain,
            &["label     1: label", "group     1: patient", "split     1: split", "test   x 4×"],
        ),
        (
            "JSON lines",
            "labels.jsonl",
            "",
            |i, name| format!("{{\"file\": \"{name}\", \"label\": \"{}\", \"subject\": {}}}", ["m", "n"][i % 2], i / 2),
            plain,
            &["into 2 classes", "group     1: subject"],
        ),
        (
            "lists",
            "labels.jsonl",
            "",
            |i, name| format!("{{\"file\": \"{name}\", \"label\": {}}}", ["[\"a\"]", "[\"a\", \"b\"]", "[]"][i % 3]),
            plain,
            &["with 2 labels"],
        ),
        (
            "several labels",
            "labels.csv",
            "file,fast,loud\n",
            |i, name| format!("{name},{},{}", i % 2, i / 2 % 2),
            |o| o.targets = Some("fast,loud".into()),
            &["with 2 labels", "label     2: fast, loud"],
        ),
        (
            "several numbers",
            "labels.tsv",
            "file\tspeed\tdepth\n",
            |i, name| format!("{name}\t{}.5\t{}.25", i * i, i % 3),
            |o| o.targets = Some("speed,depth".into()),
            &["regression of 2 values"],
        ),
        (
            "decimal commas",
            "labels.csv",
            "file;speed\n",
            |i, name| format!("{name};{},5", i * i),
            |o| (o.targets, o.decimal) = (Some("speed".into()), Some(",".into())),
            &["regression of 1 value"],
        ),
        (
            "times",
            "labels.csv",
            "path,label,taken,site\n",
            |i, name| format!("C:\\data\\{name},{},2024-01-{:02},x{i}", ["m", "n"][i % 2], 28 - i),
            |o| (o.split_by, o.ignore) = (SplitBy::Time, Some("site".into())),
            &["time      1: taken", "left out  1: site (`data.ignore` names it)", "the last in time"],
        ),
        (
            "another path",
            "labels.csv",
            "filename,filepath,finding\n",
            |i, name| format!("{name},./{name},{}", ["m", "n"][i % 2]),
            plain,
            &["label     1: finding", "id        1: filename", "id        1: filepath"],
        ),
        (
            "two labels",
            "labels.csv",
            "file,fast,loud\n",
            |i, name| format!("{name},{},{}", i % 2, i / 2 % 2),
            plain,
            &["not clear which column holds the labels: `fast`, `loud`"],
        ),
    ];
    for (case, name, head, row, change, words) in cases {
        let made: Vec<(String, Vec<u8>)> = (0..12).map(|i| (format!("{i}.png"), png(4, 4, i as u8))).collect();
        let rows = made.iter().enumerate().map(|(i, (name, _))| row(i, name) + "\n");
        let text = head.to_owned() + &rows.collect::<String>();
        let mut files: Vec<(&str, &[u8])> = made.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
        files.push((name, text.as_bytes()));
        let mut options = ReadOptions::default();
        change(&mut options);
        let said = match open_with(&folder(&files), ".", &options) {
            Ok(set) => set.inspect().unwrap().to_string(),
            Err(error) => error.to_string(),
        };
        for word in words {
            assert!(said.contains(word), "{case}: no `{word}` in\n{said}");
        }
    }
}

#[test]
fn a_table_beside_classes_or_masks_gives_groups_and_splits() {
    let classes = samples("wav", true);
    let subjects = table(&classes, "file,subject", |i| format!("s{}", i / 2));
    let (found, said) = with(&classes, &[("subjects.csv", &subjects)]).unwrap();
    assert_eq!(found, ["cat", "dog"]);
    assert!(said.contains("subjects.csv has no labels: they are the names of the folders"), "{said}");
    let pairs: Vec<(String, Vec<u8>)> =
        (0..6).flat_map(|i| [(format!("images/{i}.png"), png(4, 4, i)), (format!("masks/{i}.png"), mask(i))]).collect();
    let mut files: Vec<(&str, &[u8])> = pairs.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let text = "image,split,patient,sample_weight\n0,train,a,1\n1,train,a,2\n2,test,b,1\n3,train,c,1\n4,test,d,3\n";
    files.push(("patients.csv", text.as_bytes()));
    let set = open_with(&folder(&files), ".", &ReadOptions::default()).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (3, 2));
    assert_eq!((set.facts.train.weights, set.facts.test.weights), (Some(vec![1., 2., 1.]), Some(vec![1., 3.])));
    assert!(set.groups.is_some());
    let notes = set.origin.notes.join("; ");
    assert!(notes.contains("1 image left out: not named by patients.csv"), "{notes}");
    // Predictions beside masks are nothing of the kind.
    files.pop();
    files.push(("new.csv", b"sample,id,c0_0_0\n0,images/0.png,0.5\n"));
    let set = open_with(&folder(&files), ".", &ReadOptions::default()).unwrap();
    assert_eq!(set.train.len() + set.test.len(), 6);
}
