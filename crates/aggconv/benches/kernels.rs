//! Times each algorithm on layers of the paper's networks: `cargo bench -p aggconv`.
//!
//! The table shows the processor time of a forward and a backward pass in milliseconds, on one core of an AMD EPYC (Zen
//! 4, 512-bit vectors), compared with PyTorch 2.15 (`torch_layers.py` in this directory). PyTorch uses oneDNN, and for
//! the layers of AggConv MKL's FFT with a batched complex product, without the time to mix the kernels.
//!
//! | layer | direct | fourier | PyTorch |
//! |---|---|---|---|
//! | cifar stem 3-16 | 98 | 10 | 89 |
//! | cifar 16-16 | 442 | 24 | 148 |
//! | cifar 32-32 s2 | 458 | 63 | 610 |
//! | cifar 64-64 8x8 | 180 | 16 | 138 |
//! | cifar 16 depthwise | 58 | 15 | 106 |
//! | darcy 16-16 85x85 | 532 | 32 | 281 |
//! | darcy29 64-64 | 853 | 50 | 712 |
//! | ninapro 16-16 | 584 | 36 | 274 |
//! | satellite 128-128 | 520 | 73 | 137 |
//! | ecg 8-8 | 42 | 9 | 26 |
//! | conv 64 k3 32x32 | 141 | 79 | 148 |
//! | conv 256 k3 8x8 | 180 | 62 | 119 |
//! | conv 128 k9 d7 16x16 | 686 | 152 | 1468 |
//! | conv 64 k7 d15 32x32 | 716 | 198 | 1070 |
//! | conv 128 k3 s2 | 159 | 240 | 191 |
//! | conv 16-64 k1 | 10 | 26 | 12 |
//! | conv 64-128 k1 s2 | 15 | 103 | 26 |
//! | conv1d 128 k7 | 80 | 37 | 80 |
//! | conv1d 8 k5 | 5 | 7 | 10 |

use aggconv::kernels::fourier::benchmark::{Contraction, Transform};
use aggconv::kernels::{Algorithm, Gradients, backward, forward};
use aggconv::mix::{self, MixGradients};
use aggconv::{ConvGeometry, KernelSpace, MixPlan, TapSet};
use std::fmt;
use std::sync::Arc;

/// A named layer.
#[derive(Clone)]
struct Layer(&'static str, ConvGeometry);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The union of the lattices of all pairs in K×D.
fn space(k: &[usize], d: &[usize], dims: usize) -> TapSet {
    let sets: Vec<_> = k.iter().flat_map(|&k| d.iter().map(move |&d| TapSet::lattice(k, d, dims))).collect();
    TapSet::union(&sets)
}

fn layer(
    name: &'static str,
    batch: usize,
    (c_in, c_out, groups): (usize, usize, usize),
    input: [usize; 2],
    stride: usize,
    taps: TapSet,
) -> Layer {
    let stride = if input[0] == 1 { [1, stride] } else { [stride, stride] };
    Layer(name, ConvGeometry { batch, c_in, c_out, groups, input, stride, taps: Arc::new(taps) })
}

/// The layers that are timed.
fn layers() -> Vec<Layer> {
    let two = || space(&[3, 5, 7, 9], &[1, 3, 7, 15], 2);
    let one = || space(&[3, 7, 11, 15, 19], &[1, 3, 7, 15], 1);
    let conv = TapSet::lattice;
    vec![
        layer("cifar stem 3-16", 64, (3, 16, 1), [32, 32], 1, two()),
        layer("cifar 16-16", 64, (16, 16, 1), [32, 32], 1, two()),
        layer("cifar 32-32 s2", 64, (32, 32, 1), [32, 32], 2, two()),
        layer("cifar 64-64 8x8", 64, (64, 64, 1), [8, 8], 1, two()),
        layer("cifar 16 depthwise", 64, (16, 16, 16), [32, 32], 1, two()),
        layer("darcy 16-16 85x85", 10, (16, 16, 1), [85, 85], 1, two()),
        layer("darcy29 64-64", 10, (64, 64, 1), [29, 29], 1, two()),
        layer("ninapro 16-16", 128, (16, 16, 1), [16, 52], 1, two()),
        layer("satellite 128-128", 256, (128, 128, 1), [1, 46], 1, one()),
        layer("ecg 8-8", 128, (8, 8, 1), [1, 1000], 1, one()),
        layer("conv 64 k3 32x32", 64, (64, 64, 1), [32, 32], 1, conv(3, 1, 2)),
        layer("conv 256 k3 8x8", 64, (256, 256, 1), [8, 8], 1, conv(3, 1, 2)),
        layer("conv 128 k9 d7 16x16", 64, (128, 128, 1), [16, 16], 1, conv(9, 7, 2)),
        layer("conv 64 k7 d15 32x32", 64, (64, 64, 1), [32, 32], 1, conv(7, 15, 2)),
        layer("conv 128 k3 s2", 64, (128, 128, 1), [32, 32], 2, conv(3, 1, 2)),
        layer("conv 16-64 k1", 64, (16, 64, 1), [32, 32], 1, conv(1, 1, 2)),
        layer("conv 64-128 k1 s2", 64, (64, 128, 1), [32, 32], 2, conv(1, 1, 2)),
        layer("conv1d 128 k7", 256, (128, 128, 1), [1, 46], 1, conv(7, 1, 1)),
        layer("conv1d 8 k5", 128, (8, 8, 1), [1, 1000], 1, conv(5, 1, 1)),
    ]
}

/// Reproducible numbers in [-1, 1).
fn noise(len: usize) -> Vec<f32> {
    let mut s = 0x9E37_79B9_7F4A_7C15u64;
    (0..len)
        .map(|_| {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            (s >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        })
        .collect()
}

fn bench_forward(bencher: divan::Bencher, layer: &Layer, algorithm: Algorithm) {
    let g = &layer.1;
    let (x, w) = (noise(g.x_len()), noise(g.w_len()));
    let mut y = vec![0.0; g.y_len()];
    bencher.bench_local(|| forward(algorithm, g, &x, &w, None, &mut y));
}

fn bench_backward(bencher: divan::Bencher, layer: &Layer, algorithm: Algorithm) {
    let g = &layer.1;
    let (x, w, dy) = (noise(g.x_len()), noise(g.w_len()), noise(g.y_len()));
    let (mut dx, mut dw) = (vec![0.0; g.x_len()], vec![0.0; g.w_len()]);
    bencher.bench_local(|| {
        let grads = Gradients { x: Some(&mut dx), w: Some(&mut dw), bias: None };
        backward(algorithm, g, &x, &w, &dy, grads);
    });
}

#[divan::bench(args = layers(), max_time = 1)]
fn direct_forward(bencher: divan::Bencher, layer: &Layer) {
    bench_forward(bencher, layer, Algorithm::Direct);
}
#[divan::bench(args = layers(), max_time = 1)]
fn direct_backward(bencher: divan::Bencher, layer: &Layer) {
    bench_backward(bencher, layer, Algorithm::Direct);
}
#[divan::bench(args = layers(), max_time = 1)]
fn fourier_forward(bencher: divan::Bencher, layer: &Layer) {
    bench_forward(bencher, layer, Algorithm::Fourier);
}
#[divan::bench(args = layers(), max_time = 1)]
fn fourier_backward(bencher: divan::Bencher, layer: &Layer) {
    bench_backward(bencher, layer, Algorithm::Fourier);
}

/// The FFTs of the layers above, of sixteen signals at once.
#[divan::bench(args = [91, 80, 60, 1135, 2000], max_time = 1)]
fn transform(bencher: divan::Bencher, n: usize) {
    let mut transform = Transform::new(n);
    bencher.counter(divan::counter::ItemsCount::new(transform.len())).bench_local(|| transform.run());
}

/// The products over channels at one frequency: samples, input channels, output channels.
#[divan::bench(args = [[256, 128, 128], [256, 64, 64], [64, 16, 16], [10, 64, 64]], max_time = 1)]
fn contraction(bencher: divan::Bencher, [m, k, n]: [usize; 3]) {
    let mut product = Contraction::new(m, k, n);
    // The items are floating-point operations, so that items per second are flop/s.
    bencher.counter(divan::counter::ItemsCount::new(product.flop())).bench_local(|| product.run());
}

/// Mixes the kernels of all candidates, forward and backward, for all pairs of 128 channels.
#[divan::bench(args = [1, 2], max_time = 1)]
fn mix(bencher: divan::Bencher, dims: usize) {
    let (space, input) = if dims == 1 { (KernelSpace::for_1d(), [1, 1000]) } else { (KernelSpace::for_2d(), [32, 32]) };
    let plan = MixPlan::new(&space, dims, input);
    let rows = 128 * 128;
    let (w, c) = (noise(rows * plan.weights()), noise(plan.candidates()));
    let (mut m, mut dw) = (vec![0.0; rows * plan.taps().len()], vec![0.0; w.len()]);
    let mut dc = vec![0.0; c.len()];
    bencher.bench_local(|| {
        mix::forward(&plan, &w, &c, &mut m);
        mix::backward(&plan, &w, &c, &m, MixGradients { w: Some(&mut dw), c: Some(&mut dc) });
    });
}

fn main() {
    divan::main();
}
