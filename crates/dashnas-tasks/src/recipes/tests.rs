//! Every recipe on small files in exactly the layout that is published.

use crate::recipes::{ALL, TaskError, find, legacy_random};
use dashnas_core::metric::{Predictions, Scale, Truth, evaluate};
use dashnas_core::task::{Metric, TaskKind};
use dashnas_data::dataset::Dataset;
use dashnas_data::normalize::Scheme;
use dashnas_data::segments;
use dashnas_data::targets::Targets;
use dashnas_data::transform::Transform;
use dashnas_formats::array::Array;
use dashnas_formats::npy;
use dashnas_formats::pickle::write::Value;
use std::fs;
use std::io::Write;
use std::path::Path;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn put(folder: &Path, file: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A `.npy` file of float32 or, with another `descr`, of the given bytes.
fn array(shape: &[usize], data: &[f32]) -> Vec<u8> {
    let bytes: Vec<u8> = data.iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut out = Vec::new();
    npy::write(&mut out, "<f4", shape, &bytes).unwrap();
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn load(name: &str, folder: &Path) -> Result<Dataset, TaskError> {
    find(name).unwrap().load(folder)
}

#[test]
fn every_recipe_has_its_own_name_files_and_sources() {
    for (i, recipe) in ALL.iter().enumerate() {
        assert!(ALL[..i].iter().all(|other| other.name != recipe.name));
        assert!(!recipe.files.is_empty());
        assert!(recipe.sources.iter().all(|source| source.url.starts_with("https://")));
    }
}

#[test]
fn cifar100_reads_the_pickles_of_python_2() {
    let dir = folder();
    let pickle = |n: usize, first: u8| {
        let data = (0..n * 3072).map(|i| first.wrapping_add((i / 1024) as u8)).collect();
        let labels = Value::ints((0..n as i64).map(|i| i % 2));
        let names = Value::List(vec![Value::Text("a.png"); n]);
        Value::Dict(vec![("filenames", names), ("fine_labels", labels), ("data", Value::u8s(&[n, 3072], data))])
            .pickle2()
    };
    put(dir.path(), "cifar-100-python/train", pickle(4, 0));
    put(dir.path(), "cifar-100-python/test", pickle(2, 100));
    let names = Value::List(vec![Value::Text("apple"), Value::Text("aquarium_fish")]);
    put(dir.path(), "cifar-100-python/meta", Value::Dict(vec![("fine_label_names", names)]).pickle2());
    let set = load("cifar100", dir.path()).unwrap();
    assert_eq!((&set.train.x.shape[..], &set.test.x.shape[..]), (&[4, 3, 32, 32][..], &[2, 3, 32, 32][..]));
    // Red, green and blue planes follow one another.
    assert_eq!([0, 1024, 2048, 3072].map(|i| set.train.x.data[i]), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(set.train.y, Targets::Classes(vec![0, 1, 0, 1]));
    assert_eq!(set.classes.unwrap(), ["apple", "aquarium_fish"]);
    // The folder itself is found too.
    assert!(load("cifar100", &dir.path().join("cifar-100-python")).is_ok());
}

#[test]
fn spherical_reads_the_gzipped_pickle() {
    let dir = folder();
    let part = |n: usize| {
        let images = Value::u8s(&[n, 3, 4, 4], (0..n * 48).map(|i| i as u8).collect());
        let labels: Vec<u8> = (0..n as i64).flat_map(|i| (i % 2).to_le_bytes()).collect();
        Value::Dict(vec![("images", images), ("labels", Value::Array("<i8", vec![n], labels))])
    };
    let pickle = Value::Dict(vec![("train", part(4)), ("test", part(2))]).pickle3();
    put(dir.path(), "s2_cifar100.gz", gzip(&pickle));
    let set = load("spherical", dir.path()).unwrap();
    assert_eq!((&set.train.x.shape[..], set.test.len()), (&[4, 3, 4, 4][..], 2));
    assert_eq!(set.train.x.data[..3], [0.0, 1.0, 2.0]);
    // Cut short, the gzip or the pickle breaks off.
    put(dir.path(), "s2_cifar100.gz", &gzip(&pickle)[..60]);
    assert!(matches!(load("spherical", dir.path()), Err(TaskError::Pickle(_))));
}

#[test]
fn ninapro_turns_its_arrays() {
    let dir = folder();
    for (part, n) in [("train", 4), ("val", 2), ("test", 2)] {
        // Value = time · 100 + electrode.
        let data: Vec<f32> = (0..n * 52 * 16).map(|i| (i / 16 % 52 * 100 + i % 16) as f32).collect();
        put(dir.path(), &format!("ninaPro/ninapro_{part}.npy"), array(&[n, 52, 16], &data));
        let labels: Vec<f32> = (0..n).map(|i| (i % 2) as f32).collect();
        put(dir.path(), &format!("ninaPro/label_{part}.npy"), array(&[n], &labels));
    }
    let set = load("ninapro", dir.path()).unwrap();
    assert_eq!(set.train.x.shape, [4, 1, 16, 52]);
    assert_eq!(set.train.x.data[52 * 3 + 7], 703.0, "electrode 3 at time 7");
    assert_eq!((set.val.unwrap().len(), set.test.len()), (2, 2));
    put(dir.path(), "ninaPro/label_test.npy", array(&[2], &[0.0, 0.5]));
    let error = load("ninapro", dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("label_test.npy: label 1 is 0.5, not a whole number from 0"), "{error}");
}

#[test]
fn satellite_reads_pickled_dictionaries_in_npy_files() {
    let dir = folder();
    let part = |n: usize| {
        let data: Vec<u8> = (0..n * 46).flat_map(|i| (i as f64 * 0.5).to_le_bytes()).collect();
        let labels: Vec<u8> = (0..n as i64).flat_map(|i| (i % 2 + 1).to_le_bytes()).collect();
        Value::Dict(vec![
            ("data", Value::Array("<f8", vec![n, 46], data)),
            ("label", Value::Array("<i8", vec![n], labels)),
        ])
    };
    put(dir.path(), "satellite_train.npy", part(4).npy());
    put(dir.path(), "satellite_test.npy", part(2).npy());
    let set = load("satellite", dir.path()).unwrap();
    assert_eq!((&set.train.x.shape[..], set.train.x.data[46]), (&[4, 1, 46][..], 23.0));
    assert_eq!(set.train.y, Targets::Classes(vec![0, 1, 0, 1]), "labels begin at 1 in the files");
    // The recipe standardizes each series.
    let set = dashnas_data::preprocess::apply(set, None, &[Transform::StandardizeSamples]).unwrap();
    let mean: f32 = set.train.x.row(2).iter().sum::<f32>() / 46.0;
    assert!(mean.abs() < 1e-5);
}

#[test]
fn deepsea_turns_its_one_hot_bases() {
    let dir = folder();
    let path = dir.path().join("deepsea_filtered.npz");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (part, n) in [("train", 4), ("val", 2), ("test", 2)] {
        let x: Vec<u8> = (0..n * 10 * 4).map(|i| u8::from(i / 4 % 4 == i % 4)).collect();
        dashnas_data::npz::put(&mut zip, &format!("x_{part}"), "|u1", &[n, 10, 4], &x).unwrap();
        let y: Vec<u8> = (0..n * 3).map(|i| (i % 2) as u8).collect();
        dashnas_data::npz::put(&mut zip, &format!("y_{part}"), "|u1", &[n, 3], &y).unwrap();
    }
    zip.finish().unwrap();
    let set = load("deepsea", dir.path()).unwrap();
    assert_eq!((&set.train.x.shape[..], set.task), (&[4, 4, 10][..], TaskKind::MultiLabel { labels: 3 }));
    assert_eq!(set.train.x.row(0)[..10], [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0], "base A");
    assert_eq!(set.normalization.input, [Scheme::Identity; 4]);
}

#[test]
fn ecg_cuts_windows_by_class_and_splits_by_recording() {
    let dir = folder();
    let classes = ["N", "A", "O", "~"];
    // Recording i of 3001 points goes up by i + 1 a point; all of them standardize to the same ramp.
    let series = |i: usize| {
        let bytes = (0..3001).flat_map(|t| ((t * (i % 7 + 1)) as i16).to_le_bytes()).collect();
        Value::Array("<i2", vec![3001], bytes)
    };
    let (data, labels) = ((0..40).map(series).collect(), (0..40).map(|i| Value::Text(classes[i % 4])).collect());
    let pickle =
        Value::Dict(vec![("data", Value::Objects(vec![40], data)), ("label", Value::Objects(vec![40], labels))]);
    put(dir.path(), "challenge2017.pkl", pickle.pickle3());
    let set = load("ecg", dir.path()).unwrap();
    assert_eq!(set.train.x.shape[1..], [1, 1000]);
    // 2001 places to begin at: 5 every 500 points, 25 every 83, 9 every 250, 81 every 25.
    let windows = [5, 25, 9, 81];
    let (rest, test) = legacy_random::train_test_split(0, 40, 0.1);
    let expected: usize = test.iter().map(|i| windows[i % 4]).sum();
    assert_eq!((test.len(), set.test.len()), (4, expected));
    let val = set.val.as_ref().unwrap().len();
    assert_eq!(set.train.len() + val, rest.iter().map(|i| windows[i % 4]).sum::<usize>());
    // The first window of a ramp from −√3 to √3.
    assert!((f64::from(set.train.x.data[0]) + 3f64.sqrt()).abs() < 2e-3, "{}", set.train.x.data[0]);
    assert_eq!(set.classes.unwrap()[1], "atrial fibrillation");
    let odd = Value::Dict(vec![
        ("data", Value::Objects(vec![1], vec![series(0)])),
        ("label", Value::Objects(vec![1], vec![Value::Text("X")])),
    ]);
    put(dir.path(), "challenge2017.pkl", odd.pickle3());
    let error = load("ecg", dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("recording 0 has the label `X`, not one of N, A, O and ~"), "{error}");
}

/// As PhysioNet has them: `training2017/A00001.mat`, level 4 with one row `val` of int16, a header file of the WFDB
/// format beside each, and `REFERENCE.csv`.
#[test]
fn ecg_reads_the_folder_that_physionet_publishes() {
    let dir = folder();
    let classes = ["N", "A", "O", "~"];
    let (mut reference, mut names) = (String::new(), String::new());
    let (mut data, mut labels) = (Vec::new(), Vec::new());
    for i in 0..40usize {
        let points = 2714 + 100 * (i % 5);
        let values: Vec<u8> = (0..points).flat_map(|t| ((t * (i % 7 + 1)) as i16).to_le_bytes()).collect();
        let head = [30u32, 1, points as u32, 0, 4].map(u32::to_le_bytes).concat();
        let name = format!("A{:05}", i + 1);
        put(dir.path(), &format!("training2017/{name}.mat"), [&head[..], b"val\0", &values].concat());
        let header =
            format!("{name} 1 300 {points} 05:05:15 1/05/2000 \n{name}.mat 16+24 1000/mV 16 0 -127 0 0 ECG \n");
        put(dir.path(), &format!("training2017/{name}.hea"), header);
        reference += &format!("{name},{}\r\n", classes[i % 4]);
        names += &format!("{name}\n");
        data.push(Value::Array("<i2", vec![points], values));
        labels.push(Value::Text(classes[i % 4]));
    }
    put(dir.path(), "training2017/REFERENCE.csv", &reference);
    put(dir.path(), "training2017/RECORDS", &names);
    let set = load("ecg", dir.path()).unwrap();
    assert_eq!(set.train.x.shape[1..], [1, 1000]);
    assert!(load("ecg", &dir.path().join("training2017")).is_ok(), "the folder itself is found too");
    // The same windows as of the pickle that the benchmark made of these recordings.
    let other = folder();
    let pickle =
        Value::Dict(vec![("data", Value::Objects(vec![40], data)), ("label", Value::Objects(vec![40], labels))]);
    put(other.path(), "challenge2017.pkl", pickle.pickle3());
    let pickled = load("ecg", other.path()).unwrap();
    assert_eq!((&set.train, &set.val, &set.test), (&pickled.train, &pickled.val, &pickled.test));

    put(dir.path(), "training2017/REFERENCE.csv", format!("{reference}A00041,N\r\n"));
    let error = load("ecg", dir.path()).unwrap_err().to_string();
    assert!(error.contains("line 41 names a recording that does not exist") && error.contains("A00041.mat"), "{error}");
    put(dir.path(), "training2017/REFERENCE.csv", "A00001,N\r\n../A00002,A\r\n");
    let error = load("ecg", dir.path()).unwrap_err().to_string();
    assert!(error.contains("line 2 names a recording that does not exist"), "{error}");
}

#[test]
fn cosmic_crops_and_ignores() {
    let dir = folder();
    // 256×256: value = row · 256 + column; a cosmic ray in column 70, ignored pixels in row 65.
    let image = |bias: f32| {
        let plane = |f: &dyn Fn(usize, usize) -> f32| (0..256 * 256).map(|i| f(i / 256, i % 256)).collect::<Vec<_>>();
        let mut data = plane(&|r, c| bias + (r * 256 + c) as f32);
        data.extend(plane(&|_, c| f32::from(u8::from(c == 70))));
        data.extend(plane(&|r, _| f32::from(u8::from(r == 65))));
        array(&[3, 256, 256], &data)
    };
    put(dir.path(), "npy_train/f435w/10342/3/1_0.npy", image(0.0));
    put(dir.path(), "npy_train/f435w/10342/3/1_1.npy", image(1.0));
    put(dir.path(), "npy_train/f435w/10342/3/sky.npy", array(&[1], &[5.0]));
    put(dir.path(), "npy_test/f435w/9490/a3/1_0.npy", image(2.0));
    let set = load("cosmic", dir.path()).unwrap();
    assert_eq!((&set.train.x.shape[..], set.test.len()), (&[2, 1, 128, 128][..], 1));
    assert_eq!(set.train.x.data[0], (64 * 256 + 64) as f32);
    let y = &set.train.y.values().unwrap().data;
    assert_eq!((y[0], y[6]), (0.0, 1.0));
    assert!(y[128..256].iter().all(|v| v.is_nan()) && y[256..].iter().take(128).all(|v| !v.is_nan()));

    // A list chooses among them; one that leads elsewhere is refused.
    let list = |name: &str| {
        let padded = format!("{name:\0<60}");
        let text: Vec<u8> = padded.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let mut out = Vec::new();
        npy::write(&mut out, "<U60", &[1], &text).unwrap();
        out
    };
    put(dir.path(), "train_dirs.npy", list("./cosmic/npy_train/f435w/10342/3/1_1.npy"));
    assert_eq!(load("cosmic", dir.path()).unwrap().train.len(), 1);
    put(dir.path(), "train_dirs.npy", list("./npy_train/../../secret.npy"));
    let error = load("cosmic", dir.path()).unwrap_err().to_string();
    assert!(error.contains("leads out of npy_train"), "{error}");
}

/// One protein of PDNet's layout; each feature is told by its values.
fn protein(folder: &Path, set: &str, name: &str, length: usize, distance: impl Fn(usize, usize) -> f32) {
    let line = |f: usize| (0..length).map(move |i| (f as f32 + i as f32 / 1000.0) / 10.0);
    let seq = Value::Text(String::leak("A".repeat(length)));
    let profile: Vec<f32> = (0..length * 22).map(|k| ((3 + k % 22) as f32 + (k / 22) as f32 / 1000.0) / 10.0).collect();
    let pair = |f: f32| Value::f32s(&[length, length], &vec![f; length * length]);
    let features = Value::Dict(vec![
        ("seq", seq.clone()),
        ("ss", Value::f32s(&[3, length], &(0..3).flat_map(line).collect::<Vec<_>>())),
        ("pssm", Value::f32s(&[length, 22], &profile)),
        ("sa", Value::f32s(&[length], &line(25).collect::<Vec<_>>())),
        ("entropy", Value::f32s(&[length], &line(26).collect::<Vec<_>>())),
        ("ccmpred", pair(0.54)),
        ("freecon", pair(0.55)),
        ("potential", pair(0.56)),
    ]);
    put(folder, &format!("protein/{set}/features/{name}.pkl"), features.pickle3());
    let map: Vec<f32> = (0..length * length).map(|k| distance(k / length, k % length)).collect();
    let triple = vec![Value::Int(length as i64), seq, Value::f32s(&[length, length], &map)];
    put(folder, &format!("protein/{set}/distance/{name}-cb.npy"), Value::Objects(vec![3], triple).npy());
}

#[test]
fn psicov_lays_57_channels_on_the_map() {
    let dir = folder();
    let apart = |i: usize, j: usize| i.abs_diff(j) as f32 * 0.3;
    protein(dir.path(), "deepcov", "1abcA", 40, apart);
    protein(dir.path(), "deepcov", "2abcA", 200, apart);
    protein(dir.path(), "psicov", "3abcA", 50, apart);
    protein(dir.path(), "psicov", "4abcA", 30, apart);
    put(dir.path(), "protein/deepcov.lst", "1abcA\n2abcA 200\n");
    put(dir.path(), "protein/psicov.lst", "3abcA\n4abcA\n");
    let set = load("psicov", dir.path()).unwrap();
    // The long one gives two crops; test proteins are whole, on a grid of the longest with its padding.
    assert_eq!((&set.train.x.shape[..], &set.test.x.shape[..]), (&[3, 57, 128, 128][..], &[2, 57, 60, 60][..]));
    let at = |c: usize, row: usize, column: usize| set.train.x.data[(c * 128 + row) * 128 + column];
    assert_eq!((at(0, 4, 5), at(0, 45, 44)), (0.0, 0.0), "padding");
    // Residue pair (2, 7) of the first protein is at (7, 12).
    for f in 0..27 {
        let value = |i: usize| (f as f32 + i as f32 / 1000.0) / 10.0;
        assert_eq!((at(2 * f, 7, 12), at(2 * f + 1, 7, 12)), (value(7), value(2)), "feature {f} by column and row");
    }
    assert_eq!([54, 55, 56].map(|c| at(c, 7, 12)), [0.54, 0.55, 0.56]);
    let y = &set.train.y.values().unwrap().data;
    let target = |row: usize, column: usize| y[row * 128 + column];
    assert!(target(4, 12).is_nan() && target(7, 45).is_nan(), "padding is not known");
    assert_eq!((target(7, 12), target(5, 8), target(5, 5)), (1.5, 1.0, 1.0), "1 Å at least");
    assert!((target(5, 44) - 11.7).abs() < 1e-5, "{}", target(5, 44));
    assert!(y.iter().all(|d| d.is_nan() || *d <= 16.0));
    // Pairs 24 to 26 apart are at most 8 Å apart here: predicting 1 Å too much everywhere gives MAE₈ = 1.
    let truth = &set.test.y.values().unwrap().data;
    let guess: Vec<f32> = truth.iter().map(|d| if d.is_nan() { 0.0 } else { d + 1.0 }).collect();
    let guess = Predictions::new(&guess, [2, 1, 3600], Scale::Logits).unwrap();
    let mae = evaluate(Metric::ContactMae, &guess, Truth::Values(truth)).unwrap();
    assert!((mae - 1.0).abs() < 1e-6, "{mae}");
}

#[test]
fn what_is_missing_is_named() {
    let dir = folder();
    for recipe in ALL {
        let error = recipe.load(dir.path()).unwrap_err();
        assert!(matches!(error, TaskError::NoFile { .. }), "{}: {error}", recipe.name);
        assert!(error.hint().unwrap().contains(recipe.name));
        let nowhere = recipe.load(&dir.path().join("nowhere")).unwrap_err();
        assert!(matches!(nowhere, TaskError::NoFolder { .. }), "{nowhere}");
    }
    put(dir.path(), "satellite_train.npy", "");
    put(dir.path(), "satellite_test.npy", b"cos\nsystem\n(S'true'\ntR.");
    let error = load("satellite", dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("it does not begin as a NumPy array"), "{error}");
    put(dir.path(), "challenge2017.pkl", b"cos\nsystem\n(S'true'\ntR.");
    assert!(load("ecg", dir.path()).unwrap_err().to_string().contains("`os.system`, which is not plain data"));
}

/// A second of each of some tones, one after another, as a 16-bit WAV file at 22 050 Hz.
fn tones(hertz: &[f64]) -> Vec<u8> {
    let mut out = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    out.extend(22_050u32.to_le_bytes());
    out.extend(44_100u32.to_le_bytes());
    out.extend(b"\x02\0\x10\0data");
    out.extend((44_100 * hertz.len() as u32).to_le_bytes());
    for hertz in hertz {
        let tone = |i: i32| (std::f64::consts::TAU * hertz * f64::from(i) / 22_050.0).sin() * 9000.0;
        out.extend((0..22_050).flat_map(|i| (tone(i) as i16).to_le_bytes()));
    }
    let size = out.len() as u32 - 8;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    out
}

fn fsd50k() -> tempfile::TempDir {
    let dir = folder();
    let vocabulary = "0,Bark,/m/05tny_\n1,Bell,/m/0395lw\n2,\"Chewing,_mastication\",/m/03cczk\n";
    put(dir.path(), "FSD50K.ground_truth/vocabulary.csv", vocabulary.replace(",_", "_and_"));
    let dev = "fname,labels,mids,split\n64760,\"Bark,Bell\",\"/m/05tny_,/m/0395lw\",train\n\
               16399,Bell,/m/0395lw,train\n16401,Chewing_and_mastication,/m/03cczk,val\n";
    put(dir.path(), "FSD50K.ground_truth/dev.csv", dev);
    let eval = "fname,labels,mids\n37199,\"Bell,Chewing_and_mastication\",\"/m/0395lw,/m/03cczk\"\n17,Bark,/m/05tny_\n";
    put(dir.path(), "FSD50K.ground_truth/eval.csv", eval);
    put(dir.path(), "FSD50K.dev_audio/64760.wav", tones(&[440.0, 880.0, 1760.0, 3520.0]));
    put(dir.path(), "FSD50K.dev_audio/16399.wav", tones(&[440.0]));
    put(dir.path(), "FSD50K.dev_audio/16401.wav", tones(&[880.0, 880.0]));
    put(dir.path(), "FSD50K.eval_audio/37199.wav", tones(&[440.0, 3520.0]));
    put(dir.path(), "FSD50K.eval_audio/17.wav", tones(&[880.0]));
    dir
}

#[test]
fn fsd50k_cuts_clips_into_seconds_with_their_labels() {
    let dir = fsd50k();
    let set = load("fsd50k", dir.path()).unwrap();
    // Starts every half second: 8 of 4 s, of which 4 are kept; 2 of 1 s; all 4 of 2 s for validation and testing.
    let val = set.val.as_ref().unwrap();
    assert_eq!(set.train.x.shape, [6, 1, 96, 101]);
    assert_eq!((val.len(), set.test.len()), (4, 6));
    assert_eq!(set.task, TaskKind::MultiLabel { labels: 3 });
    let y = |split: &dashnas_data::split::Split| split.y.values().unwrap().data.clone();
    let both = [1.0, 1.0, 0.0];
    assert_eq!(y(&set.train), [both, both, both, both, [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]].concat());
    assert_eq!(set.segments.val, Some(vec![0; 4]));
    assert_eq!(set.segments.test, Some(vec![0, 0, 0, 0, 1, 1]));
    assert_eq!(set.classes.as_ref().unwrap()[2], "Chewing_and_mastication");

    // Each spectrogram has mean 0 and spans at most 80 dB; the chunks kept are spread over the clip.
    let loudest = |i: usize| {
        let x = set.train.x.row(i);
        let mean = x.iter().sum::<f32>() / x.len() as f32;
        let [low, high] = [f32::min, f32::max].map(|f| x.iter().copied().reduce(f).unwrap());
        assert!(mean.abs() < 1e-2 && high - low < 80.001, "{mean} {low} {high}");
        (0..96).max_by(|&a, &b| x[a * 101 + 50].total_cmp(&x[b * 101 + 50])).unwrap()
    };
    // Band b peaks at mel(11 025)·(b + 1)/97 with mel(f) = 2595·log₁₀(1 + f/700).
    let band = |hertz: f64| {
        let mel = |f: f64| 2595.0 * (1.0 + f / 700.0).log10();
        (mel(hertz) / mel(11_025.0) * 97.0 - 1.0).round() as usize
    };
    for (i, hertz) in [(0, 440.0), (3, 3520.0), (4, 440.0)] {
        assert!(loudest(i).abs_diff(band(hertz)) <= 1, "{i}: {} and {}", loudest(i), band(hertz));
    }

    // A clip that is not there, a label that nobody knows.
    fs::remove_file(dir.path().join("FSD50K.eval_audio/17.wav")).unwrap();
    let error = load("fsd50k", dir.path()).unwrap_err().to_string();
    assert!(error.contains("eval.csv: line 3") && error.contains("17.wav"), "{error}");
    put(dir.path(), "FSD50K.ground_truth/eval.csv", "fname,labels,mids\n37199,Siren,/m/0\n");
    let error = load("fsd50k", dir.path()).unwrap_err().to_string();
    assert!(error.contains("line 2 has the label `Siren`"), "{error}");
    // Nor does a table lead out of the folder.
    put(dir.path(), "FSD50K.ground_truth/eval.csv", "fname,labels,mids\n../17,Bell,/m/0\n");
    assert!(load("fsd50k", dir.path()).unwrap_err().to_string().contains("names the clip `../17`"));
}

/// A clip is scored by the mean of its chunks' logits: against average precision by its definition.
#[test]
fn fsd50k_scores_clips_not_chunks() {
    let set = load("fsd50k", fsd50k().path()).unwrap();
    // Logits of the labels for the four chunks of the first clip and the two of the second.
    let logits =
        [[3.0, 0.0, 1.0], [-9.0, 0.0, 1.0], [1.0, 5.0, -5.0], [1.0, -1.0, 1.0], [0.0, 2.0, 0.0], [2.0, 2.0, 1.0]];
    let predictions = Array::new(vec![6, 3, 1], logits.concat());
    let (scores, truth) = segments::average(set.segments.test.as_deref().unwrap(), &predictions, &set.test.y);
    let scores = Predictions::new(&scores.data, [2, 3, 1], Scale::Logits).unwrap();
    let metric = evaluate(Metric::OneMinusMap, &scores, Truth::Values(&truth.values().unwrap().data)).unwrap();
    // Means: clip 0 (−1, 1, −0.5), clip 1 (1, 2, 0.5). Truth: clip 0 (0, 1, 1), clip 1 (1, 0, 0).
    // Label 0 is ranked rightly, AP 1; labels 1 and 2 wrongly, AP 1/2 each.
    assert!((metric - (1.0 - (1.0 + 0.5 + 0.5) / 3.0)).abs() < 1e-12, "{metric}");
}

#[test]
fn darcy_flow_keeps_every_fifth_point() {
    let dir = folder();
    // A level 5 file with `coeff` and `sol` of N×421×421 in single precision, column-major as MATLAB has it.
    let matrix = |name: &str, n: usize, value: &dyn Fn(usize, usize, usize) -> f32| {
        let element = |kind: u32, bytes: &[u8]| {
            let mut out = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
            out.extend(bytes);
            out.resize(out.len().next_multiple_of(8), 0);
            out
        };
        let sizes: Vec<u8> = [n as i32, 421, 421].iter().flat_map(|d| d.to_le_bytes()).collect();
        let mut data = Vec::new();
        for c in 0..421 {
            for r in 0..421 {
                data.extend((0..n).flat_map(|i| value(i, r, c).to_le_bytes()));
            }
        }
        let body =
            [element(6, &[7, 0, 0, 0, 0, 0, 0, 0]), element(5, &sizes), element(1, name.as_bytes()), element(7, &data)];
        element(14, &body.concat())
    };
    let file = |n: usize| {
        let mut out = vec![b' '; 124];
        out.extend([0, 1, b'I', b'M']);
        out.extend(matrix("coeff", n, &|i, r, c| if (r + c + i) % 2 == 0 { 12.0 } else { 3.0 }));
        out.extend(matrix("sol", n, &|i, r, c| (i * 1000 + r) as f32 + c as f32 / 1000.0));
        out
    };
    put(dir.path(), "piececonst_r421_N1024_smooth1.mat", file(2));
    put(dir.path(), "piececonst_r421_N1024_smooth2.mat", file(1));
    let set = load("darcy-flow", dir.path()).unwrap();
    assert_eq!((&set.train.x.shape[..], set.test.len()), (&[2, 3, 85, 85][..], 1));
    let u = set.train.y.values().unwrap();
    // Sample 1, point (2, 3) of those kept: row 10, column 15.
    assert_eq!(u.row(1)[2 * 85 + 3], 1010.0 + 15.0 / 1000.0);
    assert_eq!(set.train.x.row(1)[2 * 85 + 3], 12.0);
    assert_eq!(set.normalization.target, Scheme::Pointwise);
}
