//! A trained model on new labeled data: `evaluate --on` and `predict --score`.

mod common;

use assert_cmd::Command;
use predicates::prelude::*;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn dashnas(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
    command.current_dir(folder);
    command
}

/// A table of two kinds of waves. With `flipped`, every label is the other one.
fn waves(samples: usize, flipped: bool) -> String {
    let header: Vec<String> = (0..24).map(|i| format!("v{i}")).collect();
    let row = |k: usize| {
        let step = if k % 2 == 1 { 1.6 } else { 0.4 };
        let wave: Vec<String> = (0..24).map(|i| format!("{:.3}", (i as f64 * step + k as f64).sin())).collect();
        let class = if (k % 2 == 1) != flipped { "b" } else { "a" };
        format!("{},{class}\n", wave.join(","))
    };
    format!("{},label\n", header.join(",")) + &(0..samples).map(row).collect::<String>()
}

/// A folder with a run on `a.csv`, that was evaluated.
fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = common::settings(&[
        ("retrain.max-steps", "60"),
        ("retrain.epochs", "30"),
        ("tune.enabled", "false"),
        ("baseline.enabled", "true"),
    ]);
    fs::write(folder.path().join("c.toml"), settings).expect("writable");
    fs::write(folder.path().join("a.csv"), waves(60, false)).expect("writable");
    fs::write(folder.path().join("flipped.csv"), waves(60, true)).expect("writable");
    let run = ["run", "a.csv", "--config", "c.toml", "--out", "r", "-q"];
    dashnas(folder.path()).args(run).assert().success();
    folder
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = dashnas(folder).args(args).assert().success();
    serde_json::from_slice(&output.get_output().stdout).expect("standard output is JSON")
}

#[test]
fn a_model_is_scored_on_new_labeled_data() {
    let folder = trained();
    let at = folder.path();
    let before = fs::read(at.join("r/metrics.json")).expect("readable");
    let right = json(at, &["evaluate", "r", "--on", "a.csv", "--json"]);
    let wrong = json(at, &["evaluate", "r", "--on", "flipped.csv", "--json"]);
    let error = |score: &Value| score["value"].as_f64().expect("a number");
    assert!((error(&right) + error(&wrong) - 1.0).abs() < 1e-12, "{right} {wrong}");
    assert!(error(&right) < 0.3, "it was learned: {right}");
    assert_eq!((&right["samples"], &right["metric"]), (&60.into(), &"zero-one-error".into()));
    assert!(right["baseline"].is_number());
    // As in the result of a run: intervals of both, guessing, and the tests.
    let judged = &right["judgement"];
    assert_eq!(judged["guessing"], 0.5, "{right}");
    for key in ["interval", "plain_interval", "plain", "against_guessing"] {
        assert!(judged[key].is_object(), "{key} is missing in {right}");
    }
    assert_eq!((&judged["interval"]["by"], &judged["plain"]["test"]), (&"wilson".into(), &"mcnemar".into()));
    // `predict --score` computes the same, and predicts as without it.
    let predicted = json(at, &["predict", "r", "flipped.csv", "--score", "--json"]);
    assert_eq!(error(&predicted["score"]), error(&wrong));
    assert_eq!(predicted["predictions"], json(at, &["predict", "r", "flipped.csv", "--json"]));
    let text = dashnas(at).args(["evaluate", "r", "--on", "flipped.csv"]).assert().success();
    text.stdout(
        predicate::str::contains("flipped.csv: classification into 2 classes, 60 samples").and(
            predicate::str::contains("The test split of the run was not read; its own test result stays as it is.")
                .and(predicate::str::contains("guessing (always the most common class)"))
                .and(predicate::str::contains("Searched and plain network")),
        ),
    );
    let text = dashnas(at).args(["predict", "r", "flipped.csv", "--score", "-o", "p.csv"]).assert().success();
    text.stdout(predicate::str::contains("Wrote 60 predictions to p.csv\nScore on flipped.csv: error rate "));
    assert_eq!(fs::read(at.join("r/metrics.json")).expect("readable"), before);
}

#[test]
fn the_test_split_of_the_run_has_the_score_of_the_run() {
    let folder = trained();
    let at = folder.path();
    let split: Value = serde_json::from_slice(&fs::read(at.join("r/split.json")).expect("readable")).expect("JSON");
    let rows: Vec<usize> = (split["test"][0]["rows"].as_array().expect("rows").iter())
        .map(|row| row.as_u64().expect("a number") as usize)
        .collect();
    let table = fs::read_to_string(at.join("a.csv")).expect("readable");
    let lines: Vec<&str> = table.lines().collect();
    let kept = std::iter::once(0).chain(rows).map(|row| lines[row].to_owned() + "\n").collect::<String>();
    fs::write(at.join("test.csv"), kept).expect("writable");
    let own: Value = serde_json::from_slice(&fs::read(at.join("r/metrics.json")).expect("readable")).expect("JSON");
    let score = json(at, &["evaluate", "r", "--on", "test.csv", "--json"]);
    assert_eq!((&score["value"], &score["baseline"]), (&own["test"], &own["baseline_test"]));
}

#[test]
fn other_data_is_not_taken_for_the_data_of_the_run() {
    let folder = trained();
    let at = folder.path();
    let hint = predicate::str::contains("`dashnas evaluate r --on");
    let refused = |args: &[&str], code| dashnas(at).args(args).assert().code(code).stdout("");
    refused(&["evaluate", "r", "flipped.csv"], 3)
        .stderr(predicate::str::contains("is not the one on which this run was started").and(hint.clone()));
    refused(&["evaluate", "r", "nosuch.csv"], 3).stderr(predicate::str::contains("nosuch.csv: no such file").and(hint));
    refused(&["evaluate", "r", "--on", "nosuch.csv"], 3).stderr(predicate::str::contains("nosuch.csv: no such file"));
    refused(&["evaluate", "r", "--on", "darcy-flow"], 3).stderr(predicate::str::contains("the name of a task"));
    refused(&["evaluate", "r", "a.csv", "--on", "a.csv"], 2);
    refused(&["evaluate", "r", "--targets", "x"], 2).stderr(predicate::str::contains("--targets applies only to --on"));
    refused(&["predict", "r", "a.csv", "--score", "--by", "time"], 3)
        .stderr(predicate::str::contains("the samples are not windows of recordings"));
    // The data of the run where it has moved.
    fs::create_dir(at.join("moved")).expect("writable");
    fs::rename(at.join("a.csv"), at.join("moved/a.csv")).expect("it can be moved");
    dashnas(at).args(["evaluate", "r", "moved/a.csv"]).assert().success();
    // Without labels.
    let bare: String =
        waves(60, false).lines().map(|line| line.rsplit_once(',').map_or("", |l| l.0).to_owned() + "\n").collect();
    fs::write(at.join("bare.csv"), bare).expect("writable");
    refused(&["evaluate", "r", "--on", "bare.csv"], 3).stderr(predicate::str::contains("bare.csv: it has no labels"));
}

#[test]
fn a_model_file_without_its_run_leaves_unknown_targets_out_as_well() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let (n, length) = (24, 16);
    let write = |name: &str, descr: &str, bytes: &[u8]| {
        let mut file = Vec::new();
        dashnas_formats::npy::write(&mut file, descr, &[n, 1, length], bytes).expect("it fits");
        fs::create_dir_all(at.join("data")).expect("writable");
        fs::write(at.join("data").join(name), file).expect("writable");
    };
    let x: Vec<f32> = (0..n * length).map(|i| (i as f32 * 0.7).sin()).collect();
    let y: Vec<u8> = x.iter().enumerate().map(|(i, &v)| if i % 5 == 0 { 255 } else { u8::from(v > 0.0) }).collect();
    write("x.npy", "<f4", &dashnas_formats::npy::le_bytes(&x));
    write("y.npy", "|u1", &y);
    let settings = common::settings(&[
        ("task.unknown", "255"),
        ("task.kind", "\"dense-binary\""),
        ("retrain.max-steps", "5"),
        ("tune.enabled", "false"),
        ("baseline.enabled", "false"),
    ]);
    fs::write(at.join("c.toml"), settings).expect("writable");
    dashnas(at).args(["run", "data", "--config", "c.toml", "--out", "r", "-q"]).assert().success();
    fs::copy(at.join("r/model.dashnas"), at.join("m.dashnas")).expect("it can be copied");
    let score = |model: &str| json(at, &["predict", model, "data", "--score", "--json"])["score"].clone();
    let mut of_run = score("r");
    // Only the run knows which samples it was trained on.
    let seen = of_run.as_object_mut().and_then(|score| score.remove("in_training"));
    assert_eq!(seen.map(|seen| seen[0]["number"].clone()), Some(1.into()));
    assert_eq!(score("m.dashnas"), of_run);
}

#[test]
fn names_that_are_given_for_new_data_count() {
    let folder = trained();
    let at = folder.path();
    let (right, wrong) = (waves(60, false), waves(60, true));
    let both: String = (right.lines().zip(wrong.lines()))
        .map(|(line, other)| format!("{line},{}\n", other.rsplit_once(',').map_or("", |(_, label)| label)))
        .collect();
    fs::write(at.join("both.csv"), both.replacen("label,label", "label,other", 1)).expect("writable");
    for command in [&["evaluate", "r", "--on", "both.csv"][..], &["predict", "r", "both.csv", "--score"]] {
        let score = |targets: &str| {
            let found = json(at, &[command, &["--targets", targets, "--json"]].concat());
            found["value"].as_f64().or(found["score"]["value"].as_f64()).expect("a number")
        };
        assert!((score("label") + score("other") - 1.0).abs() < 1e-12 && score("label") == score("24"), "{command:?}");
        for option in ["--targets", "--group", "--split", "--weight", "--time", "--ignore"] {
            let asked = [command, &[option, "nope"]].concat();
            dashnas(at).args(asked).assert().code(3).stderr(predicate::str::contains("column `nope`"));
        }
    }
    let predict = ["predict", "r", "both.csv", "--weight", "v3"];
    dashnas(at).args(predict).assert().code(3).stderr(predicate::str::contains("it is an input of the model"));
}

/// Recordings of two movements that alternate, each of `steps` time steps. Every seventh step has no label.
fn recordings(names: &[&str], steps: usize) -> String {
    let mut text = "rec,a,b,movement\n".to_owned();
    for (r, name) in names.iter().enumerate() {
        for t in 0..steps {
            let fast = (t / 24 + r) % 2 == 1;
            let at = t as f64 * if fast { 1.6 } else { 0.4 } + r as f64;
            let label = if t % 7 == 6 { "" } else { ["slow", "fast"][usize::from(fast)] };
            text += &format!("{name},{:.3},{:.3},{label}\n", at.sin(), at.cos());
        }
    }
    text
}

#[test]
fn recordings_are_scored_by_window_and_by_time_step_and_their_number_counts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    let settings =
        common::settings(&[("retrain.max-steps", "60"), ("retrain.epochs", "30"), ("tune.enabled", "false")]);
    fs::write(at.join("c.toml"), settings).expect("writable");
    let names: Vec<String> = (0..10).map(|i| format!("r{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    fs::write(at.join("all.csv"), recordings(&names, 96)).expect("writable");
    fs::write(at.join("few.csv"), recordings(&names[..3], 96)).expect("writable");
    let run = [
        "run", "all.csv", "--window", "12", "--stride", "6", "--group", "rec", "--config", "c.toml", "--out", "r", "-q",
    ];
    dashnas(at).args(run).assert().success();
    let own: Value = serde_json::from_slice(&fs::read(at.join("r/metrics.json")).expect("readable")).expect("JSON");
    let data: Value = serde_json::from_slice(&fs::read(at.join("r/data.json")).expect("readable")).expect("JSON");
    let division = &data["division"];
    assert_eq!((&division["windows"]["length"], &division["windows"]["stride"]), (&12.into(), &6.into()), "{data}");
    assert_eq!((&division["test"]["groups"], &division["train"]["groups"]), (&2.into(), &8.into()), "{data}");
    assert_eq!(division["test"]["names"].as_array().map(Vec::len), Some(2));
    // Two recordings are too few for an interval, however many windows they have.
    assert_eq!(
        (&own["judgement"]["no_interval"], &own["judgement"]["groups"]["number"]),
        (&"few-groups".into(), &2.into())
    );
    assert!(own["judgement"]["interval"].is_null() && own["judgement"]["plain"].is_null(), "{own}");
    let text = dashnas(at).args(["evaluate", "r"]).assert().success();
    text.stdout(predicate::str::contains("No 95 % interval, since the samples are from only 2 "));
    // Ten recordings are enough, and whole ones are drawn.
    let score = json(at, &["evaluate", "r", "--on", "all.csv", "--json"]);
    let judged = &score["judgement"];
    assert_eq!(judged["groups"]["number"], 10, "{score}");
    let by = judged["interval"]["by"].as_str().expect("an interval");
    assert!(by == "cluster-bootstrap" || (by == "wilson" && judged["interval"]["groups"]["number"] == 10), "{score}");
    // Which of them were trained on is known by their names.
    let seen = &score["in_training"];
    assert_eq!(
        (seen[0]["are"].as_str(), &seen[0]["number"], &seen[0]["of"]),
        (Some("recordings"), &8.into(), &10.into())
    );
    assert_eq!((&seen[0]["same_files"], &seen[1]), (&true.into(), &Value::Null), "{score}");
    let text = dashnas(at).args(["evaluate", "r", "--on", "all.csv"]).assert().success();
    text.stderr(predicate::str::contains("all.csv: 8 of 10 recordings are in the training data ("));
    let held_out = division["test"]["names"][0].as_str().expect("a name");
    let other = recordings(&[held_out, "r98", "r99"], 96);
    fs::write(at.join("other.csv"), &other).expect("writable");
    assert!(json(at, &["evaluate", "r", "--on", "other.csv", "--json"])["in_training"].is_null());
    let known = division["train"]["names"][0].as_str().expect("a name");
    fs::write(at.join("other.csv"), other.replace("r98", known)).expect("writable");
    let text = dashnas(at).args(["evaluate", "r", "--on", "other.csv"]).assert().success();
    text.stderr(predicate::str::contains(format!(
        "other.csv: 1 of 3 recordings has the name of a recording in the training data ({known}): if they are the same, the \
         score is not one of new recordings"
    )));
    // Time steps have labels of their own, and six of seven are known.
    let score = json(at, &["predict", "r", "few.csv", "--score", "--by", "time", "--stride", "1", "--json"]);
    let steps = score["predictions"].as_array().expect("a row for each step");
    let table = recordings(&names[..3], 96);
    let labels: Vec<&str> =
        table.lines().skip(1).map(|line| line.rsplit_once(',').map_or("", |(_, label)| label)).collect();
    let known: Vec<(&Value, &&str)> = steps.iter().zip(&labels).filter(|(_, label)| !label.is_empty()).collect();
    let wrong = known.iter().filter(|(step, label)| step["class"] != ***label).count();
    assert_eq!((score["score"]["samples"].as_u64(), steps.len()), (Some(known.len() as u64), labels.len()));
    let error = score["score"]["value"].as_f64().expect("a number");
    assert!((error - wrong as f64 / known.len() as f64).abs() < 1e-9, "{error}: {wrong} of {}", known.len());
    assert_eq!(
        (&score["score"]["by_time"], &score["score"]["judgement"]["no_interval"]),
        (&true.into(), &"few-groups".into())
    );
    let text =
        dashnas(at).args(["predict", "r", "few.csv", "--score", "--by", "time", "-o", "p.csv"]).assert().success();
    text.stdout(predicate::str::contains(" time steps); no 95 % interval, since the samples are from only 3 "));
}

#[test]
fn samples_of_new_tables_are_counted_by_their_groups() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = folder.path();
    // Three samples of each subject.
    let with_subjects = |samples: usize, name: fn(usize) -> String| {
        let waves = waves(samples, false);
        let mut lines = waves.lines();
        let head = lines.next().map(|head| format!("subject,{head}\n")).expect("a head");
        head + &lines.enumerate().map(|(i, line)| format!("{},{line}\n", name(i / 3))).collect::<String>()
    };
    fs::write(at.join("set.csv"), with_subjects(60, |i| format!("s{i}"))).expect("writable");
    let mixed = |i: usize| if i.is_multiple_of(2) { format!("s{i}") } else { format!("new{i}") };
    fs::write(at.join("new.csv"), with_subjects(36, mixed)).expect("writable");
    let settings = common::settings(&[("tune.enabled", "false"), ("baseline.enabled", "false")]);
    fs::write(at.join("c.toml"), settings).expect("writable");
    let asked = ["set.csv", "--group", "subject", "--config", "c.toml"];
    let shown = json(at, &[&["inspect"][..], &asked, &["--json"]].concat());
    assert_eq!((&shown["groups"], &shown["test_groups"]["number"]), (&16.into(), &4.into()), "{shown}");
    let names: Vec<&str> =
        shown["test_groups"]["names"].as_array().expect("names").iter().flat_map(Value::as_str).collect();
    let text = dashnas(at).arg("inspect").args(asked).assert().success();
    text.stdout(predicate::str::contains(format!(
        "  groups    16 in the training samples, 4 in the test samples: {}\n",
        names.join(", ")
    )));
    dashnas(at).arg("run").args(asked).args(["--out", "r", "-q"]).assert().success();
    let split: Value = serde_json::from_slice(&fs::read(at.join("r/split.json")).expect("readable")).expect("JSON");
    assert_eq!(split["groups"]["test"], shown["test_groups"]["names"], "{split}");
    // Twelve subjects, six of which have names of subjects of the data of the run.
    let tested = ["s0", "s2", "s4", "s6", "s8", "s10"].iter().filter(|name| names.contains(name)).count();
    let score = json(at, &["evaluate", "r", "--on", "new.csv", "--json"]);
    assert_eq!(score["judgement"]["groups"]["number"], 12, "{score}");
    let seen = &score["in_training"][0];
    assert_eq!(
        (seen["are"].as_str(), &seen["number"], &seen["of"]),
        (Some("groups"), &(6 - tested).into(), &12.into())
    );
    let scored = json(at, &["predict", "r", "new.csv", "--score", "--json"]);
    assert_eq!(scored["score"]["judgement"]["interval"], score["judgement"]["interval"]);
    let alone = json(at, &["evaluate", "r", "--on", "new.csv", "--ignore", "subject", "--json"]);
    assert!(alone["judgement"]["groups"].is_null() && alone["in_training"].is_null(), "{alone}");
    // Without the column, that is said.
    fs::write(at.join("bare.csv"), waves(36, false)).expect("writable");
    let text = dashnas(at).args(["evaluate", "r", "--on", "bare.csv"]).assert().success();
    text.stderr(predicate::str::contains("there is no column `subject` of groups: every sample counts by itself"));
}
