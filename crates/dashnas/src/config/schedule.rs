//! Milestones of learning rates.
//!
//! Milestones are fractions of the epochs of a stage, so that a shorter run keeps the shape of the paper's schedule:
//! 0.3, 0.6 and 0.8 of 200 epochs are the paper's 60, 120 and 160.

/// The epochs (counted from 0) at which the learning rate drops: `round(fraction · epochs)`.
///
/// In a short run two milestones may be rounded to the same epoch. The rate then drops twice there, so that schedules
/// of all lengths end at the same rate.
pub fn milestone_epochs(milestones: &[f64], epochs: usize) -> Vec<usize> {
    milestones.iter().map(|fraction| (fraction * epochs as f64).round() as usize).collect()
}
