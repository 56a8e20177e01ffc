//! Small files that taught how real ones are misunderstood: what each is read as, or the words of its refusal.

use crate::tests::readers::folder;
use crate::tests::*;

/// The right outcome.
enum Outcome {
    /// The task, the shape of a sample, and words of the notes and warnings.
    Read(&'static str, &'static [usize], &'static [&'static str]),
    /// Words of the message and its hint.
    Refused(&'static [&'static str]),
}
use Outcome::{Read, Refused};

/// A path under `cases`, the options, and the outcome.
type Case = (&'static str, fn(&mut ReadOptions), Outcome);

const TWO: &str = "classification into 2 classes";
const THREE: &str = "classification into 3 classes";

fn plain(_: &mut ReadOptions) {}

/// The files of series.
const SERIES: &[Case] = &[
    (
        "35-ts-timestamps/Energy_TRAIN.ts",
        plain,
        Read("regression of 1 value per sample", &[2, 10], &["equal steps of 3600"]),
    ),
    ("36-ts-no-classlabel-line/A_TRAIN.ts", plain, Refused(&["A_TRAIN.ts:4", "@classLabel", "`@classLabel true a b`"])),
    (
        "38-ts-channels-of-unequal-rate/P_TRAIN.ts",
        plain,
        Read(TWO, &[2, 24], &["12 to 24 long", "12 and 24 values", "`data.lengths` resample"]),
    ),
    (
        "38-ts-channels-of-unequal-rate/P_TRAIN.ts",
        |options| options.lengths = Lengths::Resample,
        Read(TWO, &[2, 24], &["resampled to 24"]),
    ),
    ("40-ts-unequal-missing/U_TRAIN.ts", plain, Refused(&["U_TRAIN.ts:11: column 8", "missing", "data.fill-missing"])),
    (
        "40-ts-unequal-missing/U_TRAIN.ts",
        |options| (options.fill_missing, options.lengths) = (Some(Fill::Linear), Lengths::Resample),
        Read(TWO, &[1, 24], &["filled 2 missing values"]),
    ),
    ("41-arff-sparse/data.arff", plain, Read(TWO, &[1, 8], &[])),
    ("42-arff-string-and-date/data.arff", plain, Read(TWO, &[1, 8], &["left out: name (string), taken (date)"])),
    ("45-arff-keel/data.arff", plain, Read(TWO, &[1, 8], &[])),
    (
        "46-arff-nominal-feature/data.arff",
        plain,
        Read("regression of 1 value per sample", &[1, 8], &["`strength`", "left out: colour (nominal)"]),
    ),
];

/// The files of named arrays.
const ARRAYS: &[Case] = &[
    // The newest version of the HDF5 library reads it.
    #[cfg(not(feature = "hdf5-static"))]
    ("55-h5-virtual-dataset/all.h5", plain, Refused(&["`x`", "virtual"])),
    ("58-h5-unwritten-chunks/data.h5", plain, Read(TWO, &[2, 16], &["channel 1 holds the value 7"])),
    ("59-h5-filters/lzf.h5", plain, Read(TWO, &[2, 17], &[])),
    ("59-h5-filters/fletcher.h5", plain, Read(TWO, &[2, 17], &[])),
    ("59-h5-filters/scaleoffset.h5", plain, Read(TWO, &[2, 17], &[])),
    // The newest version of the HDF5 library reads it.
    #[cfg(not(feature = "hdf5-static"))]
    ("59-h5-filters/latest.h5", plain, Refused(&["`x`", "newer form", "libver"])),
    ("62-h5ad/cells.h5ad", plain, Read(TWO, &[1, 30], &[])),
    ("63-mat-opaque-variable/data.mat", plain, Read(THREE, &[1, 24], &[])),
    ("64-mat-struct/data.mat", plain, Read(THREE, &[1, 24], &[])),
    ("65-mat-sparse/data.mat", plain, Read(THREE, &[1, 24], &[])),
    ("67-mat73-char-labels/data.mat", plain, Read(TWO, &[1, 24], &[])),
    ("69-mat-images-hwcn/data.mat", plain, Read(TWO, &[3, 12, 12], &["the samples are the last axis"])),
    ("70-npz-bytes-labels/data.npz", plain, Read(THREE, &[1, 24], &[])),
    ("72-npz-text-column/data.npz", plain, Read(THREE, &[1, 24], &[])),
    (
        "73-npy-time-first/har",
        plain,
        Read(THREE, &[128, 9], &["128 channels of 9 values", "`data.layout` to channels-last"]),
    ),
    (
        "73-npy-time-first/har",
        |options| options.layout = Some(Layout::ChannelsLast),
        Read(THREE, &[9, 128], &["the channels are the last axis"]),
    ),
    ("75-npz-float-one-hot/data.npz", plain, Read(THREE, &[1, 24], &["read as 3 classes"])),
    (
        "75-npz-float-one-hot/data.npz",
        |options| options.task = Some(TaskName::Classification),
        Read(THREE, &[1, 24], &[]),
    ),
    ("76-npz-dtypes/data.npz", plain, Read(THREE, &[1, 24], &[])),
    ("77-npz-structured/record.npz", plain, Refused(&["`x_train`", "record", "array['field']"])),
    ("77-npz-structured/date.npz", plain, Refused(&["`x_train`", "<M8[D]", "int64"])),
    ("78-npz-volumes/cubes.npz", plain, Read(TWO, &[16, 16, 16], &["16 channels of 16×16", "depth of a volume"])),
    ("79-npz-default-names/data.npz", plain, Refused(&["arr_0 60×1×24", "data.inputs", "data.targets"])),
    (
        "79-npz-default-names/data.npz",
        |options| (options.inputs, options.targets) = (Some("arr_0".into()), Some("arr_1".into())),
        Read(THREE, &[1, 24], &[]),
    ),
    ("112-train-nan-target/data.npz", plain, Refused(&["y_train[7]", "NaN"])),
    ("141-train-outlier/data.npz", plain, Read(TWO, &[1, 24], &["x_train[5]", "1.00e20", "normalization"])),
    ("142-npz-val-only-inputs/data.npz", plain, Read(THREE, &[1, 24], &["held out as one; the validation split"])),
    ("146-h5-soft-link-to-labels/data.h5", plain, Read(THREE, &[1, 24], &[])),
];

#[test]
fn files_are_understood_or_refused_with_the_cause() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/cases");
    for (path, set, outcome) in SERIES.iter().chain(ARRAYS) {
        let mut options = ReadOptions::default();
        set(&mut options);
        check(path, open(&folder.join(path), &options), outcome);
    }
    // Whatever else is in the file beside its arrays.
    let beside = folder.join("144-h5-odd-neighbours");
    let mut seen = 0;
    for entry in std::fs::read_dir(beside).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "h5") {
            check(&path.display().to_string(), open(&path, &ReadOptions::default()), &Read(THREE, &[1, 24], &[]));
            seen += 1;
        }
    }
    assert_eq!(seen, 16);
}

fn check(path: &str, found: Result<Dataset, DataError>, outcome: &Outcome) {
    match (found, outcome) {
        (Ok(set), Read(task, sample, words)) => {
            assert_eq!((set.task.to_string().as_str(), &set.train.x.shape[1..]), (*task, *sample), "{path}");
            let said = [&set.origin.notes[..], &set.origin.warnings].concat().join("\n");
            words.iter().for_each(|word| assert!(said.contains(word), "{path}: `{said}` does not say `{word}`"));
        }
        (Err(error), Refused(words)) => {
            let said = format!("{error}\n{}", error.hint().unwrap_or_default());
            words.iter().for_each(|word| assert!(said.contains(word), "{path}: `{said}` does not say `{word}`"));
        }
        (Ok(set), Refused(_)) => panic!("{path} was read: {}", set.inspect().unwrap()),
        (Err(error), Read(..)) => panic!("{path} was refused: {error}"),
    }
}

#[test]
fn values_and_classes_are_those_of_other_programs() {
    let read = |path: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/cases");
        open(&folder.join(path), &ReadOptions::default()).unwrap()
    };
    // Means over all samples, as h5py and SciPy give them.
    let means = |set: &Dataset| -> Vec<f64> {
        let plane: usize = set.train.x.shape[2..].iter().product();
        let (mut sums, mut n) = (vec![0f64; set.channels()], 0);
        for split in [&set.train, &set.test] {
            for i in 0..split.x.rows() {
                let channels = split.x.row(i).chunks(plane);
                sums.iter_mut().zip(channels).for_each(|(s, c)| *s += c.iter().map(|&v| f64::from(v)).sum::<f64>());
                n += plane;
            }
        }
        sums.iter().map(|s| s / n as f64).collect()
    };
    for (path, expected) in [
        ("58-h5-unwritten-chunks/data.h5", [-0.002_491_765, 7.0]),
        ("59-h5-filters/lzf.h5", [0.000_627_76, 0.000_712_76]),
        ("59-h5-filters/fletcher.h5", [0.000_627_76, 0.000_712_76]),
        ("59-h5-filters/scaleoffset.h5", [0.000_629_3, 0.000_729_01]),
    ] {
        let found = means(&read(path));
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{path}: {found} {expected}");
        }
    }
    for (path, expected) in [
        ("67-mat73-char-labels/data.mat", &["cat", "dog"][..]),
        ("70-npz-bytes-labels/data.npz", &["run", "sit", "walk"]),
        ("41-arff-sparse/data.arff", &["a", "b"]),
    ] {
        assert_eq!(read(path).classes.as_deref().unwrap(), expected, "{path}");
    }
    // The first sparse row is {0 -0.798, 1 -0.805, 2 -0.621, 4 0.867, 5 1.388, 6 0.936, 8 a}.
    let set = read("41-arff-sparse/data.arff");
    let row = [-0.798, -0.805, -0.621, 0.0, 0.867, 1.388, 0.936, 0.0];
    assert!([&set.train, &set.test].iter().any(|s| (0..s.x.rows()).any(|i| s.x.row(i) == row)));
}

/// Twelve inputs `[12, 2, 8]` that differ, with these targets.
fn twelve(y: Entry) -> Vec<Entry> {
    vec![ramp("x", &[12, 2, 8]), y]
}

#[test]
fn labels_are_never_rounded() {
    let read = |y: Entry| read(&twelve(y)).unwrap();
    let names = |set: &Dataset| set.classes.clone().unwrap().join(" ");
    let i64s = |base: i64| (0..12i64).flat_map(|i| (base + i % 3).to_le_bytes()).collect::<Vec<u8>>();
    let set = read(entry("y", "<i8", &[12], i64s(1 << 24)));
    assert_eq!(names(&set), "16777216 16777217 16777218");
    let set = read(entry("y", "<i8", &[12, 1], i64s(-(1 << 53) - 3)));
    assert_eq!(names(&set), "-9007199254740995 -9007199254740994 -9007199254740993");
    let set = read(entry("y", "<u8", &[1, 12], i64s(i64::MIN)));
    assert_eq!(names(&set), "9223372036854775808 9223372036854775809 9223372036854775810");
    let floats: Vec<u8> = (0..12).flat_map(|i| (2f64.powi(25) + f64::from(i % 3)).to_le_bytes()).collect();
    let set = read(entry("y", "<f8", &[12], floats.clone()));
    assert!(
        set.origin.warnings.iter().any(|w| w.contains("3 different numbers that float32 rounds to 1")),
        "{:?}",
        set.origin.warnings
    );
    let set = read_as(&archive(&twelve(entry("y", "<f8", &[12], floats))), Some(TaskName::Classification)).unwrap();
    assert_eq!(names(&set), "33554432 33554433 33554434");
    let text =
        |size: usize| (0..12).flat_map(|i| ["run", "sit", "walk"][i % 3].bytes().chain([0; 8]).take(size)).collect();
    for shape in [&[12][..], &[12, 1], &[1, 12]] {
        assert_eq!(names(&read(entry("y", "|S4", shape, text(4)))), "run sit walk");
    }
    // Groups as large are kept apart as well.
    let mut entries = twelve(entry("y", "<i8", &[12], i64s(0)));
    let groups = (0..12i64).flat_map(|i| ((1i64 << 40) + i / 3).to_le_bytes()).collect();
    entries.push(entry("group", "<i8", &[12], groups));
    let set = super::read(&entries).unwrap();
    assert_eq!(set.summary().groups, Some(3));
    for (y, words) in [
        (entry("y", "|S4", &[6, 2], text(4)), "shape [6, 2]"),
        (entry("y", "|S4", &[12], vec![0; 48]), "sample 0 (from 0) is empty"),
        (entry("y", "<c8", &[12], vec![0; 96]), "<c8"),
    ] {
        let error = super::read(&twelve(y)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn unusual_shapes_and_targets_are_said() {
    let with = |x: &[usize], y: Entry| {
        let set = super::read(&[ramp("x", x), y]);
        match set {
            Ok(set) => [set.train.x.shape[1..].iter().map(usize::to_string).collect::<Vec<_>>().join("×")]
                .into_iter()
                .chain(set.origin.notes)
                .chain(set.origin.warnings)
                .collect::<Vec<_>>()
                .join("\n"),
            Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
        }
    };
    let classes = || i32s("y", &[12], &[0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    let floats = |values: &[f32]| f32s("y", &[12, values.len() / 12], values);
    let whole: Vec<f32> = (0..12).map(|i| (i % 3) as f32).collect();
    let several: Vec<f32> = (0..24).map(|i| f32::from(u8::from(i % 3 == 0 || i % 5 == 0))).collect();
    let masks: Vec<f32> = (0..12 * 8).map(|i| if i % 3 == 0 { 255.0 } else { 0.0 }).collect();
    for (said, words) in [
        (with(&[12, 40, 6], classes()), &["40×6", "40 channels of 6 values", "channels-last"][..]),
        (with(&[12, 6, 40], classes()), &["6×40"]),
        (with(&[12, 16, 16, 13], classes()), &["13×16×16", "the channels are the last axis"]),
        (with(&[12, 9, 9, 9], classes()), &["9×9×9", "depth of a volume"]),
        (with(&[12, 12, 20, 24], classes()), &["12 channels of 20×24", "depth of a volume"]),
        (with(&[12, 1, 4, 4, 4], classes()), &["[12, 1, 4, 4, 4]", "volumes", "x.reshape(n, c*d, h, w)"]),
        (with(&[5, 6, 3, 12], classes()), &["`x_all` has 5 samples but `y_all` has 12", "numpy.moveaxis(x, -1, 0)"]),
        (with(&[12, 2, 8], floats(&whole)), &["3 different whole numbers", "classification"]),
        (with(&[12, 2, 8], floats(&several)), &["0 and 1 of a floating-point type", "multi-label"]),
        (with(&[12, 2, 8], f32s("y", &[12, 1, 8], &masks)), &["only 0 and 255", "masks"]),
    ] {
        words.iter().for_each(|word| assert!(said.contains(word), "`{said}` does not say `{word}`"));
    }
    // Nothing is said of what is usual.
    assert!(!with(&[12, 2, 8], classes()).contains("unusual"));
}

#[test]
fn copies_across_splits_and_outliers_are_warned_of() {
    let mut x: Vec<f32> = (0..6 * 4).map(|v| v as f32).collect();
    x[9] = 1e6;
    let test: Vec<f32> = (4..12).map(|v| v as f32).collect();
    let set = read(&[
        f32s("x_train", &[6, 1, 4], &x),
        i32s("y_train", &[6], &[0, 1, 0, 1, 0, 1]),
        f32s("x_test", &[2, 1, 4], &test),
        i32s("y_test", &[2], &[0, 1]),
    ])
    .unwrap();
    let said = set.origin.warnings.join("\n");
    assert!(said.contains("1 of 2 test samples also is in the training data"), "{said}");
    assert!(said.contains("x_train[2] holds a value of 1.00e6 in channel 0"), "{said}");
}

#[test]
fn channels_that_tell_nothing_and_odd_targets_are_warned_of() {
    let x: Vec<f32> = (0..12 * 2 * 4).map(|v| if v / 4 % 2 == 0 { v as f32 } else { 7.0 }).collect();
    let mut y: Vec<f32> = (0..12).map(|v| 1.5 + v as f32).collect();
    y[11] = 1e5;
    let set = |x: &[f32], y: &[f32]| {
        let (test, rest) = (f32s("x_test", &[2, 2, 4], &x[..16]), f32s("y_test", &[2], &y[..2]));
        let read = read(&[f32s("x_train", &[12, 2, 4], x), f32s("y_train", &[12], y), test, rest]);
        read.unwrap().origin.warnings.join("\n")
    };
    let said = set(&x, &y);
    assert!(said.contains("channel 1 holds the value 7 in all training samples: it tells nothing"), "{said}");
    assert!(said.contains("y_train[11] holds a value of 1.00e5 in column 0"), "{said}");
    let said = set(&[0.0; 96], &y);
    assert!(said.contains("channel 0 (and 1 like it) holds the value 0"), "{said}");
    assert!(said.contains("nothing can be learnt"), "{said}");
}

#[test]
fn arrays_of_other_types_beside_those_used_are_passed_over() {
    let files = folder(&[
        ("x.npy", &npy(&ramp("x", &[12, 2, 4]))),
        ("y.npy", &npy(&i32s("y", &[12], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]))),
        ("meta.npy", &npy(&entry("meta", "|O", &[3], vec![0; 24]))),
    ]);
    let summary = open(files.path(), &ReadOptions::default()).unwrap().summary();
    assert!(summary.to_string().contains("left out  1: meta of dtype |O"), "{summary}");
    let wanted = ReadOptions { inputs: Some("meta".into()), ..Default::default() };
    let error = open(files.path(), &wanted).unwrap_err();
    assert!(matches!(error, DataError::UnsupportedDtype { .. }), "{error}");
}

#[test]
fn every_array_has_a_use_with_a_reason() {
    let mut entries = twelve(i32s("y", &[12], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]));
    entries.push(i32s("subject", &[12], &[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]));
    entries.push(i32s("spare", &[2], &[0, 0]));
    let summary = read(&entries).unwrap().summary();
    let account: Vec<String> =
        summary.columns.iter().map(|a| format!("{}: {}, {}", a.name, a.role, a.reason)).collect();
    let expected = [
        "spare 2 i32: left out, its name does not tell a use",
        "subject 12 i32: group, its name has the word `subject`",
        "x 12×2×8 f32: input, its name has the word `x`",
        "y 12 i32: label, its name has the word `y`",
    ];
    assert_eq!(account, expected);
    let text = summary.to_string();
    assert!(text.contains("left out  1: spare 2 i32 (its name does not tell a use)\n"), "{text}");
}

#[test]
fn headers_of_series_decide_what_is_read() {
    let ts = |header: &str, data: &str| {
        let files = folder(&[("s.ts", format!("{header}\n@data\n{data}").as_bytes())]);
        said(open(&files.path().join("s.ts"), &ReadOptions::default()))
    };
    let stamps = "@timeStamps true\n@classLabel true a b";
    let rows = |second: &str| {
        format!("(0,1),(0.5,2),(1,3):a\n(7,4),({second},5),(8,6):b\n(0,1),(0.5,2),(1,4):a\n(0,3),(0.5,2),(1,4):b\n")
    };
    let arff = |header: &str, rows: &str, options: ReadOptions| {
        let text = format!("@relation r\n{header}@data\n{rows}");
        let files = folder(&[("s.arff", text.as_bytes())]);
        said(open(&files.path().join("s.arff"), &options))
    };
    let numbers = "@attribute a numeric\n@attribute 'b c' REAL [0,1]\n";
    let of = |targets: &str| ReadOptions { targets: Some(targets.into()), ..Default::default() };
    let text_rows = "1,2,'it\\'s, one'\n3,4,two\n5,6,'it\\'s, one'\n7,8,two\n";
    for (said, words) in [
        (ts(stamps, &rows("7.5")), &["1×3", "2 classes", "equal steps of 0.5"][..]),
        (ts(stamps, &rows("7.9")), &["s.ts:5: column 3 of channel 1", "equal steps", "resample"]),
        (ts(stamps, &rows("soon")), &["s.ts:5", "`soon`", "date"]),
        (ts("@timeStamps true\n@classLabel true a b", "1,2:a\n"), &["s.ts:4", "not a pair (time,value)"]),
        (ts("@timeStamps false", "1,2:3,4\n"), &["s.ts:2", "@classLabel"]),
        (ts("@classLabel true a b", "1,2:a\n2,3:?\n"), &["s.ts:4", "label is missing"]),
        (ts("@classLabel true a b", "1,2:3,4\n"), &["s.ts:3", "`3,4`", "not one of the classes a, b"]),
        (
            arff(
                "@attribute a numeric\n@attribute s string\n@attribute k {u,v}\n",
                "1,x,u\n2,y,v\n3,z,u\n4,x,v\n",
                ReadOptions::default(),
            ),
            &["1×1", "2 classes", "left out: s (string)"],
        ),
        (
            arff(&format!("{numbers}@attribute c string\n"), text_rows, ReadOptions::default()),
            &["1×2", "it's, one", "two"],
        ),
        (
            arff(
                "@attribute f {0, 1}\n@attribute a numeric\n@attribute g {p,q}\n@attribute k {u,v}\n",
                "1,2,p,u\n0,4,q,v\n1,6,p,u\n0,8,q,v\n",
                ReadOptions::default(),
            ),
            &["1×2", "2 classes", "left out: g (nominal)"],
        ),
        (
            arff(
                "@attribute class {u,v}\n@attribute a numeric\n@attribute b numeric\n",
                "u,1,2\nv,3,4\nu,5,6\nv,7,8\n",
                ReadOptions::default(),
            ),
            &["1×2", "2 classes", "`class` (its name says so)"],
        ),
        (
            arff(
                "@attribute k {u,v}\n@attribute a numeric\n@attribute b numeric\n",
                "u,1,2\nv,3,4\nu,5,6\nv,7,8\n",
                of("k"),
            ),
            &["1×2", "2 classes", "`data.targets` names it"],
        ),
        (
            arff(
                &format!("{numbers}@attribute d numeric\n@inputs a\n@outputs d\n"),
                "1,2,3\n4,5,6\n7,8,9\n1,1,1\n2,2,2\n",
                ReadOptions::default(),
            ),
            &["1×1", "regression", "left out: b c (numeric)"],
        ),
        (
            arff(
                &format!("{numbers}@attribute d numeric\n@outputs a, 'b c'\n"),
                "1,2,3\n4,5,6\n7,8,9\n1,1,1\n2,2,2\n",
                ReadOptions::default(),
            ),
            &["1×1", "regression of 2 values", "the targets are 2 attributes (@outputs names it)"],
        ),
        (
            arff(&format!("{numbers}@outputs a, 'b c'\n"), "1,2\n", ReadOptions::default()),
            &["s.arff:5", "no numeric attribute is left"],
        ),
        (
            arff(&format!("{numbers}@attribute d date\n"), "1,2,2020\n", ReadOptions::default()),
            &["`d`", "date", "target"],
        ),
        (
            arff(&format!("{numbers}@attribute d odd\n"), "1,2,3\n", ReadOptions::default()),
            &["s.arff:4", "`d`", "`odd`"],
        ),
        (
            arff(&format!("{numbers}@attribute k {{u,v}}\n"), "{0 1, 9 2}\n", ReadOptions::default()),
            &["s.arff:6", "sparse"],
        ),
        (arff(&format!("{numbers}@attribute k {{u,v}}\n"), "{0 1, 0 2}\n", ReadOptions::default()), &["comes twice"]),
        (arff(&format!("{numbers}@attribute k {{u,v}}\n"), "1,2,u,{3}\n", ReadOptions::default()), &["weights"]),
    ] {
        words.iter().for_each(|word| assert!(said.contains(word), "`{said}` does not say `{word}`"));
    }
}

/// What is said of a data set, or its refusal.
fn said(found: Result<Dataset, DataError>) -> String {
    match found {
        Ok(set) => {
            let shape = set.train.x.shape[1..].iter().map(usize::to_string).collect::<Vec<_>>().join("×");
            let classes = set.classes.clone().unwrap_or_default().join("; ");
            let said = [set.origin.notes, set.origin.warnings].concat().join("\n");
            format!("{shape} {}\n{classes}\n{said}", set.task)
        }
        Err(error) => format!("{error}\n{}", error.hint().unwrap_or_default()),
    }
}
