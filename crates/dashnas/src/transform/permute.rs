//! One random order for the points of every sample: what is near is no longer beside.

use super::SEED;
use crate::data::Array;
use crate::rng::permutation;

/// The order for samples of so many points.
pub(super) fn order(points: usize) -> Vec<usize> {
    permutation(points, &mut SEED.stream("transform/permute", &[points as u64]))
}

/// Puts the points of every channel, `[N, C, …]`, in the given order.
pub(super) fn permute(array: &mut Array, order: &[usize]) {
    let mut line = vec![0.0; order.len()];
    for channel in array.data.chunks_exact_mut(order.len()) {
        line.copy_from_slice(channel);
        channel.iter_mut().zip(order).for_each(|(v, &i)| *v = line[i]);
    }
}
