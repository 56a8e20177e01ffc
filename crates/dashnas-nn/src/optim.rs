//! Stochastic gradient descent with Nesterov momentum, weight decay and gradient clipping.
//!
//! Burn's optimizer clips each tensor separately and keeps its state in a record. The search needs clipping by the
//! global norm, a second parameter group for α with its own scaling, and a state that a checkpoint can save as plain
//! numbers, all in one pass over the parameters.

use crate::tensor_data::{Floats, floats};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use dashnas_core::names::AlphaUpdate;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Hyperparameters of one parameter group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SgdConfig {
    /// Momentum, in `[0, 1)`.
    pub momentum: f64,
    /// Nesterov's momentum.
    pub nesterov: bool,
    /// L2 penalty added to the gradient.
    pub weight_decay: f64,
}

/// The update of the architecture parameters α, and the scaling and the penalty of their gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct AlphaRule {
    /// How a gradient changes α. The exponentiated gradient takes that of the probabilities, the softmax of α, and has no
    /// momentum and no weight decay.
    pub update: AlphaUpdate,
    /// The gradient of each layer's α is divided by `scale · (‖g‖₂ + 1e-8)`; with 0 it is clipped together with
    /// the weights' instead.
    pub scale: f64,
    /// Added to the gradient afterwards: penalty × receptive field, one entry per candidate.
    pub penalty: Vec<f32>,
}

/// The learning rates and limits of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepRule {
    /// Learning rate of the weights.
    pub lr: f64,
    /// The maximum global norm of the gradient (without that of α, if α is scaled); larger gradients are scaled down to
    /// it. `None` for no limit.
    pub clip: Option<f64>,
    /// The learning rate and the rule of α; `None` if the network has no α.
    pub alpha: Option<(f64, AlphaRule)>,
}

/// The state of the optimizer: a momentum buffer for each parameter, in the order in which the
/// module visits them. Empty before the first step.
#[derive(Debug, Clone)]
pub struct Sgd {
    config: SgdConfig,
    velocity: Vec<Option<Vec<f32>>>,
}

/// Parameters of this size and more are updated in parallel chunks.
const CHUNK: usize = 1 << 15;

impl Sgd {
    /// Makes an optimizer without momentum buffers.
    pub fn new(config: SgdConfig) -> Self {
        Self { config, velocity: Vec::new() }
    }

    /// Returns the momentum buffers, in the order in which a visitor sees the parameters (`None` before the first
    /// gradient).
    pub fn velocity(&self) -> &[Option<Vec<f32>>] {
        &self.velocity
    }

    /// Restores momentum buffers that [`Sgd::velocity`] returned for a module with the same parameters.
    pub fn set_velocity(&mut self, velocity: Vec<Option<Vec<f32>>>) {
        self.velocity = velocity;
    }

    /// Takes one step. Returns the module and the global norm of the clipped gradient before clipping. If a gradient is
    /// not finite, neither is the norm, and the parameters are unchanged.
    pub fn step<M: Module>(&mut self, module: M, grads: Gradients, rule: &StepRule) -> (M, f64) {
        let gradient = Gradient::of(&module, grads);
        self.step_by(module, gradient, rule)
    }

    /// As [`Sgd::step`], with a gradient already taken from the tape.
    pub fn step_by<M: Module>(&mut self, module: M, gradient: Gradient, rule: &StepRule) -> (M, f64) {
        let mut collected = gradient.0;
        let joint = rule.alpha.as_ref().is_some_and(|(_, alpha)| alpha.scale == 0.0);
        let clipped = collected.iter().filter(|g| joint || !g.alpha).filter_map(|g| g.values.as_deref());
        let norm = clipped.map(sum_of_squares).sum::<f64>().sqrt();
        let all_finite = norm.is_finite()
            && collected
                .iter()
                .filter(|g| g.alpha)
                .filter_map(|g| g.values.as_deref())
                .all(|v| v.iter().all(|x| x.is_finite()));
        if !all_finite {
            return (module, if norm.is_finite() { f64::NAN } else { norm });
        }
        // As in PyTorch's clip_grad_norm_.
        let clip = rule.clip.map_or(1.0, |max| (max / (norm + 1e-6)).min(1.0)) as f32;
        for g in collected.iter_mut().filter(|g| g.alpha) {
            if let (Some(values), Some((_, alpha))) = (&mut g.values, &rule.alpha) {
                if joint {
                    values.iter_mut().for_each(|v| *v *= clip);
                }
                if alpha.update == AlphaUpdate::Gradient {
                    alpha.apply(values);
                }
            }
        }
        self.velocity.resize(collected.len(), None);
        let mut update = Update { sgd: self, collected: collected.into_iter(), index: 0, rule, clip };
        (module.map(&mut update), norm)
    }
}

/// The gradient of every parameter of a module as plain numbers, to be summed over micro-batches.
#[derive(Debug, Clone, Default)]
pub struct Gradient(Vec<Collected>);

impl Gradient {
    /// Takes the gradients of a module's parameters from the tape.
    pub fn of<M: Module>(module: &M, mut grads: Gradients) -> Self {
        let mut collect = Collect { grads: &mut grads, out: Vec::new(), in_alpha: false };
        module.visit(&mut collect);
        Self(collect.out)
    }

    /// Multiplies the gradient by a weight.
    pub fn scale(&mut self, weight: f32) {
        let values = self.0.iter_mut().filter_map(|g| g.values.as_mut());
        values.for_each(|values| values.iter_mut().for_each(|v| *v *= weight));
    }

    /// Adds another gradient of the same module to this one.
    pub fn add(&mut self, other: Gradient) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            match (&mut mine.values, theirs.values) {
                (Some(mine), Some(theirs)) => mine.iter_mut().zip(theirs.iter()).for_each(|(a, b)| *a += b),
                (mine @ None, theirs) => *mine = theirs,
                (Some(_), None) => {}
            }
        }
    }
}

impl AlphaRule {
    fn apply(&self, g: &mut [f32]) {
        if self.scale > 0.0 {
            let factor = 1.0 / (self.scale * (sum_of_squares(g).sqrt() + 1e-8));
            g.iter_mut().for_each(|v| *v = (f64::from(*v) * factor) as f32);
        }
        g.iter_mut().zip(&self.penalty).for_each(|(v, p)| *v += p);
    }

    /// The step of GAEA (Li et al. 2021, section 3): `θ ← θ·exp(−lr·∇θ) / Σ θ·exp(−lr·∇θ)` for the probabilities
    /// `θ = softmax(α)` of one layer. `gradient` is that of α, which becomes `ln θ`.
    ///
    /// The mixing weights depend on α through θ alone, because a constant added to α changes none of them. So the gradient
    /// of θ is that of `α = ln θ` by the chain rule: `∂L/∂θ = ∂L/∂α / θ`.
    fn exponentiated_step(&self, alpha: &mut [f32], gradient: &[f32], lr: f64) {
        let logs = log_softmax(alpha.iter().map(|&a| f64::from(a)));
        let by_probability = |(&g, log): (&f32, &f64)| (f64::from(g) / log.exp().max(LEAST_PROBABILITY)) as f32;
        let mut gradient: Vec<f32> = gradient.iter().zip(&logs).map(by_probability).collect();
        self.apply(&mut gradient);
        let stepped = log_softmax(logs.iter().zip(&gradient).map(|(log, &g)| log - lr * f64::from(g)));
        alpha.iter_mut().zip(stepped).for_each(|(a, log)| *a = log as f32);
    }
}

/// A gradient of a probability is computed as that of one of this size if it is smaller: both are rounded to 0 then.
const LEAST_PROBABILITY: f64 = 1e-30;

/// The logarithms of the softmax.
fn log_softmax(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total = highest + values.iter().map(|v| (v - highest).exp()).sum::<f64>().ln();
    values.into_iter().map(|v| v - total).collect()
}

/// Computes Σ v² in f64 over chunks of a fixed size in a fixed order, so that the result is bit-identical for any
/// number of threads.
fn sum_of_squares(values: &[f32]) -> f64 {
    let chunk = |c: &[f32]| {
        // Sixteen independent sums: a single one would be bound by the latency of additions.
        let (vectors, rest) = c.as_chunks::<16>();
        let mut sums = [0f64; 16];
        for v in vectors {
            sums.iter_mut().zip(v).for_each(|(sum, &v)| *sum += f64::from(v) * f64::from(v));
        }
        sums.iter_mut().zip(rest).for_each(|(sum, &v)| *sum += f64::from(v) * f64::from(v));
        sums.iter().sum::<f64>()
    };
    if values.len() < CHUNK {
        return chunk(values);
    }
    values.par_chunks(CHUNK).map(chunk).collect::<Vec<_>>().iter().sum()
}

#[derive(Debug, Clone)]
struct Collected {
    values: Option<Floats>,
    alpha: bool,
}

struct Collect<'a> {
    grads: &'a mut Gradients,
    out: Vec<Collected>,
    in_alpha: bool,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.in_alpha = name == "alpha";
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.in_alpha = false;
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let values = if value.is_require_grad() { value.grad_remove(self.grads).map(Floats::of) } else { None };
        self.out.push(Collected { values, alpha: self.in_alpha });
    }
}

struct Update<'a> {
    sgd: &'a mut Sgd,
    collected: std::vec::IntoIter<Collected>,
    index: usize,
    rule: &'a StepRule,
    clip: f32,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let index = self.index;
        self.index += 1;
        let Some(Collected { values: Some(grad), alpha }) = self.collected.next() else { return param };
        let (lr, clip) = match (&self.rule.alpha, alpha) {
            (Some((lr, _)), true) => (*lr as f32, 1.0),
            (None, true) => return param,
            (_, false) => (self.rule.lr as f32, self.clip),
        };
        if let (Some((lr, rule)), true) = (&self.rule.alpha, alpha)
            && rule.update == AlphaUpdate::ExponentiatedGradient
        {
            let (id, tensor, mapper) = param.consume();
            let (shape, device) = (tensor.shape(), tensor.device());
            let mut values = floats(tensor.inner());
            rule.exponentiated_step(&mut values, &grad, *lr);
            let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), &device).require_grad();
            return Param::from_mapped_value(id, tensor, mapper);
        }
        let config = self.sgd.config;
        let first = self.sgd.velocity[index].is_none();
        let velocity = self.sgd.velocity[index].get_or_insert_with(|| vec![0.0; grad.len()]);
        let (id, tensor, mapper) = param.consume();
        let (shape, device) = (tensor.shape(), tensor.device());
        let mut values = floats(tensor.inner());
        let fused = |((p, v), g): ((&mut [f32], &mut [f32]), &[f32])| {
            update_chunk(p, v, g, config, lr, clip, first);
        };
        if values.len() < CHUNK {
            fused(((&mut values, velocity), &grad));
        } else {
            values
                .par_chunks_mut(CHUNK)
                .zip(velocity.par_chunks_mut(CHUNK))
                .zip(grad.par_chunks(CHUNK))
                .for_each(fused);
        }
        let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), &device).require_grad();
        Param::from_mapped_value(id, tensor, mapper)
    }
}

/// Updates a chunk in one pass: clipping, weight decay, momentum, Nesterov and the step, with the conventions of
/// PyTorch (the buffer starts as the first gradient).
fn update_chunk(p: &mut [f32], v: &mut [f32], g: &[f32], c: SgdConfig, lr: f32, clip: f32, first: bool) {
    let (momentum, decay) = (c.momentum as f32, c.weight_decay as f32);
    for ((p, v), g) in p.iter_mut().zip(v).zip(g) {
        let g = clip * g + decay * *p;
        *v = if first { g } else { momentum * *v + g };
        *p -= lr * if c.nesterov { g + momentum * *v } else { *v };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct Toy {
        weight: Param<Tensor<1>>,
        alpha: Param<Tensor<1>>,
    }

    fn toy(device: &Device) -> Toy {
        Toy { weight: Param::from_data([1.0f32, -2.0], device), alpha: Param::from_data([0.5f32, 0.25], device) }
    }

    /// d/dw Σ c·w = c: the gradients are the coefficients.
    fn grads(toy: &Toy, device: &Device, w: [f32; 2], a: [f32; 2]) -> Gradients {
        let loss = (toy.weight.val() * Tensor::from_floats(w, device)).sum()
            + (toy.alpha.val() * Tensor::from_floats(a, device)).sum();
        loss.backward()
    }

    fn values(t: &Param<Tensor<1>>) -> Vec<f32> {
        floats(t.val())
    }

    const CONFIG: SgdConfig = SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 0.1 };

    fn close(a: &[f32], b: &[f32]) {
        assert!(a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-6), "{a:?} {b:?}");
    }

    #[test]
    fn two_steps_follow_the_definition() {
        let device = Device::flex().autodiff();
        let mut sgd = Sgd::new(CONFIG);
        let rule = StepRule { lr: 0.1, clip: None, alpha: None };
        let t = toy(&device);
        let g = grads(&t, &device, [1.0, 2.0], [1.0, 1.0]);
        let (t, norm) = sgd.step(t, g, &rule);
        assert!((norm - 5f64.sqrt()).abs() < 1e-6);
        // g' = g + 0.1·w = (1.1, 1.8), v = g', step = g' + 0.9·v = 1.9·g'
        close(&values(&t.weight), &[1.0 - 0.1 * 1.9 * 1.1, -2.0 - 0.1 * 1.9 * 1.8]);
        close(&values(&t.alpha), &[0.5, 0.25]);
        let w = values(&t.weight);
        let g = grads(&t, &device, [0.0, 1.0], [1.0, 1.0]);
        let (t, _) = sgd.step(t, g, &rule);
        let g2 = [0.1 * w[0], 1.0 + 0.1 * w[1]];
        let v2 = [0.9 * 1.1 + g2[0], 0.9 * 1.8 + g2[1]];
        close(&values(&t.weight), &[w[0] - 0.1 * (g2[0] + 0.9 * v2[0]), w[1] - 0.1 * (g2[1] + 0.9 * v2[1])]);
    }

    #[test]
    fn clipping_is_global_and_alpha_has_its_own_rule() {
        let device = Device::flex().autodiff();
        let mut sgd = Sgd::new(SgdConfig { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
        let alpha = AlphaRule { update: AlphaUpdate::Gradient, scale: 2.0, penalty: vec![0.5, 1.0] };
        let rule = StepRule { lr: 0.1, clip: Some(1.0), alpha: Some((0.01, alpha)) };
        let t = toy(&device);
        let g = grads(&t, &device, [3.0, 4.0], [30.0, 40.0]);
        let (t, norm) = sgd.step(t, g, &rule);
        assert!((norm - 5.0).abs() < 1e-6, "α is not part of the clipped norm");
        close(&values(&t.weight), &[1.0 - 0.06, -2.0 - 0.08]);
        // α: (30, 40)/(2·50) = (0.3, 0.4), plus the penalty.
        close(&values(&t.alpha), &[0.5 - 0.01 * 0.8, 0.25 - 0.01 * 1.4]);
    }

    #[test]
    fn an_exponentiated_gradient_multiplies_probabilities() {
        let device = Device::flex().autodiff();
        // Momentum and weight decay concern the weights alone.
        let mut sgd = Sgd::new(CONFIG);
        let alpha = AlphaRule { update: AlphaUpdate::ExponentiatedGradient, scale: 0.0, penalty: vec![0.0, 0.5] };
        let rule = StepRule { lr: 0.1, clip: None, alpha: Some((0.5, alpha)) };
        // θ = (0.75, 0.25), by a softmax that does not see the constant.
        let logs = [3.0 + 0.75f32.ln(), 3.0 + 0.25f32.ln()];
        let t = Toy { alpha: Param::from_data(logs, &device), ..toy(&device) };
        let g = grads(&t, &device, [0.0, 0.0], [0.3, -0.1]);
        let (t, _) = sgd.step(t, g, &rule);
        // ∇θ = (0.3/0.75, −0.1/0.25 + 0.5) = (0.4, 0.1), so θ becomes (0.75·e^−0.2, 0.25·e^−0.05) over their sum:
        // (0.614048, 0.237807) / 0.851855.
        let probabilities = |t: &Toy| values(&t.alpha).iter().map(|a| a.exp()).collect::<Vec<f32>>();
        close(&probabilities(&t), &[0.720_836, 0.279_164]);
        // A second step has no momentum: without a gradient, only the penalty acts.
        let g = grads(&t, &device, [0.0, 0.0], [0.0, 0.0]);
        let (t, _) = sgd.step(t, g, &rule);
        // (0.720836, 0.279164·e^−0.25) = (0.720836, 0.217413), over 0.938249.
        close(&probabilities(&t), &[0.768_278, 0.231_722]);
        // A probability of 0 stays there.
        let t = Toy { alpha: Param::from_data([0.0f32, -300.0], &device), ..toy(&device) };
        let g = grads(&t, &device, [0.0, 0.0], [0.1, 0.0]);
        let (t, _) = sgd.step(t, g, &rule);
        close(&probabilities(&t), &[1.0, 0.0]);
    }

    #[test]
    fn an_alpha_that_is_not_scaled_is_clipped_with_the_weights() {
        let device = Device::flex().autodiff();
        let mut sgd = Sgd::new(SgdConfig { momentum: 0.0, nesterov: false, weight_decay: 0.0 });
        let alpha = AlphaRule { update: AlphaUpdate::Gradient, scale: 0.0, penalty: vec![0.5, 1.0] };
        let rule = StepRule { lr: 0.1, clip: Some(1.0), alpha: Some((0.01, alpha)) };
        let t = toy(&device);
        let g = grads(&t, &device, [3.0, 0.0], [0.0, 4.0]);
        let (t, norm) = sgd.step(t, g, &rule);
        assert!((norm - 5.0).abs() < 1e-6, "{norm}");
        close(&values(&t.weight), &[1.0 - 0.06, -2.0]);
        // The penalty comes after clipping.
        close(&values(&t.alpha), &[0.5 - 0.01 * 0.5, 0.25 - 0.01 * 1.8]);
    }

    #[test]
    fn gradients_of_parts_add_up_to_that_of_the_whole() {
        let device = Device::flex().autodiff();
        let rule = StepRule { lr: 0.1, clip: Some(1.0), alpha: None };
        let whole = {
            let t = toy(&device);
            let g = grads(&t, &device, [1.0, -3.0], [2.0, 1.0]);
            values(&Sgd::new(CONFIG).step(t, g, &rule).0.weight)
        };
        // The mean over four samples is a quarter of one's gradient and three quarters of three's.
        let t = toy(&device);
        let mut sum = Gradient::of(&t, grads(&t, &device, [4.0, 0.0], [2.0, 1.0]));
        sum.scale(0.25);
        let mut rest = Gradient::of(&t, grads(&t, &device, [0.0, -4.0], [2.0, 1.0]));
        rest.scale(0.75);
        sum.add(rest);
        close(&values(&Sgd::new(CONFIG).step_by(t, sum, &rule).0.weight), &whole);
    }

    #[test]
    fn a_gradient_that_is_not_finite_leaves_the_parameters_alone() {
        let device = Device::flex().autodiff();
        let mut sgd = Sgd::new(CONFIG);
        let t = toy(&device);
        let g = grads(&t, &device, [f32::NAN, 1.0], [1.0, 1.0]);
        let (t, norm) = sgd.step(t, g, &StepRule { lr: 0.1, clip: Some(1.0), alpha: None });
        assert!(!norm.is_finite());
        close(&values(&t.weight), &[1.0, -2.0]);
    }
}
