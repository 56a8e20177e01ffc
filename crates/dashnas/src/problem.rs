//! A data set made ready for the pipeline: normalized, with its loss, metric and splits decided.

use crate::augment::balanced_weights;
use crate::budget::Budget;
use crate::config::{ClassWeights, Config, ConfigError, Facts};
use crate::data::pieces::join;
use crate::data::{Array, Dataset, InputNormalizer, Split, TargetNormalizer, Targets, split_validation};
use crate::error::Error;
use crate::event::Stage;
use crate::host::floats;
use crate::loss::{Decoder, LossFn, compatible};
use crate::metric::{self, MetricError, Predictions, Scale, Truth};
use crate::network::{Network, Pass};
use crate::samples::Samples;
use crate::task::{Metric, TaskKind};
use burn::tensor::{Device, Tensor, TensorData};

/// What every stage works on. The test split stays out of it until it is asked for.
pub struct Problem {
    /// The configuration with every rule applied to this data.
    pub config: Config,
    /// The kind of task.
    pub task: TaskKind,
    /// The metric, an error.
    pub metric: Metric,
    /// Normalized training data.
    pub train: Samples,
    /// What the network is trained on when its kernels and hyperparameters are chosen, where that is more: the given
    /// validation data too.
    all: Option<Samples>,
    /// The training targets as they came, for scores in the data's own units.
    train_targets: Targets,
    /// The group of each training sample, which validation does not divide.
    groups: Option<Vec<u32>>,
    /// Validation data set aside by the maker of the data, normalized, with its raw targets.
    given_validation: Option<(Samples, Targets)>,
    /// Which of its samples are pieces of one whole.
    validation_pieces: Option<Vec<u32>>,
    /// Statistics of the training inputs.
    pub inputs: InputNormalizer,
    /// Statistics of the training targets.
    pub targets: TargetNormalizer,
    /// What the run may take.
    pub budget: Budget,
    /// Whether the metric is undefined on the validation rows, so that the loss alone ranks trials.
    ranked_by_loss: bool,
    /// Training rows that trials train on and are judged by; none where the data has a validation split or nothing is
    /// tuned.
    division: [Vec<usize>; 2],
    /// What had to be done otherwise than the configuration says, for people.
    pub warnings: Vec<String>,
}

/// How good a network is on held-out data: the metric first, the loss where metrics tie, as the 0-1 errors of
/// a few samples often do.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// The task's metric, an error; `None` where it is not defined on the held-out data.
    pub metric: Option<f64>,
    /// The training loss on the same data.
    pub loss: f64,
}

impl Score {
    /// Whether this is a strictly better score than `other`.
    pub fn beats(self, other: Score) -> bool {
        match (self.metric, other.metric) {
            (Some(mine), Some(theirs)) if mine != theirs => mine < theirs,
            _ => self.loss < other.loss,
        }
    }

    /// Whether loss and metric are numbers.
    pub fn is_finite(self) -> bool {
        self.loss.is_finite() && self.metric.is_none_or(f64::is_finite)
    }
}

/// Held-out samples with their targets as they came.
pub struct HeldOut<'a> {
    /// Normalized samples.
    pub samples: &'a Samples,
    /// Raw targets.
    pub truth: &'a Targets,
    /// The rows to score.
    pub rows: Vec<usize>,
    /// For each sample, which whole it is a piece of.
    pub pieces: Option<&'a [u32]>,
}

impl HeldOut<'_> {
    /// What is scored: the predictions for the rows, averaged over pieces, and their raw targets.
    pub fn wholes(&self, predictions: Array) -> (Array, Targets) {
        let truth = self.truth.select(&self.rows);
        match self.pieces {
            None => (predictions, truth),
            Some(pieces) => {
                let pieces: Vec<u32> = self.rows.iter().map(|&row| pieces[row]).collect();
                join(&pieces, &predictions, &truth)
            }
        }
    }
}

/// Points that the grids of the samples in a forward pass of evaluation have together, at most: as many as
/// 128 samples of 128×128.
const EVALUATION_POINTS: usize = 128 * 128 * 128;

impl Problem {
    /// Resolves the configuration for a data set, fits the normalizers on its training split and
    /// normalizes it.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::LossMismatch`] or [`Error::MetricMismatch`] if the configuration does not fit
    /// the data.
    pub fn new(config: &Config, data: &Dataset) -> Result<Self, Error> {
        let facts = Facts { dims: data.dims(), task: data.task, train_samples: data.train.len() };
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
        let inputs = InputNormalizer::fit(&data.train.x, &data.normalization.input)?;
        let targets = TargetNormalizer::fit(&data.train.y, data.normalization.target);
        let mut problem = Self {
            task: data.task,
            metric,
            train: normalized(&data.train, &inputs, &targets).augmented(config.augment.clone()),
            train_targets: data.train.y.clone(),
            groups: data.groups.clone(),
            validation_pieces: data.pieces.val.clone(),
            given_validation: data.val.as_ref().map(|v| (normalized(v, &inputs, &targets), v.y.clone())),
            inputs,
            targets,
            config,
            budget: Budget::default(),
            all: None,
            ranked_by_loss: false,
            division: [Vec::new(), Vec::new()],
            warnings: Vec::new(),
        };
        problem.look_at_validation();
        problem.take_in_validation();
        Ok(problem)
    }

    /// Joins training and given validation data for retraining.
    fn take_in_validation(&mut self) {
        let Some((validation, _)) = &self.given_validation else { return };
        if !self.config.retrain.with_validation {
            return;
        }
        self.all = self.train.joined(validation);
        if self.all.is_none() {
            self.config.retrain.with_validation = false;
            self.warnings.push(
                "retraining leaves the validation samples out, since they are of other sizes than the training samples"
                    .into(),
            );
        }
    }

    /// The samples that a stage trains on, in its tuning trials or after them: retraining takes all training data,
    /// to which a given validation split belongs once there is nothing left to choose.
    pub(crate) fn trained_on(&self, stage: Stage, trial: Option<usize>) -> &Samples {
        match (stage, trial, &self.all) {
            (Stage::Retrain | Stage::Baseline, None, Some(all)) => all,
            _ => &self.train,
        }
    }

    /// Whether the given validation data is trained on there.
    pub(crate) fn trains_on_validation(&self, stage: Stage, trial: Option<usize>) -> bool {
        self.trained_on(stage, trial).len() > self.train.len()
    }

    /// Sets validation rows aside, and finds out whether trials can be judged on them, and how.
    fn look_at_validation(&mut self) {
        if !self.config.tune.enabled {
            return;
        }
        if self.given_validation.is_none() {
            self.division = self.divide();
        }
        if self.validation().1.rows.is_empty() {
            // Each class, or the whole, has a single sample.
            self.config.tune.enabled = false;
            self.warnings.push(format!(
                "no tuning, since no sample can be spared for validation: retraining takes the values under [retrain] \
                 ({} training samples)",
                self.train.len()
            ));
            return;
        }
        let (_, held) = self.validation();
        let truth = held.truth.select(&held.rows);
        if let Err(reason) = self.defined_on(&truth) {
            self.ranked_by_loss = true;
            self.warnings.push(format!(
                "trials are judged by their loss alone, since on the {} validation samples {reason}",
                truth.rows()
            ));
        }
    }

    /// A seeded, stratified share of the training data, in whole groups where that can be.
    fn divide(&mut self) -> [Vec<usize>; 2] {
        let (fraction, seed) = (self.config.task.validation_fraction, self.config.seed);
        let by = |groups| split_validation(&self.train_targets, groups, fraction, seed);
        let (mut fit, mut held) = by(self.groups.as_deref());
        if held.is_empty() && self.groups.is_some() {
            (fit, held) = by(None);
            if !held.is_empty() {
                self.warnings.push(
                    "validation divides groups, since no whole group can be spared: trials look better than they are"
                        .into(),
                );
            }
        }
        [fit, held]
    }

    /// Whether the metric is defined on some targets, whatever is predicted.
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

    /// Checks that a network can be judged on the test split in the end. Only the targets are looked at, and
    /// only for that.
    ///
    /// # Errors
    /// [`Error::Unjudgeable`] if the metric is undefined there.
    pub fn check_test(&self, data: &Dataset) -> Result<(), Error> {
        self.defined_on(&data.test.y).map_err(|source| Error::Unjudgeable { source, task: self.task })
    }

    /// Axes of the data, 1 or 2.
    pub fn dims(&self) -> usize {
        self.train.dims()
    }

    /// What the configuration's rules know of the data.
    pub fn facts(&self) -> Facts {
        Facts { dims: self.dims(), task: self.task, train_samples: self.train.len() }
    }

    /// The loss, with what it needs on a device.
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

    /// One weight a class, if there are any.
    fn class_weights(&self) -> Option<Vec<f64>> {
        match (&self.config.task.class_weights, &self.train_targets) {
            (ClassWeights::None, _) => None,
            (ClassWeights::Given(weights), _) => Some(weights.clone()),
            (ClassWeights::Balanced, targets) => {
                targets.classes().map(|labels| balanced_weights(labels, self.task.outputs()))
            }
        }
    }

    /// The class of each training sample, if there are classes.
    pub fn classes(&self) -> Option<&[u32]> {
        self.train_targets.classes()
    }

    /// Rows of the training split to tune on, and what to score on: the given validation split,
    /// or a seeded, stratified share of the training data. Without either, which is where no sample can be spared or
    /// nothing is tuned, both are empty.
    pub fn validation(&self) -> (Vec<usize>, HeldOut<'_>) {
        if let Some(held) = self.given_validation() {
            return ((0..self.train.len()).collect(), held);
        }
        let [fit, held] = self.division.clone();
        (fit, HeldOut { samples: &self.train, truth: &self.train_targets, rows: held, pieces: None })
    }

    /// The validation split that came with the data, if one did.
    pub(crate) fn given_validation(&self) -> Option<HeldOut<'_>> {
        let (samples, truth) = self.given_validation.as_ref()?;
        let rows = (0..samples.len()).collect();
        Some(HeldOut { samples, truth, rows, pieces: self.validation_pieces.as_deref() })
    }

    /// Samples a forward pass of evaluation takes at once, at most.
    pub(crate) fn evaluation_batch(&self, samples: &Samples) -> usize {
        let [_, h, w] = samples.input();
        self.budget.evaluation_batch.min((EVALUATION_POINTS / (h * w)).max(1))
    }

    /// Outputs of a network in evaluation, normalized, `[rows, outputs, positions]`, row by row.
    fn outputs(
        &self,
        network: &Network,
        samples: &Samples,
        rows: &[usize],
        device: &Device,
    ) -> Result<Vec<Tensor<3>>, Error> {
        let mut pass = Pass::evaluation(self.config.search.temperature);
        rows.chunks(self.evaluation_batch(samples))
            .map(|chunk| Ok(network.forward(samples.inputs(chunk, device)?, &mut pass)))
            .collect()
    }

    /// Predictions in the data's own units: class scores, logits, or decoded values.
    ///
    /// # Errors
    /// [`Error::Data`] if inputs are in a file that no longer gives them.
    pub fn predict(
        &self,
        network: &Network,
        samples: &Samples,
        rows: &[usize],
        device: &Device,
    ) -> Result<Array, Error> {
        let mut shape = [0, 0, 0];
        let mut data = Vec::new();
        for output in self.outputs(network, samples, rows, device)? {
            shape = output.dims();
            let values = floats(output);
            data.extend_from_slice(&values);
        }
        let mut array = Array::new(vec![rows.len(), shape[1], shape[2]], data);
        self.targets.decode(&mut array);
        Ok(array)
    }

    /// The metric of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there.
    pub fn metric_of(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<f64, Error> {
        let predictions = self.predict(network, held.samples, &held.rows, device)?;
        let (predictions, truth) = held.wholes(predictions);
        self.metric_of_predictions(&predictions, &truth)
    }

    /// The metric of [`Problem::predict`]'s predictions, held against raw targets.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there.
    pub fn metric_of_predictions(&self, predictions: &Array, truth: &Targets) -> Result<f64, Error> {
        let shape = [predictions.shape[0], predictions.shape[1], predictions.shape[2]];
        let predictions = Predictions::new(&predictions.data, shape, Scale::Logits)?;
        Ok(match truth {
            Targets::Classes(labels) => metric::evaluate(self.metric, &predictions, Truth::Classes(labels))?,
            Targets::Values(values) => metric::evaluate(self.metric, &predictions, Truth::Values(&values.data))?,
        })
    }

    /// How often [`Problem::score`] predicts each sample.
    pub(crate) fn passes(&self) -> usize {
        if self.ranked_by_loss { 1 } else { 2 }
    }

    /// Metric and loss of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there, as for outputs that are not finite.
    pub fn score(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<Score, Error> {
        let loss = self.loss(device);
        let mut pass = Pass::evaluation(self.config.search.temperature);
        let mut total = 0.0;
        for chunk in held.rows.chunks(self.evaluation_batch(held.samples)) {
            let (x, target) = held.samples.batch(chunk, device)?;
            let value = loss.forward(network.forward(x, &mut pass), &target).into_scalar::<f32>();
            total += f64::from(value) * chunk.len() as f64;
        }
        let metric = if self.ranked_by_loss { None } else { Some(self.metric_of(network, held, device)?) };
        Ok(Score { metric, loss: total / held.rows.len().max(1) as f64 })
    }

    /// The test split, normalized by the training statistics.
    pub fn test_samples(&self, data: &Dataset) -> Samples {
        normalized(&data.test, &self.inputs, &self.targets)
    }
}

/// Class weights and balanced sampling go with classes only, and weights with their number.
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
            let reason = format!("has {} weights for a {kind} with {classes} classes", given.len());
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
