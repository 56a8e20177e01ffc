//! The values of `"auto"`: the rules of the paper by dimension and kind of task.

use crate::asha::AshaSettings;
use crate::asha::space::SampleSpace;
use crate::config::error::ConfigError;
use crate::config::sections::{AshaConfig, Config};
use dashnas_core::hyperparameters::Hyperparameters;
use dashnas_core::names::{BackboneName, Tuner};
use dashnas_core::task::{Loss, Metric, TaskKind};
use dashnas_core::text::plural;

/// The facts about a data set that the rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Spatial axes of the input, 1 or 2.
    pub dims: usize,
    /// The kind of task.
    pub task: TaskKind,
    /// Samples in the training split.
    pub train_samples: usize,
}

/// The fewest batches of an epoch that rules allow, so that an epoch on a small data set still has some SGD steps.
const MIN_STEPS: usize = 8;
/// The smallest batch size that rules choose: batch normalization needs several samples.
const MIN_BATCH: usize = 4;

impl Config {
    /// The training hyperparameters if nothing is tuned.
    pub fn untuned(&self, task: TaskKind) -> Hyperparameters {
        let r = &self.retrain;
        Hyperparameters {
            lr: self.retrain_lr(task),
            weight_decay: r.weight_decay,
            momentum: r.momentum,
            dropout: r.dropout,
        }
    }

    /// The backbone: `wrn-1d` or `wrn-2d` by dimension (A.5.1).
    pub fn backbone_name(&self, dims: usize) -> BackboneName {
        self.backbone.name.unwrap_or(BackboneName::for_dims(dims))
    }

    /// K: `{3 + 2(p−1) | 1 ≤ p ≤ 4}` in 2-D, `{3 + 4(p−1) | 1 ≤ p ≤ 5}` in 1-D (section 3.3).
    pub fn kernel_sizes(&self, dims: usize) -> Vec<usize> {
        let (step, count) = if dims == 1 { (4, 5) } else { (2, 4) };
        self.space.kernel_sizes.clone().unwrap_or_else(|| (0..count).map(|p| 3 + step * p).collect())
    }

    /// D: `{2^q − 1 | 1 ≤ q ≤ 4}` (section 3.3).
    pub fn dilations(&self) -> Vec<usize> {
        self.space.dilations.clone().unwrap_or_else(|| (1..=4).map(|q| (1 << q) - 1).collect())
    }

    /// Channels of a network. Of `wrn-1d`: `min(4^(outputs/10 + 1), 64)` (A.5.1), but at least `min_channels`. That
    /// is 4 in the preset `paper` and more in the others, because four channels limit what a network can learn. Of
    /// `inception-time`: 32 for each convolution, and of `tcn` 25, as published. Of `resnet-1d`: 16 in the first blocks,
    /// where the publication has 64. Of ConvNeXt, those of the first stage as published.
    pub fn channels(&self, backbone: BackboneName, outputs: usize) -> usize {
        let rule = match backbone {
            BackboneName::InceptionTime => 32,
            BackboneName::Tcn => 25,
            BackboneName::ResNet1d => 16,
            BackboneName::ConvNextAtto => 40,
            BackboneName::ConvNextT => 96,
            _ => 4usize.pow((outputs / 10 + 1).min(3) as u32).max(self.backbone.min_channels),
        };
        self.backbone.channels.unwrap_or(rule)
    }

    /// The training loss.
    pub fn loss(&self, task: TaskKind) -> Loss {
        self.task.loss.unwrap_or_else(|| task.default_loss())
    }

    /// The test metric.
    pub fn metric(&self, task: TaskKind) -> Metric {
        self.task.metric.unwrap_or_else(|| task.default_metric())
    }

    /// Learning rate of the weights during search: 0.1 for point tasks, 0.01 for dense ones (A.5.2).
    pub fn search_lr(&self, task: TaskKind) -> f64 {
        self.search.lr.unwrap_or(if task.is_dense() { 0.01 } else { 0.1 })
    }

    /// Learning rate of α: 0.05 for point tasks, 0.005 for dense ones (A.5.2).
    pub fn alpha_lr(&self, task: TaskKind) -> f64 {
        self.search.alpha_lr.unwrap_or(if task.is_dense() { 0.005 } else { 0.05 })
    }

    /// Learning rate of retraining if nothing is tuned: as in the search.
    pub fn retrain_lr(&self, task: TaskKind) -> f64 {
        self.retrain.lr.unwrap_or(if task.is_dense() { 0.01 } else { 0.1 })
    }

    /// Batch size of the search, by the rule of [`Config::retrain_batch_size`] for the samples of an epoch.
    pub fn search_batch_size(&self, facts: &Facts) -> usize {
        let samples = (facts.train_samples as f64 * self.search.subsample).ceil() as usize;
        self.search.batch_size.unwrap_or_else(|| batch_size(facts, samples))
    }

    /// Batch size of retraining: 256 in 1-D, 64 in 2-D, 10 for dense tasks (A.5.2); less, but at least 4, if an epoch
    /// would have fewer than 8 steps.
    pub fn retrain_batch_size(&self, facts: &Facts) -> usize {
        self.retrain.batch_size.unwrap_or_else(|| batch_size(facts, facts.train_samples))
    }

    /// Fraction of the training data in an epoch of a trial, by the number of batches in an epoch of retraining: 0.2
    /// for fewer than 50, 0.1 for fewer than 100, 0.05 for fewer than 500, else 0.01. This is the rule of the published
    /// code, by which tuning takes a small part of the whole time (section 3.3).
    pub fn tune_subset(&self, facts: &Facts) -> f64 {
        self.tune.subset.unwrap_or_else(|| match facts.train_samples.div_ceil(self.retrain_batch_size(facts).max(1)) {
            ..50 => 0.2,
            50..100 => 0.1,
            100..500 => 0.05,
            _ => 0.01,
        })
    }

    /// Milestones of tuning and retraining, as fractions: 60, 120, 160 of 200 epochs in 2-D and 30, 60, 90,
    /// 120, 160 in 1-D (A.5.2).
    pub fn retrain_milestones(&self, dims: usize) -> Vec<f64> {
        let rule: &[f64] = if dims == 1 { &[0.15, 0.3, 0.45, 0.6, 0.8] } else { &[0.3, 0.6, 0.8] };
        self.retrain.milestones.clone().unwrap_or_else(|| rule.to_vec())
    }

    /// The same configuration with every `"auto"` replaced by its value for a data set.
    ///
    /// # Errors
    /// [`ConfigError::Mismatch`] if the backbone is for data of another dimension.
    pub fn resolve(&self, facts: &Facts) -> Result<Config, ConfigError> {
        let name = self.backbone_name(facts.dims);
        if name.dims() != facts.dims {
            return Err(ConfigError::Mismatch {
                key: "backbone.name",
                value: name.name().to_owned(),
                reason: format!("takes {}-D data, but the data set is {}-D", name.dims(), facts.dims),
            });
        }
        let mut config = self.clone();
        config.space.kernel_sizes = Some(self.kernel_sizes(facts.dims));
        config.space.dilations = Some(self.dilations());
        config.backbone.name = Some(name);
        config.backbone.channels = Some(self.channels(name, facts.task.outputs()));
        if facts.dims == 1 {
            let needed = name.plain_kernels().len();
            if let Some(given) = self.backbone.plain_kernels.as_ref().filter(|given| given.len() != needed) {
                return Err(ConfigError::Mismatch {
                    key: "backbone.plain-kernels",
                    value: format!("a list of {}", plural(given.len(), "kernel size")),
                    reason: format!("does not fit {}, which has {needed}", name.name()),
                });
            }
            config.backbone.plain_kernels.get_or_insert_with(|| name.plain_kernels().to_vec());
        }
        config.task.kind = Some(facts.task.into());
        config.task.loss = Some(self.loss(facts.task));
        config.task.metric = Some(self.metric(facts.task));
        config.search.lr = Some(self.search_lr(facts.task));
        config.search.alpha_lr = Some(self.alpha_lr(facts.task));
        config.search.batch_size = Some(self.search_batch_size(facts));
        config.tune.subset = Some(self.tune_subset(facts));
        if self.budget.time_limit == 0.0 {
            config.tune.tuner = Some(self.tune.tuner.unwrap_or(Tuner::Grid));
        }
        config.retrain.milestones = Some(self.retrain_milestones(facts.dims));
        config.retrain.lr = Some(self.retrain_lr(facts.task));
        config.retrain.batch_size = Some(self.retrain_batch_size(facts));
        Ok(config)
    }
}

impl AshaConfig {
    /// The settings of ASHA whose longest trials have `steps` steps.
    pub fn settings(&self, steps: u64) -> AshaSettings {
        let reduction = self.reduction as u64;
        let shortest = if self.min_steps == 0 { steps / reduction.saturating_pow(2) } else { self.min_steps as u64 };
        AshaSettings {
            samples: self.samples,
            reduction: self.reduction,
            brackets: self.brackets,
            min_steps: shortest.clamp(1, steps.max(1)),
            max_steps: steps,
            workers: self.workers,
        }
    }

    /// The ranges that hyperparameters are sampled from.
    pub fn space(&self) -> SampleSpace {
        SampleSpace {
            lr: self.learning_rates,
            weight_decay: self.weight_decays,
            momentum: self.momentums,
            dropout: self.dropouts,
        }
    }
}

fn batch_size(facts: &Facts, samples: usize) -> usize {
    let paper = match (facts.task.is_dense(), facts.dims) {
        (true, _) => 10,
        (false, 1) => 256,
        (false, _) => 64,
    };
    paper.min((samples / MIN_STEPS).max(MIN_BATCH))
}
