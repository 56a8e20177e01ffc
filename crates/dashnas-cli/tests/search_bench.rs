//! `dashnas bench search` as a user meets it.

mod common;

use assert_cmd::Command;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::fs;

#[test]
fn the_command_prints_a_table_or_json_and_continues_its_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let split = |n: usize| {
        let x = (0..n * 16).map(|i| ((i * 37 + i / 16) % 11) as f32).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
    };
    let set = Dataset::new("mine", TaskKind::Classification { classes: 2 }, split(24), None, split(8));
    npz::save(&set.expect("the data is sound"), &folder.path().join("mine.npz")).expect("writable");
    fs::write(folder.path().join("tiny.toml"), common::settings(&[])).expect("writable");
    let run = |more: &[&str]| {
        let size = ["bench", "search", "mine.npz", "--config", "tiny.toml", "--random", "2", "--uniform", "1"];
        let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
        command.current_dir(folder.path()).args(size).args(["--seeds", "1"]).args(more);
        let output = command.output().expect("it can be started");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
        (output.status.code(), out, err)
    };
    let (code, out, err) = run(&[]);
    assert_eq!(code, Some(0), "{err}");
    for part in ["searched, retrained", "percentile", "Kendall's tau", "nothing was chosen by it", "all entries"] {
        assert!(out.contains(part), "{part} in\n{out}");
    }
    assert!(err.contains("8/8  ours-0-retrained") || err.contains("8/8  paper-0-retrained"), "{err}");
    let bench = folder.path().join("runs/bench-search-mine");
    assert!(fs::read_to_string(bench.join("bench.svg")).expect("it is there").starts_with("<svg"));

    let report = fs::read_to_string(bench.join("report.html")).expect("it is there");
    assert!(report.contains("are too few for a conclusion") && out.contains("are too few for a conclusion"), "{out}");
    fs::remove_file(bench.join("report.html")).expect("it is there");
    let report = |more: &[&str]| {
        let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
        command.current_dir(folder.path()).args(["report", "runs/bench-search-mine"]).args(more);
        let output = command.output().expect("it can be started");
        (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    assert_eq!(report(&[]).0, Some(0));
    assert!(bench.join("report.html").is_file());
    let (code, err) = report(&["runs/bench-search-mine/runs/plain"]);
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("is a bench, not a run"), "{err}");

    // The second time there is nothing to do.
    let (code, out, err) = run(&["--json", "--workers", "2"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("8 of 8 entries have a result"), "{err}");
    assert_eq!(out, fs::read_to_string(bench.join("bench.json")).expect("it is there"));
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(document["random"].as_array().map(Vec::len), Some(2));

    let (code, _, err) = run(&["--seed", "5"]);
    assert_eq!(code, Some(4), "{err}");
    assert!(err.contains("`seed` is 5") && err.contains("another --out"), "{err}");
    let (code, _, err) = run(&["--time-limit", "5m"]);
    assert_eq!(code, Some(4), "{err}");
    assert!(err.contains("--time-limit is set") && err.contains("do not set --time-limit"), "{err}");
}
