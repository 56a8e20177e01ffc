//! `dashnas tune` and `dashnas train`: the stages after the search, one by one.

use crate::args::common::CommonArgs;
use crate::commands::opened::OpenedRun;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::results;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::run::results::read_architecture;
use dashnas::run_dir::names;
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_nn::model::count_parameters;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// `tune` and `train`.
#[derive(Debug, Args)]
pub struct StageArgs {
    /// The run directory.
    pub run: PathBuf,
    /// The data set, if it has moved.
    pub data: Option<String>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Tunes the training hyperparameters.
pub fn tune(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let mut opened = OpenedRun::open_to_train(&args.run, args.data.as_deref(), args.common.threads, verbosity)?;
    if !opened.config.tune.enabled {
        let hint = format!("train the network with `dashnas train {}`", args.run.display());
        return Err(Failure::new(Code::Config, "the configuration of the run has no tuning", Some(hint)));
    }
    let architecture = read_architecture(&opened.dir)?;
    let metric = opened.config.metric(opened.data.task);
    let tuning = opened.run()?.tune(&architecture).map_err(|e| stopped(e, "tune", &args.run))?;
    if args.common.json {
        return output::print_json(&tuning);
    }
    let next = format!("Next: dashnas train {}\n", args.run.display());
    output::print(&(results::tuning(&tuning, metric) + &next))
}

/// Trains the searched network on all of the training data.
pub fn train(args: &StageArgs, verbosity: Verbosity) -> Result<(), Failure> {
    let mut opened = OpenedRun::open_to_train(&args.run, args.data.as_deref(), args.common.threads, verbosity)?;
    let architecture = read_architecture(&opened.dir)?;
    let mut run = opened.run()?;
    let best = run.hyperparameters()?;
    let network = run.train(&architecture, best).map_err(|e| stopped(e, "train", &args.run))?;
    let trained = Trained { hyperparameters: best, params: count_parameters(&network), run_dir: args.run.clone() };
    if args.common.json {
        return output::print_json(&trained);
    }
    output::print(&format!(
        "Trained a network of {} parameters with {}.\nModel: {}\nNext: dashnas evaluate {}\n",
        trained.params,
        results::hyperparameters(&best),
        run.dir().file(names::MODEL).display(),
        args.run.display(),
    ))
}

/// The failure of a stage, with the command that resumes it where that is possible.
fn stopped(error: dashnas::Error, stage: &str, dir: &Path) -> Failure {
    match error {
        dashnas::Error::Interrupted => {
            let hint = format!("resume it with `dashnas {stage} {}`", dir.display());
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
