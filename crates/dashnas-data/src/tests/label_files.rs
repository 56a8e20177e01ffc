//! Which tables beside samples in files of their own hold the labels.

use crate::tests::readers::{folder, open_with, png, wav};
use crate::tests::*;

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
