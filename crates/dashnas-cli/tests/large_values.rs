//! Inputs and targets that are large and vary little: from the file to the predictions, no digit that matters is lost.

mod common;

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// What the values are large by. Neighboring numbers of 32 bits are 64 and 128 apart there.
const PASCALS: f64 = 1e9;
const SECONDS: f64 = 1.7e9;

fn dashnas(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
    command.current_dir(folder);
    command
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = dashnas(folder).args(args).assert().success();
    serde_json::from_slice(&output.get_output().stdout).expect("standard output is JSON")
}

/// A table of two kinds of waves of amplitude 1 on a large offset, and the label of each.
fn waves(samples: usize, label: &dyn Fn(usize) -> String) -> String {
    let header: Vec<String> = (0..24).map(|i| format!("v{i}")).collect();
    let row = |k: usize| {
        let step = if k % 2 == 1 { 1.6 } else { 0.4 };
        let value = |i: usize| format!("{:.3}", PASCALS + (i as f64 * step + k as f64).sin());
        format!("{},{}\n", (0..24).map(value).collect::<Vec<_>>().join(","), label(k))
    };
    format!("{},label\n", header.join(",")) + &(0..samples).map(row).collect::<String>()
}

/// A Unix time that the kind of wave decides, to the second.
fn time(k: usize) -> f64 {
    SECONDS + [0.25, 40.75][k % 2]
}

fn settings() -> String {
    common::settings(&[
        ("retrain.max-steps", "80"),
        ("retrain.epochs", "40"),
        ("tune.enabled", "false"),
        ("baseline.enabled", "true"),
    ])
}

#[test]
fn inputs_are_learned_predicted_from_and_exported_with_all_digits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let class = |k: usize| ["a", "b"][k % 2].to_owned();
    fs::write(at.join("c.toml"), settings()).expect("writable");
    fs::write(at.join("a.csv"), waves(60, &class)).expect("writable");
    let said = dashnas(at).args(["run", "a.csv", "--config", "c.toml", "--out", "r"]).assert().success();
    said.stderr(predicate::str::contains("read relative to a number: channel 0 to 1000000000"));
    let score = json(at, &["evaluate", "r", "--on", "a.csv", "--json"]);
    assert!(score["value"].as_f64().is_some_and(|error| error < 0.2), "it was learned: {score}");
    assert!(score["baseline"].as_f64().is_some_and(|error| error < 0.4), "the plain network, too: {score}");
    let found = json(at, &["inspect", "a.csv", "--json"]);
    assert_eq!(found["centers"]["inputs"], serde_json::json!([PASCALS]));

    // The same data in another order of columns and another format gives the same predictions.
    let predicted = json(at, &["predict", "r", "a.csv", "--json"]);
    assert_eq!(predicted, json(at, &["predict", "r/model.dashnas", "a.csv", "--json"]));
    let lines = waves(60, &class);
    let mut rows = lines.lines();
    let names: Vec<&str> = rows.next().expect("a header").split(',').collect();
    let objects: String = rows
        .map(|row| {
            let cell = |(name, cell): (&&str, &str)| match *name {
                "label" => format!("\"{name}\":\"{cell}\""),
                _ => format!("\"{name}\":{cell}"),
            };
            let mut cells: Vec<String> = names.iter().zip(row.split(',')).map(cell).collect();
            cells.reverse();
            format!("{{{}}}\n", cells.join(","))
        })
        .collect();
    fs::write(at.join("a.jsonl"), objects).expect("writable");
    assert_eq!(predicted, json(at, &["predict", "r", "a.jsonl", "--json"]));

    // A run in stages ends with the same bits.
    dashnas(at).args(["search", "a.csv", "--config", "c.toml", "--out", "s", "-q"]).assert().success();
    dashnas(at).args(["run", "--resume", "s", "-q"]).assert().success();
    let model = |run: &str| fs::read(at.join(run).join("model.dashnas")).expect("readable");
    assert!(model("r") == model("s"));

    let text = dashnas(at).args(["export", "r", "-o", "r.onnx"]).assert().success();
    text.stdout(predicate::str::contains("[any, 1, any] in double precision to `probabilities`"));
    dashnas(at).args(["export", "r", "--format", "safetensors", "-o", "r.safetensors"]).assert().success();
    let module = fs::read_to_string(at.join("r.py")).expect("readable");
    assert!(module.contains("INPUT_CENTERS = [1000000000.0]") && module.contains("less(x, INPUT_CENTERS)"), "{module}");
    // Data in another range is warned of with its own values.
    fs::write(at.join("small.csv"), waves(30, &class).replace("1000000000.", "3.").replace("999999999.", "2."))
        .expect("writable");
    let warned = dashnas(at).args(["predict", "r", "small.csv", "-o", "p.csv"]).assert().success();
    warned.stderr(predicate::str::contains("channel 0"));
}

#[test]
fn predicted_times_have_all_their_digits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    fs::write(at.join("c.toml"), settings()).expect("writable");
    fs::write(at.join("a.csv"), waves(60, &|k| format!("{:.2}", time(k)))).expect("writable");
    let run = ["run", "a.csv", "--targets", "label", "--config", "c.toml", "--out", "r"];
    let said = dashnas(at).args(run).assert().success();
    said.stderr(predicate::str::contains("output 0 (label) to 17000000"));
    let score = json(at, &["evaluate", "r", "--on", "a.csv", "--json"]);
    let r2 = score["details"]["outputs"][0]["r2"].as_f64().expect("a number");
    assert!(r2 > 0.5, "it was learned: {score}");
    dashnas(at).args(["predict", "r", "a.csv", "-o", "p.csv"]).assert().success();
    dashnas(at).args(["predict", "r", "a.csv", "-o", "p.npy"]).assert().success();
    let table = fs::read_to_string(at.join("p.csv")).expect("readable");
    let values: Vec<f64> = table
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().and_then(|cell| cell.parse().ok()).expect("a number"))
        .collect();
    let off: f64 = values.iter().enumerate().map(|(k, v)| (v - time(k)).abs()).sum::<f64>() / 60.0;
    // Numbers of 32 bits would be multiples of 128.
    assert!(off < 15.0 && values.iter().any(|v| v.fract() != 0.0), "{off} {values:?}");
    let mae = score["details"]["outputs"][0]["mae"].as_f64().expect("a number");
    assert!((off - mae).abs() < 1e-3, "{off} {mae}");
    let array = fs::read(at.join("p.npy")).expect("readable");
    assert!(String::from_utf8_lossy(&array[..80]).contains("<f8"));
    let last = f64::from_le_bytes(array[array.len() - 8..].try_into().expect("eight bytes"));
    assert_eq!(last, values[59]);
    let rows = json(at, &["predict", "r", "a.csv", "--json"]);
    assert_eq!(rows[59]["values"][0].as_f64(), Some(last));
    dashnas(at).args(["export", "r", "-o", "r.onnx"]).assert().success();
}
