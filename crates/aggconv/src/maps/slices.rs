//! Sums and means on slices.

use crate::kernels::simd::vectorized;
use crate::kernels::sums::sum;
use rayon::prelude::*;

/// The number of values that one task processes (64 KiB), so large that passing it to a thread costs nothing in
/// comparison.
const TASK_VALUES: usize = 1 << 14;

/// The number of values of a plane that are added in `f32`, in sixteen lanes, before the lanes are added in `f64`.
const RUN_LENGTH: usize = 1 << 10;

/// Writes `x + y` into `sum`, which is overwritten.
///
/// # Panics
/// If the lengths differ: the callers check them.
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

/// Writes the mean of each plane of `x`, whose planes are contiguous, into `means`, which is overwritten.
///
/// # Panics
/// If a plane is empty or if the lengths do not fit.
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

/// Computes the gradient of [`mean`]: writes `d_means / plane` to every position of the plane in `dx`, which is
/// overwritten.
///
/// # Panics
/// If a plane is empty or if the lengths do not fit.
pub fn mean_backward(d_means: &[f32], plane: usize, dx: &mut [f32]) {
    assert!(plane > 0 && dx.len() == d_means.len() * plane);
    let planes = (TASK_VALUES / plane).max(1);
    dx.par_chunks_mut(planes * plane).zip(d_means.par_chunks(planes)).for_each(|(dx, d_means)| {
        for (dx, d_mean) in dx.chunks_exact_mut(plane).zip(d_means) {
            dx.fill(d_mean / plane as f32);
        }
    });
}
