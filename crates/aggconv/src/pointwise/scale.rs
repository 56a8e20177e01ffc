//! A factor for each channel.

use super::{check, sum_samples};
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::vectorized;
use crate::kernels::sums::sum;
use crate::norm::NormShape;
use rayon::prelude::*;

/// Writes `factor·x` into `y`, which is overwritten. `x` is `[batch, channels, plane]`, and `factor` is `[channels]`.
///
/// # Panics
/// If the length of a slice does not fit the shape or if the shape is empty.
pub fn scale(shape: NormShape, x: &[f32], factor: &[f32], y: &mut [f32]) {
    check(shape, &[x.len(), y.len()], &[factor.len()]);
    let sample = shape.channels * shape.plane;
    y.par_chunks_mut(sample).zip(x.par_chunks(sample)).for_each(|(y, x)| {
        let planes = y.chunks_exact_mut(shape.plane).zip(x.chunks_exact(shape.plane));
        vectorized(
            #[inline(always)]
            || planes.zip(factor).for_each(|((y, x), f)| y.iter_mut().zip(x).for_each(|(y, x)| *y = x * f)),
        );
    });
}

/// Computes the gradients of [`scale`] from the gradient of its output: those of x into `dx` and of the factors into
/// `d_factor`, both overwritten.
///
/// # Panics
/// As [`scale`].
pub fn scale_backward(shape: NormShape, [x, dy]: [&[f32]; 2], factor: &[f32], dx: &mut [f32], d_factor: &mut [f32]) {
    check(shape, &[x.len(), dy.len(), dx.len()], &[factor.len(), d_factor.len()]);
    let (sample, channels, plane) = (shape.channels * shape.plane, shape.channels, shape.plane);
    let mut sums = Scratch::take(shape.batch * channels);
    let samples =
        (dx.par_chunks_mut(sample), x.par_chunks(sample), dy.par_chunks(sample), sums.par_chunks_mut(channels));
    samples.into_par_iter().for_each(|(dx, x, dy, sums)| {
        vectorized(
            #[inline(always)]
            || {
                let planes = dx.chunks_exact_mut(plane).zip(x.chunks_exact(plane)).zip(dy.chunks_exact(plane));
                for ((((dx, x), dy), factor), total) in planes.zip(factor).zip(sums.iter_mut()) {
                    // The products are written to the gradient first, so that they can be added up as a plane is.
                    dx.iter_mut().zip(x).zip(dy).for_each(|((dx, x), dy)| *dx = x * dy);
                    *total = sum(dx) as f32;
                    dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy * factor);
                }
            },
        );
    });
    sum_samples(&sums, d_factor);
}
