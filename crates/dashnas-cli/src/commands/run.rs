//! `dashnas run` and `dashnas search`: the commands that start a run.

use crate::args::flags::translate;
use crate::commands::folds;
use crate::commands::opened::{OpenedRun, summary};
use crate::commands::setup::interruptible;
use crate::commands::start::{RUNS, RunArgs, StartArgs, check_before_reading, check_resumed, default_out, stopped};
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::observers::Observers;
use crate::output;
use crate::results::{self, Chances};
use crate::verbosity::Verbosity;
use dashnas::config::Config;
use dashnas::record::choice::KernelChoice;
use dashnas::record::outcome::Outcome;
use dashnas::run::folds::Folds;
use dashnas::run::kernels::KernelSource;
use dashnas::run::pipeline::Run;
use dashnas::run::results::kernel_choice;
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

/// Runs all stages, from a data set to a trained network.
pub fn run(args: &RunArgs, verbosity: Verbosity) -> Result<(), Failure> {
    match &args.start.resume {
        Some(folder) if Folds::is_at(folder) => return folds::resume(args, folder, verbosity),
        Some(_) => {}
        None => {
            let config = args.start.settings.load_for(args.start.data.as_deref().unwrap_or_default())?;
            if let (Some(count), None) = (config.data.folds, config.data.fold) {
                return folds::start(args, config, count, verbosity);
            }
        }
    }
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
    if args.resume.is_none() {
        let config = args.settings.load_for(args.data.as_deref().unwrap_or_default())?;
        if config.data.folds.is_some() && config.data.fold.is_none() {
            let hint = "use `dashnas run`, or choose the fold, as in `--set data.fold=1`".to_owned();
            return Err(Failure::new(Code::Config, "the search alone is not done for every fold", Some(hint)));
        }
    }
    let Started { done, dir, data } = started(args, None, verbosity, |mut run| run.searched())?;
    let choice = kernel_choice(&dir, &done)?;
    let race = results::race(&dir)?;
    let tunes = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?.tune.enabled;
    let next = if tunes { "tune" } else { "train" };
    let Architecture { backbone, kernels, probabilities } = done;
    if args.common.json {
        // The probabilities are those of a softmax, which a race does not have.
        let probabilities = race.is_none().then_some(probabilities);
        let (race, run_dir) = (race.as_ref().map(Chances::of), dir.path().to_owned());
        return output::print_json(&Searched {
            backbone,
            architecture: kernels,
            choice,
            probabilities,
            race,
            run_dir,
            data,
        });
    }
    let (table, dir) = (results::kernels(&kernels, Some(&choice)), dir.path().display());
    let conclusion = race.map_or_else(String::new, |race| race.conclusion + "\n");
    output::print(&format!("{table}\n\n{conclusion}Run directory: {dir}\nNext: dashnas {next} {dir}\n"))
}

/// What `dashnas search --json` prints.
#[derive(Serialize)]
struct Searched {
    backbone: BackboneName,
    architecture: Vec<[usize; 2]>,
    /// How the kernels were chosen.
    choice: KernelChoice,
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
        RunDir::open(dir)?;
        check_resumed(args, dir, names::CONFIG)?;
        let mut opened = OpenedRun::open(dir, args.data.as_deref(), args.common.threads, verbosity)?;
        let data = opened.print_summary();
        let done = opened.work(work).map_err(|e| stopped(e, dir))?;
        return Ok(Started { done, dir: opened.dir, data });
    }
    let mut config = args.settings.load_for(args.data.as_deref().unwrap_or_default())?;
    check_before_reading(args, kernels)?;
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
    let run = Run::start_read(&config, &record(source), &data, read_in, &out, &mut observers)?;
    crate::logging::into(run.dir());
    let dir = run.dir().clone();
    let done = work(run).map_err(|e| stopped(e, dir.path()))?;
    if dir.has(names::METRICS) {
        observers.report(&dir);
    }
    Ok(Started { done, dir, data: summary })
}
