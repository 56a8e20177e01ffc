//! Runs a comparison: every method under every seed, one after another. Each is a run directory of its own, so that an
//! interrupted comparison resumes from the checkpoint of the run in progress, and finished runs are not repeated.

use crate::comparison::error::ComparisonError;
use crate::comparison::folder::ComparisonFolder;
use crate::comparison::method_result::RunResult;
use crate::comparison::request::{self, Request};
use crate::comparison::results::{Results, seeds};
use crate::method::{Method, MethodInput};
use dashnas::bench::infer::latency_ms;
use dashnas::config::sections::Config;
use dashnas::error::Error;
use dashnas::record::choice::KernelChoice;
use dashnas::record::event::Observer;
use dashnas::record::outcome::Outcome;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::memory::{reset_peak, resident};
use dashnas_core::stage::Stage;
use dashnas_data::dataset::Dataset;
use dashnas_nn::model::Model;
use std::path::Path;

/// A comparison in its folder.
pub struct Comparison<'a> {
    folder: ComparisonFolder,
    data: &'a Dataset,
    methods: Vec<&'static dyn Method>,
}

/// A run of a comparison that is about to begin.
#[derive(Debug, Clone, Copy)]
pub struct ComparisonRun<'a> {
    /// The method.
    pub method: &'a str,
    /// The seed.
    pub seed: u64,
    /// Its number, from 1, and the number of all runs.
    pub number: [usize; 2],
}

/// Follows a comparison, and may stop it.
pub trait ComparisonObserver {
    /// The observer of the runs. If it asks to stop, the whole comparison stops.
    fn of_runs(&mut self) -> &mut dyn Observer;

    /// Called before a run begins or is resumed.
    fn begins(&mut self, _run: &ComparisonRun<'_>) {}

    /// Called after a run has ended, with its directory if there is one.
    fn ended(&mut self, _run: &ComparisonRun<'_>, _result: &RunResult, _dir: Option<&RunDir>) {}
}

impl<'a> Comparison<'a> {
    /// Creates the folder of a comparison.
    ///
    /// # Errors
    /// Those of [`ComparisonFolder::create`].
    pub fn create(folder: &Path, request: &Request<'a>) -> Result<Self, Error> {
        let folder = ComparisonFolder::create(folder, request)?;
        Ok(Self { folder, data: request.data, methods: request.methods.clone() })
    }

    /// Continues in a folder, on the data with which the comparison began.
    ///
    /// # Errors
    /// [`Error::OtherData`] for other data, and [`ComparisonError::Unknown`] for a method that this version does not have.
    pub fn resume(folder: ComparisonFolder, data: &'a Dataset) -> Result<Self, ComparisonError> {
        folder.record.data.check_same(data)?;
        let methods = request::methods(&folder.record.methods)?;
        Ok(Self { folder, data, methods })
    }

    /// The folder.
    pub fn dir(&self) -> &RunDir {
        self.folder.dir()
    }

    /// Runs everything that has no result yet. `results.json` is written after each run. A run that fails is listed with its
    /// error. A failure of its training stays, because it would happen again; another one, such as a full disk, is tried
    /// again when the comparison is resumed.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the observer asked to stop, and those of writing the results.
    pub fn run(&self, observer: &mut dyn ComparisonObserver) -> Result<Results, Error> {
        let before: Vec<RunResult> = match self.dir().has(names::RESULTS) {
            true => Results::read(&self.dir().file(names::RESULTS))?.runs,
            false => Vec::new(),
        };
        let seeds = seeds(&self.folder.config, self.folder.record.seeds);
        let plan: Vec<(&dyn Method, u64)> =
            self.methods.iter().flat_map(|method| seeds.iter().map(move |&seed| (*method, seed))).collect();
        let known = |&(method, seed): &(&dyn Method, u64)| {
            let of = |run: &&RunResult| run.method == method.name() && run.seed == seed;
            before.iter().find(of).filter(|run| run.lasting || run.test.is_some()).cloned()
        };
        let mut ended: Vec<Option<RunResult>> = plan.iter().map(known).collect();
        let mut results = self.write(&ended)?;
        for (i, &(method, seed)) in plan.iter().enumerate() {
            let run = ComparisonRun { method: method.name(), seed, number: [i + 1, plan.len()] };
            let path = self.folder.run(method.name(), seed);
            let result = match &ended[i] {
                Some(known) => known.clone(),
                None => {
                    observer.begins(&run);
                    self.one(method, seed, &path, observer.of_runs())?
                }
            };
            observer.ended(&run, &result, RunDir::open(&path).ok().as_ref());
            if ended[i].is_none() {
                ended[i] = Some(result);
                results = self.write(&ended)?;
            }
        }
        Ok(results)
    }

    /// The results of the runs that have ended, in the file.
    fn write(&self, ended: &[Option<RunResult>]) -> Result<Results, Error> {
        let runs = ended.iter().flatten().cloned().collect();
        let results = Results::new(&self.folder.config, &self.folder.record, self.data, runs);
        self.dir().write_json(names::RESULTS, &results)?;
        Ok(results)
    }

    /// Runs a method with a seed, or what is left of it.
    ///
    /// # Errors
    /// [`Error::Interrupted`].
    fn one(
        &self,
        method: &dyn Method,
        seed: u64,
        path: &Path,
        observer: &mut dyn Observer,
    ) -> Result<RunResult, Error> {
        if observer.cancelled() {
            return Err(Error::Interrupted);
        }
        let mut result = RunResult::new(method.name(), seed);
        let config = Config { seed, ..self.folder.config.clone() };
        let input = MethodInput { config: &config, source: &self.folder.record.source, data: self.data };
        let measured = reset_peak();
        let trained = method.train(&input, path, observer);
        result.peak_memory = resident().map(|[_, peak]| peak).filter(|_| measured);
        match trained.and_then(|_| read(path)) {
            Ok(outcome) => {
                result.test = outcome.test;
                result.params = Some(outcome.params);
                result.guessing = outcome.judgement.and_then(|judgement| judgement.guessing);
                result.judgement = outcome.judgement;
                result.skipped = skipped(path, &outcome);
                result.seconds = outcome.seconds;
                result.latency_ms = Model::load(path).ok().and_then(|model| latency_ms(&model).ok());
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                result.lasting = lasting(&error);
                result.error = Some(error.to_string());
            }
        }
        Ok(result)
    }
}

/// The outcome of a run as its directory keeps it, so that it is the same for a resumed comparison: a number may lose its
/// last bit on the way through the file.
fn read(path: &Path) -> Result<Outcome, Error> {
    Ok(RunDir::open(path)?.read_json(names::METRICS)?)
}

/// The stages that a run has under its configuration, and that were skipped.
fn skipped(path: &Path, outcome: &Outcome) -> Vec<Stage> {
    let config = RunDir::open(path).map(|dir| Config::load(None, Some(&dir.file(names::CONFIG)), &[]));
    let tuned = matches!(config, Ok(Ok(config)) if config.tune.enabled);
    let search = matches!(outcome.choice, Some(KernelChoice::NotSearched)).then_some(Stage::Search);
    let tuning = (tuned && outcome.validation.is_none()).then_some(Stage::Tune);
    search.into_iter().chain(tuning).collect()
}

/// Whether a failure would happen again: that of a training is a function of the data, the configuration and the seed.
fn lasting(error: &Error) -> bool {
    matches!(
        error,
        Error::Diverged { .. }
            | Error::AllTrialsFailed { .. }
            | Error::Metric(_)
            | Error::MetricUndefined { .. }
            | Error::Config(_)
            | Error::Space(_)
            | Error::Bound { .. }
            | Error::GivenBound { .. }
            | Error::Memory(_)
    )
}
