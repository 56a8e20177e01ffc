//! The command line.

mod limits;

use crate::commands::export::ExportArgs;
use crate::commands::infer::BenchInferArgs;
use crate::commands::predict::PredictArgs;
use crate::commands::report::ReportArgs;
use crate::commands::shell::{CompletionsArgs, ManArgs};
use crate::commands::status::StatusArgs;
use crate::commands::tasks::{FetchArgs, TasksArgs};
use crate::read_args::ReadArgs;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand};
use dashnas::bench::Mode;
use dashnas::config::{BackboneName, Formulation, Override, Preset, TaskName, Transform};
use dashnas::task::{Loss, Metric};
use dashnas::tasks;
use std::path::{Path, PathBuf};

/// What `--help` says after the options.
const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    anything not listed here, such as training that diverged
  2    wrong usage of the command line
  3    the data set cannot be read or used
  4    the configuration is wrong or does not go with the data
  5    a file or run directory cannot be read or written
  130  interrupted (Ctrl-C or SIGTERM); the run can be resumed";

/// Finds the convolution kernels that fit a data set, and trains the network made of them.
#[derive(Debug, Parser)]
#[command(name = "dashnas", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// Say less: no progress, only warnings, errors and results.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: every epoch, and where the search stands after it.
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Search, tune, retrain and evaluate: everything from a data set to a trained network.
    #[command(after_help = EXIT_CODES)]
    Run(RunArgs),
    /// Only search for an architecture, into a new run directory.
    #[command(after_help = EXIT_CODES)]
    Search(RunArgs),
    /// Tune the training hyperparameters of a run directory that has been searched.
    #[command(after_help = EXIT_CODES)]
    Tune(StageArgs),
    /// Retrain the searched network of a run directory on all of its training data.
    #[command(after_help = EXIT_CODES)]
    Train(StageArgs),
    /// Read the test split, once, with the trained network of a run directory.
    #[command(after_help = EXIT_CODES)]
    Evaluate(StageArgs),
    /// Predict with a trained model from new data, in the data's own units.
    #[command(after_help = EXIT_CODES)]
    Predict(PredictArgs),
    /// Write a trained model as ONNX, which is run again and compared, or for PyTorch.
    #[command(after_help = EXIT_CODES)]
    Export(ExportArgs),
    /// Make a report of a run, or compare several, as one HTML file.
    #[command(after_help = EXIT_CODES)]
    Report(ReportArgs),
    /// Show where a run stands, while it runs or after.
    #[command(after_help = EXIT_CODES)]
    Status(StatusArgs),
    /// Show what a data set holds and what would be run on it.
    #[command(after_help = EXIT_CODES)]
    Inspect(InspectArgs),
    /// List the paper's tasks that can be learnt, or say all about one.
    #[command(after_help = EXIT_CODES)]
    Tasks(TasksArgs),
    /// Download the files of one of the paper's tasks.
    #[command(after_help = EXIT_CODES)]
    Fetch(FetchArgs),
    /// Time training steps, predictions, or the figures of the paper, on this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print the configuration that the other options lead to, with every key explained.
    #[command(after_help = EXIT_CODES)]
    Config(ConfigArgs),
    /// Print a script that completes commands and options in a shell.
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of all subcommands.
    Man(ManArgs),
}

/// `run` and `search`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A file or folder of data, or a task that `dashnas tasks` lists; `dashnas inspect` says how it is understood.
    /// With --resume only needed if it is no longer where it was.
    #[arg(required_unless_present = "resume")]
    pub data: Option<String>,
    /// Go on with a run that was stopped, from its last checkpoint. Its configuration is in the directory.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "Settings"])]
    pub resume: Option<PathBuf>,
    /// Directory for the results, which must not exist yet [default: runs/NAME-N].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// `tune`, `train` and `evaluate`.
#[derive(Debug, Args)]
pub struct StageArgs {
    /// The run directory.
    pub run: PathBuf,
    /// The data set, if it is no longer where it was.
    pub data: Option<String>,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A file or folder of data, or a task that `dashnas tasks` lists.
    pub data: String,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
}

/// What is timed.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// One training step: forward, backward and optimizer, on random data of a case's shape.
    Step(BenchStepArgs),
    /// The paper's figures 2 and 3: time against the number of operations and the input length, for its
    /// five formulations and for the fastest here. Writes CSV and SVG.
    Figures(BenchFiguresArgs),
    /// A trained model's predictions: latency of single samples, and throughput in batches.
    Infer(BenchInferArgs),
}

/// `bench step`.
#[derive(Debug, Args)]
pub struct BenchStepArgs {
    /// The case: seqmnist, seqmnist1, seqmnist49, ecg, satellite, deepsea, cifar, ninapro, darcy or darcy29.
    #[arg(long)]
    pub case: String,
    /// The network: the supernet by its fastest formulation (dash), by Eq. 3 or Eq. 2 of the paper, the plain
    /// backbone, or a network of wide, dilated kernels (retrain).
    #[arg(long, default_value = "dash", value_parser = PossibleValuesParser::new(Mode::ALL.map(Mode::name)))]
    pub mode: String,
    /// How the mixture is computed in mode dash, instead of the fastest way.
    #[arg(long, value_parser = PossibleValuesParser::new(Formulation::ALL.iter().map(|m| m.name())))]
    pub formulation: Option<String>,
    /// Convolve each channel by itself where input and output channels agree.
    #[arg(long)]
    pub depthwise: bool,
    /// Width factor of 2-D networks [default: 1 in search modes, 4 otherwise].
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub width: Option<u16>,
    /// Samples a step [default: the case's].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub batch: Option<u32>,
    /// Steps timed, after one that is not.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub steps: u16,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `bench figures`.
#[derive(Debug, Args)]
pub struct BenchFiguresArgs {
    /// Folder for the CSV and SVG files; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Samples a step [default: 128, the paper's].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub batch: Option<u32>,
    /// Steps timed at each point, after one that is not.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub steps: u16,
    /// Leave out what is slower: once a step of a formulation takes longer than this, its larger points are skipped.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    pub limit: f64,
    /// How the result is printed and on how many threads it is computed.
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Options of every command that computes.
#[derive(Debug, Args)]
pub struct CommonArgs {
    /// Print the result as JSON.
    #[arg(long)]
    pub json: bool,
    /// Threads to compute on; the result does not depend on it [default: one for each core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
}

/// Options that make up the configuration: a preset, over it a file, over that the other flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Configuration")]
pub struct Settings {
    /// The values to start from [default: the file's, else standard].
    #[arg(long, value_parser = PossibleValuesParser::new(Preset::ALL.map(Preset::name)))]
    preset: Option<String>,
    /// A TOML file; `dashnas config` prints one with every key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Set any key, as in `--set search.epochs=20`; may be given more than once.
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append)]
    set: Vec<String>,
    /// Decides every random choice.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// Kernel sizes to choose from, as in 3,5,7.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    kernel_sizes: Option<Vec<u32>>,
    /// Dilations to choose from, as in 1,3.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    dilations: Option<Vec<u32>>,
    /// The network to search the kernels of.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(BackboneName::ALL.map(BackboneName::name)))]
    backbone: Option<String>,
    /// The kind of task, if not what the data suggests.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(TaskName::ALL.map(TaskName::name)))]
    task: Option<String>,
    /// The training loss.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Loss::ALL.map(Loss::name)))]
    loss: Option<String>,
    /// The test metric.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Metric::ALL.map(Metric::name)))]
    metric: Option<String>,
    /// Learn the data as one of the paper's tasks is learnt; `dashnas tasks` lists them [default: the task itself].
    #[arg(long, value_name = "TASK", value_parser = PossibleValuesParser::new(tasks::ALL.map(|recipe| recipe.name)))]
    recipe: Option<String>,
    /// Folder of a task's files [default: data/TASK].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// What is done to the data after it is read; may be given more than once.
    #[arg(long, value_name = "NAME", action = ArgAction::Append, value_parser = PossibleValuesParser::new(Transform::ALL.map(Transform::name)))]
    transform: Vec<String>,
    /// Do not train the plain backbone for comparison.
    #[arg(long)]
    no_baseline: bool,
    /// Also write event files for TensorBoard into the run directory.
    #[arg(long)]
    tensorboard: bool,
    /// Do not tune; retrain with the values under [retrain].
    #[arg(long)]
    no_tune: bool,
    /// Limits.
    #[command(flatten)]
    limits: limits::Limits,
    /// How files are read.
    #[command(flatten)]
    read: ReadArgs,
}

impl Settings {
    /// Layers preset, recipe, file and flags, where no data is named.
    ///
    /// # Errors
    /// Those of [`dashnas::config::Config::load`].
    pub fn load(&self) -> Result<dashnas::config::Config, dashnas::config::ConfigError> {
        self.load_for("")
    }

    /// Layers preset, the recipe of the task (if `data` is one), file and flags.
    ///
    /// # Errors
    /// Those of [`dashnas::config::Config::load`].
    pub fn load_for(&self, data: &str) -> Result<dashnas::config::Config, dashnas::config::ConfigError> {
        let preset = Preset::ALL.into_iter().find(|preset| self.preset.as_deref() == Some(preset.name()));
        let mut overrides = Vec::new();
        for text in &self.set {
            overrides.push(Override::parse(text, "--set")?);
        }
        let list = |values: &[u32]| values.iter().map(|&v| i64::from(v)).collect::<Vec<_>>();
        overrides.extend(self.seed.map(|n| Override::new("seed", n, "--seed")));
        overrides.extend(
            (self.kernel_sizes.as_deref()).map(|v| Override::new("space.kernel-sizes", list(v), "--kernel-sizes")),
        );
        overrides.extend(self.dilations.as_deref().map(|v| Override::new("space.dilations", list(v), "--dilations")));
        for (value, key, flag) in [
            (&self.backbone, "backbone.name", "--backbone"),
            (&self.task, "task.kind", "--task"),
            (&self.loss, "task.loss", "--loss"),
            (&self.metric, "task.metric", "--metric"),
        ] {
            overrides.extend(value.as_deref().map(|value| Override::new(key, value, flag)));
        }
        overrides.extend(self.read.overrides());
        if self.no_baseline {
            overrides.push(Override::new("baseline.enabled", false, "--no-baseline"));
        }
        if self.tensorboard {
            overrides.push(Override::new("tensorboard", true, "--tensorboard"));
        }
        if self.no_tune {
            overrides.push(Override::new("tune.enabled", false, "--no-tune"));
        }
        overrides.extend(self.limits.overrides());
        // Absolute, so that the run directory finds it again from anywhere.
        let absolute =
            |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        overrides
            .extend(self.data_dir.as_deref().map(|dir| Override::new("task.data-dir", absolute(dir), "--data-dir")));
        if !self.transform.is_empty() {
            overrides.push(Override::new("task.transforms", self.transform.clone(), "--transform"));
        }
        let recipe = tasks::find(self.recipe.as_deref().unwrap_or(data));
        let settings = recipe.map_or(Ok(vec![]), |recipe| recipe.settings(preset.unwrap_or(Preset::Standard)))?;
        dashnas::config::Config::load_over(preset, &settings, self.config.as_deref(), &overrides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

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
        let config = run.settings.load().unwrap();
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
