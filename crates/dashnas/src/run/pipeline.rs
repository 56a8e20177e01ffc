//! The whole of DASH (Algorithm 1) in a run directory: search, tuning, retraining and evaluation, together or one by
//! one.

use crate::budget::clock::WallClock;
use crate::budget::memory_fit::MemoryFit;
use crate::checkpoint::cadence::Cadence;
use crate::config::Config;
use crate::error::Error;
use crate::evaluation;
use crate::problem::build::graph;
use crate::problem::state::Problem;
use crate::record::data::DataRecord;
use crate::record::division::Division;
use crate::record::event::{Event, Observer, RunStart};
use crate::record::outcome::Outcome;
use crate::record::split::SplitRecord;
use crate::record::trial::Tuning;
use crate::run::card::card;
use crate::run::journal::{RunJournal, digest};
use crate::run::limits;
use crate::run::limits::Planned;
use crate::run::remarks::remarks;
use crate::run::resolved::resolved;
use crate::run::results::{kernel_choice, read_architecture, read_tuning};
use crate::run_dir::dir::RunDir;
use crate::run_dir::environment::Environment;
use crate::run_dir::lock::Lock;
use crate::run_dir::names;
use crate::stages::{race, retrain, search};
use crate::train::progress::StageProgress;
use crate::train::retraining;
use crate::tune::size::TuningSize;
use crate::tune::tuner::tune;
use burn::module::Module;
use burn::tensor::Device;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::SearchStrategy;
use dashnas_core::stage::Stage;
use dashnas_data::dataset::Dataset;
use dashnas_nn::architecture::Architecture;
use dashnas_nn::artifact::Artifact;
use dashnas_nn::model::{Model, count_parameters, parameters};
use dashnas_nn::network::{Network, training_device};
use std::path::Path;
use std::time::{Duration, Instant};

/// A run in its directory, which no other process can use meanwhile.
///
/// [`Run::start`] begins a run and [`Run::open`] resumes one; [`Run::all`] does everything that is left to do. An
/// interrupted run leaves a checkpoint behind:
///
/// ```
/// use dashnas::{Config, Dataset, Error, Event, Observer, Run};
/// use dashnas::run_dir::dir::RunDir;
/// # use dashnas_core::names::Preset;
/// # use dashnas_core::task::TaskKind;
/// # use dashnas_data::split::Split;
/// # use dashnas_data::targets::Targets;
/// # use dashnas_formats::array::Array;
///
/// /// Stops a run after its third step.
/// struct StopAfterThree(usize);
///
/// impl Observer for StopAfterThree {
///     fn event(&mut self, event: &Event) {
///         self.0 += usize::from(matches!(event, Event::Step { .. }));
///     }
///
///     fn cancelled(&self) -> bool {
///         self.0 >= 3
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let split = |samples: usize| {
/// #     let x: Vec<f32> = (0..samples * 16).map(|i| (i * 7919 % 97) as f32 / 97.0 - 0.5).collect();
/// #     let classes = x.chunks(16).map(|series| u32::from(series[3] > 0.0)).collect();
/// #     Split { x: Array::new(vec![samples, 1, 16], x), y: Targets::Classes(classes) }
/// # };
/// # let task = TaskKind::Classification { classes: 2 };
/// # let data = Dataset::new("signs", task, split(40), None, split(10))?;
/// # let mut config = Config::preset(Preset::Quick);
/// # (config.search.min_steps, config.search.max_steps) = (0, 2);
/// # (config.retrain.min_steps, config.retrain.max_steps) = (0, 2);
/// # (config.tune.enabled, config.baseline.enabled) = (false, false);
/// # let folder = tempfile::tempdir()?;
/// # let directory = folder.path().join("run");
/// let stopped = Run::start(&config, "signs", &data, &directory, &mut StopAfterThree(0))?.all();
/// assert!(matches!(stopped, Err(Error::Interrupted)));
/// let outcome = Run::open(RunDir::open(&directory)?, &config, &data, &mut ())?.all()?;
/// println!("test error {:?}", outcome.test);
/// # Ok(())
/// # }
/// ```
pub struct Run<'a> {
    data: &'a Dataset,
    dir: RunDir,
    problem: Problem,
    /// [`digest`] of the configuration.
    config: String,
    device: Device,
    journal: RunJournal<'a>,
    /// The plan under a time limit, until it is put into force.
    planned: Option<Planned>,
    _lock: Lock,
}

/// The decisions about the limits of a run that were made before its directory existed.
#[derive(Default)]
struct Decided {
    memory: Option<MemoryFit>,
    planned: Option<Planned>,
}

/// A run directory that this process has locked, and the instant at which it began to work on the run.
struct LockedDir {
    dir: RunDir,
    lock: Lock,
    begun: Instant,
}

impl<'a> Run<'a> {
    /// Starts a run in a new directory. The data and the configuration are checked against each
    /// other before anything is created. `source` is the name from which the data can be read again.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::LossMismatch`] and [`Error::MetricMismatch`] if the configuration does not fit the
    /// data, [`Error::MetricUndefined`], [`Error::Bound`], [`Error::Memory`] and [`Error::TimeLimit`]: all before the
    /// directory exists.
    /// [`Error::RunDir`] and [`Error::File`] if it cannot be created. No directory is left behind.
    pub fn start(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        Self::start_read(config, source, data, Duration::ZERO, out, observer)
    }

    /// [`Run::start`] on a data set that was read or generated in some time, which counts as time of the run.
    ///
    /// # Errors
    /// Those of [`Run::start`].
    pub fn start_read(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        read_in: Duration,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let mut problem = Problem::new(config, data)?;
        problem.setup.check_test(data)?;
        problem.budget.set_clock(WallClock::new(begun, read_in.as_secs_f64()));
        let mut run = Self::create(begun, problem, source, data, out, observer)?;
        run.data_read_in(read_in);
        Ok(run)
    }

    /// Checks a configuration and a data set as [`Run::start`] does before it creates a directory.
    ///
    /// # Errors
    /// Those of [`Run::start`] that do not concern the directory.
    pub fn check(config: &Config, data: &Dataset) -> Result<(), Error> {
        let problem = Problem::new(config, data)?;
        problem.setup.check_test(data)?;
        limits::check_bounds(&problem)
    }

    /// Checks that the time limit of a configuration, if it has one, is not too short for a data set that was read in
    /// some time. Steps are timed for this.
    ///
    /// # Errors
    /// [`Error::TimeLimit`] with a limit that is enough.
    pub fn check_time_limit(config: &Config, data: &Dataset, read_in: Duration) -> Result<(), Error> {
        let mut problem = Problem::new(config, data)?;
        problem.budget.set_clock(WallClock::new(Instant::now(), read_in.as_secs_f64()));
        limits::first_plan(&problem, data, &training_device(problem.setup.dims())).map(|_| ())
    }

    /// [`Run::start`] on a data set whose test split is a placeholder that is never read: for [`Run::trained`] alone.
    ///
    /// # Errors
    /// Those of [`Run::start`].
    pub fn start_untested(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let mut problem = Problem::new(config, data)?;
        problem.budget.set_clock(WallClock::new(begun, 0.0));
        Self::create(begun, problem, source, data, out, observer)
    }

    /// Checks the limits of a problem and creates the directory of its run.
    fn create(
        begun: Instant,
        mut problem: Problem,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        limits::check_bounds(&problem)?;
        let memory = limits::decide_memory(&problem, data)?;
        if let Some(fit) = &memory {
            problem.budget.adopt_memory_fit(fit);
        }
        let planned = limits::first_plan(&problem, data, &training_device(problem.setup.dims()))?;
        let decided = Decided { memory, planned };
        let dir = RunDir::create(out)?;
        let path = dir.path().to_owned();
        let attach = move || {
            let lock = dir.lock()?;
            let record = DataRecord::new(source, data)?;
            let held_out = problem.setup.held_out_of_training();
            let division = Some(Division::new(data, held_out, !record.is_of_arrays()));
            dir.write_json(names::DATA, &DataRecord { division, ..record })?;
            let split = SplitRecord::new(source, data, held_out);
            dir.write(names::SPLIT, split.to_json().as_bytes())?;
            // The resolved configuration, so that the later stages and a reader see what was run. It is written last:
            // a directory that has one is a run directory.
            dir.write(names::CONFIG, problem.setup.config.to_toml().as_bytes())?;
            Self::attach(problem, decided, LockedDir { dir, lock, begun }, data, observer)
        };
        attach().inspect_err(|_: &Error| RunDir::discard(&path))
    }

    /// Continues in the directory of an earlier process, from its newest checkpoint.
    ///
    /// # Errors
    /// [`Error::RunDir`] if another process works there, [`Error::OtherData`] if the data is not
    /// that on which the run was started, [`Error::Bound`] if the search is not finished and no network is within its
    /// bounds, and those of reading the files.
    pub fn open(
        dir: RunDir,
        config: &Config,
        data: &'a Dataset,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let lock = dir.lock()?;
        let record: DataRecord = dir.read_json(names::DATA)?;
        record.check_same(data)?;
        let run = Self::attach(
            Problem::new(config, data)?,
            Decided::default(),
            LockedDir { dir, lock, begun },
            data,
            observer,
        )?;
        if !run.journal.ledger.is_done(Stage::Search) {
            // The bounds may have been changed since the run was started.
            limits::check_bounds(&run.problem)?;
        }
        Ok(run)
    }

    /// Attaches a problem to the directory of its run: opens the journal, tells the observer, and applies the limits
    /// on memory and the plan that an earlier process decided.
    fn attach(
        problem: Problem,
        Decided { memory, planned }: Decided,
        LockedDir { dir, lock, begun }: LockedDir,
        data: &'a Dataset,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        Environment::record(&dir);
        let journal = RunJournal::open(&dir, observer)?;
        let device = training_device(problem.setup.dims());
        let config = digest(&problem.setup.config);
        let mut run = Self { config, data, journal, dir, problem, device, planned, _lock: lock };
        let seconds_before = run.journal.ledger.seconds.values().sum();
        run.problem.budget.set_clock(WallClock::new(begun, seconds_before));
        let steps_to_come = run.steps_after_the_search();
        run.journal.attach(&RunStart {
            dir: run.dir.path(),
            begun,
            seconds_before,
            steps_to_come: &steps_to_come,
            tensorboard: run.problem.config().tensorboard,
        });
        limits::fit_memory(&mut run.problem, data, memory, &mut run.journal)?;
        limits::restore_plan(&mut run.problem, &run.journal);
        if run.journal.ledger.log == 0 {
            // Nothing is in the log: the run is new, or was killed before its first checkpoint.
            for message in run.problem.setup.warnings.clone() {
                run.journal.event(&Event::Warning { message });
            }
        }
        Ok(run)
    }

    /// Steps of the stages that train the network that the search finds.
    fn steps_after_the_search(&self) -> Vec<(Stage, u64)> {
        let config = self.problem.config();
        let tune = if config.tune.enabled { TuningSize::new(&self.problem).total().1 } else { 0 };
        let train = retraining::size(&self.problem, Stage::Retrain).1;
        let baseline = if config.baseline.enabled { tune + train } else { 0 };
        vec![(Stage::Tune, tune), (Stage::Retrain, train), (Stage::Baseline, baseline)]
    }

    /// Whether the run was finished by an earlier process, so that [`Run::all`] only repeats its outcome.
    pub fn is_finished(&self) -> bool {
        self.journal.ledger.finished
    }

    /// The run directory.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Adds the time in which the data was read or generated to the time of the run.
    pub fn data_read_in(&mut self, time: Duration) {
        self.journal.add_seconds(Stage::Data, time.as_secs_f64());
        self.problem.budget.add_seconds(time.as_secs_f64());
    }

    /// Sets how often checkpoints are written. By default, writing them takes less than 2 % of the time.
    pub fn set_cadence(&mut self, cadence: Cadence) {
        self.journal.set_cadence(cadence);
    }

    /// The whole pipeline: search, tuning, retraining, the plain backbone under the same budget unless switched off,
    /// and one evaluation on the test split. Stages that earlier processes finished are not repeated; for a finished
    /// run, this only returns the outcome.
    ///
    /// # Errors
    /// Those of the stages, and [`Error::File`] if a file of a finished stage was changed.
    pub fn all(mut self) -> Result<Outcome, Error> {
        if self.journal.ledger.finished {
            return Ok(self.dir.read_json(names::METRICS)?);
        }
        let (architecture, best, network) = self.trained()?;
        let baseline = self.plain()?;
        self.evaluate(&architecture, best, &network, baseline.as_ref())
    }

    /// The plain backbone to compare with, after [`Run::trained`]; `None` if the configuration wants none, or if training
    /// it failed.
    ///
    /// # Errors
    /// Those of the stage, and [`Error::File`] if its file was changed.
    pub fn plain(&mut self) -> Result<Option<Network>, Error> {
        match self.problem.config().baseline.enabled {
            false => Ok(None),
            true if self.is_done(Stage::Baseline, &[names::BASELINE])? => Ok(Some(self.saved(names::BASELINE)?)),
            true => match self.baseline() {
                Ok(network) => Ok(Some(network)),
                // Only the comparison is missing, not the network that was asked for.
                Err(error @ (Error::Diverged { .. } | Error::AllTrialsFailed { .. })) => {
                    let message = format!("no comparison with the plain backbone: training it failed: {error}");
                    tracing::warn!("{message}");
                    self.journal.event(&Event::Warning { message });
                    Ok(None)
                }
                Err(error) => Err(error),
            },
        }
    }

    /// The stages up to the trained network; the test split stays unread. Stages that earlier processes finished are
    /// not repeated.
    ///
    /// # Errors
    /// Those of the stages, and [`Error::File`] if a file of a finished stage was changed.
    pub fn trained(&mut self) -> Result<(Architecture, Hyperparameters, Network), Error> {
        let architecture = self.searched()?;
        self.replan(&architecture)?;
        if self.problem.config().tune.enabled && !self.is_done(Stage::Tune, &[])? {
            self.tune(&architecture)?;
        }
        let best = self.hyperparameters()?;
        let network = match self.is_done(Stage::Retrain, &[names::MODEL])? {
            true => self.saved(names::MODEL)?,
            false => self.train(&architecture, best)?,
        };
        Ok((architecture, best, network))
    }

    /// The network that a finished stage wrote.
    fn saved(&self, name: &str) -> Result<Network, Error> {
        Ok(Model::load(self.dir.file(name))?.network().clone())
    }

    /// The search stage, or its result if it is finished.
    ///
    /// # Errors
    /// Those of [`Run::search`], and [`Error::File`] if its result was changed.
    pub fn searched(&mut self) -> Result<Architecture, Error> {
        if self.is_done(Stage::Search, &[names::ARCHITECTURE])? { read_architecture(&self.dir) } else { self.search() }
    }

    /// Whether a stage is finished; an error if a file that it wrote was changed.
    fn is_done(&self, stage: Stage, files: &[&str]) -> Result<bool, Error> {
        let done = self.journal.ledger.is_done(stage);
        if done {
            files.iter().try_for_each(|name| self.journal.verify(name))?;
        }
        Ok(done)
    }

    /// The search stage.
    ///
    /// # Errors
    /// [`Error::Diverged`], [`Error::Interrupted`], [`Error::Bound`] if no architecture is within the bounds, and
    /// [`Error::File`].
    pub fn search(&mut self) -> Result<Architecture, Error> {
        let planned = self.planned.take();
        limits::plan(&mut self.problem, self.data, planned, &self.dir, &self.device, &mut self.journal)?;
        self.stage(Stage::Search, &[names::ARCHITECTURE, names::ALPHA], |problem, dir, device, journal| match problem
            .config()
            .search
            .strategy
        {
            SearchStrategy::Race if search::searches(problem) => race::race(problem, dir, device, journal),
            _ => search::search(problem, dir, device, journal),
        })?;
        // Read again, as a resumed run would: a number may lose its last bit on the way through the file.
        read_architecture(&self.dir)
    }

    /// The hyperparameters for retraining: the choice of the tuning stage, or the values of the configuration where
    /// tuning is switched off.
    ///
    /// # Errors
    /// [`Error::MissingStage`] if tuning is switched on and has not finished.
    pub fn hyperparameters(&self) -> Result<Hyperparameters, Error> {
        let (config, task) = (self.problem.config(), self.problem.setup.task);
        if self.journal.ledger.is_done(Stage::Tune) {
            // The ledger has the exact numbers. Tuning may have ended without a trial and without an error, where there
            // was no time or no sample for one.
            let done = Tuning::of(self.journal.ledger.tuning.clone());
            Ok(done.map_or_else(|_| config.untuned(task), |tuning| tuning.best))
        } else if config.tune.enabled || self.dir.has(names::TUNING) {
            Ok(read_tuning(&self.dir)?.best)
        } else {
            Ok(config.untuned(task))
        }
    }

    /// The tuning stage; writes `tuning.json`.
    ///
    /// # Errors
    /// [`Error::AllTrialsFailed`] if no trial gave a score, and those of the training loop.
    pub fn tune(&mut self, architecture: &Architecture) -> Result<Tuning, Error> {
        self.replan(architecture)?;
        self.stage(Stage::Tune, &[names::TUNING], |problem, dir, device, journal| {
            let size = TuningSize::new(problem);
            let mut progress = StageProgress { stage: Stage::Tune, done: 0, total: size.total().1 };
            journal.event(&Event::StageStarted {
                stage: Stage::Tune,
                steps_total: progress.total,
                epochs: size.trial_epochs(),
            });
            let tuning = tune(size, &architecture.kernels, device, &mut progress, journal)?;
            dir.write_json(names::TUNING, &tuning)?;
            Ok(tuning)
        })
    }

    /// The retraining stage: trains the discretized network on all training data and writes the model of the last
    /// epoch to `model.dashnas`.
    ///
    /// # Errors
    /// Those of the training loop and of writing the files.
    pub fn train(&mut self, architecture: &Architecture, best: Hyperparameters) -> Result<Network, Error> {
        self.replan(architecture)?;
        let card = card(&self.problem, self.data, architecture.clone(), best, self.validation());
        self.stage(Stage::Retrain, &[names::MODEL], |problem, dir, device, journal| {
            let (epochs, total) = retraining::size(problem, Stage::Retrain);
            journal.event(&Event::StageStarted { stage: Stage::Retrain, steps_total: total, epochs });
            let progress = StageProgress { stage: Stage::Retrain, done: 0, total };
            let network = retrain::retrain(problem, &architecture.kernels, best, progress, device, journal)?.valid();
            Artifact { card, parameters: parameters(&network) }.write(&dir.file(names::MODEL))?;
            Ok(network)
        })
    }

    /// Plans the later stages again under a time limit, once, now that the network is known.
    fn replan(&mut self, architecture: &Architecture) -> Result<(), Error> {
        limits::replan(&mut self.problem, architecture, &self.dir, &self.device, &mut self.journal)
    }

    /// Validation metric of the best trial, if there was a tuning.
    fn validation(&self) -> Option<f64> {
        let tuning = Tuning::of(self.journal.ledger.tuning.clone()).ok()?;
        tuning.best_score().and_then(|score| score.metric)
    }

    /// Trains the plain backbone with the budget that the searched network has after the search: the same tuning over
    /// the same grid, the same retraining, the same random streams.
    fn baseline(&mut self) -> Result<Network, Error> {
        let problem = &self.problem;
        let kernels = graph(problem, problem.config().backbone.width).plain_kernels();
        let architecture = Architecture {
            backbone: problem.config().backbone_name(problem.setup.dims()),
            probabilities: vec![1.0; kernels.len()],
            kernels: kernels.clone(),
        };
        let mut card = card(problem, self.data, architecture, problem.config().untuned(problem.setup.task), None);
        self.stage(Stage::Baseline, &[names::BASELINE], |problem, dir, device, journal| {
            let (epochs, retraining) = retraining::size(problem, Stage::Baseline);
            let size = problem.config().tune.enabled.then(|| TuningSize::new(problem));
            let tuning = size.as_ref().map_or(0, |size| size.total().1);
            let mut progress = StageProgress { stage: Stage::Baseline, done: 0, total: tuning + retraining };
            journal.event(&Event::StageStarted { stage: Stage::Baseline, steps_total: progress.total, epochs });
            if let Some(size) = size {
                let tuned = tune(size, &kernels, device, &mut progress, journal)?;
                card.training.validation = tuned.best_score().and_then(|score| score.metric);
                card.training.hyperparameters = tuned.best;
            }
            // Tuning may have ended early; the steps of retraining are counted from its planned end.
            progress.done = tuning;
            let best = card.training.hyperparameters;
            let network = retrain::retrain(problem, &kernels, best, progress, device, journal)?.valid();
            Artifact { card, parameters: parameters(&network) }.write(&dir.file(names::BASELINE))?;
            Ok(network)
        })
    }

    /// Evaluates the networks on the test split, once per run; writes `evaluation.json` and `metrics.json`.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined on the test split.
    pub fn evaluate(
        &mut self,
        architecture: &Architecture,
        best: Hyperparameters,
        network: &Network,
        baseline: Option<&Network>,
    ) -> Result<Outcome, Error> {
        let data = self.data;
        let seen = self.stage(Stage::Evaluate, &[], |problem, dir, device, journal| {
            journal.event(&Event::StageStarted { stage: Stage::Evaluate, steps_total: 0, epochs: 0 });
            let inner = device.clone().inner();
            let seen = evaluation::evaluate(problem, data, network, baseline, &inner)?;
            dir.write_json(names::EVALUATION, &seen)?;
            Ok(seen)
        })?;
        let choice = kernel_choice(&self.dir, architecture)?;
        let remarks = remarks(&self.problem, data, network, &seen)?;
        let (config, ledger) = (self.problem.config(), &self.journal.ledger);
        let outcome = Outcome {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: data.name.clone(),
            task: self.problem.setup.task,
            loss: config.loss(self.problem.setup.task),
            metric: self.problem.setup.metric,
            test: Some(seen.searched.metric),
            baseline_test: seen.baseline.map(|plain| plain.metric),
            validation: self.validation(),
            backbone: architecture.backbone,
            architecture: architecture.kernels.clone(),
            kernels_given: config.search.kernels.is_some(),
            choice: Some(choice),
            judgement: seen.judgement,
            hyperparameters: best,
            params: count_parameters(network),
            baseline_params: baseline.map(count_parameters),
            preset: config.preset,
            seed: config.seed,
            samples: [data.train.len(), data.test.len()],
            weighted: data.facts.test.weights.is_some(),
            seconds: ledger.seconds.clone(),
            notes: [limits::notes(&self.problem, &self.journal), remarks].concat(),
            resolved: resolved(&self.problem, data),
            run_dir: self.dir.path().to_path_buf(),
        };
        self.dir.write_json(names::METRICS, &outcome)?;
        let event = Event::Finished { outcome: Box::new(outcome.clone()) };
        self.journal.event(&event);
        self.journal.check()?;
        self.journal.ledger.finished = true;
        self.journal.save_progress()?;
        Ok(outcome)
    }

    /// Runs one stage, or the rest of it, between its events. `wrote` are the files that it writes.
    fn stage<T>(
        &mut self,
        stage: Stage,
        wrote: &[&str],
        work: impl FnOnce(&Problem, &RunDir, &Device, &mut RunJournal<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.journal.begin(stage, &self.config)?;
        let result = work(&self.problem, &self.dir, &self.device, &mut self.journal);
        // A log that cannot be written ends a stage like an interruption; its own error says more.
        self.journal.check()?;
        let value = result?;
        self.journal.end(stage, wrote)?;
        Ok(value)
    }
}
