//! The operator composed of Burn operations, for backends without native kernels, such as GPUs. It is differentiable
//! through Burn's autodiff.
//!
//! The Fourier transforms are those of `burn::signal`, whose lengths are powers of two.

use crate::{TapSet, mix::MixPlan};
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Device, IndexingUpdateOp, Int, Slice, Tensor, TensorData};

/// Computes the mixed kernel `[c_out, c_in / groups, U]` from flat weights `w: [c_out, c_in / groups, T]` and
/// coefficients `c: [|K|·|D|]`: each reachable weight, times the coefficient of its candidate, is added to its tap.
pub fn agg_mix(w: Tensor<3>, c: Tensor<1>, plan: &MixPlan) -> Tensor<3> {
    let device = w.device();
    let mut reachable = Vec::new();
    let mut candidates = Vec::new();
    let mut targets = Vec::new();
    for (i, block) in plan.blocks().iter().enumerate() {
        for t in block.clone() {
            if let Some(u) = plan.target(t) {
                reachable.push(t);
                candidates.push(i);
                targets.push(u);
            }
        }
    }
    let [c_out, c_in, t] = w.dims();
    let w = if reachable.len() == t { w } else { w.select(2, indices(&reachable, &device)) };
    let c = c.select(0, indices(&candidates, &device)).reshape([1, 1, candidates.len()]);
    Tensor::zeros([c_out, c_in, plan.taps().len()], (&device, w.dtype())).select_assign(
        2,
        indices(&targets, &device),
        w * c,
        IndexingUpdateOp::Add,
    )
}

fn indices(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = values.iter().map(|&v| v as i32).collect();
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), &device.clone().without_autodiff())
}

/// The way in which [`tap_conv`] computes the convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Burn's convolution if the taps form a single lattice, otherwise the Fourier transform.
    Auto,
    /// Burn's convolution with the kernel on its lattice, filled up with zeros.
    Direct,
    /// The Fourier transform.
    Fourier,
}

/// Computes the convolution of `x: [batch, c_in, h, w]` with `w: [c_out, c_in / groups, taps]`, as defined by
/// [`ConvGeometry`](crate::ConvGeometry).
pub fn tap_conv(
    x: Tensor<4>,
    w: Tensor<3>,
    bias: Option<Tensor<1>>,
    taps: &TapSet,
    stride: [usize; 2],
    groups: usize,
    route: Route,
) -> Tensor<4> {
    let lattice = Lattice::of(taps);
    match route {
        Route::Auto if !lattice.is_exact(taps) => fourier(x, w, bias, taps, stride, groups),
        Route::Fourier => fourier(x, w, bias, taps, stride, groups),
        Route::Auto | Route::Direct => direct(x, w, bias, taps, lattice, stride, groups),
    }
}

/// The smallest centered lattice that contains a set of taps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lattice {
    /// The number of taps along each axis, which is odd.
    size: [usize; 2],
    /// The distance between taps on each axis.
    dilation: [usize; 2],
}

impl Lattice {
    fn of(taps: &TapSet) -> Self {
        let radius = taps.radius();
        let dilation = [0, 1].map(|axis| {
            let distances = taps.offsets().iter().map(|o| o[axis].unsigned_abs() as usize);
            distances.fold(0, gcd).max(1)
        });
        Self { size: [0, 1].map(|axis| 2 * (radius[axis] / dilation[axis]) + 1), dilation }
    }

    /// Whether the taps are the whole lattice.
    fn is_exact(&self, taps: &TapSet) -> bool {
        self.size[0] * self.size[1] == taps.len()
    }

    /// The row-major index of an offset in the lattice.
    fn position(&self, offset: [i32; 2]) -> usize {
        let [r, c] = [0, 1].map(|axis| {
            let steps = offset[axis] / self.dilation[axis] as i32;
            (steps + (self.size[axis] as i32 - 1) / 2) as usize
        });
        r * self.size[1] + c
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn direct(
    x: Tensor<4>,
    w: Tensor<3>,
    bias: Option<Tensor<1>>,
    taps: &TapSet,
    lattice: Lattice,
    stride: [usize; 2],
    groups: usize,
) -> Tensor<4> {
    let w = if lattice.is_exact(taps) {
        w
    } else {
        let positions: Vec<usize> = taps.offsets().iter().map(|&o| lattice.position(o)).collect();
        scatter(w, &positions, lattice.size[0] * lattice.size[1])
    };
    let [c_out, c_in, _] = w.dims();
    let padding = [0, 1].map(|axis| (lattice.size[axis] - 1) / 2 * lattice.dilation[axis]);
    let w = w.reshape([c_out, c_in, lattice.size[0], lattice.size[1]]);
    conv2d(x, w, bias, ConvOptions::new(stride, padding, lattice.dilation, groups))
}

/// Moves the last axis of `w` to the given positions of a longer axis with zeros elsewhere.
fn scatter(w: Tensor<3>, positions: &[usize], len: usize) -> Tensor<3> {
    let [c_out, c_in, _] = w.dims();
    let device = w.device();
    Tensor::zeros([c_out, c_in, len], (&device, w.dtype())).select_assign(
        2,
        indices(positions, &device),
        w,
        IndexingUpdateOp::Add,
    )
}

/// A complex tensor.
#[derive(Debug, Clone)]
struct Complex<const D: usize> {
    re: Tensor<D>,
    im: Tensor<D>,
}

/// Eq. 4: transforms the input and the kernel, multiplies their spectra, and transforms back.
///
/// The tap of the kernel at offset o is put at index o modulo F, the length of the transform, and the spectrum of the
/// kernel is conjugated, which gives a cross-correlation. `F ≥ n + r` suffices, where r is the largest offset, because
/// values that wrap around fall outside the first n outputs.
fn fourier(
    x: Tensor<4>,
    w: Tensor<3>,
    bias: Option<Tensor<1>>,
    taps: &TapSet,
    stride: [usize; 2],
    groups: usize,
) -> Tensor<4> {
    let [batch, c_in, height, width] = x.dims();
    let [c_out, c_in_per_group, _] = w.dims();
    let radius = taps.radius();
    // At least two: some backends do not support a transform of length one.
    let length = |n: usize, radius: usize| (n + radius).next_power_of_two().max(2);
    let rows = if height == 1 && radius[0] == 0 { 1 } else { length(height, radius[0]) };
    let cols = length(width, radius[1]);

    let wrap = |offset: i32, len: usize| i64::from(offset).rem_euclid(len as i64) as usize;
    let positions: Vec<usize> = taps.offsets().iter().map(|&[r, c]| wrap(r, rows) * cols + wrap(c, cols)).collect();
    let kernel = scatter(w, &positions, rows * cols).reshape([c_out, c_in_per_group, rows, cols]);
    let x_hat = transform(x.pad([(0, rows - height), (0, cols - width)], PadMode::Constant(0.0)));
    let w_hat = transform(kernel);

    let y_hat = if groups == c_in && c_in == c_out {
        depthwise_product(x_hat, w_hat)
    } else {
        contract(x_hat, w_hat, [batch, c_in, c_out, groups])
    };
    let y = inverse_transform(y_hat, cols).slice([
        Slice::full(),
        Slice::full(),
        Slice::with_step(0, Some(height as isize), stride[0] as isize),
        Slice::with_step(0, Some(width as isize), stride[1] as isize),
    ]);
    match bias {
        Some(bias) => y + bias.reshape([1, c_out, 1, 1]),
        None => y,
    }
}

/// Transforms the last two axes. The last axis of the spectrum is one-sided, with length `cols / 2 + 1`.
fn transform(x: Tensor<4>) -> Complex<4> {
    let rows = x.dims()[2];
    let (re, im) = burn::signal::rfft(x, 3, None);
    if rows == 1 {
        return Complex { re, im };
    }
    let (re, im) = burn::signal::cfft(re, im, 2, None);
    Complex { re, im }
}

/// Computes the inverse of [`transform`] for real signals of length `cols`.
fn inverse_transform(x: Complex<4>, cols: usize) -> Tensor<4> {
    let rows = x.re.dims()[2];
    if rows == 1 {
        return burn::signal::irfft(x.re, x.im, 3, Some(cols));
    }
    // The inverse transform is the conjugate of the transform of the conjugate, divided by the length.
    let (re, im) = burn::signal::cfft(x.re, x.im.neg(), 2, None);
    burn::signal::irfft(re.div_scalar(rows as f32), im.neg().div_scalar(rows as f32), 3, Some(cols))
}

/// Computes `x · conj(w)` for a depthwise convolution: x is `[batch, c, ..]`, and w is `[c, 1, ..]`.
fn depthwise_product(x: Complex<4>, w: Complex<4>) -> Complex<4> {
    let (wr, wi) = (w.re.swap_dims(0, 1), w.im.swap_dims(0, 1));
    Complex { re: x.re.clone() * wr.clone() + x.im.clone() * wi.clone(), im: x.im * wr - x.re * wi }
}

/// Computes `Σ_c x[n, c] · conj(w[o, c])` at every frequency: a batch of complex matrix products.
fn contract(x: Complex<4>, w: Complex<4>, [batch, c_in, c_out, groups]: [usize; 4]) -> Complex<4> {
    let [_, _, rows, cols] = x.re.dims();
    let frequencies = rows * cols;
    let (ci, co) = (c_in / groups, c_out / groups);
    // [groups, frequencies, batch, c_in / groups] times [groups, frequencies, c_in / groups, c_out / groups].
    let input = |t: Tensor<4>| t.reshape([batch, groups, ci, frequencies]).permute([1, 3, 0, 2]);
    let kernel = |t: Tensor<4>| t.reshape([groups, co, ci, frequencies]).permute([0, 3, 2, 1]);
    let output = |t: Tensor<4>| t.permute([2, 0, 3, 1]).reshape([batch, c_out, rows, cols]);
    let (xr, xi, wr, wi) = (input(x.re), input(x.im), kernel(w.re), kernel(w.im));
    let re = xr.clone().matmul(wr.clone()) + xi.clone().matmul(wi.clone());
    let im = xi.matmul(wr) - xr.matmul(wi);
    Complex { re: output(re), im: output(im) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lattices_are_recognized() {
        let lattice = TapSet::lattice(5, 3, 2);
        let found = Lattice::of(&lattice);
        assert_eq!(found, Lattice { size: [5, 5], dilation: [3, 3] });
        assert!(found.is_exact(&lattice));
        assert!(lattice.offsets().iter().enumerate().all(|(i, &o)| found.position(o) == i));

        let union = TapSet::union([&TapSet::lattice(3, 2, 1), &TapSet::lattice(3, 3, 1)]);
        let found = Lattice::of(&union);
        assert_eq!(found, Lattice { size: [1, 7], dilation: [1, 1] });
        assert!(!found.is_exact(&union));
        assert_eq!(Lattice::of(&TapSet::lattice(1, 7, 2)), Lattice { size: [1, 1], dilation: [1, 1] });
    }
}
