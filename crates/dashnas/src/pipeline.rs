//! The whole of DASH (Algorithm 1) over a run directory: search, tune, retrain, evaluate, each
//! also by itself.

use crate::architecture::Architecture;
use crate::budget::fit::MemoryFit;
use crate::budget::{WallClock, limits};
use crate::checkpoint::Cadence;
use crate::config::Config;
use crate::data::{DataError, Dataset, Split, Targets};
use crate::digest::{hex, sha256};
use crate::environment::Environment;
use crate::error::Error;
use crate::evaluation;
use crate::event::{Event, Observer, Stage};
use crate::journal::Journal;
use crate::model::{Artefact, Model, ModelCard, Training, count_parameters, parameters};
use crate::network::{Network, training_device};
use crate::outcome::Hyperparameters;
use crate::outcome::Outcome;
use crate::problem::Problem;
use crate::report;
use crate::retrain::{self, retrain};
use crate::run_dir::{Lock, RunDir, names};
use crate::status::Watch;
use crate::task::TaskKind;
use crate::tune::{self, Progress, Trials, Tuning};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a run remembers of its data: enough to read it again and to notice if it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataRecord {
    /// A path, or the name of a built-in data set.
    pub source: String,
    /// Its name in reports.
    pub name: String,
    /// SHA-256 over all arrays.
    pub fingerprint: String,
    /// Samples for training, validation (if given) and testing.
    pub samples: [usize; 3],
    /// What is learnt; none in the directories of versions that did not note it.
    #[serde(default)]
    pub task: Option<TaskKind>,
    /// `[channels, L]` or `[channels, H, W]` of one input; none as above.
    #[serde(default)]
    pub input: Option<Vec<usize>>,
}

impl DataRecord {
    /// Describes a data set read from `source`.
    ///
    /// # Errors
    /// [`DataError::Gone`] if inputs are in a file that no longer gives them.
    pub fn new(source: &str, data: &Dataset) -> Result<Self, DataError> {
        let mut hash = Sha256::new();
        let mut add = |split: &Split| -> Result<(), DataError> {
            for i in 0..split.x.rows() {
                hash.update(bytemuck::cast_slice(&split.x.fetch(i)?));
            }
            match &split.y {
                Targets::Classes(labels) => hash.update(bytemuck::cast_slice(labels)),
                Targets::Values(values) => hash.update(bytemuck::cast_slice(&values.data)),
            }
            Ok(())
        };
        add(&data.train)?;
        data.val.iter().try_for_each(&mut add)?;
        add(&data.test)?;
        let fingerprint = hex(hash.finalize());
        let samples = [data.train.len(), data.val.as_ref().map_or(0, Split::len), data.test.len()];
        let (task, input) = (Some(data.task), Some(data.train.x.shape[1..].to_vec()));
        Ok(Self { source: source.into(), name: data.name.clone(), fingerprint, samples, task, input })
    }
}

/// A run under way: its directory, problem and journal. No other process can work in the
/// directory meanwhile.
pub struct Run<'a> {
    data: &'a Dataset,
    dir: RunDir,
    problem: Problem,
    /// [`digest`] of the configuration.
    config: String,
    device: Device,
    journal: Journal<'a>,
    _lock: Lock,
}

impl<'a> Run<'a> {
    /// Starts a run in a new directory. The data and the configuration are checked against each
    /// other before anything is made.
    ///
    /// # Errors
    /// [`Error::Config`] and its kin, [`Error::Unjudgeable`], [`Error::Bound`] and [`Error::Memory`] before the
    /// directory exists;
    /// [`Error::RunDirExists`] and [`Error::Io`] from making it. No directory is left behind.
    pub fn start(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        Self::start_on(config, source, data, out, observer, true)
    }

    /// [`Run::start`] where the test split is a stand-in that is never read: for [`Run::trained`] alone.
    ///
    /// # Errors
    /// As [`Run::start`].
    pub fn start_untested(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        Self::start_on(config, source, data, out, observer, false)
    }

    /// Either of them; `tested` is whether the test split will be read.
    fn start_on(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
        tested: bool,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let problem = Problem::new(config, data)?;
        if tested {
            problem.check_test(data)?;
        }
        limits::check_bounds(&problem)?;
        let memory = limits::decide_memory(&problem, data)?;
        let dir = RunDir::create(out)?;
        let path = dir.path().to_owned();
        Self::begin(begun, problem, memory, source, dir, data, observer).inspect_err(|_| RunDir::discard(&path))
    }

    /// Fills a new directory with what a run needs to be gone on with.
    fn begin(
        begun: Instant,
        problem: Problem,
        memory: Option<MemoryFit>,
        source: &str,
        dir: RunDir,
        data: &'a Dataset,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let warnings = problem.warnings.clone();
        let lock = dir.lock()?;
        dir.write_json(names::DATA, &DataRecord::new(source, data)?)?;
        // The resolved configuration, so that the later stages and a reader see what was run. It
        // comes last: what has one is a run directory.
        dir.write(names::CONFIG, problem.config.to_toml().as_bytes())?;
        let mut run = Self::over(problem, memory, dir, lock, data, observer, begun)?;
        for message in warnings {
            run.journal.event(&Event::Warning { message });
        }
        Ok(run)
    }

    /// Continues in the directory of an earlier process, from its newest checkpoint.
    ///
    /// # Errors
    /// [`Error::Locked`] if another process works there, [`Error::OtherData`] if the data is not
    /// what the run started on, [`Error::Bound`] if there is a search to come and no network within its bounds, and
    /// those of reading the files.
    pub fn open(
        dir: RunDir,
        config: &Config,
        data: &'a Dataset,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let lock = dir.lock()?;
        let record: DataRecord = dir.read_json(names::DATA)?;
        let given = DataRecord::new(&record.source, data)?;
        if given.fingerprint != record.fingerprint {
            let reason = if given.samples == record.samples {
                "its contents differ".into()
            } else {
                format!(
                    "it has {:?} samples for training, validation and testing, not {:?}",
                    given.samples, record.samples
                )
            };
            return Err(Error::OtherData { given: data.name.clone(), expected: record.name, reason });
        }
        let run = Self::over(Problem::new(config, data)?, None, dir, lock, data, observer, begun)?;
        if !run.journal.ledger.is_done(Stage::Search) {
            // They may have been changed since.
            limits::check_bounds(&run.problem)?;
        }
        Ok(run)
    }

    fn over(
        problem: Problem,
        memory: Option<MemoryFit>,
        dir: RunDir,
        lock: Lock,
        data: &'a Dataset,
        observer: &'a mut dyn Observer,
        begun: Instant,
    ) -> Result<Self, Error> {
        Environment::record(&dir);
        let journal = Journal::open(&dir, observer)?;
        let device = training_device(problem.dims());
        let mut run = Self { config: digest(&problem.config), data, journal, dir, problem, device, _lock: lock };
        let clock = WallClock::new(begun, run.journal.ledger.seconds.values().sum());
        run.problem.budget.set_clock(clock);
        let to_come = run.steps_after_the_search();
        run.journal.watch(Watch::new(&run.dir, &run.problem.config, to_come, clock));
        limits::fit_memory(&mut run.problem, data, memory, &mut run.journal)?;
        limits::take_up(&mut run.problem, &run.journal);
        Ok(run)
    }

    /// Steps of the stages that train what the search finds.
    fn steps_after_the_search(&self) -> Vec<(Stage, u64)> {
        let Problem { config, .. } = &self.problem;
        let tune = if config.tune.enabled { Trials::new(&self.problem, &[], &self.device).size().1 } else { 0 };
        let train = retrain::size(&self.problem, Stage::Retrain).1;
        let baseline = if config.baseline.enabled { tune + train } else { 0 };
        vec![(Stage::Tune, tune), (Stage::Retrain, train), (Stage::Baseline, baseline)]
    }

    /// The run directory.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Notes how long the data took to read or make, for the outcome.
    pub fn data_read_in(&mut self, time: Duration) {
        self.journal.add_seconds(Stage::Data, time.as_secs_f64());
        self.problem.budget.add_seconds(time.as_secs_f64());
    }

    /// Sets how often checkpoints are written; as often as costs less than 2 % of the time if not
    /// set.
    pub fn set_cadence(&mut self, cadence: Cadence) {
        self.journal.set_cadence(cadence);
    }

    /// The whole pipeline: search, tune, retrain, the plain backbone under the same budget
    /// unless switched off, and one look at the test split. What earlier processes did of it is
    /// not done again; of a run that is finished, this is its outcome.
    ///
    /// # Errors
    /// Those of the stages, and [`Error::Corrupt`] if a file of a finished stage was changed.
    pub fn all(mut self) -> Result<Outcome, Error> {
        if self.journal.ledger.finished {
            if !self.dir.has(names::REPORT) {
                // The process that finished was stopped before it could draw it.
                report::at_the_end(&self.dir, &mut self.journal);
            }
            return self.dir.read_json(names::METRICS);
        }
        let (architecture, best, network) = self.trained()?;
        let baseline = match self.problem.config.baseline.enabled {
            false => None,
            true if self.is_done(Stage::Baseline, &[names::BASELINE])? => Some(self.saved(names::BASELINE)?),
            true => match self.baseline() {
                Ok(network) => Some(network),
                // The comparison is missing, not the network that was asked for.
                Err(error @ (Error::Diverged { .. } | Error::AllTrialsFailed { .. })) => {
                    let message = format!("the plain backbone could not be trained, so nothing is compared: {error}");
                    tracing::warn!("{message}");
                    self.journal.event(&Event::Warning { message });
                    None
                }
                Err(error) => return Err(error),
            },
        };
        self.evaluate(&architecture, best, &network, baseline.as_ref())
    }

    /// The stages up to the trained network, with the test split unread. What earlier processes did of them is not
    /// done again.
    ///
    /// # Errors
    /// Those of the stages, and [`Error::Corrupt`] if a file of a finished stage was changed.
    pub fn trained(&mut self) -> Result<(Architecture, Hyperparameters, Network), Error> {
        let architecture = self.searched()?;
        self.replan(&architecture)?;
        if self.problem.config.tune.enabled && !self.is_done(Stage::Tune, &[])? {
            self.tune(&architecture)?;
        }
        let best = self.hyperparameters()?;
        let network = match self.is_done(Stage::Retrain, &[names::MODEL])? {
            true => self.saved(names::MODEL)?,
            false => self.train(&architecture, best)?,
        };
        Ok((architecture, best, network))
    }

    /// A network that a finished stage left.
    fn saved(&self, name: &str) -> Result<Network, Error> {
        Model::load(self.dir.file(name)).map(|model| model.network().clone())
    }

    /// The search stage, or what it found if it is done.
    ///
    /// # Errors
    /// Those of [`Run::search`], and [`Error::Corrupt`] if what it found was changed.
    pub fn searched(&mut self) -> Result<Architecture, Error> {
        if self.is_done(Stage::Search, &[names::ARCHITECTURE])? { read_architecture(&self.dir) } else { self.search() }
    }

    /// Whether a stage is done, and the files that it left are as it left them.
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
    /// Those of [`crate::search::search`].
    pub fn search(&mut self) -> Result<Architecture, Error> {
        limits::plan(&mut self.problem, self.data, &self.dir, &self.device, &mut self.journal)?;
        self.stage(Stage::Search, &[names::ARCHITECTURE, names::ALPHA], |problem, dir, device, journal| {
            crate::search::search(problem, dir, device, journal)
        })?;
        // As a resumed run would see it: a number may lose its last bit on the way through the file.
        read_architecture(&self.dir)
    }

    /// What to retrain with: the choice of the tuning that was done here, or the configuration's
    /// own values where tuning is switched off.
    ///
    /// # Errors
    /// [`Error::MissingStage`] if tuning is on and was not done.
    pub fn hyperparameters(&self) -> Result<Hyperparameters, Error> {
        let Problem { config, task, .. } = &self.problem;
        if self.journal.ledger.is_done(Stage::Tune) {
            // The ledger has the numbers to the bit. Tuning may have ended well without a trial, where there
            // was neither time nor a sample for one.
            let done = Tuning::of(self.journal.ledger.tuning.clone());
            Ok(done.map_or_else(|_| Hyperparameters::untuned(config, *task), |tuning| tuning.best))
        } else if config.tune.enabled || self.dir.has(names::TUNING) {
            Ok(read_tuning(&self.dir)?.best)
        } else {
            Ok(Hyperparameters::untuned(config, *task))
        }
    }

    /// The tuning stage; writes `tuning.json`.
    ///
    /// # Errors
    /// [`Error::AllTrialsFailed`] if no trial gave a score, and those of the training loop.
    pub fn tune(&mut self, architecture: &Architecture) -> Result<Tuning, Error> {
        self.replan(architecture)?;
        self.stage(Stage::Tune, &[names::TUNING], |problem, dir, device, journal| {
            let trials = Trials::new(problem, &architecture.kernels, device);
            let mut progress = Progress { stage: Stage::Tune, done: 0, total: trials.size().1 };
            journal.event(&Event::StageStarted {
                stage: Stage::Tune,
                steps_total: progress.total,
                epochs: trials.epochs(),
            });
            let tuning = tune::tune(&trials, &mut progress, journal)?;
            dir.write_json(names::TUNING, &tuning)?;
            Ok(tuning)
        })
    }

    /// The retraining stage: the discretized network on all training data, the model of the last
    /// epoch. Writes `model.dashnas`.
    ///
    /// # Errors
    /// Those of the training loop and of writing the files.
    pub fn train(&mut self, architecture: &Architecture, best: Hyperparameters) -> Result<Network, Error> {
        self.replan(architecture)?;
        let card = self.card(architecture.clone(), best, self.validation());
        self.stage(Stage::Retrain, &[names::MODEL], |problem, dir, device, journal| {
            let (epochs, total) = retrain::size(problem, Stage::Retrain);
            journal.event(&Event::StageStarted { stage: Stage::Retrain, steps_total: total, epochs });
            let progress = Progress { stage: Stage::Retrain, done: 0, total };
            let network = retrain(problem, &architecture.kernels, best, &progress, device, journal)?.valid();
            Artefact { card, parameters: parameters(&network) }.write(&dir.file(names::MODEL))?;
            Ok(network)
        })
    }

    /// Plans again under a time limit, now that the network is known; once.
    fn replan(&mut self, architecture: &Architecture) -> Result<(), Error> {
        limits::replan(&mut self.problem, architecture, &self.dir, &self.device, &mut self.journal)
    }

    /// Validation metric of the best trial, if there was tuning here.
    fn validation(&self) -> Option<f64> {
        let tuning = Tuning::of(self.journal.ledger.tuning.clone()).ok()?;
        tuning.best_score().and_then(|score| score.metric)
    }

    /// What a trained model says of itself.
    fn card(&self, architecture: Architecture, best: Hyperparameters, validation: Option<f64>) -> ModelCard {
        let problem = &self.problem;
        ModelCard {
            data: self.data.name.clone(),
            task: problem.task,
            loss: problem.config.loss(problem.task),
            metric: problem.metric,
            classes: self.data.classes.clone(),
            labels: None,
            input: problem.train.input(),
            graph: crate::architecture::graph(problem, problem.config.backbone.width),
            architecture,
            reading: self.data.reading.of_model(&self.data.read_as),
            read_as: self.data.read_as.clone(),
            transforms: self.data.transforms.clone(),
            inputs: problem.inputs.clone(),
            targets: problem.targets.clone(),
            training: Training {
                version: env!("CARGO_PKG_VERSION").into(),
                preset: problem.config.preset,
                seed: problem.config.seed,
                samples: retrain::samples(problem),
                hyperparameters: best,
                validation,
            },
        }
    }

    /// The plain backbone, given the same budget after the search: the same tuning over the same
    /// grid, the same retraining, the same random streams.
    fn baseline(&mut self) -> Result<Network, Error> {
        let problem = &self.problem;
        let kernels = crate::architecture::graph(problem, problem.config.backbone.width).plain();
        let architecture = Architecture {
            backbone: problem.config.backbone_name(problem.dims()),
            probabilities: vec![1.0; kernels.len()],
            kernels: kernels.clone(),
        };
        let mut card = self.card(architecture, Hyperparameters::untuned(&problem.config, problem.task), None);
        self.stage(Stage::Baseline, &[names::BASELINE], |problem, dir, device, journal| {
            let (epochs, retraining) = retrain::size(problem, Stage::Baseline);
            let trials = problem.config.tune.enabled.then(|| Trials::new(problem, &kernels, device));
            let tuning = trials.as_ref().map_or(0, |trials| trials.size().1);
            let mut progress = Progress { stage: Stage::Baseline, done: 0, total: tuning + retraining };
            journal.event(&Event::StageStarted { stage: Stage::Baseline, steps_total: progress.total, epochs });
            if let Some(trials) = trials {
                let tuned = tune::tune(&trials, &mut progress, journal)?;
                card.training.validation = tuned.best_score().and_then(|score| score.metric);
                card.training.hyperparameters = tuned.best;
            }
            // Tuning may have ended early; the rest of the steps are retraining's.
            progress.done = tuning;
            let best = card.training.hyperparameters;
            let network = retrain(problem, &kernels, best, &progress, device, journal)?.valid();
            Artefact { card, parameters: parameters(&network) }.write(&dir.file(names::BASELINE))?;
            Ok(network)
        })
    }

    /// The one look at the test split; writes `metrics.json`.
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
        let (test, baseline_test) = self.stage(Stage::Evaluate, &[], |problem, dir, device, journal| {
            journal.event(&Event::StageStarted { stage: Stage::Evaluate, steps_total: 0, epochs: 0 });
            let inner = device.clone().inner();
            let seen = evaluation::evaluate(problem, data, network, baseline, &inner)?;
            dir.write_json(names::EVALUATION, &seen)?;
            Ok((seen.searched.metric, seen.baseline.map(|b| b.metric)))
        })?;
        let (config, ledger) = (&self.problem.config, &self.journal.ledger);
        let outcome = Outcome {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: data.name.clone(),
            task: self.problem.task,
            loss: config.loss(self.problem.task),
            metric: self.problem.metric,
            test: Some(test),
            baseline_test,
            validation: self.validation(),
            backbone: architecture.backbone,
            architecture: architecture.kernels.clone(),
            hyperparameters: best,
            params: count_parameters(network),
            baseline_params: baseline.map(count_parameters),
            preset: config.preset,
            seed: config.seed,
            samples: [data.train.len(), data.test.len()],
            seconds: ledger.seconds.clone(),
            notes: limits::notes(&self.problem, &self.journal),
            run_dir: self.dir.path().to_path_buf(),
        };
        self.dir.write_json(names::METRICS, &outcome)?;
        let event = Event::Finished { outcome: Box::new(outcome.clone()) };
        self.journal.event(&event);
        self.journal.check()?;
        self.journal.ledger.finished = true;
        self.journal.save(None)?;
        report::at_the_end(&self.dir, &mut self.journal);
        Ok(outcome)
    }

    /// Runs one stage, or the rest of it, between its events. `wrote` are the files that it
    /// leaves behind.
    fn stage<T>(
        &mut self,
        stage: Stage,
        wrote: &[&str],
        work: impl FnOnce(&Problem, &RunDir, &Device, &mut Journal<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.journal.begin(stage, &self.config)?;
        let result = work(&self.problem, &self.dir, &self.device, &mut self.journal);
        // A log that cannot be written ends a stage as an interruption does; this is why.
        self.journal.check()?;
        let value = result?;
        self.journal.end(stage, wrote)?;
        Ok(value)
    }
}

/// Digest of what a stage that was begun must go on under. Not in it are the bounds on size and speed, which decide
/// nothing before the search is over, so that who finds out only then that they cannot be met may change them; and
/// how many trials run side by side, which decides nothing at all.
fn digest(config: &Config) -> String {
    let mut config = config.clone();
    (config.budget.max_params, config.budget.max_latency) = (0, 0.0);
    config.tune.workers = None;
    sha256(config.to_toml().as_bytes())
}

/// Reads what the search stage left behind.
///
/// # Errors
/// [`Error::MissingStage`] if it has not finished there.
pub fn read_architecture(dir: &RunDir) -> Result<Architecture, Error> {
    read_stage(dir, names::ARCHITECTURE, "search")
}

/// Reads the hyperparameters that tuning chose.
///
/// # Errors
/// [`Error::MissingStage`] if it has not finished there.
pub fn read_tuning(dir: &RunDir) -> Result<Tuning, Error> {
    read_stage(dir, names::TUNING, "tune")
}

fn read_stage<T: serde::de::DeserializeOwned>(
    dir: &RunDir,
    file: &'static str,
    needs: &'static str,
) -> Result<T, Error> {
    if !dir.has(file) {
        return Err(Error::MissingStage { path: dir.path().into(), file, needs });
    }
    dir.read_json(file)
}
