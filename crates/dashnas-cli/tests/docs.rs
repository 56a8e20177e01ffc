//! Runs the commands of the documentation. The commands of a page run in their order in one folder with small data
//! sets, so that later commands find the run directories of earlier ones. Commands that train get settings that make
//! the training a few steps long; nothing else is changed.

use assert_cmd::Command;
use dashnas_core::task::TaskKind;
use dashnas_data::dataset::Dataset;
use dashnas_data::npz;
use dashnas_data::split::Split;
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use image::{GrayImage, Luma};
use std::fs;
use std::path::{Path, PathBuf};

/// Pages and the fewest commands that each must have, so that a change of the format cannot hide them.
const PAGES: [(&str, usize); 9] = [
    ("README.md", 5),
    ("docs/guide.md", 39),
    ("docs/concepts/budgets.md", 3),
    ("docs/concepts/comparing.md", 2),
    ("docs/concepts/data.md", 4),
    ("docs/concepts/export.md", 6),
    ("docs/concepts/report.md", 5),
    ("docs/concepts/resume.md", 2),
    ("docs/concepts/tasks.md", 3),
];

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

/// Returns the calls of the command in the `sh` blocks of a page: the arguments, and the file that standard output is
/// redirected to, if any.
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
    for (name, n) in [("mine.npz", 24), ("new.npz", 12)] {
        let set = Dataset::new("mine", TaskKind::Classification { classes: 2 }, split(n), None, split(8));
        npz::save(&set.expect("the data is sound"), &folder.join(name)).expect("writable");
    }
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
    photos(folder);
    recordings(folder);
}

/// Writes a table of recordings with one time step in each row, and a new recording without labels.
fn recordings(folder: &Path) {
    let step = |i: usize, r: usize| {
        let sitting = i / 256 % 2;
        let value = |c: usize| (i * (c + 1 + 3 * sitting) + r) % 17;
        (format!("{:.2},{},{},{}", i as f64 * 0.02, value(0), value(1), value(2)), ["walking", "sitting"][sitting])
    };
    let rows = (0..5).flat_map(|r| (0..512).map(move |i| (r, i)));
    let lines = rows.map(|(r, i)| format!("day{r},{},{}\n", step(i, r).0, step(i, r).1)).collect::<String>();
    fs::write(folder.join("recordings.csv"), format!("recording,time,x,y,z,activity\n{lines}")).expect("writable");
    let lines = (0..300).map(|i| format!("day9,{}\n", step(i, 9).0)).collect::<String>();
    fs::write(folder.join("new-recording.csv"), format!("recording,time,x,y,z\n{lines}")).expect("writable");
}

/// Writes a folder of images with a folder for each class.
fn photos(folder: &Path) {
    for (class, period) in [("cat", 3), ("dog", 7)] {
        let class = folder.join("photos").join(class);
        fs::create_dir_all(&class).expect("writable");
        for i in 0..6 {
            let image = GrayImage::from_fn(16, 16, |x, y| Luma([((x * period + y * i) * 11 % 256) as u8]));
            image.save(class.join(format!("{i}.png"))).expect("writable");
        }
    }
}

#[test]
fn the_commands_of_the_documentation_run() {
    for (page, least) in PAGES {
        let folder = tempfile::tempdir().expect("a temporary folder");
        data(folder.path());
        let commands = commands(page);
        assert!(commands.len() >= least, "{page} has only {} commands, not {least}", commands.len());
        for (args, to) in commands {
            let mut command = Command::cargo_bin("dashnas").expect("the binary is built with its tests");
            command.current_dir(folder.path()).env("DASHNAS_CACHE", folder.path().join("cache")).args(&args);
            // A resumed run has its settings already.
            if ["run", "search", "compare"].contains(&args[0].as_str()) && !args.contains(&"--resume".to_owned()) {
                for pair in SHORT {
                    command.args(["--set", pair]);
                }
                // Pages show alternatives that write to the same run directory.
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
