//! The configuration as data: one struct for each section of the TOML file.
//!
//! A value that follows from the data is `None` here and `"auto"` in TOML; the methods in [`crate::config::rules`]
//! replace it.

use aggconv::Formulation;
use dashnas_core::auto;
use dashnas_core::names::{AlphaUpdate, BackboneName, ClassWeights, Preset, SearchStrategy, TaskName, Tuner};
use dashnas_core::task::{Loss, Metric};
use dashnas_data::transform::kind::Transform;
use dashnas_formats::options::ReadOptions;
use dashnas_tasks::darcy::DarcyConfig;
use serde::{Deserialize, Serialize};

/// The whole configuration. Field names are kebab-case in TOML; [`KEYS`](crate::config::KEYS) describes each.
///
/// ```
/// use dashnas::Config;
/// use dashnas::config::{ConfigError, Override};
/// use dashnas_core::names::Preset;
///
/// # fn main() -> Result<(), ConfigError> {
/// // A preset with one value overridden by its key. Errors name the origin of the override.
/// let overrides = [Override::parse("search.epochs=20", "the example")?];
/// let mut config = Config::load(Some(Preset::Quick), None, &overrides)?;
/// assert_eq!(config.search.epochs, 20);
///
/// // Values can also be set in code.
/// config.baseline.enabled = false;
/// config.validate()?;
///
/// // A TOML file with a comment for each key, which can be read back.
/// let text = config.to_toml();
/// println!("{text}");
/// assert_eq!(Config::from_toml(&text, "config.toml".as_ref())?, config);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The preset that all other values started from.
    pub preset: Preset,
    /// The seed of all random numbers, at most `i64::MAX`, the largest integer of TOML.
    pub seed: u64,
    /// Whether the run also writes TensorBoard event files.
    pub tensorboard: bool,
    /// The search space, K and D (section 3.3).
    pub space: SpaceConfig,
    /// The network whose convolutions are searched (A.5.1).
    pub backbone: BackboneConfig,
    /// How to read files that do not describe themselves.
    pub data: ReadOptions,
    /// The learning task.
    pub task: TaskConfig,
    /// The search, and the training of the supernet (Algorithm 1, A.5.2 "Search").
    pub search: SearchConfig,
    /// The race of networks, the other strategy of the search.
    pub race: RaceConfig,
    /// The grid of training hyperparameters (A.5.2 "Hyperparameter tuning").
    pub tune: TuneConfig,
    /// Augmentation and sampling of the training data.
    pub augment: AugmentConfig,
    /// The training of the discretized network (A.5.2 "Retraining").
    pub retrain: RetrainConfig,
    /// Asynchronous successive halving over training hyperparameters.
    pub asha: AshaConfig,
    /// The backbone with its original kernels, trained for comparison.
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

/// `[backbone]`: the topology of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackboneConfig {
    /// The network; `None`: by dimension.
    #[serde(with = "auto")]
    pub name: Option<BackboneName>,
    /// Width factor of the 2-D network during search (WRN 16-1 in the paper).
    pub search_width: usize,
    /// Width factor of the 2-D network after it (WRN 16-4 in the paper).
    pub width: usize,
    /// Channels of the 1-D network or of a ConvNeXt; `None`: those of the backbone, `min(4^(outputs/10 + 1), 64)` for `wrn-1d`.
    #[serde(with = "auto")]
    pub channels: Option<usize>,
    /// The smallest number of channels that the rule gives.
    pub min_channels: usize,
    /// Kernel sizes of the three convolutions in a block of the plain 1-D network; `None`: those of the backbone.
    #[serde(with = "auto")]
    pub plain_kernels: Option<Vec<usize>>,
    /// Whether searched convolutions with equal numbers of input and output channels are depthwise during the search.
    pub depthwise: bool,
}

/// `[task]`: the learning task, where the data set does not define it or the definition is to be overridden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TaskConfig {
    /// Kind of task; `None`: by the data.
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
    /// Weight of positive examples in the binary cross entropy.
    pub pos_weight: f64,
    /// Fraction of the training data held out to score tuning trials if the data set has no validation split.
    pub validation_fraction: f64,
    /// Weight of each class in the loss.
    pub class_weights: ClassWeights,
    /// Target value that marks an unknown target; `None`: all targets are known.
    #[serde(with = "auto")]
    pub unknown: Option<f64>,
    /// Transforms of the data after reading, in this order.
    pub transforms: Vec<Transform>,
    /// Folder with the files of a built-in task; `None`: `data/TASK`.
    #[serde(with = "auto")]
    pub data_dir: Option<String>,
    /// Number of training samples that are used, the first ones. 0: all.
    pub train_samples: usize,
}

/// `[augment]`: augmentation and sampling of the training data; all off by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AugmentConfig {
    /// Points of padding on each side, before a random crop to the original size.
    pub crop: usize,
    /// Whether half of the samples are mirrored along their last axis.
    pub flip: bool,
    /// Largest number of points by which the last axis is rolled.
    pub shift: usize,
    /// Largest relative change of the amplitude of a sample.
    pub amplitude: f64,
    /// α of mixup; 0: off.
    pub mixup: f64,
    /// Whether every class is drawn equally often.
    pub balance: bool,
}

/// `[search]`: the supernet's one loop of gradient descent over weights and architecture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SearchConfig {
    /// `[k, d]` of each searched layer, in the order of the network, where nothing is to be searched; `None`: they are
    /// searched.
    #[serde(with = "auto")]
    pub kernels: Option<Vec<[usize; 2]>>,
    /// How kernels are searched.
    pub strategy: SearchStrategy,
    /// Number of epochs, each over a new subsample.
    pub epochs: usize,
    /// Smallest total number of steps, for which a small data set gets more epochs. 0: no minimum.
    pub min_steps: usize,
    /// Largest total number of steps, for which a large data set gets fewer epochs. 0: no maximum.
    pub max_steps: usize,
    /// Fraction p of the training data in an epoch (Algorithm 1).
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
    /// How the gradient changes α.
    pub alpha_update: AlphaUpdate,
    /// SGD momentum, for both.
    pub momentum: f64,
    /// Whether to use Nesterov momentum, for both.
    pub nesterov: bool,
    /// Weight decay, for both.
    pub weight_decay: f64,
    /// Fractions of `epochs` after which both learning rates are multiplied by `lr_decay`.
    pub milestones: Vec<f64>,
    /// Factor at each milestone.
    pub lr_decay: f64,
    /// Largest norm of the gradient; a larger gradient is scaled down to it. 0: no clipping.
    pub clip: f64,
    /// Temperature τ of the Gumbel softmax.
    pub temperature: f64,
    /// How the aggregated convolution is computed.
    pub formulation: Formulation,
    /// Scale s in `∇α / (s·(‖∇α‖ + 1e-8))`; 0: the gradient is not scaled.
    pub alpha_grad_scale: f64,
    /// Added to the gradient of α, times the receptive field `(k − 1)·d + 1` of each choice.
    pub receptive_field_penalty: f64,
    /// Standard deviation of the initial α.
    pub alpha_init_std: f64,
    /// Standard deviation of the initial kernels `w_{k,d}`.
    pub weight_init_std: f64,
}

/// `[race]`: the strategy `race` of the search. Networks of different kernels are trained for some steps and compared on
/// held-out training data; the better ones are trained again for longer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RaceConfig {
    /// Training steps of all trials together; `None`: by the steps of retraining.
    #[serde(with = "auto")]
    pub steps: Option<usize>,
    /// The number of networks in the first round.
    pub contestants: usize,
    /// One in so many networks is trained again, for so many times as many steps.
    pub reduction: usize,
}

/// `[tune]`: tuning of the training hyperparameters between search and retraining.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TuneConfig {
    /// Whether to tune; otherwise the values of `[retrain]` are used.
    pub enabled: bool,
    /// The tuner; `None`: the grid, or under a time limit the one that fits.
    #[serde(with = "auto")]
    pub tuner: Option<Tuner>,
    /// Epochs of a trial.
    pub epochs: usize,
    /// Smallest number of steps of a trial. 0: no minimum.
    pub min_steps: usize,
    /// Largest number of steps of a trial. 0: no maximum.
    pub max_steps: usize,
    /// Fraction of the training data in an epoch of a trial; `None`: by the number of batches in an epoch.
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
    /// Whether to stop when the next lower learning rate brings no improvement.
    pub stop_early: bool,
    /// Largest number of concurrent trials; `None`: one for each thread. It changes the time, not the result.
    #[serde(with = "auto")]
    pub workers: Option<usize>,
}

/// `[retrain]`: training of the discretized network and of the baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RetrainConfig {
    /// Epochs over all training data.
    pub epochs: usize,
    /// Smallest total number of steps, for which a small data set gets more epochs. 0: no minimum.
    pub min_steps: usize,
    /// Largest total number of steps, for which a large data set gets fewer epochs. 0: no maximum.
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
    /// Largest norm of the gradient. 0: no clipping.
    pub clip: f64,
    /// Learning rate if nothing is tuned; `None`: by kind of task.
    #[serde(with = "auto")]
    pub lr: Option<f64>,
    /// Weight decay if nothing is tuned.
    pub weight_decay: f64,
    /// Momentum if nothing is tuned.
    pub momentum: f64,
    /// Dropout rate if nothing is tuned.
    pub dropout: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// Whether to train on a validation split that came with the data, too, once the hyperparameters are chosen on it
    /// (Algorithm 1: all training data).
    pub with_validation: bool,
}

/// `[asha]`: asynchronous successive halving, the other tuner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AshaConfig {
    /// Number of sampled configurations.
    pub samples: usize,
    /// η: one in η is promoted, to η times the steps.
    pub reduction: usize,
    /// Number of brackets, each starting with η times the steps of the one before.
    pub brackets: usize,
    /// Steps of the shortest trials; 0: those of a trial of the grid divided by η².
    pub min_steps: usize,
    /// Number of trials that run at a time.
    pub workers: usize,
    /// Smallest and largest learning rate.
    pub learning_rates: [f64; 2],
    /// Smallest and largest weight decay.
    pub weight_decays: [f64; 2],
    /// Smallest and largest momentum.
    pub momentums: [f64; 2],
    /// Smallest and largest dropout rate.
    pub dropouts: [f64; 2],
}

/// `[budget]`: limits of a run. 0: no limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BudgetConfig {
    /// Seconds of the whole run.
    pub time_limit: f64,
    /// Whether search, tuning and retraining are longer where the time limit leaves time to spare.
    pub use_all_the_time: bool,
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

impl Config {
    /// The options with which a data set is read.
    pub fn read_options(&self) -> ReadOptions {
        // The data may take a quarter of the limit; the network needs the rest.
        let in_memory = (self.budget.memory_limit > 0).then_some(self.budget.memory_limit / 4);
        // A text is in memory beside the numbers in it.
        let max_text = (self.budget.memory_limit > 0).then_some(self.budget.memory_limit / 2);
        let (task, unknown) = (self.task.kind, self.task.unknown);
        ReadOptions { task, unknown, seed: self.seed, in_memory, max_text, ..self.data.clone() }
    }
}
