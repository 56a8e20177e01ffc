//! `--architecture` and `--train-samples`: given kernels and fewer training samples, as a user meets them.

mod common;

use assert_cmd::Command;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A folder with a 1-D data set and a configuration under which a run takes moments.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let split = |n: usize| {
        let x = (0..n * 16).map(|i| (i * 7919 % 97) as f32 / 97.0 - 0.5).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
    };
    let set = Dataset::new("series", TaskKind::Classification { classes: 2 }, split(24), None, split(8));
    npz::save(&set.expect("sound"), &folder.path().join("series.npz")).expect("writable");
    fs::write(folder.path().join("small.toml"), common::settings(&[("backbone.channels", "4")])).expect("writable");
    folder
}

fn dashnas(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
    command.current_dir(folder).env("DASHNAS_CACHE", folder.join("cache")).args(args);
    command
}

/// The result of a run of the data set.
fn result(folder: &Path, args: &[&str]) -> Value {
    let all = [&["run", "series.npz", "--config", "small.toml", "--no-baseline", "--json"], args].concat();
    let assert = dashnas(folder, &all).assert().success();
    serde_json::from_slice(&assert.get_output().stdout).expect("standard output is JSON")
}

#[test]
fn kernels_can_be_random_or_of_another_run() {
    let folder = folder();
    let folder = folder.path();
    let random = result(folder, &["--architecture", "random:1", "--out", "random"]);
    assert_eq!(random["kernels_given"], true);
    let same = result(folder, &["--architecture", "random:1", "--seed", "3", "--out", "same"]);
    assert_eq!(same["architecture"], random["architecture"]);
    let other = result(folder, &["--architecture", "random:2", "--out", "other"]);
    assert_ne!(other["architecture"], random["architecture"]);
    for (source, out) in [("other", "run"), ("other/metrics.json", "file")] {
        let taken = result(folder, &["--architecture", source, "--out", out]);
        assert_eq!((&taken["architecture"], &taken["test"]), (&other["architecture"], &other["test"]));
    }
    // Nothing is searched when the run is resumed either, and nothing is called searched.
    let again = dashnas(folder, &["run", "--resume", "other"]).assert().success();
    again.stdout(contains("The kernels were given; nothing was searched."));
    let status = dashnas(folder, &["status", "other"]).assert().success();
    status.stdout(contains("none: the kernels are given").and(contains("searched network").not()));
    let report = fs::read_to_string(folder.join("other/report.html")).expect("readable");
    assert!(report.contains("The network, with given kernels"));
}

#[test]
fn kernels_that_cannot_be_used_are_refused() {
    let folder = folder();
    let folder = folder.path();
    fs::write(folder.join("few.json"), json!({"kernels": [[3, 1], [5, 1]]}).to_string()).expect("writable");
    fs::write(folder.join("empty.json"), "{}").expect("writable");
    let refused = |source: &str, more: &[&str], code: i32, words: &[&str]| {
        let args = [&["run", "series.npz", "--config", "small.toml", "--out", "out", "--architecture", source], more];
        let mut assert = dashnas(folder, &args.concat()).assert().code(code);
        for word in words {
            assert = assert.stderr(contains(*word));
        }
        assert!(!folder.join("out").exists());
    };
    refused("few.json", &[], 4, &["2 kernels from few.json", "9 searched layers"]);
    refused("empty.json", &[], 5, &["empty.json", "hint: give a run directory"]);
    refused("missing.json", &[], 5, &["missing.json"]);
    refused("random:one", &[], 2, &["random:1"]);
    refused("random:1", &["--set", "search.kernels=[[3,1]]"], 4, &["--architecture"]);
    refused("random:1", &["--max-params", "100"], 4, &["the given kernels has", "raise --max-params"]);
    dashnas(folder, &["run", "--resume", "out", "--architecture", "random:1"]).assert().code(2);
    let args = ["run", "series.npz", "--set", "search.kernels=[[3, 1]]", "--out", "out"];
    dashnas(folder, &args).assert().code(4).stderr(contains("1 kernel").and(contains("9 searched layers")));
}

#[test]
fn only_the_first_training_samples_are_used() {
    let folder = folder();
    let folder = folder.path();
    let inspected = dashnas(folder, &["inspect", "series.npz", "--train-samples", "10"]).assert().success();
    inspected.stdout(contains("only the first 10 of 24 training samples are used")).stdout(contains("10×1×16"));
    let inspected = dashnas(folder, &["inspect", "series.npz", "--train-samples", "100"]).assert().success();
    inspected.stdout(contains("the data set has only 24 training samples"));
    let run = result(folder, &["--train-samples", "10", "--out", "ten"]);
    assert_eq!(run["samples"], json!([10, 8]));
    dashnas(folder, &["run", "--resume", "ten"]).assert().success();
    let refused = dashnas(folder, &["run", "series.npz", "--train-samples", "1", "--out", "one"]).assert().code(3);
    refused.stderr(contains("none of the first 1 training samples")).stderr(contains("set --train-samples to 2"));
    assert!(!folder.join("one").exists());
    // The stages one by one read the same data.
    let search = ["search", "series.npz", "--config", "small.toml", "--train-samples", "12", "--out", "stages"];
    dashnas(folder, &search).assert().success();
    for stage in ["tune", "train", "evaluate"] {
        dashnas(folder, &[stage, "stages"]).assert().success();
    }
}
