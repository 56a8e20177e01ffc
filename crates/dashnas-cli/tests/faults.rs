//! What happens to a run when its files let it down: each has a clear outcome, and what was done is not lost.

#![cfg(unix)]

mod common;

use assert_cmd::Command;
use common::settings;
use dashnas::checkpoint::Checkpoint;
use dashnas::checkpoint::FORMAT;
use dashnas::checkpoint::cadence::Cadence;
use dashnas::config::Config;
use dashnas::record::event::{Event, Observer};
use dashnas::run::pipeline::Run;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::stage::Stage;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use predicates::prelude::*;
use sha2::{Digest, Sha256};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command as Plain;
use tempfile::TempDir;

const SETTINGS: &[(&str, &str)] = &[
    ("backbone.channels", "64"),
    ("search.max-steps", "3"),
    ("tune.enabled", "false"),
    ("retrain.epochs", "3"),
    ("retrain.max-steps", "0"),
    ("retrain.batch-size", "8"),
    ("baseline.enabled", "false"),
];

/// A folder with a data set, settings, and a run that was left alone.
struct Scene {
    folder: TempDir,
    data: Dataset,
    config: Config,
    /// The model of that run.
    model: Vec<u8>,
}

/// Stops a run in its retraining.
struct StopIn {
    steps: usize,
}

impl Observer for StopIn {
    fn event(&mut self, event: &Event) {
        if matches!(event, Event::Step { stage: Stage::Retrain, .. }) {
            self.steps = self.steps.saturating_sub(1);
        }
    }

    fn cancelled(&self) -> bool {
        self.steps == 0
    }
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let split = |n: usize| {
            let x = (0..n * 16).map(|i| ((i * 37 + i / 16) % 11) as f32).collect();
            Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
        };
        let task = TaskKind::Classification { classes: 2 };
        let data = Dataset::new("mine", task, split(32), None, split(8)).expect("sound");
        npz::save(&data, &folder.path().join("mine.npz")).expect("writable");
        fs::write(folder.path().join("settings.toml"), settings(SETTINGS)).expect("writable");
        let config = Config::load(None, Some(&folder.path().join("settings.toml")), &[]).expect("sound");
        let mut scene = Self { folder, data, config, model: Vec::new() };
        scene.dashnas().args(["run", "mine.npz", "--config", "settings.toml", "--out", "whole"]).assert().success();
        scene.model = fs::read(scene.path("whole/model.dashnas")).expect("written");
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dashnas(&self) -> Command {
        let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
        command.current_dir(self.folder.path());
        command
    }

    /// A run that was stopped in the middle of its retraining, with two checkpoints of it.
    fn interrupted(&self, name: &str) -> RunDir {
        let (out, source) = (self.path(name), self.path("mine.npz"));
        let mut stop = StopIn { steps: 6 };
        let source = source.to_str().expect("UTF-8");
        let mut run = Run::start(&self.config, source, &self.data, &out, &mut stop).expect("it starts");
        run.set_cadence(Cadence::always(std::time::Instant::now()));
        assert!(matches!(run.all(), Err(dashnas::error::Error::Interrupted)));
        RunDir::open(&out).expect("a run directory")
    }

    /// Goes on with a run, which must come to the end of the undisturbed one.
    fn goes_on(&self, name: &str) -> assert_cmd::assert::Assert {
        let done = self.dashnas().args(["run", "--resume", name]).assert().success();
        assert!(fs::read(self.path(name).join(names::MODEL)).expect("written") == self.model, "other bits");
        done
    }
}

#[test]
fn a_checkpoint_that_was_fallen_back_to_stays_until_the_next_is_safe() {
    let scene = Scene::new();
    let dir = scene.interrupted("run");
    let damage = || {
        let mut bytes = fs::read(dir.file(names::CHECKPOINT)).expect("written");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        fs::write(dir.file(names::CHECKPOINT), bytes).expect("writable");
    };
    damage();
    let good = fs::read(dir.file(names::CHECKPOINT_PREVIOUS)).expect("written");
    // The next process writes a single one.
    let mut stop = StopIn { steps: 0 };
    let run = Run::open(dir.clone(), &scene.config, &scene.data, &mut stop).expect("it opens");
    assert!(matches!(run.all(), Err(dashnas::error::Error::Interrupted)));
    assert!(Checkpoint::read(&dir).expect("sound").expect("there").1.is_none(), "the newest is whole again");
    assert!(fs::read(dir.file(names::CHECKPOINT_PREVIOUS)).expect("there") == good, "the good one was overwritten");
    damage();
    scene.goes_on("run").stderr(predicate::str::contains("resuming from the previous checkpoint"));
}

#[test]
fn a_damaged_checkpoint_costs_a_step_and_no_more() {
    let scene = Scene::new();
    let dir = scene.interrupted("run");
    let newest = dir.file(names::CHECKPOINT);
    let sound = fs::read(&newest).expect("written");
    let (whole, none) = Checkpoint::read(&dir).expect("sound").expect("there");
    assert!(none.is_none() && whole.trainings.len() == 1);
    fs::remove_file(&newest).expect("ours");
    let before = Checkpoint::read(&dir).expect("sound").expect("there").0;
    assert!(before.ledger.steps <= whole.ledger.steps && before.trainings.len() == 1);

    let falls_back = |bytes: &[u8], how: &str| {
        fs::write(&newest, bytes).expect("writable");
        let (found, warning) = Checkpoint::read(&dir).expect("the one before is sound").expect("there");
        assert!(found == before, "{how}");
        let warning = warning.unwrap_or_else(|| panic!("{how}: no warning"));
        assert!(
            warning.contains("is damaged") && warning.contains("resuming from the previous checkpoint"),
            "{warning}"
        );
    };
    // Every byte of the frame, the checksum, and bytes all over the text and the numbers.
    let last = sound.len();
    let all_over = (24..last - 32).step_by((last / 60).max(1));
    for at in (0..24).chain(all_over).chain(last - 32..last) {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x10;
        falls_back(&bytes, &format!("byte {at} of {last} changed"));
    }
    for length in [0, 1, 8, 23, 24, 56, last / 3, last / 2, last - 32, last - 1] {
        falls_back(&sound[..length], &format!("cut to {length} of {last}"));
    }
    falls_back(&[&sound[..], b"more"].concat(), "longer");
    // Left as it is now, the run goes on to the same bits, and says where from.
    scene.goes_on("run").stderr(predicate::str::contains("resuming from the previous checkpoint"));

    let dir = scene.interrupted("both");
    for name in [names::CHECKPOINT, names::CHECKPOINT_PREVIOUS] {
        fs::write(dir.file(name), &sound[..last / 2]).expect("writable");
    }
    let refused = scene.dashnas().args(["run", "--resume", "both"]).assert().code(5);
    refused.stderr(predicate::str::contains("no checkpoint can be used").and(predicate::str::contains("hint:")));
}

#[test]
fn a_checkpoint_of_another_version_is_refused_and_left_alone() {
    let scene = Scene::new();
    let dir = scene.interrupted("run");
    let sound = fs::read(dir.file(names::CHECKPOINT)).expect("written");
    let mut other = sound.clone();
    other[8..12].copy_from_slice(&(FORMAT + 98).to_le_bytes());
    let body = other.len() - 32;
    let checksum = Sha256::digest(&other[..body]);
    other[body..].copy_from_slice(&checksum);
    fs::write(dir.file(names::CHECKPOINT), &other).expect("writable");
    let refused = scene.dashnas().args(["run", "--resume", "run"]).assert().code(5);
    refused.stderr(
        predicate::str::contains(format!("has format {}", FORMAT + 98))
            .and(predicate::str::contains("hint: continue with the version of dashnas that wrote it")),
    );
    assert!(fs::read(dir.file(names::CHECKPOINT)).expect("there") == other, "it was changed");
    fs::write(dir.file(names::CHECKPOINT), &sound).expect("writable");
    scene.goes_on("run");
}

#[test]
fn one_process_at_a_time_works_in_a_run_directory() {
    let scene = Scene::new();
    let dir = scene.interrupted("run");
    let lock = dir.lock().expect("free");
    for command in [&["run", "--resume", "run"][..], &["train", "run"]] {
        let refused = scene.dashnas().args(command).assert().code(5);
        let process = format!("in use by process {}", std::process::id());
        refused.stderr(
            predicate::str::contains(process).and(predicate::str::contains("hint: wait until the process has ended")),
        );
    }
    // Looking on is allowed.
    scene.dashnas().args(["status", "run"]).assert().success();
    drop(lock);
    scene.goes_on("run");
}

#[test]
fn an_existing_run_directory_is_refused_with_the_way_to_go_on() {
    let scene = Scene::new();
    scene.interrupted("run");
    let refused =
        scene.dashnas().args(["run", "mine.npz", "--config", "settings.toml", "--out", "run"]).assert().code(5);
    refused.stderr(predicate::str::contains("hint: resume it with `dashnas run --resume run`"));
    // What the program said is in the directory, however little it printed.
    scene.dashnas().args(["run", "--resume", "run", "--quiet"]).assert().success().stderr("");
    let log = fs::read_to_string(scene.path("run/run.log")).expect("written");
    assert!(
        log.contains("retrain: resumed") && log.contains("evaluate: finished") && log.contains("checkpoint of"),
        "{log}"
    );
}

#[test]
fn a_file_that_may_not_grow_stops_the_run_and_loses_nothing() {
    let scene = Scene::new();
    // Files of 32 KiB at most: enough for the search, not for a trained network.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    let line = ["run", "mine.npz", "--config", "settings.toml", "--out", "full"];
    let output = Plain::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_dashnas")])
        .args(line)
        .current_dir(scene.folder.path())
        .output()
        .expect("there is a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("error: cannot write full/") && said.contains("hint: free some space"), "{said}");
    let left = fs::read_dir(scene.path("full")).expect("there").map(|e| e.expect("readable").file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "half a file was left");
    scene.goes_on("full");
}

/// A small file system of its own, gone with the value.
#[cfg(target_os = "linux")]
struct Small(PathBuf);

#[cfg(target_os = "linux")]
impl Small {
    /// `None` where this user may not mount one.
    fn mount(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&at).expect("writable");
        let mount = Plain::new("mount").args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&at).output();
        mount.is_ok_and(|output| output.status.success()).then_some(Self(at))
    }

    fn resize(&self, size: &str) {
        let grown = Plain::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.0).status();
        assert!(grown.expect("it was there before").success());
    }
}

#[cfg(target_os = "linux")]
impl Drop for Small {
    fn drop(&mut self) {
        let _ = Plain::new("umount").arg(&self.0).status();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_stops_the_run_and_loses_nothing() {
    let scene = Scene::new();
    let Some(disk) = Small::mount(scene.path("disk"), "128k") else {
        eprintln!("skipped: no file system can be mounted here");
        return;
    };
    let stopped =
        scene.dashnas().args(["run", "mine.npz", "--config", "settings.toml", "--out", "disk/run"]).assert().code(5);
    stopped.stderr(predicate::str::contains("No space left").and(predicate::str::contains("hint: free some space")));
    disk.resize("64m");
    scene.goes_on("disk/run");
}

#[test]
fn a_read_only_directory_is_named_before_any_work_is_done() {
    let scene = Scene::new();
    let dir = scene.interrupted("run");
    let program = scene.path("dashnas");
    fs::copy(env!("CARGO_BIN_EXE_dashnas"), &program).expect("writable");
    let set = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    fs::create_dir(scene.path("closed")).expect("writable");
    for file in fs::read_dir(dir.path()).expect("readable") {
        set(&file.expect("readable").path(), 0o444);
    }
    for path in [scene.path("closed"), dir.path().to_owned(), scene.path(".")] {
        set(&path, 0o555);
    }
    let refused = |args: &[&str]| {
        let mut command = Plain::new(&program);
        command.args(args).current_dir(scene.folder.path());
        if fs::metadata("/root").is_ok_and(|_| fs::read_dir("/root").is_ok()) {
            // Permissions do not bind root: be nobody.
            command.uid(65534).gid(65534);
        }
        let output = command.output().expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = refused(&["run", "mine.npz", "--config", "settings.toml", "--out", "closed/run"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("cannot make the run directory closed/run") && said.contains("hint: check the permissions"));
    let (code, said) = refused(&["run", "--resume", "run"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("run.lock") && said.contains("hint: check the permissions"), "{said}");
    for path in [scene.path("."), dir.path().to_owned()] {
        set(&path, 0o755);
    }
    for file in fs::read_dir(dir.path()).expect("readable") {
        set(&file.expect("readable").path(), 0o644);
    }
    scene.goes_on("run");
}

#[test]
fn links_in_a_run_directory_do_not_lead_out_of_it() {
    let scene = Scene::new();
    let dir = scene.interrupted("run");
    let elsewhere = scene.path("elsewhere");
    let link = |name: &str| {
        fs::write(&elsewhere, "precious").expect("writable");
        let _ = fs::remove_file(dir.file(name));
        std::os::unix::fs::symlink(&elsewhere, dir.file(name)).expect("writable");
    };
    let untouched = || fs::read_to_string(&elsewhere).is_ok_and(|text| text == "precious");
    // What is appended to or written in place is refused.
    let log = fs::read(dir.file(names::EVENTS)).expect("written");
    for name in [names::EVENTS, names::LOCK] {
        link(name);
        let refused = scene.dashnas().args(["run", "--resume", "run"]).assert().code(5);
        refused.stderr(predicate::str::contains(name).and(predicate::str::contains("is a symbolic link")));
        assert!(untouched(), "{name}");
        fs::remove_file(dir.file(name)).expect("ours");
        fs::write(dir.file(names::EVENTS), &log).expect("writable");
    }
    // The program's log is not worth a failure; what is written as a whole takes the link's place.
    for name in [names::PROGRAM_LOG, names::MODEL, names::METRICS, names::STATUS] {
        link(name);
    }
    scene.goes_on("run");
    assert!(untouched());
}
