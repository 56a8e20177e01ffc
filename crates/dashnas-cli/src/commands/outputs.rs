//! Outputs that would destroy what they are made from, a file of a run, or a file that dashnas did not write. They are refused
//! before anything is computed.

use crate::commands::written::Written;
use crate::exit_code::Code;
use crate::failure::Failure;
use dashnas::bench::search::load::LoadedBench;
use dashnas::record::data::DataRecord;
use dashnas::run_dir::names;
use std::path::{Path, PathBuf};

/// The files of the folder of a bench besides its report.
const BENCH: [&str; 5] = ["bench.toml", "bench.json", "bench.svg", "bench.lock", "data.json"];

/// A file that a command is to write.
#[derive(Debug, Clone, Copy)]
pub struct Output<'a> {
    /// What is written, as in "the predictions".
    pub what: &'a str,
    /// The path.
    pub path: &'a Path,
    /// The kind of file. A page may take the place of the report of a run.
    pub kind: Written,
    /// Whether it may lie in the folder of another run, and replace a file that dashnas did not write.
    pub force: bool,
}

impl Output<'_> {
    /// Checks that the output is none of the files that it is made from, lies in none of their folders in place of a file
    /// there, and is no file of a run or bench; and, unless that is forced, that it does not lie in the folder of another run
    /// and replaces no file but one of its kind that dashnas wrote.
    ///
    /// # Errors
    /// With exit code 2, if it is.
    pub fn check<'b>(self, made_from: impl IntoIterator<Item = &'b Path>) -> Result<(), Failure> {
        // That a folder cannot be written is said where it is written.
        let Some(out) = real(self.path).filter(|out| !out.is_dir()) else { return Ok(()) };
        let made_from: Vec<PathBuf> =
            made_from.into_iter().map(|input| real(input).unwrap_or_else(|| input.to_owned())).collect();
        // A run may lie in the folder of its data; what is written into it is no part of the data.
        let in_run = out.parent().is_some_and(is_run);
        let is_part_of = |data: &Path| out == data || (out.starts_with(data) && !in_run);
        for input in &made_from {
            if let Some(source) = source_of(input).filter(|source| is_part_of(source)) {
                let folder = if source.is_dir() { "in the folder of " } else { "" };
                return Err(self.refused(&format!("it is {folder}the data of the run {}", input.display())));
            }
            if out == *input {
                return Err(self.refused("it is the input"));
            }
            if input.is_dir() && !is_run(input) && is_part_of(input) {
                return Err(self.refused("it is in the folder of the input, and would be read as a part of it"));
            }
            if out.exists() && !input.exists() && belongs(&out, input) {
                return Err(self.refused("it is one of the files of the input"));
            }
        }
        match (out.parent(), out.file_name().and_then(|name| name.to_str())) {
            (Some(folder), Some(name)) if self.is_own(folder, name) => {
                Err(self.refused("it is a file of the run there"))
            }
            (Some(folder), Some(names::REPORT)) if is_run(folder) && made_from[..] != [folder.to_owned()] => {
                Err(self.refused("it is the report of another run"))
            }
            _ if self.force => Ok(()),
            _ => self.check_unforced(&out, &made_from),
        }
    }

    /// Checks what `--force` allows.
    fn check_unforced(self, out: &Path, made_from: &[PathBuf]) -> Result<(), Failure> {
        // The folder of a cross-validation holds those of its runs.
        let of_inputs = |run: &Path| {
            made_from.iter().any(|input| input.starts_with(run) || (holds_run(input) && run.starts_with(input)))
        };
        let run = out.ancestors().skip(1).find(|folder| holds_run(folder));
        if let Some(run) = run.filter(|run| !of_inputs(run)) {
            return Err(self.unforced(&format!("it is in the folder of another run, {}", run.display())));
        }
        if out.is_symlink() && !out.exists() {
            return Err(self.unforced("there is a link to a file that does not exist"));
        }
        // The report of a run is written again.
        let own = run.is_some() && out.file_name().is_some_and(|name| name == names::REPORT);
        let holds = out.metadata().is_ok_and(|file| file.is_file() && file.len() > 0);
        if holds && !own && !self.kind.is_at(out) {
            return Err(self.unforced("there is a file that was not written by this command before"));
        }
        Ok(())
    }

    fn unforced(self, reason: &str) -> Failure {
        let message = format!("{} cannot be written to {}: {reason}", self.what, self.path.display());
        Failure::new(
            Code::Usage,
            message,
            Some("give another file with --out, or --force to write it anyway".to_owned()),
        )
    }

    /// Whether a file in a folder is one that a run or bench keeps there.
    fn is_own(self, folder: &Path, name: &str) -> bool {
        if name == names::REPORT {
            return self.kind != Written::Page && (is_run(folder) || LoadedBench::is_at(folder));
        }
        (is_run(folder) && names::is_own(name)) || (LoadedBench::is_at(folder) && BENCH.contains(&name))
    }

    fn refused(self, reason: &str) -> Failure {
        let message = format!("{} cannot be written to {}: {reason}", self.what, self.path.display());
        Failure::new(Code::Usage, message, Some("give another file with --out".to_owned()))
    }
}

/// The file or folder that the data of a run was read from, if it is there.
pub fn source_of(run: &Path) -> Option<PathBuf> {
    let record = std::fs::read_to_string(run.join(names::DATA)).ok()?;
    let record: DataRecord = serde_json::from_str(&record).ok().filter(|_| is_run(run))?;
    Path::new(&record.source).canonicalize().ok()
}

/// Whether a folder is that of a run, of a cross-validation or of a comparison of methods.
fn is_run(folder: &Path) -> bool {
    [names::CONFIG, names::FOLDS, names::COMPARISON].iter().any(|name| folder.join(name).is_file())
}

/// Whether a folder is surely that of a run, a cross-validation or a comparison of methods: other programs have a `config.toml` as well.
fn holds_run(folder: &Path) -> bool {
    [names::DATA, names::FOLDS, names::COMPARISON].iter().any(|name| is_run(folder) && folder.join(name).is_file())
}

/// Whether a file is one of those that a path without its ending stands for.
fn belongs(file: &Path, prefix: &Path) -> bool {
    let folder = |path: &Path| path.parent().and_then(real);
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    match (name(file), name(prefix)) {
        (Some(file_name), Some(start)) => file_name.starts_with(&start) && folder(file) == folder(prefix),
        _ => false,
    }
}

/// The path with all links followed, also of a file that is still to be written; `None` if its folder is not there.
fn real(path: &Path) -> Option<PathBuf> {
    if let Ok(found) = path.canonicalize() {
        return Some(found);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn outputs_spare_what_they_are_made_from_and_the_files_of_runs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("run")).expect("writable");
        fs::create_dir_all(at("images/cat")).expect("writable");
        let record = DataRecord {
            source: at("set_TEST.csv").display().to_string(),
            name: "set".into(),
            fingerprint: String::new(),
            samples: [1, 0, 1],
            task: None,
            input: None,
            guess: None,
            division: None,
        };
        let beside = DataRecord { source: at("images").display().to_string(), ..record.clone() };
        for (run, record) in [("run", &record), ("other", &record), ("images/run", &beside)] {
            fs::create_dir_all(at(run)).expect("writable");
            fs::write(at(run).join("config.toml"), "").expect("writable");
            fs::write(at(run).join("data.json"), serde_json::to_string(record).expect("JSON")).expect("writable");
        }
        for file in ["run/config.toml", "run/model.dashnas", "new.csv", "images/cat/1.npy", "set_TEST.csv", "old.csv"] {
            fs::write(at(file), "").expect("writable");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("new.csv"), at("link.csv")).expect("writable");
        let refused = |out: &str, report: bool, from: &[&str]| {
            let (path, from) = (at(out), from.iter().map(|from| at(from)).collect::<Vec<_>>());
            let kind = if report { Written::Page } else { Written::Predictions };
            let check = |force| {
                let output = Output { what: "the predictions", path: &path, kind, force };
                output.check(from.iter().map(PathBuf::as_path)).is_err()
            };
            (check(false), check(true))
        };
        // The output, whether it is a report, what it is made from, and whether it is refused.
        let cases: [(&str, bool, &[&str], bool); 22] = [
            ("new.csv", false, &["run", "new.csv"], true),
            ("run/../new.csv", false, &["new.csv"], true),
            #[cfg(unix)]
            ("link.csv", false, &["new.csv"], true),
            #[cfg(not(unix))]
            ("new.csv", false, &["new.csv"], true),
            ("images/cat/1.npy", false, &["images"], true),
            ("images/cat/2.npy", false, &["images"], true),
            ("set_TEST.csv", false, &["run", "new.csv"], true),
            ("images/run/model.onnx", false, &["images/run"], false),
            ("images/run/predictions.csv", false, &["images/run", "images"], false),
            ("images/predictions.csv", false, &["images/run", "new.csv"], true),
            ("other/report.html", true, &["run"], true),
            ("run/report.html", true, &["run", "other"], true),
            ("set_TEST.csv", false, &["set"], true),
            ("run/model.dashnas", false, &["run"], true),
            ("run/model.dashnas", false, &["elsewhere"], true),
            ("run/baseline.dashnas", false, &["run"], true),
            ("run", true, &["run"], false),
            ("run/report.html", false, &["run"], true),
            ("run/report.html", true, &["run"], false),
            ("run/metrics.json", true, &["run"], true),
            ("run/model.onnx", false, &["run"], false),
            ("run/predictions.csv", false, &["run", "new.csv"], false),
            ("old.csv", false, &["run", "new.csv"], false),
        ];
        for (out, report, from, expected) in cases {
            assert_eq!(refused(out, report, from), (expected, expected), "{out} from {from:?}");
        }
        // What may be forced.
        fs::create_dir_all(at("other/exports")).expect("writable");
        fs::create_dir_all(at("site")).expect("writable");
        for (file, text) in [
            ("mine.csv", "name,age\nx,1\n"),
            ("predicted.csv", "sample,class,p_a\n0,a,1\n"),
            ("corrected.csv", "sample,class,p_a,my_correction\n0,a,1,b\n"),
            ("run/mine.csv", "name,age\nx,1\n"),
            ("run/report.html", "<html></html>"),
            ("site/config.toml", "title = 1"),
        ] {
            fs::write(at(file), text).expect("writable");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(at("nosuch.csv"), at("dangling.csv")).expect("writable");
        let cases: [(&str, bool, &[&str], bool); 11] = [
            ("dangling.csv", false, &["run", "new.csv"], cfg!(unix)),
            ("corrected.csv", false, &["run", "new.csv"], true),
            ("mine.csv", false, &["run", "new.csv"], true),
            ("predicted.csv", false, &["run", "new.csv"], false),
            ("run/mine.csv", false, &["run", "new.csv"], true),
            ("run/report.html", true, &["run"], false),
            ("other/model.onnx", false, &["run"], true),
            ("other/predictions.csv", false, &["run/model.dashnas", "new.csv"], true),
            ("other/exports/a.csv", false, &["run", "new.csv"], true),
            ("run/new.csv", false, &["run/model.dashnas", "new.csv"], false),
            ("site/new.csv", false, &["run", "new.csv"], false),
        ];
        for (out, report, from, expected) in cases {
            assert_eq!(refused(out, report, from), (expected, false), "{out} from {from:?}");
        }
    }
}
