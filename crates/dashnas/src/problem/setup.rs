//! A data set set up for the pipeline: normalized, with its loss, metric and splits decided.

use crate::config::error::ConfigError;
use crate::config::rules::Facts;
use crate::config::sections::Config;
use crate::error::Error;
use crate::problem::augment::batches::AugmentedBatches;
use crate::problem::augment::sampling::balanced_weights;
use crate::problem::backbone::{BackboneData, check_kernel_count};
use crate::problem::held_out::HeldOut;
use crate::problem::samples::Samples;
use burn::tensor::{Device, Tensor, TensorData};
use dashnas_core::metric;
use dashnas_core::metric::{MetricError, Predictions, Scale, Truth};
use dashnas_core::names::ClassWeights;
use dashnas_core::stage::Stage;
use dashnas_core::task::{Metric, TaskKind};
use dashnas_core::text::{plural, plural_of};
use dashnas_data::dataset::Dataset;
use dashnas_data::normalize::{InputNormalizer, TargetNormalizer};
use dashnas_data::split::{Split, split_by_time, split_validation};
use dashnas_data::targets::Targets;
use dashnas_formats::array::Array;
use dashnas_nn::loss::{Decoder, LossFn, compatible};

/// A data set with everything that is decided about it before a run starts. Nothing in it changes afterwards, and the
/// test split is not part of it.
pub struct Setup {
    /// The configuration with every rule applied to this data, before a limit changes it.
    pub config: Config,
    /// The kind of task.
    pub task: TaskKind,
    /// The metric, an error: lower is better.
    pub metric: Metric,
    /// The normalized training data.
    pub train: Samples,
    /// The training data followed by the given validation data, where retraining uses both.
    train_and_validation: Option<Samples>,
    /// The training targets in the units of the data.
    train_targets: Targets,
    /// The time of each training sample, where samples are divided by time.
    times: Option<Vec<f64>>,
    /// The group of each training sample. Validation keeps groups whole if possible.
    groups: Option<Vec<u32>>,
    /// The validation split of the data set, normalized, with its targets in the units of the data.
    given_validation: Option<(Samples, Targets)>,
    /// The number of the original sample that each of its samples is a segment of.
    validation_segments: Option<Vec<u32>>,
    /// The statistics of the training inputs.
    pub inputs: InputNormalizer,
    /// The statistics of the training targets.
    pub targets: TargetNormalizer,
    /// Whether the metric is undefined on the validation rows, so that the loss alone ranks trials.
    ranked_by_loss: bool,
    /// The training rows that trials train on and those that score them. Both are empty if the data set has a
    /// validation split or nothing is tuned.
    held_out_rows: [Vec<usize>; 2],
    /// Departures from the configuration, as messages.
    pub warnings: Vec<String>,
}

/// What is made of the values of the inputs.
#[derive(Debug, Clone, Copy)]
enum Values {
    /// They are normalized.
    Normalized,
    /// They are not read.
    Unread,
}

/// The distance between the seeds of the splits of two rounds; round 0 has the split of the tuning.
const FOLD_SEEDS: u64 = 0x9e37_79b9_7f4a_7c15;

impl Setup {
    /// Resolves the configuration for a data set, fits the normalizers to its training split and normalizes it.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::LossMismatch`] or [`Error::MetricMismatch`] if the configuration does not fit
    /// the data.
    pub fn new(config: &Config, data: &Dataset) -> Result<Self, Error> {
        Self::with(config, data, Values::Normalized)
    }

    /// Does the same without normalizing the inputs, and so without reading and copying them, for the preview of a run: the
    /// sizes of the samples are known, and reading a sample is an error.
    ///
    /// # Errors
    /// As [`Setup::new`].
    pub(crate) fn without_values(config: &Config, data: &Dataset) -> Result<Self, Error> {
        Self::with(config, data, Values::Unread)
    }

    fn with(config: &Config, data: &Dataset, values: Values) -> Result<Self, Error> {
        let facts = Facts { dims: data.dims(), task: data.task, train_samples: data.train.len() };
        let unused = config.unused(&facts).into_iter().chain(config.overruled_epochs(&facts)).collect();
        let config = config.resolve(&facts)?;
        let loss = config.loss(data.task);
        let classes = data.train.y.classes().is_some();
        if !compatible(loss, classes) {
            return Err(Error::LossMismatch { loss, task: data.task });
        }
        let metric = config.metric(data.task);
        if let Some(needs) = metric.lacks(data.task, data.spatial()) {
            return Err(Error::MetricMismatch { metric, task: data.task, needs });
        }
        check_classes(&config, data)?;
        if let Some(kernels) = &config.search.kernels {
            let [h, w] = data.spatial();
            let shape = BackboneData::new(data.dims(), [data.channels(), h, w], data.task);
            check_kernel_count(&config, shape, kernels.len(), "")?;
        }
        let inputs = match values {
            Values::Normalized => InputNormalizer::fit(&data.train.x, &data.normalization.input)?,
            Values::Unread => InputNormalizer::identity(data.channels()),
        };
        let targets = TargetNormalizer::fit(&data.train.y, data.normalization.target);
        let samples = |split: &Split| match values {
            Values::Normalized => normalized(split, &inputs, &targets),
            Values::Unread => Samples::unread(split, &targets),
        };
        // Where classes are drawn equally often, weights only compare the samples of a class.
        let balanced = config.augment.balance;
        let mut setup = Self {
            task: data.task,
            metric,
            train: samples(&data.train).weighted(data.facts.train.weights.clone(), balanced),
            times: data.facts.train.times.clone(),
            train_targets: data.train.y.clone(),
            groups: data.groups.as_ref().and_then(|groups| groups.train.clone()),
            validation_segments: data.segments.val.clone(),
            given_validation: data.val.as_ref().map(|v| {
                let samples = samples(v).weighted(data.facts.val.weights.clone(), balanced);
                (samples, v.y.clone())
            }),
            inputs,
            targets,
            config,
            train_and_validation: None,
            ranked_by_loss: false,
            held_out_rows: [Vec::new(), Vec::new()],
            warnings: unused,
        };
        let wanted = setup.config.task.train_samples;
        if setup.train.len() < wanted {
            let there = plural(setup.train.len(), "training sample");
            setup.warnings.push(format!("{wanted} training samples are to be used, but the data set has only {there}"));
        }
        setup.hold_out_validation();
        setup.merge_validation_for_retraining();
        Ok(setup)
    }

    /// Joins the training data and the given validation data for retraining.
    fn merge_validation_for_retraining(&mut self) {
        let Some((validation, _)) = &self.given_validation else { return };
        if !self.config.retrain.with_validation {
            return;
        }
        self.train_and_validation = self.train.joined(validation);
        if self.train_and_validation.is_none() {
            self.config.retrain.with_validation = false;
            self.warnings.push(
                "retraining does not use the validation samples: their size differs from that of the training samples"
                    .into(),
            );
        }
    }

    /// The samples that a stage trains on, in a tuning trial or after tuning. Retraining uses all the training data, to
    /// which a given validation split belongs once nothing is left to be chosen on it.
    pub(crate) fn trained_on(&self, stage: Stage, trial: Option<usize>) -> &Samples {
        match (stage, trial, &self.train_and_validation) {
            (Stage::Retrain | Stage::Baseline, None, Some(all)) => all,
            _ => &self.train,
        }
    }

    /// The augmented batches of the samples that a stage trains on.
    pub(crate) fn training_batches(&self, stage: Stage, trial: Option<usize>) -> AugmentedBatches<'_> {
        AugmentedBatches { samples: self.trained_on(stage, trial), config: &self.config.augment }
    }

    /// Whether a stage trains on the given validation data.
    pub(crate) fn trains_on_validation(&self, stage: Stage, trial: Option<usize>) -> bool {
        self.trained_on(stage, trial).len() > self.train.len()
    }

    /// Holds out validation rows, and finds out whether and how trials can be scored on them.
    fn hold_out_validation(&mut self) {
        if !self.config.tune.enabled {
            return;
        }
        if self.given_validation.is_none() {
            self.held_out_rows = self.split_rows();
        }
        if self.validation().1.rows.is_empty() {
            // Each class, or the whole data set, has a single sample.
            self.config.tune.enabled = false;
            self.warnings.push(format!(
                "tuning skipped: {} are too few to hold one out for validation; retraining uses the values under \
                 [retrain]",
                plural(self.train.len(), "training sample")
            ));
            return;
        }
        let (_, held) = self.validation();
        let truth = held.truth.select(&held.rows);
        if let Err(reason) = self.defined_on(&truth) {
            self.ranked_by_loss = true;
            self.warnings.push(format!(
                "tuning trials are ranked by their loss alone: on the {} {reason}",
                plural(truth.rows(), "validation sample")
            ));
        }
    }

    /// The training rows to fit and to hold out: a seeded, stratified fraction, which keeps groups whole if possible.
    fn split_rows(&mut self) -> [Vec<usize>; 2] {
        let ([fit, held], divides_groups) = self.hold_out(self.config.seed);
        if divides_groups {
            self.warnings.push(
                "too few groups to hold one out: validation shares groups with training, so that tuning scores are \
                 optimistic"
                    .into(),
            );
        }
        [fit, held]
    }

    /// The training rows to fit and to hold out by a seed, and whether that divides a group because no whole one can be
    /// held out.
    fn hold_out(&self, seed: u64) -> ([Vec<usize>; 2], bool) {
        let by = |groups: Option<&[u32]>| {
            let fraction = self.config.task.validation_fraction;
            if let Some(times) = &self.times {
                let (fit, held) = split_by_time(times, groups, fraction);
                return [fit, held];
            }
            let (fit, held) = split_validation(&self.train_targets, groups, fraction, seed);
            [fit, held]
        };
        let rows = by(self.groups.as_deref());
        if self.groups.is_none() || !rows[1].is_empty() {
            return (rows, false);
        }
        let rows = by(None);
        let divides = !rows[1].is_empty();
        (rows, divides)
    }

    /// Whether the metric is defined on some targets for any predictions.
    fn defined_on(&self, truth: &Targets) -> Result<(), MetricError> {
        let (n, outputs) = (truth.rows(), self.task.outputs());
        match truth {
            Targets::Classes(labels) => metric::defined(self.metric, [n, outputs, 1], Truth::Classes(labels)),
            Targets::Values(values) => {
                let shape = [n, outputs, values.row_len() / outputs.max(1)];
                metric::defined(self.metric, shape, Truth::Values(&values.data))
            }
        }
    }

    /// Checks that a network can be scored on the test split at the end. It reads the targets, and for nothing else.
    ///
    /// # Errors
    /// [`Error::MetricUndefined`] if the metric is undefined there.
    pub fn check_test(&self, data: &Dataset) -> Result<(), Error> {
        self.defined_on(&data.test.y).map_err(|source| Error::MetricUndefined { source, task: self.task })
    }

    /// The spatial axes of the data, 1 or 2.
    pub fn dims(&self) -> usize {
        self.train.dims()
    }

    /// The facts about the data that the rules of the configuration depend on.
    pub fn facts(&self) -> Facts {
        Facts { dims: self.dims(), task: self.task, train_samples: self.train.len() }
    }

    /// The loss, with its tensors on a device.
    pub fn loss(&self, device: &Device) -> LossFn {
        let decoder = self.targets.mean_and_scale().map(|(mean, scale)| {
            let tensor = |a: Array| {
                let shape = [1, a.shape[1], a.row_len() / a.shape[1]];
                Tensor::<3>::from_data(TensorData::new(a.data, shape), device)
            };
            Decoder { mean: tensor(mean), std: tensor(scale) }
        });
        LossFn {
            loss: self.config.loss(self.task),
            focal_gamma: self.config.task.focal_gamma,
            pos_weight: self.config.task.pos_weight,
            class_weights: self.class_weights().map(|weights| {
                let weights: Vec<f32> = weights.into_iter().map(|w| w as f32).collect();
                let shape = [weights.len()];
                Tensor::<1>::from_data(TensorData::new(weights, shape), device)
            }),
            decoder,
        }
    }

    /// One weight for each class, if classes are weighted.
    fn class_weights(&self) -> Option<Vec<f64>> {
        match (&self.config.task.class_weights, &self.train_targets) {
            (ClassWeights::None, _) => None,
            (ClassWeights::Given(weights), _) => Some(weights.clone()),
            (ClassWeights::Balanced, targets) => {
                targets.classes().map(|labels| balanced_weights(labels, self.train.weights(), self.task.outputs()))
            }
        }
    }

    /// The training targets in the units of the data.
    pub(crate) fn train_targets(&self) -> &Targets {
        &self.train_targets
    }

    /// The class of each training sample, if the task has classes.
    pub fn classes(&self) -> Option<&[u32]> {
        self.train_targets.classes()
    }

    /// The training rows to tune on, and the held-out samples to score on: the given validation split, or a seeded,
    /// stratified fraction of the training data. Without either (no sample can be spared, or nothing is tuned) both are
    /// empty.
    pub fn validation(&self) -> (Vec<usize>, HeldOut<'_>) {
        if let Some(held) = self.given_validation() {
            return ((0..self.train.len()).collect(), held);
        }
        let [fit, held] = self.held_out_rows.clone();
        (fit, HeldOut { samples: &self.train, truth: &self.train_targets, rows: held, segments: None })
    }

    /// The training rows that tuning holds out for validation, if it does.
    pub(crate) fn held_out_of_training(&self) -> Option<&[usize]> {
        let [_, held] = &self.held_out_rows;
        (self.given_validation.is_none() && !held.is_empty()).then_some(held)
    }

    /// The training rows and the held-out samples of a round of a race: the given validation split, or in each round
    /// another seeded, stratified fraction of the training data, so that a network must be good on several. Both are
    /// empty if no sample can be held out.
    pub(crate) fn fold(&self, round: usize) -> (Vec<usize>, HeldOut<'_>) {
        if let Some(held) = self.given_validation() {
            return ((0..self.train.len()).collect(), held);
        }
        let seed = self.config.seed.wrapping_add((round as u64).wrapping_mul(FOLD_SEEDS));
        let ([fit, rows], _) = self.hold_out(seed);
        (fit, HeldOut { samples: &self.train, truth: &self.train_targets, rows, segments: None })
    }

    /// The validation split of the data set, if it has one.
    pub(crate) fn given_validation(&self) -> Option<HeldOut<'_>> {
        let (samples, truth) = self.given_validation.as_ref()?;
        let rows = (0..samples.len()).collect();
        Some(HeldOut { samples, truth, rows, segments: self.validation_segments.as_deref() })
    }

    /// The metric of predictions from [`Problem::predict`](crate::problem::Problem::predict), compared with targets in
    /// the units of the data, by the weights of the samples if there are any.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there.
    pub fn metric_of_predictions(
        &self,
        predictions: &Array,
        truth: &Targets,
        weights: Option<&[f32]>,
    ) -> Result<f64, Error> {
        let shape = [predictions.shape[0], predictions.shape[1], predictions.shape[2]];
        let predictions = Predictions::new(&predictions.data, shape, Scale::Logits)?.weighted(weights)?;
        Ok(match truth {
            Targets::Classes(labels) => metric::evaluate(self.metric, &predictions, Truth::Classes(labels))?,
            Targets::Values(values) => metric::evaluate(self.metric, &predictions, Truth::Values(&values.data))?,
        })
    }

    /// Whether the loss alone ranks tuning trials.
    pub(crate) fn ranks_by_loss(&self) -> bool {
        self.ranked_by_loss
    }

    /// How often [`Problem::score`](crate::problem::Problem::score) predicts each sample.
    pub(crate) fn predictions_per_score(&self) -> usize {
        if self.ranked_by_loss { 1 } else { 2 }
    }

    /// The test split, normalized by the statistics of the training split.
    pub fn test_samples(&self, data: &Dataset) -> Samples {
        normalized(&data.test, &self.inputs, &self.targets).weighted(data.facts.test.weights.clone(), false)
    }
}

/// Checks that class weights and balanced sampling are used with classes only, and that there is a weight for each
/// class.
fn check_classes(config: &Config, data: &Dataset) -> Result<(), ConfigError> {
    let refuse = |key, value: String, reason: String| Err(ConfigError::Mismatch { key, value, reason });
    let weights = &config.task.class_weights;
    let (TaskKind::Classification { classes }, kind) = (data.task, data.task.name()) else {
        let reason = format!("needs classes, but the task is {}", data.task.name());
        if config.augment.balance {
            return refuse("augment.balance", "true".to_owned(), reason);
        }
        return match weights {
            ClassWeights::None => Ok(()),
            _ => refuse("task.class-weights", "set".to_owned(), reason),
        };
    };
    match weights {
        ClassWeights::Given(given) if given.len() != classes => {
            let reason = format!(
                "has {} for a {kind} task with {}",
                plural(given.len(), "weight"),
                plural_of(classes, "class", "classes")
            );
            refuse("task.class-weights", format!("{given:?}"), reason)
        }
        _ => Ok(()),
    }
}

fn normalized(split: &Split, inputs: &InputNormalizer, targets: &TargetNormalizer) -> Samples {
    let mut split = split.clone();
    inputs.apply(&mut split.x);
    targets.apply(&mut split.y);
    Samples::new(split)
}
