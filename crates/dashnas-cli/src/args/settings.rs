//! Options that set keys of the configuration.

use crate::args::flags::flag;
use crate::args::limits::Limits;
use crate::args::numbers::{positive, whole};
use crate::args::reading::ReadArgs;
use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args};
use dashnas::config::Config;
use dashnas::config::error::ConfigError;
use dashnas::config::layers::Override;
use dashnas_core::names::{BackboneName, Preset, TaskName};
use dashnas_core::task::{Loss, Metric};
use dashnas_data::transform::kind::Transform;
use dashnas_tasks::recipes;
use std::path::{Path, PathBuf};

/// Options that make up the configuration: a preset, a file over it, and the other options over both.
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
    /// The seed of all random numbers; the same seed gives the same result.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<i64>())]
    seed: Option<i64>,
    /// The kernel sizes to choose from, as in 3,5,7. The plain network keeps its own, and takes part in a race.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = whole::<u32>())]
    kernel_sizes: Option<Vec<u32>>,
    /// The dilations to choose from, as in 1,3.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = whole::<u32>())]
    dilations: Option<Vec<u32>>,
    /// The network whose kernels are searched.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(BackboneName::ALL.map(BackboneName::name)))]
    backbone: Option<String>,
    /// The kind of task [default: derived from the data].
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(TaskName::ALL.map(TaskName::name)))]
    task: Option<String>,
    /// The training loss.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Loss::ALL.map(Loss::name)))]
    loss: Option<String>,
    /// The test metric.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Metric::ALL.map(Metric::name)))]
    metric: Option<String>,
    /// Use the settings of one of the paper's tasks, which `dashnas tasks` lists [default: those of the task itself].
    #[arg(long, value_name = "TASK", value_parser = PossibleValuesParser::new(recipes::ALL.map(|recipe| recipe.name)))]
    recipe: Option<String>,
    /// The folder with a task's files [default: data/TASK].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// A transform of the data after it is read; may be given more than once.
    #[arg(long, value_name = "NAME", action = ArgAction::Append, value_parser = PossibleValuesParser::new(Transform::ALL.map(Transform::name)))]
    transform: Vec<String>,
    /// Use only the first N training samples [default: all].
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = positive::<u32>())]
    train_samples: Option<u32>,
    /// Do not train the plain network for comparison.
    #[arg(long)]
    no_baseline: bool,
    /// Also write event files for TensorBoard into the run directory.
    #[arg(long)]
    tensorboard: bool,
    /// Do not tune the training hyperparameters; retrain with the values of the section [retrain].
    #[arg(long)]
    no_tune: bool,
    /// Limits on time, memory, size and latency.
    #[command(flatten)]
    limits: Limits,
    /// Options that say how files are read.
    #[command(flatten)]
    read: ReadArgs,
}

/// An option that contradicts a recorded configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    /// The option.
    pub option: String,
    /// Its key, and the value that is recorded; `None` for an option that stands for many keys.
    pub recorded: Option<(String, String)>,
}

impl Settings {
    /// Whether a `--set` sets a key.
    pub fn sets(&self, key: &str) -> bool {
        self.set.iter().any(|text| text.split_once('=').is_some_and(|(name, _)| name.trim() == key))
    }

    /// The configuration of preset, file and options, where no data set is given.
    ///
    /// # Errors
    /// Those of [`Config::load`].
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.load_for("")
    }

    /// The configuration of preset, the recipe of the task if `data` names one, file and options.
    ///
    /// # Errors
    /// Those of [`Config::load`].
    pub fn load_for(&self, data: &str) -> Result<Config, ConfigError> {
        let preset = self.preset();
        let recipe = recipes::find(self.recipe.as_deref().unwrap_or(data));
        let settings =
            recipe.map_or(Ok(vec![]), |recipe| Override::of_recipe(recipe, preset.unwrap_or(Preset::Standard)))?;
        Config::load_over(preset, &settings, self.config.as_deref(), &self.overrides()?)
    }

    fn preset(&self) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| self.preset.as_deref() == Some(preset.name()))
    }

    /// The first option that contradicts the configuration in a file, with the value there, if there is one.
    ///
    /// # Errors
    /// Those of [`Config::load`].
    pub fn contradiction(&self, file: &Path) -> Result<Option<Contradiction>, ConfigError> {
        let recorded = Config::load(None, Some(file), &[])?;
        let whole = [("--config", self.config.is_some()), ("--recipe", self.recipe.is_some())];
        if let Some((option, _)) = whole.into_iter().find(|(_, given)| *given) {
            return Ok(Some(Contradiction { option: option.to_owned(), recorded: None }));
        }
        if self.preset().is_some_and(|preset| preset != recorded.preset) {
            let recorded = recorded.value("preset").map(|value| ("preset".to_owned(), value));
            return Ok(Some(Contradiction { option: flag("preset").to_owned(), recorded }));
        }
        for given in self.overrides()? {
            let (key, option) = (given.key.clone(), given.origin.clone());
            if Config::load(None, Some(file), &[given])? != recorded {
                let recorded = recorded.value(&key).map(|value| (key, value));
                return Ok(Some(Contradiction { option, recorded }));
            }
        }
        Ok(None)
    }

    /// The keys that the options set.
    fn overrides(&self) -> Result<Vec<Override>, ConfigError> {
        let mut overrides = Vec::new();
        for text in &self.set {
            overrides.push(Override::parse(text, "--set")?);
        }
        let list = |values: &[u32]| values.iter().map(|&v| i64::from(v)).collect::<Vec<_>>();
        overrides.extend(self.seed.map(|n| Override::new("seed", n, flag("seed"))));
        for (values, key) in [(&self.kernel_sizes, "space.kernel-sizes"), (&self.dilations, "space.dilations")] {
            overrides.extend(values.as_deref().map(|values| Override::new(key, list(values), flag(key))));
        }
        for (value, key) in [
            (&self.backbone, "backbone.name"),
            (&self.task, "task.kind"),
            (&self.loss, "task.loss"),
            (&self.metric, "task.metric"),
        ] {
            overrides.extend(value.as_deref().map(|value| Override::new(key, value, flag(key))));
        }
        overrides.extend(self.read.overrides());
        for (given, key, value) in [
            (self.no_baseline, "baseline.enabled", false),
            (self.tensorboard, "tensorboard", true),
            (self.no_tune, "tune.enabled", false),
        ] {
            overrides.extend(given.then(|| Override::new(key, value, flag(key))));
        }
        overrides.extend(self.limits.overrides());
        // Absolute, so that the run directory finds it again from anywhere.
        let absolute =
            |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
        let folder = self.data_dir.as_deref().map(absolute);
        overrides.extend(folder.map(|folder| Override::new("task.data-dir", folder, flag("task.data-dir"))));
        if !self.transform.is_empty() {
            overrides.push(Override::new("task.transforms", self.transform.clone(), flag("task.transforms")));
        }
        let samples = self.train_samples.map(i64::from);
        overrides.extend(samples.map(|n| Override::new("task.train-samples", n, flag("task.train-samples"))));
        Ok(overrides)
    }
}
