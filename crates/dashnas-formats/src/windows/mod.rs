//! Recordings cut into windows, each of which is a sample.
//!
//! | modules | contents |
//! |---|---|
//! | `spans` | the length of windows in time steps |
//! | `outline` | recordings and the stretches of them that windows may lie in |
//! | `labels` | from the labels of time steps to those of windows |
//! | `cut` | from recordings to samples |

pub(crate) mod cut;
pub(crate) mod labels;
pub(crate) mod outline;
pub(crate) mod spans;
#[cfg(test)]
mod tests;
