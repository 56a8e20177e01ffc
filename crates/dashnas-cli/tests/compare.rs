//! `dashnas compare`: the methods on tiny data, what is left out and what fails, and how an interrupted comparison is resumed.

mod common;
#[path = "common/process.rs"]
mod process;

use common::settings;
use process::{dashnas, output, read, rows};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Standard output and standard error of a command that succeeds.
fn succeeded(folder: &Path, args: &[&str]) -> [String; 2] {
    let found = output(folder, args);
    assert!(found.status.success(), "{args:?}: {}", String::from_utf8_lossy(&found.stderr));
    [found.stdout, found.stderr].map(|bytes| String::from_utf8(bytes).expect("text"))
}

/// Refused with this exit code and these words, also in the hint.
fn refused(folder: &Path, args: &[&str], code: i32, words: &[&str]) {
    let found = output(folder, args);
    let text = String::from_utf8_lossy(&found.stderr);
    assert_eq!(found.status.code(), Some(code), "{args:?}: {text}");
    words.iter().for_each(|word| assert!(text.contains(word), "`{text}` does not say `{word}`"));
}

/// A table of two classes without a test split, and the settings of a run of moments.
fn data(folder: &Path) {
    let mut text = "a,b,c,d,e,f,g,h,label\n".to_owned();
    rows().for_each(|row| text += &format!("{row}\n"));
    fs::write(folder.join("t.csv"), text).expect("writable");
    fs::write(
        folder.join("tiny.toml"),
        settings(&[("asha.samples", "2"), ("race.contestants", "2"), ("task.metric", "\"one-minus-auroc\"")]),
    )
    .expect("writable");
}

const COMPARE: [&str; 4] = ["compare", "t.csv", "--config", "tiny.toml"];

fn texts<'a>(values: &'a Value, key: &str) -> Vec<&'a str> {
    values.as_array().expect("a list").iter().map(|value| value[key].as_str().expect("a text")).collect()
}

/// The results without what differs from run to run, and the bytes of the models.
fn results(folder: &Path) -> (Value, Vec<Vec<u8>>) {
    let mut results = read(&folder.join("results.json"));
    for list in ["methods", "runs"] {
        for entry in results[list].as_array_mut().expect("a list") {
            for key in ["seconds", "total_seconds", "peak_memory", "latency_ms"] {
                entry.as_object_mut().expect("an object").remove(key);
            }
        }
    }
    let runs: Vec<String> = texts(&results["runs"], "run").into_iter().map(str::to_owned).collect();
    let model = |run: &String| fs::read(folder.join(run).join("model.dashnas")).expect("a model");
    (results, runs.iter().map(model).collect())
}

#[test]
fn every_method_that_suits_the_data_is_compared_on_one_split() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(folder);
    let [out, err] = succeeded(folder, &[&COMPARE[..], &["--seeds", "2", "-o", "all"]].concat());
    let found = read(&folder.join("all/results.json"));
    // These are for images.
    assert_eq!(texts(&found["left_out"], "method"), ["dash-convnext", "unet", "convnext"]);
    assert!(out.contains("unet is left out: its network takes 2-D data, but the data set is 1-D."), "{out}");
    assert!(err.contains("unet is left out") && err.contains("11 methods with 2 seeds: 22 runs"), "{err}");
    assert!(err.contains("Run 22 of 22: resnet-1d with seed 1"), "{err}");
    let methods: BTreeSet<&str> = texts(&found["methods"], "method").into_iter().collect();
    let expected = "baby-dash dash dash-gaea dash-tcn inception-time race random resnet-1d tcn wrn wrn-asha";
    assert_eq!(methods, expected.split(' ').collect());
    // The table is sorted by the mean, which is that of the runs.
    let mut last = 0.0;
    for method in found["methods"].as_array().expect("a list") {
        let errors: Vec<f64> = method["errors"].as_array().expect("errors").iter().filter_map(Value::as_f64).collect();
        let runs: Vec<f64> = found["runs"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|run| run["method"] == method["method"])
            .filter_map(|run| run["test"].as_f64())
            .collect();
        assert!(errors.len() == 2 && errors == runs);
        let mean = (errors[0] + errors[1]) / 2.0;
        assert!((method["test"]["mean"].as_f64().expect("a mean") - mean).abs() < 1e-12 && mean >= last);
        let deviation = (errors[0] - errors[1]).abs() / 2f64.sqrt();
        assert!((method["test"]["deviation"].as_f64().expect("a deviation") - deviation).abs() < 1e-12);
        assert!(method["latency_ms"].as_f64().is_some_and(|ms| ms > 0.0) && method["params"].as_f64() > Some(0.0));
        last = mean;
    }
    let row = |name: &str| {
        out.lines().find(|line| line.contains(&format!("│ {name} "))).unwrap_or_else(|| panic!("{name} in {out}"))
    };
    assert!(row("dash").contains('±') && row("guessing").contains("0.5000"), "{out}");
    let rows: Vec<&str> = out.lines().filter(|line| line.starts_with("│ ")).collect();
    assert!(rows[methods.len() + 1].starts_with("│ guessing"), "guessing is the last row: {out}");
    assert!(out.contains("has the lowest mean test error") && out.contains("parameters"), "{out}");
    // The seeds differ, and the split does not. A run can be used as any other.
    let config =
        |run: &str| fs::read_to_string(folder.join("all").join(run).join("config.toml")).expect("a configuration");
    let has = |run: &str, line: &str| config(run).lines().any(|found| found.starts_with(line));
    assert!(has("dash-0", "seed = 0") && has("dash-1", "seed = 1") && has("dash-1", "split-seed = 0"));
    assert!(has("dash-0", "strategy = \"paper\"") && has("race-0", "strategy = \"race\""));
    assert!(
        has("dash-gaea-0", "alpha-update = \"exponentiated-gradient\"") && has("dash-0", "alpha-update = \"gradient\"")
    );
    assert!(has("baby-dash-0", "dilations = [1, 2]") && has("wrn-asha-0", "tuner = \"asha\""));
    assert!(has("wrn-0", "kernels = [[7, 1], [5, 1], [3, 1]"), "{}", config("wrn-0"));
    let kernels = |run: &str| read(&folder.join("all").join(run).join("architecture.json"))["kernels"].clone();
    assert_ne!(kernels("random-0"), kernels("random-1"));
    let split = |run: &str| read(&folder.join("all").join(run).join("split.json"))["test"].clone();
    let splits = texts(&found["runs"], "run").into_iter().map(|run| split(run).to_string()).collect::<BTreeSet<_>>();
    assert_eq!(splits.len(), 1);
    assert!(folder.join("all/dash-0/report.html").is_file());
    let page = fs::read_to_string(folder.join("all/compare.html")).expect("a page");
    for part in
        ["<a href=\"wrn-asha-1&#x2f;report.html\">", "Error against time", "has the lowest mean test error", "guessing"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(page.matches("<circle").count(), 22, "a point for each run");
    fs::remove_file(folder.join("all/compare.html")).expect("a page");
    succeeded(folder, &["report", "all"]);
    assert!(fs::read_to_string(folder.join("all/compare.html")).expect("written again") == page);
    assert!(succeeded(folder, &["run", "--resume", "all/dash-1"])[0].contains("Run directory"), "it is finished");
    refused(folder, &["predict", "all", "t.csv"], 5, &["holds the runs of a comparison of methods"]);
    refused(folder, &[&COMPARE[..], &["-o", "all"]].concat(), 5, &["dashnas compare --resume all"]);
}

#[test]
fn an_interrupted_comparison_is_resumed_to_the_same_results() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(folder);
    let args = |out: &'static str| [&COMPARE[..], &["--methods", "wrn,dash", "--seeds", "2", "-o", out]].concat();
    succeeded(folder, &args("whole"));
    let mut child = dashnas(folder, &args("killed"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let began = Instant::now();
    while !folder.join("killed/wrn-1/config.toml").exists() && began.elapsed() < Duration::from_secs(300) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let kept = read(&folder.join("killed/results.json"));
    assert!(kept["ended"][0].as_u64() < Some(4), "it was killed too late");
    refused(folder, &["compare", "--resume", "killed", "--seeds", "3"], 2, &["begun with 2 seeds"]);
    refused(folder, &["compare", "--resume", "killed", "--methods", "wrn"], 2, &["begun with the methods wrn, dash"]);
    refused(folder, &["compare", "--resume", "killed", "--seed", "7"], 2, &["--seed has no effect"]);
    let [out, _] = succeeded(folder, &["compare", "t.csv", "--methods", "dash,wrn", "--resume", "killed", "--json"]);
    let printed: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(printed, read(&folder.join("killed/results.json")));
    // The finished run was not run again: its figures are those of the first process.
    let first = |results: &Value| results["runs"][0].clone();
    assert!(kept["runs"][0].is_null() || first(&kept) == first(&printed));
    assert!(results(&folder.join("killed")) == results(&folder.join("whole")), "the results differ");
    // Other data is refused.
    let table = fs::read_to_string(folder.join("t.csv")).expect("written");
    fs::write(folder.join("t.csv"), table.replacen("odd", "even", 2)).expect("writable");
    refused(folder, &["compare", "--resume", "killed"], 3, &["not the one on which this run was started"]);
}

#[test]
fn figures_of_the_paper_stand_beside_those_of_its_tasks() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    let darcy = [("darcy.resolution", "9"), ("darcy.train", "8"), ("darcy.test", "4"), ("tune.enabled", "false")];
    fs::write(folder.join("darcy.toml"), settings(&darcy)).expect("writable");
    let args =
        ["compare", "darcy-flow", "--config", "darcy.toml", "--methods", "wrn,wrn-asha,tcn", "--seeds", "1", "-o", "c"];
    let [out, _] = succeeded(folder, &args);
    for part in [
        "in the paper",
        "0.0079 ± 0.002",
        "smaller fields of Darcy flow",
        "wrn-asha is left out: it differs",
        "tcn is left out",
    ] {
        assert!(out.contains(part), "{part} in {out}");
    }
    assert_eq!(read(&folder.join("c/results.json"))["published"].as_array().map(Vec::len), Some(9));
    let [table, _] = succeeded(folder, &["tasks", "darcy-flow", "--published"]);
    assert!(table.contains("DARTS-GAEA") && table.contains("0.026 ± 0.001"), "{table}");
    let [json, _] = succeeded(folder, &["tasks", "satellite", "--published", "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((&json["metric"], &json["results"][0]["written"]), (&"zero-one-error".into(), &"19.8 ± 0.00 %".into()));
    refused(folder, &["tasks", "--published"], 2, &["TASK"]);
}

#[test]
fn a_method_that_fails_does_not_end_the_comparison() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(folder);
    // Only what is not tuned has this learning rate.
    let diverges = ["--set", "retrain.lr=1e30", "--seeds", "1"];
    let args = [&COMPARE[..], &diverges, &["--methods", "wrn,dash", "-o", "half"]].concat();
    let [out, err] = succeeded(folder, &args);
    assert!(
        out.contains("wrn-0 failed: ") && out.contains("diverged") && out.contains("Only dash has a result"),
        "{out}"
    );
    assert!(err.contains("wrn with seed 0 failed: "), "{err}");
    let found = read(&folder.join("half/results.json"));
    assert_eq!((&found["ended"][0], &found["runs"][0]["lasting"]), (&2.into(), &true.into()));
    // It would fail again, so that resuming does not repeat it.
    let begun = |text: &str| text.contains("Run 1 of 2");
    let [again, err] = succeeded(folder, &["compare", "--resume", "half"]);
    assert!(again == out && !begun(&err), "{err}");
    let none = [&COMPARE[..], &diverges, &["--methods", "wrn", "-o", "none"]].concat();
    refused(folder, &none, 1, &["no run of the comparison has finished (wrn-0: ", "diverged"]);
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_is_made() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(folder);
    let with = |more: &[&'static str]| -> Vec<&str> { [&COMPARE[..], &["-o", "new"], more].concat() };
    refused(folder, &with(&["--methods", "dash,dart"]), 2, &["dart", "dash-tcn", "inception-time", "wrn-asha", "all"]);
    refused(folder, &with(&["--methods", ""]), 2, &["wrn-asha"]);
    refused(folder, &with(&["--seeds", "0"]), 2, &["from 1 on"]);
    refused(
        folder,
        &with(&["--methods", "unet"]),
        4,
        &["no method suits this data: unet: ", "2-D", "the methods are dash"],
    );
    refused(folder, &with(&["--backbone", "tcn"]), 4, &["--backbone is set", "do not set --backbone"]);
    refused(folder, &with(&["--set", "search.strategy=paper"]), 4, &["search.strategy", "a search of its own"]);
    refused(folder, &with(&["--folds", "3"]), 4, &["--folds is set", "one test split"]);
    refused(folder, &with(&["--set", "search.epochs=0"]), 4, &["search.epochs"]);
    refused(folder, &["compare", "nosuch.csv", "-o", "new"], 3, &["nosuch.csv"]);
    refused(folder, &["compare", "--resume", "nosuch"], 5, &["nosuch", "not a run directory"]);
    assert!(!folder.join("new").exists());
    let [help, _] = succeeded(folder, &["compare", "--help"]);
    assert!(help.contains("BABY DASH") && help.contains("--resume"), "{help}");
}
