//! Training losses on the network's raw output (appendix A.5.2, last row of the tables).

use burn::tensor::{Int, Tensor, activation};
use dashnas_core::task::Loss;

/// The targets of one batch.
#[derive(Debug, Clone)]
// One exists at a time, so its size does not matter.
#[allow(clippy::large_enum_variant)]
pub enum BatchTarget {
    /// Class indices, `[N, 1]`.
    Classes(Tensor<2, Int>),
    /// Real values or 0/1 labels, `[N, outputs, positions]`; already normalized.
    Values(Tensor<3>),
    /// Values of which some are unknown and left out of the loss.
    Known {
        /// As in [`BatchTarget::Values`], 0 where unknown.
        values: Tensor<3>,
        /// 1 where known, 0 elsewhere.
        known: Tensor<3>,
    },
    /// Targets of samples with weights: the term of each sample in the mean is multiplied by its weight. The weights
    /// have mean 1 over the training data, so that the loss stays on its scale.
    Weighted {
        /// The targets.
        target: Box<BatchTarget>,
        /// The weights, `[N]`.
        weights: Tensor<1>,
    },
    /// The targets of inputs that are `share · a + (1 − share) · b` (mixup): the loss is mixed likewise.
    Mixed {
        /// Targets of a.
        first: Box<BatchTarget>,
        /// Targets of b.
        second: Box<BatchTarget>,
        /// Share of a, in [0, 1].
        share: f64,
    },
}

/// Converts normalized predictions to the units of the data: `value · std + mean`.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// Mean, broadcastable to `[N, outputs, positions]`.
    pub mean: Tensor<3>,
    /// Standard deviation, broadcastable likewise.
    pub std: Tensor<3>,
}

impl Decoder {
    /// Returns `value · std + mean`.
    pub fn decode(&self, value: Tensor<3>) -> Tensor<3> {
        value * self.std.clone() + self.mean.clone()
    }
}

/// A loss with its parameters.
#[derive(Debug, Clone)]
pub struct LossFn {
    /// The loss.
    pub loss: Loss,
    /// γ of the focal loss.
    pub focal_gamma: f64,
    /// Weight of positive examples in the binary cross entropy.
    pub pos_weight: f64,
    /// Weight of each class in the class losses, `[classes]`: their mean over a batch is weighted by them.
    pub class_weights: Option<Tensor<1>>,
    /// Used by the relative L2 loss, which is computed in the units of the data (Li et al. 2021).
    pub decoder: Option<Decoder>,
}

impl LossFn {
    /// Returns a loss with the default parameters: γ = 2, no extra weight on positives, no decoding.
    pub fn new(loss: Loss) -> Self {
        Self { loss, focal_gamma: 2.0, pos_weight: 1.0, class_weights: None, decoder: None }
    }

    /// The mean loss of a batch, shape `[1]`.
    ///
    /// `output` is the network's `[N, outputs, positions]`. Class losses take position 0 only
    /// (point heads have one position).
    ///
    /// # Panics
    /// If the loss and the kind of target do not go together; configurations are checked before
    /// training ([`compatible`]).
    pub fn forward(&self, output: Tensor<3>, target: &BatchTarget) -> Tensor<1> {
        match target {
            BatchTarget::Weighted { target, weights } => self.mean(output, target, Some(weights)),
            target => self.mean(output, target, None),
        }
    }

    /// The mean loss of a batch whose samples may have weights.
    fn mean(&self, output: Tensor<3>, target: &BatchTarget, weights: Option<&Tensor<1>>) -> Tensor<1> {
        match (self.loss, target) {
            (_, BatchTarget::Mixed { first, second, share }) => {
                self.forward(output.clone(), first) * *share + self.forward(output, second) * (1.0 - share)
            }
            (Loss::CrossEntropy, BatchTarget::Classes(t)) => self.class_mean(log_prob(output, t).neg(), t, weights),
            (Loss::Focal, BatchTarget::Classes(t)) => {
                let log_p = log_prob(output, t);
                // −(1 − p)^γ log p; 1 − p is clamped so that the power's gradient stays finite
                // for γ < 1 where p rounds to 1.
                let modulation = (log_p.clone().exp().neg() + 1.0).clamp_min(1e-12).powf_scalar(self.focal_gamma);
                self.class_mean((modulation * log_p).neg(), t, weights)
            }
            (Loss::BceWithLogits, BatchTarget::Known { values, known }) => {
                known_mean(weighted(self.bce(output, values.clone()), weights), known)
            }
            (Loss::Mse, BatchTarget::Known { values, known }) => {
                known_mean(weighted((output - values.clone()).powf_scalar(2.0), weights), known)
            }
            (Loss::BceWithLogits, BatchTarget::Values(y)) => weighted(self.bce(output, y.clone()), weights).mean(),
            (Loss::Mse, BatchTarget::Values(y)) => weighted((output - y.clone()).powf_scalar(2.0), weights).mean(),
            (Loss::RelativeL2, BatchTarget::Values(y)) => {
                let (p, y) = self.decoded(output, y.clone());
                relative_l2(p, y, self.mean_square(), weights)
            }
            (Loss::RelativeL2, BatchTarget::Known { values, known }) => {
                let (p, y) = self.decoded(output, values.clone());
                relative_l2(p * known.clone(), y * known.clone(), self.mean_square(), weights)
            }
            (loss, _) => unreachable!("{loss:?} was paired with a target of the wrong kind; `compatible` forbids it"),
        }
    }

    /// Returns prediction and target in the units of the data.
    fn decoded(&self, p: Tensor<3>, y: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        match &self.decoder {
            Some(d) => (d.decode(p), d.decode(y)),
            None => (p, y),
        }
    }

    /// Returns E[y²] of the training targets, averaged over the points, if there is a decoder.
    fn mean_square(&self) -> Option<Tensor<1>> {
        let square = |t: &Tensor<3>| t.clone().powf_scalar(2.0).mean();
        self.decoder.as_ref().map(|d| square(&d.mean) + square(&d.std))
    }

    /// Returns the mean of the losses `[N, 1]` of the samples, weighted by the weights of the classes and of the samples
    /// if there are any.
    fn class_mean(&self, losses: Tensor<2>, classes: &Tensor<2, Int>, weights: Option<&Tensor<1>>) -> Tensor<1> {
        let losses = match weights {
            Some(weights) => {
                let [n, _] = losses.dims();
                losses * weights.clone().reshape([n, 1])
            }
            None => losses,
        };
        let Some(weights) = &self.class_weights else { return losses.mean() };
        let [n, _] = losses.dims();
        let each: Tensor<2> = weights.clone().select(0, classes.clone().reshape([n])).reshape([n, 1]);
        (losses * each.clone()).sum() / each.sum()
    }

    /// `(1 − y)·x + (1 + (w − 1)·y)·log(1 + e^{−x})`, elementwise and stable for any x.
    fn bce(&self, x: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        let softplus = activation::log_sigmoid(x.clone()).neg();
        let weight = y.clone() * (self.pos_weight - 1.0) + 1.0;
        (y.neg() + 1.0) * x + weight * softplus
    }
}

/// Losses `[N, outputs, positions]` times the weights of their samples, if there are weights.
fn weighted(losses: Tensor<3>, weights: Option<&Tensor<1>>) -> Tensor<3> {
    match weights {
        Some(weights) => {
            let [n, _, _] = losses.dims();
            losses * weights.clone().reshape([n, 1, 1])
        }
        None => losses,
    }
}

/// Returns the mean over the known values; 0 if there are none.
fn known_mean(losses: Tensor<3>, known: &Tensor<3>) -> Tensor<1> {
    (losses * known.clone()).sum() / known.clone().sum().clamp_min(1.0)
}

/// Returns whether a loss applies to class targets (`classes`) or to value targets (not `classes`).
pub fn compatible(loss: Loss, classes: bool) -> bool {
    matches!(loss, Loss::CrossEntropy | Loss::Focal) == classes
}

/// Log-probability of the true class, `[N, 1]`, from `[N, classes, positions]`.
fn log_prob(output: Tensor<3>, target: &Tensor<2, Int>) -> Tensor<2> {
    let [n, classes, positions] = output.dims();
    let logits: Tensor<2> = if positions == 1 {
        output.reshape([n, classes])
    } else {
        output.slice([0..n, 0..classes, 0..1]).reshape([n, classes])
    };
    activation::log_softmax(logits, 1).gather(1, target.clone())
}

/// Squared norms below this fraction of the typical one count as 0: decoding has a rounding error of about 1e-14 of it.
const ZERO: f64 = 1e-12;

/// The mean of `‖p − y‖₂ / ‖y‖₂` over the samples with y ≠ 0, as in the metric; 0 if there are none.
/// `mean_square` is the typical y² of a point; without it, the mean over the batch is used.
fn relative_l2(p: Tensor<3>, y: Tensor<3>, mean_square: Option<Tensor<1>>, weights: Option<&Tensor<1>>) -> Tensor<1> {
    let [n, c, positions] = y.dims();
    let square = |t: Tensor<3>| -> Tensor<1> {
        let squares: Tensor<2> = t.powf_scalar(2.0).reshape([n, c * positions]);
        squares.sum_dim(1).reshape([n])
    };
    let target = square(y.clone());
    let typical = mean_square.map_or_else(|| target.clone().mean(), |m| m * (c * positions) as f64);
    // Keeps the gradient of the square root finite where a prediction is exact, on the scale of the data.
    let tiny = (typical * ZERO).clamp_min(1e-30);
    let counted = target.clone().greater(tiny.clone().expand([n])).float();
    let gap = (square(p - y) + tiny).sqrt();
    // Samples that do not count are divided by 1.
    let norm = (target * counted.clone() + (counted.clone().neg() + 1.0)).sqrt();
    let terms = gap / norm * counted.clone();
    let terms = match weights {
        Some(weights) => terms * weights.clone(),
        None => terms,
    };
    terms.sum() / counted.sum().clamp_min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn tensor(data: &[f32], shape: [usize; 3]) -> Tensor<3> {
        Tensor::from_data(TensorData::new(data.to_vec(), shape), &Device::flex())
    }

    fn classes(data: &[i32]) -> BatchTarget {
        BatchTarget::Classes(Tensor::from_data(TensorData::new(data.to_vec(), [data.len(), 1]), &Device::flex()))
    }

    fn value(t: Tensor<1>) -> f64 {
        f64::from(t.into_scalar::<f32>())
    }

    const X: [f64; 6] = [1.0, -2.0, 0.5, 3.0, 0.0, -1.0];

    fn logits() -> Tensor<3> {
        tensor(&X.map(|v| v as f32), [2, 3, 1])
    }

    /// Log-softmax of the true class, from the definition in f64.
    fn log_p(row: usize, class: usize) -> f64 {
        let z = &X[3 * row..3 * row + 3];
        z[class] - z.iter().map(|v| v.exp()).sum::<f64>().ln()
    }

    #[test]
    fn cross_entropy_and_focal_match_their_definitions() {
        let (a, b) = (log_p(0, 2), log_p(1, 0));
        let ce = value(LossFn::new(Loss::CrossEntropy).forward(logits(), &classes(&[2, 0])));
        assert!((ce + (a + b) / 2.0).abs() < 1e-6, "{ce}");
        let focal = value(LossFn::new(Loss::Focal).forward(logits(), &classes(&[2, 0])));
        let want = -((1.0 - a.exp()).powi(2) * a + (1.0 - b.exp()).powi(2) * b) / 2.0;
        assert!((focal - want).abs() < 1e-6, "{focal} {want}");
    }

    #[test]
    fn bce_with_positive_weight_matches_its_definition_and_is_stable() {
        let y = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0];
        let loss = LossFn { pos_weight: 3.0, ..LossFn::new(Loss::BceWithLogits) };
        let got = value(loss.forward(logits(), &BatchTarget::Values(tensor(&y.map(|v: f64| v as f32), [2, 3, 1]))));
        let want = X
            .iter()
            .zip(y)
            .map(|(&x, y)| {
                let s = 1.0 / (1.0 + (-x).exp());
                -(3.0 * y * s.ln() + (1.0 - y) * (1.0 - s).ln())
            })
            .sum::<f64>()
            / 6.0;
        assert!((got - want).abs() < 1e-6, "{got} {want}");
        let extreme =
            loss.forward(tensor(&[500.0, -500.0], [1, 2, 1]), &BatchTarget::Values(tensor(&[0.0, 1.0], [1, 2, 1])));
        assert!((value(extreme) - 1000.0).abs() < 1e-3, "(500 + 3·500)/2");
    }

    #[test]
    fn mse_and_relative_l2_match_their_definitions() {
        let y = BatchTarget::Values(tensor(&[3.0, 4.0, 1.0, 0.0], [2, 1, 2]));
        let p = || tensor(&[3.0, 1.0, 1.0, 2.0], [2, 1, 2]);
        assert!((value(LossFn::new(Loss::Mse).forward(p(), &y)) - 13.0 / 4.0).abs() < 1e-6);
        assert!((value(LossFn::new(Loss::RelativeL2).forward(p(), &y)) - (3.0 / 5.0 + 2.0) / 2.0).abs() < 1e-6);
        let decoder = Decoder { mean: tensor(&[1.0], [1, 1, 1]), std: tensor(&[2.0], [1, 1, 1]) };
        let decoded = LossFn { decoder: Some(decoder), ..LossFn::new(Loss::RelativeL2) };
        // Decoded: y = (7, 9), (3, 1); differences double: 6 and 4.
        let want = (6.0 / 130f64.sqrt() + 4.0 / 10f64.sqrt()) / 2.0;
        assert!((value(decoded.forward(p(), &y)) - want).abs() < 1e-6);
    }

    #[test]
    fn unknown_values_do_not_count() {
        let p = || tensor(&[1.0, 5.0, -2.0, 0.5], [2, 1, 2]);
        let known = BatchTarget::Known {
            values: tensor(&[0.0, 0.0, 1.0, 2.0], [2, 1, 2]),
            known: tensor(&[1.0, 0.0, 1.0, 1.0], [2, 1, 2]),
        };
        let mse = value(LossFn::new(Loss::Mse).forward(p(), &known));
        assert!((mse - (1.0 + 9.0 + 2.25) / 3.0).abs() < 1e-6, "{mse}");
        let softplus = |x: f64| x.exp().ln_1p();
        let want = (softplus(1.0) + softplus(2.0) + softplus(0.5) - 2.0 * 0.5 + 0.5) / 3.0;
        let labels = BatchTarget::Known {
            values: tensor(&[0.0, 0.0, 1.0, 1.0], [2, 1, 2]),
            known: tensor(&[1.0, 0.0, 1.0, 1.0], [2, 1, 2]),
        };
        let bce = value(LossFn::new(Loss::BceWithLogits).forward(p(), &labels));
        assert!((bce - want).abs() < 1e-6, "{bce} {want}");
        // Sample 0: y = 0 where known, p = 1 there; sample 1: ‖(−3, −1.5)‖ / ‖(1, 2)‖.
        let y = BatchTarget::Known {
            values: tensor(&[1.0, 0.0, 1.0, 2.0], [2, 1, 2]),
            known: tensor(&[1.0, 0.0, 1.0, 1.0], [2, 1, 2]),
        };
        let l2 = value(LossFn::new(Loss::RelativeL2).forward(p(), &y));
        assert!((l2 - (11.25f64 / 5.0).sqrt() / 2.0).abs() < 1e-5, "{l2}");
    }

    #[test]
    fn relative_l2_leaves_out_targets_of_zero_at_any_scale() {
        let device = Device::flex().autodiff();
        for scale in [1.0f32, 1e-6, 1e6] {
            let of = |data: [f32; 4], device: &Device| {
                Tensor::<3>::from_data(TensorData::new(data.map(|v| v * scale).to_vec(), [2, 1, 2]), device)
            };
            let loss = LossFn::new(Loss::RelativeL2);
            let y = BatchTarget::Values(of([3.0, 4.0, 0.0, 0.0], &device));
            let at = |x: [f32; 4]| of(x, &device).require_grad();
            let x = [3.0, 1.0, 5.0, -7.0];
            let p = at(x);
            let got = loss.forward(p.clone(), &y);
            assert!((value(got.clone()) - 0.6).abs() < 1e-5, "{} at {scale}", value(got));
            let grad = p.grad(&got.backward()).map(crate::tensor_data::floats).expect("the loss depends on it");
            for i in 0..4 {
                let h = 1e-2;
                let (mut up, mut down) = (x, x);
                up[i] += h;
                down[i] -= h;
                let slope = (value(loss.forward(at(up), &y)) - value(loss.forward(at(down), &y))) / f64::from(2.0 * h);
                assert!((f64::from(grad[i] * scale) - slope).abs() < 1e-4, "d/dx{i} at {scale}: {} {slope}", grad[i]);
            }
            // An exact prediction has a finite gradient, and so have targets that are all 0.
            for target in [[3.0, 4.0, 1.0, 2.0], [0.0; 4]] {
                let p = at(target);
                let zero = loss.forward(p.clone(), &BatchTarget::Values(of(target, &device)));
                assert!(value(zero.clone()) < 1e-5, "{}", value(zero));
                let grad = p.grad(&zero.backward()).map(crate::tensor_data::floats).expect("the loss depends on it");
                assert!(grad.iter().all(|g| g.is_finite()), "{grad:?}");
            }
        }
        // Decoded, 0 is a rounding error.
        let (mean, std) = (0.7f32, 0.3f32);
        let decoder = Decoder { mean: tensor(&[mean], [1, 1, 1]), std: tensor(&[std], [1, 1, 1]) };
        let decoded = LossFn { decoder: Some(decoder), ..LossFn::new(Loss::RelativeL2) };
        let encoded = [0.1f32, 0.2, 0.0, 0.0].map(|v| (v - mean) / std);
        let got =
            value(decoded.forward(tensor(&[0.0; 4], [2, 1, 2]), &BatchTarget::Values(tensor(&encoded, [2, 1, 2]))));
        let want = (0.6f64.powi(2) + 0.5f64.powi(2)).sqrt() / 0.05f64.sqrt();
        assert!((got - want).abs() < 1e-4, "{got} {want}");
    }

    #[test]
    fn class_weights_weigh_the_mean_and_mixed_targets_mix_the_loss() {
        let weights = Tensor::from_data(TensorData::new(vec![3.0f32, 1.0, 0.5], [3]), &Device::flex());
        let weighted = LossFn { class_weights: Some(weights), ..LossFn::new(Loss::CrossEntropy) };
        let want = -(0.5 * log_p(0, 2) + 3.0 * log_p(1, 0)) / 3.5;
        let got = value(weighted.forward(logits(), &classes(&[2, 0])));
        assert!((got - want).abs() < 1e-6, "{got} {want}");
        let (first, second) = (Box::new(classes(&[2, 0])), Box::new(classes(&[0, 1])));
        let mixed = BatchTarget::Mixed { first, second, share: 0.3 };
        let want = -(0.3 * (log_p(0, 2) + log_p(1, 0)) + 0.7 * (log_p(0, 0) + log_p(1, 1))) / 2.0;
        let got = value(LossFn::new(Loss::CrossEntropy).forward(logits(), &mixed));
        assert!((got - want).abs() < 1e-6, "{got} {want}");
    }

    #[test]
    fn a_sample_of_weight_two_is_two_samples() {
        let names = [Loss::CrossEntropy, Loss::Focal, Loss::BceWithLogits, Loss::Mse, Loss::RelativeL2];
        let of = |data: &[f64], rows: &[usize]| {
            let data: Vec<f32> = rows.iter().flat_map(|&r| data[3 * r..3 * r + 3].iter().map(|&v| v as f32)).collect();
            tensor(&data, [rows.len(), 3, 1])
        };
        const Y: [f64; 6] = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
        // Weights 1 and 2, on the scale on which their mean is 1.
        let weights: Tensor<1> = Tensor::from_floats([2.0f32 / 3.0, 4.0 / 3.0], &Device::flex());
        for name in names {
            let loss = LossFn::new(name);
            let target = |rows: &[usize], unknown: bool| match name {
                Loss::CrossEntropy | Loss::Focal => classes(&rows.iter().map(|&r| [2, 0][r]).collect::<Vec<_>>()),
                _ if unknown => {
                    BatchTarget::Known { values: of(&Y, rows), known: of(&[1.0, 1.0, 0.0, 1.0, 1.0, 0.0], rows) }
                }
                _ => BatchTarget::Values(of(&Y, rows)),
            };
            for unknown in [false, true] {
                let want = value(loss.forward(of(&X, &[0, 1, 1]), &target(&[0, 1, 1], unknown)));
                let target = Box::new(target(&[0, 1], unknown));
                let weighted = BatchTarget::Weighted { target, weights: weights.clone() };
                let got = value(loss.forward(of(&X, &[0, 1]), &weighted));
                assert!((got - want).abs() < 1e-6 * want.abs().max(1.0), "{name:?}: {got} {want}");
            }
        }
        let by_class = Tensor::from_data(TensorData::new(vec![3.0f32, 1.0, 0.5], [3]), &Device::flex());
        let loss = LossFn { class_weights: Some(by_class), ..LossFn::new(Loss::CrossEntropy) };
        let weighted = BatchTarget::Weighted { target: Box::new(classes(&[2, 0])), weights };
        let want = -(0.5 * log_p(0, 2) * 2.0 / 3.0 + 3.0 * log_p(1, 0) * 4.0 / 3.0) / 3.5;
        let got = value(loss.forward(logits(), &weighted));
        assert!((got - want).abs() < 1e-6, "{got} {want}");
    }

    #[test]
    fn gradients_match_finite_differences() {
        let device = Device::flex().autodiff();
        let cases = [
            (LossFn::new(Loss::CrossEntropy), classes_on(&[2, 0], &device)),
            (LossFn::new(Loss::Focal), classes_on(&[2, 0], &device)),
            (LossFn { pos_weight: 2.5, ..LossFn::new(Loss::BceWithLogits) }, values_on(&device)),
            (LossFn::new(Loss::Mse), values_on(&device)),
            (LossFn::new(Loss::RelativeL2), values_on(&device)),
        ];
        for (loss, target) in cases {
            let at = |x: &[f64]| {
                let x: Vec<f32> = x.iter().map(|&v| v as f32).collect();
                Tensor::<3>::from_data(TensorData::new(x, [2, 3, 1]), &device).require_grad()
            };
            let x = at(&X);
            let grads = loss.forward(x.clone(), &target).backward();
            let grad = x.grad(&grads).map(crate::tensor_data::floats).expect("the loss depends on x");
            for i in 0..X.len() {
                let h = 1e-2;
                let (mut up, mut down) = (X, X);
                up[i] += h;
                down[i] -= h;
                let slope =
                    (value(loss.forward(at(&up), &target)) - value(loss.forward(at(&down), &target))) / (2.0 * h);
                assert!((f64::from(grad[i]) - slope).abs() < 2e-4, "{:?} d/dx{i}: {} {slope}", loss.loss, grad[i]);
            }
        }
    }

    fn classes_on(data: &[i32], device: &Device) -> BatchTarget {
        BatchTarget::Classes(Tensor::from_data(TensorData::new(data.to_vec(), [data.len(), 1]), device))
    }

    fn values_on(device: &Device) -> BatchTarget {
        BatchTarget::Values(Tensor::from_data(
            TensorData::new(vec![1.0f32, 0.0, 1.0, 1.0, 0.0, 1.0], [2, 3, 1]),
            device,
        ))
    }
}
