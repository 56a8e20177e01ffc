//! The race of networks, a strategy of the search: networks of different kernels are trained for some steps and
//! compared on held-out training data; the better ones are trained again for longer (successive halving).
//!
//! What is known from other data sets decides which networks enter, and is weighed against the trials by a model of
//! their noise: where trials say little, the prior decides. The plain network is always among them.
//!
//! | module | contents |
//! |---|---|
//! | `features` | what the surrogate knows of an architecture |
//! | `linear` | the Cholesky factorization |
//! | `surrogate` | a Bayesian linear model of the qualities of architectures |
//! | `prior` | what is known from other data sets |
//! | `size` | the bound on the number of parameters |
//! | `proposals` | the networks that enter |
//! | `schedule` | the rounds |
//! | `conclusion` | how sure the choice is, in words |
//! | `state` | the race itself: which trials there are, and the choice |
//! | `setup` | the race of a problem |
//! | `supernet` | a supernet of single paths, which judges networks without training each |
//! | `trials`, `runner` | its trials, for the trial pool |

pub(crate) mod conclusion;
#[cfg(test)]
pub(crate) mod example;
pub(crate) mod features;
mod linear;
pub(crate) mod prior;
mod proposals;
pub(crate) mod runner;
pub(crate) mod schedule;
pub(crate) mod setup;
pub(crate) mod size;
pub(crate) mod state;
pub(crate) mod supernet;
mod surrogate;
#[cfg(test)]
mod tests;
pub(crate) mod trials;
