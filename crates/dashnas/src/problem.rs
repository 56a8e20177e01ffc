//! A data set made ready for the pipeline: normalized, with its loss, metric and splits decided.

use crate::augment::balanced_weights;
use crate::budget::Budget;
use crate::config::{ClassWeights, Config, ConfigError, Facts};
use crate::data::pieces::join;
use crate::data::{Array, Dataset, InputNormalizer, Split, TargetNormalizer, Targets, split_validation};
use crate::error::Error;
use crate::host::floats;
use crate::loss::{Decoder, LossFn, compatible};
use crate::metric::{self, Predictions, Scale, Truth};
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
}

/// How good a network is on held-out data: the metric first, the loss where metrics tie.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Score {
    /// The task's metric, an error.
    pub metric: f64,
    /// The training loss on the same data.
    pub loss: f64,
}

impl Score {
    /// Whether this is a strictly better score than `other`.
    pub fn beats(self, other: Score) -> bool {
        (self.metric, self.loss) < (other.metric, other.loss)
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
    /// [`Error::Config`] if the configuration does not fit the data.
    pub fn new(config: &Config, data: &Dataset) -> Result<Self, Error> {
        let facts = Facts { dims: data.dims(), task: data.task, train_samples: data.train.len() };
        let config = config.resolve(&facts)?;
        let loss = config.loss(data.task);
        let classes = data.train.y.classes().is_some();
        if !compatible(loss, classes) {
            return Err(Error::LossMismatch { loss, task: data.task });
        }
        check_classes(&config, data)?;
        let inputs = InputNormalizer::fit(&data.train.x, &data.normalization.input);
        let targets = TargetNormalizer::fit(&data.train.y, data.normalization.target);
        let metric = config.metric(data.task);
        let problem = Self {
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
        };
        Ok(problem)
    }

    /// Axes of the data, 1 or 2.
    pub fn dims(&self) -> usize {
        self.train.split().x.shape.len() - 2
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

    /// Rows of the training split to tune on, and what to score on: the given validation split,
    /// or a seeded, stratified share of the training data.
    pub fn validation(&self) -> (Vec<usize>, HeldOut<'_>) {
        if let Some((samples, truth)) = &self.given_validation {
            let rows = (0..samples.len()).collect();
            return (
                (0..self.train.len()).collect(),
                HeldOut { samples, truth, rows, pieces: self.validation_pieces.as_deref() },
            );
        }
        let (fraction, seed) = (self.config.task.validation_fraction, self.config.seed);
        let (fit, held) = split_validation(&self.train_targets, self.groups.as_deref(), fraction, seed);
        (fit, HeldOut { samples: &self.train, truth: &self.train_targets, rows: held, pieces: None })
    }

    /// Samples a forward pass of evaluation takes at once, at most.
    fn evaluation_batch(&self, samples: &Samples) -> usize {
        let [_, h, w] = samples.input();
        self.budget.evaluation_batch.min((EVALUATION_POINTS / (h * w)).max(1))
    }

    /// Outputs of a network in evaluation, normalized, `[rows, outputs, positions]`, row by row.
    fn outputs(&self, network: &Network, samples: &Samples, rows: &[usize], device: &Device) -> Vec<Tensor<3>> {
        let mut pass = Pass::evaluation(self.config.search.temperature);
        rows.chunks(self.evaluation_batch(samples))
            .map(|chunk| network.forward(samples.inputs(chunk, device), &mut pass))
            .collect()
    }

    /// Predictions in the data's own units: class scores, logits, or decoded values.
    pub fn predict(&self, network: &Network, samples: &Samples, rows: &[usize], device: &Device) -> Array {
        let mut shape = [0, 0, 0];
        let mut data = Vec::new();
        for output in self.outputs(network, samples, rows, device) {
            shape = output.dims();
            let values = floats(output);
            data.extend_from_slice(&values);
        }
        let mut array = Array::new(vec![rows.len(), shape[1], shape[2]], data);
        self.targets.decode(&mut array);
        array
    }

    /// The metric of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there.
    pub fn metric_of(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<f64, Error> {
        let predictions = self.predict(network, held.samples, &held.rows, device);
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

    /// Metric and loss of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there, as for outputs that are not finite.
    pub fn score(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<Score, Error> {
        let loss = self.loss(device);
        let mut pass = Pass::evaluation(self.config.search.temperature);
        let mut total = 0.0;
        for chunk in held.rows.chunks(self.evaluation_batch(held.samples)) {
            let (x, target) = held.samples.batch(chunk, device);
            let value = loss.forward(network.forward(x, &mut pass), &target).into_scalar::<f32>();
            total += f64::from(value) * chunk.len() as f64;
        }
        Ok(Score { metric: self.metric_of(network, held, device)?, loss: total / held.rows.len().max(1) as f64 })
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
