//! Files of HDF5 that only the library of the HDF Group reads: read in a build with it, refused by name without it.
//! `hdf5/make.py` makes them with h5py; all but `large` hold the same data set.

use dashnas_core::names::TaskName;
use dashnas_formats::centers::Centers;
use dashnas_formats::found::Labels;
use dashnas_formats::options::ReadOptions;
use dashnas_formats::{DataError, UnassembledData, readers};
use std::path::{Path, PathBuf};

/// A file, words of its refusal, and the lowest version of the library that reads it.
type Case = (&'static str, &'static str, (u8, u8));

const CASES: &[Case] = &[
    ("tree", "version 2 B-tree", (1, 10)),
    ("filtered_tree", "version 2 B-tree", (1, 10)),
    ("texts", "version 2 B-tree", (1, 10)),
    ("fixed_texts", "version 2 B-tree", (1, 10)),
    ("truth", "version 2 B-tree", (1, 10)),
    ("szip", "filter szip", (1, 10)),
    ("neighbors", "filter szip", (1, 10)),
    ("nbit", "filter nbit", (1, 10)),
    ("bfloat16", "of the type", (1, 10)),
    ("float24", "of the type", (1, 10)),
    ("virtual", "virtual data set", (1, 10)),
    ("linked", "link to another file, `linked_to.h5`", (1, 10)),
    ("linked_group", "data a link to another file", (1, 10)),
    ("linked_inside", "without inputs", (1, 10)),
    ("outside", "external storage", (1, 10)),
    ("newest", "newer form", (2, 0)),
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/hdf5/{name}.h5"))
}

fn read(path: &Path, options: &ReadOptions) -> Result<UnassembledData, DataError> {
    readers::read(path, options, true)
}

/// The version of the library that the notes name, if one reads any of the files.
fn version() -> Option<(u8, u8)> {
    let notes = read(&file("tree"), &ReadOptions::default()).ok()?.notes;
    let (_, version) = notes.iter().find_map(|note| note.split_once("HDF5 library "))?;
    let mut numbers = version.split('.').map(|part| part.parse().expect("a number"));
    Some((numbers.next()?, numbers.next()?))
}

/// Returns whether this version of the library reads a file. Compiled from source, it has no szip.
fn reads(version: Option<(u8, u8)>, refusal: &str, needed: (u8, u8)) -> bool {
    version >= Some(needed) && !(cfg!(feature = "hdf5-static") && refusal == "filter szip")
}

/// Checks the data set: the numbers 0 to 59 in 10 samples, and two classes in turn.
fn check(name: &str, raw: &UnassembledData) {
    let [part] = &raw.parts[..] else { panic!("{name}: {} parts", raw.parts.len()) };
    assert_eq!(part.x.shape, [10, 1, 6], "{name}");
    let x = part.x.clone().in_memory().expect("the file is still there");
    assert!(x.data.iter().enumerate().all(|(i, &v)| v == i as f32), "{name}: {:?}", x.data);
    match part.y.as_ref().unwrap_or_else(|| panic!("{name}: no labels")) {
        Labels::Names(names) => {
            assert_eq!(names.len(), 10, "{name}");
            let first = if name == "texts" { "nö" } else { "no" };
            let right = |(i, label): (usize, &String)| label == if i % 2 == 0 { first } else { "yes" };
            assert!(names.iter().enumerate().all(right), "{name}: {names:?}");
        }
        Labels::Numbers(y) => {
            assert!(y.integral, "{name}");
            assert_eq!(y.array.data.len(), 10, "{name}");
            assert!(y.array.data.iter().enumerate().all(|(i, &v)| v == (i % 2) as f32), "{name}: {:?}", y.array.data);
        }
    }
}

#[test]
fn each_file_is_read_by_the_library_or_refused_by_name() {
    let version = version();
    assert_eq!(version.is_some(), cfg!(feature = "hdf5"));
    for &(name, refusal, needed) in CASES {
        // In memory, and by way of a temporary file.
        for in_memory in [None, Some(0)] {
            let options = ReadOptions { in_memory, ..ReadOptions::default() };
            match read(&file(name), &options) {
                Ok(raw) => {
                    assert!(reads(version, refusal, needed), "{name}");
                    check(name, &raw);
                    let note = raw.notes.iter().find(|note| note.contains("by the HDF5 library"));
                    assert!(note.is_some_and(|note| note.contains("x`")), "{name}: {:?}", raw.notes);
                    assert_eq!(raw.files, [file(name).display().to_string()]);
                }
                Err(error) => {
                    assert!(!reads(version, refusal, needed), "{name}: {error}");
                    let text = format!("{error} {}", error.hint().unwrap_or_default());
                    assert!(text.contains(refusal), "{name}: {text}");
                    assert!(text.contains(&file(name).display().to_string()), "{text}");
                    let built = name == "newest" || cfg!(feature = "hdf5") || name == "linked_inside";
                    assert!(built || text.contains("build dashnas with the feature `hdf5`"), "{text}");
                }
            }
        }
    }
}

#[test]
fn large_numbers_are_read_relative_to_others() {
    if version().is_none() {
        return;
    }
    // Beside 2^60 and 2^63, neighboring numbers of 64-bit floats are 256 and 2048 apart.
    let inputs = [
        ("floats", 1e9, 0.25),
        ("short", 1e9, 1.0),
        ("signed", 2f64.powi(60), 1.0),
        ("unsigned", 2f64.powi(63), 1.0),
        ("packed", 1e9, 0.25),
    ];
    for (name, center, step) in inputs {
        for in_memory in [None, Some(0)] {
            let centers = Centers { inputs: vec![center], targets: vec![1.7e9] };
            let (inputs, task) = (Some(name.to_owned()), Some(TaskName::Regression));
            let raw = read(&file("large"), &ReadOptions { inputs, task, in_memory, centers, ..ReadOptions::default() });
            let mut raw = raw.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(raw.notes.iter().any(|note| note.contains("by the HDF5 library")), "{name}: {:?}", raw.notes);
            assert!(raw.digits.inputs && raw.digits.inputs_centered && raw.digits.targets_centered, "{name}");
            let part = raw.parts.remove(0);
            let x = part.x.in_memory().expect("the file is still there");
            assert_eq!(x.data.len(), 60, "{name}");
            assert!(x.data.iter().enumerate().all(|(i, &v)| v == i as f32 * step), "{name}: {:?}", x.data);
            let Some(Labels::Numbers(y)) = part.y else { panic!("{name}: no numbers") };
            assert_eq!(y.array.data.len(), 10, "{name}");
            assert!(y.array.data.iter().enumerate().all(|(i, &v)| v == i as f32 / 4.0), "{name}: {:?}", y.array.data);
        }
    }
}

#[test]
fn what_is_missing_is_not_filled_up() {
    for (name, words) in
        [("missing_part", "`nowhere.h5`"), ("short_outside", "240 bytes"), ("broken", "that is not there")]
    {
        let error = read(&file(name), &ReadOptions::default()).expect_err(name);
        let words = if cfg!(feature = "hdf5") { words } else { "which is not supported" };
        assert!(error.to_string().contains(words), "{name}: {error}");
    }
}

#[test]
fn an_ordinary_file_is_not_given_to_the_library() {
    let raw = read(&file("linked_to"), &ReadOptions::default()).expect("an ordinary file");
    check("linked_to", &raw);
    assert_eq!(raw.notes, [""; 0]);
}

#[test]
fn files_are_read_by_several_threads_at_once() {
    let version = version();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || {
                for turn in 0..CASES.len() * 4 {
                    let (name, refusal, needed) = CASES[(turn + thread) % CASES.len()];
                    let raw = read(&file(name), &ReadOptions::default());
                    assert_eq!(raw.is_ok(), reads(version, refusal, needed), "{name}");
                    raw.iter().for_each(|raw| check(name, raw));
                }
            });
        }
    });
}

/// Files that are cut short or have a few other bytes give an answer, whatever it is. The C library crashes on some other
/// bytes, or does not come back, so that a build with it is tried with files that are cut short only.
#[test]
fn damaged_files_do_no_harm() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.h5");
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let options = ReadOptions { max_bytes: 1 << 24, ..ReadOptions::default() };
    let cases = std::env::var("DASHNAS_FUZZ_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    for &(name, ..) in CASES {
        let whole = std::fs::read(file(name)).expect("a file");
        for _ in 0..cases {
            let mut bytes = whole.clone();
            if cfg!(feature = "hdf5") || random(4) == 0 {
                bytes.truncate(random(whole.len()));
            }
            let changes = if cfg!(feature = "hdf5") || bytes.is_empty() { 0 } else { random(4) };
            for _ in 0..changes {
                let at = random(bytes.len());
                bytes[at] = [0, 1, 255, random(256) as u8][random(4)];
            }
            std::fs::write(&path, &bytes).expect("a place to write");
            let _ = read(&path, &options);
        }
    }
}
