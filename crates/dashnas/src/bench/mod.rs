//! Timing of whole training steps, on the cases of [`cases`], and of the search against random kernels ([`search`]).

pub mod cases;
pub mod infer;
mod layers;
pub mod search;

pub use crate::bench::infer::{InferBench, InferReport, random_inputs};
pub use crate::bench::layers::LayerReport;

use crate::bench::cases::Case;
use crate::error::Error;
use aggconv::Formulation;
use aggconv::kernels::fourier::benchmark::Contraction;
use burn::tensor::{Int, Tensor, TensorData};
use dashnas_core::names::AlphaUpdate;
use dashnas_core::rng;
use dashnas_core::rng::Seed;
use dashnas_core::task::Loss;
use dashnas_nn::loss::{BatchTarget, LossFn};
use dashnas_nn::network::{Kernels, Network, Pass, training_device};
use dashnas_nn::optim::{AlphaRule, Sgd, SgdConfig, StepRule};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// The network whose steps are timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The supernet in the fastest formulation.
    Dash,
    /// The supernet in the formulation of Eq. 3.
    MixedWeights,
    /// The supernet in the formulation of Eq. 2.
    MixedResults,
    /// The plain backbone.
    Backbone,
    /// A discretized network with wide, dilated kernels.
    Retrain,
}

impl Mode {
    /// All modes.
    pub const ALL: [Mode; 5] = [Mode::Dash, Mode::MixedWeights, Mode::MixedResults, Mode::Backbone, Mode::Retrain];

    /// The name of the mode.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Dash => "dash",
            Mode::MixedWeights => "mixed-weights",
            Mode::MixedResults => "mixed-results",
            Mode::Backbone => "backbone",
            Mode::Retrain => "retrain",
        }
    }

    /// The width factor of 2-D networks in this mode: 1 in the search, 4 otherwise.
    pub fn default_width(self) -> usize {
        if self.searches() { 1 } else { 4 }
    }

    fn searches(self) -> bool {
        matches!(self, Mode::Dash | Mode::MixedWeights | Mode::MixedResults)
    }
}

/// A timing of training steps.
#[derive(Debug, Clone, PartialEq)]
pub struct StepBench {
    /// The case.
    pub case: Case,
    /// The network.
    pub mode: Mode,
    /// The formulation of the mixed operation in a search mode; `None`: that of the mode.
    pub formulation: Option<Formulation>,
    /// Whether mixed operations with equal numbers of input and output channels are depthwise.
    pub depthwise: bool,
    /// Width factor of 2-D networks.
    pub width: usize,
    /// The number of timed steps, after one that is not timed.
    pub steps: usize,
}

/// The times of training steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The case.
    pub case: String,
    /// The network.
    pub mode: Mode,
    /// Whether mixed operations were depthwise.
    pub depthwise: bool,
    /// Samples in a step.
    pub batch: usize,
    /// Median seconds of a step: forward, backward and optimizer.
    pub seconds: f64,
    /// Seconds of each step.
    pub all_seconds: Vec<f64>,
    /// Largest resident memory of the process so far, in MiB, if the system reports it.
    pub peak_mib: Option<u64>,
    /// Number of trained parameters.
    pub params: u64,
    /// Number of threads.
    pub threads: usize,
    /// The convolutions with their algorithms, in the order of the forward pass.
    pub layers: Vec<LayerReport>,
    /// Billions of floating-point operations of the convolutions in a step, in their algorithms.
    pub gflop: f64,
    /// The speed of all threads on f32 matrix products in their caches right after the steps, in GFLOP/s.
    pub peak_gflops: f64,
    /// The fraction of that speed which the whole step reached: `gflop / seconds / peak_gflops`.
    pub fraction_of_peak: f64,
}

impl StepBench {
    /// Runs the steps on random data.
    ///
    /// # Errors
    /// [`Error::Space`] if the case's kernel space is not valid.
    pub fn run(&self) -> Result<StepReport, Error> {
        let case = &self.case;
        let device = training_device(case.dims());
        let graph = case.graph(self.width);
        let kernels = self.kernels(&graph)?;
        let mut stream = Seed(0).stream("bench", &[]);
        let mut network = Network::new(&graph, &kernels, &mut stream, &device);
        let params = dashnas_nn::model::count_parameters(&network);
        let [h, w] = case.input;
        let x = rng::normal(case.batch * case.channels * h * w, 1.0, &mut stream);
        let x = Tensor::<4>::from_data(TensorData::new(x, [case.batch, case.channels, h, w]), &device);
        let (loss, target) = if case.dense {
            let y = rng::normal(case.batch * case.outputs * h * w, 1.0, &mut stream);
            let y = Tensor::from_data(TensorData::new(y, [case.batch, case.outputs, h * w]), &device);
            (LossFn::new(Loss::Mse), BatchTarget::Values(y))
        } else {
            let y: Vec<i32> = (0..case.batch).map(|_| stream.random_range(0..case.outputs as i32)).collect();
            let y = Tensor::<2, Int>::from_data(TensorData::new(y, [case.batch, 1]), &device);
            (LossFn::new(Loss::CrossEntropy), BatchTarget::Classes(y))
        };
        let mut sgd = Sgd::new(SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 5e-4 });
        let alpha = self
            .mode
            .searches()
            .then(|| (0.01, AlphaRule { update: AlphaUpdate::Gradient, scale: 0.0, penalty: Vec::new() }));
        let rule = StepRule { lr: 0.01, clip: None, alpha };
        let mut all_seconds = Vec::with_capacity(self.steps);
        for step in 0..=self.steps {
            let started = Instant::now();
            let mut pass = Pass { noise: Some(&mut stream), temperature: 1.0, dropout: 0.0, path: None };
            let value = loss.forward(network.forward(x.clone(), &mut pass), &target);
            (network, _) = sgd.step(network, value.backward(), &rule);
            if step > 0 {
                all_seconds.push(started.elapsed().as_secs_f64());
            }
        }
        let mut sorted = all_seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let seconds = sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN);
        // Measured before other work adds to it.
        let peak_mib = peak_resident_mib();
        let peak_gflops = matrix_product_peak();
        let layers = layers::layers(case, &network);
        let gflop = layers.iter().map(|l| l.gflop).sum::<f64>();
        Ok(StepReport {
            case: case.name.clone(),
            mode: self.mode,
            depthwise: self.depthwise,
            batch: case.batch,
            seconds,
            all_seconds,
            peak_mib,
            params,
            threads: rayon::current_num_threads(),
            layers,
            gflop,
            peak_gflops,
            fraction_of_peak: gflop / seconds / peak_gflops,
        })
    }

    fn kernels(&self, graph: &dashnas_nn::graph::topology::Graph) -> Result<Kernels, Error> {
        let formulation = match self.mode {
            Mode::Backbone => return Ok(Kernels::Fixed(graph.plain_kernels())),
            Mode::Retrain => return Ok(Kernels::Fixed(self.case.pattern())),
            Mode::Dash => Formulation::Auto,
            Mode::MixedWeights => Formulation::MixedWeights,
            Mode::MixedResults => Formulation::MixedResults,
        };
        Ok(Kernels::Searched {
            space: self.case.space()?,
            formulation: self.formulation.unwrap_or(formulation),
            depthwise: self.depthwise,
            weight_std: 0.01,
            alpha_std: 1e-3,
        })
    }
}

/// The speed of all threads together on matrix products that stay in their caches, in GFLOP/s. They are complex
/// products over 128 channels of 256 samples, such as those of convolutions in the frequency domain. The fastest of
/// several repetitions counts, since other programs may run.
fn matrix_product_peak() -> f64 {
    let speeds = rayon::broadcast(|_| {
        let mut product = Contraction::new(256, 128, 128);
        let best = (0..10)
            .map(|_| {
                let started = Instant::now();
                (0..20).for_each(|_| product.run());
                started.elapsed().as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        20.0 * product.arithmetic() as f64 / best / 1e9
    });
    speeds.into_iter().sum()
}

/// The largest resident memory of the process so far, from `/proc` if it exists.
fn peak_resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
