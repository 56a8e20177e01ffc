//! Mixup (Zhang et al. 2018): a batch is mixed with a permutation of itself.

use dashnas_core::rng::Stream;
use rand::RngExt;
use rand_distr::Beta;

/// The share of the first sample, drawn from Beta(α, α).
pub(super) fn share(alpha: f64, stream: &mut Stream) -> f64 {
    // Configurations are validated: α is positive, which is all that the distribution requires.
    Beta::new(alpha, alpha).map_or(1.0, |beta| stream.sample(beta))
}

/// Replaces sample i by `share · sample[i] + (1 − share) · sample[partners[i]]`. A mixture of samples with lengths of
/// their own, which are NaN after their ends, ends with the shorter one.
pub(super) fn mix(values: &mut [f32], partners: &[usize], share: f64) {
    let size = values.len() / partners.len();
    let original = values.to_vec();
    for (sample, &partner) in values.chunks_exact_mut(size).zip(partners) {
        let other = &original[partner * size..(partner + 1) * size];
        sample
            .iter_mut()
            .zip(other)
            .for_each(|(v, &o)| *v = (share * f64::from(*v) + (1.0 - share) * f64::from(o)) as f32);
    }
}
