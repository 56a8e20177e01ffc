//! The whole of DASH (Algorithm 1) over a run directory: search, tune, retrain, evaluate, each
//! also by itself.

use crate::architecture::Architecture;
use crate::config::Config;
use crate::data::{Dataset, Split, Targets};
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::model::{Artefact, ModelCard, Training, count_parameters, parameters};
use crate::network::Network;
use crate::outcome::Hyperparameters;
use crate::outcome::Outcome;
use crate::problem::{HeldOut, Problem};
use crate::retrain::{self, retrain};
use crate::run_dir::{Log, RunDir, names};
use crate::tune::{self, Progress, Tuning};
use burn::module::Module;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

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
}

impl DataRecord {
    /// Describes a data set read from `source`.
    pub fn new(source: &str, data: &Dataset) -> Self {
        let mut hash = Sha256::new();
        let mut add = |split: &Split| {
            hash.update(bytemuck::cast_slice(&split.x.data));
            match &split.y {
                Targets::Classes(labels) => hash.update(bytemuck::cast_slice(labels)),
                Targets::Values(values) => hash.update(bytemuck::cast_slice(&values.data)),
            }
        };
        add(&data.train);
        data.val.iter().for_each(&mut add);
        add(&data.test);
        let fingerprint = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let samples = [data.train.len(), data.val.as_ref().map_or(0, Split::len), data.test.len()];
        Self { source: source.into(), name: data.name.clone(), fingerprint, samples }
    }
}

/// A run under way: its directory, problem and log.
pub struct Run<'a> {
    data: &'a Dataset,
    dir: RunDir,
    problem: Problem,
    device: Device,
    log: Log,
    observer: &'a mut dyn Observer,
    seconds: BTreeMap<Stage, f64>,
    /// Validation metric of the best trial.
    validation: Option<f64>,
}

/// Sends every event to the caller and all but the single steps to `events.jsonl`.
struct Recorder<'a> {
    log: &'a mut Log,
    observer: &'a mut dyn Observer,
    failed: Option<Error>,
}

impl Observer for Recorder<'_> {
    fn event(&mut self, event: &Event) {
        if !matches!(event, Event::Step { .. })
            && let Err(e) = self.log.append(event)
        {
            self.failed.get_or_insert(e);
        }
        self.observer.event(event);
    }

    fn cancelled(&self) -> bool {
        // A log that cannot be written ends the run at the next step; the stage reports why.
        self.failed.is_some() || self.observer.cancelled()
    }
}

impl<'a> Run<'a> {
    /// Starts a run in a new directory. The data and the configuration are checked against each
    /// other before anything is made.
    ///
    /// # Errors
    /// [`Error::Config`] and its kin before the directory exists; [`Error::RunDirExists`] and
    /// [`Error::Io`] from making it.
    pub fn start(
        config: &Config,
        source: &str,
        data: &'a Dataset,
        out: &Path,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let problem = Problem::new(config, data)?;
        let dir = RunDir::create(out)?;
        // The resolved configuration, so that the later stages and a reader see what was run.
        dir.write_json(names::DATA, &DataRecord::new(source, data))?;
        dir.write(names::CONFIG, problem.config.to_toml().as_bytes())?;
        Self::over(problem, dir, data, observer)
    }

    /// Continues in a directory that an earlier stage left behind.
    ///
    /// # Errors
    /// [`Error::NotARunDir`], [`Error::OtherData`] if the data is not what the run started on,
    /// and those of reading the files.
    pub fn open(
        dir: RunDir,
        config: &Config,
        data: &'a Dataset,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, Error> {
        let record: DataRecord = dir.read_json(names::DATA)?;
        let given = DataRecord::new(&record.source, data);
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
        Self::over(Problem::new(config, data)?, dir, data, observer)
    }

    fn over(problem: Problem, dir: RunDir, data: &'a Dataset, observer: &'a mut dyn Observer) -> Result<Self, Error> {
        let log = dir.log(names::EVENTS)?;
        Ok(Self {
            data,
            dir,
            problem,
            device: Device::flex().autodiff(),
            log,
            observer,
            seconds: BTreeMap::new(),
            validation: None,
        })
    }

    /// The run directory.
    pub fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// The whole pipeline: search, tune, retrain, the plain backbone under the same budget
    /// unless switched off, and one look at the test split.
    ///
    /// # Errors
    /// Those of the stages.
    pub fn all(mut self) -> Result<Outcome, Error> {
        let architecture = self.search()?;
        let best = self.tuned(&architecture)?;
        let network = self.train(&architecture, best)?;
        let baseline = if self.problem.config.baseline.enabled { Some(self.baseline()?) } else { None };
        self.evaluate(&architecture, best, &network, baseline.as_ref())
    }

    /// The search stage.
    ///
    /// # Errors
    /// Those of [`crate::search::search`].
    pub fn search(&mut self) -> Result<Architecture, Error> {
        self.stage(Stage::Search, |problem, dir, device, observer| {
            crate::search::search(problem, dir, device, observer)
        })
    }

    /// The tuning stage, or the untuned hyperparameters if it is switched off.
    fn tuned(&mut self, architecture: &Architecture) -> Result<Hyperparameters, Error> {
        if self.problem.config.tune.enabled {
            Ok(self.tune(architecture)?.best)
        } else {
            Ok(Hyperparameters::untuned(&self.problem))
        }
    }

    /// The tuning stage; writes `tuning.json`.
    ///
    /// # Errors
    /// [`Error::AllTrialsFailed`] if no trial gave a score, and those of the training loop.
    pub fn tune(&mut self, architecture: &Architecture) -> Result<Tuning, Error> {
        let tuning = self.stage(Stage::Tune, |problem, dir, device, observer| {
            let (trials, steps) = tune::grid_size(problem);
            let mut progress = Progress { stage: Stage::Tune, done: 0, total: trials as u64 * steps };
            observer.event(&Event::StageStarted {
                stage: Stage::Tune,
                steps_total: progress.total,
                epochs: problem.config.tune.epochs,
            });
            let tuning = tune::tune(problem, &architecture.kernels, &mut progress, device, observer)?;
            dir.write_json(names::TUNING, &tuning)?;
            Ok(tuning)
        })?;
        self.validation = tuning.best_score().map(|s| s.metric);
        Ok(tuning)
    }

    /// The retraining stage: the discretized network on all training data, the model of the last
    /// epoch. Writes `model.dashnas`.
    ///
    /// # Errors
    /// Those of the training loop and of writing the files.
    pub fn train(&mut self, architecture: &Architecture, best: Hyperparameters) -> Result<Network, Error> {
        let (data, classes) = (self.data.name.clone(), self.data.classes.clone());
        let validation = self.validation;
        self.stage(Stage::Retrain, |problem, dir, device, observer| {
            let (epochs, total) = retrain::size(problem);
            observer.event(&Event::StageStarted { stage: Stage::Retrain, steps_total: total, epochs });
            let progress = Progress { stage: Stage::Retrain, done: 0, total };
            let network = retrain(problem, &architecture.kernels, best, &progress, device, observer)?;
            let card = ModelCard {
                data,
                task: problem.task,
                loss: problem.config.loss(problem.task),
                metric: problem.metric,
                classes,
                input: problem.train.input(),
                architecture: architecture.clone(),
                plan: network.plan().clone(),
                inputs: problem.inputs.clone(),
                targets: problem.targets.clone(),
                training: Training {
                    version: env!("CARGO_PKG_VERSION").into(),
                    preset: problem.config.preset,
                    seed: problem.config.seed,
                    samples: problem.train.len(),
                    hyperparameters: best,
                    validation,
                },
            };
            let network = network.valid();
            Artefact { card, parameters: parameters(&network) }.write(&dir.file(names::MODEL))?;
            Ok(network)
        })
    }

    /// The plain backbone, given the same budget after the search: the same tuning over the same
    /// grid, the same retraining, the same random streams.
    fn baseline(&mut self) -> Result<Network, Error> {
        self.stage(Stage::Baseline, |problem, _, device, observer| {
            let kernels = crate::architecture::plan(problem, problem.config.backbone.width).plain();
            let tuned = problem.config.tune.enabled;
            let (epochs, retraining) = retrain::size(problem);
            let (trials, steps) = tune::grid_size(problem);
            let tuning = if tuned { trials as u64 * steps } else { 0 };
            let mut progress = Progress { stage: Stage::Baseline, done: 0, total: tuning + retraining };
            observer.event(&Event::StageStarted { stage: Stage::Baseline, steps_total: progress.total, epochs });
            let best = if tuned {
                tune::tune(problem, &kernels, &mut progress, device, observer)?.best
            } else {
                Hyperparameters::untuned(problem)
            };
            // Tuning may have ended early; the rest of the steps are retraining's.
            progress.done = tuning;
            Ok(retrain(problem, &kernels, best, &progress, device, observer)?.valid())
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
        let (test, baseline_test) = self.stage(Stage::Evaluate, |problem, _, device, observer| {
            observer.event(&Event::StageStarted { stage: Stage::Evaluate, steps_total: 0, epochs: 0 });
            let inner = device.clone().inner();
            let samples = problem.test_samples(data);
            let held = HeldOut { samples: &samples, truth: &data.test.y, rows: (0..samples.len()).collect() };
            let test = problem.metric_of(network, &held, &inner)?;
            let baseline_test = baseline.map(|b| problem.metric_of(b, &held, &inner)).transpose()?;
            Ok((test, baseline_test))
        })?;
        let config = &self.problem.config;
        let outcome = Outcome {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: data.name.clone(),
            task: self.problem.task,
            loss: config.loss(self.problem.task),
            metric: self.problem.metric,
            test: Some(test),
            baseline_test,
            validation: self.validation,
            backbone: architecture.backbone,
            architecture: architecture.kernels.clone(),
            hyperparameters: best,
            params: count_parameters(network),
            baseline_params: baseline.map(count_parameters),
            preset: config.preset,
            seed: config.seed,
            samples: [data.train.len(), data.test.len()],
            seconds: self.seconds.clone(),
            run_dir: self.dir.path().to_path_buf(),
        };
        self.dir.write_json(names::METRICS, &outcome)?;
        let event = Event::Finished { outcome: Box::new(outcome.clone()) };
        self.log.append(&event)?;
        self.observer.event(&event);
        Ok(outcome)
    }

    /// Runs one stage between its events, timed.
    fn stage<T>(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&Problem, &RunDir, &Device, &mut dyn Observer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let mut recorder = Recorder { log: &mut self.log, observer: &mut *self.observer, failed: None };
        let result = work(&self.problem, &self.dir, &self.device, &mut recorder);
        let seconds = started.elapsed().as_secs_f64();
        if result.is_ok() {
            recorder.event(&Event::StageFinished { stage, seconds });
        }
        if let Some(e) = recorder.failed {
            return Err(e);
        }
        let value = result?;
        *self.seconds.entry(stage).or_default() += seconds;
        Ok(value)
    }
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
