//! Values that are large and vary little: they are read relative to a number, in every format, without losing digits.

use crate::labeled::{KnownTargets, open_labeled};
use crate::tests::readers::{element, folder, matrix, open_with};
use crate::tests::*;
use dashnas_formats::centers::Centers;
use dashnas_formats::options::Span;
use hdf5_pure::FileBuilder;
use std::sync::Arc;
use tempfile::TempDir;

const SAMPLES: usize = 24;
const CHANNELS: usize = 2;
const LENGTH: usize = 8;
const SHAPE: [usize; 3] = [SAMPLES, CHANNELS, LENGTH];

/// An offset of 1e9 with a variation of 1, and another one in the second channel.
fn value(sample: usize, channel: usize, at: usize) -> f64 {
    let varying = ((sample * 31 + channel * 17 + at * 7) as f64 * 0.618_034).fract();
    [1e9, -3e8][channel] + varying
}

/// All values, sample by sample.
fn values() -> Vec<f64> {
    let of = |i: usize| value(i / (CHANNELS * LENGTH), i / LENGTH % CHANNELS, i % LENGTH);
    (0..SAMPLES * CHANNELS * LENGTH).map(of).collect()
}

fn f64s(name: &'static str, shape: &[usize], values: &[f64]) -> Entry {
    entry(name, "<f8", shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
}

fn labels() -> Vec<i32> {
    (0..SAMPLES as i32).map(|i| i % 2).collect()
}

/// The values column by column.
fn by_column() -> Vec<f64> {
    let at = |p: usize| value(p % SAMPLES, p / SAMPLES % CHANNELS, p / SAMPLES / CHANNELS);
    (0..SAMPLES * CHANNELS * LENGTH).map(at).collect()
}

fn column_name(column: usize) -> String {
    format!("v{column:02}")
}

/// A table with the columns of one sample in a row, as text with this separator between the cells.
fn table(label: &dyn Fn(usize) -> String) -> String {
    let names: Vec<String> = (0..CHANNELS * LENGTH).map(column_name).collect();
    let mut text = format!("label,{}\n", names.join(","));
    for sample in 0..SAMPLES {
        let cells: Vec<String> =
            (0..CHANNELS * LENGTH).map(|c| value(sample, c / LENGTH, c % LENGTH).to_string()).collect();
        text += &format!("{},{}\n", label(sample), cells.join(","));
    }
    text
}

fn class(sample: usize) -> String {
    ["a", "b"][sample % 2].to_owned()
}

fn batch() -> arrow_array::RecordBatch {
    use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
    let column = |c: usize| {
        let values = (0..SAMPLES).map(|sample| Some(value(sample, c / LENGTH, c % LENGTH)));
        (column_name(c), Arc::new(values.collect::<Float64Array>()) as ArrayRef)
    };
    let label = Arc::new((0..SAMPLES).map(|sample| Some(class(sample))).collect::<StringArray>()) as ArrayRef;
    RecordBatch::try_from_iter((0..CHANNELS * LENGTH).map(column).chain([("label".to_owned(), label)])).unwrap()
}

fn parquet_file() -> Vec<u8> {
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch().schema(), None).unwrap();
    writer.write(&batch()).unwrap();
    writer.into_inner().unwrap()
}

fn hdf5(chunked: bool) -> Vec<u8> {
    let mut builder = FileBuilder::new();
    let data = builder.create_dataset("x");
    data.with_f64_data(&values()).with_shape(&SHAPE.map(|n| n as u64));
    if chunked {
        data.with_chunks(&[5, 2, 8]).with_deflate(3);
    }
    builder.create_dataset("y").with_i32_data(&labels()).with_shape(&[SAMPLES as u64]);
    builder.finish().unwrap()
}

/// A file of level 5, in which values are stored column by column.
fn mat5() -> Vec<u8> {
    let mut out = b"MATLAB 5.0 MAT-file".to_vec();
    out.resize(124, b' ');
    out.extend([0, 1, b'I', b'M']);
    let label: Vec<f64> = labels().into_iter().map(f64::from).collect();
    out.extend(matrix("x", &SHAPE.map(|n| n as i32), &by_column()));
    out.extend(matrix("y", &[SAMPLES as i32, 1], &label));
    // An empty element at the end is no variable.
    out.extend(element(14, &[]));
    out
}

/// Every format with a file of the samples: a name, the file and the options.
fn formats() -> Vec<(&'static str, TempDir, String, ReadOptions)> {
    let plain = ReadOptions::default();
    let (x, y) = (|| f64s("x", &SHAPE, &values()), || i32s("y", &[SAMPLES], &labels()));
    let fortran = || Entry { fortran: true, ..f64s("x", &SHAPE, &by_column()) };
    let last = || {
        let of = |i: usize| value(i / (CHANNELS * LENGTH), i % CHANNELS, i / CHANNELS % LENGTH);
        let data: Vec<f64> = (0..SAMPLES * CHANNELS * LENGTH).map(of).collect();
        f64s("x", &[SAMPLES, LENGTH, CHANNELS], &data)
    };
    let channels_last = ReadOptions { layout: Some(Layout::ChannelsLast), ..plain.clone() };
    let divided = ReadOptions { channels: Some(CHANNELS), ..plain.clone() };
    let lines = |sample: usize| {
        let channel = |c: usize| (0..LENGTH).map(|at| value(sample, c, at).to_string()).collect::<Vec<_>>().join(",");
        format!("{{\"x\":[[{}],[{}]],\"label\":\"{}\"}}\n", channel(0), channel(1), class(sample))
    };
    let ts = |sample: usize| {
        let channel = |c: usize| (0..LENGTH).map(|at| value(sample, c, at).to_string()).collect::<Vec<_>>().join(",");
        format!("{}:{}:{}\n", channel(0), channel(1), class(sample))
    };
    let head = "@univariate false\n@classLabel true a b\n@data\n";
    let one = |name: &'static str, file: &str, bytes: Vec<u8>, options: &ReadOptions| {
        (name, folder(&[(file, &bytes)]), file.to_owned(), options.clone())
    };
    vec![
        one("archive", "a.npz", archive(&[x(), y()]), &plain),
        one("packed archive", "a.npz", archive(&[y(), x()]), &plain),
        one("columns", "a.npz", archive(&[fortran(), y()]), &plain),
        one("channels last", "a.npz", archive(&[last(), y()]), &channels_last),
        ("arrays", folder(&[("x.npy", &npy(&x())), ("y.npy", &npy(&y()))]), "x.npy".to_owned(), plain.clone()),
        one("HDF5", "a.h5", hdf5(false), &plain),
        one("packed HDF5", "a.h5", hdf5(true), &plain),
        one("MATLAB", "a.mat", mat5(), &plain),
        one("CSV", "a.csv", table(&class).into_bytes(), &divided),
        one("Parquet", "a.parquet", parquet_file(), &divided),
        one("JSON lines", "a.jsonl", (0..SAMPLES).map(lines).collect::<String>().into_bytes(), &plain),
        one("series", "a.ts", format!("{head}{}", (0..SAMPLES).map(ts).collect::<String>()).into_bytes(), &plain),
    ]
}

/// The rows of all splits as bits, sorted.
fn rows(splits: &[&Array]) -> Vec<Vec<u32>> {
    let bits = |row: &[f32]| row.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    let mut rows: Vec<Vec<u32>> =
        splits.iter().flat_map(|x| (0..x.rows()).map(|i| bits(&x.fetch(i).unwrap()))).collect();
    rows.sort();
    rows
}

/// The samples less the centers, as bits.
fn expected(centers: &[f64]) -> Vec<Vec<u32>> {
    let bits = |(i, v): (usize, &f64)| ((v - centers[i / LENGTH % CHANNELS]) as f32).to_bits();
    let all: Vec<u32> = values().iter().enumerate().map(bits).collect();
    all.chunks(CHANNELS * LENGTH).map(<[u32]>::to_vec).collect()
}

#[test]
fn every_format_keeps_the_digits_of_values_that_are_large_and_vary_little() {
    for (name, files, file, options) in formats() {
        let set = open_with(&files, &file, &options).unwrap_or_else(|e| panic!("{name}: {e}"));
        let centers = &set.reading.centers;
        assert_eq!((centers.inputs.len(), &centers.targets[..]), (CHANNELS, &[][..]), "{name}");
        let near = centers.inputs.iter().zip([1e9, -3e8]).all(|(found, offset)| (found - offset).abs() <= 1.0);
        assert!(near, "{name}: {centers:?}");
        let mut all = expected(&centers.inputs);
        all.sort();
        assert!(rows(&[&set.train.x, &set.test.x]) == all, "{name}");
        let said = [&set.origin.notes[..], &set.origin.warnings[..]].concat().join("\n");
        assert!(
            said.contains("read relative to a number: channel 0 to 1") && !said.contains("32-bit numbers, they"),
            "{name}: {said}"
        );

        // Rows that stay in files have the same bits, and so have the inputs of a model.
        let apart = open_with(&files, &file, &ReadOptions { in_memory: Some(0), ..options.clone() }).unwrap();
        assert_eq!((&apart.reading.centers, rows(&[&apart.train.x, &apart.test.x])), (centers, all), "{name}");
        let kept = set.reading.of_model(&set.read_as);
        let kept: ReadOptions = serde_json::from_str(&serde_json::to_string(&kept).unwrap()).unwrap();
        assert_eq!(&kept.centers, centers, "{name}");
        let inputs = open_inputs(&files.path().join(&file), &kept).unwrap_or_else(|e| panic!("{name}: {e}"));
        let in_order: Vec<Vec<u32>> =
            (0..inputs.x.rows()).map(|i| inputs.x.row(i).iter().map(|v| v.to_bits()).collect()).collect();
        assert!(in_order == expected(&centers.inputs), "{name}");
        // The numbers do not depend on the draw of the test split.
        let other = open_with(&files, &file, &ReadOptions { seed: 9, ..options.clone() }).unwrap();
        assert_eq!((&other.reading.centers, other.train.x == set.train.x), (centers, false), "{name}");
    }
}

#[test]
fn usual_values_are_read_as_they_are() {
    let usual: [&dyn Fn(usize) -> f64; 5] = [
        &|i| (i as f64 * 0.618).fract(),
        &|i| 1013.0 + 10.0 * (i as f64 * 0.618).fract(),
        // Exact in 32 bits, and a constant.
        &|i| 16_000_000.0 + (i % 9) as f64,
        &|_| 101_325.123,
        &|i| 1.7e9 + (i % 100) as f64 * 1e6,
    ];
    for (case, of) in usual.into_iter().enumerate() {
        let x: Vec<f64> = (0..SAMPLES * LENGTH).map(of).collect();
        let bytes = archive(&[f64s("x", &[SAMPLES, 1, LENGTH], &x), i32s("y", &[SAMPLES], &labels())]);
        let set = open_with(&folder(&[("a.npz", &bytes)]), "a.npz", &ReadOptions::default()).unwrap();
        assert!(set.reading.centers.is_empty(), "{case}: {:?}", set.reading.centers);
        let text = serde_json::to_string(&set.reading).unwrap();
        assert!(!text.contains("centers"), "{text}");
    }
    // 32-bit numbers have no digits to keep, and are warned of.
    let x: Vec<f32> = (0..SAMPLES * LENGTH).map(|i| 1e9 + 64.0 * (i % 5) as f32).collect();
    let bytes = archive(&[f32s("x", &[SAMPLES, 1, LENGTH], &x), i32s("y", &[SAMPLES], &labels())]);
    let set = open_with(&folder(&[("a.npz", &bytes)]), "a.npz", &ReadOptions::default()).unwrap();
    assert!(set.reading.centers.is_empty());
    assert!(set.origin.warnings.iter().any(|w| w.contains("32-bit numbers")), "{:?}", set.origin.warnings);
}

#[test]
fn digits_behind_values_that_look_whole_in_32_bits_are_kept() {
    let varying = |i: usize| (i as f64 * 0.618_034).fract();
    let hidden: [&dyn Fn(usize) -> f64; 4] =
        [&|i| 1.2e7 + varying(i), &|i| 9.1e6 + 0.5 * varying(i), &|i| 300.0 + 1e-6 * varying(i), &|i| {
            -1.2e7 + 3.0 * varying(i)
        }];
    for (case, of) in hidden.into_iter().enumerate() {
        let x: Vec<f64> = (0..SAMPLES * LENGTH).map(of).collect();
        let y: Vec<f64> = (0..SAMPLES).map(of).collect();
        let bytes = archive(&[f64s("x", &[SAMPLES, 1, LENGTH], &x), f64s("y", &[SAMPLES], &y)]);
        let set = open_with(&folder(&[("a.npz", &bytes)]), "a.npz", &ReadOptions::default()).unwrap();
        let Centers { inputs, targets } = &set.reading.centers;
        assert_eq!((inputs.len(), targets.len()), (1, 1), "{case}");
        let sorted = |mut values: Vec<f32>| {
            values.sort_by(f32::total_cmp);
            values
        };
        let less = |values: &[f64], center: f64| sorted(values.iter().map(|v| (v - center) as f32).collect());
        let all = sorted([&set.train.x.data[..], &set.test.x.data].concat());
        assert!(all == less(&x, inputs[0]), "{case}");
        let of = |targets: &Targets| targets.values().unwrap().data.clone();
        assert!(sorted([of(&set.train.y), of(&set.test.y)].concat()) == less(&y, targets[0]), "{case}");
    }
}

#[test]
fn values_that_need_no_number_are_the_same_bits_after_the_trial() {
    // The second channel needs a number, the others are whole or constant.
    let of = |i: usize| match i / LENGTH % 3 {
        0 => 16_000_000.0 + (i % 9) as f64,
        1 => 1e9 + (i as f64 * 0.618).fract(),
        _ => 101_325.123,
    };
    let x: Vec<f64> = (0..SAMPLES * 3 * LENGTH).map(of).collect();
    let bytes = archive(&[f64s("x", &[SAMPLES, 3, LENGTH], &x), i32s("y", &[SAMPLES], &labels())]);
    let files = folder(&[("a.npz", &bytes)]);
    for in_memory in [None, Some(0)] {
        let set = open_with(&files, "a.npz", &ReadOptions { in_memory, ..ReadOptions::default() }).unwrap();
        let centers = set.reading.centers.inputs.clone();
        assert!(centers.len() == 3 && centers[0] == 0.0 && centers[1] != 0.0 && centers[2] == 0.0, "{centers:?}");
        let less = |(i, v): (usize, &f64)| ((v - centers[i / LENGTH % 3]) as f32).to_bits();
        let all: Vec<u32> = x.iter().enumerate().map(less).collect();
        let mut all: Vec<Vec<u32>> = all.chunks(3 * LENGTH).map(<[u32]>::to_vec).collect();
        all.sort();
        assert!(rows(&[&set.train.x, &set.test.x]) == all);
    }
}

#[test]
fn whole_numbers_of_64_bits_keep_every_digit() {
    let nanoseconds = |i: usize| 1_700_000_000_000_000_000i64 + (i * 37 % 101) as i64;
    let bytes = (0..SAMPLES * LENGTH).flat_map(|i| nanoseconds(i).to_le_bytes()).collect();
    let x = entry("x", "<i8", &[SAMPLES, 1, LENGTH], bytes);
    let files = folder(&[("a.npz", &archive(&[x, i32s("y", &[SAMPLES], &labels())]))]);
    let set = open_with(&files, "a.npz", &ReadOptions::default()).unwrap();
    let center = set.reading.centers.inputs[0];
    let mut found: Vec<i64> =
        [&set.train.x, &set.test.x].iter().flat_map(|x| x.data.iter().map(|&v| center as i64 + v as i64)).collect();
    found.sort_unstable();
    let mut all: Vec<i64> = (0..SAMPLES * LENGTH).map(nanoseconds).collect();
    all.sort_unstable();
    assert_eq!(found, all);
}

#[test]
fn long_integers_of_tables_series_and_matlab_keep_every_digit() {
    use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    let nanoseconds = |i: usize| 1_700_000_000_000_000_000i64 + (i * 37 % 101) as i64;
    let row = |sample: usize, separator: &str| {
        let cells: Vec<String> = (0..LENGTH).map(|at| nanoseconds(sample * LENGTH + at).to_string()).collect();
        cells.join(separator)
    };
    let names: Vec<String> = (0..LENGTH).map(column_name).collect();
    let mut csv = format!("{},label\n", names.join(","));
    let mut ts = "@univariate true\n@classLabel true a b\n@data\n".to_owned();
    for sample in 0..SAMPLES {
        csv += &format!("{},{}\n", row(sample, ","), class(sample));
        ts += &format!("{}:{}\n", row(sample, ","), class(sample));
    }
    let column = |at: usize| {
        let values: Int64Array = (0..SAMPLES).map(|sample| Some(nanoseconds(sample * LENGTH + at))).collect();
        (column_name(at), Arc::new(values) as ArrayRef)
    };
    let label = Arc::new((0..SAMPLES).map(|sample| Some(class(sample))).collect::<StringArray>()) as ArrayRef;
    let batch = RecordBatch::try_from_iter((0..LENGTH).map(column).chain([("label".to_owned(), label)])).unwrap();
    let mut parquet = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let parquet = parquet.into_inner().unwrap();
    let mut all: Vec<i64> = (0..SAMPLES * LENGTH).map(nanoseconds).collect();
    all.sort_unstable();
    let integers: Vec<u8> =
        (0..SAMPLES * LENGTH).flat_map(|p| nanoseconds(p % SAMPLES * LENGTH + p / SAMPLES).to_le_bytes()).collect();
    let dims: Vec<u8> = [SAMPLES as i32, LENGTH as i32].iter().flat_map(|n| n.to_le_bytes()).collect();
    let parts =
        [element(6, &[14, 0, 0, 0, 0, 0, 0, 0]), element(5, &dims), element(1, b"x"), element(12, &integers)].concat();
    let label: Vec<f64> = labels().into_iter().map(f64::from).collect();
    let mut mat = b"MATLAB 5.0 MAT-file".to_vec();
    mat.resize(124, b' ');
    mat.extend([0, 1, b'I', b'M']);
    mat.extend(element(14, &parts));
    mat.extend(matrix("y", &[SAMPLES as i32, 1], &label));
    mat.extend(element(14, &[]));
    let files: [(&str, &[u8]); 4] =
        [("a.mat", &mat), ("a.csv", csv.as_bytes()), ("a.ts", ts.as_bytes()), ("a.parquet", &parquet)];
    for (file, bytes) in files {
        let set = open_with(&folder(&[(file, bytes)]), file, &ReadOptions::default()).unwrap();
        let center = set.reading.centers.inputs[0] as i64;
        let values = [&set.train.x, &set.test.x].into_iter().flat_map(|x| x.data.iter().map(|&v| center + v as i64));
        let mut found: Vec<i64> = values.collect();
        found.sort_unstable();
        assert!(found == all, "{file}: {:?} for {:?}", &found[..5], &all[..5]);
    }
    // Numbers to predict.
    let text = (0..SAMPLES).fold("a,b,y\n".to_owned(), |text, i| {
        text + &format!("{},{},{}\n", (i as f64).sin(), (i as f64).cos(), nanoseconds(i))
    });
    let options = ReadOptions { targets: Some("y".into()), task: Some(TaskName::Regression), ..ReadOptions::default() };
    let set = open_with(&folder(&[("a.csv", text.as_bytes())]), "a.csv", &options).unwrap();
    let center = set.reading.centers.targets[0] as i64;
    let of = |targets: &Targets| targets.values().unwrap().data.clone();
    let mut found: Vec<i64> =
        [of(&set.train.y), of(&set.test.y)].concat().into_iter().map(|v| center + v as i64).collect();
    found.sort_unstable();
    let mut all: Vec<i64> = (0..SAMPLES).map(nanoseconds).collect();
    all.sort_unstable();
    assert_eq!(found, all);
}

#[test]
fn constants_are_named_as_they_are_in_the_file() {
    let x = vec![1.7e9 + 0.25; SAMPLES * LENGTH];
    let bytes = archive(&[f64s("x", &[SAMPLES, 1, LENGTH], &x), i32s("y", &[SAMPLES], &labels())]);
    let set = open_with(&folder(&[("a.npz", &bytes)]), "a.npz", &ReadOptions::default()).unwrap();
    let said = set.origin.warnings.join("\n");
    assert!(said.contains("channel 0 holds the value 1700000000.25 in all"), "{said}");
}

/// The target of a sample: a Unix time with a fraction.
fn target(sample: usize) -> f64 {
    1.7e9 + sample as f64 * 0.75
}

#[test]
fn numeric_targets_keep_their_digits_and_are_scored_in_the_same_units() {
    let text = table(&|sample| format!("{:.2}", target(sample)));
    let y: Vec<f64> = (0..SAMPLES).map(target).collect();
    let arrays = archive(&[f64s("x", &SHAPE, &values()), f64s("y", &[SAMPLES], &y)]);
    for (file, bytes) in [("a.csv", text.into_bytes()), ("a.npz", arrays)] {
        let files = folder(&[(file, &bytes)]);
        let named = (file == "a.csv").then(|| "label".to_owned());
        let options = ReadOptions { targets: named, ..ReadOptions::default() };
        let set = open_with(&files, file, &options).unwrap();
        assert_eq!(set.task, TaskKind::Regression { outputs: 1 });
        let [center] = set.reading.centers.targets[..] else { panic!("{file}: {:?}", set.reading.centers) };
        let of = |targets: &Targets| targets.values().unwrap().data.clone();
        let mut found: Vec<f64> =
            [of(&set.train.y), of(&set.test.y)].concat().iter().map(|&v| center + f64::from(v)).collect();
        found.sort_by(f64::total_cmp);
        assert_eq!(found, y, "{file}");
        let kept = set.reading.of_model(&set.read_as);
        let known = KnownTargets { task: set.task, classes: None, unknown: None, transforms: &[] };
        let scored = open_labeled(&files.path().join(file), &kept, known).unwrap();
        assert_eq!(of(&scored.y), y.iter().map(|v| (v - center) as f32).collect::<Vec<f32>>(), "{file}");
        // Arrays of 32 bits are taken, as far as their digits go.
        let single: Vec<f32> = y.iter().map(|&v| v as f32).collect();
        let x: Vec<f32> = values().iter().map(|&v| v as f32).collect();
        let other = folder(&[("b.npz", &archive(&[f32s("x", &SHAPE, &x), f32s("y", &[SAMPLES], &single)]))]);
        if file == "a.npz" {
            let scored = open_labeled(&other.path().join("b.npz"), &kept, known).unwrap();
            assert!(of(&scored.y).iter().zip(&single).all(|(v, &y)| f64::from(*v) == f64::from(y) - center));
            assert!(scored.x.data.iter().all(|v| v.abs() <= 65.0), "{:?}", scored.x.data);
        }
    }
}

#[test]
fn windows_of_recordings_keep_their_digits() {
    let steps = 240;
    let of = |step: usize, c: usize| value(step, c, 3);
    let mut text = "t,a,b,label\n".to_owned();
    for step in 0..steps {
        text += &format!("{step},{},{},{}\n", of(step, 0), of(step, 1), ["u", "v"][step / 10 % 2]);
    }
    let files = folder(&[("a.csv", text.as_bytes())]);
    let options = ReadOptions { window: Some(Span::Steps(10)), time: Some("t".into()), ..ReadOptions::default() };
    let set = open_with(&files, "a.csv", &options).unwrap();
    let centers = set.reading.centers.inputs.clone();
    assert_eq!(centers.len(), 2);
    let window = set.train.x.row(0);
    let first = (0..10).map(|step| (of(step, 0) - centers[0]) as f32).collect::<Vec<f32>>();
    assert_eq!(window[..10], first[..]);
    let kept = set.reading.of_model(&set.read_as);
    let inputs = open_inputs(&files.path().join("a.csv"), &kept).unwrap();
    assert_eq!(inputs.x.row(0), window);
}

/// A record of WFDB of two channels of 32 bits, of which the second is large and varies little.
fn wfdb(name: &str, swapped: bool) -> [(String, Vec<u8>); 2] {
    let channels = if swapped { ["P", "I"] } else { ["I", "P"] };
    let mut header = format!("{name} 2 100 {LENGTH}\n");
    channels.iter().for_each(|channel| header += &format!("{name}.dat 32 1(0)/Pa 32 0 0 0 0 {channel}\n"));
    let seed: usize = name.bytes().map(usize::from).sum();
    let mut data = Vec::new();
    for step in 0..LENGTH {
        let pair = [(seed + step) as i32 % 7, 1_000_000_000 + (seed * 3 + step) as i32 % 5];
        let pair = if swapped { [pair[1], pair[0]] } else { pair };
        data.extend(pair.into_iter().flat_map(i32::to_le_bytes));
    }
    [(format!("{name}.hea"), header.into_bytes()), (format!("{name}.dat"), data)]
}

#[test]
fn records_keep_their_digits_whatever_the_order_of_their_channels() {
    let records: Vec<String> = (0..8).map(|i| format!("r{i}")).collect();
    let mut files: Vec<(String, Vec<u8>)> = records.iter().flat_map(|name| wfdb(name, name == "r3")).collect();
    let table: String = records.iter().enumerate().map(|(i, name)| format!("{name},{}\n", ["a", "b"][i % 2])).collect();
    files.push(("REFERENCE.csv".into(), table.into_bytes()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let set = open_with(&folder(&files), ".", &ReadOptions::default()).unwrap();
    let centers = set.reading.centers.inputs.clone();
    assert_eq!((centers.len(), centers[0]), (2, 0.0));
    assert!((centers[1] - 1e9).abs() <= 4.0, "{centers:?}");
    for x in [&set.train.x, &set.test.x] {
        for i in 0..x.rows() {
            let (small, large) = x.row(i).split_at(LENGTH);
            assert!(small.iter().all(|v| (0.0..7.0).contains(v)), "{small:?}");
            let back: Vec<f64> = large.iter().map(|&v| f64::from(v) + centers[1] - 1e9).collect();
            assert!(back.iter().all(|v| v.fract() == 0.0 && (0.0..5.0).contains(v)), "{back:?}");
            assert!(back.windows(2).any(|pair| pair[0] != pair[1]), "{back:?}");
        }
    }
}
