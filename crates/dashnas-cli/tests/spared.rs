//! Outputs spare what they are made from, and options without effect are refused.

mod common;

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use predicates::prelude::*;
use std::fs;
use std::path::Path;

fn dashnas(folder: &Path, args: &[&str]) -> Assert {
    Command::cargo_bin("dashnas").expect("the binary is built with its tests").current_dir(folder).args(args).assert()
}

/// A folder with a small table and a run on it.
fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let header: Vec<String> = (0..16).map(|i| format!("v{i}")).collect();
    let row = |k: usize| {
        let values: Vec<String> = (0..16).map(|i| format!("{}", (i * (k % 2 + 1) + k) % 7)).collect();
        format!("{},{}.5,{}\n", values[1..].join(","), k, ["a", "b"][k % 2])
    };
    let table = format!("{},label\n", header.join(",")) + &(0..40).map(row).collect::<String>();
    fs::write(folder.path().join("a.csv"), table).expect("writable");
    let settings = common::settings(&[("tune.enabled", "false"), ("baseline.enabled", "false")]);
    fs::write(folder.path().join("c.toml"), settings).expect("writable");
    dashnas(folder.path(), &["run", "a.csv", "--config", "c.toml", "--out", "r", "-q"]).success();
    folder
}

#[test]
fn outputs_spare_their_inputs_and_the_files_of_the_run() {
    let folder = trained();
    let at = folder.path();
    fs::write(at.join("train.py"), "print('mine')\n").expect("writable");
    let bytes = |name: &str| fs::read(at.join(name)).expect("readable");
    let kept = ["a.csv", "r/model.dashnas", "r/metrics.json", "r/report.html", "train.py"];
    let before = kept.map(bytes);
    for (args, reason) in [
        (&["predict", "r", "a.csv", "-o", "a.csv"][..], "cannot be written to a.csv: it is the input"),
        (&["predict", "r", "a.csv", "--score", "-o", "r/../a.csv"], "it is the input"),
        (&["export", "r", "-o", "r/model.dashnas"], "cannot be written to r/model.dashnas: it is"),
        (&["export", "r", "--format", "dashnas", "-o", "r/model.dashnas"], "it is a file of the run"),
        (&["export", "r", "-o", "r/metrics.json"], "it is a file of the run"),
        (&["export", "r", "-o", "r/report.html"], "it is a file of the run"),
        (&["export", "r", "--data", "a.csv", "-o", "a.csv"], "it is the data of the run"),
        (&["export", "r", "--format", "safetensors", "-o", "train.safetensors"], "cannot be written to train.py"),
        (&["report", "r", "-o", "r/metrics.json"], "it is a file of the run"),
    ] {
        dashnas(at, args).code(2).stdout("").stderr(predicate::str::contains(reason));
    }
    assert_eq!(kept.map(bytes), before);
    for args in [
        &["report", "r", "-o", "r/report.html"][..],
        &["predict", "r", "a.csv", "-o", "r/predictions.csv"],
        &["predict", "r", "a.csv", "-o", "r/predictions.csv"],
        &["export", "r", "-o", "r/model.onnx"],
        &["export", "r", "--format", "safetensors"],
        &["export", "r", "--format", "safetensors"],
    ] {
        dashnas(at, args).success();
    }
}

#[test]
fn files_of_the_user_and_of_other_runs_are_replaced_by_force_only() {
    let folder = trained();
    let at = folder.path();
    fs::create_dir(at.join("other")).expect("writable");
    for file in ["config.toml", "data.json"] {
        fs::copy(at.join("r").join(file), at.join("other").join(file)).expect("it can be copied");
    }
    let mine = ["mine.csv", "mine.npy", "mine.parquet", "mine.onnx", "mine.html", "comparison.html", "mine.dashnas"];
    let restore = || mine.map(|name| fs::write(at.join(name), "name,age\nx,1\n").expect("writable"));
    restore();
    let refused = [
        (&["predict", "r", "a.csv", "-o", "mine.csv"][..], "a file that was not written by this command before"),
        (&["predict", "r", "a.csv", "-o", "mine.npy"], "a file that was not written"),
        (&["predict", "r", "a.csv", "-o", "mine.parquet"], "a file that was not written"),
        (&["export", "r", "-o", "mine.onnx"], "a file that was not written"),
        (&["export", "r", "--format", "dashnas", "-o", "mine.dashnas"], "a file that was not written"),
        (&["report", "r", "-o", "mine.html"], "a file that was not written"),
        (&["report", "r", "r"], "cannot be written to comparison.html"),
        (&["export", "r", "-o", "other/model.onnx"], "it is in the folder of another run"),
        (&["predict", "r/model.dashnas", "a.csv", "-o", "other/p.csv"], "it is in the folder of another run"),
    ];
    for (args, reason) in refused {
        dashnas(at, args)
            .code(2)
            .stdout("")
            .stderr(predicate::str::contains(reason).and(predicate::str::contains("--force")));
    }
    assert!(mine.iter().all(|name| fs::read(at.join(name)).expect("readable") == b"name,age\nx,1\n"));
    assert!(!at.join("other/model.onnx").exists() && !at.join("other/p.csv").exists());
    for (args, _) in refused {
        dashnas(at, &[args, &["--force"]].concat()).success();
    }
    // What a command wrote before is replaced, but for a model, which may be the only copy.
    for (args, _) in refused.iter().filter(|(args, _)| !args.iter().any(|arg| arg.starts_with("other/"))) {
        let code = if args.contains(&"mine.dashnas") { 2 } else { 0 };
        dashnas(at, args).code(code);
    }
    // What must not be destroyed is not destroyed by force either.
    dashnas(at, &["predict", "r", "a.csv", "-o", "a.csv", "--force"]).code(2);
    dashnas(at, &["export", "r", "-o", "r/metrics.json", "--force"]).code(2);
}

#[test]
fn options_without_effect_are_refused() {
    let folder = trained();
    let at = folder.path();
    for (args, reason) in [
        (&["--seed", "3"][..], "--seed has no effect on a run that is resumed: its configuration has `seed = 0`"),
        (&["--preset", "paper"], "its configuration has `preset = \"quick\"`"),
        (&["--set", "retrain.max-steps=1"], "its configuration has `retrain.max-steps = 2`"),
        (&["--config", "c.toml"], "--config has no effect"),
        (&["--time-limit", "1s"], "--time-limit has no effect"),
        (&["--kernel-sizes", "3,7"], "--kernel-sizes has no effect"),
        (&["--targets", "v1"], "--targets has no effect"),
        (&["--no-tune", "--tensorboard"], "--tensorboard has no effect"),
    ] {
        let resumed = dashnas(at, &[&["run", "--resume", "r"][..], args].concat());
        resumed.code(2).stdout("").stderr(predicate::str::contains(reason));
        dashnas(at, &[&["search", "--resume", "r"][..], args].concat()).code(2);
    }
    // What the run has anyway is no contradiction, and the number of threads is no setting of it.
    let same = ["run", "--resume", "r", "--seed", "0", "--preset", "quick", "--no-tune", "--threads", "1", "-q"];
    dashnas(at, &same).success();
    for (args, code, reason) in [
        (&["config", "--set", "preset=paper"][..], 4, "hint: use --preset paper"),
        (&["predict", "r", "a.csv", "--folds", "3"], 2, "--folds has no effect here"),
        (&["predict", "r", "a.csv", "--test-fraction", "0.5"], 2, "--test-fraction has no effect here"),
        (&["export", "r", "--targets", "label"], 2, "--targets applies only to --data"),
        (&["export", "r", "--format", "safetensors", "--samples", "3"], 2, "--samples is for verifying ONNX files"),
    ] {
        dashnas(at, args).code(code).stdout("").stderr(predicate::str::contains(reason));
    }
}
