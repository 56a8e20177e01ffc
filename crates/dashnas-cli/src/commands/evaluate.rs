//! `dashnas evaluate`: the one evaluation of a run on its test split, or the score of its model on new labeled data.

use crate::args::common::CommonArgs;
use crate::args::reading::ReadArgs;
use crate::commands::inputs::warn_of_unlike;
use crate::commands::opened::OpenedRun;
use crate::commands::outputs::source_of;
use crate::commands::scoring::{self, Labeled};
use crate::commands::setup::uninterruptible;
use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use crate::results;
use crate::verbosity::Verbosity;
use clap::Args;
use dashnas::record::outcome::Outcome;
use dashnas::run::load::Loaded;
use dashnas::run_dir::dir::RunDir;
use dashnas::run_dir::names;
use dashnas_nn::model::{Model, count_parameters};
use std::path::{Path, PathBuf};

/// `evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// The run directory.
    pub run: PathBuf,
    /// The data set of the run, if it has moved; --on takes other data.
    #[arg(conflicts_with = "on")]
    pub data: Option<String>,
    /// Compute the metric on new labeled data instead, a file or folder like those of `predict`. The test split of the run
    /// is not read, and its result stays.
    #[arg(long, value_name = "DATA")]
    pub on: Option<String>,
    /// The output format and the number of threads.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Options for reading --on, where it differs from the training data.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// Evaluates the trained network, or prints the result again if that has been done; with `--on`, scores it on new data.
pub fn evaluate(args: &EvaluateArgs, verbosity: Verbosity) -> Result<(), Failure> {
    if let Some(data) = &args.on {
        return on_new_data(args, data, verbosity);
    }
    if let Some(option) = args.read.first_option() {
        let hint = "the data of the run is read as its configuration says".to_owned();
        return Err(Failure::new(Code::Usage, format!("{option} applies only to --on"), Some(hint)));
    }
    let dir = RunDir::open(&args.run)?;
    let open = || -> Result<OpenedRun, Failure> {
        let opened = OpenedRun::open(&args.run, args.data.as_deref(), args.common.threads, verbosity)?;
        opened.check_same()?;
        Ok(opened)
    };
    let open = || {
        open().map_err(|failure| match &args.data {
            Some(data) if failure.code == Code::Data => failure.with_hint(format!(
                "DATA is the data set of the run itself, where it has moved; `dashnas evaluate {} --on {data}` computes \
                 the metric on other labeled data",
                args.run.display()
            )),
            _ => failure,
        })
    };
    let outcome: Outcome = if dir.has(names::METRICS) {
        if args.data.is_some() {
            open()?;
        }
        dir.read_json(names::METRICS)?
    } else {
        open()?.evaluate()?
    };
    if args.common.json {
        return output::print_json(&outcome);
    }
    output::print(&results::result(&outcome, results::race(&dir)?.as_ref()))
}

/// Scores the networks of a run on new data.
fn on_new_data(args: &EvaluateArgs, data: &str, verbosity: Verbosity) -> Result<(), Failure> {
    let dir = RunDir::open(&args.run)?;
    uninterruptible(args.common.threads, verbosity)?;
    let model = Model::load(&args.run)?;
    let labeled = Labeled::read(data, &args.run, model.card(), &args.read, false)?;
    let own =
        source_of(dir.path()).is_some_and(|source| Path::new(data).canonicalize().is_ok_and(|data| data == source));
    if own && labeled.inputs.chosen.is_some() && !dir.has(names::METRICS) {
        let hint = format!("`dashnas evaluate {}` reads them", args.run.display());
        let message = format!("{data} holds the test samples of the run itself, which are read only once");
        return Err(Failure::new(Code::Usage, message, Some(hint)));
    }
    // Where it is the same folder, what is new in it is told apart by its name.
    let partly = labeled.in_training.iter().any(|seen| seen.number < seen.of);
    if own && labeled.inputs.chosen.is_none() && !partly {
        tracing::warn!("{data} is the data that the run was trained on: the score says nothing about new data");
    } else {
        labeled.warn_of_training();
    }
    warn_of_unlike(data, model.card(), &labeled.inputs.x)?;
    // Files are read relative to the centers of the model.
    let scores = model.of_centered().scores(&labeled.inputs.x)?;
    let plain = dir.has(names::BASELINE).then(|| Model::load(dir.file(names::BASELINE))).transpose()?;
    let of_plain = plain.as_ref().map(|plain| plain.of_centered().scores(&labeled.inputs.x)).transpose()?;
    let run = Loaded::read(&dir)?;
    let score = labeled.score(model.card(), &scores, of_plain.as_ref(), run.data.guess.as_deref())?;
    if args.common.json {
        return output::print_json(&score);
    }
    let outcome = Outcome {
        test: Some(score.value),
        baseline_test: score.baseline,
        baseline_params: plain.as_ref().map(|plain| count_parameters(plain.network())),
        judgement: Some(score.judgement),
        weighted: score.weighted,
        samples: [model.card().training.samples, score.samples],
        ..Outcome::untested(model.card(), count_parameters(model.network()), run.choice())
    };
    let said = match (own, dir.has(names::METRICS)) {
        (true, true) => "This is the data of the run itself; its own test result stays as it is",
        (true, false) => "This is the data of the run itself, which is still to be evaluated",
        (false, true) => "The test split of the run was not read; its own test result stays as it is",
        (false, false) => "The test split of the run was not read; it is still to be evaluated",
    };
    output::print(&format!("{}\n\n{}\n{said}.\n", scoring::title(&score), results::on_new_data(&outcome)))
}
