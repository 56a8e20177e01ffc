//! Batch normalization with ReLU as one Burn module.

use super::ops;
use burn::module::{Flag, Module, Param, RunningState};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

/// Batch normalization with an optional fused ReLU. It is a replacement for Burn's `BatchNorm` followed by a ReLU: it
/// has the same parameters with the same names, the same results up to rounding, and the same rule for when to train.
///
/// ```
/// use aggconv::norm::NormAct;
/// use burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let norm = NormAct::new(3, &device);
/// let x = Tensor::<4>::ones([2, 3, 5, 7], &device);
/// assert_eq!(norm.forward(x, true).dims(), [2, 3, 5, 7]);
/// ```
#[derive(Module, Debug)]
pub struct NormAct {
    /// γ, `[channels]`, initially 1.
    pub gamma: Param<Tensor<1>>,
    /// β, `[channels]`, initially 0.
    pub beta: Param<Tensor<1>>,
    /// Whether the layer trains. Freezing the layer clears it.
    pub training: Param<Flag>,
    /// The running mean, `[channels]`, initially 0.
    pub running_mean: RunningState<Tensor<1>>,
    /// The running biased variance, `[channels]`, initially 1.
    pub running_var: RunningState<Tensor<1>>,
    /// The weight of a batch in the running statistics.
    pub momentum: f64,
    /// ε, added to the variance under the root.
    pub epsilon: f64,
}

impl NormAct {
    /// The ε of layers that [`NormAct::new`] creates.
    pub const EPSILON: f64 = 1e-5;

    /// Creates a layer for `channels` channels with ε = 1e-5 and momentum 0.1.
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

    /// Normalizes `x: [batch, channels, …]` and applies a ReLU if `relu`. On an autodiff device, unless the layer is
    /// frozen, it uses the statistics of the batch and updates the running statistics. Otherwise it uses the running
    /// statistics.
    ///
    /// # Panics
    /// If the number of channels of x differs from that of the layer, as Burn's modules do.
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
        // One infinite activation must not spoil the running statistics permanently. A step whose gradient is not
        // finite can be skipped, but an update of the running statistics could not be undone.
        let broken = mean.clone().is_finite().bool_not();
        for (running, batch) in [(&self.running_mean, mean), (&self.running_var, variance)] {
            let old = running.value_sync().to_device(&device);
            let batch = batch.mask_where(broken.clone(), old.clone());
            running.update(old.mul_scalar(1.0 - self.momentum).add(batch.mul_scalar(self.momentum)).detach());
        }
        Ok(result.output)
    }
}
