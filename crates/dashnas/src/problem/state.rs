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
        let setup = Setup::new(config, data)?;
        let budget = BudgetState::new(setup.config.clone());
        Ok(Self { setup, budget })
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
        let mut shape = [0, 0, 0];
        let mut data = Vec::new();
        for output in self.outputs(network, samples, rows, device)? {
            shape = output.dims();
            let values = floats(output);
            data.extend_from_slice(&values);
        }
        let mut array = Array::new(vec![rows.len(), shape[1], shape[2]], data);
        self.setup.targets.decode(&mut array);
        Ok(array)
    }

    /// The metric of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there.
    pub fn metric_of(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<f64, Error> {
        let predictions = self.predict(network, held.samples, &held.rows, device)?;
        let (predictions, truth) = held.merge_segments(predictions);
        self.setup.metric_of_predictions(&predictions, &truth)
    }

    /// The metric and the loss of a network on held-out data.
    ///
    /// # Errors
    /// [`Error::Metric`] if the metric is not defined there, for example because outputs are not finite.
    pub fn score(&self, network: &Network, held: &HeldOut<'_>, device: &Device) -> Result<Score, Error> {
        let loss = self.loss_of(network, held, &held.rows, device)?;
        let metric = if self.setup.ranks_by_loss() { None } else { Some(self.metric_of(network, held, device)?) };
        Ok(Score { metric, loss })
    }

    /// The loss of a network on some rows of the held-out data.
    ///
    /// # Errors
    /// [`Error::Data`] if the inputs are in a file that can no longer be read.
    pub(crate) fn loss_of(
        &self,
        network: &Network,
        held: &HeldOut<'_>,
        rows: &[usize],
        device: &Device,
    ) -> Result<f64, Error> {
        let loss = self.setup.loss(device);
        let mut pass = Pass::evaluation(self.setup.config.search.temperature);
        let mut total = 0.0;
        for chunk in rows.chunks(self.evaluation_batch(held.samples)) {
            let (x, target) = held.samples.batch(chunk, device)?;
            let value = loss.forward(network.forward(x, &mut pass), &target).into_scalar::<f32>();
            total += f64::from(value) * chunk.len() as f64;
        }
        Ok(total / rows.len().max(1) as f64)
    }
}
