//! NumPy archives: element types, orders, kinds of task, and archives that are refused.

use crate::tests::*;

#[test]
fn every_dtype_reads_to_the_same_values() {
    let values = [0i32, 1, 2, 3, 100, 5, 6, 7];
    macro_rules! bytes {
        ($t:ty, $to:ident) => {
            values.iter().flat_map(|&v| (v as $t).$to()).collect::<Vec<u8>>()
        };
    }
    // 100 = 1.5625 · 2⁶ and so on, as IEEE binary16.
    let halves: Vec<u8> = [0x0000u16, 0x3c00, 0x4000, 0x4200, 0x5640, 0x4500, 0x4600, 0x4700]
        .iter()
        .flat_map(|h| h.to_le_bytes())
        .collect();
    let cases: Vec<(&'static str, Vec<u8>)> = vec![
        ("|u1", bytes!(u8, to_le_bytes)),
        ("|i1", bytes!(i8, to_le_bytes)),
        ("<u2", bytes!(u16, to_le_bytes)),
        (">i2", bytes!(i16, to_be_bytes)),
        ("<u4", bytes!(u32, to_le_bytes)),
        (">i4", bytes!(i32, to_be_bytes)),
        (">u8", bytes!(u64, to_be_bytes)),
        ("<i8", bytes!(i64, to_le_bytes)),
        ("<f2", halves),
        ("<f4", bytes!(f32, to_le_bytes)),
        (">f4", bytes!(f32, to_be_bytes)),
        (">f8", bytes!(f64, to_be_bytes)),
    ];
    for (descr, bytes) in cases {
        let entries = [
            entry("x_train", descr, &[2, 1, 4], bytes),
            i32s("y_train", &[2], &[0, 1]),
            ramp("x_test", &[1, 1, 4]),
            i32s("y_test", &[1], &[1]),
        ];
        let set = read(&entries).unwrap_or_else(|e| panic!("{descr}: {e}"));
        assert_eq!(set.train.x.data, values.map(|v| v as f32), "{descr}");
    }
}

#[test]
fn booleans_read_as_zero_and_one() {
    let mut entries = with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
    entries[0] = entry("x_train", "|b1", &[4, 1, 4], (0..16).map(|i| i % 2).collect());
    assert_eq!(read(&entries).unwrap().train.x.data[..4], [0.0, 1.0, 0.0, 1.0]);
}

#[test]
fn fortran_order_becomes_row_major() {
    let shape = [2, 3, 4, 5];
    let value = |i: [usize; 4]| (i[0] * 1000 + i[1] * 100 + i[2] * 10 + i[3]) as f32;
    let (mut columns, mut rows) = (Vec::new(), Vec::new());
    for d in 0..5 {
        for c in 0..4 {
            for b in 0..3 {
                columns.extend((0..2).map(|a| value([a, b, c, d])));
            }
        }
    }
    for a in 0..2 {
        for b in 0..3 {
            for c in 0..4 {
                rows.extend((0..5).map(|d| value([a, b, c, d])));
            }
        }
    }
    let mut x = f32s("x_train", &shape, &columns);
    x.fortran = true;
    let set =
        read(&[x, i32s("y_train", &[2], &[0, 1]), ramp("x_test", &[1, 3, 4, 5]), i32s("y_test", &[1], &[0])]).unwrap();
    assert_eq!(set.train.x.data, rows);
    assert_eq!((set.dims(), set.channels(), set.spatial()), (2, 3, [4, 5]));
}

#[test]
fn one_dimensional_inputs_have_height_one() {
    let set = read(&with_targets(i32s("y_train", &[4], &[0, 1, 2, 1]), i32s("y_test", &[2], &[0, 2]))).unwrap();
    assert_eq!((set.dims(), set.channels(), set.spatial()), (1, 1, [1, 4]));
    assert_eq!(set.name, "toy");
    assert_eq!(set.task, TaskKind::Classification { classes: 3 });
    assert_eq!(set.train.y, Targets::Classes(vec![0, 1, 2, 1]));
}

#[test]
fn the_kind_of_task_follows_from_the_targets() {
    use TaskKind::*;
    let one_hot = [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0];
    let cases = [
        (i32s("y_train", &[4, 1], &[0, 1, 0, 1]), i32s("y_test", &[2, 1], &[0, 1]), Classification { classes: 2 }),
        (ramp("y_train", &[4]), ramp("y_test", &[2]), Regression { outputs: 1 }),
        (ramp("y_train", &[4, 3]), ramp("y_test", &[2, 3]), Regression { outputs: 3 }),
        (i32s("y_train", &[4, 2], &[7; 8]), i32s("y_test", &[2, 2], &[1; 4]), Regression { outputs: 2 }),
        (u8s("y_train", &[4, 3], &one_hot), u8s("y_test", &[2, 3], &one_hot[..6]), Classification { classes: 3 }),
        (u8s("y_train", &[4, 3], &one_hot), u8s("y_test", &[2, 3], &[1; 6]), MultiLabel { labels: 3 }),
        (u8s("y_train", &[4, 1, 4], &[1; 16]), u8s("y_test", &[2, 1, 4], &[0; 8]), DenseBinary { channels: 1 }),
        (u8s("y_train", &[4, 2, 4], &[9; 32]), u8s("y_test", &[2, 2, 4], &[0; 16]), DenseRegression { channels: 2 }),
        (ramp("y_train", &[4, 1, 4]), ramp("y_test", &[2, 1, 4]), DenseRegression { channels: 1 }),
    ];
    for (train, test, task) in cases {
        let shape = train.shape.clone();
        let set = read(&with_targets(train, test)).unwrap_or_else(|e| panic!("{shape:?}: {e}"));
        assert_eq!(set.task, task, "{shape:?}");
    }
}

#[test]
fn fields_without_a_channel_axis_are_given_one() {
    let entries = [
        ramp("x_train", &[2, 3, 4, 5]),
        ramp("y_train", &[2, 4, 5]),
        ramp("x_test", &[1, 3, 4, 5]),
        ramp("y_test", &[1, 4, 5]),
    ];
    let set = read(&entries).unwrap();
    assert_eq!(set.task, TaskKind::DenseRegression { channels: 1 });
    assert_eq!(set.train.y.shape(), [2, 1, 4, 5]);
}

#[test]
fn the_kind_of_task_can_be_told() {
    let labels = archive(&with_targets(f32s("y_train", &[4], &[0., 1., 1., 0.]), f32s("y_test", &[2], &[0., 1.])));
    assert_eq!(read_as(&labels, Some(TaskName::Classification)).unwrap().task, TaskKind::Classification { classes: 2 });
    assert_eq!(read_as(&labels, Some(TaskName::MultiLabel)).unwrap().task, TaskKind::MultiLabel { labels: 1 });
    let field = archive(&with_targets(ramp("y_train", &[4, 4]), ramp("y_test", &[2, 4])));
    assert_eq!(read_as(&field, None).unwrap().task, TaskKind::Regression { outputs: 4 });
    let dense = read_as(&field, Some(TaskName::DenseRegression)).unwrap();
    assert_eq!((dense.task, dense.test.y.shape()), (TaskKind::DenseRegression { channels: 1 }, vec![2, 1, 4]));
    let hot = [1, 0, 0, 1, 1, 0, 0, 1];
    let one_hot = archive(&with_targets(u8s("y_train", &[4, 2], &hot), u8s("y_test", &[2, 2], &hot[..4])));
    assert_eq!(read_as(&one_hot, Some(TaskName::MultiLabel)).unwrap().task, TaskKind::MultiLabel { labels: 2 });
}

#[test]
fn samples_without_a_label_are_read_and_said_once() {
    use crate::labeled::{KnownTargets, open_labeled};
    use crate::tests::readers::{folder, open_with};
    // The labels of eight samples, of which the last two are for testing, and what is said.
    let cases: [(&[u8], Option<&str>); 4] = [
        (
            &[0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0],
            Some("1 of 8 samples has no label, and counts like any other"),
        ),
        (&[0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0], Some("2 of 8 samples have no label")),
        // At most one label, which are no classes then.
        (&[0, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0], Some("1 of 8 samples has no label")),
        (&[0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0], None),
    ];
    for (labels, expected) in cases {
        let entries = [
            ramp("x_train", &[6, 1, 4]),
            u8s("y_train", &[6, 2], &labels[..12]),
            ramp("x_test", &[2, 1, 4]),
            u8s("y_test", &[2, 2], &labels[12..]),
        ];
        let files = folder(&[
            ("a.npz", &archive(&entries)),
            ("b.npz", &archive(&[ramp("x", &[6, 1, 4]), u8s("y", &[6, 2], &labels[..12])])),
        ]);
        let set = open_with(&files, "a.npz", &ReadOptions::default()).unwrap();
        assert_eq!(set.task, TaskKind::MultiLabel { labels: 2 });
        let said =
            |notes: &[String]| notes.iter().filter(|note| note.contains("no label")).cloned().collect::<Vec<_>>();
        let notes = said(&set.origin.notes);
        assert_eq!(notes.len(), usize::from(expected.is_some()), "{notes:?}");
        assert!(expected.is_none_or(|words| notes[0].contains(words)), "{notes:?}");
        // The first six of them as new data.
        let known = KnownTargets { task: set.task, classes: None, unknown: None, transforms: &[] };
        let new = open_labeled(&files.path().join("b.npz"), &set.reading.of_model(&set.read_as), known).unwrap();
        let empty = labels[..12].chunks(2).filter(|row| row.iter().all(|&v| v == 0)).count();
        assert_eq!(said(&new.origin.notes).len(), usize::from(empty > 0));
        assert_eq!(new.y.values().unwrap().data, labels[..12].iter().map(|&v| f32::from(v)).collect::<Vec<_>>());
    }
}

#[test]
fn validation_and_class_names_are_read() {
    let mut entries = with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
    entries.push(ramp("x_val", &[3, 1, 4]));
    entries.push(i32s("y_val", &[3], &[1, 1, 0]));
    let text: Vec<u8> = "non\0été\0".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    entries.push(entry("classes", "<U4", &[2], text));
    let set = read(&entries).unwrap();
    assert_eq!(set.val.as_ref().unwrap().y, Targets::Classes(vec![1, 1, 0]));
    assert_eq!(set.test.len(), 2);
    assert_eq!(set.classes.as_deref(), Some(&["non".to_string(), "été".to_string()][..]));
}

#[test]
fn what_is_saved_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut entries = with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
    entries.push(ramp("x_val", &[3, 1, 4]));
    entries.push(i32s("y_val", &[3], &[1, 1, 0]));
    let mut multi = vec![1, 0, 1, 1, 1, 0, 0, 1];
    let mask: Vec<u8> = (0..24).map(|i| u8::from(i % 3 == 0)).collect();
    let sets = [
        read(&entries).unwrap().with_classes(vec!["a".into(), "long name é".into()]).unwrap(),
        read(&with_targets(u8s("y_train", &[4, 2], &multi), u8s("y_test", &[2, 2], &multi.split_off(4)))).unwrap(),
        read(&with_targets(u8s("y_train", &[4, 1, 4], &mask[..16]), u8s("y_test", &[2, 1, 4], &mask[16..]))).unwrap(),
        read(&with_targets(ramp("y_train", &[4, 3, 4]), ramp("y_test", &[2, 3, 4]))).unwrap(),
    ];
    for set in sets {
        let path = folder.path().join("toy.npz");
        crate::npz::save(&set, &path).unwrap();
        let mut read = crate::npz::load(&path, &Default::default()).unwrap();
        assert_eq!(read.origin.files, [path.display().to_string()]);
        read.origin = set.origin.clone();
        read.facts = set.facts.clone();
        assert_eq!(read, set);
    }
}

/// Each error names the file and has the words that its reader needs.
fn refused(result: Result<Dataset, DataError>, words: &[&str]) -> DataError {
    let error = result.expect_err(&format!("accepted, but should say {words:?}"));
    let text = error.to_string();
    for word in ["folder/toy.npz"].iter().chain(words) {
        assert!(text.contains(word), "`{text}` does not say `{word}`");
    }
    error
}

#[test]
fn broken_archives_are_refused() {
    refused(read_as(b"no archive at all", None), &["not an .npz archive"]);
    let mut entries = with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
    let good = archive(&entries);
    refused(read_as(&good[..good.len() / 2], None), &["not an .npz archive"]);

    let mut damaged = good.clone();
    let at = damaged.windows(4).position(|w| w == 3.0f32.to_le_bytes()).unwrap();
    damaged[at] ^= 1;
    refused(read_as(&damaged, None), &["x_train", "damaged"]);

    entries.remove(1);
    let error = refused(read(&entries), &["targets (an array named y_train)", "x_test", "x_train", "y_test"]);
    assert!(matches!(error, DataError::Incomplete { .. }));
    assert!(error.hint().unwrap().contains("y_train"));
}

#[test]
fn false_headers_are_refused() {
    let files = |x: Vec<u8>| {
        let rest = with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
        let mut files: Vec<_> = rest[1..].iter().map(|e| (format!("{}.npy", e.name), npy(e))).collect();
        files.insert(0, ("x_train.npy".into(), x));
        zipped(&files)
    };
    let case =
        |descr: &'static str, shape: &[usize]| read_as(&files(npy(&entry("x_train", descr, shape, vec![0; 64]))), None);
    refused(case("<f4", &[4, 1, 5]), &["x_train", "calls for", "but it has"]);
    refused(case("<f4", &[usize::MAX, 1, 4]), &["x_train", "overflows"]);
    refused(case("<f4", &[1 << 40, 1, 4]), &["x_train", "calls for"]);
    refused(case("|O", &[4, 1, 4]), &["x_train", "dtype |O", "not supported"]);
    refused(case("<c8", &[2, 1, 4]), &["x_train", "dtype <c8"]);
    refused(case("<U4", &[1, 1, 4]), &["x_train", "text"]);
    let nested = [b"\x93NUMPY\x01\x00\x10\x27".to_vec(), vec![b'['; 10_000]].concat();
    refused(read_as(&files(nested), None), &["x_train", "header"]);
    let long = [b"\x93NUMPY\x02\x00\xff\xff\xff\xff".to_vec(), vec![b' '; 100]].concat();
    refused(read_as(&files(long), None), &["x_train", "too long"]);
    refused(read_as(&files(b"PK".to_vec()), None), &["x_train", "too early"]);
}

#[test]
fn more_memory_than_allowed_is_not_taken() {
    let bytes = archive(&with_targets(i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1])));
    let load = |max_bytes| {
        let options = ReadOptions { max_bytes, ..Default::default() };
        crate::npz::load_from(Cursor::new(&bytes), Path::new("folder/toy.npz"), &options)
    };
    // 16 + 4 + 8 + 2 numbers of 4 bytes.
    load(120).unwrap();
    refused(load(119), &["y_test", "120 bytes", "limit of 119"]);
    refused(load(63), &["x_train", "64 bytes"]);
}

#[test]
fn shapes_and_values_that_do_not_fit_are_refused() {
    let y = || (i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
    let with = |x_train: Entry, x_test: Entry| {
        let (a, b) = y();
        read(&[x_train, a, x_test, b])
    };
    refused(with(ramp("x_train", &[4]), ramp("x_test", &[2])), &["x_train", "[4]", "N×C×L"]);
    refused(with(ramp("x_train", &[4, 0, 4]), ramp("x_test", &[2, 1, 4])), &["x_train", "size 0"]);
    refused(with(ramp("x_train", &[0, 1, 4]), ramp("x_test", &[2, 1, 4])), &["x_train", "empty"]);
    refused(with(ramp("x_train", &[4, 1, 4]), ramp("x_test", &[0, 1, 4])), &["x_test", "empty"]);
    refused(with(ramp("x_train", &[4, 1, 4]), ramp("x_test", &[2, 1, 5])), &["x_test", "[2, 1, 5]", "[1, 4]"]);
    refused(with(ramp("x_train", &[5, 1, 4]), ramp("x_test", &[2, 1, 4])), &["`x_train` has 5", "`y_train` has 4"]);
    let mut values = vec![0.0; 16];
    values[6] = f32::NAN;
    refused(with(f32s("x_train", &[4, 1, 4], &values), ramp("x_test", &[2, 1, 4])), &["x_train[1, 0, 2] is NaN"]);
    let huge = [0f64, 1e300, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    refused(
        with(ramp("x_train", &[4, 1, 4]), entry("x_test", "<f8", &[2, 1, 4], huge)),
        &["x_test[0, 0, 1] is inf", "float32"],
    );
    refused(read(&with_targets(ramp("y_train", &[4, 2, 2]), ramp("y_test", &[2, 2, 2]))), &["y_train", "[4, 2, 2]"]);
    refused(
        read(&with_targets(f32s("y_train", &[4], &[0., 1., f32::INFINITY, 0.]), ramp("y_test", &[2]))),
        &["y_train[2] is inf", "finite"],
    );
    refused(
        read(&with_targets(ramp("y_train", &[4, 2]), ramp("y_test", &[2, 3]))),
        &["y_test", "[2, 3]", "regression"],
    );
}

#[test]
fn an_archives_shapes_are_what_the_contract_says() {
    let labels = || (i32s("y_train", &[4], &[0, 1, 0, 1]), i32s("y_test", &[2], &[0, 1]));
    let with = |sizes: &[usize]| {
        let (y_train, y_test) = labels();
        let of = |n: usize| [&[n], sizes].concat();
        read(&[ramp("x_train", &of(4)), y_train, ramp("x_test", &of(2)), y_test]).unwrap()
    };
    // As many channels as points, and sizes that look like a last axis of channels.
    for sizes in [&[8, 8][..], &[12, 12], &[9, 5, 1], &[9, 5, 3], &[16, 6, 4]] {
        let set = with(sizes);
        assert_eq!(set.train.x.shape[1..], *sizes);
        assert_eq!(set.train.x.data[..20], (0..20).map(|v| v as f32).collect::<Vec<_>>());
        assert!(set.origin.notes.iter().any(|n| n.contains("`data.layout`")), "{:?}", set.origin.notes);
    }
    assert!(with(&[3, 8]).origin.notes.is_empty());
    // Fields of as many channels as the inputs.
    let dense = [("x_train", 4), ("y_train", 4), ("x_test", 2), ("y_test", 2)].map(|(name, n)| ramp(name, &[n, 9, 5]));
    let set = read(&dense).unwrap();
    assert_eq!((set.task, &set.train.x.shape[..]), (TaskKind::DenseRegression { channels: 9 }, &[4, 9, 5][..]));
    // Asked for, it is otherwise; and other names promise nothing.
    let (y_train, y_test) = labels();
    let bytes = archive(&[ramp("x_train", &[4, 8, 8]), y_train, ramp("x_test", &[2, 8, 8]), y_test]);
    let options = ReadOptions { layout: Some(Layout::NoChannels), ..Default::default() };
    let set = crate::npz::load_from(Cursor::new(bytes), Path::new("toy.npz"), &options).unwrap();
    assert_eq!(set.train.x.shape, [4, 1, 8, 8]);
    let (y_train, y_test) = labels();
    let images = archive(&[ramp("images_train", &[4, 8, 8]), y_train, ramp("images_test", &[2, 8, 8]), y_test]);
    assert_eq!(read_as(&images, None).unwrap().train.x.shape, [4, 1, 8, 8]);
}
