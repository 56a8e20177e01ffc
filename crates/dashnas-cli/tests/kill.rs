//! A run that is killed again and again, at moments spread over all of its stages, ends with the bits of one that was
//! left alone.
//!
//! `DASHNAS_KILLS` says how often (default 10, half of them in a run tuned by the grid, half by ASHA). The moments are
//! drawn from a fixed seed and found by watching the event log and the checkpoint, so that every stage is hit on a
//! machine of any speed.

#![cfg(unix)]

mod common;

use common::settings;
use dashnas::checkpoint::Checkpoint;
use dashnas::run_dir::dir::RunDir;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

const STAGES: [&str; 5] = ["search", "tune", "retrain", "baseline", "evaluate"];

/// A little work in every stage, in short epochs.
/// Stages of many short epochs.
const SETTINGS: &[(&str, &str)] = &[
    ("seed", "3"),
    ("space.kernel-sizes", "[3, 5, 9]"),
    ("space.dilations", "[1, 3]"),
    ("search.epochs", "12"),
    ("search.max-steps", "0"),
    ("search.batch-size", "8"),
    ("tune.epochs", "2"),
    ("tune.max-steps", "0"),
    ("tune.learning-rates", "[0.1, 0.01]"),
    ("tune.weight-decays", "[0.0, 0.001]"),
    ("tune.dropouts", "[0.1]"),
    ("tune.stop-early", "false"),
    ("asha.samples", "4"),
    ("asha.min-steps", "3"),
    ("retrain.epochs", "12"),
    ("retrain.max-steps", "0"),
    ("retrain.batch-size", "8"),
];

/// Two classes of short series; a test split so large that looking at it takes a while.
fn data(path: &Path) {
    let split = |n: usize| {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for i in 0..n {
            let class = i % 2;
            y.push(class as u32);
            x.extend((0..96).map(|t| if t % (5 + 3 * class) == 0 { 1.0 } else { ((i * 96 + t) as f32).sin() * 0.3 }));
        }
        Split { x: Array::new(vec![n, 1, 96], x), y: Targets::Classes(y) }
    };
    let task = TaskKind::Classification { classes: 2 };
    let set = Dataset::new("pulses", task, split(48), None, split(1500)).expect("sound");
    npz::save(&set, path).expect("writable");
}

/// SplitMix64: the harness' own numbers.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n.max(1)
    }
}

/// What the harness waits for once the log is where it should be.
#[derive(Debug, Clone, Copy)]
enum After {
    /// Nothing but a moment.
    Event,
    /// The next checkpoint, and a moment.
    Checkpoint,
    /// A checkpoint being written.
    Writing,
}

/// When to kill: so many lines into a stage.
#[derive(Debug, Clone, Copy)]
struct Moment {
    stage: &'static str,
    lines: u64,
    after: After,
    pause: Duration,
}

/// How far the log got in a stage: its lines there and whether it is over. `None` if it has not begun.
fn progress(log: &str, stage: &str) -> Option<(u64, bool)> {
    let of = |line: &str| serde_json::from_str::<Value>(line).ok();
    let mut found = None;
    for event in log.lines().filter_map(of) {
        let here = event["stage"] == stage;
        match (event["event"].as_str().unwrap_or_default(), &mut found) {
            ("stage-started", found) if here => *found = Some((0, false)),
            ("stage-finished", Some((_, over))) if here => *over = true,
            (_, Some((lines, false))) => *lines += 1,
            _ => {}
        }
    }
    found
}

/// The stage that was under way when the log ended.
fn stage_of(log: &str) -> &'static str {
    STAGES.into_iter().rev().find(|s| progress(log, s).is_some()).unwrap_or("start")
}

fn mark(path: &Path) -> Option<(u64, SystemTime)> {
    let data = fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok()?))
}

/// A process that starts a run in a directory or goes on with it.
fn spawn(folder: &Path, dir: &str, tuner: &str, threads: u64) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dashnas"));
    command.current_dir(folder).args(["run", "--quiet", "--threads", &threads.to_string()]);
    if folder.join(dir).join("config.toml").is_file() {
        command.args(["--resume", dir]);
    } else {
        // One that was killed before it had written its configuration is to be started again.
        let _ = fs::remove_dir_all(folder.join(dir));
        command.args(["pulses.npz", "--config", "settings.toml", "--tuner", tuner, "--out", dir]);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts")
}

fn finish(child: Child) -> Output {
    let output = child.wait_with_output().expect("it can be waited for");
    assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    output
}

/// Starts or resumes, and kills at the moment; whether the run was still alive then.
fn kill_at(folder: &Path, dir: &str, tuner: &str, threads: u64, moment: Moment) -> bool {
    let [log, checkpoint, temporary] =
        ["events.jsonl", "checkpoint", "checkpoint.tmp"].map(|name| folder.join(dir).join(name));
    // What an earlier process wrote after its last checkpoint is still there until this one cuts it off.
    let stale = mark(&log);
    let mut child = spawn(folder, dir, tuner, threads);
    let mut reached = None;
    loop {
        if child.try_wait().expect("it can be asked").is_some() {
            finish(child);
            return false;
        }
        if mark(&log) == stale {
            std::thread::sleep(Duration::from_micros(500));
            continue;
        }
        match reached {
            None => {
                let text = fs::read_to_string(&log).unwrap_or_default();
                if progress(&text, moment.stage).is_some_and(|(lines, over)| over || lines >= moment.lines) {
                    reached = Some((Instant::now(), mark(&checkpoint)));
                } else {
                    std::thread::sleep(Duration::from_micros(500));
                }
            }
            Some((since, before)) => {
                // Checkpoints are rare in a short stage: kill anyway before it is over.
                let patience = Duration::from_millis(700);
                let now = match moment.after {
                    After::Event => true,
                    After::Checkpoint => mark(&checkpoint) != before,
                    After::Writing => temporary.exists(),
                };
                if now || since.elapsed() > patience {
                    if !matches!(moment.after, After::Writing) {
                        std::thread::sleep(moment.pause);
                    }
                    let ended = child.try_wait().expect("it can be asked").is_some();
                    if !ended {
                        child.kill().expect("it is ours");
                        child.wait().expect("it can be waited for");
                    }
                    return !ended;
                }
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }
}

/// Everything that a run is to be judged by, without what is measured in seconds or says where it was.
fn result(dir: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    let read = |name: &str| fs::read(dir.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut files: BTreeMap<_, _> =
        ["model.dashnas", "baseline.dashnas", "architecture.json", "alpha.jsonl", "tuning.json", "evaluation.json"]
            .into_iter()
            .map(|name| (name, read(name)))
            .collect();
    let mut metrics: Value = serde_json::from_slice(&read("metrics.json")).expect("JSON");
    let plain = |value: &mut Value| {
        // An epoch's metric is of the steps that one process took of it.
        for key in ["seconds", "run_dir", "outcome", "train_metric", "val_metric"] {
            value.as_object_mut().expect("an object").remove(key);
        }
    };
    plain(&mut metrics);
    files.insert("metrics.json", metrics.to_string().into());
    // The log too tells each thing once, beside that the run was gone on with.
    let mut log: Vec<Value> = Vec::new();
    for line in String::from_utf8(read("events.jsonl")).expect("text").lines() {
        let mut event: Value = serde_json::from_str(line).expect("a whole line");
        if event["event"] != "stage-resumed" {
            plain(&mut event);
            log.push(event);
        }
    }
    // What trials side by side say comes in any order, but each says it in its own.
    for trials in log.chunk_by_mut(|a, b| a.get("trial").is_some() && b.get("trial").is_some()) {
        trials.sort_by_key(|event| event["trial"].as_u64());
    }
    files.insert("events.jsonl", log.iter().flat_map(|event| format!("{event}\n").into_bytes()).collect());
    files
}

fn assert_same(found: &BTreeMap<&'static str, Vec<u8>>, expected: &BTreeMap<&'static str, Vec<u8>>, run: &str) {
    for (name, bytes) in expected {
        // From the first line that differs.
        let lines = |b: &[u8]| b.split(|&c| c == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (got, want) = (lines(&found[name]), lines(bytes));
        let at = got.iter().zip(&want).take_while(|(got, want)| got == want).count();
        let text =
            |lines: &[Vec<u8>]| String::from_utf8_lossy(&lines[at..lines.len().min(at + 3)].join(&b'\n')).into_owned();
        assert!(&found[name] == bytes, "{run}: {name} from line {at}\n{}\ninstead of\n{}", text(&got), text(&want));
    }
}

#[test]
fn a_run_killed_at_random_moments_of_every_stage_ends_with_the_same_bits() {
    let kills: usize = std::env::var("DASHNAS_KILLS").map_or(10, |text| text.parse().expect("a number"));
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(&folder.join("pulses.npz"));
    fs::write(folder.join("settings.toml"), settings(SETTINGS)).expect("writable");
    let undisturbed = ["grid", "asha"].map(|tuner| {
        finish(spawn(folder, tuner, tuner, 2));
        let log = fs::read_to_string(folder.join(tuner).join("events.jsonl")).expect("written");
        (tuner, result(&folder.join(tuner)), STAGES.map(|stage| progress(&log, stage).expect("it was run").0))
    });

    let runs = (kills / 10).max(2);
    let (mut draws, mut hit, mut done, mut midway) = (Draws(2026), BTreeMap::<_, usize>::new(), 0, 0);
    for run in 0.. {
        if done >= kills {
            break;
        }
        assert!(run < 4 * runs, "{done} of {kills} kills hit a run in {run} runs: {hit:?}");
        let (tuner, expected, lines) = &undisturbed[run % 2];
        let dir = format!("killed-{run}");
        let here = kills.div_ceil(runs).min(kills - done);
        // Stage by stage, each somewhere.
        let somewhere = |stage: usize| (stage, draws.below(lines[stage] + 1));
        let mut moments: Vec<_> = (0..here).map(|i| i * STAGES.len() / here).map(somewhere).collect();
        moments.sort_unstable();
        for (stage, lines) in moments {
            let after = [After::Event, After::Checkpoint, After::Writing][draws.below(3) as usize];
            let pause = Duration::from_micros(draws.below(30_000));
            let after = if STAGES[stage] == "evaluate" { After::Event } else { after };
            let moment = Moment { stage: STAGES[stage], lines, after, pause };
            if kill_at(folder, &dir, tuner, 1 + draws.below(2), moment) {
                let log = fs::read_to_string(folder.join(&dir).join("events.jsonl")).unwrap_or_default();
                *hit.entry(stage_of(&log)).or_default() += 1;
                done += 1;
                let left = RunDir::open(&folder.join(&dir)).and_then(|dir| Checkpoint::read(&dir)).ok().flatten();
                midway += usize::from(left.is_some_and(|(checkpoint, _)| !checkpoint.trainings.is_empty()));
            }
        }
        finish(spawn(folder, &dir, tuner, 2));
        assert_same(&result(&folder.join(&dir)), expected, &dir);
    }
    println!("{done} kills, by the stage that they hit: {hit:?}; {midway} left a training to go on with in its middle");
    for stage in STAGES {
        assert!(kills < 10 || hit.contains_key(stage), "no kill hit {stage}: {hit:?}");
    }
}

#[test]
fn a_run_under_a_time_limit_that_is_killed_keeps_to_its_plan_and_leaves_a_model() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    data(&folder.join("pulses.npz"));
    fs::write(folder.join("settings.toml"), settings(&[SETTINGS, &[("budget.time-limit", "30.0")]].concat()))
        .expect("writable");
    let dir = folder.join("limited");
    let mut draws = Draws(7);
    let mut hit = Vec::new();
    for stage in ["search", "tune", "retrain"] {
        let pause = Duration::from_micros(draws.below(30_000));
        let moment = Moment { stage, lines: 1 + draws.below(3), after: After::Event, pause };
        if kill_at(folder, "limited", "asha", 2, moment) {
            hit.push(stage_of(&fs::read_to_string(dir.join("events.jsonl")).unwrap_or_default()));
        }
    }
    assert!(!hit.is_empty(), "no kill hit the run");
    finish(spawn(folder, "limited", "asha", 2));
    let log = fs::read_to_string(dir.join("events.jsonl")).expect("written");
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("a whole line")).collect();
    let plans: Vec<&Value> = events.iter().filter(|event| event["event"] == "planned").map(|e| &e["plan"]).collect();
    // Before the search and after it, whatever happened in between; what is in force is what the log says.
    assert_eq!(plans.len(), 2, "killed in {hit:?}: {plans:?}");
    let kept: Value = serde_json::from_slice(&fs::read(dir.join("plan.json")).expect("written")).expect("JSON");
    assert_eq!(&kept, plans[1]);
    assert_eq!(plans[0]["search"], plans[1]["search"]);
    let metrics: Value = serde_json::from_slice(&fs::read(dir.join("metrics.json")).expect("written")).expect("JSON");
    assert!(metrics["test"].is_number(), "{metrics}");
    let mut predict = Command::new(env!("CARGO_BIN_EXE_dashnas"));
    predict.current_dir(folder).args(["predict", "limited", "pulses.npz", "--out", "predictions.csv"]);
    let predicted = predict.output().expect("the command starts");
    assert!(predicted.status.success(), "{}", String::from_utf8_lossy(&predicted.stderr));
}
