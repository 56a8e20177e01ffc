//! Files of every format, made by the tests.

use crate::tests::*;
use dashnas_formats::ends;
use dashnas_formats::tables::csv;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

pub(super) fn open_with(folder: &TempDir, name: &str, options: &ReadOptions) -> Result<Dataset, DataError> {
    open(&folder.path().join(name), options)
}

fn opened(folder: &TempDir, name: &str) -> Dataset {
    open_with(folder, name, &ReadOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn classes(split: &Split) -> Vec<u32> {
    split.y.classes().unwrap().to_vec()
}

const TRAIN_TS: &str = "# made\n@problemName Toy\n@univariate false\n@classLabel true b a\n@data\n\
    1,2,3:4,5,6:a\n7,8,9:1,2,3:b\n0,0,1:0,1,0:a\n";
const TEST_TS: &str = "@classLabel true b a\n@data\n9,9,9:8,8,8:b\n1,1,1:2,2,2:a\n";

#[test]
fn ts_files_are_paired_by_name_in_every_way_of_naming_them() {
    let folder = folder(&[("Toy_TRAIN.ts", TRAIN_TS.as_bytes()), ("Toy_TEST.ts", TEST_TS.as_bytes())]);
    for name in ["Toy_TRAIN.ts", "Toy_TEST.ts", "Toy", "."] {
        let set = opened(&folder, name);
        assert_eq!((set.train.x.shape.as_slice(), set.test.len()), ([3, 2, 3].as_slice(), 2), "{name}");
        // The classes are in the order of the header.
        assert_eq!(set.classes.as_deref(), Some(&["b".to_owned(), "a".to_owned()][..]));
        assert_eq!(classes(&set.train), [1, 0, 1]);
        assert_eq!(set.train.x.row(0), [1., 2., 3., 4., 5., 6.]);
    }
    assert_eq!(opened(&folder, "Toy_TEST.ts").name, "Toy");
}

#[test]
fn unequal_lengths_are_padded_cut_or_resampled() {
    let train = "@targetlabel true\n@data\n1,2,3,4:0.5\n2,4:1.5\n";
    let folder = folder(&[
        ("u_TRAIN.ts", train.as_bytes()),
        ("u_TEST.ts", b"@targetlabel true\n@data\n1,1,1,1,1,1:2.5\n5,6:7\n"),
    ]);
    let rows = |lengths| {
        let set = open_with(&folder, "u_TRAIN.ts", &ReadOptions { lengths, ..Default::default() }).unwrap();
        assert_eq!(set.task, TaskKind::Regression { outputs: 1 });
        (set.train.x.row(0).to_vec(), set.train.x.row(1).to_vec(), set.test.x.row(0).len())
    };
    assert_eq!(rows(Lengths::Pad), (vec![1., 2., 3., 4.], vec![2., 4., 0., 0.], 4));
    assert_eq!(rows(Lengths::Truncate), (vec![1., 2.], vec![2., 4.], 2));
    let (first, second, _) = rows(Lengths::Resample);
    assert_eq!(first, [1., 2., 3., 4.]);
    for (v, expected) in second.iter().zip([2.0, 2.0 + 2.0 / 3.0, 2.0 + 4.0 / 3.0, 4.0]) {
        assert!((v - expected).abs() < 1e-6, "{second:?}");
    }
    let masked = ReadOptions { lengths: Lengths::Mask, ..Default::default() };
    let set = open_with(&folder, "u_TRAIN.ts", &masked).unwrap();
    assert_eq!(set.train.x.row(0), [1., 2., 3., 4.]);
    assert_eq!(set.train.x.row(1)[..2], [2., 4.]);
    assert!(set.train.x.row(1)[2..].iter().all(|v| v.is_nan()));
    assert_eq!(ends::length(set.test.x.row(0), 4), 4, "it is cut off");
    assert!(set.origin.notes.iter().any(|n| n.contains("kept, and masked up to 4")), "{:?}", set.origin.notes);
    // Statistics are those of the values before the ends.
    let range = set.inspect().unwrap().inputs[0];
    assert_eq!((range.min, range.max, range.mean), (1.0, 4.0, 16.0 / 6.0));
    let set = opened(&folder, "u");
    assert_eq!(set.reading.length, Some(4));
    assert!(set.origin.notes.iter().any(|n| n.contains("2 to 6 long")), "{:?}", set.origin.notes);
}

#[test]
fn missing_values_are_refused_with_their_place_or_filled() {
    let train = "1\t1\tNaN\t3\t5\n2\t4\t5\t6\tNaN\n1\tNaN\t1\t1\t1\n2\t0\t1\t0\t1\n";
    let folder = folder(&[("m_TRAIN.tsv", train.as_bytes()), ("m_TEST.tsv", b"1\t1\t1\t1\t1\n2\t2\t2\t2\t2\n")]);
    let error = open_with(&folder, "m_TRAIN.tsv", &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().ends_with("m_TRAIN.tsv:1: column 3: the value is missing"), "{error}");
    assert!(error.hint().unwrap().contains("data.fill-missing"));
    let filled = |fill| {
        let options = ReadOptions { fill_missing: Some(fill), ..Default::default() };
        open_with(&folder, "m_TRAIN.tsv", &options).unwrap().train.x.data
    };
    assert_eq!(filled(Fill::Linear)[..12], [1., 2., 3., 5., 4., 5., 6., 6., 1., 1., 1., 1.]);
    assert_eq!(filled(Fill::Zero)[..8], [1., 0., 3., 5., 4., 5., 6., 0.]);
    assert_eq!(filled(Fill::Mean)[..8], [1., 3., 3., 5., 4., 5., 6., 5.]);
}

#[test]
fn missing_values_at_the_ends_only_say_that_series_are_shorter() {
    let folder = folder(&[
        ("e_TRAIN.tsv", b"1\t1\t2\tNaN\n-1\t1\t2\t3\n1\t4\tNaN\tNaN\n"),
        ("e_TEST.tsv", b"1\t1\t1\t1\n-1\t1\t1\t1\n"),
    ]);
    let set = opened(&folder, "e_TRAIN.tsv");
    assert_eq!(set.train.x.data, [1., 2., 0., 1., 2., 3., 4., 0., 0.]);
    // Labels are numbered in the order of their values.
    assert_eq!(classes(&set.train), [1, 0, 1]);
    assert_eq!(set.classes.as_deref(), Some(&["-1".to_owned(), "1".to_owned()][..]));
}

#[test]
fn arff_files_are_read_relational_or_not() {
    let plain =
        "% made\n@relation toy\n@attribute t0 numeric\n@attribute 't 1' real\n@attribute target {1, 2}\n@data\n";
    let relational = "@relation toy\n@attribute series relational\n@attribute a0 numeric\n@attribute a1 numeric\n\
        @end series\n@attribute activity{Walk,'Stand Still'}\n@data\n\
        \"1,2\\n3,4\",Walk\n\"5,6\\n7,8\",'Stand Still'\n";
    let folder = folder(&[
        ("p_TRAIN.arff", format!("{plain}1,2,1\n3,4,2\n").as_bytes()),
        ("p_TEST.arff", format!("{plain}5,6,2\n").as_bytes()),
        ("r_TRAIN.arff", relational.as_bytes()),
        ("r_TEST.arff", relational.as_bytes()),
    ]);
    let set = opened(&folder, "p_TRAIN.arff");
    assert_eq!((set.train.x.shape.as_slice(), set.train.x.data.as_slice()), (&[2, 1, 2][..], &[1., 2., 3., 4.][..]));
    assert_eq!(classes(&set.test), [1]);
    let set = opened(&folder, "r_TRAIN.arff");
    assert_eq!(set.train.x.shape, [2, 2, 2]);
    assert_eq!(set.train.x.data, [1., 2., 3., 4., 5., 6., 7., 8.]);
    assert_eq!(set.classes.as_deref(), Some(&["Walk".to_owned(), "Stand Still".to_owned()][..]));
}

/// Twelve rows of three values and a label.
fn csv_rows(header: &str, label_first: bool) -> String {
    let mut text = header.to_owned();
    for i in 0..12 {
        let values = format!("{}.5,{},-{i}", i, i * 2);
        let label = ["cat", "dog"][i % 2];
        text += &if label_first { format!("{label},{values}\n") } else { format!("{values},{label}\n") };
    }
    text
}

#[test]
fn csv_labels_are_found_by_name_position_or_kind() {
    let folder = folder(&[
        ("named.csv", csv_rows("a,b,c,class\n", false).as_bytes()),
        ("bare.csv", csv_rows("", true).as_bytes()),
        ("odd.csv", csv_rows("what,a,b,c\n", true).as_bytes()),
    ]);
    for name in ["named.csv", "bare.csv", "odd.csv"] {
        let set = opened(&folder, name);
        assert_eq!(set.task, TaskKind::Classification { classes: 2 }, "{name}");
        assert_eq!((set.train.len(), set.test.len()), (10, 2), "{name}");
        assert_eq!(set.train.x.shape[1..], [1, 3]);
        assert!(set.origin.notes.iter().any(|n| n.contains("no test split")), "{:?}", set.origin.notes);
    }
    let read = |name: &str, targets: &str| {
        open_with(&folder, name, &ReadOptions { targets: Some(targets.into()), ..Default::default() })
    };
    assert_eq!(read("bare.csv", "0").unwrap().classes.unwrap(), ["cat", "dog"]);
    assert_eq!(read("named.csv", "-1").unwrap().classes.unwrap(), ["cat", "dog"]);
    assert_eq!(read("odd.csv", "what").unwrap().classes.unwrap(), ["cat", "dog"]);
    // A column of numbers as target is regression.
    let numbers = "a,b,price\n".to_owned() + &(0..10).map(|i| format!("{i},{},{}.25\n", i * i, i)).collect::<String>();
    fs::write(folder.path().join("numbers.csv"), numbers).unwrap();
    assert_eq!(read("numbers.csv", "price").unwrap().task, TaskKind::Regression { outputs: 1 });
    let error = read("named.csv", "klass").unwrap_err();
    assert!(error.to_string().contains("no label column `klass`"), "{error}");
}

#[test]
fn csv_quotes_separators_and_line_ends() {
    let text = "\"a\"; \"b;c\" ;label\r\n1;2;\"x\"\"y\"\r\n\r\n3;4;\"z\nw\"\r\n5;6;q\r\n";
    let rows = csv::all(Path::new("t.csv"), text).unwrap();
    let expected: [(usize, [&str; 3]); 4] =
        [(1, ["a", "b;c", "label"]), (2, ["1", "2", "x\"y"]), (4, ["3", "4", "z\nw"]), (6, ["5", "6", "q"])];
    assert_eq!(rows.len(), 4);
    for ((line, fields), (l, f)) in rows.iter().zip(expected) {
        assert_eq!((*line, fields.iter().map(String::as_str).collect::<Vec<_>>()), (l, f.to_vec()));
    }
}

#[test]
fn csv_sequences_are_one_hot_with_unknown_letters_zero() {
    let rows: String = (0..8).map(|i| format!("{},id{i},{}\n", ["EI", "N"][i % 2], "ACGTNacgu")).collect();
    let folder = folder(&[("dna.csv", format!("Class, Name,   Sequence\n{rows}").as_bytes())]);
    let set = opened(&folder, "dna.csv");
    assert_eq!(set.train.x.shape[1..], [4, 9]);
    let x = set.train.x.row(0);
    // A C G T N a c g u
    for (letter, at) in [(0, 0), (1, 1), (2, 2), (3, 3), (0, 5), (1, 6), (2, 7), (3, 8)] {
        assert_eq!(x[letter * 9 + at], 1.0);
    }
    assert_eq!(x.iter().sum::<f32>(), 8.0);
    assert_eq!(set.reading.alphabet.as_deref(), Some("ACGT"));
    let name = set.origin.columns.iter().find(|column| column.name == "Name").unwrap();
    assert_eq!(name.role, dashnas_formats::account::ColumnRole::LeftOut);
}

#[test]
fn groups_stay_on_one_side() {
    let mut text = "a,b,label,patient\n".to_owned();
    for i in 0..40 {
        text += &format!("{i},{},{},p{}\n", i * 3, i % 2, i / 4);
    }
    let folder = folder(&[("g.csv", text.as_bytes())]);
    let set = opened(&folder, "g.csv");
    let patients = |split: &Split| {
        let of = |i| (split.x.row(i)[0] as usize) / 4;
        (0..split.len()).map(of).collect::<std::collections::BTreeSet<usize>>()
    };
    assert!(patients(&set.train).is_disjoint(&patients(&set.test)));
    assert_eq!(set.test.len(), 8);
    let groups = set.groups.as_ref().and_then(|groups| groups.train.as_deref()).unwrap();
    let (fit, held) = split_validation(&set.train.y, Some(groups), 0.25, 3);
    assert!(held.iter().all(|&i| fit.iter().all(|&j| groups[i] != groups[j])) && !held.is_empty());
}

#[test]
fn fasta_files_are_classes_or_have_labels_in_their_headers() {
    let folder = folder(&[
        ("two/pos.fa", b">a\nACGTACGT\nAC\n>b\nAAAACCCC\n>c\nGGGGGGGG\n>d\nGGGGGGGA\n>e\nGGGGGGGT\n"),
        ("two/neg.fa", b">x\nTTTTTTTT\n>y\nTTTTTTTA\n>z\nTTTTTTTC\n>v\nTATATATA\n>w\nTCTCTCTC\n"),
        ("one.fasta", b">a|helix\nMKVLAWRD\n>b|sheet\nMKVLAWRE\n>c|helix\nWKVLAWRD\n>d|sheet\nMKWLAWRD\n"),
    ]);
    let set = opened(&folder, "two");
    assert_eq!(set.classes.as_deref(), Some(&["neg".to_owned(), "pos".to_owned()][..]));
    assert_eq!((set.train.x.shape[1..].to_vec(), set.train.len(), set.test.len()), (vec![4, 10], 8, 2));
    let set = opened(&folder, "one.fasta");
    assert_eq!((set.train.x.shape[1], set.classes.unwrap()), (20, vec!["helix".to_owned(), "sheet".to_owned()]));
    // Without labels there is nothing to learn, but there is something to predict.
    let alone = open_with(&folder, "two/pos.fa", &ReadOptions::default()).unwrap_err();
    assert!(matches!(alone, DataError::Incomplete { .. }), "{alone}");
    let inputs = open_inputs(&folder.path().join("two/pos.fa"), &set.reading).unwrap();
    assert_eq!((inputs.x.shape, inputs.labels), (vec![5, 20, 8], None));
}

/// An IDX file of bytes.
pub(super) fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut out = vec![0, 0, 8, shape.len() as u8];
    out.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    out.extend(data);
    out
}

pub(super) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn idx_files_are_read_packed_or_not() {
    let images: Vec<u8> = (0..10 * 64).map(|v| v as u8).collect();
    let labels = [3, 1, 3, 1, 3, 1, 3, 1, 3, 1];
    let folder = folder(&[
        ("train-images-idx3-ubyte.gz", &gz(&idx(&[10, 8, 8], &images))),
        ("train-labels-idx1-ubyte.gz", &gz(&idx(&[10], &labels))),
        ("t10k-images-idx3-ubyte", &idx(&[10, 8, 8], &images)),
        ("t10k-labels-idx1-ubyte", &idx(&[10], &labels)),
    ]);
    for name in [".", "train-images-idx3-ubyte.gz"] {
        let set = opened(&folder, name);
        assert_eq!((set.train.x.shape.as_slice(), set.test.len()), (&[10, 1, 8, 8][..], 10));
        assert_eq!((set.train.x.row(1)[0], classes(&set.train)[0]), (64.0, 1));
        assert_eq!(set.classes.unwrap(), ["1", "3"]);
    }
}

/// A gray image with these values.
pub(super) fn mask(width: u32, height: u32, value: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let image = image::GrayImage::from_fn(width, height, |x, y| image::Luma([value(x, y)]));
    image.write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

pub(super) fn png(width: u32, height: u32, value: u8) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let pixel = |x: u32, y: u32| image::Luma([value.wrapping_add((x + y * width) as u8)]);
    image::GrayImage::from_fn(width, height, pixel).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let pixel = |_, _| image::Rgb([200u8, 100, 50]);
    image::RgbImage::from_fn(width, height, pixel).write_to(&mut out, image::ImageFormat::Jpeg).unwrap();
    out.into_inner()
}

#[test]
fn image_folders_have_classes_splits_and_labels_files() {
    let (a, b) = (png(4, 3, 10), png(4, 3, 100));
    let split =
        folder(&[("train/cat/1.png", &a), ("train/dog/1.png", &b), ("test/cat/2.png", &a), ("test/dog/2.png", &b)]);
    let set = opened(&split, ".");
    assert_eq!((set.train.x.shape.as_slice(), classes(&set.test)), (&[2, 1, 3, 4][..], vec![0, 1]));
    assert_eq!(set.train.x.row(0), (10..22).map(|v| v as f32).collect::<Vec<_>>());
    let table = b"file,label,split\n1.png,x,train\n2.png,y,train\n3.png,x,test\n4.png,y,test\n";
    let listed = folder(&[("labels.csv", table), ("1.png", &a), ("2.png", &b), ("3.png", &a), ("4.png", &b)]);
    let set = opened(&listed, ".");
    assert_eq!((set.train.len(), classes(&set.test)), (2, vec![0, 1]));
    let color = folder(&[
        ("cat/1.jpg", &jpeg(8, 8)),
        ("cat/2.jpg", &jpeg(8, 8)),
        ("dog/1.jpeg", &jpeg(8, 8)),
        ("dog/2.jpeg", &jpeg(8, 8)),
    ]);
    let set = opened(&color, ".");
    assert_eq!(set.train.x.shape[1..], [3, 8, 8]);
    // Red, green, blue, each a plane; JPEG is not exact.
    for (plane, expected) in [(0, 200.0), (1, 100.0), (2, 50.0)] {
        assert!((set.train.x.row(0)[plane * 64] - expected).abs() < 8.0);
    }
    let gray = open_with(&color, ".", &ReadOptions { channels: Some(1), ..Default::default() }).unwrap();
    assert_eq!(gray.train.x.shape[1], 1);
}

#[test]
fn images_of_different_sizes_are_resized_on_request() {
    let files = folder(&[
        ("a/1.png", &png(4, 4, 0)),
        ("a/2.png", &png(8, 4, 0)),
        ("b/1.png", &png(4, 4, 50)),
        ("b/2.png", &png(4, 4, 50)),
    ]);
    let error = open_with(&files, ".", &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("2.png") && error.contains("1.png") && error.contains("4×8"), "{error}");
    let set = open_with(&files, ".", &ReadOptions { resize: Some([6, 5]), ..Default::default() }).unwrap();
    assert_eq!(set.train.x.shape[1..], [1, 6, 5]);
    // A ramp stays a ramp, within its range.
    assert!(set.train.x.data.iter().all(|v| (0.0..=255.0).contains(v)));
}

#[test]
fn masks_of_the_same_names_make_a_dense_task() {
    let half = |on: bool| mask(4, 4, |x, _| if (x < 2) == on { 255 } else { 0 });
    let files = folder(&[
        ("image/0.png", &png(4, 4, 0)),
        ("image/1.png", &png(4, 4, 9)),
        ("label/0.png", &half(true)),
        ("label/1.png", &half(false)),
    ]);
    let set = opened(&files, ".");
    assert_eq!(set.task, TaskKind::DenseBinary { channels: 1 });
    assert_eq!((set.train.y.shape(), set.test.len()), (vec![1, 1, 4, 4], 1));
    assert_eq!(set.train.y.values().unwrap().data.iter().sum::<f32>(), 8.0);
}

pub(super) fn wav(rate: u32, samples: usize, hertz: f64) -> Vec<u8> {
    let spec =
        hound::WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut out = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
    for i in 0..samples {
        let v = (2.0 * std::f64::consts::PI * hertz * i as f64 / f64::from(rate)).sin();
        writer.write_sample((v * 20_000.0) as i16).unwrap();
    }
    writer.finalize().unwrap();
    out.into_inner()
}

#[test]
fn sound_becomes_spectrograms_and_may_have_several_labels() {
    let (low, high) = (wav(8000, 1600, 300.0), wav(8000, 800, 2000.0));
    let table =
        b"fname,labels,split\nlow1,\"hum,tone\",train\nhigh1,tone,train\nlow2,\"hum,tone\",test\nhigh2,tone,test\n";
    let files = folder(&[
        ("meta.csv", table),
        ("clips/low1.wav", &low),
        ("clips/high1.wav", &high),
        ("clips/low2.wav", &low),
        ("clips/high2.wav", &high),
    ]);
    let options = ReadOptions { audio_rate: 8000, mel_bands: 32, ..Default::default() };
    let set = open_with(&files, ".", &options).unwrap();
    assert_eq!(set.task, TaskKind::MultiLabel { labels: 2 });
    // 1600 samples at a hop of 80, and one.
    assert_eq!(set.train.x.shape, [2, 1, 32, 21]);
    assert_eq!(set.train.y.values().unwrap().data, [1., 1., 0., 1.]);
    // The shorter clip ends in silence.
    assert_eq!(set.train.x.row(1)[20], 1e-10f32.ln());
    let loudest = |row: &[f32]| (0..32).max_by(|a, b| row[a * 21 + 5].total_cmp(&row[b * 21 + 5])).unwrap();
    assert!(loudest(set.train.x.row(0)) + 8 < loudest(set.train.x.row(1)));
}

#[test]
fn folders_of_arrays_and_single_arrays_are_read() {
    let x = npy(&ramp("x", &[10, 1, 4]));
    let y = npy(&i32s("y", &[10], &[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]));
    let bare = folder(&[("X.npy", &x), ("y.npy", &y)]);
    for name in [".", "X.npy"] {
        let set = opened(&bare, name);
        assert_eq!((set.train.len(), set.test.len()), (8, 2), "{name}");
    }
    let split = folder(&[("x_train.npy", &x), ("y_train.npy", &y), ("x_test.npy", &x), ("y_test.npy", &y)]);
    assert_eq!(opened(&split, "x_train.npy").test.len(), 10);
    let lone = folder(&[("field.npy", &x)]);
    let error = open_with(&lone, "field.npy", &ReadOptions::default()).unwrap_err();
    assert!(matches!(&error, DataError::Incomplete { contents, .. } if contents == &["field 10×1×4 f32"]), "{error}");
    assert_eq!(open_inputs(&lone.path().join("field.npy"), &ReadOptions::default()).unwrap().x.shape, [10, 1, 4]);
}

#[test]
fn hdf5_arrays_are_read_contiguous_and_packed() {
    let mut builder = hdf5_pure::FileBuilder::new();
    let x: Vec<f32> = (0..96).map(|v| v as f32).collect();
    builder.create_dataset("x_train").with_f32_data(&x).with_shape(&[8, 1, 12]);
    builder.create_dataset("y_train").with_i32_data(&[5, 9, 5, 9, 5, 9, 5, 9]).with_shape(&[8]);
    let mut group = builder.create_group("held out");
    group
        .create_dataset("x_test")
        .with_f64_data(&x.iter().map(|&v| f64::from(v)).collect::<Vec<_>>())
        .with_shape(&[8, 1, 12]);
    group.create_dataset("y_test").with_i32_data(&[9, 5, 9, 5, 9, 5, 9, 5]).with_shape(&[8]);
    builder.add_group(group.finish());
    let files = folder(&[("set.h5", &builder.finish().unwrap())]);
    let set = opened(&files, "set.h5");
    assert_eq!((set.train.x.data.clone(), classes(&set.test)), (x, vec![1, 0, 1, 0, 1, 0, 1, 0]));
    assert_eq!(set.classes.unwrap(), ["5", "9"]);
}

/// A level 5 element.
pub(super) fn element(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut out = [kind.to_le_bytes(), (body.len() as u32).to_le_bytes()].concat();
    out.extend(body);
    out.resize(out.len().next_multiple_of(8), 0);
    out
}

/// A level 5 matrix of doubles, column by column.
pub(super) fn matrix(name: &str, shape: &[i32], values: &[f64]) -> Vec<u8> {
    let dims: Vec<u8> = shape.iter().flat_map(|d| d.to_le_bytes()).collect();
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let parts =
        [element(6, &[6, 0, 0, 0, 0, 0, 0, 0]), element(5, &dims), element(1, name.as_bytes()), element(9, &data)];
    element(14, &parts.concat())
}

/// A level 5 file with `x` 4×2 and `y`, plain or compressed.
pub(super) fn mat5(compressed: bool) -> Vec<u8> {
    let mut out = vec![b' '; 124];
    out[..10].copy_from_slice(b"MATLAB 5.0");
    out.extend([0, 1, b'I', b'M']);
    // Columns 1..4 and 5..8.
    let x = matrix("x", &[4, 2], &[1., 2., 3., 4., 5., 6., 7., 8.]);
    for variable in [x, matrix("y", &[4, 1], &[1., 2., 1., 2.])] {
        if compressed {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&variable).unwrap();
            let packed = encoder.finish().unwrap();
            out.extend(15u32.to_le_bytes());
            out.extend((packed.len() as u32).to_le_bytes());
            out.extend(packed);
        } else {
            out.extend(variable);
        }
    }
    out
}

/// A level 4 recording `val` of one row.
fn mat4(values: &[i16]) -> Vec<u8> {
    let head = [30u32, 1, values.len() as u32, 0, 4];
    let mut out: Vec<u8> = head.iter().flat_map(|v| v.to_le_bytes()).collect();
    out.extend(b"val\0");
    out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    out
}

#[test]
fn matlab_files_are_read_column_by_column() {
    for compressed in [false, true] {
        let files = folder(&[("set.mat", &mat5(compressed))]);
        let set = opened(&files, "set.mat");
        let mut rows: Vec<Vec<f32>> = [&set.train, &set.test]
            .iter()
            .flat_map(|s| (0..s.len()).map(|i| s.x.row(i).to_vec()).collect::<Vec<_>>())
            .collect();
        rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert_eq!(rows, [[1., 5.], [2., 6.], [3., 7.], [4., 8.]]);
        // Doubles that are whole are classes, numbered anew.
        assert_eq!(set.classes.unwrap(), ["1", "2"]);
    }
}

#[test]
fn recordings_are_labeled_by_a_file_beside_them() {
    let reference = b"A1,N\nA2,AF\nA3,N\nA4,AF\n";
    let files = folder(&[
        ("REFERENCE.csv", reference),
        ("A1.mat", &mat4(&[1, 2, 3])),
        ("A2.mat", &mat4(&[4, 5])),
        ("A3.mat", &mat4(&[6, 7, 8])),
        ("A4.mat", &mat4(&[9, 10])),
    ]);
    let set = opened(&files, ".");
    assert_eq!((set.train.x.shape.as_slice(), set.classes.unwrap()), (&[2, 1, 3][..], vec!["AF".into(), "N".into()]));
}

#[test]
fn channels_last_and_missing_channels_are_seen() {
    let y = || i32s("y", &[4], &[0, 1, 0, 1]);
    let with_x = |shape: &[usize]| {
        let files = folder(&[("x.npy", &npy(&ramp("x", shape))), ("y.npy", &npy(&y()))]);
        opened(&files, ".").train.x
    };
    assert_eq!(with_x(&[4, 6]).shape[1..], [1, 6]);
    assert_eq!(with_x(&[4, 9, 9]).shape[1..], [1, 9, 9]);
    assert_eq!(with_x(&[4, 2, 9]).shape[1..], [2, 9]);
    let last = with_x(&[4, 5, 6, 3]);
    assert_eq!(last.shape[1..], [3, 5, 6]);
    assert_eq!(last.row(0)[..3].iter().map(|v| v - last.row(0)[0]).collect::<Vec<_>>(), [0., 3., 6.]);
}

#[test]
fn prediction_takes_the_same_files_without_labels() {
    let folder =
        folder(&[("new.csv", b"a,b,c\n1,2,3\n4,5,6\n"), ("set.csv", csv_rows("a,b,c,class\n", false).as_bytes())]);
    let set = opened(&folder, "set.csv");
    let inputs = open_inputs(&folder.path().join("new.csv"), &set.reading).unwrap();
    assert_eq!((inputs.x.shape.as_slice(), inputs.x.data.as_slice()), (&[2, 1, 3][..], &[1., 2., 3., 4., 5., 6.][..]));
    let labeled = open_inputs(&folder.path().join("set.csv"), &set.reading).unwrap();
    assert_eq!((labeled.x.rows(), labeled.labels.unwrap().len()), (12, 12));
}

/// Where real samples of every format are, if the environment says so.
fn samples() -> Option<PathBuf> {
    std::env::var_os("DASHNAS_DATA_DIR").map(|f| PathBuf::from(f).join("formats")).filter(|p| p.is_dir())
}

#[test]
fn real_files_of_one_data_set_agree_whatever_their_format() {
    let Some(folder) = samples() else {
        eprintln!("DASHNAS_DATA_DIR is not set: no real file was read");
        return;
    };
    let read = |name: &str| open(&folder.join(name), &ReadOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    for (a, b) in [
        ("ts/ItalyPowerDemand_TRAIN.ts", "arff/ItalyPowerDemand_TRAIN.arff"),
        ("npz/gunpoint_stored.npz", "h5/gunpoint_contiguous.h5"),
    ] {
        let (a, b) = (read(a), read(b));
        assert_eq!((&a.train.y, &a.test.y), (&b.train.y, &b.test.y));
        let same = |a: &Split, b: &Split| a.x.data.iter().zip(&b.x.data).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(same(&a.train, &b.train) && same(&a.test, &b.test));
    }
    let basic = read("arff/BasicMotions_TRAIN.arff");
    assert_eq!(basic.train.x.shape[1..], [6, 100]);
    assert_eq!(read("ts/Tecator").task, TaskKind::Regression { outputs: 1 });
    assert_eq!(read("mat_wfdb").train.x.shape[1], 1);
    assert_eq!(read("jpg_folder").train.x.shape, [15, 3, 32, 32]);
    assert_eq!(read("png_dense").task, TaskKind::DenseBinary { channels: 1 });
    assert_eq!(read("wav").task, TaskKind::Classification { classes: 10 });
    assert_eq!(read("idx").train.x.shape[1..], [1, 28, 28]);
    assert_eq!(read("csv/splice.csv").train.x.shape[1..], [4, 60]);
}
