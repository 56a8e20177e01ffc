//! Measures how good the selection of the algorithm is on this machine:
//! `cargo run --release -p aggconv --example choice -- [NUMBER OF LAYERS]`.
//!
//! The example times a forward and a backward pass of random layers by direct convolution and by the Fourier transform.
//! It then compares the algorithm that [`aggconv::kernels::select`] predicts to be faster with the one that was faster.

use aggconv::kernels::{self, Algorithm, Gradients};
use aggconv::{ConvGeometry, TapSet};
use std::sync::Arc;
use std::time::Instant;

/// A reproducible pseudo-random generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next() as usize % from.len()]
    }
}

/// A random layer like those of searched and discretized networks.
fn layer(r: &mut Random) -> ConvGeometry {
    let dims = r.pick(&[1, 2]);
    let side = if dims == 1 { r.pick(&[46, 100, 300, 1000]) } else { r.pick(&[8, 16, 29, 32]) };
    let input = if dims == 1 { [1, side] } else { [side, side] };
    let channels = [1, 4, 8, 16, 32, 64, 128];
    let (c_in, c_out) = (r.pick(&channels), r.pick(&channels));
    let depthwise = r.pick(&[false, false, true]);
    let (c_out, groups) = if depthwise { (c_in, c_in) } else { (c_out, 1) };
    let stride = r.pick(&[1, 1, 1, 2]);
    let stride = if dims == 1 { [1, stride] } else { [stride, stride] };
    let lattice = |k, d| TapSet::lattice(k, d, dims);
    let taps = if r.pick(&[true, false]) {
        lattice(r.pick(&[1, 3, 5, 7, 9, 11, 19]), r.pick(&[1, 3, 7, 15]))
    } else {
        let k = if dims == 1 { 19 } else { 9 };
        TapSet::union(&[1, 3, 7, 15].map(|d| lattice(k, d)))
    };
    ConvGeometry { batch: r.pick(&[8, 64]), c_in, c_out, groups, input, stride, taps: Arc::new(taps) }
}

/// The time of a forward and a backward pass in seconds, as the minimum of five measurements.
fn seconds(a: Algorithm, g: &ConvGeometry) -> f64 {
    let noise = |n: usize| (0..n).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect::<Vec<_>>();
    let (x, w, dy) = (noise(g.x_len()), noise(g.w_len()), noise(g.y_len()));
    let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
    let once = |_| {
        let started = Instant::now();
        kernels::forward(a, g, &x, &w, None, &mut y);
        kernels::backward(a, g, &x, &w, &dy, Gradients { x: Some(&mut dx), w: Some(&mut dw), bias: None });
        started.elapsed().as_secs_f64()
    };
    (0..5).map(once).fold(f64::INFINITY, f64::min)
}

fn main() {
    let shapes = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(200);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut layers = Vec::new();
    while layers.len() < shapes {
        let g = layer(&mut random);
        // Layers that would take more than half a second are skipped.
        if kernels::cost(Algorithm::Direct, &g).min(kernels::cost(Algorithm::Fourier, &g)) > 5e8 {
            continue;
        }
        let times = [Algorithm::Direct, Algorithm::Fourier].map(|a| seconds(a, &g));
        layers.push((kernels::cost(Algorithm::Fourier, &g) / kernels::cost(Algorithm::Direct, &g), times, g));
    }
    // The mean and all values of the slowdown if the estimated cost of direct convolution is multiplied by `factor`.
    let evaluate = |factor: f64| {
        let slowdowns = layers.iter().map(|(ratio, [direct, fourier], _)| {
            let selected = if *ratio < factor { fourier } else { direct };
            selected / direct.min(*fourier)
        });
        let slowdowns: Vec<f64> = slowdowns.collect();
        let mean = (slowdowns.iter().map(|r| r.ln()).sum::<f64>() / slowdowns.len() as f64).exp();
        (mean, slowdowns)
    };
    let (mean, slowdowns) = evaluate(1.0);
    let right = slowdowns.iter().filter(|&&r| r == 1.0).count();
    let worst = slowdowns.iter().fold(1.0, |a: f64, &b| a.max(b));
    println!("the faster algorithm was selected for {right} of {shapes} layers");
    println!("time relative to always using the faster one: {mean:.3} (geometric mean), {worst:.2} (worst case)");
    let mut worst: Vec<_> = layers.iter().zip(&slowdowns).collect();
    worst.sort_by(|a, b| b.1.total_cmp(a.1));
    for ((_, [direct, fourier], g), slowdown) in worst.into_iter().take(8).filter(|w| *w.1 > 1.0) {
        println!(
            "{slowdown:.2}: direct {:.2} ms, fourier {:.2} ms: {} of {} -> {} in {}, {:?} by {:?}, {} taps",
            direct * 1e3,
            fourier * 1e3,
            g.batch,
            g.c_in,
            g.c_out,
            g.groups,
            g.input,
            g.stride,
            g.taps.len()
        );
    }
    for factor in [0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 2.0] {
        println!("with the cost of direct convolution times {factor:.2}: {:.3}", evaluate(factor).0);
    }
}
