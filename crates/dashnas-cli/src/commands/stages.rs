//! `dashnas tune`, `train` and `evaluate`: what goes on in a run directory.

use super::{prepare, source};
use crate::args::StageArgs;
use crate::failure::{Code, Failure};
use crate::output;
use crate::progress::{Progress, Verbosity};
use crate::report;
use dashnas::config::Config;
use dashnas::data::Dataset;
use dashnas::model::{Model, count_parameters};
use dashnas::outcome::{Hyperparameters, Outcome};
use dashnas::pipeline::{DataRecord, Run, read_architecture, read_tuning};
use dashnas::run_dir::{RunDir, names};
use serde::Serialize;
use std::path::PathBuf;

/// Tries the grid of training hyperparameters.
pub fn tune(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let mut stage = Stage::open(args, verbosity)?;
    stage.refuse_evaluated()?;
    let architecture = read_architecture(&stage.dir)?;
    let metric = stage.config.metric(stage.data.task);
    let tuning = stage.run()?.tune(&architecture)?;
    if args.common.json {
        return output::print_json(&tuning);
    }
    let next = format!("Next: dashnas train {}\n", stage.dir.path().display());
    output::print(&(report::tuning(&tuning, metric) + &next))
}

/// Trains the searched network on all of the training data.
pub fn train(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let mut stage = Stage::open(args, verbosity)?;
    stage.refuse_evaluated()?;
    let architecture = read_architecture(&stage.dir)?;
    let best = stage.hyperparameters()?;
    let network = stage.run()?.train(&architecture, best)?;
    let trained =
        Trained { hyperparameters: best, params: count_parameters(&network), run_dir: stage.dir.path().to_owned() };
    if args.common.json {
        return output::print_json(&trained);
    }
    output::print(&format!(
        "Trained {} parameters with {}.\nModel: {}\nNext: dashnas evaluate {}\n",
        trained.params,
        report::hyperparameters(&best),
        stage.dir.file(names::MODEL).display(),
        stage.dir.path().display(),
    ))
}

/// What `dashnas train --json` prints.
#[derive(Serialize)]
struct Trained {
    hyperparameters: Hyperparameters,
    params: u64,
    run_dir: PathBuf,
}

/// Reads the test split, or repeats what was found when it was read.
pub fn evaluate(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    let outcome = if dir.has(names::METRICS) {
        dir.read_json(names::METRICS)?
    } else {
        let mut stage = Stage::open(args, verbosity)?;
        stage.evaluate()?
    };
    if args.common.json { output::print_json(&outcome) } else { output::print(&report::report(&outcome)) }
}

/// A run directory with its configuration and data.
struct Stage {
    dir: RunDir,
    config: Config,
    data: Dataset,
    progress: Progress,
}

impl Stage {
    fn open(args: &StageArgs, verbosity: Verbosity) -> Result<Self, Failure> {
        let dir = RunDir::open(&args.run)?;
        let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
        let record: DataRecord = dir.read_json(names::DATA)?;
        let mut progress = prepare(args.common.threads, verbosity)?;
        let data = source::load(args.data.as_deref().unwrap_or(&record.source), &config, &mut progress)?;
        Ok(Self { dir, config, data, progress })
    }

    fn run(&mut self) -> Result<Run<'_>, dashnas::Error> {
        Run::open(self.dir.clone(), &self.config, &self.data, &mut self.progress)
    }

    /// Training again after a look at the test split would let it choose between models.
    fn refuse_evaluated(&self) -> Result<(), Failure> {
        if !self.dir.has(names::METRICS) {
            return Ok(());
        }
        Err(Failure::new(
            Code::Files,
            format!("{} has been evaluated: its test split is read once, after training", self.dir.path().display()),
            Some("start a new run with `dashnas search` or `dashnas run`".to_owned()),
        ))
    }

    /// The tuner's choice, or the configuration's own values where tuning is switched off.
    fn hyperparameters(&self) -> Result<Hyperparameters, dashnas::Error> {
        if self.config.tune.enabled || self.dir.has(names::TUNING) {
            return Ok(read_tuning(&self.dir)?.best);
        }
        let retrain = &self.config.retrain;
        Ok(Hyperparameters {
            lr: self.config.retrain_lr(self.data.task),
            weight_decay: retrain.weight_decay,
            momentum: retrain.momentum,
            dropout: retrain.dropout,
        })
    }

    fn evaluate(&mut self) -> Result<Outcome, dashnas::Error> {
        let architecture = read_architecture(&self.dir)?;
        let best = self.hyperparameters()?;
        if !self.dir.has(names::MODEL) {
            let path = self.dir.path().to_owned();
            return Err(dashnas::Error::MissingStage { path, file: names::MODEL, needs: "train" });
        }
        let model = Model::load(self.dir.path())?;
        self.run()?.evaluate(&architecture, best, model.network(), None)
    }
}
