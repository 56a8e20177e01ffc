//! Sums and means on slices.

use crate::kernels::simd::vectorized;
use crate::kernels::sums::sum;
use rayon::prelude::*;

/// Values of a task: 64 KiB, beside which handing it to a thread costs nothing.
const TASK_VALUES: usize = 1 << 14;

/// This many values of a plane are added in `f32`, sixteen sums side by side, before their sums are
/// added in `f64`.
const RUN_LENGTH: usize = 1 << 10;

/// Writes `x + y` into `sum` (overwritten).
///
/// # Panics
/// If the lengths differ: the layers above have checked.
pub fn add(x: &[f32], y: &[f32], sum: &mut [f32]) {
    assert!(x.len() == sum.len() && y.len() == sum.len());
    let chunks = (sum.par_chunks_mut(TASK_VALUES), x.par_chunks(TASK_VALUES), y.par_chunks(TASK_VALUES));
    chunks.into_par_iter().for_each(|(sum, x, y)| {
        vectorized(
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
    x.par_chunks_mut(TASK_VALUES).zip(y.par_chunks(TASK_VALUES)).for_each(|(x, y)| {
        vectorized(
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
    let planes = (TASK_VALUES / plane).max(1);
    means.par_chunks_mut(planes).zip(x.par_chunks(planes * plane)).for_each(|(means, x)| {
        vectorized(
            #[inline(always)]
            || {
                for (mean, x) in means.iter_mut().zip(x.chunks_exact(plane)) {
                    *mean = (x.chunks(RUN_LENGTH).map(sum).sum::<f64>() / plane as f64) as f32;
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
    let planes = (TASK_VALUES / plane).max(1);
    dx.par_chunks_mut(planes * plane).zip(d_means.par_chunks(planes)).for_each(|(dx, d_means)| {
        for (dx, d_mean) in dx.chunks_exact_mut(plane).zip(d_means) {
            dx.fill(d_mean / plane as f32);
        }
    });
}
