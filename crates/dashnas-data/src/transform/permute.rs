//! One random order for the points of every sample, which destroys their neighborhoods.

use crate::transform::seed::SEED;
use dashnas_core::rng::permutation;
use dashnas_formats::array::Array;

/// The order in which [`Transform::Permute`](crate::transform::kind::Transform::Permute) arranges so many points.
pub fn order(points: usize) -> Vec<usize> {
    permutation(points, &mut SEED.stream("transform/permute", &[points as u64]))
}

/// Arranges the points of every channel of `[N, C, …]` in the given order.
pub(super) fn permute(array: &mut Array, order: &[usize]) {
    let mut line = vec![0.0; order.len()];
    for channel in array.data.chunks_exact_mut(order.len()) {
        line.copy_from_slice(channel);
        channel.iter_mut().zip(order).for_each(|(v, &i)| *v = line[i]);
    }
}
