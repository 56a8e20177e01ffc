//! Limits on time and memory that the user sets and the run keeps.
//!
//! | file | contents |
//! |---|---|
//! | `cost` | the costs that a plan is made from |
//! | `batch_timer` | timing of batches, extrapolated to large ones |
//! | `planner` | a plan from work, costs and a time limit |
//! | `plan` | the requested work, and the plan: steps and deadlines of each stage |
//! | `pace` | the steps of one training under a deadline |
//! | `memory` | bytes of a training step, estimated before it is tried |
//! | `memory_fit` | the decisions under a memory limit |
//! | `state` | all decisions of a run, and the configuration in force |
//! | `display` | a plan as its stages, and as text |
//! | `clock` | the clock of a run |
//! | `too_short` | the refusal of a time limit that is too short |

pub mod batch_timer;
pub mod clock;
pub mod cost;
pub mod display;
pub mod memory;
pub mod memory_fit;
pub mod pace;
pub mod plan;
mod planner;
pub mod state;
pub mod too_short;

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
