//! Sums and means of whole activations ("feature maps"): what a network does between its
//! convolutions and normalizations, on all threads.
//!
//! The functions here compute on plain slices, without tensors or autodiff; [`ext`] makes them
//! Burn backend operations, [`ops`] functions of Burn tensors.
//!
//! Each of them reads and writes its operands once, and memory is what it waits for. Work is
//! divided by the shape alone, so results are the same bits whatever the number of threads and the
//! width of the vectors.

pub mod ext;
mod flex;
pub mod ops;

use crate::kernels::simd::vectorised;
use crate::kernels::sum;
use rayon::prelude::*;

/// Values of a task: 64 KiB, beside which handing it to a thread costs nothing.
const GRAIN: usize = 1 << 14;

/// This many values of a plane are added in `f32`, sixteen sums side by side, before their sums are
/// added in `f64`.
const RUN: usize = 1 << 10;

/// Writes `x + y` into `sum` (overwritten).
///
/// # Panics
/// If the lengths differ: the layers above have checked.
pub fn add(x: &[f32], y: &[f32], sum: &mut [f32]) {
    assert!(x.len() == sum.len() && y.len() == sum.len());
    let chunks = (sum.par_chunks_mut(GRAIN), x.par_chunks(GRAIN), y.par_chunks(GRAIN));
    chunks.into_par_iter().for_each(|(sum, x, y)| {
        vectorised(
            #[inline(always)]
            || sum.iter_mut().zip(x).zip(y).for_each(|((sum, x), y)| *sum = x + y),
        );
    });
}

/// Adds `y` to `x`.
///
/// # Panics
/// If the lengths differ.
pub fn add_assign(x: &mut [f32], y: &[f32]) {
    assert_eq!(x.len(), y.len());
    x.par_chunks_mut(GRAIN).zip(y.par_chunks(GRAIN)).for_each(|(x, y)| {
        vectorised(
            #[inline(always)]
            || x.iter_mut().zip(y).for_each(|(x, y)| *x += y),
        );
    });
}

/// Writes the mean of each of the planes, one behind the other in `x`, into `means` (overwritten).
///
/// # Panics
/// If a plane is empty or the lengths do not fit.
pub fn mean(x: &[f32], plane: usize, means: &mut [f32]) {
    assert!(plane > 0 && x.len() == means.len() * plane);
    let planes = (GRAIN / plane).max(1);
    means.par_chunks_mut(planes).zip(x.par_chunks(planes * plane)).for_each(|(means, x)| {
        vectorised(
            #[inline(always)]
            || {
                for (mean, x) in means.iter_mut().zip(x.chunks_exact(plane)) {
                    *mean = (x.chunks(RUN).map(sum).sum::<f64>() / plane as f64) as f32;
                }
            },
        );
    });
}

/// The gradient of [`mean`]: writes `d_means / plane` into every position of its plane of `dx`
/// (overwritten).
///
/// # Panics
/// If a plane is empty or the lengths do not fit.
pub fn mean_backward(d_means: &[f32], plane: usize, dx: &mut [f32]) {
    assert!(plane > 0 && dx.len() == d_means.len() * plane);
    let planes = (GRAIN / plane).max(1);
    dx.par_chunks_mut(planes * plane).zip(d_means.par_chunks(planes)).for_each(|(dx, d_means)| {
        for (dx, d_mean) in dx.chunks_exact_mut(plane).zip(d_means) {
            dx.fill(d_mean / plane as f32);
        }
    });
}
