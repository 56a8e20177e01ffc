//! Compares fused batch normalization with ReLU with Burn's composition, in training, forward and backward.

use aggconv::norm::{Affine, AffineGradients, InputGradient, NormAct, NormShape, Statistics, StatisticsMut};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, Distribution, Tensor, activation};
use divan::{Bencher, black_box};

/// The shapes of the two-dimensional and the one-dimensional backbone.
const SHAPES: [[usize; 4]; 3] = [[64, 64, 32, 32], [128, 8, 1, 1000], [256, 128, 1, 46]];

fn main() {
    divan::main();
}

fn step(shape: [usize; 4], forward: impl Fn(Tensor<4>) -> Tensor<4>) -> impl Fn() -> Tensor<4> {
    let device = Device::default().autodiff();
    let x = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let dy = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    move || {
        let x = x.clone().detach().require_grad();
        // The product and the sum, which cost the same for both candidates, give each output its own gradient.
        let gradients = (forward(x.clone()) * dy.clone()).sum().backward();
        x.grad(&gradients).expect("x requires a gradient")
    }
}

#[divan::bench(args = SHAPES)]
fn burn_step(bencher: Bencher, shape: [usize; 4]) {
    let norm: BatchNorm = BatchNormConfig::new(shape[1]).init(&Device::default().autodiff());
    let step = step(shape, |x| activation::relu(norm.forward(x)));
    bencher.bench_local(step);
}

#[divan::bench(args = SHAPES)]
fn fused_step(bencher: Bencher, shape: [usize; 4]) {
    let norm = NormAct::new(shape[1], &Device::default().autodiff());
    let step = step(shape, |x| norm.forward(x, true));
    bencher.bench_local(step);
}

/// The cost of [`step`] without the normalization.
#[divan::bench(args = SHAPES)]
fn empty_step(bencher: Bencher, shape: [usize; 4]) {
    bencher.bench_local(step(shape, |x| x));
}

struct Buffers {
    shape: NormShape,
    x: Vec<f32>,
    y: Vec<f32>,
    /// γ, β, mean, variance and the gradients of γ and β.
    channels: [Vec<f32>; 6],
}

fn buffers([n, c, h, w]: [usize; 4]) -> Buffers {
    let shape = NormShape { batch: n, channels: c, plane: h * w };
    let x: Vec<f32> = (0..shape.len()).map(|i| (i as f32 * 0.37).sin()).collect();
    Buffers { shape, y: x.clone(), x, channels: [1.0, 0.1, 0.0, 1.0, 0.0, 0.0].map(|v| vec![v; c]) }
}

#[divan::bench(args = SHAPES)]
fn forward_slices(bencher: Bencher, shape: [usize; 4]) {
    let Buffers { shape, x, mut y, channels: [gamma, beta, mut mean, mut variance, ..] } = buffers(shape);
    bencher.bench_local(|| {
        let affine = Affine { gamma: &gamma, beta: &beta, epsilon: 1e-5, relu: true };
        let out = StatisticsMut { mean: &mut mean, variance: &mut variance };
        aggconv::norm::train(shape, black_box(&x), affine, black_box(&mut y), out);
    });
}

#[divan::bench(args = SHAPES)]
fn backward_slices(bencher: Bencher, shape: [usize; 4]) {
    let Buffers { shape, x, mut y, channels: [gamma, beta, mean, variance, mut d_gamma, mut d_beta] } = buffers(shape);
    bencher.bench_local(|| {
        let affine = Affine { gamma: &gamma, beta: &beta, epsilon: 1e-5, relu: true };
        let statistics = Statistics { mean: &mean, variance: &variance };
        let out = AffineGradients { gamma: &mut d_gamma, beta: &mut d_beta };
        aggconv::norm::backward(shape, black_box(&x), affine, statistics, InputGradient::InPlace(&mut y), out);
    });
}

/// The lower bound: reading and writing a tensor once.
#[divan::bench(args = SHAPES)]
fn copy(bencher: Bencher, shape: [usize; 4]) {
    let Buffers { x, mut y, .. } = buffers(shape);
    bencher.bench_local(|| black_box(&mut y).copy_from_slice(black_box(&x)));
}
