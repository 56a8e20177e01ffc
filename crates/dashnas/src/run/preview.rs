//! The size of a run on a data set, without running it.

use crate::budget::clock::WallClock;
use crate::budget::display::PlannedStage;
use crate::budget::plan::TimePlan;
use crate::config::Config;
use crate::error::Error;
use crate::problem::build::graph;
use crate::problem::state::Problem;
use crate::run::limits;
use crate::stages::search;
use crate::train::retraining;
use crate::tune::size::TuningSize;
use aggconv::KernelSpace;
use dashnas_core::names::{BackboneName, Preset, SearchStrategy};
use dashnas_core::stage::Stage;
use dashnas_core::text::plural;
use dashnas_data::dataset::Dataset;
use dashnas_nn::network::training_device;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, Instant};

/// The run to which a configuration leads on a data set without a time limit, and the plan that a time limit leads to. `Display` prints it for
/// people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// The preset of the configuration.
    pub preset: Preset,
    /// The backbone.
    pub backbone: BackboneName,
    /// Width factors in the search and after it; only in 2-D.
    pub widths: Option<[usize; 2]>,
    /// Channels of the network; only in 1-D.
    pub channels: Option<usize>,
    /// Number of layers whose kernels are searched.
    pub layers: usize,
    /// The kernel sizes K.
    pub kernel_sizes: Vec<usize>,
    /// The dilations D.
    pub dilations: Vec<usize>,
    /// The given kernels, for which nothing is searched; `None` if they are searched.
    #[serde(default)]
    pub given: Option<Vec<[usize; 2]>>,
    /// The race that searches the kernels; `None` if they are given, or if a supernet is trained.
    #[serde(default)]
    pub race: Option<RacePreview>,
    /// The training of the supernet; without epochs and steps where none is trained.
    pub search: TrainingPreview,
    /// Learning rate of the architecture parameters.
    pub alpha_lr: f64,
    /// The tuning; `None` if it is switched off.
    pub tune: Option<TuningPreview>,
    /// The training of the network that the search finds, with its learning rate without tuning.
    pub retrain: TrainingPreview,
    /// Samples of that training, and how many of them are from the given validation split.
    pub retrain_samples: [usize; 2],
    /// Whether the plain backbone is tuned and trained in the same way.
    pub baseline: bool,
    /// Deviations from the configuration, in words.
    pub notes: Vec<String>,
    /// What the time limit makes of it on this machine; `None` without a time limit.
    #[serde(default)]
    pub plan: Option<PlanPreview>,
}

/// The plan that a run under a time limit would make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanPreview {
    /// The limit in seconds.
    pub limit: f64,
    /// Seconds of reading the data and of measuring.
    pub spent: f64,
    /// The stages that would be run, with the seconds of each.
    pub stages: Vec<PlannedStage>,
    /// The width factor of the network; only in 2-D.
    pub width: Option<usize>,
    /// What is left out or made smaller, in words.
    pub left_out: Vec<String>,
    /// The plan as a run prints it.
    #[serde(skip)]
    text: String,
}

impl PlanPreview {
    fn new(plan: &TimePlan, dims: usize) -> Self {
        Self {
            limit: plan.limit,
            spent: plan.made,
            stages: plan.stages(),
            width: (dims == 2).then_some(plan.width),
            left_out: plan.notes.clone(),
            text: plan.to_string(),
        }
    }
}

/// The size of a race.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RacePreview {
    /// The number of networks in the first round.
    pub networks: usize,
    /// The number of trials.
    pub trials: usize,
    /// Steps of all trials.
    pub steps: u64,
    /// Samples per batch.
    pub batch_size: usize,
}

/// The size of one training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrainingPreview {
    /// Epochs.
    pub epochs: usize,
    /// Total number of steps.
    pub steps: u64,
    /// Samples per batch.
    pub batch_size: usize,
    /// Learning rate at the start.
    pub lr: f64,
}

/// The size of a tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuningPreview {
    /// Number of trials, if the tuning does not end early.
    pub trials: usize,
    /// Epochs per trial.
    pub epochs: usize,
    /// Steps per trial.
    pub steps: u64,
    /// Samples that trials draw from.
    pub samples: usize,
    /// Samples that score them.
    pub validation: usize,
    /// Learning rates.
    pub learning_rates: Vec<f64>,
}

impl Preview {
    /// The preview of a run.
    ///
    /// # Errors
    /// Those of [`crate::run::pipeline::Run::start`] before it creates a directory: the run would be refused.
    pub fn new(config: &Config, data: &Dataset) -> Result<Self, Error> {
        Self::after(Duration::ZERO, config, data)
    }

    /// The preview of a run on data that was read in some time. Under a time limit, steps are timed to plan it.
    ///
    /// # Errors
    /// Those of [`Preview::new`], and [`Error::TimeLimit`].
    pub fn after(read_in: Duration, config: &Config, data: &Dataset) -> Result<Self, Error> {
        // A plan for a time limit times steps on samples, and a memory limit holds for what is in memory in a run.
        let limited = config.budget.time_limit != 0.0 || config.budget.memory_limit > 0;
        let mut problem = match limited {
            true => Problem::new(config, data)?,
            false => Problem::without_values(config, data)?,
        };
        problem.budget.set_clock(WallClock::new(Instant::now(), read_in.as_secs_f64()));
        problem.setup.check_test(data)?;
        limits::check_bounds(&problem)?;
        if let Some(fit) = limits::decide_memory(&problem, data)? {
            problem.budget.adopt_memory_fit(&fit);
        }
        let device = training_device(problem.setup.dims());
        let plan = limits::first_plan(&problem, data, &device)?;
        let plan = plan.map(|planned| PlanPreview::new(&planned.plan, problem.setup.dims()));
        let (config, dims, facts) = (problem.config(), problem.setup.dims(), problem.setup.facts());
        let space = KernelSpace::new(config.kernel_sizes(dims), config.dilations())?;
        let tuning = config.tune.enabled.then(|| TuningSize::new(&problem));
        let untuned = config.untuned(problem.setup.task);
        let supernet = search::fit_plan(&problem, &space);
        let searched = config.search.kernels.is_none();
        let race = match config.search.strategy {
            SearchStrategy::Race if searched => Some(race_preview(&problem)?),
            _ => None,
        };
        let trained = searched && race.is_none();
        let (epochs, steps) = retraining::size(&problem, Stage::Retrain);
        Ok(Self {
            preset: config.preset,
            backbone: config.backbone_name(dims),
            widths: (dims == 2).then_some([config.backbone.search_width, config.backbone.width]),
            channels: config.backbone.channels.filter(|_| dims == 1),
            layers: graph(&problem, config.backbone.search_width).searched().len(),
            kernel_sizes: config.kernel_sizes(dims),
            dilations: config.dilations(),
            given: config.search.kernels.clone(),
            race,
            search: TrainingPreview {
                epochs: if trained { supernet.epochs } else { 0 },
                steps: if trained { supernet.steps(problem.setup.train.len()) } else { 0 },
                batch_size: supernet.batch_size,
                lr: supernet.lr,
            },
            alpha_lr: config.alpha_lr(problem.setup.task),
            tune: tuning.map(|tuning| TuningPreview {
                trials: tuning.total().0,
                epochs: tuning.trial_epochs(),
                steps: tuning.trial_steps(),
                samples: tuning.samples(),
                validation: tuning.validation_samples(),
                learning_rates: config.tune.learning_rates.clone(),
            }),
            retrain: TrainingPreview { epochs, steps, batch_size: config.retrain_batch_size(&facts), lr: untuned.lr },
            retrain_samples: {
                let all = retraining::samples(&problem);
                [all, all - problem.setup.train.len()]
            },
            baseline: config.baseline.enabled,
            notes: problem.setup.warnings.clone(),
            plan,
        })
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  would be run (preset {})", self.preset.name())?;
        write!(f, "    backbone  {}", self.backbone.name())?;
        if let Some([search, after]) = self.widths {
            write!(f, ", width {search} in the search and {after} after it")?;
        }
        if let Some(channels) = self.channels {
            write!(f, " of {}", plural(channels, "channel"))?;
        }
        let origin = if self.given.is_some() { "given" } else { "searched" };
        writeln!(f, "; {} with {origin} kernels", plural(self.layers, "layer"))?;
        match &self.given {
            Some(given) => {
                let kernels: Vec<String> = given.iter().map(|[k, d]| format!("({k}, {d})")).collect();
                writeln!(f, "    kernels   given: {}", kernels.join(" "))?;
                writeln!(f, "    search    none")?;
            }
            None => {
                writeln!(f, "    kernels   K = {{{}}}, D = {{{}}}", list(&self.kernel_sizes), list(&self.dilations))?;
                match &self.race {
                    Some(race) => writeln!(f, "    search    {race}")?,
                    None => writeln!(f, "    search    {}, {} for the architecture", self.search, self.alpha_lr)?,
                }
            }
        }
        match &self.tune {
            None => writeln!(f, "    tune      off")?,
            Some(tune) => writeln!(f, "    tune      {tune}")?,
        }
        write!(f, "    retrain   {}{}", self.retrain, if self.tune.is_some() { " if not tuned" } else { "" })?;
        match self.retrain_samples {
            [_, 0] => writeln!(f)?,
            [all, given] => {
                writeln!(f, "; on {}, {given} of them from the validation split", plural(all, "sample"))?;
            }
        }
        let baseline = if self.baseline { "the plain backbone, tuned and trained in the same way" } else { "off" };
        writeln!(f, "    baseline  {baseline}")?;
        self.notes.iter().try_for_each(|note| writeln!(f, "    note      {note}"))?;
        let Some(plan) = &self.plan else { return Ok(()) };
        plan.text.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
        match plan.width {
            Some(width) => writeln!(f, "    network of width {width}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RacePreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "race of {}: {}, {} of {} in total",
            plural(self.networks, "network"),
            plural(self.trials, "trial"),
            plural(self.steps as usize, "step"),
            plural(self.batch_size, "sample")
        )
    }
}

/// The size of the race of a problem.
fn race_preview(problem: &Problem) -> Result<RacePreview, Error> {
    let race = crate::race::setup::new_race(problem)?;
    // Without a sample that can be held out, nothing is compared.
    let compares = !problem.setup.fold(0).1.rows.is_empty();
    let (trials, steps) = if compares { race.size() } else { (0, 0) };
    let batch_size = problem.config().search_batch_size(&problem.setup.facts());
    Ok(RacePreview { networks: race.networks(), trials, steps, batch_size })
}

impl fmt::Display for TuningPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "up to {} of {} ({}) on {}, scored on {}; learning rates {}",
            plural(self.trials, "trial"),
            plural(self.epochs, "epoch"),
            plural(self.steps as usize, "step"),
            plural(self.samples, "sample"),
            plural(self.validation, "sample"),
            list(&self.learning_rates)
        )
    }
}

impl fmt::Display for TrainingPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epochs, steps, batch_size, lr } = *self;
        let (epochs, steps) = (plural(epochs, "epoch"), plural(steps as usize, "step"));
        write!(f, "{epochs}, {steps} of {}, learning rate {lr}", plural(batch_size, "sample"))
    }
}

/// Numbers separated by commas.
fn list<T: ToString>(numbers: &[T]) -> String {
    numbers.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}
