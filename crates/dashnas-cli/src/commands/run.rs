//! `dashnas run` and `dashnas search`: what starts a run directory.

use super::stages::Opened;
use super::{prepare, source};
use crate::args::RunArgs;
use crate::failure::{Code, Failure};
use crate::output;
use crate::progress::Verbosity;
use crate::report;
use dashnas::architecture::Architecture;
use dashnas::config::BackboneName;
use dashnas::data::Understanding;
use dashnas::outcome::Outcome;
use dashnas::pipeline::Run;
use dashnas::run_dir::RunDir;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Where run directories are made unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Everything from a data set to a trained network.
pub fn run(args: &RunArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let Started { done: outcome, data, .. } = started(args, verbosity, |run| run.all())?;
    if args.common.json {
        output::print_json(&Finished { outcome, data })
    } else {
        output::print(&report::report(&outcome))
    }
}

/// What `dashnas run --json` prints.
#[derive(Serialize)]
struct Finished {
    #[serde(flatten)]
    outcome: Outcome,
    /// What the data was understood to be.
    data: Understanding,
}

/// Only the search.
pub fn search(args: &RunArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let Started { done, dir, data } = started(args, verbosity, |mut run| run.searched())?;
    let Architecture { backbone, kernels, probabilities } = done;
    if args.common.json {
        return output::print_json(&Searched { backbone, architecture: kernels, probabilities, run_dir: dir, data });
    }
    let (table, dir) = (report::kernels(&kernels), dir.display());
    output::print(&format!("{table}\n\nRun directory: {dir}\nNext: dashnas tune {dir}\n"))
}

/// What `dashnas search --json` prints.
#[derive(Serialize)]
struct Searched {
    backbone: BackboneName,
    architecture: Vec<[usize; 2]>,
    probabilities: Vec<f64>,
    run_dir: PathBuf,
    data: Understanding,
}

/// A run directory in which some work was done.
struct Started<T> {
    done: T,
    dir: PathBuf,
    data: Understanding,
}

/// Reads the data and says what it was understood to be, starts a run directory or takes one up again, and does some
/// work in it.
fn started<T>(
    args: &RunArgs,
    verbosity: Verbosity,
    work: impl FnOnce(Run<'_>) -> Result<T, dashnas::Error>,
) -> Result<Started<T>, Failure> {
    if let Some(dir) = &args.resume {
        let mut opened = Opened::open(dir, args.data.as_deref(), args.common.threads, verbosity)?;
        let data = opened.understood();
        let done = work(opened.run()?).map_err(|e| stopped(e, dir))?;
        return Ok(Started { done, dir: dir.clone(), data });
    }
    let config = args.settings.load_for(args.data.as_deref().unwrap_or_default())?;
    // Asked before the run itself does, since making a data set takes a while.
    match &args.out {
        Some(out) => RunDir::probe(out)?,
        None => RunDir::probe(&default_out(Path::new(RUNS), "probe"))?,
    }
    // clap asks for the data set unless there is something to resume.
    let source = args.data.as_deref().unwrap_or_default();
    let mut progress = prepare(args.common.threads, verbosity)?;
    let since = Instant::now();
    let data = source::load(source, &config, &mut progress)?;
    let read_in = since.elapsed();
    let understood = data.understood().under(&config);
    progress.tell(&understood.to_string());
    let out = args.out.clone().unwrap_or_else(|| default_out(Path::new(RUNS), &data.name));
    let mut run = Run::start(&config, &source::record(source), &data, &out, &mut progress)?;
    crate::logging::into(run.dir());
    run.data_read_in(read_in);
    let dir = run.dir().path().to_owned();
    let done = work(run).map_err(|e| stopped(e, &dir))?;
    Ok(Started { done, dir, data: understood })
}

/// An error of a run, with how to go on where that is possible.
fn stopped(error: dashnas::Error, dir: &Path) -> Failure {
    match error {
        dashnas::Error::Interrupted => {
            let hint = format!("go on with `dashnas run --resume {}`", dir.display());
            Failure::new(Code::Interrupted, error, Some(hint))
        }
        dashnas::Error::Bound { key, ref least, .. } => {
            let dir = dir.display();
            let hint = format!(
                "set {key} to {least} in {dir}/config.toml and go on with `dashnas run --resume {dir}`: the search is kept"
            );
            Failure::new(Code::Config, error, Some(hint))
        }
        error => error.into(),
    }
}

/// `runs/NAME-N` with the first N from 1 that is free.
fn default_out(parent: &Path, name: &str) -> PathBuf {
    // The name may come from inside a file: it must not lead elsewhere.
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.trim_start_matches('.').chars().map(plain).collect();
    let free = (1u32..).map(|n| parent.join(format!("{name}-{n}"))).find(|path| !path.exists());
    free.unwrap_or_else(|| parent.join(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory_is_the_first_that_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        assert_eq!(default_out(&runs, "set"), runs.join("set-1"));
        std::fs::create_dir_all(runs.join("set-1")).unwrap();
        std::fs::write(runs.join("set-2"), "").unwrap();
        assert_eq!(default_out(&runs, "set"), runs.join("set-3"));
        assert_eq!(default_out(&runs, "../../etc/x y"), runs.join("-..-etc-x-y-1"));
    }
}
