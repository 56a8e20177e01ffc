//! Every hyperparameter of the pipeline (appendix A.5.2 and the details that the published runs used).
//!
//! A configuration is layered: a [`Preset`], then a TOML file, then single overrides (command-line
//! flags); see [`Config::load`]. Values that follow from the data (the paper's rules by dimension and kind
//! of task) are `None` here and `"auto"` in TOML; the methods of [`Config`] that take [`Facts`] apply the
//! rule, and [`Config::resolve`] writes all of them out.

pub(crate) mod auto;
mod error;
mod keys;
mod layers;
mod names;
mod preset;
mod print;
mod rules;
mod schedule;
mod validate;

pub use error::ConfigError;
pub use keys::{KEYS, Key};
pub use layers::Override;
pub use names::{BackboneName, ClassWeights, Formulation, Preset, TaskName, Tuner};
pub use rules::Facts;
pub use schedule::milestone_epochs;

use crate::data::ReadOptions;
use crate::task::{Loss, Metric};
pub use crate::transform::Transform;
use serde::{Deserialize, Serialize};

/// The whole configuration. Field names are kebab-case in TOML; [`KEYS`] documents each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The preset that everything below started from.
    pub preset: Preset,
    /// Decides every random choice. At most `i64::MAX`, the largest integer of TOML.
    pub seed: u64,
    /// Whether the run writes TensorBoard's event files too.
    pub tensorboard: bool,
    /// The search space, K and D (section 3.3).
    pub space: SpaceConfig,
    /// The network whose convolutions are searched (A.5.1).
    pub backbone: BackboneConfig,
    /// How files are read, where they do not say it themselves.
    pub data: ReadOptions,
    /// What is learnt.
    pub task: TaskConfig,
    /// The supernet's training (Algorithm 1, A.5.2 "Search").
    pub search: SearchConfig,
    /// The grid of training hyperparameters (A.5.2 "Hyperparameter tuning").
    pub tune: TuneConfig,
    /// How training samples are changed and drawn.
    pub augment: AugmentConfig,
    /// The discretised network's training (A.5.2 "Retraining").
    pub retrain: RetrainConfig,
    /// The tournament of training hyperparameters.
    pub asha: AshaConfig,
    /// The backbone as it stands, trained for comparison.
    pub baseline: BaselineConfig,
    /// Limits on time, memory, size and speed.
    pub budget: BudgetConfig,
    /// The built-in Darcy flow data set.
    pub darcy: DarcyConfig,
}

/// `[space]`: the kernel sizes K and dilations D that each layer chooses from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpaceConfig {
    /// K, odd and distinct; `None`: the rule by dimension.
    #[serde(with = "auto")]
    pub kernel_sizes: Option<Vec<usize>>,
    /// D, at least 1 and distinct; `None`: the rule by dimension.
    #[serde(with = "auto")]
    pub dilations: Option<Vec<usize>>,
}

/// `[backbone]`: the network's topology.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackboneConfig {
    /// Which network; `None`: by dimension.
    #[serde(with = "auto")]
    pub name: Option<BackboneName>,
    /// Width factor of the 2-D network during search (WRN 16-1 in the paper).
    pub search_width: usize,
    /// Width factor of the 2-D network after it (WRN 16-4 in the paper).
    pub width: usize,
    /// Channels of the 1-D network; `None`: `min(4^(outputs/10 + 1), 64)`.
    #[serde(with = "auto")]
    pub channels: Option<usize>,
    /// The fewest channels that the rule gives.
    pub min_channels: usize,
    /// Kernel sizes of the three convolutions in a block of the plain 1-D network.
    pub plain_kernels: Vec<usize>,
    /// Whether searched convolutions with as many inputs as outputs are depthwise during search.
    pub depthwise: bool,
}

/// `[task]`: what is learnt, where the data set does not say it or is to be overruled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TaskConfig {
    /// Kind of target; `None`: read from the data.
    #[serde(with = "auto")]
    pub kind: Option<TaskName>,
    /// Training loss; `None`: by kind of task.
    #[serde(with = "auto")]
    pub loss: Option<Loss>,
    /// Test metric; `None`: by kind of task.
    #[serde(with = "auto")]
    pub metric: Option<Metric>,
    /// γ of the focal loss.
    pub focal_gamma: f64,
    /// Weight on the positive examples in binary cross entropy.
    pub pos_weight: f64,
    /// Share of the training data that judges trials when the data set has no validation split.
    pub validation_fraction: f64,
    /// Weight of each class in the loss.
    pub class_weights: ClassWeights,
    /// Target value that stands for one that is not known; `None`: there is none.
    #[serde(with = "auto")]
    pub unknown: Option<f64>,
    /// What is done to the data after it is read, in this order.
    pub transforms: Vec<Transform>,
    /// Folder of the files of a built-in task; `None`: `data/TASK`.
    #[serde(with = "auto")]
    pub data_dir: Option<String>,
}

/// `[augment]`: how training samples are changed and drawn; none of it by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AugmentConfig {
    /// Points of padding of which a random crop of the sample's own size is taken.
    pub crop: usize,
    /// Whether every other sample is mirrored along its last axis.
    pub flip: bool,
    /// Largest number of points that the last axis is rolled by.
    pub shift: usize,
    /// Largest relative change of a sample's amplitude.
    pub amplitude: f64,
    /// α of mixup; 0 for none.
    pub mixup: f64,
    /// Whether every class is drawn equally often.
    pub balance: bool,
}

/// `[search]`: the supernet's one loop of gradient descent over weights and architecture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SearchConfig {
    /// Epochs, each over a fresh subsample.
    pub epochs: usize,
    /// Least number of steps in all: more epochs are run for a small data set. 0: no bound.
    pub min_steps: usize,
    /// Largest number of steps in all: fewer epochs are run for a large data set. 0: no bound.
    pub max_steps: usize,
    /// Share p of the training data in an epoch (Algorithm 1).
    pub subsample: f64,
    /// Batch size; `None`: by kind of task and number of samples.
    #[serde(with = "auto")]
    pub batch_size: Option<usize>,
    /// Learning rate of the weights; `None`: by kind of task.
    #[serde(with = "auto")]
    pub lr: Option<f64>,
    /// Learning rate of the architecture parameters α; `None`: by kind of task.
    #[serde(with = "auto")]
    pub alpha_lr: Option<f64>,
    /// SGD momentum, for both.
    pub momentum: f64,
    /// Nesterov's form of momentum, for both.
    pub nesterov: bool,
    /// Weight decay, for both.
    pub weight_decay: f64,
    /// Fractions of `epochs` after which both learning rates are multiplied by `lr_decay`.
    pub milestones: Vec<f64>,
    /// Factor at each milestone.
    pub lr_decay: f64,
    /// Largest norm of the gradient; longer ones are scaled down. 0: none.
    pub clip: f64,
    /// Temperature τ of the Gumbel softmax.
    pub temperature: f64,
    /// How the aggregated convolution is computed.
    pub formulation: Formulation,
    /// Scale s in `∇α / (s·(‖∇α‖ + 1e-8))`; 0 leaves the gradient as it is.
    pub alpha_grad_scale: f64,
    /// Added to α's gradient, times the receptive field `(k − 1)·d + 1` of each choice.
    pub receptive_field_penalty: f64,
    /// Standard deviation of the initial α.
    pub alpha_init_std: f64,
    /// Standard deviation of the initial kernels `w_{k,d}`.
    pub weight_init_std: f64,
}

/// `[tune]`: the grid searched between search and retraining.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TuneConfig {
    /// Whether to tune at all; otherwise `[retrain]`'s own values are used.
    pub enabled: bool,
    /// Which way; `None`: the grid, or under a time limit whichever fits.
    #[serde(with = "auto")]
    pub tuner: Option<Tuner>,
    /// Epochs of a trial.
    pub epochs: usize,
    /// Least number of steps of a trial. 0: no bound.
    pub min_steps: usize,
    /// Largest number of steps of a trial. 0: no bound.
    pub max_steps: usize,
    /// Share of the training data that a trial draws on; `None`: by batches an epoch.
    #[serde(with = "auto")]
    pub subset: Option<f64>,
    /// Learning rates, tried in this order.
    pub learning_rates: Vec<f64>,
    /// Weight decays.
    pub weight_decays: Vec<f64>,
    /// Momentums.
    pub momentums: Vec<f64>,
    /// Dropout rates.
    pub dropouts: Vec<f64>,
    /// Whether to stop once a lower learning rate brings no gain.
    pub stop_early: bool,
    /// Trials side by side at most; `None`: one on every thread. Decides nothing but the time.
    #[serde(with = "auto")]
    pub workers: Option<usize>,
}

/// `[retrain]`: training of the discretised network, and of the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetrainConfig {
    /// Epochs over all training data.
    pub epochs: usize,
    /// Least number of steps in all: more epochs are run for a small data set. 0: no bound.
    pub min_steps: usize,
    /// Largest number of steps in all: fewer epochs are run for a large data set. 0: no bound.
    pub max_steps: usize,
    /// Fractions of the epochs after which the learning rate is multiplied by `lr_decay`; trials use the
    /// same fractions of their own epochs. `None`: by dimension.
    #[serde(with = "auto")]
    pub milestones: Option<Vec<f64>>,
    /// Factor at each milestone.
    pub lr_decay: f64,
    /// Batch size; `None`: by kind of task and number of samples.
    #[serde(with = "auto")]
    pub batch_size: Option<usize>,
    /// Largest norm of the gradient. 0: none.
    pub clip: f64,
    /// Learning rate where nothing was tuned; `None`: by kind of task.
    #[serde(with = "auto")]
    pub lr: Option<f64>,
    /// Weight decay where nothing was tuned.
    pub weight_decay: f64,
    /// Momentum where nothing was tuned.
    pub momentum: f64,
    /// Dropout rate where nothing was tuned.
    pub dropout: f64,
    /// Nesterov's form of momentum.
    pub nesterov: bool,
    /// Whether a validation split that came with the data is trained on too, now that it has nothing left to judge
    /// (Algorithm 1: all training data).
    pub with_validation: bool,
}

/// `[asha]`: asynchronous successive halving, the other way of tuning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AshaConfig {
    /// Configurations sampled.
    pub samples: usize,
    /// η: one in η is promoted, to η times the steps.
    pub reduction: usize,
    /// Brackets, each starting with η times the steps of the one before.
    pub brackets: usize,
    /// Steps of the shortest trials; 0: those of a grid's trial over η².
    pub min_steps: usize,
    /// Trials under way at a time.
    pub workers: usize,
    /// `[least, most]` learning rate.
    pub learning_rates: [f64; 2],
    /// `[least, most]` weight decay.
    pub weight_decays: [f64; 2],
    /// `[least, most]` momentum.
    pub momentums: [f64; 2],
    /// `[least, most]` dropout rate.
    pub dropouts: [f64; 2],
}

/// `[budget]`: what a run may take. 0 sets no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BudgetConfig {
    /// Seconds of the whole run.
    pub time_limit: f64,
    /// Bytes of resident memory.
    pub memory_limit: u64,
    /// Parameters of the searched network.
    pub max_params: u64,
    /// Milliseconds of the searched network for one sample on this machine.
    pub max_latency: f64,
}

/// `[baseline]`: the plain backbone, for comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BaselineConfig {
    /// Whether to train it.
    pub enabled: bool,
}

/// `[darcy]`: the Darcy flow problems that `darcy-flow` makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DarcyConfig {
    /// Grid points on a side, boundary included, at which the equation is solved.
    pub resolution: usize,
    /// Every `stride`-th point is kept; divides `resolution − 1`.
    pub stride: usize,
    /// Training samples.
    pub train: usize,
    /// Test samples.
    pub test: usize,
}

impl Config {
    /// The options that a data set is read with under this configuration.
    pub fn read_options(&self) -> ReadOptions {
        // The data may take a quarter of the limit; the network needs the rest.
        let in_memory = (self.budget.memory_limit > 0).then_some(self.budget.memory_limit / 4);
        ReadOptions { task: self.task.kind, seed: self.seed, in_memory, ..self.data.clone() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config::preset(Preset::Standard)
    }
}

/// A section's defaults are those of the standard preset.
macro_rules! default_from_preset {
    ($($section:ident: $type:ty),*) => {$(
        impl Default for $type {
            fn default() -> Self {
                Config::default().$section
            }
        }
    )*};
}
default_from_preset!(
    space: SpaceConfig,
    backbone: BackboneConfig,
    task: TaskConfig,
    search: SearchConfig,
    tune: TuneConfig,
    augment: AugmentConfig,
    retrain: RetrainConfig,
    asha: AshaConfig,
    baseline: BaselineConfig,
    budget: BudgetConfig,
    darcy: DarcyConfig
);
