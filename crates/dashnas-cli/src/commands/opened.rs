//! An existing run directory with its configuration and data, as the commands that continue a run use it.

use crate::args::flags::translate;
use crate::commands::setup::interruptible;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::observers::Observers;
use crate::verbosity::Verbosity;
use dashnas::config::Config;
use dashnas::record::data::DataRecord;
use dashnas::record::outcome::Outcome;
use dashnas::run::pipeline::Run;
use dashnas::run::results::read_architecture;
use dashnas::run::source;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_core::names::SearchStrategy;
use dashnas_data::dataset::Dataset;
use dashnas_data::inspect::DataSummary;
use dashnas_nn::model::Model;
use std::path::Path;
use std::time::{Duration, Instant};

/// The summary of a data set as a run under this configuration sees it.
pub fn summary(data: &Dataset, config: &Config) -> DataSummary {
    with_run_settings(data.summary(), data, config)
}

/// The summary with the loss, metric and validation split of a run under this configuration.
pub fn with_run_settings(summary: DataSummary, data: &Dataset, config: &Config) -> DataSummary {
    let race = config.search.strategy == SearchStrategy::Race && config.search.kernels.is_none();
    let validation = (config.tune.enabled || race).then_some(config.task.validation_fraction);
    summary.with_settings(config.loss(data.task), config.metric(data.task), validation)
}

/// A run directory with its configuration and data.
pub struct OpenedRun {
    /// The run directory.
    pub dir: RunDir,
    /// The configuration of the run.
    pub config: Config,
    /// The data set of the run.
    pub data: Dataset,
    /// The time that reading the data took.
    read_in: Duration,
    observers: Observers,
}

impl OpenedRun {
    /// Opens a run directory and reads its data, from `data` if that is given.
    pub fn open(run: &Path, data: Option<&str>, threads: Option<u16>, verbosity: Verbosity) -> Result<Self, Failure> {
        let dir = RunDir::open(run)?;
        let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
        let record: DataRecord = dir.read_json(names::DATA)?;
        let mut observers = Observers::new(interruptible(threads, verbosity)?);
        let since = Instant::now();
        let data = source::load(data.unwrap_or(&record.source), &config, &mut observers)?;
        observers.progress.set_metric(config.metric(data.task));
        Ok(Self { dir, config, data, read_in: since.elapsed(), observers })
    }

    /// Opens a run directory for a stage that trains. A run that was evaluated is refused: training again would let the
    /// test split choose between models.
    pub fn open_to_train(
        run: &Path,
        data: Option<&str>,
        threads: Option<u16>,
        verbosity: Verbosity,
    ) -> Result<Self, Failure> {
        let dir = RunDir::open(run)?;
        if dir.has(names::METRICS) {
            return Err(Failure::new(
                Code::Files,
                format!("{} has been evaluated: the test split is read only once, after training", run.display()),
                Some("start a new run with `dashnas search` or `dashnas run`".to_owned()),
            ));
        }
        Self::open(run, data, threads, verbosity)
    }

    /// Checks that the data is that of the run.
    ///
    /// # Errors
    /// With exit code 3, if it is another data set.
    pub fn check_same(&self) -> Result<(), Failure> {
        let record: DataRecord = self.dir.read_json(names::DATA)?;
        Ok(record.check_same(&self.data)?)
    }

    /// Prints the summary of the data set.
    pub fn print_summary(&self) -> DataSummary {
        let summary = summary(&self.data, &self.config);
        self.observers.progress.print(&translate(&summary.to_string()));
        summary
    }

    /// The run, to be continued where it was left.
    pub fn run(&mut self) -> Result<Run<'_>, dashnas::Error> {
        let mut run = Run::open(self.dir.clone(), &self.config, &self.data, &mut self.observers)?;
        crate::logging::into(run.dir());
        run.data_read_in(self.read_in);
        Ok(run)
    }

    /// Does some work in the run. The report is written if that finished the run, or if the report of a finished run is
    /// missing.
    pub fn work<T>(&mut self, work: impl FnOnce(Run<'_>) -> Result<T, dashnas::Error>) -> Result<T, dashnas::Error> {
        let run = self.run()?;
        let was_finished = run.is_finished();
        let done = work(run)?;
        if self.dir.has(names::METRICS) && !(was_finished && self.dir.has(names::REPORT)) {
            self.observers.report(&self.dir);
        }
        Ok(done)
    }

    /// Evaluates the trained network on the test split and writes the report.
    pub fn evaluate(&mut self) -> Result<Outcome, dashnas::Error> {
        let architecture = read_architecture(&self.dir)?;
        if !self.dir.has(names::MODEL) {
            let path = self.dir.path().to_owned();
            return Err(dashnas::Error::MissingStage { path, file: names::MODEL, needs: "train" });
        }
        let model = Model::load(self.dir.path())?;
        let mut run = self.run()?;
        let best = run.hyperparameters()?;
        let outcome = run.evaluate(&architecture, best, model.network(), None)?;
        drop(run);
        self.observers.report(&self.dir);
        Ok(outcome)
    }
}
