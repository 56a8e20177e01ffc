//! `dashnas run --folds`: a run for each fold of a cross-validation, in a folder of run directories.

use crate::args::flags::{flag, translate};
use crate::commands::opened::summary;
use crate::commands::setup::interruptible;
use crate::commands::start::{RUNS, RunArgs, check_before_reading, check_resumed, default_out, stopped};
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::observers::Observers;
use crate::output;
use crate::results;
use crate::verbosity::Verbosity;
use dashnas::config::Config;
use dashnas::record::data::DataRecord;
use dashnas::record::folds::FoldsOutcome;
use dashnas::record::outcome::Outcome;
use dashnas::run::folds::{Folds, of_fold};
use dashnas::run::pipeline::Run;
use dashnas::run::source;
use dashnas::run_dir::names;
use dashnas_report::page;
use dashnas_tasks::source::record;
use std::path::Path;
use std::time::Instant;

/// Starts a cross-validation. The data of every fold is checked before the folder is made.
pub fn start(args: &RunArgs, mut config: Config, count: u32, verbosity: Verbosity) -> Result<(), Failure> {
    let (start, kernels) = (&args.start, args.architecture.as_ref());
    check_before_reading(start, kernels)?;
    // clap requires the data set unless there is a run to resume.
    let source = start.data.as_deref().unwrap_or_default();
    let mut observers = Observers::new(interruptible(start.common.threads, verbosity)?);
    let mut name = String::new();
    let mut records = Vec::with_capacity(count as usize);
    for fold in 1..=count {
        let since = Instant::now();
        let data = source::load(source, &of_fold(&config, fold), &mut observers)?;
        let read_in = since.elapsed();
        if fold == 1 {
            if let Some(kernels) = kernels {
                config.search.kernels = Some(kernels.resolve(&config, &data)?);
            }
            observers.progress.print(&translate(&summary(&data, &config).to_string()));
            name.clone_from(&data.name);
        }
        Run::check(&of_fold(&config, fold), &data)?;
        if fold == 1 {
            // The folds are alike, and each has the same share of the time limit.
            Run::check_time_limit(&of_fold(&config, fold), &data, read_in).map_err(|error| of_all(error, count))?;
        }
        records.push(DataRecord::new(&record(source), &data)?);
    }
    let folder = start.out.clone().unwrap_or_else(|| default_out(Path::new(RUNS), &name));
    let folds = Folds::create(&folder, &config, &record(source), records)?;
    all(&folds, None, &mut observers, start.common.json)
}

/// The failure of a fold; a time limit that is too short is shared by all of them.
fn of_all(error: dashnas::Error, count: u32) -> Failure {
    match error {
        dashnas::Error::TimeLimit(ref short) => {
            let least = short.least_text(f64::from(count));
            let hint =
                format!("the folds share the time limit: {} {least} is enough for them", flag("budget.time-limit"));
            Failure::from(error).with_hint(hint)
        }
        error => error.into(),
    }
}

/// The failure of a fold after the first one. The limit was enough when the first one was planned, so that the machine has
/// become slower.
fn of_later(error: dashnas::Error, folds: &Folds) -> Failure {
    match error {
        dashnas::Error::TimeLimit(_) => Failure::from(error).with_hint(format!(
            "the limit was enough when the cross-validation began, so the machine does other work now: `dashnas run --resume {}` \
             repeats this fold and keeps those that are finished",
            folds.folder().path().display()
        )),
        error => error.into(),
    }
}

/// Resumes a cross-validation: the folds that are not finished.
pub fn resume(args: &RunArgs, folder: &Path, verbosity: Verbosity) -> Result<(), Failure> {
    let folds = Folds::open(folder)?;
    check_resumed(&args.start, folder, names::FOLDS_CONFIG)?;
    let mut observers = Observers::new(interruptible(args.start.common.threads, verbosity)?);
    all(&folds, args.start.data.as_deref(), &mut observers, args.start.common.json)
}

/// Runs every fold that is not finished, from data that may have moved, and prints the result of all.
fn all(folds: &Folds, moved: Option<&str>, observers: &mut Observers, json: bool) -> Result<(), Failure> {
    let (mut outcomes, mut divisions) = (Vec::new(), Vec::new());
    for fold in 1..=folds.record.folds {
        observers.progress.print(&format!("Fold {fold} of {}\n", folds.record.folds));
        let outcome = one(folds, fold, moved, observers);
        outcomes.push(outcome?);
        divisions.push(folds.division(fold)?);
    }
    let folder = folds.folder();
    let Some(outcome) = FoldsOutcome::new(folder.path().to_owned(), &outcomes, &divisions) else {
        return Err(Failure::new(Code::Other, "a fold has no test result", None));
    };
    folder.write_json(names::METRICS, &outcome)?;
    folder.write(names::REPORT, page::folds(&outcome)?.as_bytes())?;
    if json { output::print_json(&outcome) } else { output::print(&results::folds(&outcome, &folds.record.source)) }
}

/// Runs one fold, or the rest of it.
fn one(folds: &Folds, fold: u32, moved: Option<&str>, observers: &mut Observers) -> Result<Outcome, Failure> {
    let path = folds.path(fold);
    let began = folds.started(fold)?;
    if let Some(dir) = began.as_ref().filter(|dir| dir.has(names::METRICS) && dir.has(names::REPORT)) {
        return Ok(dir.read_json(names::METRICS)?);
    }
    let source = moved.unwrap_or(&folds.record.source);
    let since = Instant::now();
    let config = match &began {
        Some(dir) => Config::load(None, Some(&dir.file(names::CONFIG)), &[])?,
        None => folds.config(fold),
    };
    // Interrupted in one fold, the whole cross-validation is resumed; other remedies concern the fold.
    let failed = |error: dashnas::Error| match error {
        dashnas::Error::Interrupted => stopped(error, folds.folder().path()),
        error => stopped(error, &path),
    };
    let data = source::load(source, &config, observers).map_err(failed)?;
    if began.is_none() {
        folds.check_data(fold, &data).map_err(failed)?;
    }
    let read_in = since.elapsed();
    observers.progress.set_metric(config.metric(data.task));
    let run = match &began {
        Some(dir) => {
            let mut run = Run::open(dir.clone(), &config, &data, observers)?;
            run.data_read_in(read_in);
            run
        }
        None => Run::start_read(&config, &folds.record.source, &data, read_in, &path, observers)
            .map_err(|error| of_later(error, folds))?,
    };
    crate::logging::into(run.dir());
    let dir = run.dir().clone();
    let outcome = run.all().map_err(failed)?;
    observers.report(&dir);
    Ok(outcome)
}
