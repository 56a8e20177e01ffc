//! Helpers of the tests: random data, the definition in `f64`, and comparisons.

#![allow(dead_code)] // Each test binary uses its part.

use aggconv::kernels::naive;
use aggconv::{ConvGeometry, KernelSpace, TapSet};
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::Arc;

/// Flex with autodiff.
pub fn device() -> Device {
    Device::flex().autodiff()
}

/// Reproducible numbers in [−1, 1) for each seed.
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

pub fn tensor<const D: usize>(data: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(data.to_vec(), shape), device)
}

pub fn values<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().convert::<f32>().try_to_vec().expect("converted to f32")
}

pub fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&v| f64::from(v)).collect()
}

/// Panics unless every element is within `tolerance` of the largest magnitude in `expected`.
pub fn assert_close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_close_at(what, got, expected, largest(expected), tolerance);
}

/// The largest magnitude, at least 10⁻³.
pub fn largest(v: &[f64]) -> f64 {
    v.iter().fold(1e-3f64, |m, v| m.max(v.abs()))
}

/// Panics unless every element is within `tolerance · scale` of its expected value.
pub fn assert_close_at(what: &str, got: &[f32], expected: &[f64], scale: f64, tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: lengths");
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (f64::from(got) - expected).abs();
        assert!(error <= tolerance * scale, "{what}[{i}]: {got} is not {expected} (scale {scale})");
    }
}

/// An AggConv with its operands and the gradient of its output.
#[derive(Debug, Clone)]
pub struct Case {
    pub space: KernelSpace,
    pub dims: usize,
    pub batch: usize,
    pub c_in: usize,
    pub c_out: usize,
    pub groups: usize,
    pub input: [usize; 2],
    pub stride: usize,
    pub seed: u64,
}

impl Case {
    pub fn stride2(&self) -> [usize; 2] {
        if self.dims == 1 { [1, self.stride] } else { [self.stride; 2] }
    }

    pub fn geometry(&self, taps: TapSet) -> ConvGeometry {
        ConvGeometry {
            batch: self.batch,
            c_in: self.c_in,
            c_out: self.c_out,
            groups: self.groups,
            input: self.input,
            stride: self.stride2(),
            taps: Arc::new(taps),
        }
    }

    pub fn x_shape(&self) -> [usize; 4] {
        [self.batch, self.c_in, self.input[0], self.input[1]]
    }

    pub fn w_shape(&self) -> [usize; 3] {
        [self.c_out, self.c_in / self.groups, self.space.weights_per_channel_pair(self.dims)]
    }

    pub fn y_shape(&self) -> [usize; 4] {
        let [h, w] = self.geometry(TapSet::lattice(1, 1, self.dims)).output();
        [self.batch, self.c_out, h, w]
    }

    pub fn x(&self) -> Vec<f32> {
        noise(self.x_shape().iter().product(), self.seed)
    }

    pub fn w(&self) -> Vec<f32> {
        noise(self.w_shape().iter().product(), self.seed + 1)
    }

    pub fn c(&self) -> Vec<f32> {
        noise(self.space.len(), self.seed + 2)
    }

    pub fn bias(&self) -> Vec<f32> {
        noise(self.c_out, self.seed + 3)
    }

    pub fn dy(&self) -> Vec<f32> {
        noise(self.y_shape().iter().product(), self.seed + 4)
    }

    /// The output and the gradients by definition (Eq. 2), in `f64`.
    pub fn reference(&self) -> Reference {
        let (x, w, c, bias, dy) =
            (wide(&self.x()), wide(&self.w()), wide(&self.c()), wide(&self.bias()), wide(&self.dy()));
        self.reference_of(&x, &w, &c, &bias, &dy)
    }

    /// The same sums over the magnitudes of their terms. Rounding errors are relative to these, because terms may
    /// cancel to any small number, which then consists mostly of rounding error.
    pub fn magnitudes(&self) -> Reference {
        let size = |v: Vec<f32>| v.into_iter().map(|v| f64::from(v.abs())).collect::<Vec<_>>();
        self.reference_of(&size(self.x()), &size(self.w()), &size(self.c()), &size(self.bias()), &size(self.dy()))
    }

    pub fn reference_of(&self, x: &[f64], w: &[f64], c: &[f64], bias: &[f64], dy: &[f64]) -> Reference {
        let [c_out, pairs, t] = self.w_shape();
        let rows = c_out * pairs;
        let plane: usize = self.y_shape()[2..].iter().product();
        let mut r = Reference {
            y: (0..dy.len()).map(|i| bias[i / plane % c_out]).collect(),
            dx: vec![0.0; x.len()],
            dw: vec![0.0; w.len()],
            dc: vec![0.0; c.len()],
            db: vec![0.0; c_out],
        };
        for (i, &v) in dy.iter().enumerate() {
            r.db[i / plane % c_out] += v;
        }
        let mut start = 0;
        for (i, candidate) in self.space.candidates().iter().enumerate() {
            let taps = match self.space.is_causal() {
                true => TapSet::new((0..candidate.k).map(|back| [0, -((back * candidate.d) as i32)]).collect()),
                false => TapSet::lattice(candidate.k, candidate.d, self.dims),
            };
            let g = self.geometry(taps);
            let k = g.taps.len();
            let block: Vec<f64> = (0..rows).flat_map(|row| w[row * t + start..][..k].to_vec()).collect();
            let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; block.len()]);
            naive::forward(&g, x, &block, None, &mut y);
            naive::backward(&g, x, &block, dy, Some(&mut dx), Some(&mut dw), None);
            r.y.iter_mut().zip(&y).for_each(|(r, y)| *r += c[i] * y);
            r.dx.iter_mut().zip(&dx).for_each(|(r, dx)| *r += c[i] * dx);
            for row in 0..rows {
                for j in 0..k {
                    r.dw[row * t + start + j] = c[i] * dw[row * k + j];
                }
            }
            r.dc[i] = dy.iter().zip(&y).map(|(a, b)| a * b).sum();
            start += k;
        }
        r
    }
}

/// The expected results of an AggConv.
#[derive(Debug, Clone)]
pub struct Reference {
    pub y: Vec<f64>,
    pub dx: Vec<f64>,
    pub dw: Vec<f64>,
    pub dc: Vec<f64>,
    pub db: Vec<f64>,
}
