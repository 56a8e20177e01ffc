//! Predicting, exporting and timing a trained model from the command line.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use dashnas::data::{Array, Dataset, Split, Targets, npz};
use dashnas::task::TaskKind;
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
        let mut command = dashnas(folder.path());
        command.args(["run", "pulses.npz", "--preset", "quick", "--out", "run", "--no-tune", "--no-baseline"]);
        for pair in ["search.min-steps=0", "search.max-steps=2", "retrain.min-steps=0", "retrain.max-steps=2"] {
            command.args(["--set", pair]);
        }
        command.assert().success();
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
        .stderr(contains("the inputs have 4 channel(s), in shape [10, 4, 8]; this model takes 2"));
    other("'<f4'", "'|O4'").stderr(contains("dtype |O"));

    fs::write(folder.join("cut.dashnas"), &fs::read(folder.join("run/model.dashnas")).unwrap()[..5000]).unwrap();
    predict("cut.dashnas", "y.npy").code(5).stderr(contains("cut.dashnas is damaged").and(contains("cut short")));
    predict("pulses.npz", "y.npy").code(5).stderr(contains("no model file"));
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
    assert!(folder.join("run/model.onnx").is_file());

    let text = export(&["--raw", "--opset", "13", "--fold-batch-norm", "-o", "raw.onnx"]).success();
    text.stdout(predicate::str::contains("Opset 13: `input` [any, 2, any] to `outputs`"));
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
    export(&["--opset", "99"]).code(1).stderr(contains("not among those"));
    export(&["--format", "safetensors", "--opset", "17"]).code(1).stderr(contains("--opset is for ONNX"));
    export(&["--format", "dashnas", "--raw"]).code(1).stderr(contains("always holds its preprocessing"));
    assert!(!folder.join("no").exists());
    dashnas(folder).args(["export", "run", "--format", "dashnas"]).assert().code(1).stderr(contains("--out"));
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
