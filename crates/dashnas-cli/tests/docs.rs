//! The commands in the guide and the README, run in the order they stand there, in one folder, on
//! a small `mine.npz`. What a line does to the run directories, the later lines find. Only the
//! budgets are cut: a file of settings is put under every command that trains.

use assert_cmd::Command;
use dashnas::data::{Array, Dataset, Split, Targets, npz};
use dashnas::task::TaskKind;
use std::fs;
use std::path::{Path, PathBuf};

/// Settings that make a training a few steps long, as `--set` flags.
const SHORT: [&str; 11] = [
    "search.min-steps=0",
    "search.max-steps=2",
    "tune.min-steps=0",
    "tune.max-steps=1",
    "tune.learning-rates=[0.1]",
    "tune.dropouts=[0.0]",
    "retrain.min-steps=0",
    "retrain.max-steps=2",
    "darcy.resolution=9",
    "darcy.train=8",
    "darcy.test=4",
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Lines of the `sh` blocks of a page that call the command, as their arguments; with the file
/// that standard output goes to, if any.
fn commands(page: &str) -> Vec<(Vec<String>, Option<String>)> {
    let text = fs::read_to_string(repository().join(page)).expect("the page is there");
    let mut found = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
            continue;
        }
        let call = line.strip_prefix("dashnas ").or_else(|| line.strip_prefix("cargo run --release -- "));
        if let (true, Some(call)) = (inside, call) {
            let call = call.split(" # ").next().unwrap_or(call).split(" | ").next().unwrap_or(call);
            let (call, to) = call.split_once(" > ").map_or((call, None), |(c, f)| (c, Some(f.trim().to_owned())));
            found.push((call.split_whitespace().map(str::to_owned).collect(), to));
        }
    }
    found
}

fn data(folder: &Path) {
    let split = |n: usize| {
        let x = (0..n * 16).map(|i| ((i * 37 + i / 16) % 11) as f32).collect();
        Split { x: Array::new(vec![n, 1, 16], x), y: Targets::Classes((0..n as u32).map(|i| i % 2).collect()) }
    };
    let set = Dataset::new("mine", TaskKind::Classification { classes: 2 }, split(24), None, split(8));
    npz::save(&set.expect("the data is sound"), &folder.join("mine.npz")).expect("writable");
    let rows = (0..24).map(|i| format!("{i},{},{},{}\n", i * i % 7, i % 5, ["no", "yes"][i % 2]));
    fs::write(folder.join("mine.csv"), "a,b,c,label\n".to_owned() + &rows.collect::<String>()).expect("writable");
    // Windows of three channels of 16 samples, with their activity; and some without.
    let names: Vec<String> = (0..48).map(|j| format!("{}{}", ["x", "y", "z"][j / 16], j % 16)).collect();
    let window = |i: usize| (0..48).map(|j| ((i * 7 + j * j) % 13).to_string()).collect::<Vec<_>>().join(",");
    let labelled = (0..24).map(|i| format!("{},{}\n", window(i), ["walking", "sitting"][i % 2])).collect::<String>();
    let new = (30..35).map(|i| window(i) + "\n").collect::<String>();
    let names = names.join(",");
    fs::write(folder.join("windows.csv"), format!("{names},activity\n{labelled}")).expect("writable");
    fs::write(folder.join("new.csv"), format!("{names}\n{new}")).expect("writable");
}

#[test]
fn the_commands_of_the_documentation_run() {
    for page in ["README.md", "docs/guide.md"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        data(folder.path());
        let commands = commands(page);
        assert!(commands.len() >= 3, "{page} has lost its commands");
        for (args, to) in commands {
            let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
            command.current_dir(folder.path()).env("DASHNAS_CACHE", folder.path().join("cache")).args(&args);
            if ["run", "search"].contains(&args[0].as_str()) {
                for pair in SHORT {
                    command.args(["--set", pair]);
                }
                // A run directory that an earlier line of the page made: the page shows alternatives.
                if let Some(i) = args.iter().position(|a| a == "--out") {
                    let _ = fs::remove_dir_all(folder.path().join(&args[i + 1]));
                }
            }
            let output = command.output().expect("it can be started");
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{page}: dashnas {} failed:\n{said}", args.join(" "));
            if let Some(file) = to {
                fs::write(folder.path().join(file), &output.stdout).expect("writable");
            }
        }
    }
}
