//! Searches the kernel of a small network: `cargo run --release -p aggconv --example network`.
//!
//! Each sample is noise plus its own echo after 6 steps, with a positive or a negative sign. The network must tell the
//! sign. Its convolution is an AggConv over the kernel sizes {3, 5} and the dilations {1, 3}. Without dilation, no
//! kernel is wide enough to read a value together with its echo, so the search should prefer dilation 3.
//!
//! The example trains the weights and the architecture parameters together with Adam, as in Algorithm 1 of the paper. It
//! prints the probability of each candidate and the accuracy on new samples. Then it trains the network again with the
//! most probable kernel alone. The output is
//!
//! ```text
//! kernel size, dilation: probability
//! 3,1: 0.049
//! 3,3: 0.076
//! 5,1: 0.032
//! 5,3: 0.843
//! accuracy of the supernet: 1.000
//! accuracy with kernel size 5 and dilation 3 alone: 1.000
//! ```

use aggconv::maps::ops::mean_positions;
use aggconv::nn::{AggConv, AggConvConfig, KernelConv, KernelConvConfig};
use aggconv::norm::NormAct;
use aggconv::{Candidate, KernelSpace};
use burn::module::{Module, ModuleDisplay};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData, activation};

/// The number of positions of a sample.
const LENGTH: usize = 64;
/// The delay of the echo.
const ECHO: usize = 6;
/// The number of features.
const CHANNELS: usize = 8;
/// The number of samples in a batch.
const BATCH: usize = 64;
/// The number of training steps.
const STEPS: usize = 300;

/// The convolution of the network.
trait Conv: Module + ModuleDisplay {
    /// `[N, 1, 1, LENGTH]` to `[N, CHANNELS, 1, LENGTH]`.
    fn convolve(&self, x: Tensor<4>) -> Tensor<4>;
}

impl Conv for AggConv {
    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        // In training this draws Gumbel noise; in evaluation it mixes by the softmax of α.
        self.forward(x)
    }
}

impl Conv for KernelConv {
    fn convolve(&self, x: Tensor<4>) -> Tensor<4> {
        self.forward(x)
    }
}

/// Convolution, batch normalization with ReLU, mean over the positions, linear layer.
#[derive(Module, Debug)]
struct Network<C: Module> {
    conv: C,
    norm: NormAct,
    head: Linear,
}

impl<C: Conv> Network<C> {
    fn new(conv: C, device: &Device) -> Self {
        Self { conv, norm: NormAct::new(CHANNELS, device), head: LinearConfig::new(CHANNELS, 2).init(device) }
    }

    /// The logits `[N, 2]` of `x: [N, 1, 1, LENGTH]`.
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let features = self.norm.forward(self.conv.convolve(x), true);
        self.head.forward(mean_positions(features).expect("features have channels and positions"))
    }
}

/// A batch of samples `[BATCH, 1, 1, LENGTH]` and the sign of their echo as the classes 0 and 1.
fn batch(seed: u64, device: &Device) -> (Tensor<4>, Tensor<1, Int>) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let (mut samples, mut classes) = (Vec::new(), Vec::new());
    for i in 0..BATCH {
        let sign = if i % 2 == 0 { -1.0 } else { 1.0 };
        let noise: Vec<f32> = (0..LENGTH + ECHO).map(|_| uniform()).collect();
        samples.extend((0..LENGTH).map(|t| noise[t + ECHO] + 0.8 * sign * noise[t]));
        classes.push((i % 2) as i32);
    }
    let x = Tensor::from_data(TensorData::new(samples, [BATCH, 1, 1, LENGTH]), device);
    (x, Tensor::from_data(TensorData::new(classes, [BATCH]), device))
}

/// Trains all parameters of a network, those of the architecture included.
fn train<C: Conv>(mut network: Network<C>, device: &Device) -> Network<C> {
    let mut optimizer = AdamConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(device);
    for step in 0..STEPS {
        let (x, classes) = batch(step as u64, device);
        let loss = loss.forward(network.forward(x), classes);
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(0.02, network, gradients);
    }
    network
}

/// The fraction of new samples that a network classifies correctly.
fn accuracy<C: Conv>(network: &Network<C>, device: &Device) -> f64 {
    let device = device.clone().inner();
    let network = network.valid();
    let correct = (0..10).map(|i| {
        let (x, classes) = batch(1_000_000 + i, &device);
        let hits = network.forward(x).argmax(1).squeeze_dim::<1>(1).equal(classes);
        f64::from(hits.int().sum().into_scalar::<i32>())
    });
    correct.sum::<f64>() / (10 * BATCH) as f64
}

fn main() {
    let device = Device::flex().autodiff();
    device.seed(1);

    let space = KernelSpace::new([3, 5], [1, 3]).expect("two odd kernel sizes and two dilations");
    let config = AggConvConfig::new([1, CHANNELS], space.clone()).with_dims(1);
    let supernet = train(Network::new(config.init(&device), &device), &device);

    let probabilities = activation::softmax(supernet.conv.alpha.val(), 0).into_data();
    let probabilities = probabilities.try_to_vec::<f32>().expect("the architecture parameters are f32");
    println!("kernel size, dilation: probability");
    for (candidate, p) in space.candidates().iter().zip(&probabilities) {
        println!("{candidate}: {p:.3}");
    }
    println!("accuracy of the supernet: {:.3}", accuracy(&supernet, &device));

    let best = (0..space.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]));
    let Candidate { k, d } = space.candidates()[best.expect("a space is never empty")];
    let config = KernelConvConfig::new([1, CHANNELS], k).with_dims(1).with_dilation(d);
    let found = train(Network::new(config.init(&device), &device), &device);
    println!("accuracy with kernel size {k} and dilation {d} alone: {:.3}", accuracy(&found, &device));
}
