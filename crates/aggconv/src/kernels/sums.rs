//! Sums over planes.

use crate::ConvGeometry;
use rayon::prelude::*;

/// Computes the gradient of the bias: for each channel, the sum of `dy` over the batch and all positions.
pub(super) fn bias_gradient(g: &ConvGeometry, dy: &[f32], db: &mut [f32]) {
    let plane = g.output()[0] * g.output()[1];
    db.par_iter_mut().enumerate().for_each(|(o, db)| {
        *db = (0..g.batch).map(|n| sum(&dy[(n * g.c_out + o) * plane..][..plane])).sum::<f64>() as f32;
    });
}

/// Sums a plane in sixteen lanes, which vectorizes, and the lanes in `f64`.
#[inline(always)]
pub(crate) fn sum(plane: &[f32]) -> f64 {
    let mut lanes = [0f32; 16];
    let (chunks, rest) = plane.as_chunks::<16>();
    chunks.iter().for_each(|c| lanes.iter_mut().zip(c).for_each(|(sum, v)| *sum += v));
    lanes.iter().chain(rest).map(|&v| f64::from(v)).sum()
}
