//! Inputs that stay in a file are bit-identical to those in memory in every format, and so are filled missing values.

use crate::preprocess;
use crate::tests::readers::{folder, gz, idx, mat5, open_with, png, wav};
use crate::tests::*;
use crate::transform::kind::Transform;
use hdf5_pure::FileBuilder;
use std::sync::Arc;
use tempfile::TempDir;

/// Some numbers without a pattern that a mistake in the order of things would keep.
fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + i * i % 31) % 1009) as f32 / 8.0 - 50.0).collect()
}

fn labels(n: usize) -> Vec<i32> {
    (0..n as i32).map(|i| (i * 5 + 1) / 2 % 2).collect()
}

fn rows(x: &Array) -> Vec<Vec<u32>> {
    (0..x.rows()).map(|i| x.fetch(i).unwrap().iter().map(|v| v.to_bits()).collect()).collect()
}

fn splits(set: &Dataset) -> Vec<&Split> {
    [Some(&set.train), set.val.as_ref(), Some(&set.test)].into_iter().flatten().collect()
}

fn same(name: &str, whole: &Dataset, apart: &Dataset) {
    for (a, b) in splits(whole).into_iter().zip(splits(apart)) {
        assert!(!a.x.is_file_backed() && b.x.is_file_backed(), "{name}");
        assert_eq!(a.x.shape, b.x.shape, "{name}");
        assert!(rows(&a.x) == rows(&b.x), "{name} differs");
        assert_eq!(a.y, b.y, "{name}");
    }
    assert_eq!(whole.classes, apart.classes, "{name}");
}

/// Reads a data set into memory and out of it, compares the two, and gives the latter.
fn both(files: &TempDir, name: &str, options: &ReadOptions) -> Dataset {
    let read = |in_memory| {
        let options = ReadOptions { in_memory: Some(in_memory), ..options.clone() };
        open_with(files, name, &options).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let apart = read(0);
    same(name, &read(u64::MAX), &apart);
    apart
}

/// As [`both`], where rows cannot be read from the file itself.
fn decoded(files: &TempDir, name: &str, options: &ReadOptions) -> Dataset {
    let set = both(files, name, options);
    assert!(splits(&set).iter().all(|s| s.x.is_temporary()), "{name}");
    assert!(set.origin.notes.iter().any(|note| note.contains("temporary file")), "{:?}", set.origin.notes);
    set
}

fn fortran(name: &'static str, descr: &'static str, shape: &[usize], bytes: Vec<u8>) -> Entry {
    Entry { fortran: true, ..entry(name, descr, shape, bytes) }
}

#[test]
fn numpy_arrays_packed_and_column_by_column() {
    let x = numbers(10 * 2 * 12);
    let doubles: Vec<u8> = x.iter().flat_map(|&v| f64::from(v).to_be_bytes()).collect();
    for x in [f32s("x", &[10, 2, 12], &x), fortran("x", ">f8", &[10, 2, 12], doubles.clone())] {
        // The second is deflated.
        let set = archive(&[i32s("y", &[10], &labels(10)), x]);
        decoded(&folder(&[("set.npz", &set)]), "set.npz", &ReadOptions::default());
    }
    let x = npy(&fortran("x", ">f8", &[10, 2, 12], doubles));
    let files = folder(&[("x.npy", &x), ("y.npy", &npy(&i32s("y", &[10], &labels(10))))]);
    decoded(&files, ".", &ReadOptions::default());
}

/// An IDX file of 16-bit numbers, whose bytes are in the other order.
fn idx16(shape: &[u32], values: impl Iterator<Item = i16>) -> Vec<u8> {
    let mut file = idx(shape, &values.flat_map(i16::to_be_bytes).collect::<Vec<_>>());
    file[2] = 0x0b;
    file
}

#[test]
fn idx_images_stay_where_they_are_or_are_unpacked() {
    let images = idx16(&[10, 9, 8], (0..720).map(|v| (v * 7919 % 5003 - 1000) as i16));
    let classes = idx(&[10], &[0, 1, 1, 0, 1, 0, 0, 1, 0, 1]);
    let options = ReadOptions::default();
    let files = folder(&[("a-images-idx3-ubyte", &images), ("a-labels-idx1-ubyte", &classes)]);
    let set = both(&files, ".", &options);
    assert!(splits(&set).iter().all(|s| !s.x.is_temporary()));
    assert_eq!(set.train.x.shape[1..], [1, 9, 8]);
    let files = folder(&[("a-images-idx3-ubyte.gz", &gz(&images)), ("a-labels-idx1-ubyte", &classes)]);
    decoded(&files, ".", &options);

    // Files that are too short or too long are refused as they are where they are read whole.
    let outside = ReadOptions { in_memory: Some(0), ..options };
    let long = [&images[..], &[0]].concat();
    for wrong in [&images[..images.len() - 1], &long, &images[..9], b"abcdefgh"] {
        for (name, file) in [("a-images-idx3-ubyte", wrong.to_vec()), ("a-images-idx3-ubyte.gz", gz(wrong))] {
            let files = folder(&[(name, &file), ("a-labels-idx1-ubyte", &classes)]);
            let error = open_with(&files, ".", &outside).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("get it again")), "{error}");
        }
    }
}

#[test]
fn hdf5_arrays_in_one_piece_and_in_packed_chunks() {
    let mut builder = FileBuilder::new();
    let x = numbers(11 * 3 * 40);
    let whole: Vec<i16> = x.iter().map(|&v| v as i16).collect();
    let bools: Vec<u8> = x.iter().map(|&v| u8::from(v > 0.0)).collect();
    builder
        .create_dataset("x_train")
        .with_f32_data(&x)
        .with_shape(&[11, 3, 40])
        .with_chunks(&[4, 2, 16])
        .with_deflate(3);
    builder.create_dataset("x_val").with_i16_data(&whole).with_shape(&[11, 3, 40]);
    builder.create_dataset("x_test").with_u8_data(&bools).with_shape(&[11, 3, 40]).with_chunks(&[1, 3, 40]);
    for part in ["y_train", "y_val", "y_test"] {
        builder.create_dataset(part).with_i32_data(&labels(11)).with_shape(&[11]);
    }
    let files = folder(&[("set.h5", &builder.finish().unwrap())]);
    decoded(&files, "set.h5", &ReadOptions::default());
}

/// A MATLAB file of level 7.3: `X` of 6×5×8 and `y` of 6×1, whose axes are reversed in the file.
fn mat73(x: &[f32]) -> Vec<u8> {
    let mut builder = FileBuilder::new();
    let mut head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, HDF5 schema 1.00 .".to_vec();
    head.resize(124, b' ');
    head.extend([0, 2, b'I', b'M']);
    builder.with_userblock(512);
    builder.with_userblock_content(&head);
    let double: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
    builder.create_dataset("X").with_f64_data(&double).with_shape(&[8, 5, 6]).with_chunks(&[3, 5, 6]).with_deflate(6);
    builder.create_dataset("y").with_f64_data(&[1., 2., 1., 2., 2., 1.]).with_shape(&[1, 6]);
    builder.finish().unwrap()
}

#[test]
fn matlab_files_of_level_7_3_have_their_axes_reversed() {
    let x = numbers(240);
    let files = folder(&[("set.mat", &mat73(&x))]);
    let options = ReadOptions { test_fraction: 0.34, ..Default::default() };
    let set = decoded(&files, "set.mat", &options);
    assert!(set.origin.format.contains("level 7.3"), "{}", set.origin.format);
    assert_eq!((&set.train.x.shape[1..], set.classes.as_deref()), (&[5, 8][..], Some(&["1".into(), "2".into()][..])));
    // MATLAB's X(i, c, t), with the first index running fastest.
    let samples: Vec<Vec<u32>> = (0..6)
        .map(|i| {
            (0..5).flat_map(|c| (0..8).map(move |t| (c, t))).map(|(c, t)| x[i + 6 * (c + 5 * t)].to_bits()).collect()
        })
        .collect();
    let mut found = [rows(&set.train.x), rows(&set.test.x)].concat();
    found.sort();
    let mut samples = samples;
    samples.sort();
    assert!(found == samples);
}

/// A table of floats `a` and `c`, of texts `b` that are numbers, and of other texts `label` in row groups of these sizes.
fn parquet(groups: &[usize]) -> Vec<u8> {
    use arrow_array::{ArrayRef, Float32Array, RecordBatch, StringArray};
    let n: usize = groups.iter().sum();
    let x = numbers(3 * n);
    let column = |c: usize| Arc::new((0..n).map(|i| Some(x[3 * i + c])).collect::<Float32Array>()) as ArrayRef;
    let label = Arc::new((0..n).map(|i| Some(["cat", "dog"][i % 2])).collect::<StringArray>()) as ArrayRef;
    let written = Arc::new((0..n).map(|i| Some(x[3 * i + 1].to_string())).collect::<StringArray>()) as ArrayRef;
    let columns = [("a", column(0)), ("label", label), ("b", written), ("c", column(2))];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    let mut first = 0;
    for &rows in groups {
        writer.write(&batch.slice(first, rows)).unwrap();
        writer.flush().unwrap();
        first += rows;
    }
    writer.into_inner().unwrap()
}

#[test]
fn parquet_tables_row_group_by_row_group() {
    let files = folder(&[("t_train.parquet", &parquet(&[5, 1, 6])), ("t_test.parquet", &parquet(&[4]))]);
    let set = decoded(&files, "t_train.parquet", &ReadOptions::default());
    assert_eq!((&set.train.x.shape[..], set.test.len()), (&[12, 1, 3][..], 4));
    assert_eq!(rows(&set.train.x).concat(), numbers(36).iter().map(|v| v.to_bits()).collect::<Vec<_>>());
    assert_eq!(set.classes.unwrap(), ["cat", "dog"]);
}

#[test]
fn columns_of_a_large_row_group_are_read_some_at_a_time() {
    use arrow_array::{ArrayRef, Float32Array, Int32Array, RecordBatch};
    let (n, width) = (110_000, 41);
    let value = |i: usize, c: usize| ((i * 41 + c) % 65_521) as f32;
    let column = |c: usize| Arc::new((0..n).map(|i| Some(value(i, c))).collect::<Float32Array>()) as ArrayRef;
    let target = Arc::new((0..n).map(|i| Some((i % 3) as i32)).collect::<Int32Array>()) as ArrayRef;
    let columns = (0..width).map(|c| (format!("x{c:02}"), column(c)));
    let batch = RecordBatch::try_from_iter(columns.chain([("label".to_owned(), target)])).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let files = folder(&[("t.parquet", &writer.into_inner().unwrap())]);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let set = pool.install(|| open_with(&files, "t.parquet", &ReadOptions::default())).unwrap();
    assert_eq!((set.train.len() + set.test.len(), set.train.x.row_len()), (n, width));
    let mut found: Vec<Vec<f32>> = [&set.train, &set.test]
        .into_iter()
        .flat_map(|split| (0..split.len()).map(|i| split.x.row(i).to_vec()))
        .collect();
    let mut expected: Vec<Vec<f32>> = (0..n).map(|i| (0..width).map(|c| value(i, c)).collect()).collect();
    found.sort_by(|a, b| a.partial_cmp(b).unwrap());
    expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert!(found == expected);
}

#[test]
fn parquet_files_that_were_cut_are_refused_and_not_loaded() {
    let whole = parquet(&[5, 1, 6]);
    for n in 0..whole.len() {
        let files = folder(&[("t.parquet", &whole[..n])]);
        let options = ReadOptions { in_memory: Some(0), ..Default::default() };
        assert!(open_with(&files, "t.parquet", &options).is_err(), "{n} bytes");
    }
}

#[test]
fn images_and_sounds_file_by_file() {
    let many: Vec<(String, Vec<u8>)> = (0..70)
        .map(|i| (format!("{}/{i}.png", ["cat", "dog"][i % 2]), png(5 + i as u32 % 2, 4, 3 * i as u8)))
        .collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, bytes)| (&name[..], &bytes[..])).collect();
    decoded(&folder(&many), ".", &ReadOptions { resize: Some([4, 6]), ..Default::default() });

    let clips: Vec<(String, Vec<u8>)> =
        (0..9).map(|i| (format!("{}/{i}.wav", i % 2), wav(8000, 900 + 100 * i, 200.0 + 50.0 * i as f64))).collect();
    let clips: Vec<(&str, &[u8])> = clips.iter().map(|(name, bytes)| (&name[..], &bytes[..])).collect();
    let options = ReadOptions { audio_rate: 11_025, mel_bands: 24, ..Default::default() };
    decoded(&folder(&clips), ".", &options);
}

#[test]
fn tables_and_sequences() {
    let table: String =
        numbers(24).chunks(3).enumerate().map(|(i, v)| format!("{},{},{},{}\n", v[0], v[1], v[2], i % 2)).collect();
    decoded(&folder(&[("t.csv", format!("a,b,c,label\n{table}").as_bytes())]), "t.csv", &ReadOptions::default());
    let dna: String = (0..8).map(|i| format!("{}ACGTTGCA,{}\n", &"GATTACAN"[..1 + i % 3], i % 2)).collect();
    decoded(&folder(&[("s.csv", format!("sequence,label\n{dna}").as_bytes())]), "s.csv", &ReadOptions::default());
}

#[test]
fn transforms_take_inputs_from_a_file_to_another() {
    let x = u8s("x", &[12, 9, 9, 3], &(0..12 * 243).map(|i| (i * i % 251) as u8).collect::<Vec<_>>());
    let files = folder(&[("x.npy", &npy(&x)), ("y.npy", &npy(&i32s("y", &[12], &labels(12))))]);
    for transforms in [
        vec![Transform::StandardizeSamples, Transform::Spherical],
        vec![Transform::Permute, Transform::Flatten, Transform::StandardizeSamples],
    ] {
        let made = |in_memory| {
            let options = ReadOptions { in_memory: Some(in_memory), ..Default::default() };
            preprocess::apply(open_with(&files, ".", &options).unwrap(), None, &transforms).unwrap()
        };
        same(&format!("{transforms:?}"), &made(u64::MAX), &made(0));
    }
}

/// The same inputs, 6×5×8 with two values missing, in every format of arrays.
fn with_gaps() -> TempDir {
    let mut x = numbers(240);
    // Sample 2, channel 1, the fourth point; sample 5, channel 4, the last point.
    (x[2 * 40 + 8 + 3], x[5 * 40 + 4 * 8 + 7]) = (f32::NAN, f32::NAN);
    // As MATLAB and Fortran have them.
    let mut turned = vec![0.0; 240];
    for (i, &v) in x.iter().enumerate() {
        turned[i / 40 + 6 * (i / 8 % 5 + 5 * (i % 8))] = v;
    }
    let y = || i32s("y", &[6], &[0, 1, 0, 1, 1, 0]);
    let mut h5 = FileBuilder::new();
    h5.create_dataset("x").with_f32_data(&x).with_shape(&[6, 5, 8]);
    h5.create_dataset("y").with_i32_data(&[0, 1, 0, 1, 1, 0]).with_shape(&[6]);
    let bytes = |v: &[f32]| v.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    folder(&[
        ("a.npz", &archive(&[y(), f32s("x", &[6, 5, 8], &x)])),
        ("npy/x.npy", &npy(&f32s("x", &[6, 5, 8], &x))),
        ("npy/y.npy", &npy(&y())),
        ("f/x.npy", &npy(&fortran("x", "<f4", &[6, 5, 8], bytes(&turned)))),
        ("f/y.npy", &npy(&y())),
        ("b.h5", &h5.finish().unwrap()),
        ("c.mat", &mat73(&turned)),
    ])
}

#[test]
fn missing_values_are_refused_with_their_place_or_filled_in_every_format() {
    let files = with_gaps();
    let options = ReadOptions { test_fraction: 0.34, ..Default::default() };
    let x = numbers(240);
    for name in ["a.npz", "npy", "f", "b.h5", "c.mat"] {
        for in_memory in [0, u64::MAX] {
            let options = ReadOptions { in_memory: Some(in_memory), ..options.clone() };
            let error = open_with(&files, name, &options).unwrap_err();
            let place =
                matches!(&error, DataError::NonFinite { index, .. } if index[1..] == [1, 3] || index[1..] == [4, 7]);
            assert!(place && error.hint().unwrap().contains("data.fill-missing"), "{name}: {error}");
        }
        for fill in [Fill::Linear, Fill::Zero, Fill::Mean] {
            let set = both(&files, name, &ReadOptions { fill_missing: Some(fill), ..options.clone() });
            let all = [rows(&set.train.x), rows(&set.test.x)].concat();
            let filled = |sample: usize, at: usize| {
                // The sample is known by its first value.
                let row = all.iter().find(|row| row[0] == x[40 * sample].to_bits()).unwrap();
                f32::from_bits(row[at])
            };
            let mean = |channel: &[f32], without: usize| {
                let known = channel.iter().enumerate().filter(|(i, _)| *i != without).map(|(_, &v)| f64::from(v));
                (known.sum::<f64>() / 7.0) as f32
            };
            let expected = match fill {
                Fill::Linear => [x[90] + (x[92] - x[90]) / 2.0, x[238]],
                Fill::Zero => [0.0, 0.0],
                Fill::Mean => [mean(&x[88..96], 3), mean(&x[232..240], 7)],
            };
            assert_eq!([filled(2, 11), filled(5, 39)], expected, "{name} {fill:?}");
        }
    }
}

#[test]
fn missing_values_of_older_matlab_files_and_of_images_are_filled_too() {
    let mut five = mat5(false);
    // The first value of x, a double.
    let at = five.windows(8).position(|w| w == 1f64.to_le_bytes()).unwrap();
    five[at..at + 8].copy_from_slice(&f64::NAN.to_le_bytes());
    let files = folder(&[("set.mat", &five)]);
    let error = open_with(&files, "set.mat", &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, DataError::NonFinite { .. }), "{error}");
    let options = ReadOptions { fill_missing: Some(Fill::Zero), ..Default::default() };
    let set = open_with(&files, "set.mat", &options).unwrap();
    assert!(splits(&set).iter().any(|s| s.x.data.chunks(2).any(|row| row[0] == 0.0)));

    let mut image = numbers(4 * 9 * 9);
    image[40] = f32::NAN;
    let x = npy(&f32s("x", &[4, 1, 9, 9], &image));
    let files = folder(&[("x.npy", &x), ("y.npy", &npy(&i32s("y", &[4], &[0, 1, 0, 1])))]);
    let with = |fill| open_with(&files, ".", &ReadOptions { fill_missing: Some(fill), ..Default::default() });
    let error = with(Fill::Linear).unwrap_err();
    assert!(error.to_string().contains("images") && error.hint().unwrap().contains("mean"), "{error}");
    with(Fill::Mean).unwrap();
}

#[test]
fn a_packed_array_that_unpacks_to_far_more_than_memory_is_refused() {
    // 64 MiB of zeros in less than a tenth of a megabyte.
    let bomb =
        archive(&[i32s("y_train", &[2], &[0, 1]), entry("x_train", "|u1", &[1 << 16, 1 << 10], vec![0; 1 << 26])]);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    let files = folder(&[("bomb.npz", &bomb)]);
    let options = ReadOptions { max_bytes: 1 << 24, in_memory: Some(u64::MAX), ..Default::default() };
    let error = open_with(&files, "bomb.npz", &options).unwrap_err();
    assert!(
        matches!(&error, DataError::TooLarge { array, bytes, .. } if array == "x_train" && *bytes == 1 << 28),
        "{error}"
    );

    // What it claims of its size is not believed beyond what deflate can do.
    let at = |bytes: &[u8], sign: &[u8]| bytes.windows(4).rposition(|w| w == sign).unwrap();
    let mut liar = archive(&[i32s("y_train", &[2], &[0, 1]), u8s("x_train", &[2, 8], &[0; 16])]);
    let central = at(&liar, b"PK\x01\x02");
    liar[central + 24..central + 28].copy_from_slice(&u32::MAX.saturating_sub(1).to_le_bytes());
    let files = folder(&[("liar.npz", &liar)]);
    let options = ReadOptions { in_memory: Some(0), ..Default::default() };
    open_with(&files, "liar.npz", &options).unwrap_err();
}

#[test]
fn what_memory_may_take_is_a_part_of_what_the_machine_has() {
    let limit = ReadOptions::default().max_bytes;
    if let Some(total) = dashnas_core::memory::total() {
        assert!(limit < total, "{limit} of {total}");
    }
}
