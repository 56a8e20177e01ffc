//! `dashnas tune`, `train` and `evaluate`: what goes on in a run directory.

use super::{prepare, source};
use crate::args::StageArgs;
use crate::failure::{Code, Failure};
use crate::output;
use crate::progress::{Progress, Verbosity};
use crate::report;
use dashnas::config::Config;
use dashnas::data::{Dataset, Understanding};
use dashnas::model::{Model, count_parameters};
use dashnas::outcome::{Hyperparameters, Outcome};
use dashnas::pipeline::{DataRecord, Run, read_architecture};
use dashnas::run_dir::{RunDir, names};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Tries the grid of training hyperparameters.
pub fn tune(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let mut opened = Opened::to_train(args, verbosity)?;
    let architecture = read_architecture(&opened.dir)?;
    let metric = opened.config.metric(opened.data.task);
    let tuning = opened.run()?.tune(&architecture).map_err(|e| stopped(e, "tune", &args.run))?;
    if args.common.json {
        return output::print_json(&tuning);
    }
    let next = format!("Next: dashnas train {}\n", args.run.display());
    output::print(&(report::tuning(&tuning, metric) + &next))
}

/// Trains the searched network on all of the training data.
pub fn train(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let mut opened = Opened::to_train(args, verbosity)?;
    let architecture = read_architecture(&opened.dir)?;
    let mut run = opened.run()?;
    let best = run.hyperparameters()?;
    let network = run.train(&architecture, best).map_err(|e| stopped(e, "train", &args.run))?;
    let trained = Trained { hyperparameters: best, params: count_parameters(&network), run_dir: args.run.clone() };
    if args.common.json {
        return output::print_json(&trained);
    }
    output::print(&format!(
        "Trained {} parameters with {}.\nModel: {}\nNext: dashnas evaluate {}\n",
        trained.params,
        report::hyperparameters(&best),
        run.dir().file(names::MODEL).display(),
        args.run.display(),
    ))
}

/// An error of a stage, with how to go on where that is possible.
fn stopped(error: dashnas::Error, stage: &str, dir: &Path) -> Failure {
    match error {
        dashnas::Error::Interrupted => {
            let hint = format!("go on with `dashnas {stage} {}`", dir.display());
            Failure::new(Code::Interrupted, error, Some(hint))
        }
        error => error.into(),
    }
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
        let mut opened = Opened::open(&args.run, args.data.as_deref(), args.common.threads, verbosity)?;
        opened.evaluate()?
    };
    if args.common.json { output::print_json(&outcome) } else { output::print(&report::report(&outcome)) }
}

/// A run directory with its configuration and data.
pub(super) struct Opened {
    dir: RunDir,
    config: Config,
    data: Dataset,
    /// How long the data took to read.
    read_in: Duration,
    progress: Progress,
}

impl Opened {
    /// Opens a run directory and reads its data, from elsewhere if `data` says so.
    pub(super) fn open(
        run: &Path,
        data: Option<&str>,
        threads: Option<u16>,
        verbosity: Verbosity,
    ) -> Result<Self, Failure> {
        let dir = RunDir::open(run)?;
        let config = Config::load(None, Some(&dir.file(names::CONFIG)), &[])?;
        let record: DataRecord = dir.read_json(names::DATA)?;
        let mut progress = prepare(threads, verbosity)?;
        let since = Instant::now();
        let data = source::load(data.unwrap_or(&record.source), &config, &mut progress)?;
        Ok(Self { dir, config, data, read_in: since.elapsed(), progress })
    }

    /// The same for a stage that trains. Training again after a look at the test split would let it choose
    /// between models.
    fn to_train(args: &StageArgs, verbosity: Verbosity) -> Result<Self, Failure> {
        let dir = RunDir::open(&args.run)?;
        if dir.has(names::METRICS) {
            return Err(Failure::new(
                Code::Files,
                format!("{} has been evaluated: its test split is read once, after training", args.run.display()),
                Some("start a new run with `dashnas search` or `dashnas run`".to_owned()),
            ));
        }
        Self::open(&args.run, args.data.as_deref(), args.common.threads, verbosity)
    }

    /// Says what the data was understood to be.
    pub(super) fn understood(&self) -> Understanding {
        let understood = self.data.understood().under(&self.config);
        self.progress.tell(&understood.to_string());
        understood
    }

    /// The run, where it was left.
    pub(super) fn run(&mut self) -> Result<Run<'_>, dashnas::Error> {
        let mut run = Run::open(self.dir.clone(), &self.config, &self.data, &mut self.progress)?;
        crate::logging::into(run.dir());
        run.data_read_in(self.read_in);
        Ok(run)
    }

    fn evaluate(&mut self) -> Result<Outcome, dashnas::Error> {
        let architecture = read_architecture(&self.dir)?;
        if !self.dir.has(names::MODEL) {
            let path = self.dir.path().to_owned();
            return Err(dashnas::Error::MissingStage { path, file: names::MODEL, needs: "train" });
        }
        let model = Model::load(self.dir.path())?;
        let mut run = self.run()?;
        let best = run.hyperparameters()?;
        run.evaluate(&architecture, best, model.network(), None)
    }
}
