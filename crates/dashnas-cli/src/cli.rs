//! The command line as a whole: the global options and the subcommands.

use crate::commands::bench::figures::BenchFiguresArgs;
use crate::commands::bench::infer::BenchInferArgs;
use crate::commands::bench::search::BenchSearchArgs;
use crate::commands::bench::step::BenchStepArgs;
use crate::commands::compare::CompareArgs;
use crate::commands::config::ConfigArgs;
use crate::commands::evaluate::EvaluateArgs;
use crate::commands::export::ExportArgs;
use crate::commands::inspect::InspectArgs;
use crate::commands::predict::PredictArgs;
use crate::commands::report::ReportArgs;
use crate::commands::shell::{CompletionsArgs, ManArgs};
use crate::commands::stages::StageArgs;
use crate::commands::start::{RunArgs, StartArgs};
use crate::commands::status::StatusArgs;
use crate::commands::tasks::{FetchArgs, TasksArgs};
use crate::verbosity::Verbosity;
use clap::{Parser, Subcommand};

/// The end of every `--help`.
const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    any error that is not listed here, such as training that diverged
  2    wrong usage of the command line
  3    the data set cannot be read or used
  4    the configuration is invalid or does not fit the data
  5    a file or run directory cannot be read or written
  130  interrupted (Ctrl-C or SIGTERM); the run can be resumed";

/// Searches for the convolution kernels that fit a data set, and trains the network that has them.
#[derive(Debug, Parser)]
#[command(name = "dashnas", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// Print less: no progress, only warnings, errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print more: a line for every epoch, and the leading kernels of the search.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Search, tune, retrain and evaluate: everything from a data set to a trained network.
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Only search for an architecture, in a new run directory.
    #[command(after_help = EXIT_CODES)]
    Search(StartArgs),
    /// Tune the training hyperparameters in a run directory with a finished search.
    #[command(after_help = EXIT_CODES)]
    Tune(StageArgs),
    /// Train the searched network of a run directory on all of its training data.
    #[command(after_help = EXIT_CODES)]
    Train(StageArgs),
    /// Evaluate the trained network of a run directory on the test split, which is read only once, or on new labeled data.
    #[command(after_help = EXIT_CODES)]
    Evaluate(EvaluateArgs),
    /// Predict with a trained model on new data, in the units of the data.
    #[command(after_help = EXIT_CODES)]
    Predict(PredictArgs),
    /// Export a trained model to ONNX, verified against the model, or to PyTorch.
    #[command(after_help = EXIT_CODES)]
    Export(ExportArgs),
    /// Write the report of a run or of a bench of the search, or a comparison of several runs, as one HTML file.
    #[command(after_help = EXIT_CODES)]
    Report(ReportArgs),
    /// Compare methods on one data set: the paper's, its baselines and others, each with several seeds, on the same split
    /// and with the same budget. A time limit is that of each run.
    #[command(after_help = EXIT_CODES)]
    Compare(Box<CompareArgs>),
    /// Show the state of a run, while it runs or afterwards.
    #[command(after_help = EXIT_CODES)]
    Status(StatusArgs),
    /// Describe a data set and the run that it would lead to.
    #[command(after_help = EXIT_CODES)]
    Inspect(InspectArgs),
    /// List the tasks of the paper, or describe one of them.
    #[command(after_help = EXIT_CODES)]
    Tasks(TasksArgs),
    /// Download the files of a task of the paper.
    #[command(after_help = EXIT_CODES)]
    Fetch(FetchArgs),
    /// Measure training steps, predictions, the figures of the paper, or the search.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print the configuration that the given options lead to, with an explanation of every key.
    #[command(after_help = EXIT_CODES)]
    Config(ConfigArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
    /// Print the manual page, or write the manual pages of all subcommands.
    Man(ManArgs),
}

impl Cli {
    /// The verbosity that the global options ask for.
    pub fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        }
    }
}

/// The subcommands of `bench`.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Measure one training step: forward, backward and optimizer, on random data with the shape of a case.
    Step(BenchStepArgs),
    /// Measure figures 2 and 3 of the paper: time against the number of operations and the input length, for its five
    /// formulations and for the fastest one on this machine. Writes CSV and SVG files.
    Figures(BenchFiguresArgs),
    /// Measure the predictions of a trained model: the latency of single samples, and the throughput of batches.
    Infer(BenchInferArgs),
    /// Measure the search: the networks that it finds against random ones of the same space, tuned and trained alike. A
    /// bench that was interrupted is continued by the same command.
    #[command(after_help = EXIT_CODES)]
    Search(Box<BenchSearchArgs>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use dashnas_core::names::{BackboneName, Preset, TaskName};
    use dashnas_core::task::{Loss, Metric};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let line = "dashnas run darcy-flow --preset quick --seed 3 --kernel-sizes 3,5 --dilations 2 --backbone wrn-2d \
                    --task regression --loss mse --metric mae --no-baseline --no-tune --tensorboard --set search.epochs=5 --max-params 20k \
                    --max-latency 1.5";
        let Command::Run(run) = Cli::parse_from(line.split_whitespace()).command else { panic!("run") };
        let config = run.start.settings.load().unwrap();
        let mut expected = dashnas::config::Config::preset(Preset::Quick);
        expected.seed = 3;
        expected.space.kernel_sizes = Some(vec![3, 5]);
        expected.space.dilations = Some(vec![2]);
        expected.backbone.name = Some(BackboneName::Wrn2d);
        expected.task.kind = Some(TaskName::Regression);
        expected.task.loss = Some(Loss::Mse);
        expected.task.metric = Some(Metric::Mae);
        expected.baseline.enabled = false;
        expected.tune.enabled = false;
        expected.tensorboard = true;
        expected.search.epochs = 5;
        expected.budget.max_params = 20_000;
        expected.budget.max_latency = 1.5;
        assert_eq!(config, expected);
    }
}
