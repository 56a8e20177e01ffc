//! Augmentation of training samples: random crops, flips and shifts, changes of amplitude, mixup, and class-balanced
//! sampling. All of it is off unless a recipe or the user sets it.
//!
//! All random numbers come from the random stream of the step, so that the same seed gives the same samples whatever
//! was drawn before. Samples are normalized before they are augmented, so that the fill value 0 is their mean.

pub mod batches;
mod grid_move;
mod mixup;
pub mod sampling;

#[cfg(test)]
mod tests;
