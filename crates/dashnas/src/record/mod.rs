//! The records of a run: plain values that are reported to observers and kept in the run directory.
//!
//! | module | contents |
//! |---|---|
//! | [`event`] | events and the observers that receive them |
//! | [`data`] | the data set that a run is about |
//! | [`folds`] | a cross-validation and its result |
//! | [`alpha`] | the probabilities of the kernels after every epoch of the search |
//! | [`trial`] | tuning trials |
//! | [`outcome`], [`choice`], [`paired`] | the result, how its kernels were chosen, and whether the test set shows a difference |
//! | [`race`] | a race of networks |
//! | [`split`], [`trained_on`] | the samples of each split, and training samples among new ones |

pub mod alpha;
pub mod choice;
pub mod data;
pub mod division;
pub mod event;
pub mod folds;
pub mod guess;
pub mod outcome;
pub mod paired;
pub mod race;
pub mod split;
pub mod trained_on;
pub mod trial;
