//! Memory as the system sees it: the most that a process ever held, under a limit, and less than its data.

#![cfg(target_os = "linux")]

mod common;

use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Settings under which each stage takes a few steps of so many samples, and others.
fn settings(batch: &str, channels: &str, more: &[(&str, &str)]) -> String {
    let own = [
        ("backbone.channels", channels),
        ("search.batch-size", batch),
        ("retrain.batch-size", batch),
        ("tune.subset", "1.0"),
        ("tune.weight-decays", "[0.0]"),
        ("baseline.enabled", "false"),
    ];
    common::settings(&[&own[..], more].concat())
}

/// The most bytes that a process held at a time, and what it printed. It must come to a good end.
fn peak(command: &mut Command) -> (u64, String) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // The system's own record of the peak is there until the process has ended.
    while child.try_wait().expect("it can be asked").is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
        peak = line.and_then(|kib| kib.trim().parse::<u64>().ok()).map_or(peak, |kib| kib << 10);
        sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().expect("it can be waited for");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (peak, String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Two classes of series.
fn series(path: &Path) {
    let split = |n: usize| {
        let x = (0..n * 1024).map(|i| ((i * 37 + i / 1024) % 11) as f32).collect();
        Split { x: Array::new(vec![n, 1, 1024], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
    };
    let task = TaskKind::Classification { classes: 2 };
    npz::save(&Dataset::new("series", task, split(64), None, split(16)).expect("sound"), path).expect("writable");
}

#[test]
fn a_run_never_holds_more_than_its_limit_and_fits_into_it_the_same_way_each_time() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let folder = temp.path();
    series(&folder.join("series.npz"));
    fs::write(folder.join("settings.toml"), settings("48", "32", &[("tune.dropouts", "[0.0, 0.1]")]))
        .expect("writable");
    const LIMIT: u64 = 300 << 20;
    let run = |out: &str, limit: &[&str]| {
        let args = ["--threads", "2", "--config", "settings.toml", "--json", "--out", out];
        let mut command = Command::new(env!("CARGO_BIN_EXE_dashnas"));
        peak(command.current_dir(folder).args(["run", "series.npz"]).args(args).args(limit))
    };
    let (free, _) = run("free", &[]);
    assert!(free > LIMIT, "{free} bytes without a limit: the limit would change nothing");
    let (limited, said) = run("limited", &["--memory-limit", "300M"]);
    assert!(limited <= LIMIT, "{limited} of {LIMIT} bytes, {free} without a limit");
    assert!(said.contains("in micro-batches of"), "{said}");
    run("again", &["--memory-limit", "300M"]);
    let model = |name: &str| fs::read(folder.join(name).join("model.dashnas")).expect("written");
    assert!(model("limited") == model("again"), "other parts, other bits");
}

/// Samples to train on, and the channels and length of each: much to read and little to compute.
const SAMPLES: usize = 10_000;
const CHANNELS: usize = 1_024;
const LENGTH: usize = 16;
/// Bytes of them.
const SIZE: u64 = 4 * (SAMPLES * CHANNELS * LENGTH) as u64;

fn npy(path: &Path, descr: &str, shape: &[usize]) -> File {
    let sizes: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    text.extend(std::iter::repeat_n(' ', 117 - text.len()));
    text.push('\n');
    let mut file = File::create(path).expect("writable");
    file.write_all(
        &[b"\x93NUMPY\x01\0".to_vec(), (text.len() as u16).to_le_bytes().to_vec(), text.into_bytes()].concat(),
    )
    .expect("writable");
    file
}

/// A split of two classes, most of whose samples are holes in the file.
fn split(folder: &Path, part: &str, n: usize) {
    let mut x = npy(&folder.join(format!("x_{part}.npy")), "<f4", &[n, CHANNELS, LENGTH]);
    let start = x.stream_position().expect("writable");
    x.set_len(start + 4 * (n * CHANNELS * LENGTH) as u64).expect("writable");
    for i in (0..n).step_by((n / 100) | 1) {
        // A pulse, whose place tells the class.
        x.seek(SeekFrom::Start(start + 4 * (i * CHANNELS * LENGTH + 100 + 2000 * (i % 2)) as u64)).expect("writable");
        x.write_all(&3f32.to_le_bytes()).expect("writable");
    }
    let labels: Vec<u8> = (0..n).flat_map(|i| ((i % 2) as i32).to_le_bytes()).collect();
    npy(&folder.join(format!("y_{part}.npy")), "<i4", &[n]).write_all(&labels).expect("writable");
}

#[test]
fn training_takes_less_memory_than_its_data() {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let data = temp.path().join("set");
    fs::create_dir(&data).expect("writable");
    split(&data, "train", SAMPLES);
    split(&data, "val", 20);
    split(&data, "test", 20);
    let command = |name: &str, limit: u64| {
        let config = temp.path().join(format!("{name}.toml"));
        let limit = limit.to_string();
        let text = settings("64", "4", &[("tune.dropouts", "[0.0]"), ("budget.memory-limit", &limit)]);
        fs::write(&config, text).expect("writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dashnas"));
        command.current_dir(temp.path()).arg(name).arg(&data).arg("--config").arg(config);
        command
    };
    let limit = SIZE / 2;
    let (trained, _) = peak(command("run", limit).args(["--out", "run", "--threads", "2"]));
    assert!(trained < limit, "{trained} bytes of memory for {SIZE} of data, of which {limit} are allowed");
    assert!(temp.path().join("run/metrics.json").is_file());
    // Held in memory, as a generous limit has it, the data alone is more: the measure can tell.
    let (whole, _) = peak(&mut command("inspect", 16 * SIZE));
    assert!(whole > SIZE, "{whole} bytes of memory for {SIZE} of data");
}
