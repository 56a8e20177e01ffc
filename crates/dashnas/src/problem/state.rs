//! A data set that a run works on: the setup with the state of the budget.

use crate::budget::state::BudgetState;
use crate::config::sections::Config;
use crate::error::Error;
use crate::problem::held_out::HeldOut;
use crate::problem::samples::Samples;
use crate::problem::setup::Setup;
use burn::tensor::{Device, Tensor};
use dashnas_core::score::Score;
use dashnas_data::dataset::Dataset;
use dashnas_formats::array::Array;
use dashnas_nn::network::{Network, Pass};
use dashnas_nn::tensor_data::floats;

/// The input of every stage: what is set up once, and what the limits decide in the course of the run.
pub struct Problem {
    /// The data, task, loss, metric and splits, which never change.
    pub setup: Setup,
    /// The decisions about time and memory, and the configuration in force.
    pub budget: BudgetState,
}

/// The largest number of grid points in a forward pass of evaluation: those of 128 samples of 128×128.
const EVALUATION_POINTS: usize = 128 * 128 * 128;

impl Problem {
    /// Sets up a problem under a budget that has decided nothing.
    ///
    /// # Errors
    /// As [`Setup::new`].
    pub fn new(config: &Config, data: &Dataset) -> Result<Self, Error> {
        Ok(Self::of(Setup::new(config, data)?))
    }

    /// Does the same for the preview of a run, in which no sample can be read.
    ///
    /// # Errors
    /// As [`Setup::new`].
    pub(crate) fn without_values(config: &Config, data: &Dataset) -> Result<Self, Error> {
        Ok(Self::of(Setup::without_values(config, data)?))
    }

    fn of(setup: Setup) -> Self {
        let budget = BudgetState::new(setup.config.clone());
        Self { setup, budget }
    }

    /// The configuration in force: that of the setup with the decisions of the limits.
    pub fn config(&self) -> &Config {
        self.budget.config()
    }

    /// The largest number of samples in a forward pass of evaluation.
    pub(crate) fn evaluation_batch(&self, samples: &Samples) -> usize {
        let [_, h, w] = samples.input();
        self.budget.evaluation_batch().min((EVALUATION_POINTS / (h * w)).max(1))
    }

    /// The normalized outputs of a network in evaluation, one tensor `[rows, outputs, positions]` for each batch.
    fn outputs(
        &self,
        network: &Network,
        samples: &Samples,
        rows: &[usize],
        device: &Device,
    ) -> Result<Vec<Tensor<3>>, Error> {
        let mut pass = Pass::evaluation(self.setup.config.search.temperature);
        rows.chunks(self.evaluation_batch(samples))
            .map(|chunk| Ok(network.forward(samples.inputs(chunk, device)?, &mut pass)))
            .collect()
    }

    /// Predictions in the units of the data, `[rows, outputs, positions]`: class scores, logits, or decoded values.
    ///
    /// # Errors
    /// [`Error::Data`] if the inputs are in a file that can no longer be read.
    pub fn predict(
        &self,
        network: &Network,
        samples: &Samples,
        rows: &[usize],
        device: &Device,
    ) -> Result<Array, Error> {
        Ok(self.decoded(self.outputs(network, samples, rows, device)?, rows.len()))
    }

    /// The outputs of a network for some rows in the units of the data.
    fn decoded(&self, outputs: Vec<Tensor<3>>, rows: usize) -> Array {
        let mut shape = [0, 0, 0];
        let mut data = Vec::new();
        for output in outputs {
            shape = output.dims();
            let values = floats(output);
            data.extend_from_slice(&values);
        }
        let mut array = Array::new(vec![rows, shape[1], shape[2]], data);
        self.setup.targets.decode(&mut array);
        array
    }

    /// The metric of predictions for held-out data.
    fn metric_of_predictions(&self, predictions: Array, held: &HeldOut<'_>) -> Result<f64, Error> {
        let (predictions, truth, weights) = held.merge_segments(predictions);
        self.setup.metric_of_predictions(&predictions, &truth, weights.as_deref())
    }

    /// The metric of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there.
    pub fn metric_of(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<f64, Error> {
        self.metric_of_predictions(self.predict(network, held.samples, &held.rows, device)?, held)
    }

    /// The metric and the loss of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there, for example because outputs are not finite.
    pub fn score(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<Score, Error> {
        self.score_with_parts(network, held, 1, device).map(|(score, _)| score)
    }

    /// The metric and the loss of a network on held-out data, and its losses on at most `parts` equal parts of them, all
    /// from one pass. Samples that remain after the last part count in the metric and the loss.
    ///
    /// # Errors
    /// As [`Problem::score`].
    pub(crate) fn score_with_parts(
        &self,
        network: &Network,
        held: &HeldOut<'_>,
        parts: usize,
        device: &Device,
    ) -> Result<(Score, Vec<f64>), Error> {
        let loss = self.setup.loss(device);
        let by_loss = self.setup.ranks_by_loss();
        let mut pass = Pass::evaluation(self.setup.config.search.temperature);
        let n = held.rows.len();
        let size = n.div_ceil(parts.max(1)).max(1);
        let scale = held.weight_scale();
        let (mut sum, mut losses, mut outputs) = (0.0, Vec::new(), Vec::new());
        for part in held.rows.chunks(size) {
            let mut of_part = 0.0;
            for chunk in part.chunks(self.evaluation_batch(held.samples)) {
                let (x, target) = held.samples.batch(chunk, device)?;
                let output = network.forward(x, &mut pass);
                if !by_loss {
                    outputs.push(output.clone());
                }
                of_part += f64::from(loss.forward(output, &target).into_scalar::<f32>()) * chunk.len() as f64;
            }
            // Without weights the factor is 1 and changes no bit.
            of_part *= scale;
            sum += of_part;
            if part.len() == size {
                losses.push(of_part / size as f64);
            }
        }
        let metric = if by_loss { None } else { Some(self.metric_of_predictions(self.decoded(outputs, n), held)?) };
        Ok((Score { metric, loss: sum / n.max(1) as f64 }, losses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashnas_core::names::Preset;
    use dashnas_core::task::TaskKind;
    use dashnas_data::split::Split;
    use dashnas_data::targets::Targets;

    #[test]
    fn without_values_all_is_decided_as_with_them() {
        let split = |n: usize| Split {
            x: Array::new(vec![n, 1, 4], (0..4 * n).map(|i| i as f32).collect()),
            y: Targets::Values(Array::new(vec![n, 1], (0..n).map(|i| i as f32).collect())),
        };
        let task = TaskKind::Regression { outputs: 1 };
        for val in [None, Some(split(10))] {
            let data = Dataset::new("numbers", task, split(40), val, split(4)).expect("sound");
            let config = Config::preset(Preset::Quick);
            let full = Problem::new(&config, &data).expect("fits");
            let sized = Problem::without_values(&config, &data).expect("fits");
            let decided = |problem: &Problem| {
                let setup = &problem.setup;
                let (rows, held) = setup.validation();
                let targets = [setup.train.targets(), held.samples.targets()].map(Targets::clone);
                let sizes = (setup.train.len(), setup.train.input(), held.samples.len());
                (problem.config().clone(), setup.warnings.clone(), rows, held.rows, targets, sizes)
            };
            assert!(decided(&full) == decided(&sized));
            assert!(full.setup.train.row(0).is_ok());
            let error = sized.setup.train.row(0).expect_err("it is not there");
            assert!(error.to_string().contains("a preview reads no samples"), "{error}");
        }
    }
}
