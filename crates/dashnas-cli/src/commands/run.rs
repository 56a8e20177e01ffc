//! `dashnas run` and `dashnas search`: the commands that start a run.

use crate::args::common::CommonArgs;
use crate::args::flags::translate;
use crate::args::settings::Settings;
use crate::commands::opened::{OpenedRun, summary};
use crate::commands::setup::interruptible;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::observers::Observers;
use crate::output;
use crate::results::{self, Chances};
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::config::Config;
use dashnas::record::outcome::Outcome;
use dashnas::run::kernels::KernelSource;
use dashnas::run::pipeline::Run;
use dashnas::run::source;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::BackboneName;
use dashnas_data::inspect::DataSummary;
use dashnas_nn::architecture::Architecture;
use dashnas_tasks::source::record;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// What `search` takes, too.
    #[command(flatten)]
    pub start: StartArgs,
    /// Do not search: take the kernels of a run directory, of a JSON file with a list of [kernel size, dilation] such as
    /// its architecture.json, or random ones of the space with `random:SEED`.
    #[arg(long, value_name = "RUN|FILE|random:SEED", conflicts_with = "resume", help_heading = "Configuration")]
    pub architecture: Option<KernelSource>,
}

/// What `run` and `search` have in common.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// A file or folder with a data set, or a task that `dashnas tasks` lists; `dashnas inspect` describes it. With
    /// --resume, it is only needed if the data set has moved.
    #[arg(required_unless_present = "resume")]
    pub data: Option<String>,
    /// Resume a run that was stopped from its last checkpoint, with the configuration in its directory.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "Settings"])]
    pub resume: Option<PathBuf>,
    /// The run directory to create for the results [default: runs/NAME-N].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// Where run directories are made unless `--out` says otherwise.
const RUNS: &str = "runs";

/// Runs all stages, from a data set to a trained network.
pub fn run(args: &RunArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let kernels = args.architecture.as_ref();
    let Started { done: outcome, dir, data } = started(&args.start, kernels, verbosity, |run| run.all())?;
    let race = results::race(&dir)?;
    if args.start.common.json {
        output::print_json(&Finished { outcome, race: race.as_ref().map(Chances::of), data })
    } else {
        output::print(&results::result(&outcome, race.as_ref()))
    }
}

/// What `dashnas run --json` prints.
#[derive(Serialize)]
struct Finished {
    #[serde(flatten)]
    outcome: Outcome,
    /// How sure the choice is, if the search was a race.
    #[serde(skip_serializing_if = "Option::is_none")]
    race: Option<Chances>,
    /// The summary of the data set.
    data: DataSummary,
}

/// Runs the search only.
pub fn search(args: &StartArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let Started { done, dir, data } = started(args, None, verbosity, |mut run| run.searched())?;
    let given = Config::load(None, Some(&dir.path().join(names::CONFIG)), &[])?.search.kernels.is_some();
    let race = results::race(&dir)?;
    let Architecture { backbone, kernels, probabilities } = done;
    if args.common.json {
        // The probabilities are those of a softmax, which a race does not have.
        let probabilities = race.is_none().then_some(probabilities);
        let (race, run_dir) = (race.as_ref().map(Chances::of), dir.path().to_owned());
        return output::print_json(&Searched { backbone, architecture: kernels, probabilities, race, run_dir, data });
    }
    let (table, dir) = (results::kernels(&kernels, given), dir.path().display());
    let conclusion = race.map_or_else(String::new, |race| race.conclusion + "\n");
    output::print(&format!("{table}\n\n{conclusion}Run directory: {dir}\nNext: dashnas tune {dir}\n"))
}

/// What `dashnas search --json` prints.
#[derive(Serialize)]
struct Searched {
    backbone: BackboneName,
    architecture: Vec<[usize; 2]>,
    /// The probability of each layer's kernel; none after a race.
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<f64>>,
    /// How sure the choice is, if the search was a race.
    #[serde(skip_serializing_if = "Option::is_none")]
    race: Option<Chances>,
    run_dir: PathBuf,
    data: DataSummary,
}

/// A run directory in which some work was done.
struct Started<T> {
    done: T,
    dir: RunDir,
    data: DataSummary,
}

/// Reads the data and prints its summary, starts or resumes a run, and does some work in it. Kernels from a source are
/// not searched.
fn started<T>(
    args: &StartArgs,
    kernels: Option<&KernelSource>,
    verbosity: Verbosity,
    work: impl FnOnce(Run<'_>) -> Result<T, dashnas::Error>,
) -> Result<Started<T>, Failure> {
    if let Some(dir) = &args.resume {
        let mut opened = OpenedRun::open(dir, args.data.as_deref(), args.common.threads, verbosity)?;
        let data = opened.print_summary();
        let done = opened.work(work).map_err(|e| stopped(e, dir))?;
        return Ok(Started { done, dir: opened.dir, data });
    }
    let mut config = args.settings.load_for(args.data.as_deref().unwrap_or_default())?;
    // Checked before the data set is read or made, which may take a while.
    if let Some(kernels) = kernels {
        if args.settings.sets("search.kernels") {
            return Err(twice());
        }
        kernels.check()?;
    }
    match &args.out {
        Some(out) => RunDir::probe(out)?,
        None => RunDir::probe(&default_out(Path::new(RUNS), "probe"))?,
    }
    // clap requires the data set unless there is a run to resume.
    let source = args.data.as_deref().unwrap_or_default();
    let mut observers = Observers::new(interruptible(args.common.threads, verbosity)?);
    let since = Instant::now();
    let data = source::load(source, &config, &mut observers)?;
    let read_in = since.elapsed();
    if let Some(source) = kernels {
        config.search.kernels = Some(source.resolve(&config, &data)?);
    }
    observers.progress.set_metric(config.metric(data.task));
    let summary = summary(&data, &config);
    observers.progress.print(&translate(&summary.to_string()));
    let out = args.out.clone().unwrap_or_else(|| default_out(Path::new(RUNS), &data.name));
    let mut run = Run::start(&config, &record(source), &data, &out, &mut observers)?;
    crate::logging::into(run.dir());
    run.data_read_in(read_in);
    let dir = run.dir().clone();
    let done = work(run).map_err(|e| stopped(e, dir.path()))?;
    if dir.has(names::METRICS) {
        observers.report(&dir);
    }
    Ok(Started { done, dir, data: summary })
}

/// The failure of a command that gives the kernels twice.
fn twice() -> Failure {
    let hint = "leave out one of them".to_owned();
    Failure::new(Code::Config, "both --architecture and `--set search.kernels` give the kernels", Some(hint))
}

/// The failure of a run, with the command that resumes it where that is possible.
fn stopped(error: dashnas::Error, dir: &Path) -> Failure {
    match error {
        dashnas::Error::Interrupted => {
            let hint = format!("resume it with `dashnas run --resume {}`", dir.display());
            Failure::new(Code::Interrupted, error, Some(hint))
        }
        dashnas::Error::Bound { key, ref least, .. } | dashnas::Error::GivenBound { key, ref least, .. } => {
            let dir = dir.display();
            let hint = format!(
                "set {key} to {least} in {dir}/config.toml and resume with `dashnas run --resume {dir}`; the search is kept"
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
