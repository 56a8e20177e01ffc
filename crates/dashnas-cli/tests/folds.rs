//! Cross-validation: a run for each fold, the result over all of them, and how an interrupted one is resumed.

mod common;
#[path = "common/process.rs"]
mod process;

use common::settings;
use process::{dashnas, output, read, rows};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

fn succeeded(folder: &Path, args: &[&str]) -> String {
    let found = output(folder, args);
    assert!(found.status.success(), "{args:?}: {}", String::from_utf8_lossy(&found.stderr));
    String::from_utf8(found.stdout).expect("text")
}

/// Refused with these words, also in the hint.
fn refused(folder: &Path, args: &[&str], words: &[&str]) {
    let found = output(folder, args);
    let text = String::from_utf8_lossy(&found.stderr);
    assert!(!found.status.success(), "{args:?}");
    words.iter().for_each(|word| assert!(text.contains(word), "`{text}` does not say `{word}`"));
}

/// A table of two classes with the number of a subject, and the settings of a run of moments.
fn data(folder: &Path) {
    let mut text = "subject,a,b,c,d,e,f,g,h,label\n".to_owned();
    rows().enumerate().for_each(|(i, row)| text += &format!("s{},{row}\n", i / 4));
    fs::write(folder.join("t.csv"), text).expect("writable");
    fs::write(folder.join("settings.toml"), settings(&[("tune.enabled", "false")])).expect("writable");
}

const RUN: [&str; 6] = ["run", "t.csv", "--config", "settings.toml", "--folds", "3"];

/// The result without what differs from run to run, and the bytes of the models.
fn result(folder: &Path) -> (Value, Vec<Vec<u8>>) {
    let mut metrics = read(&folder.join("metrics.json"));
    let strip = |value: &mut Value| {
        for key in ["seconds", "run_dir"] {
            value.as_object_mut().expect("an object").remove(key);
        }
    };
    strip(&mut metrics);
    metrics["folds"].as_array_mut().expect("folds").iter_mut().for_each(strip);
    let model = |fold: usize| fs::read(folder.join(format!("fold-{fold}/model.dashnas"))).expect("a model");
    (metrics, (1..=3).map(model).collect())
}

#[test]
fn every_fold_is_run_and_a_killed_cross_validation_ends_with_the_same_bits() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(folder);
    let text = succeeded(folder, &[&RUN[..], &["--out", "whole"]].concat());
    assert!(text.contains("Mean test error rate over 3 folds:") && text.contains("(standard deviation"), "{text}");
    let (metrics, _) = result(&folder.join("whole"));
    assert!(text.contains("held-out groups"), "{text}");
    let printed = text;
    let text = succeeded(folder, &["status", "whole", "--watch"]);
    assert!(
        text.contains("finished, 3 of 3 folds done") && text.contains("Mean test error rate over 3 folds:"),
        "{text}"
    );
    // The subjects that each fold held out are named.
    let held_out = |fold: usize| metrics["folds"][fold]["held_out"].clone();
    let named = |fold: usize| held_out(fold)["names"].as_array().expect("names").len();
    assert_eq!((named(0) + named(1) + named(2), &held_out(0)["number"]), (12, &named(0).into()), "{metrics}");
    let subjects: Vec<&str> =
        metrics["folds"][2]["held_out"]["names"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
    let tests: Vec<f64> = metrics["folds"].as_array().unwrap().iter().map(|f| f["test"].as_f64().unwrap()).collect();
    let mean = tests.iter().sum::<f64>() / 3.0;
    let deviation = (tests.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
    assert!((metrics["test"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!((metrics["test"]["deviation"].as_f64().unwrap() - deviation).abs() < 1e-12);
    // Each row is tested once, and no subject is on both sides.
    let mut tested = Vec::new();
    for fold in 1..=3 {
        let split = read(&folder.join(format!("whole/fold-{fold}/split.json")));
        let rows = |name: &str| -> Vec<u64> {
            split[name][0]["rows"].as_array().expect("rows").iter().map(|row| row.as_u64().expect("a row")).collect()
        };
        let subjects = |rows: &[u64]| rows.iter().map(|row| (row - 1) / 4).collect::<std::collections::BTreeSet<_>>();
        assert!(subjects(&rows("train")).is_disjoint(&subjects(&rows("test"))));
        assert!(split["test_is"].as_str().expect("a text").starts_with(&format!("fold {fold} of 3")));
        tested.extend(rows("test"));
    }
    tested.sort_unstable();
    assert_eq!(tested, (1..=48).collect::<Vec<_>>());
    let page = fs::read_to_string(folder.join("whole/report.html")).expect("a report");
    let subjects = subjects.join(", ");
    assert!(page.contains("<th>held-out groups</th>") && page.contains(&subjects) && printed.contains(&subjects));
    assert!(page.contains("fold 3</a>") && folder.join("whole/fold-3/report.html").is_file());

    let args = [&RUN[..], &["--out", "killed"]].concat();
    let mut child =
        dashnas(folder, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
    let began = Instant::now();
    while !folder.join("killed/fold-2/config.toml").exists() && began.elapsed() < Duration::from_secs(300) {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(!folder.join("killed/metrics.json").exists(), "it was killed too late");
    let text = succeeded(folder, &["status", "killed"]);
    for words in ["stopped before it was finished", "1 of 3 folds done", "fold 1   finished", "fold 3   not started"] {
        assert!(text.contains(words), "`{text}` does not say `{words}`");
    }
    let json: Value = serde_json::from_str(&succeeded(folder, &["status", "killed", "--json"])).expect("JSON");
    assert_eq!((&json["done"], &json["of"], &json["state"]), (&1.into(), &3.into(), &"stopped".into()));
    assert_eq!((&json["folds"][0]["run"]["state"], &json["folds"][2]["run"]), (&"finished".into(), &Value::Null));
    let json: Value = serde_json::from_str(&succeeded(folder, &["run", "--resume", "killed", "--json"])).expect("JSON");
    assert_eq!(json["test"], metrics["test"]);
    assert!(result(&folder.join("killed")) == result(&folder.join("whole")), "the results differ");
    refused(folder, &["predict", "whole", "t.csv"], &["cross-validation", "fold-1"]);
    assert!(succeeded(folder, &["predict", "whole/fold-2", "t.csv"]).lines().count() == 49);

    // Other data is refused for a fold that has not begun as well.
    fs::remove_dir_all(folder.join("whole/fold-3")).expect("a fold");
    fs::remove_file(folder.join("whole/metrics.json")).expect("a result");
    let table = fs::read_to_string(folder.join("t.csv")).expect("written");
    let swapped: Vec<&str> =
        table.lines().take(1).chain(table.lines().skip(1).collect::<Vec<_>>().into_iter().rev()).collect();
    fs::write(folder.join("t.csv"), swapped.join("\n") + "\n").expect("writable");
    refused(folder, &["run", "--resume", "whole"], &["its contents differ"]);
    assert!(!folder.join("whole/fold-3").exists());
}

#[test]
fn what_cannot_be_divided_into_folds_is_refused_before_anything_is_made() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(folder);
    let table = fs::read_to_string(folder.join("t.csv")).expect("written");
    fs::write(folder.join("train.csv"), &table).expect("writable");
    fs::write(folder.join("test.csv"), &table).expect("writable");
    fs::write(
        folder.join("darcy.toml"),
        "preset = \"quick\"\n[darcy]\nresolution = 17\nstride = 2\ntrain = 12\ntest = 4\n",
    )
    .expect("writable");
    let with = |more: &[&'static str]| -> Vec<&str> { [&RUN[..], &["--out", "new"], more].concat() };
    refused(folder, &with(&["--split-by", "time"]), &["split-by", "folds are random"]);
    refused(folder, &["run", "train.csv", "--folds", "3", "--out", "new"], &["there is a test split", "--ignore"]);
    refused(folder, &["run", "t.csv", "--folds", "13", "--out", "new"], &["12 groups", "13 folds"]);
    refused(folder, &["run", "t.csv", "--folds", "1", "--out", "new"], &["`data.folds` is 1", "from 2 to 1000"]);
    refused(folder, &["run", "darcy-flow", "--folds", "3", "--out", "new", "--config", "darcy.toml"], &["test split"]);
    refused(folder, &["search", "t.csv", "--folds", "3", "--out", "new"], &["dashnas run", "data.fold"]);
    assert!(!folder.join("new").exists());
    // One fold alone is an ordinary run, and a time limit is shared.
    let inspect = succeeded(folder, &["inspect", "t.csv", "--folds", "3", "--set", "data.fold=2"]);
    assert!(inspect.contains("fold 2 of 3"), "{inspect}");
}
