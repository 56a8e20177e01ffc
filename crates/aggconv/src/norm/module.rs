//! Batch normalization and ReLU as one Burn module.

use super::ops;
use burn::module::{Flag, Module, Param, RunningState};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Batch normalization that can rectify its output in the same pass. A drop-in for Burn's
/// `BatchNorm` followed by a ReLU: the same parameters by the same names, the same results to
/// rounding, the same rule for when to train.
#[derive(Module, Debug)]
pub struct NormAct {
    /// γ, `[channels]`, at first 1.
    pub gamma: Param<Tensor<1>>,
    /// β, `[channels]`, at first 0.
    pub beta: Param<Tensor<1>>,
    /// Whether the layer trains; freezing the layer clears it.
    pub training: Param<Flag>,
    /// The running mean, `[channels]`, at first 0.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running biased variance, `[channels]`, at first 1.
    pub running_var: RunningState<Tensor<1>>,
    /// The weight of a batch in the running statistics.
    pub momentum: f64,
    /// ε, added to the variance under the root.
    pub epsilon: f64,
}

impl NormAct {
    /// ε of the layers that [`NormAct::new`] makes.
    pub const EPSILON: f64 = 1e-5;

    /// A layer for `channels` channels with ε = 1e-5 and momentum 0.1.
    pub fn new(channels: usize, device: &Device) -> Self {
        Self {
            gamma: Initializer::Ones.init([channels], device),
            beta: Initializer::Zeros.init([channels], device),
            training: Param::from_bool(true),
            running_mean: RunningState::new(Tensor::zeros([channels], device)),
            running_var: RunningState::new(Tensor::ones([channels], device)),
            momentum: 0.1,
            epsilon: Self::EPSILON,
        }
    }

    /// Normalizes `x: [batch, channels, …]` and, if `relu`, rectifies. On an autodiff device,
    /// unless the layer is frozen, with the statistics of the batch, which move the running
    /// statistics; otherwise with the running statistics.
    ///
    /// # Panics
    /// If the channels of x are not those of the layer, as Burn's modules do.
    pub fn forward<const D: usize>(&self, x: Tensor<D>, relu: bool) -> Tensor<D> {
        let result = if x.device().is_autodiff() && self.training.is_enabled() {
            self.forward_train(x, relu)
        } else {
            let device = x.device();
            let mean = self.running_mean.value().to_device(&device);
            let variance = self.running_var.value().to_device(&device);
            ops::evaluate(x, self.gamma.val(), self.beta.val(), mean, variance, self.epsilon, relu)
        };
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    fn forward_train<const D: usize>(&self, x: Tensor<D>, relu: bool) -> Result<Tensor<D>, ops::NormError> {
        let device = x.device();
        let result = ops::train(x, self.gamma.val(), self.beta.val(), self.epsilon, relu)?;
        let [mean, variance] = [result.mean.detach(), result.variance.detach()];
        // One infinite activation must not stay in the statistics for good: a step whose gradient is not finite can
        // be left out, this could not.
        let broken = mean.clone().is_finite().bool_not();
        for (running, batch) in [(&self.running_mean, mean), (&self.running_var, variance)] {
            let old = running.value_sync().to_device(&device);
            let batch = batch.mask_where(broken.clone(), old.clone());
            running.update(old.mul_scalar(1.0 - self.momentum).add(batch.mul_scalar(self.momentum)).detach());
        }
        Ok(result.output)
    }
}
