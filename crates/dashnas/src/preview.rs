//! What a run on a data set would be, without running it.

use crate::architecture::graph;
use crate::budget::limits;
use crate::config::{BackboneName, Config, Preset};
use crate::data::Dataset;
use crate::error::Error;
use crate::network::training_device;
use crate::outcome::Hyperparameters;
use crate::problem::Problem;
use crate::tune::Trials;
use aggconv::KernelSpace;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The run that a configuration leads to on a data set, without limits on time and memory; `Display` prints it
/// for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preview {
    /// What the configuration started from.
    pub preset: Preset,
    /// The backbone.
    pub backbone: BackboneName,
    /// Width factors in the search and after it, in 2-D.
    pub widths: Option<[usize; 2]>,
    /// Channels of the network, in 1-D.
    pub channels: Option<usize>,
    /// Layers whose kernels are searched.
    pub layers: usize,
    /// K.
    pub kernel_sizes: Vec<usize>,
    /// D.
    pub dilations: Vec<usize>,
    /// The supernet's training.
    pub search: Training,
    /// Learning rate of the architecture parameters.
    pub alpha_lr: f64,
    /// The grid; none if nothing is tuned.
    pub tune: Option<Grid>,
    /// The training of the network that was found, with the learning rate that it has without tuning.
    pub retrain: Training,
    /// Samples that it is trained on, and how many of them are the given validation split.
    pub retrain_samples: [usize; 2],
    /// Whether the plain backbone is tuned and trained alike.
    pub baseline: bool,
    /// What has to be done otherwise than the configuration says.
    pub notes: Vec<String>,
}

/// One training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Epochs.
    pub epochs: usize,
    /// Steps in all.
    pub steps: u64,
    /// Samples in a batch.
    pub batch_size: usize,
    /// Learning rate at the start.
    pub lr: f64,
}

/// The tuning trials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Trials, if none is left out.
    pub trials: usize,
    /// Epochs of a trial.
    pub epochs: usize,
    /// Steps of a trial.
    pub steps: u64,
    /// Samples that trials draw from.
    pub samples: usize,
    /// Samples that judge them.
    pub validation: usize,
    /// Learning rates.
    pub learning_rates: Vec<f64>,
}

impl Preview {
    /// What would be run.
    ///
    /// # Errors
    /// Those of [`crate::pipeline::Run::start`] before it makes a directory: the run would be refused.
    pub fn new(config: &Config, data: &Dataset) -> Result<Self, Error> {
        let problem = Problem::new(config, data)?;
        problem.check_test(data)?;
        limits::check_bounds(&problem)?;
        let (config, dims, facts) = (&problem.config, problem.dims(), problem.facts());
        let space = KernelSpace::new(config.kernel_sizes(dims), config.dilations())?;
        let device = training_device(dims);
        let trials = config.tune.enabled.then(|| Trials::new(&problem, &[], &device));
        let untuned = Hyperparameters::untuned(config, problem.task);
        let search = crate::search::fit_plan(&problem, &space);
        let (epochs, steps) = crate::retrain::size(&problem, crate::event::Stage::Retrain);
        Ok(Self {
            preset: config.preset,
            backbone: config.backbone_name(dims),
            widths: (dims == 2).then_some([config.backbone.search_width, config.backbone.width]),
            channels: config.backbone.channels.filter(|_| dims == 1),
            layers: graph(&problem, config.backbone.search_width).searched().len(),
            kernel_sizes: config.kernel_sizes(dims),
            dilations: config.dilations(),
            search: Training {
                epochs: search.epochs,
                steps: search.steps(problem.train.len()),
                batch_size: search.batch_size,
                lr: search.lr,
            },
            alpha_lr: config.alpha_lr(problem.task),
            tune: trials.map(|trials| Grid {
                trials: trials.size().0,
                epochs: trials.epochs(),
                steps: trials.steps(),
                samples: trials.samples(),
                validation: trials.held(),
                learning_rates: config.tune.learning_rates.clone(),
            }),
            retrain: Training { epochs, steps, batch_size: config.retrain_batch_size(&facts), lr: untuned.lr },
            retrain_samples: {
                let all = crate::retrain::samples(&problem);
                [all, all - problem.train.len()]
            },
            baseline: config.baseline.enabled,
            notes: problem.warnings.clone(),
        })
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |numbers: &[usize]| numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
        writeln!(f, "  would be run (preset {})", self.preset.name())?;
        write!(f, "    backbone  {}", self.backbone.name())?;
        if let Some([search, after]) = self.widths {
            write!(f, ", width {search} in the search and {after} after it")?;
        }
        if let Some(channels) = self.channels {
            write!(f, " of {channels} channels")?;
        }
        writeln!(f, "; {} layers are searched", self.layers)?;
        writeln!(f, "    kernels   K = {{{}}}, D = {{{}}}", list(&self.kernel_sizes), list(&self.dilations))?;
        writeln!(f, "    search    {}, {} for the architecture", self.search, self.alpha_lr)?;
        match &self.tune {
            None => writeln!(f, "    tune      no")?,
            Some(t) => writeln!(
                f,
                "    tune      at most {} trials of {} epochs ({} steps) over {} samples, judged on {}; learning rates \
                 {}",
                t.trials,
                t.epochs,
                t.steps,
                t.samples,
                t.validation,
                t.learning_rates.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
            )?,
        }
        write!(f, "    retrain   {}{}", self.retrain, if self.tune.is_some() { " if not tuned" } else { "" })?;
        match self.retrain_samples {
            [_, 0] => writeln!(f)?,
            [all, given] => writeln!(f, "; over {all} samples, {given} of them the validation split")?,
        }
        writeln!(
            f,
            "    baseline  {}",
            if self.baseline { "the plain backbone, tuned and trained alike" } else { "no" }
        )?;
        self.notes.iter().try_for_each(|note| writeln!(f, "    note      {note}"))
    }
}

impl fmt::Display for Training {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epochs, steps, batch_size, lr } = self;
        write!(f, "{epochs} epochs, {steps} steps of {batch_size} samples, learning rate {lr}")
    }
}
