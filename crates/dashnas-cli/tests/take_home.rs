//! Predicting, exporting and timing a trained model from the command line.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::predict::Prediction;
use predicates::prelude::*;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use tempfile::TempDir;

fn dashnas(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
    command.current_dir(folder).env("DASHNAS_CACHE", folder.join("cache"));
    command
}

fn json(assert: &Assert) -> serde_json::Value {
    serde_json::from_slice(&assert.get_output().stdout).expect("standard output is JSON")
}

/// A folder with a data set, `pulses.npz`, and a run on it, `run`.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let split = |n: usize| {
            let x = (0..n * 32).map(|i| ((i * 37 + i / 16) % 11) as f32).collect();
            Split { x: Array::new(vec![n, 2, 16], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
        };
        let set = Dataset::new("pulses", TaskKind::Classification { classes: 2 }, split(24), None, split(10));
        let set = set.and_then(|s| s.with_classes(vec!["up, up".into(), "down".into()])).expect("sound");
        npz::save(&set, &folder.path().join("pulses.npz")).expect("writable");
        train(folder.path(), &["pulses.npz", "--out", "run"]);
        folder
    });
    folder.path()
}

/// `x_test` of the data set by itself.
fn inputs(folder: &Path, name: &str) -> Array {
    let x = npz::load(&folder.join("pulses.npz"), &Default::default()).expect("readable").test.x;
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (10, 2, 16), }";
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(x.data.iter().flat_map(|v| v.to_le_bytes()));
    fs::write(folder.join(name), bytes).expect("writable");
    x
}

#[test]
fn predictions_come_in_every_format() {
    let folder = folder();
    inputs(folder, "x.npy");
    let csv = dashnas(folder).args(["predict", "run", "x.npy"]).assert().success().stderr("");
    let csv = String::from_utf8(csv.get_output().stdout.clone()).expect("text");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (11, "sample,class,\"p_up, up\",p_down"));
    assert!(lines[1].starts_with("0,\"up, up\",") || lines[1].starts_with("0,down,"), "{}", lines[1]);

    // The same from the data set, into a file; and from the model file by itself.
    fs::copy(folder.join("run/model.dashnas"), folder.join("copy.dashnas")).expect("it is there");
    dashnas(folder).args(["predict", "copy.dashnas", "pulses.npz", "-o", "p.csv"]).assert().success();
    assert_eq!(fs::read_to_string(folder.join("p.csv")).expect("written"), csv);

    let rows = json(&dashnas(folder).args(["predict", "run", "x.npy", "--json"]).assert().success());
    let first = &rows[0]["probabilities"];
    assert!((first[0].as_f64().unwrap() + first[1].as_f64().unwrap() - 1.0).abs() < 1e-6);
    assert!(["up, up", "down"].contains(&rows[0]["class"].as_str().unwrap()));

    dashnas(folder).args(["predict", "run", "x.npy", "-o", "p.npy"]).assert().success();
    let npy = fs::read(folder.join("p.npy")).expect("written");
    assert_eq!(npy.len(), 128 + 10 * 2 * 4);
    assert_eq!(npy[128..132], (first[0].as_f64().unwrap() as f32).to_le_bytes());
    dashnas(folder).args(["predict", "run", "x.npy", "-o", "p.parquet"]).assert().success();
    assert!(fs::read(folder.join("p.parquet")).expect("written").ends_with(b"PAR1"));
}

#[test]
fn bad_inputs_and_models_are_named() {
    let folder = folder();
    inputs(folder, "y.npy");
    let predict = |model: &str, data: &str| dashnas(folder).args(["predict", model, data]).assert().stdout("");
    let contains = predicate::str::contains;
    predict("run", "none.npy").code(3).stderr(contains("none.npy: no such file"));
    fs::write(folder.join("half.npy"), &fs::read(folder.join("y.npy")).unwrap()[..300]).unwrap();
    predict("run", "half.npy").code(3).stderr(contains("half.npy").and(contains("calls for")));
    let text = fs::read(folder.join("y.npy")).unwrap();
    let other = |from: &str, to: &str| {
        let at = text.windows(from.len()).position(|w| w == from.as_bytes()).expect("it is there");
        let mut bytes = text.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        fs::write(folder.join("other.npy"), bytes).unwrap();
        predict("run", "other.npy").code(3)
    };
    other("(10, 2, 16)", "(10, 4, 8 )")
        .stderr(contains("the inputs have 4 channels (shape [10, 4, 8]); this model takes 2"));
    other("'<f4'", "'|O4'").stderr(contains("dtype |O"));

    fs::write(folder.join("cut.dashnas"), &fs::read(folder.join("run/model.dashnas")).unwrap()[..5000]).unwrap();
    predict("cut.dashnas", "y.npy").code(5).stderr(contains("cut.dashnas is damaged").and(contains("cut short")));
    predict("pulses.npz", "y.npy").code(5).stderr(contains("not a model file"));
    predict(".", "y.npy").code(5).stderr(contains("is not a run directory"));
    dashnas(folder).args(["predict", "run", "y.npy", "-o", "p.xls"]).assert().code(5).stderr(contains("p.xls"));
}

#[test]
fn exports_are_written_once_they_agree() {
    let folder = folder();
    let export = |args: &[&str]| dashnas(folder).args(["export", "run"]).args(args).assert();
    let done = json(&export(&["--json"]).success());
    assert_eq!((&done["opset"], &done["inputs"]), (&17.into(), &"test".into()));
    assert_eq!(done["agreement"]["samples"], 10);
    assert!(done["relative_difference"].as_f64().unwrap() < 1e-4);
    assert_eq!(done["other_size"], serde_json::json!([25]));
    assert!(folder.join("run/model.onnx").is_file());

    let text = export(&["--raw", "--opset", "13", "--fold-batch-norm", "-o", "raw.onnx"]).success();
    text.stdout(
        predicate::str::contains("Opset 13: from `input` [any, 2, any] to `outputs`")
            .and(predicate::str::contains("Verified on 10 test samples and at length 25: the outputs differ")),
    );
    assert!(
        fs::metadata(folder.join("raw.onnx")).unwrap().len()
            < fs::metadata(folder.join("run/model.onnx")).unwrap().len()
    );

    export(&["--format", "safetensors", "-o", "net.safetensors"]).success();
    let module = fs::read_to_string(folder.join("net.py")).expect("written");
    assert!(module.contains("WEIGHTS = \"net.safetensors\"") && module.contains("CLASSES = [\"up, up\", \"down\"]"));
    assert!(!module.contains("{{"), "nothing of the template is left");

    export(&["--format", "dashnas", "--fold-batch-norm", "-o", "folded.dashnas"]).success();
    let predict = |model: &str| dashnas(folder).args(["predict", model, "pulses.npz", "--json"]).assert().success();
    let (folded, whole) = (json(&predict("folded.dashnas")), json(&predict("run")));
    for (a, b) in folded.as_array().unwrap().iter().zip(whole.as_array().unwrap()) {
        let p = |v: &serde_json::Value| v["probabilities"][0].as_f64().unwrap();
        assert!((p(a) - p(b)).abs() < 1e-5);
    }
    // A file alone has no data set: it is compared on random inputs.
    let alone = json(&dashnas(folder).args(["export", "folded.dashnas", "-o", "f.onnx", "--json"]).assert().success());
    assert_eq!((&alone["inputs"], &alone["agreement"]["samples"]), (&"random".into(), &64.into()));
}

#[test]
fn what_cannot_be_exported_leaves_no_file() {
    let folder = folder();
    let export = |args: &[&str]| dashnas(folder).args(["export", "run", "-o", "no"]).args(args).assert().stdout("");
    let contains = predicate::str::contains;
    export(&["--opset", "6"]).code(1).stderr(contains("needs opset 7").and(contains("hint: use --opset 7")));
    export(&["--opset", "99"]).code(1).stderr(contains("is not supported"));
    export(&["--format", "safetensors", "--opset", "17"]).code(2).stderr(contains("--opset applies only to ONNX"));
    export(&["--format", "dashnas", "--raw"]).code(2).stderr(contains("always contains its preprocessing"));
    assert!(!folder.join("no").exists());
    dashnas(folder).args(["export", "run", "--format", "dashnas"]).assert().code(2).stderr(contains("--out"));
}

#[test]
fn predictions_are_timed() {
    let folder = folder();
    let args = ["bench", "infer", "run", "--repeats", "5", "--batch", "3", "--json"];
    let report = json(&dashnas(folder).args(args).assert().success());
    assert_eq!(
        (&report["repeats"], &report["batch"], &report["input"]),
        (&5.into(), &3.into(), &serde_json::json!([2, 16]))
    );
    assert!(report["latency_p95_ms"].as_f64().unwrap() >= report["latency_ms"].as_f64().unwrap());
    assert!(report["throughput"].as_f64().unwrap() > 0.0);
    dashnas(folder).args(&args[..7]).assert().success().stdout(predicate::str::contains("95th percentile"));
}

/// Settings that make a run a moment long.
const SHORT: [&str; 4] = ["search.min-steps=0", "search.max-steps=2", "retrain.min-steps=0", "retrain.max-steps=2"];

fn train(folder: &Path, args: &[&str]) {
    let mut command = dashnas(folder);
    command.arg("run").args(args).args(["--preset", "quick", "--no-tune", "--no-baseline"]);
    for pair in SHORT {
        command.args(["--set", pair]);
    }
    command.assert().success();
}

fn predicted(folder: &Path, args: &[&str]) -> String {
    let done = dashnas(folder).arg("predict").args(args).assert().success();
    String::from_utf8(done.get_output().stdout.clone()).expect("text")
}

/// Windows of two channels of 16, the second much larger than the first; `columns` are their names.
fn window(i: usize) -> Vec<f32> {
    (0..32).map(|j| if j < 16 { ((i * 7 + j * j) % 13) as f32 } else { 1000.0 - ((i + j) % 5) as f32 }).collect()
}

fn csv(columns: &str, rows: usize, label: impl Fn(usize) -> Option<&'static str>) -> String {
    let cell = |v: f32| format!("{v}");
    let row = |i: usize| {
        let values = window(i).into_iter().map(cell).collect::<Vec<_>>().join(",");
        label(i).map_or(format!("{values}\n"), |label| format!("{values},{label}\n"))
    };
    columns.to_owned() + "\n" + &(0..rows).map(row).collect::<String>()
}

/// The first five windows, in every format, with a network that was trained on a table of 24 with their activity.
#[test]
fn new_windows_are_read_from_every_format_as_the_training_data_was() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("writable");
    let columns = (0..31).map(|i| format!(",value_{i}")).fold("sample".to_owned(), |all, name| all + &name);
    let activity = |i: usize| Some(["walking", "sitting", "running"][i % 3]);
    write("windows.csv", csv(&(columns.clone() + ",activity"), 24, activity).as_bytes());
    train(folder, &["windows.csv", "--channels", "2", "--transform", "standardize-samples", "--out", "w"]);

    write("new.csv", csv(&columns, 5, |_| None).as_bytes());
    let wanted = predicted(folder, &["w", "new.csv"]);
    assert_eq!(wanted.lines().count(), 6);
    assert!(wanted.starts_with("sample,class,p_running,p_sitting,p_walking\n0,"), "{wanted}");
    // With the label, and as a model file by itself.
    write("labelled.csv", csv(&(columns.clone() + ",activity"), 5, activity).as_bytes());
    assert_eq!(predicted(folder, &["w/model.dashnas", "labelled.csv"]), wanted);

    let values: Vec<f32> = (0..5).flat_map(window).collect();
    let npy = |shape: &str| {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        bytes
    };
    write("new.npy", &npy("(5, 2, 16)"));
    write("rows.npy", &npy("(5, 32)"));
    let mut hdf5 = hdf5_pure::FileBuilder::new();
    hdf5.create_dataset("signals").with_f32_data(&values).with_shape(&[5, 2, 16]);
    write("new.h5", &hdf5.finish().expect("it is small"));
    let line = |i: usize| {
        let text = |channel: &[f32]| channel.iter().map(f32::to_string).collect::<Vec<_>>().join(",");
        format!("{}:{}\n", text(&window(i)[..16]), text(&window(i)[16..]))
    };
    write("new.ts", ("@classLabel false\n@data\n".to_owned() + &(0..5).map(line).collect::<String>()).as_bytes());
    // The writer of predictions makes a table with a column `sample` and columns of values: here, the inputs.
    let mut card = dashnas_nn::model::Model::load(folder.join("w")).expect("it is trained").card().clone();
    (card.task, card.classes) = (TaskKind::Regression { outputs: 31 }, None);
    let rest = Array::new(vec![5, 31], (0..5).flat_map(|i| window(i)[1..].to_vec()).collect());
    let table = Prediction { values: rest, centers: Vec::new(), classes: None, ids: None, places: Vec::new() };
    table.write(&card, &folder.join("new.parquet")).expect("writable");
    // The first column of that is the number of the row; give the CSV the same.
    let number = |i: usize| window(i)[1..].iter().fold(i.to_string(), |row, v| row + "," + &v.to_string()) + "\n";
    write("numbered.csv", (columns.clone() + "\n" + &(0..5).map(number).collect::<String>()).as_bytes());
    for name in ["new.npy", "rows.npy", "new.h5", "new.ts"] {
        assert_eq!(predicted(folder, &["w", name]), wanted, "{name}");
    }
    let numbered = predicted(folder, &["w", "numbered.csv"]);
    assert_eq!(predicted(folder, &["w", "new.parquet"]), numbered);
    assert_ne!(numbered, wanted);

    // What does not fit is named; what the file does not say, a flag does.
    let fails = |args: &[&str]| dashnas(folder).arg("predict").args(args).assert().code(3).stdout("");
    write("narrow.csv", csv(&columns, 5, |_| None).replacen("value_30", "value_31", 1).as_bytes());
    fails(&["w", "narrow.csv"]).stderr(predicate::str::contains("it lacks column `value_30`"));
    let bare = csv(&columns, 5, |_| None).split_once('\n').expect("a header").1.to_owned();
    write("bare.csv", bare.as_bytes());
    fails(&["w", "bare.csv"]).stderr(predicate::str::contains("--header no"));
    assert_eq!(predicted(folder, &["w", "bare.csv", "--header", "no"]), wanted);
    dashnas(folder).args(["predict", "w", "new.csv", "--length", "0"]).assert().code(4).stdout("");

    // Exported with its preprocessing, and compared on the same files.
    for name in ["new.csv", "new.h5"] {
        let done = json(&dashnas(folder).args(["export", "w", "--data", name, "--json"]).assert().success());
        assert_eq!((&done["inputs"], &done["agreement"]["samples"]), (&"given".into(), &5.into()), "{name}");
    }
    dashnas(folder).args(["export", "w"]).assert().success().stdout(predicate::str::contains("`input` [any, 2, any]"));
}

#[test]
fn folders_of_images_and_sound_are_predicted_file_by_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let place = |name: &str| {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("writable");
        path
    };
    let picture = |name: &str, side: u32, i: u32| {
        let pixel = |x: u32, y: u32| image::Luma([(40 * i + 9 * x * y % 120) as u8]);
        image::GrayImage::from_fn(side, side, pixel).save(place(name)).expect("writable");
    };
    for i in 0..6 {
        picture(&format!("pictures/{}/{i}.png", ["cat", "dog"][i as usize % 2]), 10 + i, i);
        picture(&format!("new/{i}.png"), 10 + i, i);
    }
    let one = ["--set", "backbone.width=1", "--resize", "8x8"];
    train(folder, &[&["pictures", "--out", "p"], &one[..]].concat());
    let (old, new) = (predicted(folder, &["p", "pictures"]), predicted(folder, &["p", "new"]));
    assert!(new.starts_with("sample,id,class,p_cat,p_dog\n0,0.png,"), "{new}");
    // The same picture gives the same, wherever it is and whatever size it had.
    let of = |text: &str, id: &str| {
        let row = text.lines().find(|line| line.split(',').nth(1) == Some(id)).expect("it is listed");
        row.split(',').skip(2).collect::<Vec<_>>().join(",")
    };
    for i in 0..6 {
        let name = format!("{}/{i}.png", ["cat", "dog"][i % 2]);
        assert_eq!(of(&new, &format!("{i}.png")), of(&old, &name));
    }
    let rows = json(&dashnas(folder).args(["predict", "p", "new", "--json"]).assert().success());
    assert_eq!(rows[5]["id"], "5.png");

    let clip = |name: &str, n: usize, step: usize| {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 2000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut writer = hound::WavWriter::create(place(name), spec).expect("writable");
        (0..n).for_each(|i| writer.write_sample(((i * step) % 2000) as i16 * 10).expect("writable"));
        writer.finalize().expect("writable");
    };
    for i in 0..6 {
        clip(&format!("sound/{}/{i}.wav", ["low", "high"][i % 2]), 400 + 10 * i, 50 + 100 * (i % 2));
    }
    clip("clips/deep/a.wav", 300, 50);
    clip("clips/b.wav", 900, 150);
    // Neither the rate nor the bands are those of the defaults.
    train(
        folder,
        &["sound", "--out", "s", "--audio-rate", "2000", "--set", "data.mel-bands=8", "--set", "backbone.width=1"],
    );
    let sound = predicted(folder, &["s", "clips"]);
    assert!(sound.starts_with("sample,id,class,p_high,p_low\n0,b.wav,"), "{sound}");
    assert!(sound.lines().nth(2).is_some_and(|l| l.starts_with("1,deep/a.wav,")), "{sound}");
    dashnas(folder).args(["export", "s", "--data", "clips"]).assert().success();
}

#[test]
fn a_task_is_read_as_the_run_read_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let grid = ["--set", "darcy.resolution=9", "--set", "darcy.train=8", "--set", "darcy.test=4"];
    train(folder, &[&["darcy-flow", "--out", "d"], &grid[..]].concat());
    let csv = predicted(folder, &["d", "darcy-flow"]);
    assert_eq!(csv.lines().count(), 5);
    assert!(csv.starts_with("sample,c0_0_0,c0_0_1,"), "{}", &csv[..40]);
    dashnas(folder).args(["export", "d", "--data", "darcy-flow"]).assert().success();
    let alone = dashnas(folder).args(["predict", "d/model.dashnas", "darcy-flow"]).assert().code(3).stdout("");
    alone.stderr(
        predicate::str::contains("the configuration of a run").and(predicate::str::contains("hint: give the run")),
    );

    // Fields as one array hold what the table does; and a table of too many points is refused.
    dashnas(folder).args(["predict", "d", "darcy-flow", "-o", "f.npy"]).assert().success();
    let npy = fs::read(folder.join("f.npy")).expect("written");
    let field: Vec<f32> = npy[128..].chunks(4).map(|b| f32::from_le_bytes(b.try_into().expect("four bytes"))).collect();
    let cells: Vec<f32> =
        csv.lines().skip(1).flat_map(|l| l.split(',').skip(1)).map(|v| v.parse().expect("a number")).collect();
    assert_eq!(field, cells);
    assert!(String::from_utf8_lossy(&npy[..128]).contains("'shape': (4, 1, "));
}
