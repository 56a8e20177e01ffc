//! The command as a user meets it: output streams, messages, hints and exit codes.

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use predicates::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn dashnas(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
    command.current_dir(folder).env("DASHNAS_CACHE", folder.join("cache")).env_remove("NO_COLOR");
    command
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Settings under which a whole run takes a second.
const TINY: &str = "preset = \"quick\"
[space]
kernel-sizes = [3, 5]
dilations = [1, 3]
[search]
epochs = 1
min-steps = 0
max-steps = 2
[tune]
epochs = 1
min-steps = 0
max-steps = 2
learning-rates = [0.1]
[retrain]
epochs = 1
min-steps = 0
max-steps = 2
[darcy]
resolution = 17
stride = 2
train = 12
test = 4
";

/// A 1-D data set of two classes, in a file of the folder.
fn series(folder: &Path) -> PathBuf {
    let split = |n: usize| {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for i in 0..n {
            let class = i % 2;
            y.push(class as u32);
            x.extend((0..16).map(|t| if t % (2 + class) == 0 { 1.0 } else { (i as f32).sin() * 0.1 }));
        }
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes(y) }
    };
    let set =
        Dataset::new("pulses", TaskKind::Classification { classes: 2 }, split(24), None, split(8)).expect("sound");
    let path = folder.join("pulses.npz");
    npz::save(&set, &path).expect("writable");
    path
}

fn json(assert: &Assert) -> serde_json::Value {
    serde_json::from_slice(&assert.get_output().stdout).expect("standard output is JSON")
}

#[test]
fn help_documents_the_exit_codes() {
    let folder = folder();
    for command in [&["--help"][..], &["run", "--help"], &["evaluate", "--help"]] {
        let help = dashnas(folder.path()).args(command).assert().success();
        help.stdout(predicate::str::contains("Exit codes:").and(predicate::str::contains("130  interrupted")));
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let folder = folder();
    for args in [
        &["run"][..],
        &["frobnicate"],
        &["run", "x", "--preset", "huge"],
        &["run", "x", "--seed", "-1"],
        &["run", "x", "--threads", "0"],
    ] {
        dashnas(folder.path()).args(args).assert().code(2).stdout("").stderr(predicate::str::contains("error:"));
    }
}

#[test]
fn config_prints_what_the_flags_lead_to() {
    let folder = folder();
    fs::write(folder.path().join("c.toml"), "[search]\nepochs = 7\n").unwrap();
    let args = ["config", "--preset", "paper", "--config", "c.toml", "--kernel-sizes", "3,5", "--no-tune"];
    let printed = dashnas(folder.path()).args(args).assert().success().stderr("");
    let text = String::from_utf8(printed.get_output().stdout.clone()).unwrap();
    let config = dashnas::config::Config::from_toml(&text, Path::new("printed")).unwrap();
    assert_eq!(config.search.epochs, 7);
    assert_eq!(config.retrain.epochs, 200);
    assert_eq!(config.space.kernel_sizes, Some(vec![3, 5]));
    assert!(!config.tune.enabled);
    let as_json = json(&dashnas(folder.path()).args(args).arg("--json").assert().success());
    assert_eq!(as_json["search"]["epochs"], 7);
}

#[test]
fn a_wrong_key_names_file_line_and_a_better_one() {
    let folder = folder();
    fs::write(folder.path().join("c.toml"), "seed = 1\n[search]\nepoch = 7\n").unwrap();
    let stderr = "error: c.toml:3: unknown key `search.epoch`\nhint: did you mean `search.epochs`?\n";
    dashnas(folder.path()).args(["config", "--config", "c.toml"]).assert().code(4).stdout("").stderr(stderr);
    let stderr = "error: --kernel-sizes: `space.kernel-sizes` is [3, 4], but kernel sizes must be odd\n";
    dashnas(folder.path())
        .args(["run", "darcy-flow", "--kernel-sizes", "3,4"])
        .assert()
        .code(4)
        .stderr(predicate::str::starts_with(stderr));
    dashnas(folder.path()).args(["config", "--config", "none.toml"]).assert().code(5);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was left behind");
}

#[test]
fn a_run_directory_that_cannot_be_made_is_known_before_the_data_is() {
    let folder = folder();
    fs::write(folder.path().join("file"), "").unwrap();
    let long = "x".repeat(300);
    // The data set does not exist either, which would come later.
    for (out, message) in [("file", "already exists"), ("file/x", "file/x"), (&*long, "run directory")] {
        dashnas(folder.path())
            .args(["run", "missing.npz", "--out", out])
            .assert()
            .code(5)
            .stdout("")
            .stderr(predicate::str::contains(message).and(predicate::str::contains("hint: ")));
    }
    dashnas(folder.path()).args(["run", "missing.npz", "--out", "a/b/c"]).assert().code(3);
    dashnas(folder.path()).args(["run", "missing.npz"]).assert().code(3);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was left behind");
}

#[test]
fn a_limit_that_is_too_small_leaves_nothing() {
    let folder = folder();
    series(folder.path());
    let run = dashnas(folder.path()).args(["run", "pulses.npz", "--memory-limit", "1M", "--out", "r"]).assert().code(4);
    run.stdout("").stderr(predicate::str::contains("hint: set --memory-limit"));
    assert!(!folder.path().join("r").exists());
}

#[test]
fn bad_data_is_exit_code_3_and_leaves_nothing() {
    let folder = folder();
    fs::write(folder.path().join("bad.npz"), "not a zip").unwrap();
    for name in ["missing.npz", "bad.npz"] {
        for command in ["run", "search", "inspect"] {
            dashnas(folder.path())
                .args([command, name])
                .assert()
                .code(3)
                .stdout("")
                .stderr(predicate::str::contains(name).and(predicate::str::contains("error:")));
        }
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no run directory was made");
}

#[test]
fn a_loss_or_backbone_that_does_not_fit_is_exit_code_4() {
    let folder = folder();
    series(folder.path());
    for flags in [["--loss", "relative-l2"], ["--backbone", "wrn-2d"]] {
        dashnas(folder.path()).args(["run", "pulses.npz"]).args(flags).assert().code(4).stdout("");
    }
    assert!(!folder.path().join("runs").exists());
}

/// Saves a data set of series under a name.
fn save(folder: &Path, name: &str, task: TaskKind, targets: [Targets; 2]) {
    let [train, test] = targets.map(|y| {
        let n = y.shape()[0];
        let x = (0..n * 32).map(|i| (i as f32).sin()).collect();
        Split { x: Array::new(vec![n, 2, 4, 4], x), y }
    });
    let set = Dataset::new(name, task, train, None, test).expect("sound");
    npz::save(&set, &folder.join(name)).expect("writable");
}

#[test]
fn a_metric_that_does_not_fit_is_refused_before_anything_is_trained() {
    let folder = folder();
    series(folder.path());
    let numbers = |n: usize| Targets::Values(Array::new(vec![n, 1], (0..n).map(|i| i as f32 + 0.5).collect()));
    save(folder.path(), "numbers.npz", TaskKind::Regression { outputs: 1 }, [numbers(12), numbers(4)]);
    // Positions that are no square map.
    let split = |n: usize| {
        let values: Vec<f32> = (0..n * 12).map(|i| (i as f32).cos()).collect();
        let field = Array::new(vec![n, 1, 3, 4], values);
        Split { x: field.clone(), y: Targets::Values(field) }
    };
    let fields = TaskKind::DenseRegression { channels: 1 };
    let set = Dataset::new("maps", fields, split(8), None, split(4)).expect("sound");
    npz::save(&set, &folder.path().join("maps.npz")).expect("writable");
    for (data, metric, needs) in [
        ("pulses.npz", "mae", "real values"),
        ("pulses.npz", "relative-l2", "real values"),
        ("numbers.npz", "one-minus-auroc", "classes, labels or masks"),
        ("numbers.npz", "zero-one-error", "classes, labels or masks"),
        ("maps.npz", "contact-mae", "a square grid"),
    ] {
        let run = dashnas(folder.path()).args(["run", data, "--metric", metric]).assert().code(4).stdout("");
        run.stderr(predicate::str::contains(needs).and(predicate::str::contains("hint: its default is")));
    }

    // No label is true in the test split, and every test sample is of one class.
    let labels = |n: usize, on: f32| {
        let value = |i: usize| if i.is_multiple_of(3) { on } else { 0.0 };
        Targets::Values(Array::new(vec![n, 2], (0..2 * n).map(value).collect()))
    };
    save(folder.path(), "labels.npz", TaskKind::MultiLabel { labels: 2 }, [labels(12, 1.0), labels(4, 0.0)]);
    let classes = [Targets::Classes([0, 1].repeat(6)), Targets::Classes(vec![1; 4])];
    save(folder.path(), "one.npz", TaskKind::Classification { classes: 2 }, classes);
    for args in [&["labels.npz", "--task", "multi-label"][..], &["one.npz", "--metric", "one-minus-auroc"]] {
        let run = dashnas(folder.path()).arg("run").args(args).assert().code(3).stdout("");
        run.stderr(
            predicate::str::contains("on the test split").and(predicate::str::contains("hint: choose another metric")),
        );
    }
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn inspect_describes_a_data_set() {
    let folder = folder();
    series(folder.path());
    let text = dashnas(folder.path()).args(["inspect", "pulses.npz"]).assert().success().stderr("");
    text.stdout(predicate::str::contains("pulses: classification into 2 classes"));
    let found =
        json(&dashnas(folder.path()).args(["inspect", "pulses.npz", "--json", "--metric", "one-minus-f1"]).assert());
    assert_eq!(found["metric"], "one-minus-f1");
    assert_eq!(found["splits"][0]["x"], serde_json::json!([24, 1, 16]));

    // And what would be run on it.
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    let args = ["inspect", "pulses.npz", "--config", "tiny.toml"];
    let text = dashnas(folder.path()).args(args).assert().success().stderr("");
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    let (_, run) = text.split_once("  would be run").unwrap_or_else(|| panic!("{text}"));
    assert_eq!(
        run,
        " (preset quick)
    backbone  wrn-1d of 32 channels; 9 layers with searched kernels
    kernels   K = {3, 5}, D = {1, 3}
    search    race of 2 networks: 2 trials, 6 steps of 4 samples in total
    tune      up to 1 trial of 1 epoch (5 steps) on 20 samples, scored on 4 samples; learning rates 0.1
    retrain   1 epoch, 6 steps of 4 samples, learning rate 0.1 if not tuned
    baseline  the plain backbone, tuned and trained in the same way
    note      `search.epochs`, `search.min-steps` and `search.max-steps` are set, but change nothing: they are for the \
         search of the paper, and `search.strategy` is \"race\"
"
    );
    let found = json(&dashnas(folder.path()).args(args).arg("--json").assert().success());
    assert_eq!(found["run"]["tune"]["validation"], 4);
    // A run that would be refused: the data first, then why.
    let refused = dashnas(folder.path()).args(["inspect", "pulses.npz", "--metric", "mae"]).assert().code(4);
    refused
        .stdout(predicate::str::contains("classification into 2 classes"))
        .stderr(predicate::str::contains("the metric mae cannot be used"));
}

/// A run says first what its data was understood to be, in the words of `inspect`, and repeats it in its result.
#[test]
fn a_run_says_what_its_data_was_understood_to_be() {
    let folder = folder();
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    let row =
        |i: i32| format!("{i},{},{},p{},{}\n", if i == 3 { "".into() } else { (i * i).to_string() }, -i, i / 2, i % 2);
    let rows: String = (0..40).map(row).collect();
    fs::write(folder.path().join("table.csv"), format!("a,b,c,patient,label\n{rows}")).unwrap();
    let line = ["table.csv", "--config", "tiny.toml", "--no-baseline", "--fill-missing", "mean", "--seed", "4"];
    let run = dashnas(folder.path()).args(["run", "--json", "--out", "run"]).args(line).assert().success();
    let stderr = String::from_utf8(run.get_output().stderr.clone()).unwrap();
    let said = "table: classification into 2 classes
  format    table of comma-separated values, one sample a row
  read      table.csv
  note      filled 1 missing value (mean)
  note      there is no test split: 8 of 40 samples (20 %) are held out as one
  columns   5
    input     3: a, b, c (it holds numbers)
    label     1: label (its name is that of a label)
    group     1: patient (its name is that of a group)
  groups    16 in the training samples, 4 in the test samples: p6, p9, p12, p14
  inputs    1 channel of 3
  scaled    inputs to mean 0 and standard deviation 1, per channel
  loss      cross-entropy
  metric    error rate (lower is better)
  splits
    train  x 32×1×3               y 32             the rest
    test   x 8×1×3                y 8              drawn with seed 4, stratified by class, in whole groups
    val    about 20 % of the training data, for trials only, drawn with the seed, stratified by class, in whole groups
  classes   0, 1
";
    assert!(stderr.starts_with(said), "{stderr}");
    let outcome = json(&run);
    let data = &outcome["data"];
    assert_eq!(
        (&outcome["dataset"], &data["name"], &data["classes"][1]["name"]),
        (&"table".into(), &"table".into(), &"1".into())
    );
    assert_eq!(
        data["drawn"],
        serde_json::json!({ "of": 40, "samples": 8, "stratified": true, "grouped": true, "seed": 4 })
    );
    assert_eq!((&data["splits"][1]["x"], &data["validation"]), (&serde_json::json!([8, 1, 3]), &0.2.into()));

    // Inspection begins with the same, but for the table of classes.
    let inspected = dashnas(folder.path()).arg("inspect").args(line).assert().success().stderr("");
    let text = String::from_utf8(inspected.get_output().stdout.clone()).unwrap();
    let (head, _) = said.split_once("  classes").unwrap();
    assert!(text.starts_with(head), "{text}");
    let inspected = json(&dashnas(folder.path()).args(["inspect", "--json"]).args(line).assert().success());
    for (key, value) in data.as_object().unwrap() {
        assert_eq!(&inspected[key], value, "{key}");
    }
    // What goes on says it again; who wants it quiet does not hear it.
    let again = dashnas(folder.path()).args(["run", "--resume", "run", "--json"]).assert().success();
    assert_eq!(json(&again)["data"]["drawn"], data["drawn"]);
    assert!(String::from_utf8_lossy(&again.get_output().stderr).contains("drawn with seed 4"));
    dashnas(folder.path()).args(["run", "--resume", "run", "-q"]).assert().success().stderr("");
}

#[test]
fn a_whole_run_of_darcy_flow() {
    let folder = folder();
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    let run = || {
        let mut command = dashnas(folder.path());
        command.args(["run", "darcy-flow", "--config", "tiny.toml", "--json"]);
        command
    };
    let first = run().assert().success();
    let outcome = json(&first);
    assert_eq!(outcome["metric"], "relative-l2");
    assert_eq!(outcome["architecture"].as_array().unwrap().len(), 13);
    assert!(outcome["test"].as_f64().unwrap() > 0.0 && outcome["baseline_test"].as_f64().unwrap() > 0.0);
    let dir = folder.path().join(outcome["run_dir"].as_str().unwrap());
    assert!(dir.ends_with("runs/darcy-9-1"), "{}", dir.display());
    for file in ["config.toml", "events.jsonl", "architecture.json", "model.dashnas", "metrics.json"] {
        assert!(dir.join(file).is_file(), "{file}");
    }
    // No terminal: lines, no bars and no colors.
    let stderr = String::from_utf8(first.get_output().stderr.clone()).unwrap();
    assert!(stderr.contains("search: finished in") && !stderr.contains('\u{1b}'), "{stderr}");

    // The same seed gives the same result, in the next directory; the data comes from the cache. There is nothing on
    // standard error but the warning about settings of the other search.
    let warning = predicate::str::starts_with("warning: `search.epochs`").and(predicate::str::contains("\n").count(1));
    let again = json(&run().args(["--quiet", "--threads", "1"]).assert().success().stderr(warning));
    assert!(again["run_dir"].as_str().unwrap().ends_with("darcy-9-2"));
    assert_eq!((&again["test"], &again["architecture"]), (&outcome["test"], &outcome["architecture"]));

    // An existing directory is refused.
    run()
        .args(["--out", "runs/darcy-9-1"])
        .assert()
        .code(5)
        .stdout("")
        .stderr(predicate::str::contains("already exists").and(predicate::str::contains("hint:")));
}

#[test]
fn the_stages_one_by_one_are_the_whole_run() {
    let folder = folder();
    series(folder.path());
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    let stage = |args: &[&str]| dashnas(folder.path()).args(args).assert();
    let whole = json(
        &stage(&["run", "pulses.npz", "--config", "tiny.toml", "--no-baseline", "--out", "whole", "--json"]).success(),
    );
    assert!(whole["baseline_test"].is_null());

    stage(&["tune", "steps"]).code(5).stderr(predicate::str::contains("is not a run directory"));
    let found = json(&stage(&["search", "pulses.npz", "--config", "tiny.toml", "--out", "steps", "--json"]).success());
    assert_eq!(found["architecture"], whole["architecture"]);
    stage(&["evaluate", "steps"]).code(5).stderr(predicate::str::contains("hint: run `dashnas"));
    stage(&["tune", "steps"]).success().stdout(predicate::str::contains("Best: learning rate 0.1"));
    stage(&["train", "steps"]).success().stdout(predicate::str::contains("Next: dashnas evaluate steps"));
    let outcome = json(&stage(&["evaluate", "steps", "--json"]).success());
    assert_eq!(outcome["test"], whole["test"]);

    // Once evaluated, it is repeated but not trained further.
    let again = json(&stage(&["evaluate", "steps", "--json"]).success());
    assert_eq!(again, outcome);
    stage(&["train", "steps"]).code(5).stderr(predicate::str::contains("the test split is read only once"));
    stage(&["evaluate", "steps"]).success().stdout(predicate::str::contains("test error rate"));
}

#[test]
fn a_run_on_other_data_is_refused() {
    let folder = folder();
    series(folder.path());
    fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
    dashnas(folder.path()).args(["search", "pulses.npz", "--config", "tiny.toml", "--out", "steps"]).assert().success();
    dashnas(folder.path())
        .args(["tune", "steps", "darcy-flow"])
        .assert()
        .code(3)
        .stderr(predicate::str::contains("is not the one on which this run was started"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_with_exit_code_130() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    let folder = folder();
    // More data than can be made before the signal comes.
    let mut run = Command::new(env!("CARGO_BIN_EXE_dashnas"))
        .args(["run", "darcy-flow", "--preset", "paper", "--set", "darcy.train=100000"])
        .env("DASHNAS_CACHE", folder.path().join("cache"))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "data: solving 100100 flow problems");
    let signal = Command::new("kill").args(["-INT", &run.id().to_string()]).status().unwrap();
    assert!(signal.success());
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert_eq!(rest.last().unwrap(), "error: interrupted");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn a_run_can_be_looked_at() {
    let folder = folder();
    let data = series(folder.path());
    fs::write(folder.path().join("tiny.toml"), TINY).expect("writable");
    let run = ["run", data.to_str().expect("UTF-8"), "--config", "tiny.toml", "--out", "r", "--tensorboard", "-q"];
    let paper = ["--set", "search.strategy=paper"];
    dashnas(folder.path()).args(run).args(paper).assert().success();
    assert!(folder.path().join("r/report.html").is_file(), "written at the end");
    assert_eq!(fs::read_dir(folder.path().join("r/tensorboard")).expect("made").count(), 1);

    let status = dashnas(folder.path()).args(["status", "r"]).assert().success();
    status.stdout(predicate::str::contains("finished").and(predicate::str::contains("layer  9: k")));
    let status = json(&dashnas(folder.path()).args(["status", "r", "--json"]).assert().success());
    assert_eq!((&status["state"], status["alpha"].as_array().map(Vec::len)), (&"finished".into(), Some(9)));
    // Nothing is to be waited for in a finished run.
    dashnas(folder.path()).args(["status", "r", "--watch", "--json"]).assert().success();

    let report = dashnas(folder.path()).args(["report", "r", "-o", "r.html"]).assert().success();
    report.stdout("Report: r.html\n");
    dashnas(folder.path()).args(["report", "r", "r"]).assert().success();
    assert!(fs::read_to_string(folder.path().join("comparison.html")).expect("written").contains("2 runs compared"));

    let failures = [
        (&["report", "nowhere"][..], "not a run directory"),
        (&["report", "r", "-o", "r"], "is a folder"),
        (&["report", "r", "-o", "no/such/r.html"], "cannot write"),
        (&["status", "nowhere"], "not a run directory"),
    ];
    for (args, message) in failures {
        dashnas(folder.path()).args(args).assert().code(5).stderr(predicate::str::contains(message));
    }
    dashnas(folder.path()).arg("report").assert().code(2);
}

#[test]
fn a_race_says_how_sure_its_choice_is() {
    let folder = folder();
    let data = series(folder.path());
    fs::write(folder.path().join("tiny.toml"), TINY).expect("writable");
    let race = |command, out| {
        let mut run = dashnas(folder.path());
        run.args([command, data.to_str().expect("UTF-8"), "--config", "tiny.toml", "--set", "race.steps=60"]);
        run.args(["--out", out]);
        run
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let searched = race("search", "s").arg("-v").assert().success();
    let record = fs::read(folder.path().join("s/race.json")).expect("written");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    let conclusion = record["conclusion"].as_str().expect("a sentence");
    let stdout = text(&searched.get_output().stdout);
    assert!(stdout.contains(&format!("\n\n{conclusion}\nRun directory: s\n")), "{stdout}");
    let stderr = text(&searched.get_output().stderr);
    assert!(stderr.contains("search: race of networks, up to "), "{stderr}");
    assert!(
        stderr.contains("race: trial 1 of ") && stderr.contains("race: round 1, trial 1, contestant 1 ("),
        "{stderr}"
    );

    let searched = json(&race("search", "t").args(["--json", "-q"]).assert().success());
    assert_eq!(
        (searched.get("probabilities"), &searched["race"]["better_than_plain"]),
        (None, &record["better_than_plain"])
    );
    let run = race("run", "r").arg("-q").assert().success();
    let stdout = text(&run.get_output().stdout);
    assert!(stdout.contains(&format!("\n\n{conclusion}\n\n")), "{stdout}");
    let status = dashnas(folder.path()).args(["status", "r"]).assert().success();
    status.stdout(predicate::str::contains(format!("The race: {conclusion}\n")));
}

#[test]
fn inspect_tells_what_files_are_and_what_is_missing() {
    let folder = folder();
    fs::write(folder.path().join("alone.fa"), ">a\nACGTACGT\n>b\nACGTACGA\n").unwrap();
    // A run would refuse it, and so the exit code says that it is refused.
    let text = dashnas(folder.path()).args(["inspect", "alone.fa"]).assert().code(3);
    text.stderr(predicate::str::contains("alone.fa: FASTA sequences without")).stdout(
        predicate::str::contains("FASTA sequences, not a complete data set").and(predicate::str::contains("labels")),
    );
    let found = json(&dashnas(folder.path()).args(["inspect", "alone.fa", "--json"]).assert().code(3));
    assert_eq!(found["contents"][0], "2 sequences");

    // What was decided about shapes is said when it is run, too.
    save(
        folder.path(),
        "narrow.npz",
        TaskKind::Classification { classes: 2 },
        [8, 4].map(|n| Targets::Classes((0..n).map(|i| i % 2).collect())),
    );
    let line = ["run", "narrow.npz", "--layout", "channels-last", "--memory-limit", "1M"];
    let refused = dashnas(folder.path()).args(line).assert().code(4);
    refused.stderr(predicate::str::contains("  note      the channels are the last axis"));

    let rows: String = (0..10).map(|i| format!("{i},{},{}\n", i * i, ["no", "yes"][i % 2])).collect();
    fs::write(folder.path().join("table.csv"), format!("a,b,answer\n{rows}")).unwrap();
    let line = ["inspect", "table.csv", "--targets", "answer", "--test-fraction", "0.4", "--json"];
    let found = json(&dashnas(folder.path()).args(line).assert());
    assert_eq!((&found["splits"][0]["x"][0], &found["classes"][1]["name"]), (&6.into(), &"yes".into()));
    assert!(found["notes"][0].as_str().is_some_and(|note| note.contains("no test split")), "{found}");
    let roles: Vec<&serde_json::Value> =
        found["columns"].as_array().expect("a list").iter().map(|c| &c["role"]).collect();
    assert_eq!(roles, ["input", "input", "label"], "{found}");
}

/// Every mode of a benchmark runs and says what it measured.
#[test]
fn bench_step_reports_every_mode() {
    let folder = folder();
    for mode in ["dash", "mixed-weights", "mixed-results", "backbone", "retrain"] {
        let args = ["bench", "step", "--case", "satellite", "--batch", "2", "--steps", "1", "--json", "--mode", mode];
        let out = dashnas(folder.path()).args(args).assert().success();
        let report: serde_json::Value = serde_json::from_slice(&out.get_output().stdout).expect("JSON");
        assert_eq!((&report["case"], &report["mode"]), (&"satellite".into(), &mode.into()));
        assert_eq!(report["batch"], 2);
        assert_eq!(report["layers"].as_array().map(Vec::len), Some(11), "{report}");
        for key in ["seconds", "gflop", "peak_gflops", "fraction_of_peak"] {
            assert!(report[key].as_f64().is_some_and(|v| v > 0.0), "{key}: {report}");
        }
    }
}

/// The paper's figures 2 and 3: a line for each of its formulations and for ours, as numbers and as a picture.
#[test]
fn bench_figures_draws_all_six_formulations() {
    let folder = folder();
    // With a limit that every step exceeds, each line ends after its first point.
    let args = ["bench", "figures", "--out", "figures", "--batch", "1", "--limit", "0"];
    dashnas(folder.path()).args(args).assert().success();
    for (name, axis, first) in [("fig2", "operations in the search space", "1,"), ("fig3", "input length", "32,")] {
        let csv = fs::read_to_string(folder.path().join(format!("figures/{name}.csv"))).expect("written");
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 2, "{csv}");
        let head = "mixed-results,mixed-weights,mixed-weights (Kronecker),DASH,DASH (Kronecker),ours (auto)";
        assert_eq!(lines[0], format!("{axis},{head}"));
        assert!(lines[1].starts_with(first), "{csv}");
        let seconds: Vec<f64> = lines[1].split(',').skip(1).map(|v| v.parse().expect("a number")).collect();
        assert!(seconds.len() == 6 && seconds.iter().all(|&s| s > 0.0), "{csv}");
        let svg = fs::read_to_string(folder.path().join(format!("figures/{name}.svg"))).expect("written");
        assert!(svg.starts_with("<svg") && svg.contains("ours (auto)") && svg.contains("DASH (Kronecker)"));
    }
}

#[test]
fn a_forced_choice_that_is_none_is_refused() {
    let folder = folder();
    for (variable, value) in [("AGGCONV_ALGORITHM", "winograd"), ("AGGCONV_ISA", "sse9")] {
        let mut command = dashnas(folder.path());
        let out = command.env(variable, value).args(["bench", "step", "--case", "ecg"]).assert().code(1).stdout("");
        out.stderr(predicate::str::contains(format!("{variable} is \"{value}\": expected one of")));
    }
}
