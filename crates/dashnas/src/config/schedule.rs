//! Step-wise learning rates.
//!
//! Milestones are fractions of a stage's epochs, so that a shorter run keeps the shape of the paper's
//! schedule: 0.3, 0.6 and 0.8 of 200 epochs are the paper's 60, 120 and 160.

/// The epochs (counted from 0) at which the rate drops, `round(fraction · epochs)`.
///
/// A short run may round two milestones to the same epoch; the rate then drops twice there, so that a
/// schedule ends at the same rate whatever its length.
pub fn milestone_epochs(milestones: &[f64], epochs: usize) -> Vec<usize> {
    milestones.iter().map(|fraction| (fraction * epochs as f64).round() as usize).collect()
}
