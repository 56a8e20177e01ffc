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

/// The learning rate in an epoch (counted from 0): `base · decay^(milestones reached)`.
pub fn learning_rate(base: f64, decay: f64, milestones: &[f64], epochs: usize, epoch: usize) -> f64 {
    let reached = milestone_epochs(milestones, epochs).into_iter().filter(|&m| m <= epoch).count();
    base * decay.powi(reached as i32)
}
